"""Sign-ups of a fortnight, as a carrier delivers them: again, and in any order.

    python -m bench.signups_made URL PEOPLE DAYS CLIENT OF

is one client of several on PostgreSQL: it does its share of what there is to do and
says how many that were.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random

from sqlalchemy import func, select

from bench import running
from gateway.effects import carry_out
from gateway.orders import Order
from gateway.placing import shipped, take_in
from ledger import migrate, schema
from ledger.board import board, total
from ledger.engine import Engine, NothingRecorded, connect, reading
from ledger.export.hand_over import hand_over
from ledger.places.kinds import Kind
from ledger.places.stored import read_tree
from ledger.places.tree import Tree
from ledger.report import Figures
from ledger.vault import Keys
from ledger.verify import verify
from ussd.menus import Menus
from ussd.reading import read
from ussd.steps import Effect

__all__ = [
    "AT",
    "CAMPAIGN",
    "KEYS",
    "Delivery",
    "check",
    "deliveries",
    "dials_of",
    "fresh",
    "generate",
    "menus",
    "order",
]

KEYS = Keys(vault=b"v" * 32, index=b"i" * 32, code=b"c" * 32)
AT = datetime(2026, 11, 22, 4, 30, tzinfo=UTC)
CAMPAIGN = "salam-mahalle"
CLIENTS = 4
# The peak day is twelve hours of dialling, with half of all.
PEAK_DAY, DAY_SECONDS = 13, 12 * 3600
DELIVERIES_MAX = 5
COPIES_MAX = 3
# One in so many dials again later, and is one volunteer still.
AGAIN_EVERY = 20
SKILLS = ("teaching", "company", "shopping", "health", "other")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request of a carrier's: whose, in which session, when."""

    at: datetime
    person: int
    session: str


def fresh(url: str) -> None:
    """Make the tables, and bring in the places that ship."""
    migrate.upgrade(url)
    engine = connect(url, pool_size=1)
    take_in(engine, shipped(), by="bench", at=AT)
    engine.dispose()


def generate(url: str, people: int, days: int) -> float:
    """Have everybody sign up, by several clients at once; how many seconds it took.

    On PostgreSQL a client is a process; on SQLite it is a thread.
    """
    began = time.perf_counter()
    if url.startswith("sqlite"):
        # One service is one engine, whose threads take turns.
        engine = connect(url, pool_size=CLIENTS)
        with ThreadPoolExecutor(CLIENTS) as pool:
            shares = range(CLIENTS)
            done = sum(pool.map(lambda n: _deliver(engine, people, days, n), shares))
        engine.dispose()
    else:
        command = [sys.executable, "-m", "bench.signups_made", url]
        command += [str(people), str(days)]
        clients = [
            subprocess.Popen(
                [*command, str(number)], stdout=subprocess.PIPE, cwd=running.ROOT
            )
            for number in range(CLIENTS)
        ]
        done = sum(int(client.communicate()[0] or 0) for client in clients)
    spent = time.perf_counter() - began
    if done != len(deliveries(people, days)):
        sys.exit("bench: a client of the sign-ups failed")
    return spent


def check(url: str, people: int) -> Iterator[str]:
    """What is not as it has to be, a line each."""
    engine = connect(url, pool_size=2)
    signup, event = schema.signup, schema.event
    counts = {
        "people": select(func.count()).select_from(schema.person),
        "sign-ups": select(func.count()).select_from(signup),
        "different people": select(func.count(signup.c.person_id.distinct())),
        "codes": select(func.count()).select_from(schema.code),
        "facts": select(func.count()).where(event.c.kind == "signup"),
        "texts": select(func.count()).where(schema.outbox.c.template == "sms.vol"),
    }
    with reading(engine, snapshot=True) as db:
        for what, query in counts.items():
            if (found := db.scalar(query)) != people:
                yield f"{people:,} signed up, and there are {found:,} {what}"
        again = select(func.count()).where(event.c.kind == "signup.again")
        if (found := db.scalar(again)) != (people - 1) // AGAIN_EVERY + 1:
            yield f"{found:,} dialled again"
        rounds = list(db.scalars(select(signup.c.round).distinct()))
        rows = board(db, within="ir", today=AT.date(), at=AT)
        if (on_board := total(rows)["volunteers"]) != people:
            yield f"the board has {on_board:,}"
        yield from (str(fault) for fault in verify(db, faults_max=5).faults)
    yield from _listed(engine, people, rounds)
    engine.dispose()


