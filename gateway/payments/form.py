"""What a form of notices is, and what every one of them hands on.

A form is an entry point in the group `yarigar.payments`: something that makes a `Form`
out of a `Setup`, as a class does. Whoever signs with a channel's secret is believed, so
a form checks the signature before it reads anything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

__all__ = ["Form", "Fund", "Kind", "Notice", "Setup", "Unreadable", "Unsigned"]


class Unreadable(ValueError):
    """The body is not of this form: one line names the field, without its value."""


class Unsigned(ValueError):
    """The signature is missing, wrong or too old: one line."""


class Kind(StrEnum):
    """Which way the money went."""

    PAYMENT = "payment"
    # Somebody was paid back.
    REFUND = "refund"
    # The bank took it back from us, say after a payer's complaint.
    REVERSAL = "reversal"


@dataclass(frozen=True, slots=True)
class Fund:
    """What a gift without a pledge is for."""

    campaign: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Notice:
    """One movement of money that a service vouches for, `amount` in rial.

    `id` is the service's own, once for ever per kind; 1 to 80 printable characters.
    `code` is nine digits, `phone` is E.164. `gift` is what it is for where it answers
    no pledge: a till's, which needs no code, and whose phone is what a shopper claims.
    `partner` is the shop it came through, in at most 40 characters.
    """

    id: str
    kind: Kind
    amount: int
    paid_at: datetime
    code: str | None = None
    phone: str | None = field(default=None, repr=False)
    reference: str | None = field(default=None, repr=False)
    gift: Fund | None = None
    partner: str | None = None


@dataclass(frozen=True, slots=True)
class Setup:
    """What a channel's settings say: `options` are those no channel has by itself."""

    secret: bytes = field(repr=False)
    tolerance: timedelta
    region: str
    campaign: str = ""
    purpose: str = ""
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)


@runtime_checkable
class Form(Protocol):
    """Reads the notices of one channel.

    `fields` names the ledger's words (amount, code, kind, paid_at, phone, reference) as
    the sender calls them, where they differ. Making one raises ValueError with a line
    for every fault of its settings.
    """

    fields: Mapping[str, str]

    def read(self, headers: Mapping[str, str], body: bytes, at: datetime) -> Notice:
        """Read a post; `headers` have small letters. Raises Unsigned or Unreadable."""
