"""What carriers post to us, or tell us when asked: stored first, then believed.

Everything works in one transaction of its caller's, so that a webhook which has
answered has stored, and one that could not store lets the carrier try again. Stop and
start are obeyed in it too; what else a text asks for is done later, by its id.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ledger import consents, fragments, inbox, people, questions, stops, unreadable
from ledger.engine import Connection
from ledger.fragments import Group
from ledger.receipts import match_receipts
from ledger.vault import Keys, look_up
from phone.numbers import is_mobile
from sms.carrier import CARRIER_ID_CHARS_MAX, Inbound, Joint, Receipt, Spoilt
from sms.keywords import Keyword, read
from sms.lines import LINE_CHARS_MAX, line_of, obey_receipts
from sms.routes import Channel, Routes

__all__ = [
    "Received",
    "give_up_parts",
    "take_broken",
    "take_inbound",
    "take_receipts",
    "take_texts",
]

# The same words again, from a carrier that gives texts no ids, are its own repeat.
REPEAT_SECONDS = 600
# Sooner than this nobody has read a question and answered it.
ANSWER_SECONDS_MIN = 5
# What has not come of a long text by then will not come.
PARTS_AWAITED = timedelta(days=1)
# Stands for the parts that did not come.
MISSING = " … "


@dataclass(frozen=True, slots=True)
class Received:
    """An incoming text: whether it came for the first time, and what it asks for.

    `inbound_id` is of one that is still to be handled.
    """

    first: bool
    keyword: Keyword | None = None
    inbound_id: int | None = None


def take_receipts(
    db: Connection,
    keys: Keys,
    routes: Routes,
    channel: Channel,
    receipts: Iterable[Receipt | Spoilt],
    *,
    raw: bytes,
    at: datetime,
) -> int:
    """Store delivery reports and match those whose text is known already; how many.

    `raw` is the post as it came, which is kept with each that has no piece of its own.
    A report that comes twice changes nothing; one whose
    text is not known yet is matched when the answer to its call is written down.
    """
    ids: dict[tuple[str, str], None] = {}
    for receipt in receipts:
        if isinstance(receipt, Spoilt):
            _keep(db, keys, channel, unreadable.RECEIPTS, receipt, at)
            continue
        ids[channel.name, receipt.carrier_id] = None
        inbox.store_receipt(
            db,
            keys,
            carrier=channel.name,
            carrier_id=receipt.carrier_id,
            status=receipt.status,
            part=receipt.part,
            raw=receipt.raw or raw,
            at=at,
            look_up=look_up(keys, receipt.to) if receipt.to else None,
        )
    matched = match_receipts(db, at=at, ids=list(ids))
    obey_receipts(db, routes, matched, at=at)
    return len(matched)


def take_texts(
    db: Connection,
    keys: Keys,
    channel: Channel,
    texts: Iterable[Inbound | Spoilt],
    *,
    raw: bytes,
    at: datetime,
) -> list[int]:
    """Store incoming texts and obey what stops or starts; the ids left to be handled.

    A piece of the post that cannot be read is kept too.
    """
    left: list[int] = []
    for text in texts:
        if isinstance(text, Spoilt):
            _keep(db, keys, channel, unreadable.INBOUND, text, at)
            continue
        received = take_inbound(db, keys, channel, text, raw=raw, at=at)
        if received.inbound_id is not None:
            left.append(received.inbound_id)
    return left


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

    The sender need not be anybody we know: who never called can still say stop. A part
    of a long text is kept until the last of them has come.
    """
    if inbound.joint is not None and inbound.joint.total > 1:
        return _take_part(db, keys, channel, inbound, inbound.joint, at)
    hashed = look_up(keys, inbound.sender_phone)
    keyword = read(inbound.text)
    carrier_id = inbound.carrier_id or _made_id(db, keys, channel, inbound, at)
    inbound_id = inbox.store_inbound(
        db,
        keys,
        carrier=channel.name,
        carrier_id=carrier_id,
        look_up=hashed,
        line=inbound.line[:LINE_CHARS_MAX],
        raw=inbound.raw or raw,
        keyword=keyword,
        at=at,
        words=None
        if keyword is not None
        else {"from": inbound.sender_phone, "text": inbound.text},
    )
    if inbound_id is None or keyword is None:
        return Received(inbound_id is not None, keyword, inbound_id)
    person = people.find(db, keys, inbound.sender_phone)
    if person is None and keyword is Keyword.START and is_mobile(inbound.sender_phone):
        person = people.remember(db, keys, inbound.sender_phone, at=at)
    obey = stops.stop if keyword is Keyword.STOP else stops.start
    recorded = obey(
        db,
        key=f"sms:{channel.name}:{carrier_id}:{keyword}",
        look_up=hashed,
        line=line_of(channel),
        person_id=None if person is None else person.id,
        channel=channel.name,
        test=channel.test,
        at=at,
    )
    if person is not None and keyword is Keyword.START and recorded.first:
        # To ask for campaign texts is to agree to them; a stop leaves the consent to
        # the other lines. A repeat that comes after its text was forgotten is none.
        consents.give(
            db,
            person_id=person.id,
            menus=consents.BY_A_WORD,
            test=channel.test,
            at=at,
        )
    return Received(True, keyword)


