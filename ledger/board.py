"""One board over all districts: what is promised, asked for and done in each.

Facts are summed by `ledger.tallies`; what stands open is counted in the tables where it
stands, which grow with people and not with years. Every figure is the sum of what the
exports show of that place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from ledger import schema, tallies
from ledger.assemblies.board import by_district
from ledger.assemblies.districts import number_of
from ledger.places.kinds import LEVELS

__all__ = ["ELSEWHERE", "FIGURES", "LEVELS", "Row", "board", "total"]

# What lies in no place of the level, or in none that is known.
ELSEWHERE = ""

FIGURES = (
    "volunteers",
    "people_needed",
    "minutes_offered",
    "minutes_needed",
    "minutes_given",
    "deliveries_open",
    "deliveries_late",
    "deliveries_done",
    "parcels",
    "benefactors",
    "people_covered",
    "proposals",
    "decisions_open",
    "studies",
    "decisions_late",
    "decisions_done",
    "meetings_held",
    "premises_offered",
    "premises_needed",
)

# What is counted of facts: the event's kind and unit, and what one of them, and one of
# what it moved, adds.
_FACTS = (
    ("minutes_given", "hours.confirmed", "minute", 0, 1),
    ("minutes_given", "hours.reversed", "minute", 0, -1),
    ("deliveries_done", "delivery.done", "", 1, 0),
    ("parcels", "batch.deliver", "parcel", 0, 1),
    ("parcels", "batch.come_back", "parcel", 0, -1),
    ("parcels", "in_kind.deliver", "parcel", 0, 1),
)
# The figures of an assembly, by what its own board calls them.
_OF_ASSEMBLY = {
    "benefactors": "benefactors",
    "people_covered": "covers",
    "proposals": "proposals",
    "decisions_open": "open",
    "studies": "study",
    "decisions_late": "overdue",
    "decisions_done": "done",
    "meetings_held": "meetings_held",
    "premises_offered": "offers",
    "premises_needed": "needs",
}

_signup = schema.signup.c
_need = schema.need.c
_favour = schema.favour.c
_delivery = schema.delivery.c
_ONE = func.count()

Figures = dict[str, int]


@dataclass(frozen=True, slots=True)
class Row:
    """A place of the level with all its figures; the last row is ELSEWHERE."""

    place: str
    figures: Mapping[str, int]


def board(
    db: Connection, *, level: str = "district", within: str, today: date, at: datetime
) -> list[Row]:
    """The figures of every place of a level within another, rehearsals apart.

    `level` is one of LEVELS. `today` is the campaign's day, which decides what is late.
    What is known of a district alone, and not of a part of it, stands under ELSEWHERE
    on the levels below. `db` is from reading(snapshot=True).
    """
    places, lies_in = _places(db, level, within)
    found: defaultdict[str, Figures] = defaultdict(lambda: dict.fromkeys(FIGURES, 0))
    for figure, place, number in _standing(db, today, at):
        found[lies_in.get(place, ELSEWHERE)][figure] += number
    # Goods are given out in "16": a district's number, and a province's code.
    numbered = {str(number_of(code)): code for code in lies_in if number_of(code)}
    for figure, place, number in _facts(db):
        place = numbered.get(place, place)
        found[lies_in.get(place, ELSEWHERE)][figure] += number
    return [Row(place, found[place]) for place in (*places, ELSEWHERE)]


def total(rows: list[Row]) -> dict[str, int]:
    """The sums of all rows, which are the same on every level."""
    return {figure: sum(row.figures[figure] for row in rows) for figure in FIGURES}


def _places(
    db: Connection, level: str, within: str
) -> tuple[list[str], dict[str, str]]:
    """The places of the level, and in which of them every place lies."""
    place, above = schema.place.c, schema.place_above.c
    of_level = (
        select(place.code)
        .join(schema.place_above, above.place == place.code)
        .where(place.kind == level, above.above == within)
        .order_by(func.length(place.code), place.code)
    )
    places = list(db.scalars(of_level))
    lying = select(above.place, above.above).where(
        above.above.in_(of_level.order_by(None))
    )
    return places, {row.place: row.above for row in db.execute(lying)}


def _facts(db: Connection) -> Iterator[tuple[str, str, int]]:
    summed = tallies.sums(db, kinds=[kind for _, kind, *_ in _FACTS])
    for key, found in summed.items():
        for figure, kind, unit, each, of_amount in _FACTS:
            if (key.kind, key.unit) == (kind, unit):
                number = each * found.number + of_amount * found.amount
                yield figure, key.place, number


def _standing(
    db: Connection, today: date, at: datetime
) -> Iterator[tuple[str, str, int]]:
    for query, figure, sign in _counts(at):
        for place, number in db.execute(query):
            yield figure, place or ELSEWHERE, sign * int(number or 0)
    for place, one in by_district(db, today=today).items():
        for figure, name in _OF_ASSEMBLY.items():
            yield figure, place, getattr(one, name)


def _counts(at: datetime) -> Iterator[tuple[Select[Any], str, int]]:
    """What stands now, table by table, and whether it adds or takes away."""
    of = _counter(schema.signup, _signup.place_code)
    active = _signup.state == "active"
    yield of(active), "volunteers", 1
    # A sign-up outlives the name behind it, and its volunteer is one no more.
    erased = select(_signup.place_code, _ONE).join(
        schema.person, schema.person.c.id == _signup.person_id
    )
    erased = erased.where(
        active, _signup.test.is_(False), schema.person.c.look_up.is_(None)
    )
    yield erased.group_by(_signup.place_code), "volunteers", -1
    of, is_open = _counter(schema.need, _need.place), _need.state == "open"
    yield of(is_open, what=func.sum(_need.vacancies)), "people_needed", 1
    coming = select(_need.place, _ONE).join(
        schema.invite, schema.invite.c.need_id == _need.event_id
    )
    yes = coming.where(is_open, _need.test.is_(False), schema.invite.c.state == "yes")
    yield yes.group_by(_need.place), "people_needed", -1
    of = _counter(schema.favour, _favour.place)
    for figure, side in (("minutes_offered", "offer"), ("minutes_needed", "need")):
        minutes = func.sum(_favour.minutes)
        yield (
            of(_favour.state == "open", _favour.side == side, what=minutes),
            figure,
            1,
        )
    of = _counter(schema.delivery, _delivery.place)
    yield of(_delivery.state.in_(["open", "taken"])), "deliveries_open", 1
    late = of(_delivery.state == "open", _delivery.due_at <= at)
    yield late, "deliveries_late", 1


def _counter(table: Any, place: ColumnElement[Any]) -> Callable[..., Select[Any]]:
    """Makes queries that count the real rows of a table by place."""

    def of(*where: ColumnElement[bool], what: Any = _ONE) -> Select[Any]:
        query = select(place, what).select_from(table)
        return query.where(table.c.test.is_(False), *where).group_by(place)

    return of
