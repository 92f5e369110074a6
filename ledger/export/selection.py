"""Which rows an export holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause

from ledger.schema import event
from phone.dates import day_end, day_start, jalali_day

__all__ = ["BadSelection", "Selection", "Source", "events_of"]


CAMPAIGN_CHARS_MAX = 40


class BadSelection(ValueError):
    """These days select nothing, ever."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the rows of a table begin: what is walked in the order of its ids.

    `where` leaves rehearsals out; `of_campaign` says which rows are a campaign's; the
    columns in `same` equal the id.
    """

    id: ColumnElement[int]
    at: ColumnElement[datetime]
    tables: FromClause
    where: tuple[ColumnElement[bool], ...]
    of_campaign: Callable[[str], ColumnElement[bool]]
    same: tuple[ColumnElement[int], ...] = ()


def events_of(*which: ColumnElement[bool]) -> Source:
    """The events for which this holds and that are no rehearsal."""
    return Source(
        event.c.id,
        event.c.at,
        event,
        (*which, event.c.test.is_(False)),
        lambda campaign: event.c.campaign == campaign,
    )


@dataclass(frozen=True, slots=True)
class Selection:
    """Facts recorded from `since` to `until`, both inclusive, of one campaign.

    The days are those of `time_zone`; None leaves a side, or the campaign, open.
    Raises BadSelection where the first day comes after the last, or for a campaign's
    name that is longer than any.
    """

    time_zone: str
    since: date | None = None
    until: date | None = None
    campaign: str | None = None

    def __post_init__(self) -> None:
        if self.since and self.until and self.since > self.until:
            first, last = jalali_day(self.since), jalali_day(self.until)
            raise BadSelection(f"{first} comes after {last}")
        if self.campaign is not None and len(self.campaign) > CAMPAIGN_CHARS_MAX:
            raise BadSelection(f"a campaign has at most {CAMPAIGN_CHARS_MAX} letters")

    def conditions(self, source: Source) -> list[ColumnElement[Any]]:
        """Say it in SQL, of the rows of a source."""
        wanted: list[ColumnElement[Any]] = list(source.where)
        if self.since:
            wanted.append(source.at >= day_start(self.since, self.time_zone))
        if self.until:
            wanted.append(source.at < day_end(self.until, self.time_zone))
        if self.campaign is not None:
            wanted.append(source.of_campaign(self.campaign))
        return wanted

    def said(self) -> dict[str, str | None]:
        """Say it in a manifest: days as ISO 8601, null for an open side."""
        return {
            "from": self.since.isoformat() if self.since else None,
            "to": self.until.isoformat() if self.until else None,
            "campaign": self.campaign,
            "time_zone": self.time_zone,
        }
