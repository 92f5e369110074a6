"""What holds of all books: each rule is the query of the rows that break it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, case, func, or_, select

from ledger.schema import (
    account,
    code,
    event,
    metadata,
    outbox,
    resolution,
    signup,
    transfer,
)

__all__ = ["RULES", "Fault", "Rule", "lost_references"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One row that cannot be true: its table, its primary key and why."""

    table: str
    id: str
    what: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A query of the primary keys in `table` of rows that cannot be true, and why."""

    table: str
    what: str
    query: Select[Any]


def lost_references() -> Iterator[Rule]:
    """Make a rule of every foreign key: what a row names is there."""
    for table in metadata.sorted_tables:
        for element in sorted(table.foreign_keys, key=lambda key: key.parent.name):
            named = element.column.table.alias("named")
            target = named.c[element.column.name]
            yield Rule(
                table.name,
                f"{element.parent.name} names what is not in {element.column.table}",
                select(*table.primary_key.columns)
                .outerjoin(named, target == element.parent)
                .where(element.parent.is_not(None), target.is_(None)),
            )


_debit = account.alias("debit")
_credit = account.alias("credit")
_pending = transfer.alias("pending")
_promise = event.alias("promise")

_owned = (
    select(
        transfer.c.event_id,
        func.count().label("rows"),
        func.min(transfer.c.number).label("first"),
        func.max(transfer.c.number).label("last"),
    )
    .group_by(transfer.c.event_id)
    .subquery("owned")
)
_rows = func.coalesce(_owned.c.rows, 0)

_released = (
    select(transfer.c.pending_id, func.sum(transfer.c.amount).label("amount"))
    .where(transfer.c.pending_id.is_not(None))
    .group_by(transfer.c.pending_id)
    .subquery("released")
)

_numbered = (
    select(
        resolution.c.pending_id,
        func.count().label("rows"),
        func.min(resolution.c.number).label("first"),
        func.max(resolution.c.number).label("last"),
    )
    .group_by(resolution.c.pending_id)
    .subquery("numbered")
)

_pendings = (
    select(
        transfer.c.event_id,
        func.sum(case((transfer.c.phase == "pending", 1), else_=0)).label("rows"),
    )
    .group_by(transfer.c.event_id)
    .subquery("pendings")
)

RULES = (
    Rule(
        "event",
        "does not have the transfers it declares",
        select(event.c.id)
        .outerjoin(_owned, _owned.c.event_id == event.c.id)
        .where(
            or_(
                _rows != event.c.transfers,
                and_(
                    _rows > 0,
                    or_(_owned.c.first != 1, _owned.c.last != _owned.c.rows),
                ),
            )
        ),
    ),
    Rule(
        "transfer",
        "moves nothing, or from an account to itself",
        select(transfer.c.id).where(
            or_(
                transfer.c.amount <= 0,
                transfer.c.debit_id == transfer.c.credit_id,
            )
        ),
    ),
    Rule(
        "transfer",
        "is in another unit than its accounts",
        select(transfer.c.id)
        .join(_debit, _debit.c.id == transfer.c.debit_id)
        .join(_credit, _credit.c.id == transfer.c.credit_id)
        .where(
            or_(
                transfer.c.unit != _debit.c.unit,
                transfer.c.unit != _credit.c.unit,
            )
        ),
    ),
    Rule(
        "transfer",
        "has a phase and a pending transfer that do not go together",
        select(transfer.c.id).where(
            transfer.c.phase.in_(("post", "void", "expire"))
            != transfer.c.pending_id.is_not(None)
        ),
    ),
    Rule(
        "transfer",
        "resolves what is not a pending transfer of its accounts and unit before it",
        select(transfer.c.id)
        .join(_pending, _pending.c.id == transfer.c.pending_id)
        .where(
            or_(
                _pending.c.phase != "pending",
                _pending.c.debit_id != transfer.c.debit_id,
                _pending.c.credit_id != transfer.c.credit_id,
                _pending.c.unit != transfer.c.unit,
                _pending.c.id >= transfer.c.id,
            )
        ),
    ),
    Rule(
        "transfer",
        "resolves a real promise in a rehearsal, or a rehearsed one in earnest",
        select(transfer.c.id)
        .join(event, event.c.id == transfer.c.event_id)
        .join(_pending, _pending.c.id == transfer.c.pending_id)
        .join(_promise, _promise.c.id == _pending.c.event_id)
        .where(event.c.test != _promise.c.test),
    ),
    Rule(
        "transfer",
        "is resolved for more than its amount",
        select(_pending.c.id)
        .join(_released, _released.c.pending_id == _pending.c.id)
        .where(_released.c.amount > _pending.c.amount),
    ),
    Rule(
        "transfer",
        "resolves a pending transfer and is not numbered among its resolutions",
        select(transfer.c.id)
        .outerjoin(resolution, resolution.c.transfer_id == transfer.c.id)
        .where(
            transfer.c.pending_id.is_not(None),
            resolution.c.transfer_id.is_(None),
        ),
    ),
    Rule(
        "resolution",
        "numbers a transfer that does not resolve this pending one",
        select(resolution.c.pending_id, resolution.c.number)
        .join(transfer, transfer.c.id == resolution.c.transfer_id)
        .where(
            or_(
                transfer.c.pending_id.is_(None),
                transfer.c.pending_id != resolution.c.pending_id,
            )
        ),
    ),
    Rule(
        "transfer",
        "has resolutions whose numbers do not run from one",
        select(_numbered.c.pending_id).where(
            or_(_numbered.c.first != 1, _numbered.c.last != _numbered.c.rows)
        ),
    ),
    Rule(
        "event",
        "is a pledge without a tracking code",
        select(event.c.id)
        .outerjoin(code, code.c.event_id == event.c.id)
        .where(event.c.kind == "pledge", code.c.event_id.is_(None)),
    ),
    Rule(
        "event",
        "is a pledge without exactly one pending transfer",
        select(event.c.id)
        .outerjoin(_pendings, _pendings.c.event_id == event.c.id)
        .where(
            event.c.kind == "pledge",
            or_(
                func.coalesce(_pendings.c.rows, 0) != 1,
                event.c.transfers != 1,
            ),
        ),
    ),
    Rule(
        "event",
        "takes back another pledge than the one it is about",
        select(event.c.id)
        .join(transfer, transfer.c.event_id == event.c.id)
        .outerjoin(_pending, _pending.c.id == transfer.c.pending_id)
        .where(
            event.c.kind.in_(("pledge.void", "pledge.expire", "pledge.write_off")),
            or_(
                _pending.c.event_id.is_(None),
                event.c.about_id.is_(None),
                _pending.c.event_id != event.c.about_id,
            ),
        ),
    ),
    Rule(
        "event",
        "is a sign-up without its own row or a tracking code",
        select(event.c.id)
        .outerjoin(signup, signup.c.event_id == event.c.id)
        .outerjoin(code, code.c.event_id == event.c.id)
        .where(
            event.c.kind == "signup",
            or_(signup.c.event_id.is_(None), code.c.event_id.is_(None)),
        ),
    ),
    Rule(
        "signup",
        "does not say what its event says",
        select(signup.c.event_id)
        .join(event, event.c.id == signup.c.event_id)
        .where(
            or_(
                event.c.kind != "signup",
                event.c.person_id.is_(None),
                event.c.person_id != signup.c.person_id,
                event.c.campaign.is_(None),
                event.c.campaign != signup.c.campaign,
                event.c.test != signup.c.test,
            )
        ),
    ),
    Rule(
        "outbox",
        "rehearses a fact, or sends a rehearsed one in earnest",
        select(outbox.c.id)
        .join(event, event.c.id == outbox.c.event_id)
        .where(event.c.test != outbox.c.test),
    ),
)
