"""Needs that wait for people, and the volunteers who may be asked: read and written.

What is chosen is `ledger.waves`'s to say. Everything is read once for a campaign, into
arrays; what was chosen is written a few hundred needs at a time, each of them held and
looked at again, so that two who choose at once ask nobody twice for one need.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, case, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ledger import people, schema, stops
from ledger.invitations import InviteState
from ledger.needs import NeedState
from ledger.places.kinds import Kind
from ledger.places.tree import Tree
from ledger.prepared import Prepared
from ledger.schema import Utc
from ledger.waves import Volunteers, Wanted

__all__ = [
    "ASKED_FOR_EACH",
    "NEEDS_AT_ONCE_MAX",
    "Lacking",
    "lacking",
    "volunteers",
    "write",
]

# Of three who are asked, one comes.
ASKED_FOR_EACH = 3
# The most urgent of those that wait; the others have the next turn.
NEEDS_AT_ONCE_MAX = 20_000
_WEEK = timedelta(days=7)
_READ_AT_ONCE = 5_000

_need = schema.need.c
_invite = schema.invite.c
_signup = schema.signup.c
_person = schema.person.c


@dataclass(frozen=True, slots=True)
class Lacking:
    """A need with fewer people than it wants, and who was invited to it before."""

    wanted: Wanted
    campaign: str
    wave: int
    test: bool


_OPEN = (
    select(_need.event_id)
    .where(
        _need.state == NeedState.OPEN,
        _need.next_at <= bindparam("now", type_=Utc),
        _need.meets_at > bindparam("now", type_=Utc),
    )
    .order_by(_need.urgency.desc(), _need.meets_at, _need.event_id)
    .limit(NEEDS_AT_ONCE_MAX)
    .cte("open_now")
)
_LACKING = (
    select(
        *(_need.event_id, _need.place, _need.skill, _need.campaign, _need.test),
        *(_need.vacancies, _need.wave),
    )
    .join(_OPEN, _OPEN.c.event_id == _need.event_id)
    .order_by(_need.urgency.desc(), _need.meets_at, _need.event_id)
)
_KNOWN = select(_invite.need_id, _invite.person_id, _invite.state).join(
    _OPEN, _OPEN.c.event_id == _invite.need_id
)
# Who waits for an answer of theirs, or was asked often enough this week. No invitation
# is answered before it is asked, so one that was over a week ago is out of both; the
# states are named for the index.
_PENDING = _invite.state.in_([InviteState.CHOSEN, InviteState.ASKED])
_BUSY = (
    select(_invite.person_id)
    .where(
        _invite.test == bindparam("in_test"),
        _invite.state.in_(list(InviteState)),
        _invite.expires_at > bindparam("week", type_=Utc),
        _PENDING | (_invite.asked_at > bindparam("week", type_=Utc)),
    )
    .group_by(_invite.person_id)
    .having(
        (func.sum(case((_PENDING, 1), else_=0)) > 0)
        | (func.count() >= bindparam("week_max"))
    )
)
_VOLUNTEERS = (
    select(_signup.person_id, _signup.event_id, _signup.place_code, _signup.skill)
    .join(schema.person, _person.id == _signup.person_id)
    .where(
        _signup.campaign == bindparam("of_campaign"),
        _signup.test == bindparam("in_test"),
        _signup.state == "active",
        _signup.place_code.is_not(None),
        _person.look_up.is_not(None),
    )
    # Who was never invited comes first, then who was the longest ago.
    .order_by(_signup.invited_at.asc().nulls_first(), _signup.event_id)
)
_IN = _VOLUNTEERS.where(
    _signup.place_code.in_(
        select(schema.place_above.c.place).where(
            schema.place_above.c.above.in_(bindparam("provinces", expanding=True))
        )
    )
)
_INSERT = {
    name: insert(schema.invite).on_conflict_do_nothing(
        index_elements=[_invite.need_id, _invite.person_id]
    )
    for name, insert in (("postgresql", postgresql.insert), ("sqlite", sqlite.insert))
}


def lacking(db: Connection, *, at: datetime) -> Sequence[Lacking]:
    """The needs that wait for people now, the most urgent first.

    Who is chosen or asked and has not answered may still come, and is not asked for
    twice over.
    """
    rows = db.execute(_LACKING, {"now": at}).all()
    if not rows:
        # Else a planner may read every invitation there is, and find none of these.
        return ()
    known: dict[int, list[int]] = {}
    coming: dict[int, int] = {}
    pending: dict[int, int] = {}
    for need_id, person_id, state in db.execute(_KNOWN, {"now": at}):
        known.setdefault(need_id, []).append(person_id)
        if state == InviteState.YES:
            coming[need_id] = coming.get(need_id, 0) + 1
        elif state in (InviteState.CHOSEN, InviteState.ASKED):
            pending[need_id] = pending.get(need_id, 0) + 1
    found = []
    for row in rows:
        left = row.vacancies - coming.get(row.event_id, 0)
        number = ASKED_FOR_EACH * left - pending.get(row.event_id, 0)
        wanted = Wanted(
            row.event_id,
            row.place,
            row.skill,
            max(0, number),
            frozenset(known.get(row.event_id, ())),
        )
        found.append(Lacking(wanted, row.campaign, row.wave, row.test))
    return found


def volunteers(
    db: Connection,
    tree: Tree,
    *,
    campaign: str,
    test: bool,
    near: Collection[str],
    week_max: int,
    at: datetime,
) -> Volunteers:
    """Who may be asked now, in the order in which they are chosen.

    Of the provinces that the places `near` lie in, or of all if one lies in none.
    Nobody who has left, was erased, wants no texts, waits with an invitation, or was
    invited `week_max` times in seven days.
    """
    week = {"in_test": test, "week": at - _WEEK, "week_max": week_max}
    left_out = set(db.scalars(_BUSY, week))
    left_out |= stops.refusing(db, test=test)
    named = {"of_campaign": campaign, "in_test": test}
    provinces = {tree.above(code, Kind.PROVINCE) for code in near}
    codes = sorted(place.code for place in provinces if place is not None)
    everywhere = None in provinces
    asked = _VOLUNTEERS if everywhere else _IN
    given = named if everywhere else {**named, "provinces": codes}
    found = Volunteers(tree)
    rows = db.execute(asked.execution_options(yield_per=_READ_AT_ONCE), given)
    for person_id, signup_id, place, skill in rows:
        if person_id not in left_out:
            found.add(person_id, signup_id, place, skill)
    return found


def write(
    db: Connection,
    some: Sequence[Lacking],
    chosen: Mapping[int, Sequence[tuple[int, int]]],
    *,
    again: timedelta,
    at: datetime,
) -> int:
    """Write whom to ask for these needs, people and their sign-ups; how many.

    Each is looked at again after `again`. A need that changed meanwhile, or had its
    wave from somebody else, is left alone. Who was erased is found when they are asked.
    """
    waves = {one.wanted.need_id: one.wave for one in some}
    # Before the needs, as everybody who holds both.
    people.hold_all(
        db,
        person_ids={who for need_id in waves for who, _ in chosen.get(need_id, ())},
    )
    held = db.execute(
        select(_need.event_id, _need.wave, _need.test)
        .where(
            _need.event_id.in_(sorted(waves)),
            _need.state == NeedState.OPEN,
            _need.next_at <= at,
        )
        .order_by(_need.event_id)
        .with_for_update()
    ).all()
    rows, moved = [], []
    for need_id, wave, test in held:
        if wave != waves[need_id]:
            continue
        asked = chosen.get(need_id, ())
        moved.append({"of_id": need_id, "to_wave": wave + bool(asked)})
        rows += [
            {
                "need_id": need_id,
                "person_id": person_id,
                "signup_id": signup_id,
                "wave": wave + 1,
                "test": test,
            }
            for person_id, signup_id in asked
        ]
    _insert(db, at, at + again).many(db, rows)
    _move(at, at + again).many(db, moved)
    return len(rows)


def _insert(db: Connection, at: datetime, until: datetime) -> Prepared:
    """Invitations that differ in their people alone: the rest is worked out once."""
    names = ("need_id", "person_id", "signup_id", "wave", "test")
    return Prepared(
        _INSERT[db.dialect.name].values(
            {name: bindparam(name, type_=_invite[name].type) for name in names}
            | {"state": InviteState.CHOSEN, "asked_at": at, "expires_at": until}
        )
    )


def _move(at: datetime, then: datetime) -> Prepared:
    return Prepared(
        update(schema.need)
        .where(_need.event_id == bindparam("of_id"))
        .values(wave=bindparam("to_wave"), next_at=then, changed_at=at)
    )
