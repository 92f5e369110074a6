from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, Engine, select, update

from ledger import erasing, requests
from ledger.balances import balances, trial
from ledger.engine import reading, writing
from ledger.requests import Refused
from ledger.schema import event, favour, introduction
from ledger.timebank import favours, hours
from ledger.timebank.hours import CONFIRM_WITHIN, Outcome
from ledger.timebank.introductions import Introduction
from ledger.timebank.standing import HOUR, Limits, everybodys
from ledger.verify import verify
from tests.ledger.books import KEYS, unguarded
from tests.ledger.races import at_once
from tests.ledger.timebank.bank import GIVER, OTHER, RECEIVER, Bank


@pytest.fixture
def bank(ledger_engine: Engine) -> Bank:
    return Bank(ledger_engine)


def sums(bank: Bank) -> list[tuple[int, int]]:
    with reading(bank.engine, snapshot=True) as db:
        books = balances(db)
        assert verify(db).faults == ()
    return [(one.pending, one.posted) for one in trial(books)]


def test_hours_count_once_who_received_them_confirms(bank: Bank) -> None:
    told = bank.told(3)
    assert (bank.standing(GIVER).balance, bank.standing(GIVER).waiting) == (0, 180)
    assert bank.confirm(told.code).outcome is Outcome.DONE
    gave, got = bank.standing(GIVER), bank.standing(RECEIVER)
    assert (gave.given, gave.balance, gave.waiting) == (180, 180, 0)
    assert (got.received, got.balance) == (180, -180)
    assert sums(bank) == [(0, 0)]


def test_neither_the_giver_nor_another_phone_confirms(bank: Bank) -> None:
    told = bank.told()
    for phone in (GIVER, OTHER):
        assert bank.confirm(told.code, phone).outcome is Outcome.NOT_YOURS
    assert bank.confirm("000000000").outcome is Outcome.NOT_YOURS
    assert bank.confirm(told.code, test=True).outcome is Outcome.NOT_YOURS
    assert bank.standing(GIVER).balance == 0


def test_a_repeat_of_the_confirmation_credits_nothing(bank: Bank) -> None:
    told = bank.told()
    first = bank.confirm(told.code, key="sms:1")
    again = bank.confirm(told.code, key="sms:1")
    other = bank.confirm(told.code, key="sms:2")
    assert first.recorded is not None
    assert first.recorded.first
    assert again.recorded is not None
    assert not again.recorded.first
    assert (again.outcome, other.outcome) == (Outcome.DONE, Outcome.ALREADY)
    assert bank.standing(GIVER).balance == 2 * HOUR


def test_hours_are_told_once_for_an_introduction(bank: Bank) -> None:
    one = bank.ask()
    assert bank.tell(one).outcome is Outcome.LATE  # nobody said yes yet
    bank.accept(one)
    assert bank.tell(one, RECEIVER).outcome is Outcome.NOT_YOURS
    first = bank.tell(one, key="sms:1")
    assert bank.tell(one, key="sms:1").code == first.code
    assert bank.tell(one, None).outcome is Outcome.ALREADY
    assert bank.standing(GIVER).waiting == 2 * HOUR


def test_a_centre_tells_hours_for_the_giver(bank: Bank) -> None:
    one = bank.ask()
    bank.accept(one)
    told = bank.tell(one, None, 4)
    assert bank.confirm(told.code).outcome is Outcome.DONE
    assert bank.standing(GIVER).given == 4 * HOUR


def test_two_confirmations_at_once_credit_one(bank: Bank) -> None:
    told = bank.told()
    person_id = bank.person(RECEIVER)

    def confirm(key: str) -> object:
        return lambda db: (
            hours.confirm(
                db,
                key=key,
                hours_code=told.code,
                person_id=person_id,
                limits=bank.limits,
                channel="at",
                test=False,
                at=bank.at,
            ).outcome
        )

    url = bank.engine.url.render_as_string(hide_password=False)
    found = at_once(url, *(confirm(f"sms:{n}") for n in range(4)))  # type: ignore[arg-type]  # each takes a connection
    assert sorted(map(str, found)) == ["already", "already", "already", "done"]
    assert bank.standing(GIVER).balance == 2 * HOUR


def test_two_confirmations_at_once_do_not_pass_the_floor_together(bank: Bank) -> None:
    bank.limits = Limits(floor=-3 * HOUR, ceiling=40 * HOUR)
    codes = [bank.told(2, giver=giver).code for giver in (GIVER, OTHER)]
    person_id = bank.person(RECEIVER)

    def confirm(code: str) -> object:
        return lambda db: (
            hours.confirm(
                db,
                key=f"sms:{code}",
                hours_code=code,
                person_id=person_id,
                limits=bank.limits,
                channel="at",
                test=False,
                at=bank.at,
            ).outcome
        )

    url = bank.engine.url.render_as_string(hide_password=False)
    found = at_once(url, *map(confirm, codes))  # type: ignore[arg-type]  # each takes a connection
    assert sorted(map(str, found)) == ["done", "floor"]
    assert bank.standing(RECEIVER).balance == -2 * HOUR