def _listed(engine: Engine, people: int, rounds: Sequence[str | None]) -> Iterator[str]:
    """Whether the lists that centres are handed have everybody once."""
    listed = 0
    codes: set[str] = set()
    for name in rounds:
        with tempfile.TemporaryDirectory() as folder:
            handed = hand_over(
                engine, KEYS, Path(folder), campaign=CAMPAIGN, round_id=name or ""
            )
            if sum(handed.lists.values()) != handed.total:
                yield f"the lists of {name} do not sum to their total"
            listed += handed.total
            for own in handed.lists:
                lines = (Path(folder) / f"{own}.csv").read_text("utf-8").splitlines()
                codes.update(line.partition(",")[0] for line in lines[1:])
    if (listed, len(codes)) != (people, people):
        yield f"the lists have {listed:,} lines, {len(codes):,} of them different"


@cache
def deliveries(people: int, days: int) -> list[Delivery]:
    """All that the carrier sends, shuffled within each minute; the same every time."""
    random = Random(7)
    sent: list[Delivery] = []
    for person in range(people):
        first = _moment(random, person, days)
        sent += _copies(random, first, person, f"s{person}")
        if person % AGAIN_EVERY == 0:
            later = first + timedelta(days=days)
            sent += _copies(random, later, person, f"again{person}")
    minutes = ((one.at.replace(second=0), random.random(), one) for one in sent)
    return [one for _, _, one in sorted(minutes, key=lambda each: each[:2])]


def order(
    words: Menus, tree: Tree, sent: Delivery, dials: Sequence[str], stamp: str = "at"
) -> Order:
    """What a caller agreed to, as the service hands it on."""
    place = sent.person % 5
    answers = {"place_kind": "unknown"}
    if place < 3:
        answers = {"place_kind": "centre", "centre": dials[sent.person % len(dials)]}
    elif place == 3:
        number = str(1 + sent.person % 22)
        answers = {
            "place_kind": "town",
            "town": "تهران",
            "province": "23",
            "district": number,
        }
    answers |= {"skill": SKILLS[sent.person % len(SKILLS)], "time": "when-needed"}
    return Order(
        effect=Effect("sign_up", 0, CAMPAIGN, answers),
        key=f"{stamp}:{sent.session}:sign_up:0",
        phone=f"+98910{sent.person:07}",
        language="fa",
        menus=words,
        channel="at",
        test=False,
        at=sent.at,
        figures=_no_figures,
        places=tree,
    )


@cache
def menus() -> Menus:
    """The shipped menus."""
    source = (Path(running.ROOT) / "menus.yaml").read_text("utf-8")
    return read(source, time_zone="Asia/Tehran")


def dials_of(tree: Tree) -> list[str]:
    """What callers type for the centres, in order."""
    return sorted(one.dial for one in tree if one.kind == Kind.CENTRE and one.dial)


def _no_figures(campaign: str, test: bool) -> Figures:
    raise AssertionError("no sign-up tells a campaign's figures")


def _moment(random: Random, person: int, days: int) -> datetime:
    day = PEAK_DAY if person % 2 else random.randrange(days)
    return AT + timedelta(days=day, seconds=random.randrange(DAY_SECONDS))


def _copies(
    random: Random, first: datetime, person: int, session: str
) -> Iterator[Delivery]:
    for _ in range(random.randint(1, COPIES_MAX)):
        yield Delivery(first, person, session)


def _deliver(engine: Engine, people: int, days: int, client: int) -> int:
    """Do the share of one client; two copies of a request go to two clients.

    What the ledger could not record for now was not answered, and is delivered again.
    """
    with reading(engine, snapshot=True) as db:
        tree = read_tree(db)
    words, dials, mine = menus(), dials_of(tree), deliveries(people, days)
    done = 0
    for sent in mine[client::CLIENTS]:
        for delivery in range(DELIVERIES_MAX):
            try:
                result = carry_out(engine, KEYS, order(words, tree, sent, dials))
            except NothingRecorded:
                if delivery + 1 == DELIVERIES_MAX:
                    raise
            else:
                break
        assert result["code"]
        done += 1
    return done


def main() -> None:
    url, *numbers = sys.argv[1:]
    people, days, client = map(int, numbers)
    engine = connect(url, pool_size=2)
    print(_deliver(engine, people, days, client))
    engine.dispose()


if __name__ == "__main__":
    main()
