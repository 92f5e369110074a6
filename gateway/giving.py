"""The deeds of a donor: a gift at once, in parts, of each month, or of goods; and back.

Each is a function of one order, in the transaction of `gateway.effects`. A campaign
that takes no gifts is an outcome and records nothing, unless the gift under that key
was recorded before.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from gateway.orders import Order, code_of, tell
from ledger import people, plans
from ledger.chart import PARCEL
from ledger.engine import Connection
from ledger.events import Recorded, find
from ledger.pledges import DonorKind, cancel_pledge, pledge_of, record_pledge
from ledger.vault import Keys
from ussd.menus import CampaignState

__all__ = [
    "cancel",
    "instalments",
    "pledge",
    "pledge_in_kind",
    "standing",
    "stop_standing",
]

INSTALMENTS = 3

Result = dict[str, str]


def pledge(db: Connection, keys: Keys, order: Order) -> Result:
    """Record a pledge and promise the text that says how to pay it."""
    if shut := _shut(db, order):
        return shut
    recorded, person_id = _recorded(db, keys, order)
    return _told(db, order, recorded, person_id, "sms.pledge")


def instalments(db: Connection, keys: Keys, order: Order) -> Result:
    """Record a pledge that is paid in three monthly parts."""
    if shut := _shut(db, order):
        return shut
    recorded, person_id = _recorded(db, keys, order)
    plans.instal(
        db,
        pledge_id=recorded.event_id,
        number=INSTALMENTS,
        zone=ZoneInfo(order.menus.time_zone),
        at=order.at,
    )
    return _told(db, order, recorded, person_id, "sms.instalments")


def pledge_in_kind(db: Connection, keys: Keys, order: Order) -> Result:
    """Record a pledge of goods, and say by text where they are handed in."""
    if shut := _shut(db, order):
        return shut
    answers = order.effect.answers
    count, goods = int(answers["count"]), answers["goods"]
    assert count > 0
    person = people.remember(db, keys, order.phone, at=order.at)
    recorded = record_pledge(
        db,
        keys,
        key=order.key,
        person_id=person.id,
        campaign=order.campaign.id,
        purpose=goods,
        unit=PARCEL,
        amount=count,
        channel=order.channel,
        donor_kind=_donor_kind(order),
        cohort=_cohort(order),
        test=order.test,
        at=order.at,
    )
    code = code_of(recorded)
    slots: dict[str, str | int] = {"count": count, "goods": goods, "code": code}
    slots["bring_to"] = order.campaign.bring_to.get(order.language, "")
    tell(db, order, recorded, person.id, "sms.in_kind", slots)
    return {"code": code}


def standing(db: Connection, keys: Keys, order: Order) -> Result:
    """Promise a gift of each month; what it comes to each month is the sweeper's."""
    if shut := _shut(db, order):
        return shut
    person = people.remember(db, keys, order.phone, at=order.at)
    stood = plans.stand(
        db,
        keys,
        key=order.key,
        person_id=person.id,
        campaign=order.campaign.id,
        purpose=order.effect.answers["purpose"],
        unit=order.campaign.unit,
        amount=_amount(order),
        channel=order.channel,
        language=order.language,
        test=order.test,
        zone=ZoneInfo(order.menus.time_zone),
        at=order.at,
    )
    return {"outcome": "already"} if stood.already else {}


def stop_standing(db: Connection, keys: Keys, order: Order) -> Result:
    """End a gift of each month that is the caller's own; what it made stays."""
    person = people.find(db, keys, order.phone)
    ended = None
    if person is not None:
        ended = plans.end_standing(
            db,
            key=order.key,
            person_id=person.id,
            code=order.effect.answers["standing"],
            channel=order.channel,
            test=order.test,
            at=order.at,
        )
    return {"outcome": "not_yours"} if ended is None else {}


def cancel(db: Connection, keys: Keys, order: Order) -> Result:
    """Release what is not paid of a pledge that its donor takes back."""
    person = people.remember(db, keys, order.phone, at=order.at)
    code = order.effect.answers["pledge"]
    cancelled = cancel_pledge(
        db,
        key=order.key,
        person_id=person.id,
        code=code,
        channel=order.channel,
        test=order.test,
        at=order.at,
    )
    if cancelled.recorded is not None:
        slots: dict[str, str | int] = {"code": code}
        template = "sms.cancelled"
        stands = pledge_of(db, person_id=person.id, code=code)
        if stands is not None and stands.paid:
            template = "sms.cancelled.part"
            slots["amount"] = stands.paid
        tell(db, order, cancelled.recorded, person.id, template, slots)
    return {"outcome": str(cancelled.outcome)}


def _shut(db: Connection, order: Order) -> Result:
    """Why the campaign takes no gifts now; nothing where it does, or did."""
    state = order.campaign.state(order.at)
    if state is CampaignState.OPEN or find(db, key=order.key) is not None:
        return {}
    return {"outcome": str(state)}


def _recorded(db: Connection, keys: Keys, order: Order) -> tuple[Recorded, int]:
    """A pledge of money, and whose it is."""
    person = people.remember(db, keys, order.phone, at=order.at)
    recorded = record_pledge(
        db,
        keys,
        key=order.key,
        person_id=person.id,
        campaign=order.campaign.id,
        purpose=order.effect.answers["purpose"],
        unit=order.campaign.unit,
        amount=_amount(order),
        channel=order.channel,
        donor_kind=_donor_kind(order),
        cohort=_cohort(order),
        test=order.test,
        at=order.at,
    )
    return recorded, person.id


def _told(
    db: Connection, order: Order, recorded: Recorded, person_id: int, template: str
) -> Result:
    code = code_of(recorded)
    slots: dict[str, str | int] = {"amount": _amount(order), "code": code}
    slots["pay"] = order.campaign.pay
    tell(db, order, recorded, person_id, template, slots)
    return {"code": code}


def _amount(order: Order) -> int:
    amount = int(order.effect.answers["amount"])
    assert order.campaign.min <= amount <= order.campaign.max
    return amount


def _donor_kind(order: Order) -> DonorKind | None:
    said = order.effect.answers.get("donor_kind", "")
    return DonorKind(said) if said else None


def _cohort(order: Order) -> str | None:
    """The code of the staff it is given with; one typed and left again is none."""
    if _donor_kind(order) is not DonorKind.COHORT:
        return None
    return order.effect.answers["cohort"]
