"""The parts of long texts that are handed over one by one, each with an id of its own.

A part is written down before it leaves, as an attempt is, so that a death in between
leaves it without an outcome. What every attempt brought of a text adds up: a part is
taken if any attempt got it accepted, and in doubt if one may have.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, insert, or_, select, update

from ledger.prepared import Prepared
from ledger.schema import Utc, attempt, outbox, part, person

__all__ = [
    "Before",
    "Begun",
    "Ended",
    "begin_parts",
    "end_parts",
    "next_reference",
    "parts_of",
    "settle",
]

# A handset joins parts by 8 or 16 bits.
REFERENCE_MAX = 65_535


@dataclass(frozen=True, slots=True)
class Begun:
    """A part that is about to leave."""

    outbox_id: int
    number: int
    part: int
    total: int
    reference: int
    carrier: str


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a part."""

    outbox_id: int
    number: int
    part: int
    outcome: str
    carrier_id: str | None = None


@dataclass(frozen=True, slots=True)
class Before:
    """What the attempts so far brought of a text over one channel."""

    carrier: str
    reference: int
    total: int
    # Surely taken, and perhaps.
    taken: frozenset[int]
    unclear: frozenset[int]

    @property
    def left(self) -> tuple[int, ...]:
        """The parts that surely nobody took yet."""
        gone = self.taken | self.unclear
        return tuple(n for n in range(1, self.total + 1) if n not in gone)


_NEXT = Prepared(
    update(person)
    .where(person.c.id == bindparam("of_person"))
    .values(long_texts=person.c.long_texts + 1)
    .returning(person.c.long_texts)
)


def next_reference(db: Connection, *, person_id: int) -> int:
    """What the parts of the next long text to this phone are joined by.

    A number of 16 bits, never 0, counted for each phone: 256 long texts lie between two
    of one reference even where a channel has room for only 8 bits of it.
    """
    count: int = _NEXT.scalar(db, of_person=person_id)
    return (count - 1) % REFERENCE_MAX + 1


_BEGIN = Prepared(insert(part))


def begin_parts(db: Connection, parts: Iterable[Begun], *, at: datetime) -> None:
    """Write down that parts are about to leave, in the transaction of their attempt."""
    _BEGIN.many(
        db,
        [
            {
                "outbox_id": one.outbox_id,
                "number": one.number,
                "part": one.part,
                "total": one.total,
                "reference": one.reference,
                "carrier": one.carrier,
                "began_at": at,
            }
            for one in parts
        ],
    )


_END = Prepared(
    update(part)
    .where(
        part.c.outbox_id == bindparam("of_id"),
        part.c.number == bindparam("of_number"),
        part.c.part == bindparam("of_part"),
        # An outcome that is sure stands: a receipt may have said it meanwhile.
        or_(part.c.outcome.is_(None), part.c.outcome == "ambiguous"),
    )
    .values(
        outcome=bindparam("with_outcome"),
        carrier_id=func.coalesce(bindparam("with_id"), part.c.carrier_id),
        ended_at=bindparam("now", type_=Utc),
    )
)


def end_parts(db: Connection, parts: Iterable[Ended], *, at: datetime) -> None:
    """Write down what became of parts."""
    _END.many(
        db,
        [
            {
                "of_id": one.outbox_id,
                "of_number": one.number,
                "of_part": one.part,
                "with_outcome": one.outcome,
                "with_id": one.carrier_id,
                "now": at,
            }
            for one in parts
        ],
    )


_PARTS = (
    select(
        part.c.outbox_id,
        part.c.part,
        part.c.total,
        part.c.reference,
        part.c.carrier,
        part.c.outcome,
    )
    .where(part.c.outbox_id.in_(bindparam("texts", expanding=True)))
    .order_by(part.c.outbox_id, part.c.number, part.c.part)
)


def parts_of(db: Connection, outbox_ids: Sequence[int]) -> dict[int, Before]:
    """What is known of the parts of these texts, by text; those without any are not in.

    Of a text that left over one channel in vain and then over another, the last counts.
    """
    if not outbox_ids:
        return {}
    rows: dict[int, list[tuple[int, int, int, str, str | None]]] = {}
    for id, *row in db.execute(_PARTS, {"texts": list(outbox_ids)}):
        rows.setdefault(id, []).append(tuple(row))
    return {id: _before(of_it) for id, of_it in rows.items()}


def _before(rows: Sequence[tuple[int, int, int, str, str | None]]) -> Before:
    _, total, reference, carrier, _ = rows[-1]
    same = [row for row in rows if row[1:4] == (total, reference, carrier)]
    taken = frozenset(row[0] for row in same if row[4] == "accepted")
    unclear = frozenset(row[0] for row in same if row[4] in (None, "ambiguous"))
    return Before(carrier, reference, total, taken, unclear - taken)


_UNCLEAR = select(outbox.c.id, outbox.c.attempts).where(
    outbox.c.id.in_(bindparam("texts", expanding=True)), outbox.c.state == "unclear"
)
_SETTLE_ATTEMPT = Prepared(
    update(attempt)
    .where(
        attempt.c.outbox_id == bindparam("of_id"),
        attempt.c.number == bindparam("of_number"),
        attempt.c.outcome == "ambiguous",
    )
    .values(outcome=bindparam("with_outcome"))
)
_SETTLE = Prepared(
    update(outbox)
    .where(outbox.c.id == bindparam("of_id"), outbox.c.state == "unclear")
    .values(
        state=bindparam("to_state"),
        due_at=bindparam("now", type_=Utc),
        changed_at=bindparam("now", type_=Utc),
    )
)


def settle(db: Connection, *, outbox_ids: Sequence[int], at: datetime) -> None:
    """Take texts out of doubt whose every part is known by now, say by a receipt.

    One with all its parts taken was sent; one that lacks some is queued for those.
    """
    if not outbox_ids:
        return
    unclear = db.execute(_UNCLEAR, {"texts": list(outbox_ids)}).all()
    known = parts_of(db, [row.id for row in unclear])
    for row in unclear:
        before = known.get(row.id)
        if before is None or before.unclear:
            continue
        outcome, state = (
            ("retryable", "queued") if before.left else ("accepted", "sent")
        )
        _SETTLE_ATTEMPT.run(
            db, of_id=row.id, of_number=row.attempts, with_outcome=outcome
        )
        _SETTLE.run(db, of_id=row.id, to_state=state, now=at)
