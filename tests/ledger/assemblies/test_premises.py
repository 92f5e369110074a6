"""Premises offered and asked for, and what fits."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, Engine

from ledger.assemblies import premises
from ledger.assemblies.limits import Wrong
from ledger.assemblies.premises import Side, State
from ledger.engine import writing
from tests.ledger.assemblies.registers import ELEVEN, TWELVE, Registers
from tests.ledger.facts import AT, OTHER_PHONE, PHONE, caller
from tests.ledger.races import at_once, while_erased


def test_the_smallest_offer_that_is_large_enough_comes_first(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        of = Registers(db)
        of.room(Side.NEED, metres=100)
        for metres, kind in ((300, "hall"), (120, "hall"), (99, "hall"), (200, "land")):
            of.room(Side.OFFER, OTHER_PHONE, metres=metres, kind=kind)
        Registers(db, TWELVE).room(Side.OFFER, OTHER_PHONE, metres=100)
        found = premises.matches(db, districts=[ELEVEN], test=False, limit=9)
        assert [one.offer.square_metres for one in found] == [120, 300]


def test_nobody_is_brought_together_with_themselves(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        of = Registers(db)
        of.room(Side.NEED)
        of.room(Side.OFFER)
        assert premises.matches(db, districts=[ELEVEN], test=False, limit=9) == []


def test_a_person_has_five_open_at_most(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        of = Registers(db)
        made = [of.room(Side.OFFER) for _ in range(6)]
        assert made[5] is None
        assert made[0] is not None
        closed = premises.close(
            db,
            key="c",
            premises_id=made[0].event_id,
            person_id=caller(db),
            channel="at",
            test=False,
            at=AT,
        )
        assert closed is not None
        assert of.room(Side.OFFER) is not None


def test_only_ones_own_is_closed(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        made = Registers(db).room(Side.OFFER)
        assert made is not None

        def close(phone: str, *, test: bool = False) -> object:
            return premises.close(
                db,
                key=f"c:{phone}:{test}",
                premises_id=made.event_id,
                person_id=caller(db, phone),
                channel="at",
                test=test,
                at=AT,
            )

        assert close(OTHER_PHONE) is None
        assert close(PHONE, test=True) is None
        assert close(PHONE) is not None
        found = premises.find(db, made.event_id)
        assert found is not None
        assert found.state is State.CLOSED


def test_an_offer_is_met_once_however_many_secretaries_say_so(
    ledger_url: str,
) -> None:
    ids: dict[str, int] = {}

    def fill(db: Connection) -> None:
        of = Registers(db)
        for name, side, phone in (
            ("offer", Side.OFFER, PHONE),
            ("need", Side.NEED, OTHER_PHONE),
            ("other", Side.NEED, OTHER_PHONE),
        ):
            made = of.room(side, phone)
            assert made is not None
            ids[name] = made.event_id

    at_once(ledger_url, fill)

    def meet(need: str) -> object:
        def act(db: Connection) -> str:
            premises.match(
                db,
                key=f"m:{need}",
                offer_id=ids["offer"],
                need_id=ids[need],
                by="sara",
                channel="operator",
                at=AT,
            )
            return "met"

        return act

    found = at_once(ledger_url, meet("need"), meet("other"))  # type: ignore[arg-type]  # acts of one kind
    assert found.count("met") == 1
    assert sum(isinstance(one, Wrong) for one in found) == 1


def test_who_is_erased_while_they_are_brought_together_holds_nobody_up(
    ledger_url: str,
) -> None:
    ids: list[int] = []

    def fill(db: Connection) -> None:
        of = Registers(db)
        for side, phone in ((Side.OFFER, PHONE), (Side.NEED, OTHER_PHONE)):
            made = of.room(side, phone)
            assert made is not None
            ids.append(made.event_id)

    at_once(ledger_url, fill)

    def meet(db: Connection) -> object:
        return premises.match(
            db,
            key="m",
            offer_id=ids[0],
            need_id=ids[1],
            by="sara",
            channel="operator",
            at=AT,
        )

    found = while_erased(ledger_url, OTHER_PHONE, meet)
    assert isinstance(found, Wrong)
    assert "is closed" in str(found)


def test_a_need_is_no_offer(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        made = Registers(db).room(Side.NEED)
        assert made is not None
        with pytest.raises(Wrong, match="no offer"):
            premises.match(
                db,
                key="m",
                offer_id=made.event_id,
                need_id=made.event_id,
                by="sara",
                channel="operator",
                at=AT,
            )
