"""What people offer each other and what they need, an entry for each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, bindparam, func, insert, select, update

from ledger import codes, events
from ledger.events import Recorded
from ledger.schema import code, favour, introduction, signup
from ledger.timebank.standing import HOUR, Limits, hold, standing_of
from ledger.vault import Keys

__all__ = [
    "HOURS_MAX",
    "LASTS",
    "Added",
    "Favour",
    "Outcome",
    "Side",
    "add",
    "by_code",
    "by_id",
    "close",
    "lock",
    "move",
    "of_person",
    "place_of",
    "reopen",
]

HOURS_MAX = 8
# So many of each side may one person have open.
OPEN_MAX = 5
# Nobody who offered so long ago is asked any more.
LASTS = timedelta(days=90)
SHOWN_MAX = 20


class Side(StrEnum):
    OFFER = "offer"
    NEED = "need"


class Outcome(StrEnum):
    DONE = "done"
    # They have as many open as anybody may.
    MANY = "many"
    # Their balance is as low as it may be, or as high.
    FLOOR = "floor"
    CEILING = "ceiling"
    # Not theirs, or not open any more.
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Favour:
    """An hour offered or needed; `place` is where its person is, if anybody knows."""

    id: int
    code: str
    person_id: int
    campaign: str
    side: str
    kind: str
    minutes: int
    venue: str
    place: str | None
    state: str
    test: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Added:
    outcome: Outcome
    recorded: Recorded | None = None
    code: str = ""


_row = favour.c
_SELECT = select(
    _row.event_id.label("id"),
    code.c.code,
    *(
        _row[name]
        for name in (
            *("person_id", "campaign", "side", "kind", "minutes", "venue"),
            *("place", "state", "test", "at"),
        )
    ),
).join(code, code.c.event_id == _row.event_id)
_MINE = (
    _SELECT.where(
        _row.person_id == bindparam("of_person"),
        _row.test == bindparam("in_test"),
        _row.state.in_(("open", "matched")),
    )
    .order_by(_row.event_id.desc())
    .limit(SHOWN_MAX)
)
_COUNT = select(func.count()).where(
    _row.person_id == bindparam("of_person"),
    _row.test == bindparam("in_test"),
    _row.side == bindparam("of_side"),
    _row.state == "open",
)
_LOCK = (
    select(_row.event_id, _row.state)
    .where(_row.event_id.in_(bindparam("ids", expanding=True)))
    .order_by(_row.event_id)
    .with_for_update(key_share=True)
)


def add(
    db: Connection,
    keys: Keys,
    *,
    key: str,
    person_id: int,
    campaign: str,
    side: Side,
    kind: str,
    minutes: int,
    venue: str,
    place: str | None,
    district: str | None,
    centre: str | None,
    limits: Limits,
    channel: str,
    test: bool,
    at: datetime,
) -> Added:
    """Write down what somebody offers or needs, and give it its code.

    `district` and `centre` are the places above `place`. Nothing is recorded for who
    has too many open, or whose balance allows no hour more.
    """
    assert 0 < minutes <= HOURS_MAX * HOUR
    before = events.find(db, key=key)
    if before is not None:
        again = Recorded(before.event_id, first=False, code=before.code)
        return Added(Outcome.DONE, again, before.code or "")
    mine = {"of_person": person_id, "in_test": test, "of_side": side}
    if (db.scalar(_COUNT, mine) or 0) >= OPEN_MAX:
        return Added(Outcome.MANY)
    standing = standing_of(db, person_id=person_id, test=test)
    if side is Side.NEED and standing.may_receive(limits) < HOUR:
        return Added(Outcome.FLOOR)
    if side is Side.OFFER and standing.may_give(limits) < HOUR:
        return Added(Outcome.CEILING)
    body: dict[str, str | int] = {
        "side": side,
        "kind": kind,
        "minutes": minutes,
        "venue": venue,
    }
    recorded = events.record(
        db,
        key=key,
        kind="favour",
        body=body,
        person_id=person_id,
        campaign=campaign,
        district=district,
        centre=centre,
        channel=channel,
        test=test,
        at=at,
    )
    if not recorded.first:
        return Added(Outcome.DONE, recorded, recorded.code or "")
    made = codes.allot(db, keys, event_id=recorded.event_id)
    db.execute(
        insert(favour).values(
            event_id=recorded.event_id,
            person_id=person_id,
            campaign=campaign,
            side=side,
            kind=kind,
            minutes=minutes,
            venue=venue,
            place=place,
            state="open",
            test=test,
            at=at,
            changed_at=at,
            # A need is looked at now, an offer once it is too old.
            next_at=at if side is Side.NEED else at + LASTS,
        )
    )
    return Added(Outcome.DONE, recorded, made)


def of_person(db: Connection, *, person_id: int, test: bool) -> list[Favour]:
    """What somebody has open or arranged, the newest first; 20 at most."""
    rows = db.execute(_MINE, {"of_person": person_id, "in_test": test})
    return [Favour(**row._mapping) for row in rows]


def by_code(db: Connection, wanted: str) -> Favour | None:
    """Anybody's offer or need with this code: for operators and their own person."""
    row = db.execute(_SELECT.where(code.c.code == wanted)).first()
    return None if row is None else Favour(**row._mapping)


