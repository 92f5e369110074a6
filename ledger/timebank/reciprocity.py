"""What the people of each centre gave and received, and how long they waited.

Counts of fewer than five people are hidden: of few, everybody knows who.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from sqlalchemy import Connection, Select, func, select

from ledger.schema import event, favour, introduction
from ledger.small_cells import is_small
from ledger.timebank.standing import HOUR

__all__ = ["Reciprocity", "reciprocity"]

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Reciprocity:
    """One centre. None is a figure of too few people; `wait_days` of nobody too."""

    place: str
    given_hours: int | None
    received_hours: int | None
    open_needs: int | None
    wait_days: float | None


@dataclass(slots=True)
class _Sums:
    given: int = 0
    received: int = 0
    open: int = 0
    givers: set[int] = field(default_factory=set)
    receivers: set[int] = field(default_factory=set)
    waiting: set[int] = field(default_factory=set)
    waits: dict[int, list[float]] = field(default_factory=dict)


_offer = favour.alias("offer")
_need = favour.alias("need")
_CONFIRMED: Select[Any] = (
    select(
        _offer.c.place,
        introduction.c.giver_id,
        _need.c.place,
        introduction.c.receiver_id,
        func.sum(introduction.c.minutes),
    )
    .join(_offer, _offer.c.event_id == introduction.c.offer_id)
    .join(_need, _need.c.event_id == introduction.c.need_id)
    .group_by(
        *(_offer.c.place, introduction.c.giver_id),
        *(_need.c.place, introduction.c.receiver_id),
    )
)
_OPEN: Select[Any] = select(favour.c.place, favour.c.person_id, func.count()).group_by(
    favour.c.place, favour.c.person_id
)
_FOUND: Select[Any] = select(
    favour.c.place, favour.c.person_id, favour.c.at, event.c.at
).join(event, event.c.about_id == favour.c.event_id)


def reciprocity(
    db: Connection, *, centre_of: Callable[[str | None], str], test: bool = False
) -> list[Reciprocity]:
    """Every centre's figures, by its code; `centre_of` is where a place is counted.

    A wait is from a need to the first yes to it.
    """
    by_place: defaultdict[str, _Sums] = defaultdict(_Sums)
    confirmed = _CONFIRMED.where(
        introduction.c.state == "confirmed", introduction.c.test == test
    )
    for theirs, giver, ours, receiver, minutes in db.execute(confirmed):
        gives, gets = by_place[centre_of(theirs)], by_place[centre_of(ours)]
        gives.given += int(minutes)
        gives.givers.add(giver)
        gets.received += int(minutes)
        gets.receivers.add(receiver)
    wanted = _OPEN.where(
        favour.c.side == "need", favour.c.state == "open", favour.c.test == test
    )
    for place, person_id, number in db.execute(wanted):
        one = by_place[centre_of(place)]
        one.open += number
        one.waiting.add(person_id)
    accepted = _FOUND.where(
        event.c.kind == "introduction.accepted", event.c.test == test
    )
    for row in db.execute(accepted):
        place, person_id, asked, found = row
        days = (found - asked).total_seconds() / DAY_SECONDS
        by_place[centre_of(place)].waits.setdefault(person_id, []).append(days)
    return [_shown(place, sums) for place, sums in sorted(by_place.items())]


def _shown(place: str, one: _Sums) -> Reciprocity:
    waits = [days for person in one.waits.values() for days in person]

    def told(figure: int, people: int) -> int | None:
        return None if is_small((people,)) else figure

    return Reciprocity(
        place,
        given_hours=told(one.given // HOUR, len(one.givers)),
        received_hours=told(one.received // HOUR, len(one.receivers)),
        open_needs=told(one.open, len(one.waiting)),
        wait_days=(
            None
            if not waits or is_small((len(one.waits),))
            else round(median(waits), 1)
        ),
    )
