"""One who offers and one who needs, from the question to the first meeting.

Neither learns the other's number here: a centre brings them together.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, bindparam, insert, or_, select, update

from ledger import events
from ledger.events import Recorded
from ledger.schema import code, event, favour, introduction
from ledger.timebank import favours
from ledger.timebank.standing import hold

__all__ = [
    "MEET_WITHIN",
    "Introduction",
    "Step",
    "accept",
    "ask",
    "at_place",
    "by_id",
    "decline",
    "hold_still",
    "make",
    "of_person",
    "silent",
    "states",
    "withdraw",
]

# Who was found and then not heard of for so long will not meet any more.
MEET_WITHIN = timedelta(days=60)
SHOWN_MAX = 20


@dataclass(frozen=True, slots=True)
class Introduction:
    """A giver and a receiver, and how far they have come."""

    id: int
    offer_id: int
    need_id: int
    giver_id: int
    receiver_id: int
    place: str | None
    minutes: int
    state: str
    hours_id: int | None
    test: bool
    asked_at: datetime
    expires_at: datetime
    changed_at: datetime
    campaign: str
    kind: str
    venue: str
    need_code: str
    offer_code: str
    district: str | None
    centre: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """What became of an introduction; None as `recorded` where it was too late."""

    introduction: Introduction | None
    recorded: Recorded | None = None

    @property
    def is_late(self) -> bool:
        return self.recorded is None


_row = introduction.c
_need = favour.alias("need")
_need_event = event.alias("need_event")
_need_code = code.alias("need_code")
_offer_code = code.alias("offer_code")
_ALL: Select[Any] = (
    select(
        _row.event_id.label("id"),
        *(
            _row[name]
            for name in (
                *("offer_id", "need_id", "giver_id", "receiver_id", "place"),
                *("minutes", "state", "hours_id", "test", "asked_at"),
                *("expires_at", "changed_at"),
            )
        ),
        _need.c.campaign,
        _need.c.kind,
        _need.c.venue,
        _need_code.c.code.label("need_code"),
        _offer_code.c.code.label("offer_code"),
        _need_event.c.district,
        _need_event.c.centre,
    )
    .join(_need, _need.c.event_id == _row.need_id)
    .join(_need_event, _need_event.c.id == _row.need_id)
    .join(_need_code, _need_code.c.event_id == _row.need_id)
    .join(_offer_code, _offer_code.c.event_id == _row.offer_id)
)
_BY_ID = _ALL.where(_row.event_id == bindparam("wanted"))
_MINE = (
    _ALL.where(
        or_(
            _row.giver_id == bindparam("of_person"),
            _row.receiver_id == bindparam("of_person"),
        ),
        _row.test == bindparam("in_test"),
        _row.state.in_(bindparam("in_states", expanding=True)),
    )
    .order_by(_row.event_id.desc())
    .limit(SHOWN_MAX)
)
_LOCK = (
    select(_row.event_id)
    .where(_row.event_id == bindparam("wanted"))
    .with_for_update(key_share=True)
)
_PARTIES = select(_row.giver_id, _row.receiver_id).where(
    _row.event_id == bindparam("wanted")
)
_ASKED = select(_row.event_id).where(_row.state == "asked")


def ask(
    db: Connection,
    *,
    offer_id: int,
    need_id: int,
    minutes: int,
    place: str | None,
    at: datetime,
    expires_at: datetime,
) -> Introduction | None:
    """Suggest a giver for a need; None if either is not to be had any more.

    `place` is the centre that would introduce them. One is asked at a time, for a need
    as of a giver; the same two are asked once for ever.
    """
    people = dict(
        db.execute(
            select(favour.c.event_id, favour.c.person_id).where(
                favour.c.event_id.in_((offer_id, need_id))
            )
        ).all()
    )
    hold(db, *people.values())
    if set(favours.lock(db, offer_id, need_id).values()) != {"open"}:
        return None
    giver_id, receiver_id = people[offer_id], people[need_id]
    busy = _ASKED.where(or_(_row.need_id == need_id, _row.giver_id == giver_id))
    again = select(_row.event_id).where(
        _row.offer_id == offer_id, _row.need_id == need_id
    )
    if db.execute(busy.union_all(again).limit(1)).first() is not None:
        return None
    need = db.execute(
        select(_need.c.campaign, _need.c.test, event.c.district, event.c.centre)
        .join(event, event.c.id == _need.c.event_id)
        .where(_need.c.event_id == need_id)
    ).one()
    recorded = events.record(
        db,
        key=f"introduction:{need_id}:{offer_id}",
        kind="introduction",
        body={"minutes": minutes},
        person_id=giver_id,
        about_id=need_id,
        campaign=need.campaign,
        district=need.district,
        centre=need.centre,
        channel="schedule",
        test=need.test,
        at=at,
    )
    db.execute(
        insert(introduction).values(
            event_id=recorded.event_id,
            offer_id=offer_id,
            need_id=need_id,
            giver_id=giver_id,
            receiver_id=receiver_id,
            place=place,
            minutes=minutes,
            state="asked",
            test=need.test,
            asked_at=at,
            expires_at=expires_at,
            changed_at=at,
        )
    )
    favours.move(db, need_id, state="open", at=at, next_at=expires_at)
    return by_id(db, recorded.event_id)


def accept(
    db: Connection,
    *,
    key: str,
    introduction_id: int,
    person_id: int,
    channel: str,
    test: bool,
    at: datetime,
) -> Step:
    """Take the giver's yes; too late if the need is met, withdrawn, or long ago."""
    one = hold_still(db, introduction_id)
    if one is None or (one.giver_id, one.test) != (person_id, test):
        return Step(None)
    again = _again(db, key)
    if again is not None:
        return Step(one, again)
    is_open = set(favours.lock(db, one.offer_id, one.need_id).values()) == {"open"}
    if one.state != "asked" or at >= one.expires_at or not is_open:
        return Step(one)
    recorded = _note(db, one, "accepted", key=key, channel=channel, at=at)
    for favour_id in (one.offer_id, one.need_id):
        favours.move(db, favour_id, state="matched", at=at)
    states(db, one, "accepted", at=at, expires_at=at + MEET_WITHIN)
    return Step(by_id(db, one.id), recorded)


