"""Hours that were given: told by one side, and nothing until the other confirms them.

They are one pending transfer from who was helped to who helped. The receiver's word
posts it, once; no word, and a dispute that ends so, voids it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select

from ledger import chart, codes, events
from ledger.events import Moved, Recorded
from ledger.requests import Refused
from ledger.schema import code, introduction, transfer
from ledger.timebank import favours, introductions
from ledger.timebank.favours import HOURS_MAX
from ledger.timebank.introductions import Introduction, hold_still, states
from ledger.timebank.standing import HOUR, MINUTE, Limits, lock, standing_of
from ledger.vault import Keys

__all__ = [
    "CONFIRM_WITHIN",
    "Done",
    "Outcome",
    "code_of",
    "confirm",
    "dispute",
    "expire",
    "introduction_of",
    "reverse",
    "settle",
    "tell",
    "withdrawn",
]

# So long the receiver has to say a word; then the hours are void.
CONFIRM_WITHIN = timedelta(days=14)
CHANNEL = "operator"
SCHEDULE = "schedule"


class Outcome(StrEnum):
    DONE = "done"
    ALREADY = "already"
    LATE = "late"
    NOT_YOURS = "not_yours"
    FLOOR = "floor"
    CEILING = "ceiling"


@dataclass(frozen=True, slots=True)
class Done:
    """What became of hours; `code` is theirs, `recorded` what this call recorded."""

    outcome: Outcome
    introduction: Introduction | None = None
    recorded: Recorded | None = None
    code: str = ""


_BY_CODE = (
    select(introduction.c.event_id)
    .join(code, code.c.event_id == introduction.c.hours_id)
    .where(code.c.code == bindparam("wanted"))
)
_PENDING: Select[Any] = select(transfer.c.id, transfer.c.amount).where(
    transfer.c.event_id == bindparam("of_hours"), transfer.c.phase == "pending"
)
_CODE_OF = select(code.c.code).where(code.c.event_id == bindparam("of_hours"))


def tell(
    db: Connection,
    keys: Keys,
    *,
    key: str,
    introduction_id: int,
    person_id: int | None,
    minutes: int,
    by: str,
    channel: str,
    test: bool,
    at: datetime,
) -> Done:
    """Say that the help was given: hours that wait, with a code, for the receiver.

    `person_id` is the giver, or None for a centre that says it. Hours of one
    introduction are told once.
    """
    assert 0 < minutes <= HOURS_MAX * HOUR
    one = hold_still(db, introduction_id)
    if one is None or one.test != test or person_id not in (None, one.giver_id):
        return Done(Outcome.NOT_YOURS)
    before = events.find(db, key=key)
    if before is not None:
        again = Recorded(before.event_id, first=False)
        return Done(Outcome.DONE, one, again, before.code or "")
    if one.state not in ("accepted", "introduced"):
        told = one.state in ("told", "disputed", "confirmed")
        return Done(Outcome.ALREADY if told else Outcome.LATE, one)
    # Of two who helped each other and say so at once, each would wait for the other's.
    lock(db, chart.person_time(one.giver_id), chart.person_time(one.receiver_id))
    recorded = events.record(
        db,
        key=key,
        kind="hours",
        body={"introduction": one.id, "minutes": minutes, "by": by},
        moved=[_moved(one, minutes, "pending")],
        person_id=one.giver_id,
        about_id=one.need_id,
        campaign=one.campaign,
        district=one.district,
        centre=one.centre,
        channel=channel,
        test=test,
        at=at,
    )
    own = codes.allot(db, keys, event_id=recorded.event_id)
    states(
        db,
        one,
        "told",
        at=at,
        minutes=minutes,
        hours_id=recorded.event_id,
        expires_at=at + CONFIRM_WITHIN,
    )
    return Done(Outcome.DONE, introductions.by_id(db, one.id), recorded, own)


def confirm(
    db: Connection,
    *,
    key: str,
    hours_code: str,
    person_id: int,
    limits: Limits,
    channel: str,
    test: bool,
    at: datetime,
) -> Done:
    """Post hours on the word of who received them, and of nobody else, once.

    Checks the floor of the one and the ceiling of the other with both accounts held.
    """
    one = _held(db, hours_code)
    if one is None or (one.receiver_id, one.test) != (person_id, test):
        return Done(Outcome.NOT_YOURS)
    before = events.find(db, key=key)
    if before is not None:
        return Done(Outcome.DONE, one, Recorded(before.event_id, first=False))
    if one.state == "confirmed":
        return Done(Outcome.ALREADY, one)
    if one.state not in ("told", "disputed") or at >= one.expires_at:
        return Done(Outcome.LATE, one)
    full = _beyond(db, one, limits)
    if full is not None:
        return Done(full, one)
    recorded = _resolve(
        db,
        one,
        "confirmed",
        "post",
        key=key,
        person_id=person_id,
        channel=channel,
        at=at,
        floor=limits.floor,
        ceiling=limits.ceiling,
    )
    _over(db, one, "confirmed", at)
    return Done(Outcome.DONE, one, recorded)


def dispute(
    db: Connection,
    *,
    key: str,
    hours_code: str,
    person_id: int,
    channel: str,
    test: bool,
    at: datetime,
) -> Done:
    """Note that the receiver says it was not so: people at the desk settle it."""
    one = _held(db, hours_code)
    if one is None or (one.receiver_id, one.test) != (person_id, test):
        return Done(Outcome.NOT_YOURS)
    before = events.find(db, key=key)
    if before is not None:
        return Done(Outcome.DONE, one, Recorded(before.event_id, first=False))
    if one.state != "told" or at >= one.expires_at:
        return Done(Outcome.LATE, one)
    recorded = _record(
        db, one, "disputed", key=key, person_id=person_id, channel=channel, at=at
    )
    states(db, one, "disputed", at=at)
    return Done(Outcome.DONE, one, recorded)


def expire(db: Connection, introduction_id: int, *, at: datetime) -> Done | None:
    """Void hours that nobody confirmed in time; None where it is not so.

    Those in dispute wait for the people who settle it.
    """
    one = hold_still(db, introduction_id)
    if one is None or one.state != "told" or at < one.expires_at:
        return None
    recorded = _resolve(
        db,
        one,
        "void",
        "expire",
        key=f"hours.expire:{one.hours_id}",
        person_id=None,
        channel=SCHEDULE,
        at=at,
    )
    _over(db, one, "void", at)
    return Done(Outcome.DONE, one, recorded, code_of(db, one))


def settle(
    db: Connection,
    *,
    key: str,
    hours_code: str,
    posts: bool,
    request_id: int,
    by: str,
    limits: Limits,
    at: datetime,
) -> Done:
    """Post or void hours that wait, as people agreed; raises Refused."""
    one = _held(db, hours_code)
    if one is None or one.state not in ("told", "disputed"):
        raise Refused(f"{hours_code} is no code of hours that wait")
    full = _beyond(db, one, limits) if posts else None
    if full is not None:
        raise Refused(f"a balance would go past its {full}")
    recorded = _resolve(
        db,
        one,
        "confirmed" if posts else "void",
        "post" if posts else "void",
        key=key,
        person_id=None,
        channel=CHANNEL,
        at=at,
        by=by,
        request=request_id,
        floor=limits.floor,
        ceiling=limits.ceiling,
    )
    _over(db, one, "confirmed" if posts else "void", at)
    return Done(Outcome.DONE, one, recorded, hours_code)


def reverse(
    db: Connection,
    *,
    key: str,
    hours_code: str,
    request_id: int,
    by: str,
    limits: Limits,
    at: datetime,
) -> Done:
    """Take back hours that were confirmed, as people agreed; raises Refused."""
    one = _held(db, hours_code)
    if one is None or one.state != "confirmed":
        raise Refused(f"{hours_code} is no code of hours that stand")
    giver, receiver = (chart.person_time(p) for p in (one.giver_id, one.receiver_id))
    lock(db, giver, receiver)
    rest = standing_of(db, person_id=one.giver_id, test=one.test).balance - one.minutes
    if rest < limits.floor:
        raise Refused("who gave them has spent them: a balance would go past its floor")
    recorded = _record(
        db,
        one,
        "reversed",
        key=key,
        person_id=None,
        channel=CHANNEL,
        at=at,
        moved=[Moved(giver, receiver, MINUTE, one.minutes, "reversal")],
        by=by,
        request=request_id,
    )
    states(db, one, "void", at=at)
    return Done(Outcome.DONE, one, recorded, hours_code)


def withdrawn(
    db: Connection, one: Introduction, *, key: str, by: str, at: datetime
) -> None:
    """Void the hours that wait between two of whom one is being erased."""
    _resolve(
        db, one, "void", "void", key=key, person_id=None, channel=CHANNEL, at=at, by=by
    )
    _over(db, one, "void", at)


def introduction_of(db: Connection, hours_code: str) -> Introduction | None:
    """The introduction of the hours with this code, whoever asks."""
    found = db.scalar(_BY_CODE, {"wanted": hours_code})
    return None if found is None else introductions.by_id(db, found)


def code_of(db: Connection, one: Introduction) -> str:
    """The code of an introduction's hours; nothing before they were told."""
    return str(db.scalar(_CODE_OF, {"of_hours": one.hours_id}) or "")


