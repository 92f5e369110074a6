"""The money of a purpose: how much of it is unspent, and what it became.

Money given for a purpose is spent on that purpose only. Who spends or pays back holds
the purpose's row until the end of the transaction, so that two never take the same
rial; nobody who gives waits for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from ledger.once import Once
from ledger.requests import Refused
from ledger.schema import batch, event, fund
from ledger.tracing_gifts import Purpose, eaten_of, reaches, sums
from ledger.whereabouts import whereabouts

__all__ = ["Share", "Spent", "became", "hold", "lock", "spent", "unspent"]


class Spent(Refused):
    """So much is not there to be spent or paid back; says how much is."""


@dataclass(frozen=True, slots=True)
class Share:
    """A batch that a gift helped to buy, and with how many rial.

    `quantity` and `delivered` are the whole batch's, in `unit`; `event_id` is its
    purchase.
    """

    number: int
    title: str
    unit: str
    quantity: int
    delivered: int
    amount: int
    event_id: int


def unspent(db: Connection, *, campaign: str, purpose: str, test: bool) -> int:
    """Rial of a purpose that are neither spent nor paid back nor agreed to be."""
    return sums(db, Purpose(campaign, purpose, test)).unspent


def hold(
    db: Connection, *, campaign: str, purpose: str, test: bool, amount: int
) -> None:
    """Hold a purpose's money until the transaction ends.

    To be called before any transfer is recorded. Raises Spent if less than `amount` is
    unspent.
    """
    of = Purpose(campaign, purpose, test)
    lock(db, of)
    # Statements of their own: they have to see what the transaction before this did.
    if not reaches(db, of, amount):
        raise spent(db, of, amount)


def lock(db: Connection, of: Purpose) -> None:
    """Wait for whoever holds this purpose's money, and hold it."""
    named = {"campaign": of.campaign, "purpose": of.purpose, "test": of.test}
    _insert(db, **named)
    db.execute(select(fund.c.amount).filter_by(**named).with_for_update()).one()


def spent(db: Connection, of: Purpose, amount: int) -> Spent:
    """The refusal of an amount that is not there, with the figures."""
    found = sums(db, of)
    return Spent(
        f"{amount} rial are wanted, and {max(0, found.unspent)} given for {of.purpose} "
        f"are unspent: {found.given} given, {found.returned} paid back, "
        f"{found.spent} spent"
    )


def became(db: Connection, pledge_event_id: int) -> list[Share]:
    """Which purchases the money of a pledge or gift paid for, the first one first.

    Empty while none of it is spent.
    """
    of = db.execute(
        select(event.c.campaign, event.c.purpose, event.c.test).where(
            event.c.id == pledge_event_id
        )
    ).one_or_none()
    if of is None or of.campaign is None or of.purpose is None:
        return []
    shares = []
    for event_id, amount in eaten_of(db, Purpose(*of), pledge_event_id):
        row = db.execute(
            select(batch.c.number, batch.c.title, batch.c.unit, batch.c.quantity).where(
                batch.c.event_id == event_id
            )
        ).one()
        delivered = whereabouts(db, event_id).delivered_in_all
        shares.append(Share(*row, delivered, amount, event_id))
    return shares


_insert = Once(
    fund, fund.c.campaign, fund.c.purpose, fund.c.test, returning=fund.c.campaign
)
