"""What a screen says of the ledger: one bounded read for each group of facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from gateway import centres, groups, invitations, kalabarg, locating, volunteering
from gateway.assemblies import facts as assemblies
from gateway.figures import CampaignFigures
from gateway.timebank import facts as hours
from ledger import consents, funds, people, plans, pledges, stops
from ledger.chart import PARCEL, RIAL
from ledger.engine import Connection
from ledger.places.tree import EMPTY, Tree
from ledger.plans import Standing
from ledger.pledges import Pledge, State
from ledger.sealing.proofs import sealed
from ledger.vault import Keys, look_up
from phone.dates import jalali_day
from ussd.facts import FACTS
from ussd.machine import Need

__all__ = ["Asker", "fetch"]

PLEDGES_SHOWN_MAX = 20


@dataclass(frozen=True, slots=True)
class Asker:
    """Whose facts: a phone, in a campaign, over a channel."""

    phone: str
    campaign: str
    test: bool
    # The sender line that campaign texts come from.
    line: str
    figures: CampaignFigures
    # Of days and hours: what is past, and how they are written.
    at: datetime
    time_zone: str
    places: Tree = EMPTY
    language: str = "fa"


def fetch(db: Connection, keys: Keys, need: Need, asker: Asker) -> Mapping[str, Any]:
    """The facts of one group, by the names that texts use."""
    if need.campaign:
        asker = replace(asker, campaign=need.campaign)
    return FETCHING[need.group](db, keys, need, asker)


def _caller(db: Connection, keys: Keys, need: Need, asker: Asker) -> dict[str, Any]:
    """Whether campaign texts come: only who agreed gets any."""
    person = people.find(db, keys, asker.phone)
    stopped = (
        person is None
        or not consents.has(db, person_id=person.id, test=asker.test)
        or stops.is_stopped(
            db,
            look_up=look_up(keys, asker.phone),
            line=asker.line,
            test=asker.test,
        )
    )
    return {"texts_stopped": stopped, "line": asker.line}


def _pledges(db: Connection, keys: Keys, need: Need, asker: Asker) -> dict[str, Any]:
    person = people.find(db, keys, asker.phone)
    if person is None:
        return {"items": []}
    found = pledges.pledges_of(
        db, person_id=person.id, test=asker.test, limit=PLEDGES_SHOWN_MAX
    )
    return {"items": [_item(pledge) for pledge in found]}


def _item(pledge: Pledge) -> dict[str, Any]:
    goods, amount = pledge.unit == PARCEL, pledge.amount
    if pledge.state in (State.PAID, State.REFUNDED):
        # The rest may have been cancelled: nobody gave the whole then.
        amount = pledge.paid
    return {
        "value": pledge.code,
        "state": str(pledge.state),
        "unit": pledge.unit,
        "amount": 0 if goods else amount,
        "count": amount if goods else 0,
    }


def _pledge(db: Connection, keys: Keys, need: Need, asker: Asker) -> dict[str, Any]:
    """The pledge of that code, if it is the caller's own."""
    pledge = _own(db, keys, need, asker)
    if pledge is None:
        nothing = dict.fromkeys(("one_amount", "one_count", "one_paid", "one_left"), 0)
        return {
            **nothing,
            "one_code": need.argument,
            "one_state": "",
            "one_unit": RIAL,
        }
    goods = pledge.unit == PARCEL
    return {
        "one_code": pledge.code,
        "one_state": str(pledge.state),
        "one_unit": pledge.unit,
        "one_amount": 0 if goods else pledge.amount,
        "one_count": pledge.amount if goods else 0,
        "one_paid": pledge.paid,
        "one_left": pledge.outstanding,
    }


def _proof(db: Connection, keys: Keys, need: Need, asker: Asker) -> dict[str, Any]:
    """The seal over the caller's own pledge, and what most of its money bought."""
    nothing = dict.fromkeys(FACTS["proof"], "")
    pledge = _own(db, keys, need, asker)
    seal = sealed(db, pledge.event_id) if pledge is not None else None
    if pledge is None or seal is None:
        return nothing
    shares = funds.became(db, pledge.event_id)
    share = max(shares, key=lambda one: one.amount, default=None)
    return {
        **nothing,
        "seal_day": jalali_day(date.fromisoformat(seal.day)),
        "seal_number": str(seal.number),
        "fingerprint": seal.fingerprint,
        "batch_number": str(share.number) if share is not None else "",
        "batch_bought": share.quantity if share is not None else 0,
        "batch_delivered": share.delivered if share is not None else 0,
    }


def _own(db: Connection, keys: Keys, need: Need, asker: Asker) -> Pledge | None:
    person = people.find(db, keys, asker.phone)
    if person is None:
        return None
    return pledges.pledge_of(db, person_id=person.id, code=need.argument)


def _standings(db: Connection, keys: Keys, need: Need, asker: Asker) -> dict[str, Any]:
    """The caller's gifts of each month, by their codes."""
    return {
        "items": [
            {"value": one.code, "purpose": one.purpose, "amount": one.amount}
            for one in _standing_of(db, keys, asker)
        ]
    }


def _standing(db: Connection, keys: Keys, need: Need, asker: Asker) -> dict[str, Any]:
    for one in _standing_of(db, keys, asker):
        if one.code == need.argument:
            return {
                "standing_amount": one.amount,
                "standing_purpose": one.purpose,
                "standing_day": str(one.day),
            }
    return {"standing_amount": 0, "standing_purpose": "", "standing_day": ""}


def _standing_of(db: Connection, keys: Keys, asker: Asker) -> Sequence[Standing]:
    person = people.find(db, keys, asker.phone)
    if person is None:
        return ()
    return plans.standing_of(db, person_id=person.id, test=asker.test)


def _report(db: Connection, keys: Keys, need: Need, asker: Asker) -> dict[str, Any]:
    figures = asker.figures(asker.campaign, asker.test)
    return {
        "report_pledged": figures.pledged_rial,
        "report_paid": figures.paid_rial,
        "report_donors": figures.donors if figures.donors is not None else "",
        "report_bought": figures.bought,
        "report_delivered": figures.parcels,
        "report_unspent": figures.unspent_rial,
    }


Fetch = Callable[[Connection, Keys, Need, Asker], Mapping[str, Any]]


def _located(find: Callable[[Tree, str, str], Mapping[str, Any]]) -> Fetch:
    """Facts of a place, which need no query: the tree is in memory."""

    def fetched(
        db: Connection, keys: Keys, need: Need, asker: Asker
    ) -> Mapping[str, Any]:
        return find(asker.places, asker.language, need.argument)

    return fetched


FETCHING: Mapping[str, Fetch] = {
    "delivery": kalabarg.delivery,
    "deliveries": kalabarg.deliveries_of,
    "delivery_why": kalabarg.why,
    "group": groups.group,
    "caller": _caller,
    "centre": _located(locating.centre),
    "hours": hours.balance,
    "helpings": hours.helping,
    "helping": hours.one,
    "tolds": hours.told_of,
    "told": hours.told,
    "favours": hours.favours_of,
    "favour": hours.favour_of,
    "pledge": _pledge,
    "pledges": _pledges,
    **assemblies.FETCHING,
    "postcode": _located(locating.postcode),
    "proof": _proof,
    "report": _report,
    "signup": volunteering.fetch_signup,
    "standing": _standing,
    "standings": _standings,
    "town": _located(locating.town),
    "towns": _located(locating.towns),
    "invites": invitations.invites,
    "invite": invitations.invite,
    "desk": centres.desk,
    "queue": centres.queue,
    "queue_item": centres.item,
    "queue_call": centres.called,
}
