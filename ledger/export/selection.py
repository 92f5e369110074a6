"""Which rows an export holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement

from ledger.schema import event
from phone.dates import day_end, day_start

__all__ = ["BadSelection", "Selection"]


class BadSelection(ValueError):
    """These days select nothing, ever."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Facts recorded from `since` to `until`, both inclusive, of one campaign.

    The days are those of `time_zone`; None leaves a side, or the campaign, open.
    Raises BadSelection where the first day comes after the last.
    """

    time_zone: str
    since: date | None = None
    until: date | None = None
    campaign: str | None = None

    def __post_init__(self) -> None:
        if self.since and self.until and self.since > self.until:
            raise BadSelection(f"{self.since} comes after {self.until}")

    def conditions(self, kind: str) -> list[ColumnElement[Any]]:
        """Say it in SQL, of events of a kind that are no rehearsal."""
        wanted: list[ColumnElement[Any]] = [
            event.c.kind == kind,
            event.c.test.is_(False),
        ]
        if self.since:
            wanted.append(event.c.at >= day_start(self.since, self.time_zone))
        if self.until:
            wanted.append(event.c.at < day_end(self.until, self.time_zone))
        if self.campaign is not None:
            wanted.append(event.c.campaign == self.campaign)
        return wanted