def test_who_takes_a_need_back_while_being_erased_waits_for_nobody_for_ever(
    bank: Bank,
) -> None:
    for turn in range(5):
        one = bank.ask()
        with reading(bank.engine) as db:
            need = favours.by_id(db, one.need_id)
        assert need is not None

        def close(db: object, need: favours.Favour = need, turn: int = turn) -> object:
            return favours.close(
                db,  # type: ignore[arg-type]  # a connection
                need,
                key=f"close:{turn}",
                by="self",
                channel="at",
                at=bank.at,
            )

        def erase(db: object, who: int = one.receiver_id, turn: int = turn) -> object:
            return erasing.erase(
                db,  # type: ignore[arg-type]  # as above
                KEYS,
                person_id=who,
                key=f"erase:{turn}",
                channel="at",
                by="self",
                test=False,
                at=bank.at,
            )

        url = bank.engine.url.render_as_string(hide_password=False)
        assert None not in at_once(url, close, erase)
        with reading(bank.engine) as db:
            state = select(introduction.c.state).order_by(introduction.c.event_id)
            assert db.scalars(state).all()[-1] == "withdrawn"


def test_hours_past_the_ceiling_of_the_giver_wait(bank: Bank) -> None:
    bank.limits = Limits(floor=-40 * HOUR, ceiling=3 * HOUR)
    told = bank.told(2)
    other = bank.told(2, receiver=OTHER)
    assert bank.confirm(told.code).outcome is Outcome.DONE
    assert bank.confirm(other.code, OTHER).outcome is Outcome.CEILING
    assert bank.standing(GIVER).balance == 2 * HOUR
    assert sums(bank) == [(0, 0)]


def test_hours_that_nobody_confirms_are_void_after_two_weeks(bank: Bank) -> None:
    told = bank.told()
    assert told.introduction is not None
    number = told.introduction.id
    with writing(bank.engine) as db:
        assert hours.expire(db, number, at=bank.at) is None
    bank.at += CONFIRM_WITHIN
    assert bank.confirm(told.code).outcome is Outcome.LATE
    with writing(bank.engine) as db:
        assert hours.expire(db, number, at=bank.at) is not None
        assert hours.expire(db, number, at=bank.at) is None
    assert bank.confirm(told.code).outcome is Outcome.LATE
    assert bank.standing(GIVER) == bank.standing(OTHER)
    assert sums(bank) == [(0, 0)]


def test_a_dispute_is_settled_by_the_desk(bank: Bank) -> None:
    told = bank.told()
    assert bank.dispute(told.code, GIVER).outcome is Outcome.NOT_YOURS
    assert bank.dispute(told.code, key="sms:1").outcome is Outcome.DONE
    assert bank.dispute(told.code, key="sms:1").outcome is Outcome.DONE
    assert bank.dispute(told.code).outcome is Outcome.LATE
    bank.at += CONFIRM_WITHIN
    with writing(bank.engine) as db:
        assert told.introduction is not None
        assert hours.expire(db, told.introduction.id, at=bank.at) is None
    settle(bank, told.code, posts=False)
    assert bank.standing(GIVER).balance == 0
    assert sums(bank) == [(0, 0)]
    with pytest.raises(Refused, match="no code of hours that wait"):
        settle(bank, told.code, posts=True)


def test_the_desk_posts_and_takes_back(bank: Bank) -> None:
    told = bank.told()
    settle(bank, told.code, posts=True)
    assert bank.standing(GIVER).balance == 2 * HOUR
    assert sums(bank) == [(0, 0)]
    reverse(bank, told.code)
    assert (bank.standing(GIVER).given, bank.standing(RECEIVER).received) == (0, 0)
    assert sums(bank) == [(0, 0)]
    with pytest.raises(Refused, match="no code of hours that stand"):
        reverse(bank, told.code)


def test_what_is_summed_for_one_is_what_is_summed_for_all(bank: Bank) -> None:
    bank.confirm(bank.told(3).code)
    bank.told(1, giver=OTHER)
    one = bank.told(2, giver=RECEIVER, receiver=OTHER)
    settle(bank, one.code, posts=True)
    with reading(bank.engine) as db:
        found = everybodys(db, test=False)
    for phone in (GIVER, RECEIVER, OTHER):
        assert found[bank.person(phone)] == bank.standing(phone)


