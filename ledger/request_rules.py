"""What holds of requests: queries of the rows that break it."""

from __future__ import annotations

from sqlalchemy import String, cast, func, or_, select

from ledger.requests import RequestState
from ledger.rules import Rule
from ledger.schema import event, request, request_approval

__all__ = ["REQUEST_RULES"]

_given = (
    select(func.count())
    .where(request_approval.c.request_id == request.c.id)
    .scalar_subquery()
)

REQUEST_RULES = (
    Rule(
        "request",
        "was done before enough people agreed",
        select(request.c.id).where(
            request.c.state == RequestState.DONE, _given < request.c.needs - 1
        ),
    ),
    Rule(
        "request",
        "was approved by who made it",
        select(request.c.id)
        .join(request_approval, request_approval.c.request_id == request.c.id)
        .where(request_approval.c.who == request.c.made_by),
    ),
    Rule(
        "request",
        "belongs to an event that is no such request",
        select(request.c.id)
        .join(event, event.c.id == request.c.event_id)
        .where(
            or_(
                event.c.kind != "request.made",
                event.c.body["act"].as_string() != request.c.kind,
                event.c.body["by"].as_string() != request.c.made_by,
                # As text: what a body says may have been changed by hand.
                cast(event.c.body["needs"].as_string(), String)
                != cast(request.c.needs, String),
            )
        ),
    ),
    Rule(
        "request_approval",
        "belongs to an event that does not approve this request",
        select(request_approval.c.request_id, request_approval.c.who)
        .join(request, request.c.id == request_approval.c.request_id)
        .join(event, event.c.id == request_approval.c.event_id)
        .where(
            or_(
                event.c.kind != "request.approved",
                event.c.about_id != request.c.event_id,
            )
        ),
    ),
)
