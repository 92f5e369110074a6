"""What carriers told us is forgotten after a month; on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, insert, select

from ledger.engine import reading, writing
from ledger.forgetting import KEPT, forget
from ledger.schema import (
    enquiry,
    fragment,
    inbound,
    person,
    question,
    receipt,
    unreadable,
)
from tests.texts import NOON

OLD, NEW = NOON - KEPT - timedelta(hours=1), NOON - KEPT + timedelta(hours=1)


def test_only_what_is_old_is_forgotten(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        person_id = db.scalar(
            insert(person).values(look_up=b"p" * 32, since=OLD).returning(person.c.id)
        )
        for n, at in enumerate((OLD, OLD, NEW)):
            _add(db, receipt, at=at, carrier_id=str(n), status="sent")
            _add(db, inbound, at=at, carrier_id=str(n), look_up=b"p", line="1")
            _add(db, unreadable, at=at, way="inbound", why="")
            _add(
                db,
                fragment,
                at=at,
                look_up=b"p",
                line="1",
                reference=str(n),
                total=2,
                part=1,
            )
            for state in ("open", "answered"):
                _ask(db, person_id, asked_at=at, state=state)
                _enquire(db, person_id, at=at, changed_at=at, state=state)

    assert [_forget(ledger_engine, limit=1) for _ in range(3)] == [7, 5, 0]

    with reading(ledger_engine) as db:
        left = {
            table.name: db.scalar(select(func.count()).select_from(table))
            for table in (receipt, inbound, unreadable, fragment, question, enquiry)
        }
        words = db.execute(select(enquiry.c.state, enquiry.c.words)).all()
    assert left == {
        "receipt": 1,
        "inbound": 1,
        "unreadable": 1,
        "fragment": 1,
        "question": 4,
        "enquiry": 6,
    }
    assert sorted(words) == [
        ("answered", b""),
        ("answered", b""),
        ("answered", b"w"),
        ("open", b"w"),
        ("open", b"w"),
        ("open", b"w"),
    ]


def _forget(engine: Engine, *, limit: int) -> int:
    with writing(engine) as db:
        return forget(db, before=NOON - KEPT, limit=limit)


def _add(db: Connection, table: Table, **values: Any) -> None:
    db.execute(insert(table).values(carrier="kave", raw=b"raw", **values))


def _ask(db: Connection, person_id: int | None, **values: Any) -> None:
    db.execute(
        insert(question).values(
            look_up=b"p",
            person_id=person_id,
            channel="kave",
            line="1",
            flow="give",
            session=b"s",
            menus="m",
            language="fa",
            expires_at=NOON,
            **values,
        )
    )


def _enquire(db: Connection, person_id: int | None, **values: Any) -> None:
    db.execute(
        insert(enquiry).values(
            person_id=person_id, channel="kave", line="1", words=b"w", **values
        )
    )
