from __future__ import annotations

import pytest
from sqlalchemy import Engine

from ledger import erasing, people
from ledger.engine import reading, writing
from ledger.requests import Refused
from ledger.timebank import community
from ledger.timebank.community import Outcome
from ledger.timebank.favours import Outcome as Added
from ledger.timebank.favours import Side
from ledger.timebank.reciprocity import reciprocity
from ledger.timebank.standing import HOUR, Limits
from tests.ledger.books import KEYS
from tests.ledger.timebank.bank import CAMPAIGN, GIVER, OTHER, RECEIVER, Bank


@pytest.fixture
def bank(ledger_engine: Engine) -> Bank:
    return Bank(ledger_engine)


def give(bank: Bank, hours: int, phone: str = GIVER, key: str = "") -> Outcome:
    person_id, at = bank.person(phone), bank.moment()
    with writing(bank.engine) as db:
        return community.give(
            db,
            key=key or bank.key(),
            person_id=person_id,
            to="c1",
            minutes=hours * HOUR,
            campaign=CAMPAIGN,
            district=None,
            centre="c1",
            channel="at",
            test=False,
            at=at,
        )


def grant(bank: Bank, hours: int, phone: str, of: str = "c1", key: str = "") -> bool:
    person_id, at = bank.person(phone), bank.moment()
    with writing(bank.engine) as db:
        return community.grant(
            db,
            key=key or bank.key(),
            person_id=person_id,
            of=of,
            minutes=hours * HOUR,
            by="sara",
            limits=bank.limits,
            campaign=CAMPAIGN,
            district=None,
            centre="c1",
            test=False,
            at=at,
        )


def has(bank: Bank, of: str = "c1") -> int:
    with reading(bank.engine) as db:
        return community.balance(db, of=of, test=False)


def test_only_hours_that_somebody_has_are_given_away(bank: Bank) -> None:
    assert give(bank, 1) is Outcome.FEW
    bank.confirm(bank.told(3).code)
    assert give(bank, 4) is Outcome.FEW
    assert give(bank, 2, key="sms:1") is Outcome.DONE
    assert give(bank, 2, key="sms:1") is Outcome.DONE
    assert give(bank, 2) is Outcome.FEW
    assert (bank.standing(GIVER).balance, has(bank)) == (HOUR, 2 * HOUR)


def test_a_centre_spends_them_on_who_can_ask_for_none(bank: Bank) -> None:
    bank.limits = Limits(floor=-3 * HOUR, ceiling=40 * HOUR)
    bank.confirm(bank.told(3).code)
    give(bank, 2)
    with pytest.raises(Refused, match="can still ask"):
        grant(bank, 1, OTHER)
    with pytest.raises(Refused, match="has 0 minutes"):
        grant(bank, 1, RECEIVER, of="c2")
    with pytest.raises(Refused, match="has 120 minutes"):
        grant(bank, 3, RECEIVER)
    assert bank.add(RECEIVER, Side.NEED).outcome is Added.FLOOR
    assert grant(bank, 2, RECEIVER, key="desk:1")
    assert not grant(bank, 2, RECEIVER, key="desk:1")
    assert (bank.standing(RECEIVER).balance, has(bank)) == (-HOUR, 0)
    assert bank.add(RECEIVER, Side.NEED).outcome is Added.DONE


def test_nobody_has_more_open_than_five(bank: Bank) -> None:
    found = [bank.add(GIVER, Side.OFFER).outcome for _ in range(6)]
    assert found == [Added.DONE] * 5 + [Added.MANY]
    assert bank.add(GIVER, Side.NEED).outcome is Added.DONE
    assert bank.add(GIVER, Side.OFFER, test=True).outcome is Added.DONE


def test_a_repeated_offer_is_the_first_one(bank: Bank) -> None:
    first = bank.add(GIVER, Side.OFFER, key="call:1")
    again = bank.add(GIVER, Side.OFFER, key="call:1")
    assert (again.outcome, again.code) == (Added.DONE, first.code)


def test_figures_of_few_people_are_hidden(bank: Bank) -> None:
    bank.limits = Limits(floor=-40 * HOUR, ceiling=400 * HOUR)
    for number in range(4):
        told = bank.told(2, giver=f"+98912111000{number}")
        bank.confirm(told.code)

    def shown() -> tuple[object, ...]:
        with reading(bank.engine) as db:
            (one,) = reciprocity(db, centre_of=lambda place: place or "unknown")
        return one.given_hours, one.received_hours, one.open_needs, one.wait_days

    assert shown() == (None, None, 0, None)
    bank.confirm(bank.told(2, giver="+989121110004").code)
    assert shown() == (10, None, 0, None)
    for number in range(5):
        receiver = f"+98935111000{number}"
        bank.confirm(bank.told(1, receiver=receiver).code, receiver)
    assert shown() == (15, 15, 0, 0.0)


def test_who_was_erased_meanwhile_neither_gives_nor_is_given_hours(bank: Bank) -> None:
    bank.confirm(bank.told(3).code)
    give(bank, 1)
    gone = bank.person(GIVER)
    with writing(bank.engine) as db:
        erasing.erase(
            db,
            KEYS,
            person_id=gone,
            key="erase",
            channel="at",
            by="self",
            test=False,
            at=bank.moment(),
        )
        assert people.known(db, person_id=gone) is None
    given = {
        "person_id": gone,
        "minutes": HOUR,
        "campaign": CAMPAIGN,
        "district": None,
        "centre": "c1",
        "test": False,
    }
    at = bank.moment()
    with writing(bank.engine) as db:
        late = community.give(db, key="late", to="c1", channel="at", at=at, **given)  # type: ignore[arg-type]  # each under its own name
    assert late is Outcome.FEW
    with pytest.raises(Refused, match="erased"), writing(bank.engine) as db:
        community.grant(
            db,
            key="granted",
            of="c1",
            by="sara",
            # Else a grant is refused, for their balance allows an hour.
            limits=Limits(floor=0, ceiling=40 * HOUR),
            at=at,
            **given,  # type: ignore[arg-type]  # as above
        )
    assert has(bank) == HOUR
