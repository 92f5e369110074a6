"""Whom to ask for what: 300,000 volunteers, 20,000 needs, one wave.

    python -m bench matching [VOLUNTEERS [NEEDS]]

The books are generated; what is measured is what the scheduler does then, in a process
of its own: needs and volunteers are read, everybody is chosen, and the invitations are
written. It fails where that takes ten seconds or 500 MB.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import Table, insert

from gateway.placing import shipped, take_in
from gateway.service import Service
from gateway.waves import choose
from ledger import migrate, schema
from ledger.engine import connect, reading, writing
from ledger.places.kinds import Kind
from ledger.places.stored import read_tree
from ledger.places.tree import Tree
from ledger.vault import Keys, look_up

VOLUNTEERS, NEEDS = 300_000, 20_000
SECONDS_MAX, MEGABYTES_MAX = 10.0, 500.0
AT = datetime(2026, 2, 4, 8, 0, tzinfo=UTC)
CAMPAIGN = "salam-mahalle"
SKILLS = ("teaching", "company", "repairs", "health", "other")
KEYS = Keys(vault=b"v" * 32, index=b"i" * 32, code=b"c" * 32)
CHUNK_ROWS = 10_000
# Coprime to the number of places, so that everybody is spread over all of them.
STRIDE = 7919
MEASURED = "--measured"


def main() -> None:
    options = sys.argv[1:]
    if options[:1] == [MEASURED]:
        _measure(options[1])
        return
    volunteers = int(options[0]) if options else VOLUNTEERS
    needs = int(options[1]) if len(options) > 1 else NEEDS
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'matching.db'}"
        _fill(url, volunteers, needs)
        print(f"{volunteers:,} volunteers, {needs:,} needs", flush=True)
        command = [sys.executable, "-m", "bench.matching", MEASURED, url]
        sys.exit(subprocess.run(command).returncode)


def _measure(url: str) -> None:
    engine = connect(url, pool_size=1)
    with reading(engine, snapshot=True) as db:
        tree = read_tree(db)
    # All of a service that choosing makes use of.
    settings = SimpleNamespace(invitations_per_week=1, invitation_reply_hours=24)
    places = SimpleNamespace(current=lambda: tree)
    service = cast(
        Service, SimpleNamespace(engine=engine, settings=settings, places=places)
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began, worked = time.perf_counter(), time.process_time()
    chosen = choose(service, AT)
    seconds = time.perf_counter() - began
    worked = time.process_time() - worked
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    engine.dispose()
    print(f"invitations chosen and written  {chosen:,}")
    print(f"seconds                         {seconds:.2f}  (at most {SECONDS_MAX:.0f})")
    print(f"of which this process worked    {worked:.2f}")
    print(
        f"peak resident memory            {most:.0f} MB, {before:.0f} MB before  "
        f"(at most {MEGABYTES_MAX:.0f})"
    )
    if not chosen or seconds > SECONDS_MAX or most > MEGABYTES_MAX:
        sys.exit("bench: matching is too slow, too large, or chose nobody")


def _fill(url: str, volunteers: int, needs: int) -> None:
    migrate.upgrade(url)
    engine = connect(url, pool_size=1)
    take_in(engine, shipped(), by="bench", at=AT)
    with reading(engine, snapshot=True) as db:
        tree = read_tree(db)
    with writing(engine) as db:
        for table, rows in _rows(tree, volunteers, needs):
            for some in _pieces(rows):
                db.execute(insert(table), some)
    engine.dispose()


def _rows(
    tree: Tree, volunteers: int, needs: int
) -> Iterator[tuple[Table, Iterable[Mapping[str, Any]]]]:
    lived_in = sorted(one.code for one in tree if one.kind != Kind.COUNTRY)
    centres = sorted(one.code for one in tree if one.kind == Kind.CENTRE)
    first_need = volunteers + 1_000
    yield (
        schema.person,
        (
            {"id": n, "look_up": look_up(KEYS, f"+98910{n:07}"), "since": AT}
            for n in range(1, volunteers + 1)
        ),
    )
    events = ((n, "signup", n) for n in range(1, volunteers + 1))
    yield schema.event, (_event(1_000_000 + n, kind, who) for n, kind, who in events)
    yield (
        schema.signup,
        (
            {
                "event_id": 1_000_000 + n,
                "person_id": n,
                "campaign": CAMPAIGN,
                "place_kind": "centre",
                "place_code": lived_in[n * STRIDE % len(lived_in)],
                "skill": SKILLS[n % len(SKILLS)],
                "time": "when-needed",
                "consent": "m" * 64,
                "test": False,
                "invited_at": None if n % 3 else AT - timedelta(days=8 + n % 90),
            }
            for n in range(1, volunteers + 1)
        ),
    )
    yield (
        schema.event,
        (_event(1_000_000 + first_need + n, "need", None) for n in range(needs)),
    )
    yield (
        schema.need,
        (
            {
                "event_id": 1_000_000 + first_need + n,
                "campaign": CAMPAIGN,
                "place": centres[n % len(centres)],
                "title": "help",
                "skill": SKILLS[n * 3 % len(SKILLS)],
                "vacancies": 1 + n % 5,
                "urgency": 1 + n % 5,
                "meets_at": AT + timedelta(days=2 + n % 20),
                "state": "open",
                "wave": 0,
                "next_at": AT,
                "test": False,
                "at": AT,
                "changed_at": AT,
            }
            for n in range(needs)
        ),
    )


def _event(number: int, kind: str, person_id: int | None) -> Mapping[str, Any]:
    return {
        "id": number,
        "key": f"bench:{number}",
        "kind": kind,
        "body": {},
        "person_id": person_id,
        "campaign": CAMPAIGN,
        "channel": "bench",
        "test": False,
        "transfers": 0,
        "at": AT,
    }


def _pieces(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    left = iter(rows)
    while some := list(islice(left, CHUNK_ROWS)):
        yield some


if __name__ == "__main__":
    main()
