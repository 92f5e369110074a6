"""Gifts of each month."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, Engine, select

from ledger import plans, pledges, schema
from ledger.engine import reading, writing
from ledger.events import Recorded
from ledger.plans import Standing, Stood
from phone.dates import jalali, read_day
from tests.ledger.facts import KEYS, OTHER_PHONE, caller
from tests.ledger.races import at_once

TEHRAN = ZoneInfo("Asia/Tehran")
OPEN = frozenset({"winter"})


def _on(day: str, hour: int = 12) -> datetime:
    """That Jalali day in Tehran, at noon unless another hour is said."""
    local = datetime.combine(read_day(day), datetime.min.time(), tzinfo=TEHRAN)
    return (local + timedelta(hours=hour)).astimezone(UTC)


FIRST = _on("1405/09/01")


def _stand(db: Connection, *, at: datetime = FIRST, **more: Any) -> Stood:
    told: dict[str, Any] = {
        "key": "at:s1:standing:0",
        "person_id": caller(db),
        "campaign": "winter",
        "purpose": "meals",
        "unit": "rial",
        "amount": 500_000,
        "channel": "at",
        "language": "fa",
        "test": False,
        "zone": TEHRAN,
    }
    return plans.stand(db, KEYS, at=at, **(told | more))


def _live(db: Connection) -> Standing:
    (one,) = plans.standing_of(db, person_id=caller(db), test=False)
    return one


def _sweep(
    engine: Engine, at: datetime, campaigns: Collection[str] = OPEN
) -> list[Recorded]:
    """What the scheduler does with the gifts that are due."""
    with reading(engine) as db:
        waiting = plans.waiting(db, at=at, limit=10)
    made = []
    for one in waiting:
        with writing(engine) as db:
            recorded = plans.pledge_month(
                db, KEYS, one, campaigns=campaigns, zone=TEHRAN, at=at
            )
        made += [recorded] if recorded is not None else []
    return made


def _next(engine: Engine) -> str:
    with writing(engine) as db:
        return jalali(_live(db).next_at, "Asia/Tehran")


def test_a_gift_of_each_month_becomes_a_pledge_in_each(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        stood = _stand(db)
    first = _sweep(ledger_engine, FIRST)
    assert len(first) == 1
    assert _sweep(ledger_engine, FIRST + timedelta(days=29)) == []
    second = _sweep(ledger_engine, _on("1405/10/01"))
    assert len(second) == 1
    assert first[0].event_id != second[0].event_id
    with writing(ledger_engine) as db:
        keys = [
            one.key for one in pledges.pledges_of(db, person_id=caller(db), test=False)
        ]
    number = stood.recorded.event_id
    assert keys == [f"standing:{number}:2", f"standing:{number}:1"]


def test_day_31_is_the_last_day_of_a_shorter_month(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        _stand(db, day=31, at=_on("1405/06/31", 8))
    days = []
    for _ in range(8):
        at = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
        with writing(ledger_engine) as db:
            at = _live(db).next_at
        days.append(jalali(at, "Asia/Tehran").split()[0])
        assert len(_sweep(ledger_engine, at)) == 1
    assert days == [
        "1405/06/31",
        "1405/07/30",
        "1405/08/30",
        "1405/09/30",
        "1405/10/30",
        "1405/11/30",
        "1405/12/29",
        "1406/01/31",
    ]


def test_a_chosen_day_that_has_passed_begins_next_month(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        _stand(db, day=20, at=_on("1405/09/25"))
    assert _next(ledger_engine) == "1405/10/20 10:00"


def test_after_a_long_outage_only_the_present_month_is_pledged(
    ledger_engine: Engine,
):
    with writing(ledger_engine) as db:
        _stand(db)
    assert len(_sweep(ledger_engine, FIRST)) == 1
    back = _on("1406/03/12")
    assert len(_sweep(ledger_engine, back)) == 1
    assert _sweep(ledger_engine, back + timedelta(minutes=1)) == []
    assert _next(ledger_engine) == "1406/04/01 10:00"


def test_a_month_that_is_over_is_not_made_up_for(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        _stand(db, day=20)
    # Out from the 19th of Azar until the 5th of Dey.
    assert _sweep(ledger_engine, _on("1405/10/05")) == []
    assert _next(ledger_engine) == "1405/10/20 10:00"


def test_a_few_days_late_is_still_this_gift(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        _stand(db, at=_on("1405/09/30", 23))
    # Said late in the evening; nobody is written to before the morning.
    assert len(_sweep(ledger_engine, _on("1405/10/01", 7))) == 1
    assert _next(ledger_engine) == "1405/10/30 10:00"


def test_a_closed_campaign_gets_no_pledge_and_the_gift_goes_on_later(
    ledger_engine: Engine,
):
    with writing(ledger_engine) as db:
        _stand(db)
    assert _sweep(ledger_engine, FIRST, campaigns=()) == []
    assert _sweep(ledger_engine, FIRST + timedelta(days=1)) == []
    third = _sweep(ledger_engine, _on("1405/10/01"))
    assert len(third) == 1
    with writing(ledger_engine) as db:
        assert _live(db).made == 1


def test_two_sweepers_pledge_a_month_once(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        _stand(db)
    with reading(ledger_engine) as db:
        (seen_by_both,) = plans.waiting(db, at=FIRST, limit=10)
    made = []
    for _ in range(2):
        with writing(ledger_engine) as db:
            made.append(
                plans.pledge_month(
                    db, KEYS, seen_by_both, campaigns=OPEN, zone=TEHRAN, at=FIRST
                )
            )
    assert made[0] is not None
    assert made[1] is None


def test_a_second_gift_for_the_same_purpose_finds_the_first(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        first = _stand(db)
        second = _stand(db, key="at:s2:standing:0", amount=900_000)
        assert (second.already, second.code) == (True, first.code)
        other = _stand(db, key="at:s3:standing:0", purpose="children")
        assert not other.already
        live = plans.standing_of(db, person_id=caller(db), test=False)
        assert [one.code for one in live] == [other.code, first.code]
        assert plans.standing_of(db, person_id=caller(db), test=True) == []


def test_two_calls_at_once_make_one_gift_of_each_month(
    ledger_engine: Engine, ledger_url: str
):
    with writing(ledger_engine) as db:
        caller(db)

    def asks(number: int) -> Callable[[Connection], object]:
        return lambda db: _stand(db, key=f"at:s{number}:standing:0")

    results = at_once(ledger_url, *map(asks, range(4)))
    made = [one.already for one in results if isinstance(one, Stood)]
    assert sorted(made) == [False, True, True, True]


def test_the_same_key_again_is_the_first_gift_even_after_its_end(
    ledger_engine: Engine,
):
    with writing(ledger_engine) as db:
        first = _stand(db)
        again = _stand(db, at=FIRST + timedelta(hours=1))
        assert (again.recorded.first, again.code) == (False, first.code)
        assert again.already is False
        _end(db, first.code)
        late = _stand(db, at=FIRST + timedelta(hours=2))
        assert (late.recorded.first, late.code) == (False, first.code)
        assert plans.standing_of(db, person_id=caller(db), test=False) == []


def _end(db: Connection, code: str, **more: Any) -> Recorded | None:
    told: dict[str, Any] = {
        "key": "at:s9:stop_standing:0",
        "person_id": caller(db),
        "channel": "at",
        "test": False,
        "at": FIRST + timedelta(days=1),
    }
    return plans.end_standing(db, code=code, **(told | more))


def test_an_ended_gift_is_pledged_no_more_and_keeps_what_was(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        code = _stand(db).code
    assert len(_sweep(ledger_engine, FIRST)) == 1
    with writing(ledger_engine) as db:
        ended = _end(db, code)
        assert ended is not None
        assert ended.first
        again = _end(db, code)
        assert again is not None
        assert not again.first
        assert _end(db, code, key="at:s10:stop_standing:0") is None
    assert _sweep(ledger_engine, _on("1405/10/01")) == []
    with writing(ledger_engine) as db:
        assert len(pledges.pledges_of(db, person_id=caller(db))) == 1


def test_nobody_ends_the_gift_of_another(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        code = _stand(db).code
        assert _end(db, code, person_id=caller(db, OTHER_PHONE)) is None
        assert _end(db, code, test=True) is None
        assert _live(db).code == code


def test_a_gift_that_ends_while_it_is_swept_is_not_pledged(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        code = _stand(db).code
    with reading(ledger_engine) as db:
        (seen,) = plans.waiting(db, at=FIRST, limit=10)
    with writing(ledger_engine) as db:
        assert _end(db, code, at=FIRST) is not None
    with writing(ledger_engine) as db:
        assert (
            plans.pledge_month(db, KEYS, seen, campaigns=OPEN, zone=TEHRAN, at=FIRST)
            is None
        )
        ended = db.scalar(select(schema.standing.c.ended_at))
    assert ended == FIRST


@pytest.mark.parametrize("test", [False, True])
def test_a_rehearsed_gift_makes_rehearsed_pledges(ledger_engine: Engine, test: bool):
    with writing(ledger_engine) as db:
        _stand(db, test=test)
    (made,) = _sweep(ledger_engine, FIRST)
    with reading(ledger_engine) as db:
        found = pledges.pledge_by_id(db, made.event_id)
    assert found is not None
    assert found.test is test
