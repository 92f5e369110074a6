"""What a carrier's receipts say of a text that got none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ledger import channels
from ledger.claims import Claimed
from ledger.engine import Connection
from ledger.strays import strays_of

__all__ = ["evidence"]


def evidence(
    db: Connection, doubted: Sequence[Claimed], at: datetime
) -> dict[int, datetime]:
    """When the latest text began whose receipt came over the same channel, by text.

    A text is left out whose phone has as many receipts there that found no text yet as
    it has parts in doubt: they may be this one's, and silence is then no silence. Where
    there are fewer, some part never arrived, and nobody knows which.
    """
    found: dict[int, datetime] = {}
    for name in {row.carrier for row in doubted if row.carrier is not None}:
        heard = channels.last_receipted(db, channel=name, at=at)
        if heard is None:
            continue
        rows = [row for row in doubted if row.carrier == name]
        phones = {row.look_up for row in rows if row.look_up is not None}
        strays = strays_of(db, channel=name, look_ups=phones)
        for row in rows:
            since = row.attempted_at or row.promised_at
            came = [at for at in strays.get(row.look_up or b"", ()) if at >= since]
            if len(came) < _in_doubt(row):
                found[row.id] = heard
    return found


def _in_doubt(row: Claimed) -> int:
    """How many of its parts nobody knows of."""
    return max(1, len(row.before.unclear)) if row.before is not None else 1
