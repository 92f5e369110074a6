"""What was handed over to a message centre, written straight into the journal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, update

from ledger import inbox
from ledger.engine import writing
from ledger.schema import attempt, outbox, part
from ledger.vault import look_up
from tests.texts import KEYS, PHONE, Texts

CHANNEL = "centre"


def hand_over(
    texts: Texts,
    *outcomes: str | None,
    ids: Sequence[str | None] = (),
    phone: str = PHONE,
    state: str = "sent",
    began_at: datetime | None = None,
    text: int | None = None,
    number: int = 1,
    places: Sequence[int] = (),
    reference: int = 7,
    total: int = 0,
) -> int:
    """One attempt, with an outcome and an id for each of its parts; its text's id.

    A single outcome is a text of one part, unless `places` says which part it was.
    """
    outbox_id = texts.promise(phone=phone) if text is None else text
    ids = list(ids) or [None] * len(outcomes)
    by_parts = len(outcomes) > 1 or bool(places)
    places = list(places) or list(range(1, len(outcomes) + 1))
    at = began_at or texts.at
    worst = "ambiguous" if "ambiguous" in outcomes else outcomes[0]
    with writing(texts.engine) as db:
        db.execute(
            insert(attempt).values(
                outbox_id=outbox_id,
                number=number,
                carrier=CHANNEL,
                began_at=at,
                outcome=worst,
                carrier_id=None if by_parts else ids[0],
                parts=len(outcomes),
            )
        )
        if by_parts:
            rows = [
                {
                    "outbox_id": outbox_id,
                    "number": number,
                    "part": place,
                    "total": total or len(outcomes),
                    "reference": reference,
                    "carrier": CHANNEL,
                    "carrier_id": id,
                    "outcome": outcome,
                    "began_at": at,
                }
                for place, outcome, id in zip(places, outcomes, ids, strict=True)
            ]
            db.execute(insert(part), rows)
        db.execute(
            update(outbox)
            .where(outbox.c.id == outbox_id)
            .values(state=state, attempts=number, carrier=CHANNEL, via=CHANNEL)
        )
    return outbox_id


def report(
    texts: Texts,
    carrier_id: str,
    status: str = "delivered",
    *,
    phone: str | None = PHONE,
    believe: bool = True,
) -> list[inbox.Matched]:
    """Store a receipt, and match it as a webhook does."""
    with writing(texts.engine) as db:
        inbox.store_receipt(
            db,
            KEYS,
            carrier=CHANNEL,
            carrier_id=carrier_id,
            status=status,
            raw=b"a form",
            at=texts.at,
            look_up=look_up(KEYS, phone) if phone else None,
        )
        if not believe:
            return []
        return inbox.match_receipts(db, at=texts.at, ids=[(CHANNEL, carrier_id)])
