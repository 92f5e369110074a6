"""A ledger with texts in its outbox, and the process that delivers them."""

from __future__ import annotations

import itertools
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    String,
    cast,
    func,
    insert,
    literal,
    select,
    text,
    true,
)

from bench import running
from gateway import redis_server
from gateway.kinds import KEY_BYTES
from gateway.settings import KEYS
from ledger import events, menus, outbox, people, schema
from ledger.engine import Engine, connect, reading, writing
from ledger.outbox import Kind, State
from ledger.vault import Keys
from tests import services

__all__ = ["BACKLOG_PHONE", "DATABASES", "House", "house"]

DATABASES = ("sqlite", "postgresql")
BATCH = 500
# Who takes texts does not count those to it.
BACKLOG_PHONE = "+989139999999"
# A text must not expire while it is measured, nor the later ones be due.
LATER = timedelta(days=30)
NEVER_IN_A_BENCH = timedelta(days=60)
START_SECONDS_MAX = 60.0


@dataclass(slots=True)
class House:
    """One installation, with nobody in it but who delivers."""

    folder: Path
    told: dict[str, str]
    engine: Engine
    keys: Keys
    menus: str
    # The most that a process which delivered had resident, in bytes.
    resident_max: int = 0
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def promise(self, count: int) -> None:
        """Promise so many receipts of pledges, each to a phone that has no other."""
        waiting = count
        while waiting:
            batch = min(BATCH, waiting)
            with writing(self.engine) as db:
                for number in itertools.islice(self._numbers, batch):
                    _promise(db, self.keys, self.menus, f"+98912{number:07}")
            waiting -= batch

    def backlog(self, count: int) -> None:
        """Queue so many texts behind the receipts: half are due, half are for later.

        The due half is of the class that goes after receipts; the later half is of
        campaigns.
        """
        if not count:
            return
        with writing(self.engine) as db:
            _promise(db, self.keys, self.menus, BACKLOG_PHONE)
            _multiply(db, count, Kind.SERVICE, due_in=timedelta())
            _multiply(db, count, Kind.CAMPAIGN, due_in=LATER)
        if self.engine.dialect.name == "postgresql":
            # As a server does by itself within minutes.
            with self.engine.connect() as db:
                db.execute(text("COMMIT"))
                db.execute(text("VACUUM ANALYZE"))

    def receipts_left(self) -> int:
        """How many receipts nobody has taken up yet."""
        row = schema.outbox.c
        of_it = row.state == State.QUEUED, row.kind == Kind.RECEIPT
        with reading(self.engine) as db:
            return db.scalar(select(func.count()).where(*of_it)) or 0

    @contextmanager
    def delivering(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """Have `yarigar WORDS` run, and end the bench if it ends by itself."""
        log = self.folder / f"{'-'.join(words)}.log"
        with running.running("gateway", *words, log=log, told=self.told) as process:
            try:
                yield process
            finally:
                resident = running.resident_bytes_max(process.pid)
                self.resident_max = max(self.resident_max, resident)
                if process.poll() is not None:
                    said = log.read_text(errors="replace")[-2000:]
                    sys.exit(f"`yarigar {' '.join(words)}` ended by itself:\n{said}")


@contextmanager
def house(database: str, channel: Mapping[str, str]) -> Iterator[House]:
    """Make one on a fresh database, with one channel for texts, named `out`.

    Raises pytest's `skip` where the machine has no such database.
    """
    with ExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(prefix="yarigar-texts-")
        folder = Path(stack.enter_context(temporary))
        url = f"sqlite:///{folder}/ledger.db"
        if database == "postgresql":
            url = stack.enter_context(services.postgres(durable=True)).create("bench")
        redis = redis_server.start(folder)
        stack.callback(redis.stop)
        told = {
            "YARIGAR_DATA_DIR": str(folder),
            "YARIGAR_DATABASE_URL": url,
            "YARIGAR_REDIS_URL": redis.url,
            "YARIGAR_SMS__OUT__KEY": "bench",
            "YARIGAR_SMS__OUT__SENDER": "10001",
            "YARIGAR_SMS__OUT__STOP_LINE": "لغو۱۱",
        }
        told |= {f"YARIGAR_SMS__OUT__{name.upper()}": channel[name] for name in channel}
        told |= {
            f"YARIGAR_{name.upper()}": secrets.token_hex(KEY_BYTES) for name in KEYS
        }
        running.run("gateway", "migrate", told=told)
        running.run("gateway", "menus", "load", "menus.yaml", told=told)
        engine = connect(url, pool_size=1)
        stack.callback(engine.dispose)
        keys = Keys(
            vault=bytes.fromhex(told["YARIGAR_VAULT_KEY"]),
            index=bytes.fromhex(told["YARIGAR_INDEX_KEY"]),
            code=bytes.fromhex(told["YARIGAR_CODE_KEY"]),
        )
        with reading(engine) as db:
            current = menus.current_hash(db)
        if current is None:
            sys.exit("the menus were not published")
        # It wakes a worker for what is due later, as in any installation.
        log = folder / "schedule.log"
        stack.enter_context(running.running("gateway", "schedule", log=log, told=told))
        yield House(folder, told, engine, keys, current)


def _promise(db: Connection, keys: Keys, menus: str, phone: str) -> None:
    at = datetime.now(UTC)
    person = people.remember(db, keys, phone, at=at)
    event = events.record(
        db,
        key=f"bench-{phone}",
        kind="bench",
        body={},
        person_id=person.id,
        channel="bench",
        test=False,
        at=at,
    )
    outbox.promise(
        db,
        event_id=event.event_id,
        person_id=person.id,
        template="sms.pledge",
        slots={"amount": 750_000, "code": "1" + phone[-8:], "pay": "*780*0#"},
        language="fa",
        menus=menus,
        kind=Kind.RECEIPT,
        campaign="one-plus-one",
        test=False,
        at=at,
        expires_at=at + NEVER_IN_A_BENCH,
    )


def _multiply(db: Connection, count: int, kind: Kind, *, due_in: timedelta) -> None:
    """Queue half of `count` texts that are like the newest one but for their class."""
    event, row = schema.event, schema.outbox
    newest = (
        select(row.c.id)
        .where(row.c.kind == Kind.RECEIPT)
        .order_by(row.c.id.desc())
        .limit(1)
    )
    of = db.execute(select(row).where(row.c.id == newest.scalar_subquery())).one()
    series = select(literal(1).label("i")).cte("series", recursive=True)
    series = series.union_all(select(series.c.i + 1).where(series.c.i < count // 2))
    key = literal(f"backlog-{kind}-", String) + cast(series.c.i, String)
    copied = ["kind", "body", "person_id", "channel", "test", "transfers", "at"]
    db.execute(
        insert(event).from_select(
            ["key", *copied],
            select(key, *(event.c[name] for name in copied))
            .select_from(event.join(series, true()))
            .where(event.c.id == of.event_id),
        )
    )
    queued_at = of.promised_at - timedelta(minutes=1)
    more = {
        "kind": kind,
        "promised_at": queued_at,
        "due_at": queued_at + due_in,
        "changed_at": queued_at,
        "state": State.QUEUED,
    }
    same = ["person_id", "template", "slots", "language", "menus", "campaign", "test"]
    same += ["expires_at", "attempts", "via"]
    values: dict[str, ColumnElement[Any]] = {name: row.c[name] for name in same}
    values |= {name: literal(more[name], row.c[name].type) for name in more}
    db.execute(
        insert(row).from_select(
            ["event_id", *values],
            select(event.c.id, *values.values())
            .select_from(row.join(event, true()))
            .where(
                row.c.id == of.id,
                event.c.key >= f"backlog-{kind}-",
                event.c.key < f"backlog-{kind}.",
            ),
        )
    )
