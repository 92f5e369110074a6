"""What a message centre delivered: stored, then believed and obeyed.

Everything works in one transaction of its caller's, who answers the centre when that
stands. A text is told from the centre's second try at it by a mark, which is taken
away when the centre surely has our answer: then the same words are another text.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ledger import fragments, repeats, unreadable
from ledger.engine import Connection
from ledger.fragments import Group
from ledger.repeats import Mark
from ledger.vault import Keys, look_up
from phone.smpp.joining import Piece, Width
from phone.smpp.pdu import Message
from phone.smpp.receipts import is_receipt
from sms.carrier import CARRIER_ID_CHARS_MAX, Inbound, Receipt, Unreadable
from sms.receiving import take_broken, take_inbound, take_receipts
from sms.routes import Channel, Routes
from sms.smpp.carrier import Smpp
from sms.smpp.incoming import Came, octets_of, understand, words_of

__all__ = ["Taken", "take"]


@dataclass(frozen=True, slots=True)
class Taken:
    """What a batch left to be done: texts to be handled, and marks to be cleared.

    `marks` are of those texts whose answers are still to arrive, one for each message
    or None.
    """

    inbound_ids: tuple[int, ...]
    marks: tuple[Mark | None, ...]
    receipts: int
    # Of the receipts, those that named their text as its answer had.
    matched: int = 0


def take(
    db: Connection,
    keys: Keys,
    routes: Routes,
    channel: Channel,
    messages: Sequence[Message],
    *,
    at: datetime,
) -> Taken:
    """Store what a centre delivered, receipts first, and obey what stops or starts.

    What cannot be read is kept too, for whoever has to find out why: a centre that was
    refused would only send it again.
    """
    carrier = channel.carrier
    assert isinstance(carrier, Smpp)
    receipts: list[Receipt] = []
    texts: list[Came | None] = []
    for message in messages:
        found: Receipt | Came | None = None
        try:
            found = understand(message, carrier)
        except Unreadable as why:
            _keep(db, keys, channel, message, why, at)
        if isinstance(found, Receipt):
            receipts.append(found)
        texts.append(found if isinstance(found, Came) else None)
    matched = 0
    if receipts:
        matched = take_receipts(db, keys, routes, channel, receipts, raw=b"", at=at)

    left: list[int] = []
    marks: list[Mark | None] = []
    for message, came in zip(messages, texts, strict=True):
        mark = None
        if came is not None:
            try:
                inbound_id, mark = _text(db, keys, channel, carrier, came, at)
            except Unreadable as why:
                _keep(db, keys, channel, message, why, at)
            else:
                left += [] if inbound_id is None else [inbound_id]
        marks.append(mark)
    return Taken(tuple(left), tuple(marks), len(receipts), matched)


def _text(
    db: Connection,
    keys: Keys,
    channel: Channel,
    carrier: Smpp,
    came: Came,
    at: datetime,
) -> tuple[int | None, Mark | None]:
    """Store a text or a part of one: what is to be handled, and what marks it."""
    if not came.piece.is_whole:
        return _part(db, keys, channel, carrier, came, at), None
    words = words_of([came.piece], carrier.options.codings)
    digest = came.digest(keys)
    mark = Mark(channel.name, look_up(keys, came.sender_phone), came.line, digest)
    if not repeats.mark(db, mark, at=at):
        return None, mark
    inbound = Inbound(
        _named(digest, at), came.sender_phone, came.line, words, raw=came.raw
    )
    taken = take_inbound(db, keys, channel, inbound, raw=b"", at=at)
    return taken.inbound_id, mark


def _part(
    db: Connection,
    keys: Keys,
    channel: Channel,
    carrier: Smpp,
    came: Came,
    at: datetime,
) -> int | None:
    """Keep a part; with the last of them its text is whole. A repeat is known."""
    piece = came.piece
    codings = carrier.options.codings
    # Its words too, for a text that is never whole is taken for what came of it.
    said = {
        # Without the time: the part is known by all of this when it comes again.
        "id": came.digest(keys),
        "from": came.sender_phone,
        "text": words_of([replace(piece, total=1, number=1)], codings),
        "coding": piece.data_coding,
        "octets": piece.octets.hex(),
    }
    added = fragments.add(
        db,
        keys,
        carrier=channel.name,
        look_up=look_up(keys, came.sender_phone),
        line=came.line,
        reference=came.reference,
        total=piece.total,
        part=piece.number,
        raw=json.dumps(said).encode(),
        at=at,
    )
    if added.broken is not None:
        take_broken(db, keys, added.broken, at)
    if added.whole is None:
        return None
    inbound = _joined(added.whole, carrier, at)
    return take_inbound(db, keys, channel, inbound, raw=inbound.raw, at=at).inbound_id


def _joined(group: Group, carrier: Smpp, at: datetime) -> Inbound:
    """A text out of all its parts, by their octets: a letter may be cut in two."""
    parts = {place: json.loads(raw) for place, raw in group.parts.items()}
    pieces = [
        Piece(
            Width.SAR,
            0,
            group.total,
            place,
            part["coding"],
            bytes.fromhex(part["octets"]),
        )
        for place, part in parts.items()
    ]
    first = parts[min(parts)]
    return Inbound(
        _named(first["id"], at),
        first["from"],
        group.line,
        words_of(pieces, carrier.options.codings),
        raw=json.dumps([parts[place] for place in sorted(parts)]).encode(),
    )


def _named(digest: str, at: datetime) -> str:
    """An id of its own for each text, also for one that says what another said."""
    return f"{digest}:{int(at.timestamp() * 1000)}"[:CARRIER_ID_CHARS_MAX]


def _keep(
    db: Connection,
    keys: Keys,
    channel: Channel,
    message: Message,
    why: Unreadable,
    at: datetime,
) -> None:
    unreadable.keep(
        db,
        keys,
        carrier=channel.name,
        way=unreadable.RECEIPTS if is_receipt(message) else unreadable.INBOUND,
        raw=octets_of(message),
        why=str(why),
        at=at,
    )
