"""Where the database holds something of a person, table by table.

Every table of the schema is in one of the two lists, and every column that could hold
a person's own is named: a test fails for a new one that is not. The table in
docs/privacy.md is made from this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ledger.forgetting import (
    DIAL_ENDS_KEPT,
    KEPT,
    PAYERS_KEPT,
    REASONS_KEPT,
    TEXTS_KEPT,
)

__all__ = ["IMPERSONAL", "INVENTORY", "Entry", "table"]

_MONTH = f"{KEPT.days} days"
_TEXTS = f"what it says: {TEXTS_KEPT.days} days"
_EVER = "for ever"
_PERSON = "until the person is erased"
_NOBODY = "stays, of nobody: the person's own row is empty"
_OWN = "by the person's id"
_HASH = "by the keyed hash"


@dataclass(frozen=True, slots=True)
class Entry:
    """What one table holds of a person.

    `holds` says it column by column; `found` is how a person's rows are found,
    `erasing` what becomes of them, `kept` how long they are kept otherwise.
    """

    table: str
    holds: Mapping[str, str]
    found: str
    erasing: str
    kept: str


INVENTORY = (
    Entry(
        "person",
        {"look_up": "a keyed hash of the phone", "language": "the language chosen"},
        _HASH,
        "emptied; its number stays in the books and names nobody",
        _PERSON,
    ),
    Entry(
        "vault",
        {
            "person_id": "whose",
            "wrapped_key": "the person's own key",
            "phone": "the phone, under that key",
        },
        _OWN,
        "deleted",
        _PERSON,
    ),
    Entry(
        "sensitive",
        {
            "person_id": "whose",
            "answer": "a group, or why a delivery is asked for, under the person's own "
            "key",
            "centre": "the one that may see it",
        },
        _OWN,
        "deleted",
        "a group: while its person is a volunteer of that centre; a reason: while the "
        f"delivery waits, {REASONS_KEPT.days} days at the most",
    ),
    Entry(
        "consent",
        {"person_id": "who agreed to campaign texts, and when"},
        _OWN,
        "deleted",
        _PERSON,
    ),
    Entry(
        "stop",
        {"look_up": "a keyed hash of the phone that wants no texts"},
        _HASH,
        "stays: else texts would begin again",
        _EVER,
    ),
    Entry(
        "event",
        {
            "person_id": "who did it",
            "body": "what was asked for, without a name or a number; of a sign-up the "
            "place as it was given",
        },
        _OWN,
        _NOBODY,
        _EVER,
    ),
    Entry(
        "signup",
        {
            "person_id": "the volunteer",
            "place": "a town, a centre or half a postal code",
            "name": "what they want to be called, under the person's own key",
        },
        _OWN,
        f"the name is emptied; {_NOBODY}",
        _EVER,
    ),
    Entry(
        "entry",
        {
            "person_id": "who was written down by somebody else",
            "answers": "what was written down, under that person's own key",
            "place": "the centre or the booth where it was",
        },
        _OWN,
        f"refused, and emptied; {_NOBODY}",
        "what it says: until the phone answers, 14 days and one at the most",
    ),
    Entry(
        "renumbering",
        {
            "person_id": "whose number is to change",
            "look_up": "a keyed hash of the new phone",
            "phone": "the new phone, under the person's own key",
        },
        _OWN,
        "refused, and emptied",
        "what it says: until it is decided, two days at the most by phone",
    ),
    Entry(
        "benefactor",
        {
            "person_id": "who helps in a district, with what, for how many",
            "name": "what they are called, under the person's own key",
        },
        _OWN,
        f"left, and the name emptied; {_NOBODY}",
        _EVER,
    ),
    Entry(
        "attendance",
        {"person_id": "who was asked to a meeting, and what they answered"},
        _OWN,
        f"deleted of a meeting to come; {_NOBODY}",
        _EVER,
    ),
    Entry(
        "decision",
        {"owner_id": "whose phone answers for the office"},
        _OWN,
        "emptied: the decision stays with the office",
        _EVER,
    ),
    Entry(
        "premises",
        {"person_id": "who offers or asks for premises"},
        _OWN,
        f"closed; {_NOBODY}",
        _EVER,
    ),
    Entry(
        "delivery",
        {
            "person_id": "who asks for it to be brought",
            "place": "a centre or a district",
            "call_back": "whether they may be called",
        },
        _OWN,
        f"one that waits is taken back; {_NOBODY}",
        _EVER,
    ),
    Entry(
        "favour",
        {
            "person_id": "who offers an hour or needs one, and of what kind",
            "place": "the centre or the district where they are",
        },
        _OWN,
        f"closed; {_NOBODY}",
        _EVER,
    ),
    Entry(
        "introduction",
        {
            "giver_id": "who was asked to help",
            "receiver_id": "whom they were to help",
            "place": "the centre that brings them together",
        },
        "by either person's id",
        f"withdrawn, and hours that wait are void; {_NOBODY}",
        _EVER,
    ),
    Entry(
        "leaf",
        {
            "data": "day, campaign, kind, unit, amount, two hashes: published",
            "salt": "what the digests of the rows begin with",
            "digests": "digests of the rows, without what they hold",
            "nonce": "what opens the commitment to a tracking code",
        },
        "by the events",
        "the nonce is emptied; what is hashed into the tree stays",
        _EVER,
    ),
    Entry(
        "payment",
        {
            "look_up": "a keyed hash of the phone that a payment named",
            "reference": "the payment service's own reference",
        },
        _HASH,
        "the hash is emptied",
        f"the hash: {PAYERS_KEPT.days} days",
    ),
    Entry(
        "standing",
        {"person_id": "who gives each month, and how much"},
        _OWN,
        f"ended; {_NOBODY}",
        _EVER,
    ),
    Entry(
        "due",
        {"pledge_id": "whose instalment it is"},
        "by the events",
        "no reminder any more",
        _EVER,
    ),
    Entry(
        "staff",
        {
            "person_id": "whose phone was registered for a centre, as a helper, a "
            "secretary or an owner",
            "place": "which place it was registered for",
        },
        _OWN,
        f"ended; {_NOBODY}",
        _EVER,
    ),
    Entry(
        "invite",
        {"person_id": "who was asked to help, and whether they came"},
        _OWN,
        f"one that waits is withdrawn; {_NOBODY}",
        _EVER,
    ),
    Entry(
        "outbox",
        {
            "person_id": "whom a text is for",
            "slots": "what it says; private words are sealed",
            "closed_why": "an operator's reason",
        },
        f"{_OWN} and their events",
        "what it says is emptied; what has not left is withdrawn",
        _TEXTS,
    ),
    Entry(
        "attempt",
        {
            "carrier_id": "the carrier's id of the text",
            "detail": "what the carrier answered",
        },
        "by the texts",
        "what was answered is emptied",
        _TEXTS.replace("it says", "was answered"),
    ),
    Entry(
        "part",
        {"carrier_id": "the carrier's id of one part of a text"},
        "by the texts",
        "stays: an id of nobody",
        _EVER,
    ),
    Entry(
        "receipt",
        {
            "look_up": "a keyed hash of the phone, where the carrier says it",
            "raw": "the carrier's form, sealed",
            "carrier_id": "the carrier's id of the text",
        },
        f"{_HASH} and by the texts",
        "hash and form are emptied",
        _MONTH,
    ),
    Entry(
        "inbound",
        {
            "look_up": "a keyed hash of who wrote",
            "raw": "the carrier's form, sealed",
            "words": "number and words, sealed",
            "carrier_id": "the carrier's id of the text",
        },
        _HASH,
        "hash, form and words are emptied",
        _MONTH,
    ),
    Entry(
        "fragment",
        {
            "look_up": "a keyed hash of who wrote",
            "raw": "a part of a long text, sealed",
        },
        _HASH,
        "deleted",
        _MONTH,
    ),
    Entry(
        "question",
        {
            "look_up": "a keyed hash of who is asked",
            "person_id": "who is asked",
            "session": "what was answered so far, sealed",
        },
        _OWN,
        "deleted",
        _MONTH,
    ),
    Entry(
        "awaiting",
        {"person_id": "who wants to be told when a campaign opens"},
        _OWN,
        "deleted",
        _PERSON,
    ),
    Entry(
        "enquiry",
        {
            "person_id": "who wrote",
            "words": "what they wrote, sealed",
            "done_why": "an operator's reason",
        },
        _OWN,
        "the words are emptied; an open one is closed",
        f"the words: {_MONTH} after it is done with",
    ),
    Entry(
        "unreadable",
        {"raw": "a post that could not be read, sealed", "why": "what was wrong"},
        "not at all",
        "stays until it is forgotten",
        _MONTH,
    ),
    Entry(
        "dial_end",
        {"dial": "a keyed hash of a call"},
        "not at all",
        "stays until it is forgotten",
        f"{DIAL_ENDS_KEPT.days} days",
    ),
    Entry(
        "request",
        {
            "body": "what is asked for, without a name or a number",
            "why": "an operator's reason",
        },
        "not at all",
        "stays: operators are refused numbers here",
        _EVER,
    ),
)

# Tables that hold nothing of a person who gives or signs up, with those of their
# columns that could.
IMPERSONAL: Mapping[str, frozenset[str]] = {
    "account": frozenset({"code"}),
    "batch": frozenset(),
    "bulk": frozenset({"slots", "audience"}),
    "bulk_approval": frozenset(),
    "channel_change": frozenset(),
    "channel_state": frozenset(),
    "checkpoint": frozenset({"root", "note"}),
    "code": frozenset(),
    "cosignature": frozenset({"line"}),
    "fund": frozenset(),
    "lease": frozenset(),
    "meeting": frozenset(),
    "menus_current": frozenset(),
    "menus_version": frozenset({"source"}),
    "meta": frozenset({"value"}),
    "need": frozenset({"place"}),
    "place": frozenset({"titles", "aliases", "prefixes"}),
    "place_above": frozenset({"place"}),
    "report": frozenset({"figures", "digest"}),
    "request_approval": frozenset(),
    "resolution": frozenset(),
    "rollup": frozenset(),
    "tally": frozenset({"place"}),
    "tally_run": frozenset(),
    "tile": frozenset({"hashes"}),
    "token": frozenset({"digest"}),
    "transfer": frozenset(),
    "unit": frozenset(),
    "witness": frozenset({"public_key"}),
}


def table() -> str:
    """The inventory as a table in Markdown."""
    lines = [
        "| table | what it holds of a person | how it is found | when the person is "
        "erased | kept otherwise |",
        "| --- | --- | --- | --- | --- |",
    ]
    for entry in INVENTORY:
        holds = "; ".join(f"`{name}`: {what}" for name, what in entry.holds.items())
        lines.append(
            f"| `{entry.table}` | {holds} | {entry.found} | {entry.erasing} "
            f"| {entry.kept} |"
        )
    return "\n".join(lines) + "\n"