def give_up_parts(db: Connection, keys: Keys, *, at: datetime) -> int:
    """Take long texts that never came whole for what came of them; how many."""
    groups = fragments.broken(db, keys, before=at - PARTS_AWAITED)
    for group in groups:
        take_broken(db, keys, group, at)
    return len(groups)


def _take_part(
    db: Connection,
    keys: Keys,
    channel: Channel,
    inbound: Inbound,
    joint: Joint,
    at: datetime,
) -> Received:
    said = {
        "id": inbound.carrier_id,
        "from": inbound.sender_phone,
        "text": inbound.text,
    }
    added = fragments.add(
        db,
        keys,
        carrier=channel.name,
        look_up=look_up(keys, inbound.sender_phone),
        line=inbound.line[:LINE_CHARS_MAX],
        reference=joint.reference,
        total=joint.total,
        part=joint.part,
        raw=json.dumps(said).encode(),
        at=at,
    )
    if added.broken is not None:
        take_broken(db, keys, added.broken, at)
    if added.whole is None:
        return Received(first=True)
    whole = _joined(added.whole)
    return take_inbound(db, keys, channel, whole, raw=whole.raw, at=at)


def take_broken(db: Connection, keys: Keys, group: Group, at: datetime) -> None:
    """Store what came of a text, which is never taken for a stop or a start."""
    came = _joined(group)
    inbox.store_inbound(
        db,
        keys,
        carrier=group.carrier,
        carrier_id=came.carrier_id,
        look_up=group.look_up,
        line=group.line,
        raw=came.raw,
        keyword=None,
        at=at,
        words={"from": came.sender_phone, "text": came.text},
    )


def _joined(group: Group) -> Inbound:
    """A text out of its parts, under the id of the first that is there."""
    parts: Mapping[int, dict[str, str]] = {
        place: json.loads(raw) for place, raw in group.parts.items()
    }
    first = parts[min(parts)]
    texts = [
        parts[place]["text"] if place in parts else MISSING
        for place in range(1, group.total + 1)
    ]
    raw = json.dumps([parts[place] for place in sorted(parts)]).encode()
    return Inbound(first["id"], first["from"], group.line, "".join(texts), raw=raw)


def _made_id(
    db: Connection, keys: Keys, channel: Channel, inbound: Inbound, at: datetime
) -> str:
    """Name a text whose carrier gives it no id.

    A repeat has the name of the first: it follows it within minutes, and nothing else
    came from that phone between. So 11, 12, 11 are three, and 11 the next day is new.
    Nor is it a repeat where the first was answered with a question, long enough ago to
    have been read: two questions in a row may both have the answer 1.
    """
    said = json.dumps([channel.name, inbound.sender_phone, inbound.line, inbound.text])
    digest = hmac.digest(keys.index, b"yarigar text:" + said.encode(), "sha256")
    name = digest.hex()[:40]
    hashed = look_up(keys, inbound.sender_phone)
    last = inbox.last_inbound(
        db,
        carrier=channel.name,
        look_up=hashed,
        since=at - timedelta(seconds=REPEAT_SECONDS),
    )
    if last is not None and last.startswith(f"{name}:"):
        answers_again = questions.was_asked(
            db,
            look_up=hashed,
            carrier=channel.name,
            carrier_id=last,
            before=at - timedelta(seconds=ANSWER_SECONDS_MIN),
        )
        if not answers_again:
            return last
    return f"{name}:{int(at.timestamp() * 1000)}"[:CARRIER_ID_CHARS_MAX]


def _keep(
    db: Connection,
    keys: Keys,
    channel: Channel,
    way: str,
    spoilt: Spoilt,
    at: datetime,
) -> None:
    unreadable.keep(
        db,
        keys,
        carrier=channel.name,
        way=way,
        raw=spoilt.raw,
        why=spoilt.why,
        at=at,
    )
