"""Receipts of ids that nobody told us: the answer that should have was lost.

Then the receipt that comes for a part is the first to say its id, and it is known by
its channel, its phone and its time alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import (
    Connection,
    Integer,
    and_,
    bindparam,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    update,
)

from ledger.outbox import Kind, State, raise_state
from ledger.parts import settle
from ledger.prepared import Prepared
from ledger.receipts import MATCH_DAYS_MAX, Matched, match_receipts
from ledger.schema import Utc, attempt, event, outbox, part, person, receipt

__all__ = ["adopt_orphans"]

# More texts in doubt than that are looked at on a later round.
TEXTS_MAX = 5_000
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A part, or a text of one (`part` 0), whose answer was lost; `lost` once it is."""

    outbox_id: int
    number: int
    part: int
    began_at: datetime
    lost: bool


@dataclass(slots=True)
class _Orphan:
    """An id that no text has, from what its receipts say."""

    carrier_id: str
    first_at: datetime
    statuses: set[str] = field(default_factory=set)


def adopt_orphans(
    db: Connection, *, channel: str, older_than: timedelta, at: datetime
) -> list[Matched]:
    """Give receipts of unknown ids to parts whose answer was lost, where it is sure.

    A receipt older than the response time `older_than` belongs to nothing whose answer
    may still come. If it is of a phone that has parts in doubt which left before it,
    it is one of theirs. Which it is nobody can say, so there has to be one for each of
    them: then all parts left, and a text is delivered when all its parts are, whichever
    receipt is whose. With fewer, some part never arrived, and the wrong one would be
    sent again. Of several texts all have to say the same. No receipt is given twice,
    and what is not sure waits.
    """
    people = _in_doubt(db, channel)
    orphans = _orphans(db, channel, people, at, older_than)
    doubts = _doubts(db, channel, [people[look_up] for look_up in orphans], at)
    taken: list[_Doubt] = []
    ids: list[tuple[str, str]] = []
    for look_up, of_phone in orphans.items():
        for doubt, orphan in _pairs(doubts.get(look_up, []), of_phone):
            if _give(db, doubt, orphan, at):
                taken.append(doubt)
                ids.append((channel, orphan.carrier_id))
    if not taken:
        return []
    matched = match_receipts(db, at=at, ids=ids)
    for doubt in taken:
        if doubt.part == 0:
            # Whatever its receipt says, the centre has it.
            raise_state(db, outbox_id=doubt.outbox_id, state=State.SENT, at=at)
    pieces = sorted({doubt.outbox_id for doubt in taken if doubt.part})
    settle(db, outbox_ids=pieces, at=at)
    return matched


_IN_DOUBT = (
    select(person.c.id, person.c.look_up)
    .join(outbox, outbox.c.person_id == person.c.id)
    .where(
        outbox.c.state == State.UNCLEAR,
        # Named for the index.
        outbox.c.kind.in_(list(Kind)),
        outbox.c.via == bindparam("of_channel"),
        person.c.look_up.is_not(None),
    )
    .distinct()
    .limit(bindparam("room", type_=Integer))
)


def _in_doubt(db: Connection, channel: str) -> dict[bytes, int]:
    """Who has a text in doubt on this channel, by phone."""
    rows = db.execute(_IN_DOUBT, {"of_channel": channel, "room": TEXTS_MAX})
    return {bytes(look_up): person_id for person_id, look_up in rows}


_TEXTS = (
    select(outbox.c.id, person.c.look_up)
    .join(event, event.c.id == outbox.c.event_id)
    .join(person, person.c.id == event.c.person_id)
    .where(
        # A text is found by its event: there is no index of a person's texts.
        event.c.person_id.in_(bindparam("people", expanding=True)),
        outbox.c.changed_at > bindparam("since", type_=Utc),
        outbox.c.attempts > 0,
    )
)


def _may_be_meant(table: Any) -> Any:
    """What has no id: no answer came, or one without an id in it."""
    return or_(
        table.c.outcome.is_(None), table.c.outcome.in_(["ambiguous", "accepted"])
    )


_WHOLE = select(
    attempt.c.outbox_id,
    attempt.c.number,
    literal(0).label("part"),
    attempt.c.began_at,
    func.coalesce(attempt.c.outcome == "ambiguous", false()).label("lost"),
).where(
    attempt.c.outbox_id.in_(bindparam("texts", expanding=True)),
    attempt.c.carrier == bindparam("of_channel"),
    attempt.c.carrier_id.is_(None),
    _may_be_meant(attempt),
    ~exists().where(
        part.c.outbox_id == attempt.c.outbox_id, part.c.number == attempt.c.number
    ),
    attempt.c.began_at > bindparam("since", type_=Utc),
)
_PIECES = (
    select(
        part.c.outbox_id,
        part.c.number,
        part.c.part,
        part.c.began_at,
        or_(
            part.c.outcome == "ambiguous",
            # Its process died before it wrote down anything of its parts.
            and_(part.c.outcome.is_(None), attempt.c.outcome == "ambiguous"),
        ).label("lost"),
    )
    .join(
        attempt,
        and_(
            attempt.c.outbox_id == part.c.outbox_id, attempt.c.number == part.c.number
        ),
    )
    .where(
        part.c.outbox_id.in_(bindparam("texts", expanding=True)),
        part.c.carrier == bindparam("of_channel"),
        part.c.carrier_id.is_(None),
        _may_be_meant(part),
        part.c.began_at > bindparam("since", type_=Utc),
    )
)


