"""What a line of a settlement file is to the books."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from gateway.payments.form import Kind
from gateway.settlements.lines import Line
from ledger import payments
from ledger.engine import Connection
from ledger.payments import Payment
from ledger.settling import Booked, Settled, booked, settled
from ledger.vault import Keys, look_up

__all__ = ["Verdict", "judge", "payment_of"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A line, what the books have of it, and what is left to be settled of it.

    `differs` names the fields in which the two say otherwise; nothing is done then.
    `settles` is the amount and the fee that no settlement has yet, below nothing for
    what went back; None for nothing.
    """

    line: Line
    payment: Payment = field(repr=False)
    booked: Booked | None
    differs: tuple[str, ...] = ()
    settles: tuple[int, int] | None = None
    times: int = 0


def judge(
    db: Connection, keys: Keys, source: str, lines: Sequence[Line], *, test: bool
) -> list[Verdict]:
    """Hold lines against the books, each on its own; nothing is written."""
    told = [payment_of(source, line) for line in lines]
    known = booked(db, told)
    before = settled(db, [one.event_id for one in known.values()])
    return [
        _verdict(keys, line, payment, known.get(payment.key), before, test)
        for line, payment in zip(lines, told, strict=True)
    ]


def payment_of(source: str, line: Line) -> Payment:
    """The line as the ledger is told of it."""
    return Payment(
        source=source,
        outside_id=line.id,
        kind=payments.Kind(line.kind),
        amount=line.amount,
        paid_at=line.paid_at,
        code=line.code,
        phone=line.phone,
        reference=line.reference,
    )


def _verdict(
    keys: Keys,
    line: Line,
    payment: Payment,
    known: Booked | None,
    before: dict[int, Settled],
    test: bool,
) -> Verdict:
    if known is None:
        return Verdict(line, payment, None, settles=_settles(line, Settled()))
    done = before.get(known.event_id, Settled())
    differs = _differs(keys, line, known, test)
    if not differs:
        differs = _settled_otherwise(line, done)
    settles = None if differs else _settles(line, done)
    return Verdict(line, payment, known, tuple(sorted(differs)), settles, done.times)


def _differs(keys: Keys, line: Line, known: Booked, test: bool) -> set[str]:
    """The fields in which both say something, and not the same.

    What only one of them has is no difference: a file has often no phone, and a time
    to the minute.
    """
    found = set()
    if known.test != test:
        found.add("test")
    if known.amount != line.amount:
        found.add("amount")
    if line.code and known.code and line.code != known.code:
        found.add("code")
    if line.reference and known.reference and line.reference != known.reference:
        found.add("reference")
    if line.phone and known.look_up and look_up(keys, line.phone) != known.look_up:
        found.add("phone")
    if known.paid_at is not None:
        later = known.paid_at - line.paid_at
        # Within its minute or its day; a second either way where it has seconds.
        if not -timedelta(seconds=1) < later < line.within:
            found.add("paid_at")
    return found


def _settled_otherwise(line: Line, done: Settled) -> set[str]:
    found: set[str] = set()
    if not done.times or done.amount != _signed(line):
        # Not settled, or its amount was corrected since: the difference follows.
        return found
    if line.fee is not None and line.fee != done.fee:
        found.add("fee")
    if line.settled_on and done.on and line.settled_on != done.on:
        found.add("settled_at")
    return found


def _settles(line: Line, done: Settled) -> tuple[int, int] | None:
    if not line.is_settled:
        return None
    amount = _signed(line) - done.amount
    # A file without fees says nothing against a fee that was settled.
    fee = 0 if line.fee is None else line.fee - done.fee
    return (amount, fee) if amount or fee else None


def _signed(line: Line) -> int:
    return line.amount if line.kind is Kind.PAYMENT else -line.amount