def by_id(db: Connection, favour_id: int) -> Favour | None:
    row = db.execute(_SELECT.where(_row.event_id == favour_id)).first()
    return None if row is None else Favour(**row._mapping)


def place_of(db: Connection, *, person_id: int, test: bool) -> str | None:
    """Where somebody is, as their sign-up or the last favour of theirs says."""
    known = signup.c
    signed = (
        select(known.place_code)
        .where(
            known.person_id == person_id,
            known.test == test,
            known.state == "active",
            known.place_code.is_not(None),
        )
        .order_by(known.event_id.desc())
        .limit(1)
    )
    last = (
        select(_row.place)
        .where(_row.person_id == person_id, _row.test == test, _row.place.is_not(None))
        .order_by(_row.event_id.desc())
        .limit(1)
    )
    place: str | None = db.scalar(signed) or db.scalar(last)
    return place


def lock(db: Connection, *ids: int) -> dict[int, str]:
    """Hold favours until the transaction ends; the state of each, by its id."""
    rows = db.execute(_LOCK, {"ids": list(ids)})
    return {row.event_id: row.state for row in rows}


def close(
    db: Connection, one: Favour, *, key: str, by: str, channel: str, at: datetime
) -> Outcome:
    """Be done with an open offer or need; who is asked about it comes too late."""
    hold(db, one.person_id)
    if events.find(db, key=key) is not None:
        return Outcome.DONE
    # Who answers the question meanwhile has its row first, and then this one.
    asked = introduction.c
    side = asked.need_id if one.side == Side.NEED else asked.offer_id
    db.execute(
        update(introduction)
        .where(side == one.id, asked.state == "asked")
        .values(state="withdrawn", changed_at=at)
    )
    if lock(db, one.id).get(one.id) != "open":
        return Outcome.LATE
    events.record(
        db,
        key=key,
        kind="favour.closed",
        body={"by": by},
        person_id=one.person_id,
        about_id=one.id,
        campaign=one.campaign,
        channel=channel,
        test=one.test,
        at=at,
    )
    move(db, one.id, state="closed", at=at)
    return Outcome.DONE


def reopen(db: Connection, *, offer_id: int, need_id: int, at: datetime) -> None:
    """Look for others, for both sides of what came to nothing."""
    move(db, offer_id, state="open", at=at, was="matched", next_at=at + LASTS)
    move(db, need_id, state="open", at=at, was="matched", next_at=at)


def move(
    db: Connection,
    favour_id: int,
    *,
    state: str,
    at: datetime,
    was: str | None = None,
    next_at: datetime | None = None,
) -> bool:
    """Put a favour into a state, if it `was` in that one; whether it did."""
    wanted = update(favour).where(_row.event_id == favour_id)
    if was is not None:
        wanted = wanted.where(_row.state == was)
    values = {"state": state, "changed_at": at, "next_at": next_at}
    return db.execute(wanted.values(values)).rowcount == 1