def _doubts(
    db: Connection, channel: str, people: Iterable[int], at: datetime
) -> dict[bytes, list[_Doubt]]:
    """All that these people were sent over the channel and that has no id.

    Whatever became of its text since: an orphan may be an earlier attempt's.
    """
    since = at - timedelta(days=MATCH_DAYS_MAX)
    whose = {
        id: bytes(look_up)
        for some in _some(people)
        for id, look_up in db.execute(_TEXTS, {"people": some, "since": since})
    }
    found: dict[bytes, list[_Doubt]] = defaultdict(list)
    for some in _some(whose):
        asked = {"texts": some, "of_channel": channel, "since": since}
        for statement in (_WHOLE, _PIECES):
            for id, *rest in db.execute(statement, asked):
                number, place, began_at, lost = rest
                doubt = _Doubt(id, number, place, began_at, bool(lost))
                found[whose[id]].append(doubt)
    return found


Value = TypeVar("Value")


def _some(values: Iterable[Value]) -> Iterator[list[Value]]:
    """All of them, as many at a time as one statement names."""
    left = iter(values)
    while some := list(islice(left, AT_ONCE)):
        yield some


_ORPHANS = (
    select(receipt.c.look_up, receipt.c.carrier_id, receipt.c.status, receipt.c.at)
    .where(
        receipt.c.matched_at.is_(None),
        receipt.c.at > bindparam("since", type_=Utc),
        receipt.c.at <= bindparam("until", type_=Utc),
        receipt.c.carrier == bindparam("of_channel"),
        receipt.c.look_up.in_(bindparam("phones", expanding=True)),
    )
    .order_by(receipt.c.at, receipt.c.id)
)


def _orphans(
    db: Connection,
    channel: str,
    phones: Iterable[bytes],
    at: datetime,
    older_than: timedelta,
) -> dict[bytes, list[_Orphan]]:
    """The orphans of these phones, each phone's oldest first."""
    found: dict[bytes, dict[str, _Orphan]] = defaultdict(dict)
    for some in _some(phones):
        rows: Iterable[Any] = db.execute(
            _ORPHANS,
            {
                "since": at - timedelta(days=MATCH_DAYS_MAX),
                "until": at - older_than,
                "of_channel": channel,
                "phones": some,
            },
        )
        for row in rows:
            of_phone = found[bytes(row.look_up)]
            orphan = of_phone.setdefault(
                row.carrier_id, _Orphan(row.carrier_id, row.at)
            )
            orphan.statuses.add(row.status)
    return {look_up: list(of_it.values()) for look_up, of_it in found.items()}


def _pairs(
    doubts: Sequence[_Doubt], orphans: Sequence[_Orphan]
) -> list[tuple[_Doubt, _Orphan]]:
    """Which orphan is whose, of one phone; nothing where that is not sure."""
    last = orphans[-1].first_at
    candidates = sorted(
        (doubt for doubt in doubts if doubt.began_at <= last),
        key=lambda doubt: (doubt.began_at, doubt.outbox_id, doubt.number, doubt.part),
    )
    if not all(doubt.lost for doubt in candidates):
        # The answer to one of them may have come, and not been written down yet.
        return []
    if len(orphans) > len(candidates):
        # Some are about nothing of ours, and nobody knows which.
        return []
    pairs = list(zip(candidates, orphans, strict=False))
    if any(doubt.began_at > orphan.first_at for doubt, orphan in pairs):
        return []
    is_one_text = len({doubt.outbox_id for doubt in candidates}) == 1
    are_all = len(orphans) == len(candidates)
    effects = {_effect(orphan) for orphan in orphans}
    # One that is only on its way may still come to something else than its sister.
    say_the_same = len(effects) == 1 and effects != {None}
    return pairs if are_all and (is_one_text or say_the_same) else []


def _effect(orphan: _Orphan) -> str | None:
    """What an orphan's receipts come to; None while that is not known."""
    ends = ("delivered", "opted_out", "failed")
    return next((status for status in ends if status in orphan.statuses), None)


_GIVE_WHOLE = Prepared(
    update(attempt)
    .where(
        attempt.c.outbox_id == bindparam("of_id"),
        attempt.c.number == bindparam("of_number"),
        attempt.c.carrier_id.is_(None),
    )
    .values(carrier_id=bindparam("with_id"), outcome="accepted")
)
_GIVE_PIECE = Prepared(
    update(part)
    .where(
        part.c.outbox_id == bindparam("of_id"),
        part.c.number == bindparam("of_number"),
        part.c.part == bindparam("of_part"),
        part.c.carrier_id.is_(None),
    )
    .values(
        carrier_id=bindparam("with_id"),
        outcome="accepted",
        ended_at=bindparam("now", type_=Utc),
    )
)


def _give(db: Connection, doubt: _Doubt, orphan: _Orphan, at: datetime) -> bool:
    named = {
        "of_id": doubt.outbox_id,
        "of_number": doubt.number,
        "with_id": orphan.carrier_id,
    }
    if doubt.part == 0:
        return _GIVE_WHOLE.run(db, **named) == 1
    return _GIVE_PIECE.run(db, **named, of_part=doubt.part, now=at) == 1
