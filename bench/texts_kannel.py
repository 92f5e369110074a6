"""A Kannel of this machine: its bearerbox and smsbox, and who posts to it.

    python -m bench.texts_kannel PORT THREADS TEXTS WORDS

posts texts to the sendsms of a smsbox, from so many threads over one httpx client.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from bench import running

__all__ = ["DURABLE", "find", "kannel", "post"]

PLACES = ("/usr/sbin", "/usr/local/sbin", "/usr/local/bin")
START_SECONDS_MAX = 20.0
RUN_SECONDS_MAX = 300.0
DURABLE = "its store-file: appended and flushed, not synced; its reports in memory"

CONFIG = """\
group = core
admin-port = {admin}
admin-password = bench
smsbox-port = {box}
box-allow-ip = "127.0.0.1"
log-file = "{folder}/bearerbox.log"
log-level = 2
store-type = file
store-location = "{folder}/kannel.store"
dlr-storage = internal

group = smsc
smsc = smpp
smsc-id = bench
host = 127.0.0.1
port = {centre}
transceiver-mode = true
smsc-username = bench
smsc-password = bench
system-type = ""
max-pending-submits = {window}
source-addr-ton = 0
source-addr-npi = 0
dest-addr-ton = 1
dest-addr-npi = 1

group = smsbox
smsbox-id = bench
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
log-file = "{folder}/smsbox.log"
log-level = 2

group = sendsms-user
username = bench
password = bench
max-messages = 10
concatenation = true
"""


def find() -> tuple[str, str] | None:
    """Where bearerbox and smsbox are; None if this machine has no Kannel."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *PLACES])
    boxes = [shutil.which(name, path=path) for name in ("bearerbox", "smsbox")]
    return (boxes[0], boxes[1]) if boxes[0] and boxes[1] else None


@contextmanager
def kannel(
    boxes: tuple[str, str], folder: Path, centre: int, window: int
) -> Iterator[int]:
    """Run both boxes, bound to the centre; give the port of sendsms."""
    folder.mkdir(exist_ok=True)
    ports = [running.free_port() for _ in range(3)]
    config = folder / "kannel.conf"
    config.write_text(
        CONFIG.format(
            admin=ports[0],
            box=ports[1],
            sendsms=ports[2],
            centre=centre,
            window=window,
            folder=folder,
        )
    )
    with ExitStack() as stack:
        for box, port in zip(boxes, ports[1:], strict=True):
            stack.enter_context(_run(box, config))
            if not running.eventually(
                lambda port=port: running.answers(port),  # type: ignore[misc]
                START_SECONDS_MAX,
            ):
                sys.exit(f"{box} did not start")
        yield ports[2]


def post(port: int, *, threads: int, texts: int, words: str) -> None:
    """Have texts posted to the sendsms at `port`, by a process of its own."""
    numbers = (str(port), str(threads), str(texts))
    subprocess.run(
        [sys.executable, "-m", "bench.texts_kannel", *numbers, words],
        cwd=running.ROOT,
        check=True,
        timeout=RUN_SECONDS_MAX,
    )


@contextmanager
def _run(program: str, config: Path) -> Iterator[None]:
    process = subprocess.Popen(
        [program, str(config)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        # Neither keeps anything that is worth waiting for.
        process.kill()
        process.wait()


def main() -> None:
    port, threads, texts, words = sys.argv[1:]
    numbers = itertools.count()
    fixed = {
        "username": "bench",
        "password": "bench",
        "from": "10001",
        "coding": "2",
        "charset": "UTF-8",
        "text": words,
    }
    url = f"http://127.0.0.1:{port}/cgi-bin/sendsms"
    with httpx.Client() as http, ThreadPoolExecutor(int(threads)) as pool:

        def send(_: int) -> None:
            to = f"98912{next(numbers):07}"
            http.get(url, params={**fixed, "to": to}).raise_for_status()

        for _ in pool.map(send, range(int(texts))):
            pass


if __name__ == "__main__":
    main()
