"""What holds of money that came in and went back: queries of the rows that break it."""

from __future__ import annotations

from sqlalchemy import ColumnElement, String, and_, case, cast, func, or_, select

from ledger.rules import Rule
from ledger.schema import account, event, payment, transfer

__all__ = ["MONEY_RULES"]

_debit = account.alias("debit")
_credit = account.alias("credit")
_about = event.alias("about")
_part = transfer.alias("part")

_is_payment = or_(
    event.c.kind == "payment", and_(event.c.kind == "gift", event.c.about_id.is_(None))
)
_went_back = event.c.kind.in_(("refund", "reversal"))
_from_suspense = _debit.c.code.startswith("L:Suspense:", autoescape=True)
_to_suspense = _credit.c.code.startswith("L:Suspense:", autoescape=True)
_to_service = _debit.c.code.startswith("A:Settle:", autoescape=True)
_from_service = _credit.c.code.startswith("A:Settle:", autoescape=True)
_from_promised = _credit.c.code.startswith("A:Receivable:", autoescape=True)
_to_agreed = _credit.c.code.startswith("L:Refund:", autoescape=True)
_from_agreed = _debit.c.code.startswith("L:Refund:", autoescape=True)
_is_post = transfer.c.phase == "post"


def _net(plus: ColumnElement[bool], minus: ColumnElement[bool]) -> ColumnElement[int]:
    amount = transfer.c.amount
    return func.sum(case((plus, amount), else_=0) - case((minus, amount), else_=0))


_transfers = (
    event.join(transfer, transfer.c.event_id == event.c.id)
    .join(_debit, _debit.c.id == transfer.c.debit_id)
    .join(_credit, _credit.c.id == transfer.c.credit_id)
)
# For which payment an event moved money: its own, the one that its body names, or the
# one that it is about. As text: what a body names may have been changed by hand; and
# said of the whole, for SQLite makes no index of its own over what has no type.
_of_payment = cast(
    case(
        (_is_payment, cast(event.c.id, String)),
        (_went_back, cast(event.c.about_id, String)),
        else_=event.c.body["payment"].as_string(),
    ),
    String,
)
_flows = (
    select(
        _of_payment.label("payment_id"),
        _net(_to_suspense, _from_suspense).label("waits"),
        _net(and_(_to_service, ~_went_back), and_(_from_service, ~_went_back)).label(
            "came"
        ),
    )
    .select_from(_transfers)
    .where(
        event.c.kind.in_(
            (
                "payment",
                "payment.match",
                "payment.correct",
                "gift",
                "refund",
                "reversal",
            )
        )
    )
    .group_by(_of_payment)
    .subquery("flows")
)
_with_flow = payment.outerjoin(
    _flows, _flows.c.payment_id == cast(payment.c.event_id, String)
)

# What came for each pledge, and what each gift is: no more of it can go back.
_came = (
    select(transfer.c.event_id, func.sum(_part.c.amount).label("amount"))
    .join(_part, and_(_part.c.pending_id == transfer.c.id, _part.c.phase == "post"))
    .group_by(transfer.c.event_id)
    .union_all(
        select(transfer.c.event_id, transfer.c.amount)
        .join(event, event.c.id == transfer.c.event_id)
        .where(event.c.kind == "gift", transfer.c.number == 1)
    )
    .subquery("came")
)
_back = (
    select(event.c.about_id, func.sum(transfer.c.amount).label("amount"))
    .join(transfer, transfer.c.event_id == event.c.id)
    .where(transfer.c.phase == "reversal")
    .group_by(event.c.about_id)
    .subquery("back")
)

MONEY_RULES = (
    Rule(
        "payment",
        "has another amount in suspense than its transfers left there",
        select(payment.c.event_id)
        .select_from(_with_flow)
        .where(payment.c.unmatched != func.coalesce(_flows.c.waits, 0)),
    ),
    Rule(
        "payment",
        "is of another amount than its transfers brought",
        select(payment.c.event_id)
        .select_from(_with_flow)
        .where(payment.c.amount != func.coalesce(_flows.c.came, 0)),
    ),
    Rule(
        "payment",
        "belongs to an event that is no payment",
        select(payment.c.event_id)
        .join(event, event.c.id == payment.c.event_id)
        .where(~_is_payment),
    ),
    Rule(
        "event",
        "is a payment without its row",
        select(event.c.id)
        .outerjoin(payment, payment.c.event_id == event.c.id)
        .where(_is_payment, payment.c.event_id.is_(None)),
    ),
    Rule(
        "event",
        "is a payment that does not begin with all of it in suspense",
        select(event.c.id)
        .select_from(_transfers)
        .join(payment, payment.c.event_id == event.c.id)
        .where(
            transfer.c.number == 1,
            or_(
                transfer.c.phase != "single",
                _debit.c.code != "A:Settle:" + payment.c.source,
                _credit.c.code != "L:Suspense:" + payment.c.source,
                cast(transfer.c.amount, String)
                != cast(event.c.body["amount"].as_string(), String),
            ),
        ),
    ),
    Rule(
        "event",
        "pays another amount than was taken for it",
        select(event.c.id)
        .select_from(_transfers)
        .where(event.c.kind.in_(("payment", "payment.match", "received")))
        .group_by(event.c.id)
        .having(_net(_is_post, and_(~_is_post, _from_promised)) != 0),
    ),
    Rule(
        "event",
        "gave back more than was paid",
        select(event.c.id)
        .join(_back, _back.c.about_id == event.c.id)
        .outerjoin(_came, _came.c.event_id == event.c.id)
        .where(_back.c.amount > func.coalesce(_came.c.amount, 0)),
    ),
    Rule(
        "event",
        "was paid back more than was agreed",
        select(event.c.about_id)
        .select_from(_transfers)
        .where(event.c.about_id.is_not(None), or_(_to_agreed, _from_agreed))
        .group_by(event.c.about_id)
        .having(_net(_to_agreed, _from_agreed) < 0),
    ),
    Rule(
        "event",
        "moves something of a rehearsal for what is real, or the other way round",
        select(event.c.id)
        .join(_about, _about.c.id == event.c.about_id)
        .where(event.c.transfers > 0, event.c.test != _about.c.test),
    ),
)
