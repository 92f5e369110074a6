"""The tables. Events and transfers are facts: they are added, never edited.

An event says what happened, once per key for ever; the transfers it owns move an
amount of one unit from a debit account to a credit account, so every transfer
sums to zero by construction. What may change stands apart from the facts: how far
a text has come, a person's language, the vault that a person can have emptied.
"""

from ledger.schema.assemblies import (
    attendance,
    benefactor,
    decision,
    meeting,
    premises,
)
from ledger.schema.base import Utc, metadata
from ledger.schema.carriers import channel_change, channel_state, unreadable
from ledger.schema.facts import (
    account,
    code,
    event,
    meta,
    person,
    resolution,
    sensitive,
    signup,
    stop,
    transfer,
    unit,
    vault,
)
from ledger.schema.money import (
    batch,
    due,
    fund,
    payment,
    report,
    request,
    request_approval,
    standing,
)
from ledger.schema.places import (
    awaiting,
    place,
    place_above,
    staff,
    tally,
    tally_run,
)
from ledger.schema.seals import (
    checkpoint,
    cosignature,
    leaf,
    rollup,
    tile,
    witness,
)
from ledger.schema.sends import bulk, bulk_approval, consent
from ledger.schema.service import dial_end, lease, menus_current, menus_version, token
from ledger.schema.talk import enquiry, fragment, inbound, question
from ledger.schema.texts import attempt, outbox, part, receipt
from ledger.schema.timebank import favour, introduction
from ledger.schema.volunteers import delivery, entry, invite, need, renumbering

__all__ = [
    "Utc",
    "account",
    "attempt",
    "attendance",
    "awaiting",
    "batch",
    "benefactor",
    "bulk",
    "bulk_approval",
    "channel_change",
    "channel_state",
    "checkpoint",
    "code",
    "consent",
    "cosignature",
    "decision",
    "delivery",
    "dial_end",
    "due",
    "enquiry",
    "entry",
    "event",
    "favour",
    "fragment",
    "fund",
    "inbound",
    "introduction",
    "invite",
    "leaf",
    "lease",
    "meeting",
    "menus_current",
    "menus_version",
    "meta",
    "metadata",
    "need",
    "outbox",
    "part",
    "payment",
    "person",
    "place",
    "place_above",
    "premises",
    "question",
    "receipt",
    "renumbering",
    "report",
    "request",
    "request_approval",
    "resolution",
    "rollup",
    "sensitive",
    "signup",
    "staff",
    "standing",
    "stop",
    "tally",
    "tally_run",
    "tile",
    "token",
    "transfer",
    "unit",
    "unreadable",
    "vault",
    "witness",
]
