"""What carriers told us is forgotten after a month; on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, insert, select, update

from ledger import people, schema, sensitive
from ledger.engine import reading, writing
from ledger.forgetting import KEPT, REASONS_KEPT, TEXTS_KEPT, forget, forget_texts
from ledger.schema import (
    attempt,
    dial_end,
    enquiry,
    fragment,
    inbound,
    outbox,
    payment,
    person,
    question,
    receipt,
    unreadable,
)
from tests.ledger.books import Books
from tests.ledger.facts import KEYS
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


def test_why_somebody_asked_goes_though_nobody_closed_the_request(
    ledger_engine: Engine,
) -> None:
    edge = NOON - REASONS_KEPT
    with writing(ledger_engine) as db:
        for number, at in enumerate((edge - timedelta(hours=1),) * 2 + (NOON,)):
            who = people.remember(db, KEYS, f"+9891200000{number:02}", at=at).id
            for what in sensitive.What:
                sensitive.keep(
                    db,
                    KEYS,
                    person_id=who,
                    what=what,
                    answer="illness",
                    centre="c1",
                    menus="m",
                    at=at,
                )
    assert [_forget(ledger_engine, limit=1) for _ in range(3)] == [1, 1, 0]
    with reading(ledger_engine) as db:
        left = db.execute(
            select(schema.sensitive.c.what, func.count()).group_by(
                schema.sensitive.c.what
            )
        ).all()
    assert sorted(left) == [("delivery", 1), ("group", 3)]


def test_what_texts_said_goes_after_three_months(ledger_engine: Engine) -> None:
    books = Books(ledger_engine, at=NOON - TEXTS_KEPT - timedelta(hours=1))
    event_id, _ = books.pledge()
    for template, state in (("a", "delivered"), ("b", "queued"), ("c", "failed")):
        books.promise(event_id, state, template)
    books.at = NOON - TEXTS_KEPT + timedelta(hours=1)
    books.promise(event_id, "delivered", "d")
    with writing(ledger_engine) as db:
        db.execute(update(outbox).values(slots={"code": "123456782"}))
        for number, at in enumerate((OLD, NEW), start=1):
            db.execute(
                insert(attempt).values(
                    outbox_id=1,
                    number=number,
                    carrier="kave",
                    began_at=at - TEXTS_KEPT + KEPT,
                    outcome="refused",
                    detail="HTTP 411",
                )
            )

    looked = []
    for _ in range(4):
        with writing(ledger_engine) as db:
            looked.append(forget_texts(db, before=NOON - TEXTS_KEPT, limit=2))
    assert looked == [3, 1, 0, 0]

    with reading(ledger_engine) as db:
        said = dict(db.execute(select(outbox.c.template, outbox.c.slots)).all())
        details = db.scalars(select(attempt.c.detail).order_by(attempt.c.number)).all()
    kept = {"code": "123456782"}
    assert said == {"a": {}, "b": kept, "c": {}, "d": kept}
    assert details == [None, "HTTP 411"]


def test_how_a_call_ended_goes_after_a_week_and_a_payer_after_a_year(
    ledger_engine: Engine,
) -> None:
    event_id, _ = Books(ledger_engine).pledge()
    other_id, _ = Books(ledger_engine, name="b").pledge()
    with writing(ledger_engine) as db:
        for dial, days in (("old", 8), ("new", 6)):
            at = NOON - timedelta(days=days)
            db.execute(insert(dial_end).values(dial=dial, reached=True, at=at))
        for number, (of, days) in enumerate(((event_id, 366), (other_id, 364))):
            db.execute(
                insert(payment).values(
                    event_id=of,
                    source="psp",
                    outside_id=str(number),
                    amount=1,
                    look_up=b"p" * 32,
                    paid_at=NOON - timedelta(days=days),
                    unmatched=0,
                )
            )

    assert _forget(ledger_engine, limit=5) == 2

    with reading(ledger_engine) as db:
        assert db.scalars(select(dial_end.c.dial)).all() == ["new"]
        known = select(payment.c.event_id).where(payment.c.look_up.is_not(None))
        assert db.scalars(known).all() == [other_id]


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
