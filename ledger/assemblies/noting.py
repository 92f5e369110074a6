"""An event about a row of a register: of its district, and as much a rehearsal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from ledger import events
from ledger.assemblies.districts import CAMPAIGN
from ledger.events import Recorded

__all__ = ["Kept", "note"]


class Kept(Protocol):
    """What stands in a register: a decision, a meeting, premises."""

    @property
    def event_id(self) -> int: ...

    @property
    def district(self) -> str: ...

    @property
    def test(self) -> bool: ...


def note(
    db: Connection,
    key: str,
    kind: str,
    body: Mapping[str, str | int],
    about: Kept,
    *,
    person_id: int | None = None,
    channel: str,
    at: datetime,
) -> Recorded:
    """Record an event about what stands in a register, of somebody or of nobody."""
    return events.record(
        db,
        key=key,
        kind=kind,
        body=body,
        person_id=person_id,
        about_id=about.event_id,
        campaign=CAMPAIGN,
        district=about.district,
        channel=channel,
        test=about.test,
        at=at,
    )