def decline(
    db: Connection,
    *,
    key: str,
    introduction_id: int,
    person_id: int,
    channel: str,
    test: bool,
    at: datetime,
) -> Step:
    """Take the giver's no: the next is asked, and the offer stays."""
    one = hold_still(db, introduction_id)
    if one is None or (one.giver_id, one.test) != (person_id, test):
        return Step(None)
    again = _again(db, key)
    if again is not None:
        return Step(one, again)
    if one.state != "asked":
        return Step(one)
    recorded = _note(db, one, "declined", key=key, channel=channel, at=at)
    states(db, one, "declined", at=at)
    favours.move(db, one.need_id, state="open", was="open", at=at, next_at=at)
    return Step(one, recorded)


def make(
    db: Connection,
    *,
    key: str,
    introduction_id: int,
    by: str,
    channel: str,
    at: datetime,
) -> Step:
    """Note that a centre brought the two together."""
    one = hold_still(db, introduction_id)
    if one is None:
        return Step(None)
    again = _again(db, key)
    if again is not None:
        return Step(one, again)
    if one.state != "accepted":
        return Step(one)
    recorded = _note(db, one, "made", key=key, channel=channel, at=at, by=by)
    states(db, one, "introduced", at=at, expires_at=at + MEET_WITHIN)
    return Step(one, recorded)


def withdraw(
    db: Connection,
    *,
    key: str,
    introduction_id: int,
    by: str,
    channel: str,
    at: datetime,
) -> Step:
    """Undo what was arranged and of which no hours were told; both are looked for."""
    one = hold_still(db, introduction_id)
    if one is None:
        return Step(None)
    again = _again(db, key)
    if again is not None:
        return Step(one, again)
    if one.state not in ("accepted", "introduced"):
        return Step(one)
    recorded = _note(db, one, "withdrawn", key=key, channel=channel, at=at, by=by)
    states(db, one, "withdrawn", at=at)
    favours.reopen(db, offer_id=one.offer_id, need_id=one.need_id, at=at)
    return Step(one, recorded)


def silent(db: Connection, introduction_id: int, *, at: datetime) -> bool:
    """Ask the next where a giver did not answer in time; whether it was so."""
    one = hold_still(db, introduction_id)
    if one is None or one.state != "asked" or at < one.expires_at:
        return False
    states(db, one, "silent", at=at)
    favours.move(db, one.need_id, state="open", was="open", at=at, next_at=at)
    return True


def by_id(db: Connection, introduction_id: int) -> Introduction | None:
    row = db.execute(_BY_ID, {"wanted": introduction_id}).first()
    return None if row is None else Introduction(**row._mapping)


def of_person(
    db: Connection, *in_states: str, person_id: int, test: bool
) -> list[Introduction]:
    """Somebody's introductions in these states, on either side, the newest first."""
    mine = {"of_person": person_id, "in_test": test, "in_states": list(in_states)}
    return [Introduction(**row._mapping) for row in db.execute(_MINE, mine)]


def at_place(
    db: Connection,
    *in_states: str,
    places: Collection[str] | None = None,
    test: bool,
    limit: int = SHOWN_MAX,
) -> list[Introduction]:
    """The introductions of these places, or of all, in these states, oldest first."""
    wanted = _ALL.where(_row.state.in_(in_states), _row.test == test)
    if places is not None:
        wanted = wanted.where(_row.place.in_(sorted(places)))
    rows = db.execute(wanted.order_by(_row.event_id).limit(limit))
    return [Introduction(**row._mapping) for row in rows]


def hold_still(db: Connection, introduction_id: int) -> Introduction | None:
    """An introduction that nobody else moves, and whose two are not erased, meanwhile.

    The lock is a statement of its own: what follows sees what the one before did.
    """
    parties = db.execute(_PARTIES, {"wanted": introduction_id}).first()
    if parties is None:
        return None
    hold(db, *parties)
    db.execute(_LOCK, {"wanted": introduction_id}).one()
    return by_id(db, introduction_id)


def states(db: Connection, one: Introduction, state: str, **values: object) -> None:
    """Put an introduction into a state; `at` becomes when it changed."""
    values["changed_at"] = values.pop("at")
    db.execute(
        update(introduction)
        .where(_row.event_id == one.id)
        .values({"state": state, **values})
    )


def _again(db: Connection, key: str) -> Recorded | None:
    before = events.find(db, key=key)
    return None if before is None else Recorded(before.event_id, False)


def _note(
    db: Connection,
    one: Introduction,
    act: str,
    *,
    key: str,
    channel: str,
    at: datetime,
    **body: str | int,
) -> Recorded:
    # About the need, which is the receiver's: texts of it are found from both sides.
    return events.record(
        db,
        key=key,
        kind=f"introduction.{act}",
        body={"introduction": one.id, **body},
        person_id=one.giver_id,
        about_id=one.need_id,
        campaign=one.campaign,
        district=one.district,
        centre=one.centre,
        channel=channel,
        test=one.test,
        at=at,
    )
