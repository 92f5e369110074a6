"""Posts that could not be read: kept for whoever has to find out why."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select

from ledger.schema import unreadable
from ledger.vault import Keys, seal_raw

__all__ = ["INBOUND", "RECEIPTS", "keep"]

# Which of a channel's two addresses it came to.
RECEIPTS = "receipts"
INBOUND = "inbound"

KEPT_MAX = 1_000
# Of each channel, so that who floods one fills 16 MiB at most.
RAW_OCTETS_MAX = 16 * 1024
WHY_CHARS_MAX = 200

_KEEP = insert(unreadable)
_OLDEST = (
    select(unreadable.c.id)
    .where(unreadable.c.carrier == bindparam("of_carrier"))
    .order_by(unreadable.c.at.desc(), unreadable.c.id.desc())
    .offset(KEPT_MAX - 1)
    .limit(1)
)
_TRIM = delete(unreadable).where(
    unreadable.c.carrier == bindparam("of_carrier"),
    unreadable.c.id < bindparam("before"),
)


def keep(
    db: Connection,
    keys: Keys,
    *,
    carrier: str,
    way: str,
    raw: bytes,
    why: str,
    at: datetime,
) -> None:
    """Keep the first 16 KiB of a post, sealed, and why it could not be read.

    `carrier` is the channel's name, `way` one of RECEIPTS and INBOUND. The newest 1,000
    of a channel are kept.
    """
    sealed = seal_raw(keys, raw[:RAW_OCTETS_MAX])
    row = {"carrier": carrier, "way": way, "raw": sealed, "at": at}
    db.execute(_KEEP, {**row, "why": why[:WHY_CHARS_MAX]})
    oldest = db.scalar(_OLDEST, {"of_carrier": carrier})
    if oldest is not None:
        db.execute(_TRIM, {"of_carrier": carrier, "before": oldest})
