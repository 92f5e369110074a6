"""Kill everything in the middle, start again, and compare the books with the replies.

    python -m bench.crash [--calls N] [--seed N]

`yarigar serve` runs with a carrier on loopback. It is killed with SIGKILL once in the
middle of N confirms and once in the middle of N texts, at moments drawn from the seed:
one time its process group alone, so that what is below it must end by itself, the
other time every process at once. After each start, callers who read no reply send their
request again. Then every END that was read, the ledger and the carrier's log must say
the same; what is sent twice is counted. Exits 1 on any difference.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench import running
from bench.books import Caller, compare, read_books, untrue
from bench.carrier import Carrier, carrier
from bench.served import Served
from ledger import outbox
from ledger.engine import reading
from ledger.outbox import State

CALLS = 200
CALLERS_AT_ONCE = 8
CONFIRMS_SECONDS_MAX = 60.0
TEXTS_SECONDS_MAX = 120.0
# A caller who reads the confirm screen again presses 1 again.
TRIES_MAX = 4
WALK = ("", "3", "3*75000", "3*75000*1")
CONFIRM = "3*75000*1*1"
RIAL = 750_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=CALLS)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="yarigar-crash-") as folder:
        differences = crash(Path(folder), options.calls, options.seed)
    for difference in differences:
        print(f"DIFFERENCE: {difference}")
    sys.exit(1 if differences else 0)


def crash(folder: Path, calls: int, seed: int) -> list[str]:
    """Do it all once, print what happened, and return what does not agree."""
    drawn = random.Random(seed)
    alone_first = bool(drawn.getrandbits(1))
    replies, texts = (drawn.randint(calls // 10, calls * 9 // 10) for _ in range(2))
    callers = [Caller(f"+98912{n:07}", f"crash-{n}") for n in range(2 * calls)]
    first, second = callers[:calls], callers[calls:]
    print(f"seed {seed}: {calls} confirms, then {calls} texts")
    with carrier(folder / "carrier.log") as kavenegar:
        served = Served(folder, kavenegar.url)
        with served.started():
            walk(served, first)
            confirm_until(served, first, replies, alone=alone_first)
        with served.started():
            found = list(untrue(first, read_books(*served.ledger())))
            found += say_again(served, first)
            await_texts(served)
            kavenegar.hold()
            walk(served, second)
            confirm(served, second)
            deliver_until(served, kavenegar, texts, alone=not alone_first)
        with served.started():
            found += say_again(served, callers)
            await_texts(served)
            books = read_books(*served.ledger())
        booked = kavenegar.booked()
        asked = kavenegar.asked()
    found += compare(callers, books, booked, RIAL)
    read = sum(bool(caller.code) for caller in callers)
    rows = sum(len(texts) for texts in books.texts.values())
    twice = sorted(text_id for text_id, times in booked.items() if times > 1)
    print(
        f"  {read} ENDs read, {len(books.phones)} pledges, {rows} rows in the outbox, "
        f"{len(booked)} texts at the carrier, {len(twice)} of them sent twice\n"
        f"  asked after a kill: {asked['known']} had arrived, "
        f"{asked['unknown']} had not and were sent"
    )
    for text_id in twice:
        print(f"  text {text_id} twice: its attempts were {books.attempts[text_id]}")
    return found


# -- the calls ------------------------------------------------------------------------


def walk(served: Served, callers: Sequence[Caller]) -> None:
    """Bring every caller to the confirm screen."""

    def one(caller: Caller) -> None:
        for typed in WALK:
            reply = served.say(caller.phone, caller.session, typed)
            if reply is None or not reply.startswith("CON "):
                raise RuntimeError(f"{typed!r} was answered with {reply!r}")

    with ThreadPoolExecutor(CALLERS_AT_ONCE) as pool:
        list(pool.map(one, callers))


def confirm(served: Served, callers: Sequence[Caller]) -> None:
    """Confirm every pledge, and keep the last word of those who read one."""

    def one(caller: Caller) -> None:
        caller.reads(served.say(caller.phone, caller.session, CONFIRM))

    with ThreadPoolExecutor(CALLERS_AT_ONCE) as pool:
        list(pool.map(one, callers))


def confirm_until(
    served: Served, callers: Sequence[Caller], replies: int, *, alone: bool
) -> None:
    """Confirm all at once, and kill when so many have read their reply."""
    calling = threading.Thread(target=confirm, args=(served, callers))
    calling.start()

    def is_time() -> bool:
        return sum(bool(caller.end) for caller in callers) >= replies

    is_reached = running.eventually(is_time, CONFIRMS_SECONDS_MAX)
    how = served.kill(alone=alone)
    calling.join()
    if not is_reached:
        raise RuntimeError("the confirms were not answered")
    read = sum(bool(caller.end) for caller in callers)
    told = sum(bool(caller.told) for caller in callers)
    print(
        f"  killed {how} with {read} of {len(callers)} confirms answered by a code "
        f"and {told} by an excuse"
    )


def say_again(served: Served, callers: Sequence[Caller]) -> list[str]:
    """Send every confirm again; who reads that screen anew presses its key anew.

    Gives what differs: who has read an END must read the same once more.
    """
    different, recorded, anew = [], 0, 0
    for caller in callers:
        typed = CONFIRM
        for _ in range(TRIES_MAX):
            reply = served.say(caller.phone, caller.session, typed) or ""
            if reply.startswith("END "):
                break
            typed += "*1"
        if caller.end and reply != caller.end:
            different.append(f"{caller.session} read {caller.end!r}, then {reply!r}")
        elif not caller.end:
            caller.reads(reply)
            recorded, anew = recorded + (typed == CONFIRM), anew + (typed != CONFIRM)
    print(f"  without a code: {recorded} were recorded all the same, {anew} were not")
    return different


# -- the texts ------------------------------------------------------------------------


def deliver_until(
    served: Served, kavenegar: Carrier, texts: int, *, alone: bool
) -> None:
    """Let the texts go, and kill when so many have arrived."""
    before = kavenegar.booked().total()
    kavenegar.release()
    is_reached = running.eventually(
        lambda: kavenegar.booked().total() - before >= texts, TEXTS_SECONDS_MAX
    )
    how = served.kill(alone=alone)
    if not is_reached:
        raise RuntimeError("the texts did not leave")
    print(f"  killed {how} with {kavenegar.booked().total() - before} texts arrived")


def await_texts(served: Served) -> None:
    """Wait until no text is under way; those left over are found in the comparison."""
    began = time.monotonic()
    engine, _ = served.ledger()

    def is_done() -> bool:
        with reading(engine) as db:
            states = outbox.state_counts(db)
        return states[State.SENT] + states[State.DELIVERED] == sum(states.values())

    running.eventually(is_done, TEXTS_SECONDS_MAX)
    engine.dispose()
    print(f"  texts delivered {time.monotonic() - began:.1f} s later")


if __name__ == "__main__":
    main()
