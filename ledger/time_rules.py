"""What holds of hours that people gave: queries of the rows that break it."""

from __future__ import annotations

from sqlalchemy import (
    ColumnElement,
    String,
    and_,
    case,
    cast,
    func,
    or_,
    select,
    union_all,
)

from ledger.rules import Rule
from ledger.schema import account, event, introduction, request, transfer

__all__ = ["TIME_RULES"]

_MINUTE = "minute"
_POSTED = ("single", "post", "reversal")
_row = introduction.c
_debit = account.alias("debit")
_credit = account.alias("credit")
_part = transfer.alias("part")
_back = transfer.alias("back")
_back_event = event.alias("back_event")

# As the desk agreed: the request names what it did.
_agreed = (
    select(request.c.id)
    .where(
        request.c.kind == "hours",
        request.c.result_id == event.c.id,
        cast(event.c.body["request"].as_string(), String) == cast(request.c.id, String),
    )
    .exists()
)
_whose = "T:Person:"
_sides = (
    select(event.c.id)
    .join(introduction, _row.hours_id == event.c.id)
    .join(transfer, transfer.c.event_id == event.c.id)
    .join(_debit, _debit.c.id == transfer.c.debit_id)
    .join(_credit, _credit.c.id == transfer.c.credit_id)
)


def _resolved(phase: str) -> ColumnElement[int]:
    """How much of an introduction's hours was posted, or released."""
    return func.coalesce(
        select(func.sum(_part.c.amount))
        .join(transfer, transfer.c.id == _part.c.pending_id)
        .where(transfer.c.event_id == _row.hours_id, _part.c.phase == phase)
        .scalar_subquery(),
        0,
    )


_reversed = func.coalesce(
    select(func.sum(_back.c.amount))
    .join(_back_event, _back_event.c.id == _back.c.event_id)
    .where(_back_event.c.about_id == _row.hours_id, _back.c.phase == "reversal")
    .scalar_subquery(),
    0,
)
_stands = _resolved("post") - _reversed

# Every posted minute on each side, and the balance of its account right after it: of
# who gives and receives, accounts are held while they are moved.
_legs = union_all(
    *(
        select(
            transfer.c.id,
            transfer.c.event_id,
            side.label("account_id"),
            signed.label("minutes"),
        ).where(transfer.c.unit == _MINUTE, transfer.c.phase.in_(_POSTED))
        for side, signed in (
            (transfer.c.credit_id, transfer.c.amount),
            (transfer.c.debit_id, -transfer.c.amount),
        )
    )
).subquery("legs")
_balances = (
    select(
        _legs.c.event_id,
        _legs.c.minutes,
        _legs.c.account_id,
        func.sum(_legs.c.minutes)
        .over(partition_by=(_legs.c.account_id, event.c.test), order_by=_legs.c.id)
        .label("balance"),
    )
    .join(event, event.c.id == _legs.c.event_id)
    .subquery("balances")
)

TIME_RULES = (
    Rule(
        "event",
        "posts hours without the word of who received them, or of the desk",
        select(event.c.id)
        .outerjoin(introduction, _row.hours_id == event.c.about_id)
        .where(
            event.c.kind == "hours.confirmed",
            or_(
                _row.event_id.is_(None),
                and_(
                    or_(
                        event.c.person_id.is_(None),
                        event.c.person_id != _row.receiver_id,
                    ),
                    ~_agreed,
                ),
            ),
        ),
    ),
    Rule(
        "event",
        "is of hours between two who were not introduced",
        select(event.c.id)
        .outerjoin(introduction, _row.hours_id == event.c.id)
        .where(event.c.kind == "hours", _row.event_id.is_(None)),
    ),
    Rule(
        "event",
        "moves hours between others than those who were introduced",
        _sides.where(
            or_(
                event.c.kind != "hours",
                transfer.c.unit != _MINUTE,
                transfer.c.phase != "pending",
                _debit.c.code != _whose + cast(_row.receiver_id, String),
                _credit.c.code != _whose + cast(_row.giver_id, String),
            )
        ),
    ),
    Rule(
        "introduction",
        "has other hours than its transfers posted",
        select(_row.event_id).where(
            case((_row.state == "confirmed", _row.minutes), else_=0) != _stands
        ),
    ),
    Rule(
        "introduction",
        "waits for a word on hours that are resolved",
        select(_row.event_id).where(
            _row.state.in_(("told", "disputed")),
            or_(
                _row.hours_id.is_(None),
                _resolved("post") != 0,
                _resolved("void") != 0,
                _resolved("expire") != 0,
            ),
        ),
    ),
    Rule(
        "event",
        "took a balance of hours past its floor or its ceiling",
        select(event.c.id)
        .join(_balances, _balances.c.event_id == event.c.id)
        .where(
            event.c.kind == "hours.confirmed",
            or_(
                and_(
                    _balances.c.minutes < 0,
                    _balances.c.balance < event.c.body["floor"].as_integer(),
                ),
                and_(
                    _balances.c.minutes > 0,
                    _balances.c.balance > event.c.body["ceiling"].as_integer(),
                ),
            ),
        ),
    ),
    Rule(
        "account",
        "of a community spent more hours than it was given",
        select(account.c.id)
        .join(_balances, _balances.c.account_id == account.c.id)
        .where(
            account.c.code.startswith("T:Community:", autoescape=True),
            _balances.c.balance < 0,
        )
        .distinct(),
    ),
)
