"""Acts that people agree to, done in the transaction of the last word.

ACTS names for each kind of request the function that does it. The function gets the
connection and what is to be done, and returns the event that it made; it raises
`requests.Refused` where the books do not allow the act any more. The request is then
refused with that reason, and nothing of the act stays.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ledger import requests
from ledger.engine import Connection, reading, writing
from ledger.requests import Refused, Request

if TYPE_CHECKING:
    from gateway.service import Service

__all__ = ["ACTS", "Act", "Doing", "approve", "ask", "ask_in", "needed"]


@dataclass(frozen=True, slots=True)
class Doing:
    """A request that everybody agreed to, and what its act may use."""

    service: Service
    request: Request
    at: datetime
    # What its look before found, if it has one.
    seen: Any = None


Act = Callable[[Connection, Doing], int | None]

# By name, as the commands are: an act loads what it needs when it is done.
ACTS: Mapping[str, str] = {
    "refund": "gateway.agreed:refund",
    "write_off": "gateway.agreed:write_off",
    "correction": "gateway.agreed:correct",
    "hours": "gateway.timebank.agreed:settle",
    "publish": "gateway.reports:publish_agreed",
    "export_people": "gateway.agreed:nothing_more",
    "large_export": "gateway.agreed:nothing_more",
    "renumber": "gateway.renumbering:move_agreed",
}
# What reads all of the books does so before the transaction of the last word: on
# SQLite nobody pledges while that is open.
LOOKS: Mapping[str, str] = {"publish": "gateway.reports:count_agreed"}


def ask(
    service: Service,
    *,
    kind: str,
    body: Mapping[str, str | int],
    about_id: int | None,
    why: str,
    by: str,
    at: datetime,
) -> Request:
    """Make a request; where one person is enough, its act is done at once.

    Raises Refused, or another LedgerError for nothing recorded.
    """
    seen = _seen(service, kind, body) if needed(service) == 1 else None
    with writing(service.engine) as db:
        return ask_in(
            db,
            service,
            kind=kind,
            body=body,
            about_id=about_id,
            why=why,
            by=by,
            at=at,
            seen=seen,
        )


def ask_in(
    db: Connection,
    service: Service,
    *,
    kind: str,
    body: Mapping[str, str | int],
    about_id: int | None,
    why: str,
    by: str,
    at: datetime,
    seen: Any = None,
) -> Request:
    """Make a request in a transaction of the caller's."""
    assert kind in ACTS, kind
    found = requests.make(
        db,
        kind=kind,
        body=body,
        about_id=about_id,
        why=why,
        by=by,
        needs=needed(service),
        at=at,
    )
    return _carry_out(db, Doing(service, found, at, seen)) if found.is_ready else found


def approve(service: Service, request_id: int, *, by: str, at: datetime) -> Request:
    """Agree to a request; with the last word that it needs, its act is done.

    Returns the request as it is then: waiting for others, done, or refused because the
    books do not allow it any more. Raises Refused, or another LedgerError.
    """
    with reading(service.engine) as db:
        asked = requests.find(db, request_id)
    seen = _seen(service, asked.kind, asked.body) if asked else None
    with writing(service.engine) as db:
        found = requests.approve(db, request_id, by=by, at=at)
        if not found.is_ready:
            return found
        return _carry_out(db, Doing(service, found, at, seen))


def needed(service: Service) -> int:
    """How many people an act needs, who asks for it among them."""
    return service.settings.approvals


def _seen(service: Service, kind: str, body: Mapping[str, str | int]) -> Any:
    return pkgutil.resolve_name(LOOKS[kind])(service, body) if kind in LOOKS else None


def _carry_out(db: Connection, doing: Doing) -> Request:
    act: Act = pkgutil.resolve_name(ACTS[doing.request.kind])
    try:
        with db.begin_nested():
            result_id = act(db, doing)
    except Refused as refused:
        return requests.given_up(db, doing.request, why=str(refused), at=doing.at)
    return requests.carried_out(db, doing.request, result_id=result_id, at=doing.at)
