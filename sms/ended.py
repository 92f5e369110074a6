"""Calls that have ended: what they mean for their texts, written down together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ledger import attempts, parts, reuse
from ledger.engine import Connection
from ledger.outbox import State
from ledger.receipts import match_receipts
from sms import condition
from sms.asking import first_due
from sms.calls import Call
from sms.carrier import Outcome, Piece, Result
from sms.endings import Ending
from sms.health import Change
from sms.lines import obey_receipts, stop
from sms.routes import Routes

__all__ = ["Judged", "in_doubt", "is_begun", "write"]


@dataclass(frozen=True, slots=True)
class Judged:
    """A call that ended, and what follows: no ending that the text may be sent again.

    `result` is None only of a carrier that was asked and never had the text.
    """

    call: Call
    result: Result | None
    ending: Ending | None
    change: Change | None = None


def in_doubt(call: Call, result: Result) -> bool:
    """Whether parts that an earlier call left in doubt are in doubt after this one."""
    message, before = call.message, call.row.before
    if message is None or before is None or message.reference != before.reference:
        return False
    taken = {
        piece.part
        for piece in _pieces(call, result)
        if piece.outcome is Outcome.ACCEPTED
    }
    return bool(before.unclear - taken)


def is_begun(call: Call, result: Result) -> bool:
    """Whether a part of the text was taken, now or before: then it stays there."""
    before = call.row.before
    return bool(before is not None and before.taken) or any(
        piece.outcome is Outcome.ACCEPTED for piece in _pieces(call, result)
    )


def write(
    db: Connection,
    routes: Routes,
    judged: Sequence[Judged],
    *,
    owner: str,
    at: datetime,
) -> None:
    """Write down calls that have ended, and what follows from them."""
    for channel, given in _given(judged).items():
        reuse.retire(db, channel=channel, given=given)
    attempts.end(db, [_ended(news, at) for news in judged], owner=owner, at=at)
    parts.end_parts(db, _ended_parts(judged), at=at)
    for news in judged:
        if news.change is not None:
            condition.write(db, news.change)
        row, ending = news.call.row, news.ending
        if ending is not None and ending.stops_line and row.look_up is not None:
            stop(
                db,
                news.call.channel,
                look_up=row.look_up,
                person_id=row.person_id,
                key=f"texts:{row.id}:{news.call.number}:stop",
                at=at,
            )
    # A fast carrier's receipt is there before its own answer is.
    if ids := list(_ids(judged)):
        matched = match_receipts(db, at=at, ids=ids)
        obey_receipts(db, routes, matched, at=at)


def _ended(news: Judged, at: datetime) -> attempts.Ended:
    call, result, ending = news.call, news.result, news.ending
    if result is None or ending is None:
        return attempts.Ended(
            outbox_id=call.row.id,
            number=call.number,
            outcome=Outcome.RETRYABLE,
            detail="the carrier never had it",
        )
    unclear = ending.state is State.UNCLEAR
    sent = ending.state is State.SENT
    return attempts.Ended(
        outbox_id=call.row.id,
        number=call.number,
        # A text stays in doubt as long as one part of it does.
        outcome=Outcome.AMBIGUOUS if unclear else result.outcome,
        state=ending.state,
        due_at=first_due(call.channel, at) if sent else ending.due_at,
        # Of several parts each has an id of its own.
        carrier_id=result.carrier_id if not _in_parts(call, result) else None,
        detail=result.detail,
        parts=result.parts,
        cost=result.cost or None,
    )


def _ended_parts(judged: Iterable[Judged]) -> list[parts.Ended]:
    return [
        parts.Ended(
            outbox_id=news.call.row.id,
            number=news.call.number,
            part=piece.part,
            outcome=piece.outcome,
            carrier_id=piece.carrier_id,
        )
        for news in judged
        if news.result is not None
        for piece in _pieces(news.call, news.result)
    ]


def _given(judged: Iterable[Judged]) -> dict[str, list[tuple[str, int]]]:
    """The ids that message centres gave, which may count from 1 again any day."""
    given: dict[str, list[tuple[str, int]]] = {}
    for news in judged:
        if news.result is None or not news.call.channel.smpp:
            continue
        said = [news.result.carrier_id, *(p.carrier_id for p in news.result.pieces)]
        given.setdefault(news.call.channel.name, []).extend(
            (carrier_id, news.call.row.id) for carrier_id in said if carrier_id
        )
    return {channel: ids for channel, ids in given.items() if ids}


def _ids(judged: Iterable[Judged]) -> Iterator[tuple[str, str]]:
    for news in judged:
        if news.result is None:
            continue
        said = [news.result.carrier_id, *(p.carrier_id for p in news.result.pieces)]
        for carrier_id in dict.fromkeys(said):
            if carrier_id is not None:
                yield news.call.channel.name, carrier_id


def _in_parts(call: Call, result: Result) -> bool:
    return bool(_pieces(call, result))


def _pieces(call: Call, result: Result) -> Sequence[Piece]:
    """What became of each part of a call that handed over several parts one by one.

    One that nothing was said of fared as the call did.
    """
    message = call.message
    if message is None or message.reference == 0:
        return ()
    told = {piece.part: piece for piece in result.pieces}
    return [told.get(n) or Piece(n, result.outcome) for n in message.parts]
