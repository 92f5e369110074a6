from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import Connection, Engine, select

from ledger import events, hearing, inbox, schema
from ledger.engine import writing
from ledger.vault import look_up, unseal_raw
from tests.ledger.facts import AT, KEYS, OTHER_PHONE, PHONE, caller

WHO = look_up(KEYS, PHONE)
MINUTE = timedelta(minutes=1)


def store(
    db: Connection, text: str, id: str = "1", *, minutes: int = 0, phone: str = PHONE
) -> int:
    stored = inbox.store_inbound(
        db,
        KEYS,
        carrier="kave",
        carrier_id=id,
        look_up=look_up(KEYS, phone),
        line="10001",
        raw=b"raw",
        keyword=None,
        at=AT + minutes * MINUTE,
        words={"from": phone, "text": text},
    )
    assert stored is not None
    return stored


def happen(db: Connection, key: str, kind: str, *, test: bool = False) -> None:
    events.record(
        db,
        key=key,
        kind=kind,
        body={"key": key},
        person_id=caller(db),
        channel="kave",
        test=test,
        at=AT,
    )


def test_a_text_is_taken_once(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        left = store(db, "سلام")

    def take(_: int) -> str | None:
        with writing(ledger_engine) as db:
            heard = hearing.take(db, KEYS, inbound_id=left, at=AT)
            return heard.text if heard is not None else None

    with ThreadPoolExecutor(4) as threads:
        taken = list(threads.map(take, range(4)))
    assert sorted(taken, key=str) == [None, None, None, "سلام"]


def test_a_stop_was_obeyed_when_it_was_stored(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        stored = inbox.store_inbound(
            db,
            KEYS,
            carrier="kave",
            carrier_id="1",
            look_up=WHO,
            line="10001",
            raw=b"raw",
            keyword="stop",
            at=AT,
        )
        assert stored is not None
        assert hearing.take(db, KEYS, inbound_id=stored, at=AT) is None


def test_what_waits_is_told_with_its_failures(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        first, second = store(db, "a", "1"), store(db, "b", "2", minutes=1)
        store(db, "c", "3", minutes=9)
        hearing.fail(db, inbound_id=second)
        hearing.fail(db, inbound_id=second)
        before = AT + 5 * MINUTE
        waiting = hearing.waiting(db, before=before, limit=10)
        assert waiting == [(first, 0, AT), (second, 2, AT + MINUTE)]
        # What fails and fails is behind what has not been tried.
        hearing.fail(db, inbound_id=first)
        third = store(db, "d", "4", minutes=2)
        assert [row[0] for row in hearing.waiting(db, before=before, limit=2)] == [
            third,
            first,
        ]
        hearing.take(db, KEYS, inbound_id=first, at=before)
        # Whoever fails after another has handled it counts nothing.
        hearing.fail(db, inbound_id=first)
        tries = db.scalars(select(schema.inbound.c.tries).order_by("id")).all()
        assert tries == [1, 2, 0, 0]


def test_a_blanked_text_is_gone(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        left = store(db, "secret")
        hearing.blank(db, KEYS, inbound_id=left)
        row = db.execute(select(schema.inbound)).one()
        assert row.words is None
        assert unseal_raw(KEYS, row.raw) == b""
        assert hearing.said_since(db, KEYS, look_up=WHO, since=AT - MINUTE) == []


def test_only_the_phones_own_texts_of_late_are_told(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        store(db, "old", "1")
        store(db, "theirs", "2", minutes=5, phone=OTHER_PHONE)
        store(db, "new", "3", minutes=5)
        store(db, "newer", "4", minutes=6)
        said = hearing.said_since(db, KEYS, look_up=WHO, since=AT + MINUTE)
        assert said == ["newer", "new"]


def test_events_are_counted_by_kind_and_rehearsals_apart(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        happen(db, "a", "text.reply")
        happen(db, "b", "text.reply")
        happen(db, "c", "text.reply", test=True)
        who, since = caller(db), AT - MINUTE
        kinds = ["text.reply"]
        counted = [
            hearing.count_events(db, person_id=who, kinds=kinds, test=test, since=since)
            for test in (False, True)
        ]
        assert counted == [2, 1]
        last = hearing.last_event(
            db, person_id=who, kinds=kinds, test=False, since=since
        )
        assert last == ({"key": "b"}, AT)
        did = {"person_id": who, "but": kinds, "test": False, "since": AT}
        assert not hearing.did_since(db, **did)  # type: ignore[arg-type]
        happen(db, "d", "pledge")
        assert hearing.did_since(db, **did)  # type: ignore[arg-type]
        assert not hearing.told(db, key="d")
