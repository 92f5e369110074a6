"""Batches prepared ahead, by processes of their own, where much waits to be sealed.

One process pours; what it pours next is read and hashed meanwhile on the other
processors. The address of the database is told on the standard input, so that it stands
in no list of processes. Who finds the end of its input ends: none outlives the sealer.
"""

from __future__ import annotations

import gc
import json
import marshal
import subprocess
import sys
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from typing import IO

from ledger.engine import Engine, LedgerError, connect, reading
from ledger.sealing.preparing import Batch, prepare

__all__ = ["Ended", "prepared"]

RANGES_AHEAD = 2
SIZE_BYTES = 8


class Ended(LedgerError):
    """A process that prepared batches is not there any more."""


def prepared(
    engine: Engine, zone: str, *, after: int, last: int, width: int, processes: int
) -> Generator[Batch]:
    """The batches of events above `after` up to `last`, each of `width` ids, in order.

    Those of nothing are left out. Raises Ended.
    """
    told = {"url": engine.url.render_as_string(hide_password=False), "zone": zone}
    ranges = [(begin, begin + width) for begin in range(after, last, width)]
    asked = 0
    with ExitStack() as stack:
        hands = [stack.enter_context(_started(told)) for _ in range(processes)]
        for n in range(len(ranges)):
            for nth in range(asked, min(n + RANGES_AHEAD * processes, len(ranges))):
                _tell(hands[nth % processes], ranges[nth])
                asked = nth + 1
            batch = _answer(hands[n % processes])
            if batch is not None:
                yield batch


Process = subprocess.Popen[bytes]


@contextmanager
def _started(told: dict[str, str]) -> Iterator[Process]:
    process = subprocess.Popen(  # noqa: S603  # ourselves
        [sys.executable, "-m", "ledger.sealing.ahead"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # A Ctrl-C is the sealer's alone.
        start_new_session=True,
    )
    try:
        _tell(process, told)
        yield process
    finally:
        process.kill()
        # What is still in the pipe is for nobody.
        with suppress(BrokenPipeError):
            process.communicate()


def _tell(process: Process, what: object) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps(what).encode() + b"\n")
        process.stdin.flush()
    except BrokenPipeError as error:
        raise Ended("a process that prepares seals has ended") from error


def _answer(process: Process) -> Batch | None:
    assert process.stdout is not None
    size = int.from_bytes(process.stdout.read(SIZE_BYTES), "big")
    data = process.stdout.read(size)
    if not size or len(data) != size:
        raise Ended("a process that prepares seals has ended")
    found = marshal.loads(data)  # noqa: S302  # written below
    return None if found is None else Batch(*found)


def main() -> None:
    # It would look through each batch while that grows, on SQLite a sixth of the
    # work, and find nothing: a batch makes no cycles.
    gc.disable()
    told = json.loads(sys.stdin.buffer.readline())
    engine = connect(told["url"], pool_size=1)
    written: Future[None] | None = None
    with ThreadPoolExecutor(1) as writer:
        for line in sys.stdin.buffer:
            after, until = json.loads(line)
            with reading(engine, snapshot=True) as db:
                batch = prepare(db, told["zone"], after=after, until=until)
            data = marshal.dumps(None if batch is None else tuple(batch))
            if written is not None:
                written.result()
            # The pipe holds less than a batch: the next one is begun meanwhile.
            written = writer.submit(_write, sys.stdout.buffer, data)


def _write(output: IO[bytes], data: bytes) -> None:
    output.write(len(data).to_bytes(SIZE_BYTES, "big"))
    output.write(data)
    output.flush()


if __name__ == "__main__":
    main()
