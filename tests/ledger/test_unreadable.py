"""Posts that could not be read are kept, sealed and few; on both databases."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, Engine, func, select

from ledger import unreadable
from ledger.engine import reading, writing
from ledger.schema import unreadable as table
from ledger.vault import unseal_raw
from tests.texts import KEYS, NOON


def test_a_post_is_kept_sealed_and_cut(ledger_engine: Engine) -> None:
    keep(ledger_engine, raw=b"from=+989121234567&" + b"x" * 100_000)
    with reading(ledger_engine) as db:
        row = db.execute(select(table)).one()
    assert (row.carrier, row.way, row.why) == ("kave", "inbound", "w" * 200)
    assert b"9121234567" not in row.raw
    raw = unseal_raw(KEYS, row.raw)
    assert raw.startswith(b"from=+989121234567&")
    assert len(raw) == unreadable.RAW_OCTETS_MAX


def test_the_newest_of_each_channel_are_kept(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        for n in range(unreadable.KEPT_MAX + 3):
            _keep(db, "kave", b"%d" % n, seconds=n // 7)
        _keep(db, "other", b"x")
    with reading(ledger_engine) as db:
        counted = select(table.c.carrier, func.count()).group_by(table.c.carrier)
        counts = {row[0]: row[1] for row in db.execute(counted)}
        first = db.scalar(
            select(table.c.raw).where(table.c.carrier == "kave").order_by(table.c.id)
        )
    assert counts == {"kave": 1000, "other": 1}
    assert first is not None
    assert unseal_raw(KEYS, first) == b"3"


def keep(engine: Engine, raw: bytes) -> None:
    with writing(engine) as db:
        _keep(db, "kave", raw)


def _keep(db: Connection, carrier: str, raw: bytes, seconds: int = 0) -> None:
    unreadable.keep(
        db,
        KEYS,
        carrier=carrier,
        way=unreadable.INBOUND,
        raw=raw,
        why="w" * 500,
        at=NOON + timedelta(seconds=seconds),
    )