def test_a_rehearsal_stands_apart(bank: Bank) -> None:
    bank.confirm(bank.told(2).code)
    assert bank.standing(GIVER, test=True).balance == 0


def test_verify_finds_hours_that_the_receiver_did_not_confirm(bank: Bank) -> None:
    done = bank.confirm(bank.told().code)
    assert done.recorded is not None
    giver = bank.person(GIVER)
    with unguarded(bank.engine) as db:
        of = event.c.id == done.recorded.event_id
        db.execute(update(event).where(of).values(person_id=giver))
    with reading(bank.engine, snapshot=True) as db:
        said = {fault.what for fault in verify(db).faults}
    assert "posts hours without the word of who received them, or of the desk" in said


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"minutes": 30}, "has other hours than its transfers posted"),
        ({"state": "void"}, "has other hours than its transfers posted"),
        ({"state": "told"}, "waits for a word on hours that are resolved"),
    ],
)
def test_verify_finds_an_introduction_that_says_otherwise(
    bank: Bank, values: dict[str, object], what: str
) -> None:
    bank.confirm(bank.told().code)
    with unguarded(bank.engine) as db:
        db.execute(update(introduction).values(values))
    with reading(bank.engine, snapshot=True) as db:
        assert what in {fault.what for fault in verify(db).faults}


def test_verify_finds_a_balance_past_its_floor(bank: Bank) -> None:
    bank.confirm(bank.told().code)
    with unguarded(bank.engine) as db:
        body = db.scalar(select(event.c.body).where(event.c.kind == "hours.confirmed"))
        assert body is not None
        of = event.c.kind == "hours.confirmed"
        db.execute(update(event).where(of).values(body=body | {"floor": -60}))
    with reading(bank.engine, snapshot=True) as db:
        said = {fault.what for fault in verify(db).faults}
    assert "took a balance of hours past its floor or its ceiling" in said


def test_what_was_offered_and_needed_is_done_with_the_hours(bank: Bank) -> None:
    told = bank.told()
    with reading(bank.engine) as db:
        assert set(db.scalars(select(favour.c.state))) == {"matched"}
    bank.confirm(told.code)
    with reading(bank.engine) as db:
        assert set(db.scalars(select(favour.c.state))) == {"done"}


def settle(bank: Bank, code: str, *, posts: bool) -> None:
    with writing(bank.engine) as db:
        asked = _asked(db, bank, code, "post" if posts else "void")
        done = hours.settle(
            db,
            key=f"hours:{asked.id}",
            hours_code=code,
            posts=posts,
            request_id=asked.id,
            by="sara",
            limits=bank.limits,
            at=bank.moment(),
        )
        assert done.recorded is not None
        requests.carried_out(db, asked, result_id=done.recorded.event_id, at=bank.at)


def reverse(bank: Bank, code: str) -> None:
    with writing(bank.engine) as db:
        asked = _asked(db, bank, code, "reverse")
        done = hours.reverse(
            db,
            key=f"hours:{asked.id}",
            hours_code=code,
            request_id=asked.id,
            by="sara",
            limits=bank.limits,
            at=bank.moment(),
        )
        assert done.recorded is not None
        requests.carried_out(db, asked, result_id=done.recorded.event_id, at=bank.at)


def _asked(db: object, bank: Bank, code: str, act: str) -> requests.Request:
    return requests.make(
        db,  # type: ignore[arg-type]  # the connection of the one who asks
        kind="hours",
        body={"do": act, "code": code},
        about_id=None,
        why="they both came to the desk",
        by="sara",
        needs=1,
        at=bank.moment(),
    )


def test_two_who_helped_each_other_say_so_at_once(bank: Bank) -> None:
    for turn in range(5):
        giver, receiver = f"+98912000{turn:04}", f"+98935000{turn:04}"
        both = [bank.ask(giver=giver, receiver=receiver)]
        both.append(bank.ask(giver=receiver, receiver=giver))
        for one, phone in zip(both, (giver, receiver), strict=True):
            assert not bank.accept(one, phone).is_late

        def tell(one: Introduction) -> Callable[[Connection], object]:
            return lambda db: (
                hours.tell(
                    db,
                    KEYS,
                    key=f"tell:{one.id}",
                    introduction_id=one.id,
                    person_id=one.giver_id,
                    minutes=HOUR,
                    by="giver",
                    channel="at",
                    test=False,
                    at=bank.at,
                ).outcome
            )

        url = bank.engine.url.render_as_string(hide_password=False)
        found = at_once(url, *map(tell, both))
        assert found == [Outcome.DONE, Outcome.DONE]
