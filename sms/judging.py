"""What a call that has ended means, for its text and for its channel."""

from __future__ import annotations

from datetime import datetime

from sms import calls, ended, endings
from sms.calls import Call
from sms.carrier import Outcome
from sms.condition import Conditions
from sms.ended import Judged
from sms.flights import Flight
from sms.routes import Channel, Routes

__all__ = ["judge"]


def judge(
    flight: Flight, routes: Routes, conditions: Conditions, *, via: str, at: datetime
) -> Judged:
    """Judge a call, and let its channel's pace and health hear of it."""
    call, result = flight.call, calls.said(flight.future)
    row, channel = call.row, call.channel
    if call.message is None:
        return Judged(call, result, endings.of_asking(row, result, now=at))
    assert result is not None, "to send is to be answered"
    other = _another(call, routes, conditions, via, at)
    change = conditions.hear(
        channel,
        result,
        parts=flight.parts,
        taken=flight.taken,
        seconds=flight.ended - flight.began,
        now=flight.ended,
        another=other is not None,
        at=at,
    )
    ending = endings.of_sending(
        row,
        result,
        can_look_up=channel.carrier.can_look_up,
        resend_seconds=channel.unclear_resend_seconds,
        another=other is not None
        and other.name not in row.tried
        and not ended.is_begun(call, result),
        in_doubt=ended.in_doubt(call, result),
        now=at,
    )
    if result.outcome is not Outcome.ACCEPTED:
        calls.tell(call, result, ending)
    return Judged(call, result, ending, change)


def _another(
    call: Call, routes: Routes, conditions: Conditions, via: str, at: datetime
) -> Channel | None:
    """Another channel that could carry the text now."""
    row = call.row
    return routes.choose(
        outbox_id=row.id,
        test=row.test,
        to=call.question.to,
        kind=row.kind,
        tried={*row.tried, call.channel.name},
        paused={*conditions.shut(at), call.channel.name},
        asleep=conditions.asleep(at, but=via),
        shares=conditions.shares(at),
    )
