"""One row for each text that was promised: how far it came, never what it said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, select

from ledger.export.cells import jalali, masked, utc
from ledger.export.pages import Record, text_word, walk
from ledger.export.selection import Selection, Source
from ledger.export.table import Column, Table
from ledger.schema import attempt, bulk, code, outbox, vault
from ledger.vault import Keys

__all__ = ["MESSAGES"]

_COLUMNS = (
    Column("message", "شمارهٔ پیامک", 14, whole=True),
    Column("promised_at", "زمان وعده (UTC)", 22),
    Column("promised_at_jalali", "زمان وعده", 18),
    Column("campaign", "پویش"),
    Column("template", "الگو", 20),
    Column("kind", "نوع"),
    Column("language", "زبان", 8),
    Column("state", "وضعیت"),
    Column("changed_at", "زمان وضعیت (UTC)", 22),
    Column("attempts", "تلاش‌ها", 8, whole=True),
    Column("carrier", "اپراتور پیامک", 14),
    Column("carrier_id", "شناسهٔ اپراتور", 24),
    Column("parts", "بخش‌ها", 8, whole=True),
    Column("cost", "هزینه"),
    Column("send", "ارسال گروهی", 20),
    Column("code", "کد پیگیری"),
    Column("recipient", "گیرنده"),
)


def _pages(engine: Engine, selection: Selection, keys: Keys) -> Iterator[list[Record]]:
    complete = partial(_records, keys=keys, time_zone=selection.time_zone)
    return walk(engine, _SOURCE, selection, _MESSAGES, complete)


def _records(
    db: Connection, rows: Sequence[Any], *, keys: Keys, time_zone: str
) -> list[Record]:
    tries = db.execute(_ATTEMPTS, {"texts": [row.id for row in rows]})
    last = {one.outbox_id: one for one in tries}
    return [
        (
            row.id,
            utc(row.promised_at),
            jalali(row.promised_at, time_zone),
            row.campaign or "",
            row.template,
            row.kind,
            row.language,
            text_word(row.state),
            utc(row.changed_at),
            row.attempts,
            row.carrier or "",
            *_handed_over(last.get(row.id)),
            row.send or "",
            row.code or "",
            masked(keys, row),
        )
        for row in rows
    ]


def _handed_over(attempt: Any) -> Record:
    """The carrier's id, the parts and the cost of a text's last attempt."""
    if attempt is None:
        return "", "", ""
    cost = attempt.cost or attempt.estimate or ""
    return attempt.carrier_id or "", attempt.parts or "", cost


_SOURCE = Source(
    outbox.c.id,
    outbox.c.promised_at,
    outbox,
    (outbox.c.test.is_(False),),
    lambda campaign: outbox.c.campaign == campaign,
)
_MESSAGES = (
    select(
        outbox.c.id,
        outbox.c.promised_at,
        outbox.c.campaign,
        outbox.c.template,
        outbox.c.kind,
        outbox.c.language,
        outbox.c.state,
        outbox.c.changed_at,
        outbox.c.attempts,
        outbox.c.carrier,
        bulk.c.name.label("send"),
        code.c.code,
        outbox.c.person_id,
        vault.c.wrapped_key,
        vault.c.phone,
    )
    .outerjoin(bulk, bulk.c.id == outbox.c.bulk_id)
    .outerjoin(code, code.c.event_id == outbox.c.event_id)
    .outerjoin(vault, vault.c.person_id == outbox.c.person_id)
)
# The last of these to be written into a dictionary is the last attempt.
_ATTEMPTS = (
    select(
        attempt.c.outbox_id,
        attempt.c.carrier_id,
        attempt.c.parts,
        attempt.c.cost,
        attempt.c.estimate,
    )
    .where(attempt.c.outbox_id.in_(bindparam("texts", expanding=True)))
    .order_by(attempt.c.id)
)

MESSAGES = Table("messages", "پیامک‌ها", _SOURCE, _COLUMNS, _pages, state="state")
