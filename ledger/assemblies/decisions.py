"""What an assembly resolved, proposes or has under study, each under its number.

A number is a district's own and stays for ever. Who sees to it is an office, with the
phone that answers for it; the day is three Jalali months on unless another is said.
`claims` has what the office answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    bindparam,
    func,
    or_,
    select,
    update,
)

from ledger import events, schema
from ledger.assemblies.districts import CAMPAIGN
from ledger.assemblies.limits import (
    OFFICE_CHARS_MAX,
    TITLE_CHARS_MAX,
    Wrong,
    check_day,
    check_words,
)
from ledger.assemblies.noting import note
from ledger.events import Recorded
from ledger.months import day_of, falls_due, month_of
from ledger.once import Once

__all__ = [
    "NUMBER_MAX",
    "Decision",
    "Kind",
    "Shown",
    "State",
    "change",
    "chosen",
    "decide",
    "decision_of",
    "drop",
    "last_number",
    "listed",
    "locked",
    "note",
    "put",
    "story",
    "usual_day",
]

# Three digits are what a screen has room for.
NUMBER_MAX = 999
STORY_MAX = 200
MONTHS = 3
MADE, CHANGED, DROPPED = "decision", "decision.change", "decision.dropped"


class Kind(StrEnum):
    PROPOSAL = "proposal"
    RESOLUTION = "resolution"
    STUDY = "study"


class State(StrEnum):
    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


class Shown(StrEnum):
    """How a decision stands, in the one word that a screen has room for."""

    OPEN = "open"
    STUDY = "study"
    PROPOSAL = "proposal"
    LATE = "late"
    CLAIMED = "claimed"
    DONE = "done"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Decision:
    """`claim` is what the office says of it, `done` or `going`: no more than that."""

    event_id: int
    district: str
    number: int
    title: str
    kind: Kind
    owner: str
    owner_id: int | None
    due_on: date
    state: State
    claim: str | None
    claimed_at: datetime | None
    test: bool

    def shown(self, today: date) -> Shown:
        if self.state is not State.OPEN:
            return Shown(str(self.state))
        if self.claim == "done":
            return Shown.CLAIMED
        if self.kind is Kind.PROPOSAL:
            return Shown.PROPOSAL
        if self.due_on < today:
            return Shown.LATE
        return Shown.STUDY if self.kind is Kind.STUDY else Shown.OPEN


_row = schema.decision.c
_decisions = select(
    *(_row.event_id, _row.district, _row.number, _row.title, _row.kind),
    *(_row.owner, _row.owner_id, _row.due_on, _row.state),
    *(_row.claim, _row.claimed_at, _row.test),
)
_in_district = (
    _row.district == bindparam("of_district"),
    _row.test == bindparam("in_test"),
)
_numbered = _decisions.where(*_in_district, _row.number == bindparam("of_number"))
_last = select(func.max(_row.number)).where(*_in_district)
_insert = Once(
    schema.decision, _row.district, _row.number, _row.test, returning=_row.event_id
)


def usual_day(at: datetime, zone: ZoneInfo) -> date:
    """The day a decision is due unless another is said: three Jalali months on."""
    month = month_of(at, zone) + MONTHS
    return falls_due(month, day_of(at, zone), zone).astimezone(zone).date()


def decide(
    db: Connection,
    *,
    key: str,
    district: str,
    title: str,
    kind: Kind,
    owner: str,
    owner_id: int | None,
    due_on: date,
    today: date,
    by: str,
    channel: str,
    test: bool,
    at: datetime,
) -> tuple[Recorded, Decision]:
    """Write a decision down under the district's next number; raises Wrong.

    `owner` is an office, `owner_id` the person whose phone answers for it.
    """
    title = check_words("title", title, TITLE_CHARS_MAX)
    owner = check_words("name of an office", owner, OFFICE_CHARS_MAX)
    body: dict[str, str | int] = {
        "district": district,
        "title": title,
        "kind": str(kind),
        "owner": owner,
        "due_on": due_on.isoformat(),
        "by": by,
    }
    again = events.repeated(db, key=key, kind=MADE, body=body)
    if again is None:
        check_day(due_on, today)
    recorded = again or events.record(
        db,
        key=key,
        kind=MADE,
        body=body,
        campaign=CAMPAIGN,
        district=district,
        channel=channel,
        test=test,
        at=at,
    )
    made = recorded.event_id if recorded.first else None
    while made is not None:
        number = last_number(db, district=district, test=test) + 1
        if number > NUMBER_MAX:
            raise Wrong(f"district register is full: {NUMBER_MAX} decisions")
        # Whoever finds the number taken has waited for the other, and looks again.
        new = _insert(
            db,
            event_id=made,
            district=district,
            number=number,
            title=title,
            kind=kind,
            owner=owner,
            owner_id=owner_id,
            due_on=due_on,
            state=State.OPEN,
            test=test,
            at=at,
            changed_at=at,
        )
        if new is not None:
            break
    return recorded, _by_id(db, recorded.event_id)


def change(
    db: Connection,
    *,
    key: str,
    decision: Decision,
    kind: Kind | None = None,
    due_on: date | None = None,
    owner: str | None = None,
    owner_id: int | None = None,
    today: date,
    by: str,
    channel: str,
    at: datetime,
) -> Recorded:
    """Make a proposal a resolution or a study, or give it another day or office.

    A new office comes with its phone or with none. Raises Wrong.
    """
    asked: dict[str, Any] = {}
    reset: dict[str, None] = {}
    body: dict[str, str | int] = {"by": by}
    if kind is not None:
        asked["kind"] = body["kind"] = str(kind)
    if due_on is not None:
        asked["due_on"] = due_on
        reset["reminded_at"] = None
        body["due_on"] = due_on.isoformat()
    if owner is not None:
        owner = check_words("name of an office", owner, OFFICE_CHARS_MAX)
        asked |= {"owner": owner, "owner_id": owner_id}
        reset |= dict.fromkeys(("reminded_at", "claim", "claimed_at"))
        body["owner"] = owner
    if not asked:
        raise Wrong("nothing is to be changed")
    found = locked(db, decision.event_id)
    again = events.repeated(db, key=key, kind=CHANGED, body=body)
    if again is not None:
        return again
    if due_on is not None:
        check_day(due_on, today)
    _check_open(found)
    if all(getattr(found, name) == value for name, value in asked.items()):
        raise Wrong("nothing is to be changed: it is so already")
    recorded = note(db, key, CHANGED, body, found, channel=channel, at=at)
    put(db, found.event_id, at, **asked, **reset)
    return recorded


def drop(
    db: Connection,
    *,
    key: str,
    decision: Decision,
    by: str,
    channel: str,
    at: datetime,
) -> Recorded:
    """Give a decision up; its number stays. Raises Wrong."""
    found = locked(db, decision.event_id)
    body: dict[str, str | int] = {"state": str(State.DROPPED), "by": by}
    again = events.repeated(db, key=key, kind=DROPPED, body=body)
    if again is not None:
        return again
    _check_open(found)
    recorded = note(db, key, DROPPED, body, found, channel=channel, at=at)
    put(db, found.event_id, at, state=State.DROPPED)
    return recorded


def decision_of(
    db: Connection, *, district: str, number: int, test: bool
) -> Decision | None:
    """A district's decision of this number."""
    of = {"of_district": district, "in_test": test, "of_number": number}
    row = db.execute(_numbered, of).first()
    return None if row is None else _decision(row)


