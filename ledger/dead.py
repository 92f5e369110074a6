"""Texts that went nowhere, for an operator to see, to send again or to close.

Dead is what failed, expired, or stays unclear with nobody left to ask. The row is kept
as it ended; to send again is to promise anew, about the same event.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    and_,
    bindparam,
    or_,
    select,
    update,
)

from ledger import events, outbox
from ledger.engine import LedgerError
from ledger.outbox import NEVER, Kind, State
from ledger.schema import Utc, attempt, event
from ledger.schema import outbox as table

__all__ = ["Dead", "MayBeDoubled", "NotDead", "close", "page", "resend"]

WHY_CHARS_MAX = 200
PAGE_MAX = 1000


class NotDead(LedgerError):
    """The text is on its way, was delivered, or is closed already."""


class MayBeDoubled(LedgerError):
    """The carrier may have the text: to send it again may be to send it twice."""


@dataclass(frozen=True, slots=True)
class Dead:
    """A text that went nowhere, with what its last attempt said."""

    id: int
    template: str
    kind: Kind
    campaign: str | None
    test: bool
    state: State
    promised_at: datetime
    changed_at: datetime
    attempts: int
    carrier: str | None
    outcome: str | None
    detail: str | None


_IS_DEAD = and_(
    table.c.closed_at.is_(None),
    or_(
        table.c.state.in_([State.FAILED, State.EXPIRED]),
        and_(table.c.state == State.UNCLEAR, table.c.due_at >= NEVER),
    ),
)
_PAGE = (
    select(
        table.c.id,
        table.c.template,
        table.c.kind,
        table.c.campaign,
        table.c.test,
        table.c.state,
        table.c.promised_at,
        table.c.changed_at,
        table.c.attempts,
        table.c.carrier,
        attempt.c.outcome,
        attempt.c.detail,
    )
    .select_from(
        table.outerjoin(
            attempt,
            and_(
                attempt.c.outbox_id == table.c.id,
                attempt.c.number == table.c.attempts,
            ),
        )
    )
    .where(_IS_DEAD, table.c.id < bindparam("before", type_=BigInteger))
    .order_by(table.c.id.desc())
    .limit(bindparam("room", type_=Integer))
)
_NEWEST = 2**63 - 1


def page(db: Connection, *, before: int | None = None, limit: int = 50) -> list[Dead]:
    """The dead texts, the latest first; `before` is the last id of the page before."""
    assert 0 < limit <= PAGE_MAX
    rows = db.execute(
        _PAGE, {"before": _NEWEST if before is None else before, "room": limit}
    )
    return [
        Dead(
            id=row.id,
            template=row.template,
            kind=Kind(row.kind),
            campaign=row.campaign,
            test=row.test,
            state=State(row.state),
            promised_at=row.promised_at,
            changed_at=row.changed_at,
            attempts=row.attempts,
            carrier=row.carrier,
            outcome=row.outcome,
            detail=row.detail,
        )
        for row in rows
    ]


_ONE = (
    select(table, event.c.channel)
    .join(event, event.c.id == table.c.event_id)
    .where(table.c.id == bindparam("of_id"))
)
_CLOSE = (
    update(table)
    .where(table.c.id == bindparam("of_id"), _IS_DEAD)
    .values(
        closed_at=bindparam("now", type_=Utc),
        closed_why=bindparam("with_why"),
    )
)


def resend(
    db: Connection,
    *,
    outbox_id: int,
    by: str,
    at: datetime,
    even_if_doubled: bool = False,
) -> int:
    """Promise a dead text anew and close the old one; returns the new one's id.

    It lives as long as the first did. The second time the first answer comes again.
    Raises NotDead, or MayBeDoubled for an unclear one unless `even_if_doubled`.
    """
    old = _one(db, outbox_id)
    key = f"text:{outbox_id}:resent"
    first = events.find(db, key=key)
    if first is None:
        if old.state == State.UNCLEAR and not even_if_doubled:
            raise MayBeDoubled(f"text {outbox_id} may have arrived")
        _close(db, outbox_id, why=f"sent again by {by}", at=at)
    made = events.record(
        db,
        key=key,
        kind="text.resent",
        body={"text": outbox_id, "by": by} if first is None else first.body,
        person_id=old.person_id,
        about_id=old.event_id,
        campaign=old.campaign,
        channel=old.channel,
        test=old.test,
        at=at,
    )
    return outbox.promise(
        db,
        event_id=made.event_id,
        person_id=old.person_id,
        template=old.template,
        slots=old.slots,
        language=old.language,
        menus=old.menus,
        kind=old.kind,
        campaign=old.campaign,
        test=old.test,
        at=at,
        expires_at=at + (old.expires_at - old.promised_at),
    )


def close(
    db: Connection, *, outbox_id: int, by: str, reason: str, at: datetime
) -> None:
    """Be done with a dead text, for a reason. Raises NotDead."""
    old = _one(db, outbox_id)
    _close(db, outbox_id, why=reason, at=at)
    events.record(
        db,
        key=f"text:{outbox_id}:closed",
        kind="text.closed",
        body={"text": outbox_id, "by": by},
        person_id=old.person_id,
        about_id=old.event_id,
        campaign=old.campaign,
        channel=old.channel,
        test=old.test,
        at=at,
    )


def _one(db: Connection, outbox_id: int):  # type: ignore[no-untyped-def]  # a row of two tables
    old = db.execute(_ONE, {"of_id": outbox_id}).first()
    if old is None:
        raise NotDead(f"there is no text {outbox_id}")
    return old


def _close(db: Connection, outbox_id: int, *, why: str, at: datetime) -> None:
    given = {"of_id": outbox_id, "now": at, "with_why": why[:WHY_CHARS_MAX]}
    if db.execute(_CLOSE, given).rowcount != 1:
        raise NotDead(f"text {outbox_id} is not dead, or is closed already")
