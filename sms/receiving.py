"""What carriers post to us: stored first, then believed and obeyed.

Both functions work in one transaction of their caller's, so that a webhook which has
answered has stored, and one that could not store lets the carrier try again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ledger import inbox, people, stops
from ledger.engine import Connection
from ledger.vault import Keys, look_up
from sms.carrier import Inbound, Receipt
from sms.keywords import Keyword, read
from sms.lines import LINE_CHARS_MAX, line_of, obey_receipts
from sms.routes import Channel, Routes

__all__ = ["Received", "take_inbound", "take_receipts"]


@dataclass(frozen=True, slots=True)
class Received:
    """An incoming text: whether it came for the first time, and what it asks for."""

    first: bool
    keyword: Keyword | None


def take_receipts(
    db: Connection,
    keys: Keys,
    routes: Routes,
    channel: Channel,
    receipts: Iterable[Receipt],
    *,
    raw: bytes,
    at: datetime,
) -> None:
    """Store delivery reports and match those whose text is known already.

    `raw` is the post as it came, which is kept with each that has no piece of its own.
    A report that comes twice changes nothing; one whose
    text is not known yet is matched when the answer to its call is written down.
    """
    found = tuple(receipts)
    for receipt in found:
        inbox.store_receipt(
            db,
            keys,
            carrier=channel.name,
            carrier_id=receipt.carrier_id,
            status=receipt.status,
            part=receipt.part,
            raw=receipt.raw or raw,
            at=at,
        )
    ids = list({(channel.name, receipt.carrier_id): None for receipt in found})
    matched = inbox.match_receipts(db, at=at, ids=ids)
    obey_receipts(db, routes, matched, at=at)


def take_inbound(
    db: Connection,
    keys: Keys,
    channel: Channel,
    inbound: Inbound,
    *,
    raw: bytes,
    at: datetime,
) -> Received:
    """Store an incoming text and obey its keyword, once however often it is posted.

    The sender need not be anybody we know: who never called can still say stop.
    """
    hashed = look_up(keys, inbound.sender_phone)
    keyword = read(inbound.text)
    first = inbox.store_inbound(
        db,
        keys,
        carrier=channel.name,
        carrier_id=inbound.carrier_id,
        look_up=hashed,
        line=inbound.line[:LINE_CHARS_MAX],
        raw=inbound.raw or raw,
        keyword=keyword,
        at=at,
    )
    if first and keyword is not None:
        person = people.find(db, keys, inbound.sender_phone)
        obey = stops.stop if keyword is Keyword.STOP else stops.start
        obey(
            db,
            key=f"sms:{channel.name}:{inbound.carrier_id}:{keyword}",
            look_up=hashed,
            line=line_of(channel),
            person_id=None if person is None else person.id,
            channel=channel.name,
            test=channel.test,
            at=at,
        )
    return Received(first, keyword)
