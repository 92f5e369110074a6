"""What somebody gave and received in minutes, and how far that lets them go.

A balance is the sum of transfers, as all of the books are. Minutes that are arranged
and not yet given are counted beside it, so that nobody is led past a limit.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    bindparam,
    case,
    func,
    or_,
    select,
    union,
)

from ledger import chart
from ledger.accounts import account_id
from ledger.schema import account, event, introduction, person, transfer

__all__ = [
    "HOUR",
    "LIVE",
    "MINUTE",
    "Limits",
    "Standing",
    "everybodys",
    "hold",
    "lock",
    "standing_of",
]

MINUTE = "minute"
HOUR = 60
# Arranged, and neither confirmed nor given up.
LIVE = ("asked", "accepted", "introduced", "told", "disputed")
# SQLite takes no more values in one question: of more people, everybody is read.
SOME_MAX = 30_000
# What moves the minutes of one person alone.
COMMUNITY = ("hours.given", "hours.granted")


@dataclass(frozen=True, slots=True)
class Limits:
    """How far below nothing a balance may go, and how far above, in minutes."""

    floor: int = -10 * HOUR
    ceiling: int = 40 * HOUR

    def __post_init__(self) -> None:
        assert self.floor <= 0 < self.ceiling


@dataclass(frozen=True, slots=True)
class Standing:
    """Minutes of one person. `given` and `received` are between people and posted.

    `to_give` and `to_receive` are arranged and not posted; `waiting` are those of
    either that were told and wait for the receiver's word. `gave_at` is when hours of
    theirs were last confirmed.
    """

    given: int = 0
    received: int = 0
    gifted: int = 0
    granted: int = 0
    to_give: int = 0
    to_receive: int = 0
    waiting: int = 0
    gave_at: datetime | None = None

    @property
    def balance(self) -> int:
        return self.given - self.received - self.gifted + self.granted

    def may_give(self, limits: Limits) -> int:
        """How many minutes more they can be asked for."""
        return max(0, limits.ceiling - self.balance - self.to_give)

    def may_receive(self, limits: Limits) -> int:
        """How many minutes more can be found for them."""
        return max(0, self.balance - self.to_receive - limits.floor)


_debit = account.alias("debit")
_credit = account.alias("credit")
_of: ColumnElement[int] = bindparam("of_person")
_given_by = select(introduction.c.hours_id).where(
    introduction.c.giver_id == _of, introduction.c.hours_id.is_not(None)
)
_received_by = select(introduction.c.hours_id).where(
    introduction.c.receiver_id == _of, introduction.c.hours_id.is_not(None)
)
_own = union(
    _given_by,
    _received_by,
    select(event.c.id).where(event.c.person_id == _of, event.c.kind.in_(COMMUNITY)),
).subquery("own")
# Those that post or take back are about one of them.
_later = event.alias("later")
_all = union(
    select(_own.c.hours_id),
    select(_later.c.id).where(
        _later.c.about_id.in_(select(_own.c.hours_id)), _later.c.transfers > 0
    ),
)
_MOVED = (
    select(
        event.c.kind,
        transfer.c.phase,
        (_credit.c.code == bindparam("of_account")).label("credited"),
        func.sum(transfer.c.amount).label("minutes"),
    )
    .select_from(event)
    .join(transfer, transfer.c.event_id == event.c.id)
    .join(_debit, _debit.c.id == transfer.c.debit_id)
    .join(_credit, _credit.c.id == transfer.c.credit_id)
    .where(
        event.c.id.in_(_all),
        event.c.test == bindparam("in_test"),
        transfer.c.unit == MINUTE,
        or_(
            _debit.c.code == bindparam("of_account"),
            _credit.c.code == bindparam("of_account"),
        ),
    )
    .group_by(event.c.kind, transfer.c.phase, "credited")
)


def _arranged(side: ColumnElement[int], *which: ColumnElement[bool]) -> Select[Any]:
    """By person of one side: minutes live, told, confirmed, and when the last were."""
    row = introduction.c
    sums = [
        func.coalesce(func.sum(case((state, row.minutes), else_=0)), 0)
        for state in (
            row.state.in_(LIVE),
            row.state.in_(("told", "disputed")),
            row.state == "confirmed",
        )
    ]
    last = func.max(case((row.state == "confirmed", row.changed_at)))
    return (
        select(side, *sums, last)
        .where(
            row.test == bindparam("in_test"),
            row.state.in_((*LIVE, "confirmed")),
            *which,
        )
        .group_by(side)
    )


_TO_GIVE = _arranged(introduction.c.giver_id, introduction.c.giver_id == _of)
_TO_RECEIVE = _arranged(introduction.c.receiver_id, introduction.c.receiver_id == _of)
_SOME: BindParameter[Any] = bindparam("people", expanding=True)
_GIVERS = _arranged(introduction.c.giver_id)
_RECEIVERS = _arranged(introduction.c.receiver_id)
_SOME_GIVERS = _arranged(introduction.c.giver_id, introduction.c.giver_id.in_(_SOME))
_SOME_RECEIVERS = _arranged(
    introduction.c.receiver_id, introduction.c.receiver_id.in_(_SOME)
)
_COMMUNITY = (
    select(event.c.person_id, event.c.kind, func.sum(transfer.c.amount))
    .join(transfer, transfer.c.event_id == event.c.id)
    .where(
        event.c.kind.in_(COMMUNITY),
        event.c.test == bindparam("in_test"),
        event.c.person_id.is_not(None),
    )
    .group_by(event.c.person_id, event.c.kind)
)
_OF_SOME = (
    _SOME_GIVERS,
    _SOME_RECEIVERS,
    _COMMUNITY.where(event.c.person_id.in_(_SOME)),
)
_OF_ALL = (_GIVERS, _RECEIVERS, _COMMUNITY)
_HOLD = (
    select(person.c.id)
    .where(person.c.id.in_(bindparam("people", expanding=True)))
    .order_by(person.c.id)
    .with_for_update(read=True, key_share=True)
)
_LOCK = (
    select(account.c.id)
    .where(account.c.code.in_(bindparam("codes", expanding=True)))
    .order_by(account.c.id)
    .with_for_update(key_share=True)
)


def standing_of(db: Connection, *, person_id: int, test: bool) -> Standing:
    """What somebody gave and received, summed from the transfers."""
    of = {"of_person": person_id, "in_test": test}
    sums = {"given": 0, "received": 0, "gifted": 0, "granted": 0}
    for row in db.execute(
        _MOVED, of | {"of_account": chart.person_time(person_id)}
    ).all():
        if row.phase not in ("single", "post", "reversal"):
            continue
        minutes = int(row.minutes)
        if row.kind in COMMUNITY:
            sums["granted" if row.credited else "gifted"] += minutes
        elif row.phase == "reversal":
            sums["received" if row.credited else "given"] -= minutes
        else:
            sums["given" if row.credited else "received"] += minutes
    gives = db.execute(_TO_GIVE, of).first()
    gets = db.execute(_TO_RECEIVE, of).first()
    return Standing(
        **sums,
        to_give=int(gives[1]) if gives else 0,
        to_receive=int(gets[1]) if gets else 0,
        waiting=(int(gives[2]) if gives else 0) + (int(gets[2]) if gets else 0),
        gave_at=gives[4] if gives else None,
    )


def everybodys(
    db: Connection, *, test: bool, people: Collection[int] | None = None
) -> dict[int, Standing]:
    """Everybody's at once, as the introductions say them: for those who suggest.

    With `people` theirs at least. What is posted is decided by `standing_of`, under a
    lock.
    """
    of: dict[str, Any] = {"in_test": test}
    if people is None or len(people) > SOME_MAX:
        givers, receivers, community = _OF_ALL
    else:
        givers, receivers, community = _OF_SOME
        of["people"] = sorted(people)
    found: dict[int, dict[str, int | datetime | None]] = {}
    for person_id, live, told, confirmed, last in db.execute(givers, of):
        found[person_id] = {
            "given": int(confirmed),
            "to_give": int(live),
            "waiting": int(told),
            "gave_at": last,
        }
    for person_id, live, told, confirmed, _ in db.execute(receivers, of):
        one = found.setdefault(person_id, {})
        one["received"], one["to_receive"] = int(confirmed), int(live)
        one["waiting"] = int(told) + int(one.get("waiting") or 0)  # type: ignore[arg-type]  # a number, and no moment
    for person_id, kind, minutes in db.execute(community, of):
        name = "gifted" if kind == "hours.given" else "granted"
        found.setdefault(person_id, {})[name] = int(minutes)
    return {person_id: Standing(**one) for person_id, one in found.items()}  # type: ignore[arg-type]  # each under its own name


def hold(db: Connection, *people: int) -> None:
    """Let none of these be erased before the transaction ends.

    Taken before anything else: whoever is erasing one holds them alone, and then wants
    their introductions.
    """
    db.execute(_HOLD, {"people": sorted(people)}).all()


def lock(db: Connection, *codes: str) -> None:
    """Hold accounts of minutes until the transaction ends, in the order of their ids.

    Whoever posts comes through here, so that the sums that follow stay true. New ones
    are made in the order of their codes: who makes one has it alone until the end.
    """
    for code in sorted(codes):
        account_id(db, code, MINUTE)
    db.execute(_LOCK, {"codes": list(codes)}).all()
