"""Measure signing up: a fortnight of it, beside pledges, the board, and places.

    python -m bench signups [PART ...] [--people N] [--days D] [--facts N]
        [--database sqlite|postgresql] [--seconds S] [--runs N] [--calls N] [--quick]

fortnight  so many people over so many days, half of them on one, by four clients that
           repeat and shuffle what they deliver; then every list is counted
calls      some of them dialled through the whole service, the last turn posted twice
rates      sign-ups a second in turns with pledges a second
board      all districts at once, over millions of facts
places     looked up in memory

A commit waits for the disk on both databases. It fails where anybody is lost or is
there twice; a speed that is missed is said under the line.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from bench.sides import spread
from bench.signups_board import look_places_up, show
from bench.signups_made import (
    AT,
    KEYS,
    Delivery,
    check,
    deliveries,
    dials_of,
    fresh,
    generate,
    menus,
    order,
)
from bench.texts_house import DATABASES
from gateway.effects import carry_out
from ledger.engine import connect, reading
from ledger.places.stored import read_tree
from tests import services
from tests.gateway.house import close_gateway, open_gateway, settings
from ussd.steps import Effect

PARTS = ("fortnight", "calls", "rates", "board", "places")
RATIO_MIN = 0.8
DIRECT = "*780*5588*2#"
Fresh = Callable[[str], str]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--people", type=int, help="71,000; 1,000 if quick")
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--facts", type=int, help="5,000,000; 200,000 if quick")
    parser.add_argument("--calls", type=int, help="1,000; 50 if quick")
    parser.add_argument("--seconds", type=float, help="of each run of the rates")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--database", choices=DATABASES)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    given.parts = given.parts or list(PARTS)
    for name, full, quick in (
        ("people", 71_000, 1_000),
        ("facts", 5_000_000, 200_000),
        ("calls", 1_000, 50),
        ("seconds", 5.0, 1.0),
    ):
        chosen = quick if given.quick else full
        setattr(given, name, getattr(given, name) or chosen)
    for name in [given.database] if given.database else DATABASES:
        print(f"\n== {name}", flush=True)
        try:
            with _books(name) as books:
                _measure(books, given)
        except pytest.skip.Exception as missing:
            print(f"not measured: {missing}")
    if "places" in given.parts:
        print("\n== places")
        look_places_up()


def _measure(books: Fresh, given: argparse.Namespace) -> None:
    if "fortnight" in given.parts:
        _fortnight(books("fortnight"), given.people, given.days)
    if "calls" in given.parts:
        _calls(books("calls"), given.calls)
    if "rates" in given.parts:
        _rates(books("rates"), given.seconds, given.runs)
    if "board" in given.parts:
        show(books("board"), given.facts)


def _fortnight(url: str, people: int, days: int) -> None:
    fresh(url)
    sent = len(deliveries(people, days))
    spent = generate(url, people, days)
    print(f"{'fortnight':12}{people:>12,} people in {sent:,} deliveries,", end=" ")
    print(f"{spent:.0f} s, {sent / spent:,.0f} a second", flush=True)
    began = time.perf_counter()
    faults = list(check(url, people))
    spent = time.perf_counter() - began
    print(f"{'checked':12}{len(faults):>12,} faults, {spent:.0f} s", flush=True)
    if faults:
        sys.exit("\n".join(f"bench: {fault}" for fault in faults))


def _calls(url: str, calls: int) -> None:
    """Whole calls into one process, each with its last turn delivered twice."""
    fresh(url)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis = stack.enter_context(services.redis())
        gateway = open_gateway(settings(url, redis, folder))
        stack.callback(close_gateway, gateway)
        dials = dials_of(gateway.service.places.current())
        began, codes = time.perf_counter(), set()
        for number in range(calls):
            answers = ("1", "1", dials[number % len(dials)], "1", "4", "1")
            who = {"session": f"s{number}", "phone": f"+98910{number:07}"}
            told = gateway.walk(*answers, code=DIRECT, **who)
            again = gateway.dial("*".join(answers), code=DIRECT, **who)
            if told != again:
                sys.exit(f"bench: a repeat was told {again}, and before {told}")
            codes.add(told.code)
        spent = time.perf_counter() - began
        stands = len(gateway.rows("signup"))
    print(f"{'calls':12}{calls:>12,} of eight requests,", end=" ")
    print(f"{calls / spent:,.1f} sign-ups a second", flush=True)
    if (len(codes), stands) != (calls, calls):
        sys.exit(f"bench: {calls} called, {len(codes)} codes, {stands} sign-ups")


def _rates(url: str, seconds: float, runs: int) -> None:
    """New people who sign up, in turns with new people who pledge: one client."""
    fresh(url)
    engine = connect(url, pool_size=2)
    with reading(engine, snapshot=True) as db:
        tree = read_tree(db)
    words, dials, numbers = menus(), dials_of(tree), count()

    def sign_up() -> None:
        number = next(numbers)
        sent = Delivery(AT, number, f"r{number}")
        carry_out(engine, KEYS, order(words, tree, sent, dials))

    def pledge() -> None:
        number = next(numbers)
        asked = order(words, tree, Delivery(AT, number, f"r{number}"), dials)
        answers = {"amount": "750000", "purpose": "nowruz"}
        effect = Effect("pledge", 0, "one-plus-one", answers)
        key = f"at:r{number}:pledge:0"
        carry_out(engine, KEYS, replace(asked, effect=effect, key=key))

    rates: dict[str, list[float]] = {"sign-ups": [], "pledges": []}
    deeds = {"sign-ups": sign_up, "pledges": pledge}
    for deed in deeds.values():
        _in(deed, seconds / 5)
    for _ in range(runs):
        for name, deed in deeds.items():
            rates[name].append(_in(deed, seconds))
    engine.dispose()
    for name, found in rates.items():
        print(f"{name:12}{spread(found, '.0f'):>24} a second")
    ratio = statistics.median(rates["sign-ups"]) / statistics.median(rates["pledges"])
    print(f"{'':12}{ratio:>24.2f} of the pledges", flush=True)
    if ratio < RATIO_MIN:
        print(f"{'':12}MISSED: below {RATIO_MIN} of the pledges", flush=True)


def _in(deed: Callable[[], None], seconds: float) -> float:
    """How often a second a deed is done."""
    began, done = time.perf_counter(), 0
    while (spent := time.perf_counter() - began) < seconds:
        deed()
        done += 1
    return done / spent


@contextmanager
def _books(name: str) -> Iterator[Fresh]:
    """A function from a name to the URL of a database that is empty."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="yarigar-"))
        if name == "postgresql":
            server = stack.enter_context(services.postgres(durable=True))
            yield server.create
            return
        yield lambda books: f"sqlite:///{folder}/{books}.db"


if __name__ == "__main__":
    main()
