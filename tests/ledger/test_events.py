from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta, timezone

import pytest
from sqlalchemy import Engine, select

from ledger import codes, events, schema
from ledger.engine import NothingRecorded, connect, writing
from ledger.events import Moved, Recorded
from tests.ledger.facts import AT, KEYS, count

GIFT = Moved("A:Settle:780", "N:Donation:winter:meals", "rial", 5, "single")


def record(db: object, key: str = "at:1", **changes: object) -> Recorded:
    values: dict[str, object] = {
        "kind": "gift",
        "body": {"amount": 5, "purpose": "meals"},
        "moved": [GIFT],
        "channel": "at",
        "test": False,
        "at": AT,
    }
    return events.record(db, key=key, **(values | changes))  # type: ignore[arg-type]


def record_and_fail(engine: Engine) -> None:
    with writing(engine) as db:
        record(db)
        raise KeyError


def test_an_event_is_recorded_with_its_transfers(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        recorded = record(db, moved=[GIFT, GIFT])
        assert recorded.first
        rows = db.execute(select(schema.transfer)).all()
        event = db.execute(select(schema.event)).one()
    assert [row.number for row in rows] == [1, 2]
    assert {row.event_id for row in rows} == {recorded.event_id}
    assert event.transfers == 2
    assert event.at == AT


def test_the_same_key_again_moves_nothing(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        first = record(db)
        code = codes.allot(db, KEYS, event_id=first.event_id)
    with writing(ledger_engine) as db:
        again = record(db, at=AT + timedelta(days=400), channel="other")
        assert again == Recorded(first.event_id, False, (), code)
        assert count(db, schema.transfer) == 1


def test_the_same_key_with_another_body_names_the_fields(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        first = record(db)
        again = record(
            db, kind="pledge", body={"amount": 6, "purpose": "meals", "unit": "rial"}
        )
        assert again == Recorded(
            first.event_id, False, ("amount", "kind", "unit"), None
        )


def test_of_many_at_once_one_is_first(ledger_engine: Engine) -> None:
    def run(_: int) -> Recorded:
        with writing(ledger_engine) as db:
            return record(db)

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(run, range(16)))
    assert sum(result.first for result in results) == 1
    assert len({result.event_id for result in results}) == 1


def test_accounts_made_in_a_transaction_that_failed_are_made_again(
    ledger_engine: Engine,
) -> None:
    with pytest.raises(KeyError):
        record_and_fail(ledger_engine)
    with writing(ledger_engine) as db:
        assert record(db).first
        assert count(db, schema.account) == 2


def test_an_account_holds_one_unit_only(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        record(db)
    with pytest.raises(AssertionError, match="holds rial"), writing(ledger_engine) as d:
        record(d, "at:2", moved=[Moved(GIFT.debit, "T:Mint", "minute", 5, "single")])


def test_an_unknown_unit_is_refused_by_the_database(ledger_engine: Engine) -> None:
    with pytest.raises(NothingRecorded), writing(ledger_engine) as db:
        record(db, moved=[Moved("A:x", "A:y", "dollar", 5, "single")])


@pytest.mark.parametrize("amount", [0, -1, 2**63])
def test_an_impossible_amount_is_a_mistake_of_ours(
    ledger_engine: Engine, amount: int
) -> None:
    with pytest.raises(AssertionError), writing(ledger_engine) as db:
        record(db, moved=[Moved("A:x", "A:y", "rial", amount, "single")])


def test_a_pending_amount_is_resolved_in_numbered_parts(ledger_engine: Engine) -> None:
    def part(amount: int, phase: str) -> Moved:
        return Moved("A:x", "N:y", "rial", amount, phase, pending)

    with writing(ledger_engine) as db:
        record(db, "p", moved=[Moved("A:x", "N:y", "rial", 100, "pending")])
        pending = db.execute(select(schema.transfer.c.id)).scalar_one()
        record(db, "a", moved=[part(30, "post"), part(20, "post")])
        record(db, "b", moved=[part(50, "void")])
        rows = db.execute(
            select(schema.resolution.c.number).order_by(schema.resolution.c.number)
        ).scalars()
        assert list(rows) == [1, 2, 3]
    with pytest.raises(NothingRecorded), writing(ledger_engine) as db:
        record(db, "c", moved=[part(1, "post")])


def test_two_posts_at_once_never_exceed_what_is_pending(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        record(db, "p", moved=[Moved("A:x", "N:y", "rial", 100, "pending")])
        pending = db.execute(select(schema.transfer.c.id)).scalar_one()

    def post(number: int) -> bool:
        try:
            with writing(ledger_engine) as db:
                move = Moved("A:x", "N:y", "rial", 40, "post", pending)
                record(db, f"post:{number}", moved=[move])
        except NothingRecorded:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(post, range(6))) == 2


def test_a_transfer_locks_neither_its_accounts_nor_its_unit(
    postgres_ledger_url: str,
) -> None:
    engine = connect(postgres_ledger_url)
    with writing(engine) as db:
        record(db)
    with writing(engine) as first, writing(engine) as second:
        record(first, "at:2")
        for table in (schema.account, schema.unit):
            free = select(table).with_for_update(skip_locked=True)
            assert len(second.execute(free).all()) == count(second, table)
    engine.dispose()


def test_an_event_is_found_by_its_key(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        recorded = record(db)
        found = events.find(db, key="at:1")
        assert found is not None
        assert (found.event_id, found.kind, found.at) == (
            recorded.event_id,
            "gift",
            AT,
        )
        assert events.find(db, key="at:2") is None


def test_earlier_events_are_found_by_the_beginning_of_their_keys(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        for key in ("s:1:b", "s:1:a", "s:1", "s:10", "s:2", "S:1:", "s:1:é", "s:1:%"):
            record(db, key, moved=[])
        found = [event.key for event in events.earlier(db, prefix="s:1:")]
    assert found == ["s:1:%", "s:1:a", "s:1:b", "s:1:é"]


def test_at_most_64_earlier_events_are_read(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        for number in range(70):
            record(db, f"k:{number:03}", moved=[])
        assert len(events.earlier(db, prefix="k:")) == 64


def test_a_time_of_another_zone_is_the_same_moment(ledger_engine: Engine) -> None:
    tehran = timezone(timedelta(hours=3, minutes=30))
    with writing(ledger_engine) as db:
        record(db, at=AT.astimezone(tehran))
        found = events.find(db, key="at:1")
    assert found is not None
    assert found.at == AT
    assert found.at.utcoffset() == timedelta(0)


def test_a_time_without_a_zone_is_a_mistake_of_ours(ledger_engine: Engine) -> None:
    with pytest.raises(Exception, match="no time"), writing(ledger_engine) as db:
        record(db, at=AT.replace(tzinfo=None))
