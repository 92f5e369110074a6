"""A gift looked up by whoever has its code and its amount: is it in the sealed books?

A code that nobody has, another amount and a person who was erased are one answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ledger import erasing, funds
from ledger.chart import RIAL
from ledger.engine import Connection, Engine, reading
from ledger.funds import Share
from ledger.gifts import Gift, gift_by_code
from ledger.pledges import Pledge, pledge_by_code
from ledger.sealing.proofs import Erased, NotSealed, Proof, Sealed, prove, sealed
from phone.amounts import RIAL_PER_TOMAN, Amount, NotAnAmount, read_amount
from phone.codes import NotACode, read_code

__all__ = ["Asked", "Checked", "Misread", "State", "check", "read"]


class State(StrEnum):
    MISSED = "missed"
    # Recorded by a test channel, which is never sealed.
    REHEARSED = "rehearsed"
    # Recorded, and not sealed yet.
    WAITING = "waiting"
    SEALED = "sealed"


class Misread(ValueError):
    """What was typed is no code, or no amount; `field` says which of them."""

    def __init__(self, field: str) -> None:
        super().__init__(f"the {field} cannot be read")
        self.field = field


@dataclass(frozen=True, slots=True)
class Asked:
    """A tracking code, and the amount that whoever asks says it is of."""

    code: str
    amount: Amount


@dataclass(frozen=True, slots=True)
class Checked:
    """What the books say. Only of a sealed gift is there more than its state."""

    state: State
    campaign: str = ""
    purpose: str = ""
    seal: Sealed | None = None
    proof: Proof | None = None
    shares: tuple[Share, ...] = ()


def read(code: str, amount: str) -> Asked:
    """Read what was typed, in any digits; toman where no unit is said.

    Raises Misread.
    """
    try:
        known = read_code(code)
    except NotACode:
        raise Misread("code") from None
    try:
        return Asked(known, read_amount(amount))
    except NotAnAmount:
        raise Misread("amount") from None


def check(engine: Engine, asked: Asked) -> Checked:
    """Look a gift up, and prove what can be proved of it. Raises LedgerError."""
    with reading(engine, snapshot=True) as db:
        # Both are asked for, whichever it is: so no answer comes sooner than another.
        found = pledge_by_code(db, asked.code), gift_by_code(db, asked.code)
        of = found[0] or found[1]
        if of is None or not _is_of(of, asked.amount) or _is_erased(db, of):
            return Checked(State.MISSED)
        if of.test:
            return Checked(State.REHEARSED)
        try:
            proof = prove(db, of.event_id)
        except Erased:
            return Checked(State.MISSED)
        except NotSealed:
            return Checked(State.WAITING)
        return Checked(
            State.SEALED,
            of.campaign,
            of.purpose,
            sealed(db, of.event_id),
            proof,
            tuple(funds.became(db, of.event_id)),
        )


def _is_of(of: Pledge | Gift, amount: Amount) -> bool:
    """Whether it is the amount; of goods a bare number, which was read as toman."""
    if isinstance(of, Gift) or of.unit == RIAL:
        return of.amount == amount.rial
    return amount.unit is None and of.amount * RIAL_PER_TOMAN == amount.rial


def _is_erased(db: Connection, of: Pledge | Gift) -> bool:
    if of.person_id is None:
        return False
    return erasing.is_erased(db, person_id=of.person_id)
