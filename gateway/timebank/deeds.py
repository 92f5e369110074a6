"""The deeds of the time bank: an hour offered or needed, a yes, hours told, confirmed.

Each is a function of one order, in the transaction of `gateway.effects`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gateway.orders import Order
from gateway.pushing import ask_person, is_asked
from gateway.receipts import promise_text
from gateway.timebank.calling_off import tell_giver, tell_receiver
from gateway.timebank.whereabouts import placed, tell_centre
from ledger import people
from ledger.engine import Connection
from ledger.timebank import community, favours, hours, introductions
from ledger.timebank.favours import Side
from ledger.timebank.hours import CONFIRM_WITHIN, Done
from ledger.timebank.introductions import Introduction, Step
from ledger.timebank.standing import HOUR, standing_of
from ledger.vault import Keys

__all__ = [
    "accept_help",
    "ask_to_confirm",
    "close_favour",
    "confirm_hours",
    "decline_help",
    "dispute_hours",
    "favour",
    "give_hours",
    "tell_hours",
]

# Where a receiver's own word is waited for.
TOLD_SCREEN = "hours.one"
ID_DIGITS_MAX = 18

Result = dict[str, str]
LATE = {"outcome": "late"}


def favour(db: Connection, keys: Keys, order: Order) -> Result:
    """Write down what a caller offers or needs."""
    answers = order.effect.answers
    person = people.remember(db, keys, order.phone, at=order.at)
    known = favours.place_of(db, person_id=person.id, test=order.test)
    place = placed(order.places, answers, known=known)
    code = place.code if place else None
    district = order.places.above(code, "district")
    centre = order.places.above(code, "centre")
    added = favours.add(
        db,
        keys,
        key=order.key,
        person_id=person.id,
        campaign=order.campaign.id,
        side=Side(answers["favour_side"]),
        kind=answers["favour_kind"],
        minutes=int(answers["favour_hours"]) * HOUR,
        venue=answers["favour_venue"],
        place=code,
        district=district.code if district else None,
        centre=centre.code if centre else None,
        limits=order.hours,
        channel=order.channel,
        test=order.test,
        at=order.at,
    )
    if added.outcome is not favours.Outcome.DONE:
        return {"outcome": str(added.outcome)}
    return {"code": added.code}


def close_favour(db: Connection, keys: Keys, order: Order) -> Result:
    """Take back an offer or a need of one's own, and what was arranged for it."""
    person = people.find(db, keys, order.phone)
    one = favours.by_code(db, order.effect.answers["favour"])
    if person is None or one is None:
        return LATE
    if (one.person_id, one.test) != (person.id, order.test):
        return LATE
    for live in introductions.of_person(
        db, "accepted", "introduced", person_id=person.id, test=order.test
    ):
        if one.id in (live.offer_id, live.need_id):
            _call_off(db, order, live, person.id)
    outcome = favours.close(
        db, one, key=order.key, by="self", channel=order.channel, at=order.at
    )
    return {} if outcome is favours.Outcome.DONE else LATE


def accept_help(db: Connection, keys: Keys, order: Order) -> Result:
    """Take the yes of somebody who was asked, and tell who is waiting."""
    step = _answered(db, keys, order, introductions.accept)
    one = step.introduction
    if one is None or step.recorded is None:
        return LATE
    if step.recorded.first:
        promise_text(
            db,
            order.menus,
            template="sms.tb.match",
            event_id=step.recorded.event_id,
            person_id=one.receiver_id,
            campaign=one.campaign,
            slots={
                "centre": tell_centre(order.places, one.place),
                "code": one.need_code,
            },
            test=one.test,
            at=order.at,
        )
    return {}


def decline_help(db: Connection, keys: Keys, order: Order) -> Result:
    """Take the no of somebody who was asked: the next one is."""
    step = _answered(db, keys, order, introductions.decline)
    return LATE if step.is_late else {}


def tell_hours(db: Connection, keys: Keys, order: Order) -> Result:
    """Write down what a giver says they gave, and ask who received it."""
    person = people.find(db, keys, order.phone)
    number = _number(order.effect.answers["introduction"])
    if person is None or number is None:
        return LATE
    told = hours.tell(
        db,
        keys,
        key=order.key,
        introduction_id=number,
        person_id=person.id,
        minutes=int(order.effect.answers["told_hours"]) * HOUR,
        by="giver",
        channel=order.channel,
        test=order.test,
        at=order.at,
    )
    if told.outcome is not hours.Outcome.DONE:
        return {"outcome": "late"}
    ask_to_confirm(db, keys, order, told)
    return {"code": told.code}


