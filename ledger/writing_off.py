"""Pledges that people agreed to wait for no longer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ledger import events
from ledger.pledges import Pledge, lock_pledge, pledge_by_code, resolving
from ledger.requests import CHANNEL, Refused

__all__ = ["WrittenOff", "write_off"]


@dataclass(frozen=True, slots=True)
class WrittenOff:
    """The pledge as it stood before, and what was given up of it."""

    event_id: int
    pledge: Pledge
    amount: int


def write_off(
    db: Connection, *, key: str, code: str, by: str, at: datetime
) -> WrittenOff:
    """Give up what is open of a pledge; what was paid of it stays paid.

    Raises Refused for an unknown code and where nothing is open. It takes turns with
    payments. The same key again returns the first.
    """
    found = pledge_by_code(db, code)
    if found is None:
        raise Refused(f"no pledge has the code {code}")
    pledge = lock_pledge(db, found.event_id)
    body: dict[str, str | int] = {"code": code, "by": by}
    before = events.repeated(db, key=key, kind="pledge.write_off", body=body)
    if before is not None:
        return WrittenOff(before.event_id, pledge, pledge.written_off)
    if not pledge.outstanding:
        raise Refused(f"nothing of {code} is open: it is {pledge.state}")
    recorded = events.record(
        db,
        key=key,
        kind="pledge.write_off",
        body=body,
        moved=[resolving(pledge, pledge.outstanding, "void")],
        person_id=pledge.person_id,
        about_id=pledge.event_id,
        campaign=pledge.campaign,
        purpose=pledge.purpose,
        channel=CHANNEL,
        test=pledge.test,
        at=at,
    )
    return WrittenOff(recorded.event_id, pledge, pledge.outstanding)
