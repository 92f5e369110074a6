"""What carriers tell us: receipts and incoming texts, stored before they are believed.

Each is stored as it came, once. An incoming text waits until somebody has done what it
asks for; `receipts` matches a receipt with its text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from ledger import reuse
from ledger.once import Once
from ledger.receipts import Matched, match_receipts
from ledger.schema import Utc, inbound, receipt
from ledger.vault import Keys, seal_raw

__all__ = [
    "Matched",
    "last_inbound",
    "match_receipts",
    "store_inbound",
    "store_receipt",
]

_receipt_once = Once(
    receipt,
    receipt.c.carrier,
    receipt.c.carrier_id,
    receipt.c.status,
    receipt.c.part,
    returning=receipt.c.id,
)
_inbound_once = Once(
    inbound, inbound.c.carrier, inbound.c.carrier_id, returning=inbound.c.id
)


def store_receipt(
    db: Connection,
    keys: Keys,
    *,
    carrier: str,
    carrier_id: str,
    status: str,
    raw: bytes,
    at: datetime,
    part: int = 0,
    look_up: bytes | None = None,
) -> bool:
    """Store a receipt, its form sealed; False if the same was there already.

    `carrier` is the channel's name, `status` our word for it, `part` 0 the whole text
    or all that its id names. `look_up` is the keyed hash of the phone it is about,
    where the carrier says that: then it is matched with no other phone's text.
    """
    values = {
        "carrier": carrier,
        "carrier_id": carrier_id,
        "status": status,
        "part": part,
        "raw": seal_raw(keys, raw),
        "at": at,
        "look_up": look_up,
    }
    new = _receipt_once(db, **values)
    if new is None and look_up is not None:
        # The same id for another phone is another text's: ids come again.
        is_other = reuse.make_room(
            db,
            channel=carrier,
            carrier_id=carrier_id,
            status=status,
            part=part,
            look_up=look_up,
        )
        new = _receipt_once(db, **values) if is_other else None
    return new is not None


def store_inbound(
    db: Connection,
    keys: Keys,
    *,
    carrier: str,
    carrier_id: str,
    look_up: bytes,
    line: str,
    raw: bytes,
    keyword: str | None,
    at: datetime,
    words: Mapping[str, str] | None = None,
) -> int | None:
    """Store an incoming text, its form sealed; its id, None if it was there already.

    `words` are `from` and `text` of one that is still to be handled; without them it is
    stored as handled.
    """
    new = _inbound_once(
        db,
        carrier=carrier,
        carrier_id=carrier_id,
        look_up=look_up,
        line=line,
        raw=seal_raw(keys, raw),
        keyword=keyword,
        at=at,
        words=None if words is None else seal_raw(keys, json.dumps(words).encode()),
        handled_at=at if words is None else None,
    )
    assert new is None or isinstance(new, int)
    return new


_LAST = (
    select(inbound.c.carrier_id)
    .where(
        inbound.c.look_up == bindparam("of_person"),
        inbound.c.at >= bindparam("since", type_=Utc),
        inbound.c.carrier == bindparam("of_carrier"),
    )
    .order_by(inbound.c.at.desc(), inbound.c.id.desc())
    .limit(1)
)


def last_inbound(
    db: Connection, *, carrier: str, look_up: bytes, since: datetime
) -> str | None:
    """The carrier's id of the last text from a phone that came since then, if any."""
    asked = {"of_carrier": carrier, "of_person": look_up, "since": since}
    found: str | None = db.scalar(_LAST, asked)
    return found