def ask_to_confirm(db: Connection, keys: Keys, order: Order, told: Done) -> None:
    """Ask who received hours whether it was so; a repeat asks nobody.

    A yes is taken for these hours only where no other hours are asked about: else they
    are confirmed by their code.
    """
    one = told.introduction
    if told.recorded is None or not told.recorded.first or one is None:
        return
    slots: Mapping[str, str | int] = {
        "kind": one.kind,
        "hours": one.minutes // HOUR,
        "code": told.code,
    }
    about = {
        "person_id": one.receiver_id,
        "event_id": told.recorded.event_id,
        "campaign": one.campaign,
        "test": one.test,
        "at": order.at,
    }
    if is_asked(
        db, order.menus, person_id=one.receiver_id, screen=TOLD_SCREEN, test=one.test
    ):
        promise_text(db, order.menus, template="sms.tb.code", slots=slots, **about)  # type: ignore[arg-type]  # each under its own name
        return
    ask_person(
        db,
        keys,
        order.menus,
        template="sms.tb.confirm",
        slots=slots,
        screen=TOLD_SCREEN,
        answers={"hours_code": told.code},
        expires_at=order.at + CONFIRM_WITHIN,
        **about,  # type: ignore[arg-type]  # as above
    )


def confirm_hours(db: Connection, keys: Keys, order: Order) -> Result:
    """Post hours on the word of who received them, and tell who gave them."""
    person = people.find(db, keys, order.phone)
    if person is None:
        return {"outcome": str(hours.Outcome.NOT_YOURS)}
    done = hours.confirm(
        db,
        key=order.key,
        hours_code=order.effect.answers["hours_code"],
        person_id=person.id,
        limits=order.hours,
        channel=order.channel,
        test=order.test,
        at=order.at,
    )
    if done.outcome is not hours.Outcome.DONE:
        return {"outcome": str(done.outcome)}
    one = done.introduction
    if done.recorded is not None and done.recorded.first and one is not None:
        has = standing_of(db, person_id=one.giver_id, test=one.test).balance // HOUR
        promise_text(
            db,
            order.menus,
            template="sms.tb.done",
            event_id=done.recorded.event_id,
            person_id=one.giver_id,
            campaign=one.campaign,
            slots={
                "hours": one.minutes // HOUR,
                "balance": abs(has),
                "below": "yes" if has < 0 else "",
            },
            test=one.test,
            at=order.at,
        )
    return {}


def dispute_hours(db: Connection, keys: Keys, order: Order) -> Result:
    """Note that who should have received hours says that it was not so."""
    person = people.find(db, keys, order.phone)
    if person is None:
        return LATE
    done = hours.dispute(
        db,
        key=order.key,
        hours_code=order.effect.answers["hours_code"],
        person_id=person.id,
        channel=order.channel,
        test=order.test,
        at=order.at,
    )
    return {} if done.outcome is hours.Outcome.DONE else LATE


def give_hours(db: Connection, keys: Keys, order: Order) -> Result:
    """Give hours of one's own to everybody at one's centre."""
    person = people.find(db, keys, order.phone)
    if person is None:
        return {"outcome": str(community.Outcome.FEW)}
    place = favours.place_of(db, person_id=person.id, test=order.test)
    centre = order.places.above(place, "centre")
    district = order.places.above(place, "district")
    outcome = community.give(
        db,
        key=order.key,
        person_id=person.id,
        to=centre.code if centre else order.campaign.id,
        minutes=int(order.effect.answers["given_hours"]) * HOUR,
        campaign=order.campaign.id,
        district=district.code if district else None,
        centre=centre.code if centre else None,
        channel=order.channel,
        test=order.test,
        at=order.at,
    )
    return {} if outcome is community.Outcome.DONE else {"outcome": str(outcome)}


def _answered(
    db: Connection, keys: Keys, order: Order, answer: Callable[..., Step]
) -> Step:
    """Take an answer to an introduction, of the phone that was asked."""
    person = people.find(db, keys, order.phone)
    number = _number(order.effect.answers["introduction"])
    if person is None or number is None:
        return Step(None)
    return answer(
        db,
        key=order.key,
        introduction_id=number,
        person_id=person.id,
        channel=order.channel,
        test=order.test,
        at=order.at,
    )


def _call_off(db: Connection, order: Order, one: Introduction, person_id: int) -> None:
    """Undo what was arranged, and tell the other one that we look on."""
    step = introductions.withdraw(
        db,
        key=f"{order.key}:{one.id}",
        introduction_id=one.id,
        by="self",
        channel=order.channel,
        at=order.at,
    )
    if step.recorded is None:
        return
    tell = tell_receiver if person_id == one.giver_id else tell_giver
    tell(db, order.menus, one, event_id=step.recorded.event_id, at=order.at)


def _number(typed: str) -> int | None:
    """The id of an introduction, which no caller types."""
    is_id = typed.isascii() and typed.isdecimal() and len(typed) <= ID_DIGITS_MAX
    return int(typed) if is_id else None
