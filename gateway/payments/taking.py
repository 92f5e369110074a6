"""A notice into the books and its text into the outbox, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypedDict

import structlog

from gateway import receipts
from gateway.faults import Unready
from gateway.library import Library, NoMenus
from gateway.payments.form import Fund, Kind, Notice
from gateway.payments.purposes import insist
from ledger import gifts, payments
from ledger.engine import Connection, Engine, writing
from ledger.events import find
from ledger.payments import Outcome, Paid, Payment
from ledger.vault import Keys
from ussd.menus import Menus

__all__ = ["Channel", "Conflict", "Status", "Taken", "menus_in_force", "take"]

# What our own settings add to what a till says.
OURS = frozenset({"campaign", "purpose"})

log = structlog.get_logger()


class Status(StrEnum):
    """What a sender is told: booked, had already, or booked and not yet matched."""

    RECORDED = "recorded"
    REPEATED = "repeated"
    SUSPENSE = "suspense"


class Conflict(Exception):
    """The id came before with another body; `differs` names the sender's fields."""

    def __init__(self, differs: tuple[str, ...]) -> None:
        super().__init__(f"this id came before with another {', '.join(differs)}")
        self.differs = differs


@dataclass(frozen=True, slots=True)
class Channel:
    """Whose notice it is, and what that sender calls the ledger's words."""

    name: str
    test: bool
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Taken:
    """What the sender is answered, and whether a text waits to leave."""

    status: Status
    code: str | None
    texted: bool


class _Where(TypedDict):
    channel: str
    test: bool
    at: datetime


def take(
    engine: Engine,
    keys: Keys,
    library: Library,
    channel: Channel,
    notice: Notice,
    at: datetime,
) -> Taken:
    """Record a notice, once for its id and kind, and promise the donor's receipt.

    Raises Conflict, or LedgerError: then nothing stands, or the same again finds it.
    """
    menus = menus_in_force(library)
    if notice.gift is not None:
        _warn_of(channel, notice.gift, menus)
    with writing(engine) as db:
        paid = _record(db, keys, channel, notice, at)
        if paid.outcome is Outcome.DIFFERS:
            told = set(paid.differs) - OURS
            raise Conflict(tuple(sorted(channel.fields.get(n, n) for n in told)))
        texted = _tell(db, menus, channel, notice, paid, at)
    return Taken(_status(paid), _code(notice, paid), texted)


def menus_in_force(library: Library) -> Menus | None:
    """The menus whose words a receipt has. Without any, money is booked too."""
    try:
        return library.current(None)
    except NoMenus as missing:
        log.warning("receipt_without_menus", why=str(missing))
        return None


def _warn_of(channel: Channel, fund: Fund, menus: Menus | None) -> None:
    """Say in the log that a till collects for nothing that the menus name.

    Its shopper has paid, so the gift is booked all the same.
    """
    try:
        if menus is not None:
            insist(menus, fund.campaign, fund.purpose)
    except Unready as fault:
        log.error("till_for_nothing", channel=channel.name, why=str(fault))


def _record(
    db: Connection, keys: Keys, channel: Channel, notice: Notice, at: datetime
) -> Paid:
    told = Payment(
        source=channel.name,
        outside_id=notice.id,
        kind=payments.Kind(notice.kind),
        amount=notice.amount,
        paid_at=notice.paid_at,
        code=notice.code,
        phone=notice.phone,
        reference=notice.reference,
    )
    where = _Where(channel=channel.name, test=channel.test, at=at)
    if notice.kind is not Kind.PAYMENT:
        return payments.told_back(db, keys, told, **where)
    if notice.gift is None:
        return payments.pay(db, keys, told, partner=notice.partner, **where)
    paid = gifts.give_at_till(
        db,
        keys,
        told,
        campaign=notice.gift.campaign,
        purpose=notice.gift.purpose,
        partner=notice.partner,
        **where,
    )
    if paid.outcome is Outcome.DIFFERS and OURS.issuperset(paid.differs):
        return _as_before(db, told)
    return paid


def _as_before(db: Connection, told: Payment) -> Paid:
    """A sale that was booked before an operator changed what a till collects for.

    The till says the same as then, and is answered as then.
    """
    first = find(db, key=told.key)
    assert first is not None
    return Paid(Outcome.GIFT, first.event_id, first=False, code=first.code)


def _tell(
    db: Connection,
    menus: Menus | None,
    channel: Channel,
    notice: Notice,
    paid: Paid,
    at: datetime,
) -> bool:
    return receipts.tell(
        db,
        menus,
        paid,
        campaign=notice.gift.campaign if notice.gift else None,
        at_till=notice.gift is not None,
        test=channel.test,
        at=at,
    )


def _status(paid: Paid) -> Status:
    if not paid.first:
        return Status.REPEATED
    return Status.SUSPENSE if paid.outcome is Outcome.SUSPENSE else Status.RECORDED


def _code(notice: Notice, paid: Paid) -> str | None:
    """The code that a sender may read: of its own gift, or the one it named.

    A phone or a reference that led to a pledge does not tell its code.
    """
    if notice.gift is not None or paid.code == notice.code:
        return paid.code
    return None