def _held(db: Connection, hours_code: str) -> Introduction | None:
    found = db.scalar(_BY_CODE, {"wanted": hours_code})
    return None if found is None else hold_still(db, found)


def _beyond(db: Connection, one: Introduction, limits: Limits) -> Outcome | None:
    """Which limit these hours would go past, with both accounts held from now on."""
    giver, receiver = one.giver_id, one.receiver_id
    lock(db, chart.person_time(giver), chart.person_time(receiver))
    gets = standing_of(db, person_id=receiver, test=one.test)
    if gets.balance - one.minutes < limits.floor:
        return Outcome.FLOOR
    gives = standing_of(db, person_id=giver, test=one.test)
    if gives.balance + one.minutes > limits.ceiling:
        return Outcome.CEILING
    return None


def _over(db: Connection, one: Introduction, state: str, at: datetime) -> None:
    """Be done with an introduction, and with what was offered and needed."""
    states(db, one, state, at=at)
    for favour_id in (one.offer_id, one.need_id):
        favours.move(db, favour_id, state="done", was="matched", at=at)


def _resolve(
    db: Connection, one: Introduction, act: str, phase: str, **more: Any
) -> Recorded:
    pending = db.execute(_PENDING, {"of_hours": one.hours_id}).one()
    moved = _moved(one, pending.amount, phase, pending.id)
    return _record(db, one, act, moved=[moved], **more)


def _record(
    db: Connection,
    one: Introduction,
    act: str,
    *,
    key: str,
    person_id: int | None,
    channel: str,
    at: datetime,
    moved: list[Moved] | None = None,
    **body: str | int,
) -> Recorded:
    return events.record(
        db,
        key=key,
        kind=f"hours.{act}",
        body={"introduction": one.id, "minutes": one.minutes, **body},
        moved=moved or [],
        person_id=person_id,
        about_id=one.hours_id,
        campaign=one.campaign,
        district=one.district,
        centre=one.centre,
        channel=channel,
        test=one.test,
        at=at,
    )


def _moved(
    one: Introduction, minutes: int, phase: str, pending_id: int | None = None
) -> Moved:
    return Moved(
        debit=chart.person_time(one.receiver_id),
        credit=chart.person_time(one.giver_id),
        unit=MINUTE,
        amount=minutes,
        phase=phase,
        pending_id=pending_id,
    )
