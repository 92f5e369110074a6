"""Requests for delivery, on both databases: once, in order, and by who may."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, select

from ledger import deliveries, delivering, erasing, schema, sensitive
from ledger.deliveries import REQUESTS_A_DAY_MAX, Delivery, Requested, State
from ledger.delivering import Done, Outcome
from ledger.engine import reading, writing
from ledger.sensitive import What
from tests.ledger.facts import AT, KEYS, OTHER_PHONE, PHONE, caller, count
from tests.ledger.races import at_once

DUE = AT + timedelta(hours=72)
_keys = (f"test:{number}" for number in itertools.count())


def ask(
    db: Connection,
    key: str = "at:1",
    *,
    phone: str = PHONE,
    test: bool = False,
    at: datetime = AT,
) -> Requested:
    return deliveries.request(
        db,
        KEYS,
        key=key,
        person_id=caller(db, phone),
        campaign="salam",
        place="c1",
        district="23-t11",
        centre="c1",
        queue="c1",
        call_back=True,
        due_at=at + timedelta(hours=72),
        channel="at",
        test=test,
        at=at,
    )


def one(db: Connection, code: str, *, test: bool = False) -> Delivery:
    found = deliveries.with_code(db, code=code, test=test)
    assert found is not None
    return found


def bring(db: Connection, code: str, key: str = "") -> Done:
    done = delivering.deliver(
        db,
        key=key or next(_keys),
        delivery_id=one(db, code).id,
        by="self",
        channel="at",
        at=AT,
    )
    assert done is not None
    return done


def end(db: Connection, code: str, state: State) -> Done:
    done = delivering.close(
        db,
        key=next(_keys),
        delivery_id=one(db, code).id,
        by="sara",
        why="moved away",
        state=state,
        channel="operator",
        at=AT,
    )
    assert done is not None
    return done


def test_the_same_key_again_returns_the_first(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        first = ask(db)
    with writing(ledger_engine) as db:
        again = ask(db)
        assert (again.code, again.already) == (first.code, False)
        assert again.recorded is not None
        assert not again.recorded.first
        assert count(db, schema.delivery) == 1


def test_the_answer_to_a_second_request_does_not_change_with_time(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        first = ask(db)
        second = ask(db, "at:2")
        assert (second.code, second.already) == (first.code, True)
        bring(db, first.code)
        late = ask(db, "at:2")
        assert (late.code, late.already) == (first.code, True)
        assert count(db, schema.delivery) == 1


def test_two_requests_at_once_are_one(ledger_engine: Engine, ledger_url: str) -> None:
    with writing(ledger_engine) as db:
        caller(db)
    found = at_once(
        ledger_url, *(lambda db, key=f"at:{n}": ask(db, key) for n in range(4))
    )
    assert len({one.code for one in found}) == 1
    assert sorted(one.already for one in found) == [False, True, True, True]


def test_nobody_asks_all_day(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        for number in range(REQUESTS_A_DAY_MAX):
            end(db, ask(db, f"at:{number}").code, State.WITHDRAWN)
        assert ask(db, "at:more").recorded is None
        tomorrow = ask(db, "at:tomorrow", at=AT + timedelta(days=1, seconds=1))
        assert tomorrow.recorded is not None


def test_brought_twice_is_brought_once(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        code = ask(db).code
        assert bring(db, code, "once").outcome is Outcome.DONE
        assert bring(db, code, "once").outcome is Outcome.DONE
        assert bring(db, code).outcome is Outcome.ALREADY
        kinds = db.scalars(select(schema.event.c.kind)).all()
    assert kinds.count("delivery.done") == 1


def test_citizen_and_centre_at_once_are_one(
    ledger_engine: Engine, ledger_url: str
) -> None:
    with writing(ledger_engine) as db:
        code = ask(db).code
    found = at_once(ledger_url, *[lambda db: bring(db, code) for _ in range(4)])
    outcomes = sorted(done.outcome for done in found)
    assert outcomes == [Outcome.ALREADY] * 3 + [Outcome.DONE]


def test_an_erasure_beside_a_delivery_ends_in_one_or_the_other(
    ledger_engine: Engine, ledger_url: str
) -> None:
    with writing(ledger_engine) as db:
        code, person_id = ask(db).code, caller(db)
        keep(db, person_id)

    def erase(db: Connection) -> object:
        return erasing.erase(
            db,
            KEYS,
            person_id=person_id,
            key="erase",
            channel="desk",
            by="sara",
            test=False,
            at=AT,
        )

    at_once(ledger_url, erase, lambda db: bring(db, code))
    with reading(ledger_engine) as db:
        assert one(db, code).state in (State.DELIVERED, State.WITHDRAWN)
        assert not one(db, code).call_back
        assert count(db, schema.sensitive) == 0


def test_what_is_over_is_not_brought(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        code = ask(db).code
        assert end(db, code, State.CLOSED).outcome is Outcome.DONE
        assert bring(db, code).outcome is Outcome.OVER
        assert one(db, code).state is State.CLOSED


def test_another_centre_is_not_told_the_reason(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        code = ask(db).code
        keep(db, caller(db))
        delivering.take(
            db,
            key="take",
            delivery_id=one(db, code).id,
            by="centre",
            channel="at",
            at=AT,
        )
        assert count(db, schema.sensitive) == 1
        delivering.pass_on(
            db,
            key="pass",
            delivery_id=one(db, code).id,
            queue="partner:market",
            due_at=DUE,
            by="sara",
            channel="operator",
            at=AT,
        )
        stands = one(db, code)
        assert (stands.state, stands.queue) == (State.OPEN, "partner:market")
        assert stands.taken_at is None
        assert count(db, schema.sensitive) == 0


def test_a_rehearsal_touches_no_real_request(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        code = ask(db).code
        keep(db, caller(db))
        rehearsed = ask(db, "rehearsed", test=True)
        assert not rehearsed.already
        assert deliveries.with_code(db, code=code, test=True) is None
        done = delivering.deliver(
            db,
            key="r",
            delivery_id=one(db, rehearsed.code, test=True).id,
            by="self",
            channel="at",
            at=AT,
        )
        assert done is not None
        assert done.outcome is Outcome.DONE
        assert count(db, schema.sensitive) == 1
        assert one(db, code).state is State.OPEN


def test_the_first_to_fall_due_is_first_and_late_ones_are_found(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        later = ask(db, at=AT + timedelta(hours=1)).code
        sooner = ask(db, "other", phone=OTHER_PHONE).code
        found = deliveries.in_queues(db, queues=["c1"], test=False, limit=9)
        assert [each.code for each in found] == [sooner, later]
        late = deliveries.in_queues(db, queues=None, test=False, late_at=DUE, limit=9)
        assert [each.code for each in late] == [sooner]
        assert deliveries.in_queues(db, queues=["c2"], test=False, limit=9) == []


def keep(db: Connection, person_id: int) -> None:
    assert sensitive.keep(
        db,
        KEYS,
        person_id=person_id,
        what=What.DELIVERY,
        answer="illness",
        centre="c1",
        menus="ab" * 32,
        at=AT,
    )
