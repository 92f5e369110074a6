"""How a pledge is read: its pending transfer, and the sums of what became of it."""

from __future__ import annotations

from sqlalchemy import BigInteger, ColumnElement, bindparam, cast, func, select

from ledger import schema

__all__ = [
    "BY_CODE",
    "BY_ID",
    "LATEST_SINCE",
    "LOCK",
    "NEWEST_FIRST",
    "NEWEST_FIRST_OF",
    "ONLY_OPEN",
    "THEIR_CODE",
]

_event = schema.event.c
_pending = schema.transfer.alias("pending")
_part = schema.transfer.alias("part")
_by = schema.event.alias("by")


def _sum_of_parts(*where: ColumnElement[bool]) -> ColumnElement[int]:
    summed = select(func.coalesce(func.sum(_part.c.amount), 0)).where(*where)
    return cast(summed.scalar_subquery(), BigInteger)


def _resolved(phase: str) -> ColumnElement[int]:
    return _sum_of_parts(_part.c.pending_id == _pending.c.id, _part.c.phase == phase)


# A void is the donor's own, unless it was a writing off.
_written_off = _sum_of_parts(
    _part.c.pending_id == _pending.c.id,
    _part.c.phase == "void",
    _part.c.event_id == _by.c.id,
    _by.c.kind == "pledge.write_off",
)
_refunded = _sum_of_parts(
    _by.c.about_id == _event.id,
    _part.c.event_id == _by.c.id,
    _part.c.phase == "reversal",
)
_with_pending = schema.event.join(
    _pending,
    (_pending.c.event_id == _event.id) & (_pending.c.phase == "pending"),
).join(schema.code, schema.code.c.event_id == _event.id)
_all = (
    select(
        _event.id.label("event_id"),
        _event.key,
        schema.code.c.code,
        _event.at,
        _event.person_id,
        _event.campaign,
        _event.purpose,
        _pending.c.unit,
        _pending.c.amount,
        _resolved("post").label("paid"),
        (_resolved("void") - _written_off).label("voided"),
        _written_off.label("written_off"),
        _resolved("expire").label("expired"),
        _refunded.label("refunded"),
        _event.test,
        _pending.c.id.label("pending_id"),
    )
    .select_from(_with_pending)
    .where(_event.kind == "pledge")
)
BY_ID = _all.where(_event.id == bindparam("wanted"))
BY_CODE = _all.where(schema.code.c.code == bindparam("wanted"))
_theirs = _all.where(_event.person_id == bindparam("of_person"))
THEIR_CODE = _theirs.where(schema.code.c.code == bindparam("wanted"))
NEWEST_FIRST = _theirs.order_by(_event.id.desc()).limit(bindparam("rows_max"))
NEWEST_FIRST_OF = NEWEST_FIRST.where(_event.test == bindparam("in_test"))
LATEST_SINCE = (
    _theirs.where(_event.at >= bindparam("since"), _event.test == bindparam("in_test"))
    .order_by(_event.id.desc())
    .limit(1)
)
_open_of = select(
    _theirs.where(
        _event.test == bindparam("in_test"), _pending.c.unit == bindparam("in_unit")
    ).subquery("theirs")
)
_found = _open_of.selected_columns
ONLY_OPEN = _open_of.where(
    _found.amount - _found.paid - _found.voided - _found.written_off - _found.expired
    == bindparam("open_amount")
).limit(2)
LOCK = (
    select(_pending.c.id)
    .where(_pending.c.event_id == bindparam("wanted"), _pending.c.phase == "pending")
    .with_for_update(key_share=True)
)
