"""The rows of the registers say what their events say.

A row is what its own event and those about it come to, in their order. No event says
which number fell to a decision, when the sweeper last looked at it, or whose phone
answers for an office before that phone was used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    func,
    or_,
    select,
    union_all,
)

from ledger import schema
from ledger.assemblies import benefactors, claims, decisions, meetings, premises
from ledger.assemblies.invitations import ANSWER, ASKED, Answer
from ledger.records import ROWS_AT_ONCE, Said, without_row
from ledger.rules import Fault, Rule

__all__ = ["REGISTER_RULES", "untrue_registers"]


@dataclass(frozen=True, slots=True)
class _Fact:
    """An event of a row; `is_erased` says so of the person whose it is."""

    kind: str
    body: Said
    person_id: int | None
    is_erased: bool
    test: bool
    at: datetime


_Facts = Sequence[_Fact]
_event, _person = schema.event.c, schema.person.c
_present, _decision = schema.attendance.c, schema.decision.c


def untrue_registers(db: Connection) -> Iterator[Fault]:
    """Name every row of a register that says something else than its events."""
    for table, (made, later, expected) in _REGISTERS.items():
        row = table.c.event_id
        about = and_(_event.about_id == row, _event.kind.in_(later))
        for said, facts in _with_facts(db, table, _event.id == row, about):
            is_its_own = bool(facts) and facts[0].kind == made
            told = expected(said, facts) if is_its_own else None
            yield from _differing(table, said, told)
    held = select(_event.about_id, _event.at).where(_event.kind == meetings.HELD)
    came_at = {row.about_id: row.at for row in db.execute(held)}
    theirs = and_(
        _event.person_id == _present.person_id,
        # As a sum, so that SQLite looks among the events of a person, who has few, and
        # not among those of a meeting.
        _event.about_id + 0 == _present.meeting_id,
        _event.kind.in_((ASKED, ANSWER)),
    )
    for said, facts in _with_facts(db, schema.attendance, theirs):
        came = _attendance(said, facts, came_at.get(said["meeting_id"]))
        yield from _differing(schema.attendance, said, came)


def _differing(table: Table, said: Said, told: Said | None) -> Iterator[Fault]:
    place = "/".join(str(said[key.name]) for key in table.primary_key)
    if told is None:
        yield Fault(table.name, place, "has no event that it belongs to")
        return
    for name, value in told.items():
        if said[name] != value:
            yield Fault(table.name, place, f"has another {name} than its events")


def _benefactor(row: Said, facts: _Facts) -> Said:
    told = _made(facts) | {"person_id": facts[0].person_id}
    for fact in facts:
        # Who leaves says nothing else: the figures stay as they were.
        names = ("kind", "capacity", "amount", "covers")
        told |= {name: fact.body[name] for name in names if name in fact.body}
        told["state"] = fact.body.get("state", benefactors.State.ACTIVE)
    if facts[0].is_erased:
        told["state"] = benefactors.State.LEFT
        del told["changed_at"]
    if told["state"] == benefactors.State.LEFT:
        told["name"] = None
    return told


def _premises(row: Said, facts: _Facts) -> Said:
    first = facts[0]
    told = _made(facts) | {"person_id": first.person_id, "state": premises.State.OPEN}
    told |= {name: first.body.get(name) for name in ("side", "kind", "square_metres")}
    if len(facts) > 1:
        told["state"] = facts[-1].body.get("state")
    elif first.is_erased:
        told["state"] = premises.State.CLOSED
        del told["changed_at"]
    return told


def _meeting(row: Said, facts: _Facts) -> Said:
    body = facts[0].body
    states = {meetings.HELD: meetings.State.HELD}
    states |= {meetings.CANCELLED: meetings.State.CANCELLED}
    return _made(facts) | {
        "venue": body.get("venue"),
        "meets_at": _read(datetime.fromisoformat, body.get("meets_at")),
        "state": states.get(facts[-1].kind, meetings.State.PLANNED),
    }


def _resolved(row: Said, facts: _Facts) -> Said:
    told = _made(facts) | {"state": decisions.State.OPEN}
    office: _Fact | None = None
    for fact in facts:
        body = fact.body
        names = ("title", "kind", "owner", "state")
        told |= {name: body[name] for name in names if name in body}
        if "due_on" in body:
            told["due_on"] = _read(date.fromisoformat, body["due_on"])
        if "owner" in body:
            told |= {"claim": None, "claimed_at": None}
            office = None
        match fact.kind:
            case claims.CLAIMED:
                told |= {"claim": body.get("claim"), "claimed_at": fact.at}
                office = fact
            case claims.RETURNED:
                told |= {"claim": None, "claimed_at": None}
            case claims.REMINDED:
                office = fact
    # The sweeper passes an office over without an event.
    if row["changed_at"] == row["reminded_at"]:
        del told["changed_at"]
    if office is not None:
        told["owner_id"] = None if office.is_erased else office.person_id
    return told


def _attendance(row: Said, facts: _Facts, held_at: datetime | None) -> Said | None:
    times = [fact.at for fact in facts]
    has_come = False
    if row["came"] and held_at is not None:
        has_come = True
        times.append(held_at)
    if not times:
        # Neither asked, nor by themselves, nor there.
        return None
    answers = [fact.body.get("answer") for fact in facts if fact.kind == ANSWER]
    return {
        "answer": answers[-1] if answers else Answer.ASKED,
        "came": True if has_come else None,
        "asked_at": times[0],
        "changed_at": times[-1],
    }


def _made(facts: _Facts) -> dict[str, Any]:
    """What a row of every register says of when and where."""
    first = facts[0]
    told = {"district": first.body.get("district"), "test": first.test}
    return told | {"at": first.at, "changed_at": facts[-1].at}


def _read(read: Callable[[str], date], written: object) -> date | None:
    try:
        return read(str(written))
    except ValueError:
        return None


_Expected = Callable[[Said, _Facts], Said]
# The kind of a row's own event, those that change it, and what they come to.
_REGISTERS: Mapping[Table, tuple[str, Sequence[str], _Expected]] = {
    schema.benefactor: (benefactors.JOIN, (benefactors.CHANGE,), _benefactor),
    schema.premises: (premises.MADE, (premises.CLOSED,), _premises),
    schema.meeting: (
        meetings.MEETING,
        (meetings.HELD, meetings.CANCELLED),
        _meeting,
    ),
    schema.decision: (
        decisions.MADE,
        (
            *(decisions.CHANGED, decisions.DROPPED, claims.CLAIMED),
            *(claims.CONFIRMED, claims.RETURNED, claims.REMINDED),
        ),
        _resolved,
    ),
}


def _with_facts(
    db: Connection, table: Table, *theirs: ColumnElement[bool]
) -> Iterator[tuple[Said, _Facts]]:
    """The rows of a table, each with its events by any of these, the first first."""
    keys = list(table.primary_key)
    names = ("kind", "body", "person_id", "test", "at")
    fact = [_event[name].label(f"fact_{name}") for name in names]
    is_erased = and_(_person.id.is_not(None), _person.look_up.is_(None)).label(
        "is_erased"
    )
    columns = (*table.columns, *fact, _event.id.label("fact_id"), is_erased)
    # One by one: of either of two, PostgreSQL reads the events anew for every row.
    found_by = union_all(
        *(
            select(*columns).select_from(
                table.outerjoin(schema.event, one).outerjoin(
                    schema.person, _person.id == _event.person_id
                )
            )
            for one in theirs
        )
    ).subquery("found_by")
    in_order = (*(found_by.c[key.name] for key in keys), found_by.c.fact_id)
    query = select(found_by).order_by(*in_order)
    with db.execute(query, execution_options={"yield_per": ROWS_AT_ONCE}) as found:
        rows = (dict(row._mapping) for row in found)
        for _, of in groupby(rows, key=lambda row: [row[key.name] for key in keys]):
            together = list(of)
            yield (
                together[0],
                [_fact(row) for row in together if row["fact_id"] is not None],
            )


def _fact(row: Said) -> _Fact:
    body = row["fact_body"]
    return _Fact(
        row["fact_kind"],
        body if isinstance(body, dict) else {},
        row["fact_person_id"],
        bool(row["is_erased"]),
        row["fact_test"],
        row["fact_at"],
    )


_counted = (
    select(_decision.district, _decision.test, func.count().label("rows"))
    .group_by(_decision.district, _decision.test)
    .subquery("counted")
)

REGISTER_RULES = (
    without_row(
        benefactors.JOIN, schema.benefactor, "is a benefactor's without their row"
    ),
    without_row(meetings.MEETING, schema.meeting, "is a meeting without its row"),
    without_row(decisions.MADE, schema.decision, "is a decision without its row"),
    without_row(premises.MADE, schema.premises, "is of premises without their row"),
    Rule(
        "event",
        "is of somebody who was asked to a meeting, and has no row there",
        select(_event.id)
        .join(schema.person, _person.id == _event.person_id)
        .outerjoin(
            schema.attendance,
            and_(
                _present.meeting_id == _event.about_id,
                _present.person_id == _event.person_id,
            ),
        )
        .where(
            _event.kind.in_((ASKED, ANSWER)),
            # Who is erased before a meeting is not expected there.
            _person.look_up.is_not(None),
            _present.meeting_id.is_(None),
        ),
    ),
    Rule(
        "decision",
        "is not numbered among its district's from one",
        select(_decision.event_id)
        .join(
            _counted,
            and_(
                _counted.c.district == _decision.district,
                _counted.c.test == _decision.test,
            ),
        )
        .where(or_(_decision.number < 1, _decision.number > _counted.c.rows)),
    ),
)
