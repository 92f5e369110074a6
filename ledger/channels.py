"""How each channel for texts does, shared by all processes, and why that changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, insert, or_, select, update

from ledger.once import Upsert
from ledger.prepared import Prepared
from ledger.schema import Utc, attempt, channel_change, channel_state, part, receipt

__all__ = [
    "Changed",
    "Standing",
    "change",
    "give_back",
    "history",
    "last_receipted",
    "probe",
    "sign_of_life",
    "standings",
]

WHY_CHARS_MAX = 40
# No rest is longer: what seems to be one is of a clock that was set back.
REST_MAX = timedelta(minutes=12)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a channel."""

    # Per cent of its weight.
    share: int = 100
    # It carries nothing until then; how often in a row it rested.
    rests_until: datetime | None = None
    rests: int = 0
    why: str = ""
    # Until then a process of its own is surely there, if it needs one.
    alive_until: datetime | None = None
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """A line of a channel's history."""

    channel: str
    at: datetime
    what: str
    why: str
    share: int


_ALL = select(channel_state)


def standings(db: Connection) -> dict[str, Standing]:
    """What is known of each channel, by name; one that nothing is known of is left out.

    A channel whose process went away counts as asleep by `alive_until`.
    """
    return {
        row.name: Standing(
            share=row.share,
            rests_until=row.rests_until,
            rests=row.rests,
            why=row.why,
            alive_until=row.alive_until,
            changed_at=row.changed_at,
        )
        for row in db.execute(_ALL)
    }


_standing = Upsert(
    channel_state,
    channel_state.c.name,
    change=lambda new: {
        name: new[name]
        for name in ("share", "rests_until", "rests", "why", "changed_at")
    },
)
_CHANGE = Prepared(insert(channel_change))


def change(
    db: Connection,
    *,
    channel: str,
    what: str,
    why: str,
    share: int,
    rests_until: datetime | None,
    rests: int,
    at: datetime,
) -> None:
    """Write down how a channel does from now on, and a line of its history.

    The line has what it carries now: nothing while it rests, whatever its share.
    """
    why = why[:WHY_CHARS_MAX]
    _standing(
        db,
        name=channel,
        share=share,
        rests_until=rests_until,
        rests=rests,
        why=why,
        changed_at=at,
    )
    carries = share if rests_until is None else 0
    _CHANGE.run(db, channel=channel, at=at, what=what, why=why, share=carries)


_PROBE = Prepared(
    update(channel_state)
    .where(
        channel_state.c.name == bindparam("of_name"),
        # Who comes second finds it moved on.
        or_(
            channel_state.c.rests_until.is_(None),
            channel_state.c.rests_until <= bindparam("now", type_=Utc),
            channel_state.c.rests_until > bindparam("never", type_=Utc),
        ),
    )
    .values(rests_until=bindparam("until", type_=Utc))
)
_GIVE_BACK = Prepared(
    update(channel_state)
    .where(
        channel_state.c.name == bindparam("of_name"),
        channel_state.c.rests_until == bindparam("until", type_=Utc),
    )
    .values(rests_until=bindparam("now", type_=Utc))
)


def probe(db: Connection, *, channel: str, until: datetime, at: datetime) -> bool:
    """Let one text through to a channel that rested; False if another has done so.

    No second one follows before `until`, from any process.
    """
    return (
        _PROBE.run(db, of_name=channel, now=at, until=until, never=at + REST_MAX) == 1
    )


def give_back(db: Connection, *, channel: str, until: datetime, at: datetime) -> None:
    """Let another text be the probe that was to be over by then and was not sent."""
    _GIVE_BACK.run(db, of_name=channel, until=until, now=at)


_alive = Upsert(
    channel_state,
    channel_state.c.name,
    change=lambda new: {"alive_until": new.alive_until},
)


def sign_of_life(
    db: Connection, *, channel: str, until: datetime, at: datetime
) -> None:
    """Say that a channel's own process is there until then, unless it says so again."""
    _alive(db, name=channel, alive_until=until, changed_at=at)


# So many of the latest receipts are looked at.
RECEIPTS_MAX = 100
_latest = (
    select(receipt.c.carrier_id)
    .where(
        receipt.c.matched_at > bindparam("since", type_=Utc),
        receipt.c.carrier == bindparam("of_channel"),
    )
    .order_by(receipt.c.matched_at.desc())
    .limit(RECEIPTS_MAX)
    .cte("latest")
)
_RECEIPTED = Prepared(
    select(
        *(
            select(func.max(table.c.began_at))
            .where(
                table.c.carrier == bindparam("of_channel"),
                table.c.carrier_id.in_(select(_latest.c.carrier_id)),
            )
            .scalar_subquery()
            for table in (attempt, part)
        )
    )
)
RECEIPTS_SINCE = timedelta(hours=1)


def last_receipted(db: Connection, *, channel: str, at: datetime) -> datetime | None:
    """When the latest text left over this channel whose receipt came in the last hour.

    None if none came: then silence about a text says nothing.
    """
    found = _RECEIPTED.first(db, since=at - RECEIPTS_SINCE, of_channel=channel)
    return max((began for began in found or () if began is not None), default=None)


_HISTORY = (
    select(
        channel_change.c.channel,
        channel_change.c.at,
        channel_change.c.what,
        channel_change.c.why,
        channel_change.c.share,
    )
    .order_by(channel_change.c.id.desc())
    .limit(bindparam("room"))
)


def history(
    db: Connection, *, channel: str | None = None, limit: int = 50
) -> list[Changed]:
    """What changed for one channel or for all of them, the latest first."""
    of = _HISTORY
    if channel is not None:
        of = of.where(channel_change.c.channel == channel)
    return [Changed(*row) for row in db.execute(of, {"room": limit})]