def last_number(db: Connection, *, district: str, test: bool) -> int:
    """How many decisions a district has: numbers leave no gap."""
    found = db.scalar(_last, {"of_district": district, "in_test": test})
    return int(found or 0)


def listed(
    db: Connection, *, district: str | None, test: bool, limit: int
) -> Sequence[Decision]:
    """The decisions of a district or of all, the newest first."""
    of: list[ColumnElement[bool]] = [_row.test.is_(test)]
    if district is not None:
        of.append(_row.district == district)
    return chosen(db, *of, order=(_row.event_id.desc(),), limit=limit)


def story(db: Connection, decision: Decision) -> list[events.Earlier]:
    """What happened to a decision, the first first."""
    event = schema.event.c
    keys = db.scalars(
        select(event.key)
        .where(or_(event.id == decision.event_id, event.about_id == decision.event_id))
        .order_by(event.id)
        .limit(STORY_MAX)
    ).all()
    found = (events.find(db, key=key) for key in keys)
    return [one for one in found if one is not None]


def chosen(
    db: Connection,
    *where: ColumnElement[bool],
    order: Sequence[ColumnElement[Any]],
    limit: int,
) -> Sequence[Decision]:
    """The decisions for which all of this holds."""
    query = _decisions.where(*where).order_by(*order).limit(limit)
    return [_decision(row) for row in db.execute(query)]


def locked(db: Connection, event_id: int) -> Decision:
    """A decision that nobody else changes before this transaction ends."""
    query = _decisions.where(_row.event_id == event_id).with_for_update()
    return _decision(db.execute(query).one())


def put(db: Connection, event_id: int, at: datetime, **values: object) -> None:
    """Change a decision's row, beside the event that says so."""
    db.execute(
        update(schema.decision)
        .where(_row.event_id == event_id)
        .values(changed_at=at, **values)
    )


def _by_id(db: Connection, event_id: int) -> Decision:
    row = db.execute(_decisions.where(_row.event_id == event_id)).first()
    if row is None:
        raise Wrong("this id was used for something else")
    return _decision(row)


def _check_open(decision: Decision) -> None:
    if decision.state is not State.OPEN:
        raise Wrong(f"decision {decision.number} is {decision.state}")


def _decision(row: Row[*tuple[Any, ...]]) -> Decision:
    values = dict(row._mapping)
    values |= {"kind": Kind(row.kind), "state": State(row.state)}
    return Decision(**values)
