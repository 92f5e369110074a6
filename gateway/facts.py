"""What a screen says of the ledger: one bounded read for each group of facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.figures import CampaignFigures
from ledger import consents, people, pledges, stops
from ledger.engine import Connection
from ledger.vault import Keys, look_up
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


def fetch(db: Connection, keys: Keys, need: Need, asker: Asker) -> Mapping[str, Any]:
    """The facts of one group, by the names that texts use."""
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
    return {
        "items": [
            {"value": pledge.code, "state": str(pledge.state), "amount": pledge.amount}
            for pledge in found
        ]
    }


def _pledge(db: Connection, keys: Keys, need: Need, asker: Asker) -> dict[str, Any]:
    """The pledge of that code, if it is the caller's own."""
    person = people.find(db, keys, asker.phone)
    pledge = (
        pledges.pledge_of(db, person_id=person.id, code=need.argument)
        if person is not None
        else None
    )
    if pledge is None:
        return {"one_code": need.argument, "one_amount": 0, "one_state": ""}
    return {
        "one_code": pledge.code,
        "one_amount": pledge.amount,
        "one_state": str(pledge.state),
    }


def _report(db: Connection, keys: Keys, need: Need, asker: Asker) -> dict[str, Any]:
    figures = asker.figures(asker.campaign, asker.test)
    return {
        "report_pledged": figures.pledged_rial,
        "report_paid": figures.paid_rial,
        "report_donors": figures.donors if figures.donors is not None else "",
    }


FETCHING: Mapping[str, Callable[[Connection, Keys, Need, Asker], Mapping[str, Any]]] = {
    "caller": _caller,
    "pledge": _pledge,
    "pledges": _pledges,
    "report": _report,
}
