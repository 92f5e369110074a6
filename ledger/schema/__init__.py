"""The tables. Events and transfers are facts: they are added, never edited.

An event says what happened, once per key for ever; the transfers it owns move an
amount of one unit from a debit account to a credit account, so every transfer
sums to zero by construction. What may change stands apart from the facts: how far
a text has come, a person's language, the vault that a person can have emptied.
"""

from ledger.schema.base import Utc, metadata
from ledger.schema.carriers import channel_change, channel_state, unreadable
from ledger.schema.facts import (
    account,
    code,
    event,
    meta,
    person,
    resolution,
    signup,
    stop,
    transfer,
    unit,
    vault,
)
from ledger.schema.sends import bulk, bulk_approval, consent
from ledger.schema.service import dial_end, lease, menus_current, menus_version, token
from ledger.schema.talk import enquiry, fragment, inbound, question
from ledger.schema.texts import attempt, outbox, part, receipt

__all__ = [
    "Utc",
    "account",
    "attempt",
    "bulk",
    "bulk_approval",
    "channel_change",
    "channel_state",
    "code",
    "consent",
    "dial_end",
    "enquiry",
    "event",
    "fragment",
    "inbound",
    "lease",
    "menus_current",
    "menus_version",
    "meta",
    "metadata",
    "outbox",
    "part",
    "person",
    "question",
    "receipt",
    "resolution",
    "signup",
    "stop",
    "token",
    "transfer",
    "unit",
    "unreadable",
    "vault",
]
