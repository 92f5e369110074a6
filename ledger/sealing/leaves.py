"""What a leaf says of a fact, and the rows that it binds.

The published bytes, where `lp` is a four-byte big-endian length and as many bytes:

    01 lp(day) lp(campaign) lp(kind) lp(unit) lp(amount) lp(commitment) lp(facts)

The commitment, SHA-256(nonce || code), opens with the donor's code and a nonce of the
leaf's own. The facts are SHA-256(salt || rows), over the rows as `ledger.sealing.rows`
writes them: so a leaf binds every column of its event, of the event's code, and of its
transfers in one unit with their resolutions, and shows none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple
from zlib import crc32
from zoneinfo import ZoneInfo

__all__ = [
    "ACCOUNT",
    "NONCE_BYTES",
    "Fact",
    "Shown",
    "binding",
    "commitment",
    "days_in",
    "facts",
    "marks",
    "of_account",
    "read",
    "written",
]

ACCOUNT = "account"
NONCE_BYTES = 16
VERSION = b"\x01"
PARTS = 7

# Where they stand in a row of `ledger.sealing.rows`.
UNIT, AMOUNT = 8, 9
Row = Sequence[Any]


class Fact(NamedTuple):
    """What one leaf is about: an event in one unit, or an account.

    `code` opens its commitment, and is None where there is no donor's code or its
    person was erased. `rows` are those that it binds, in their canonical form.
    """

    id: int
    day: str
    campaign: str
    kind: str
    unit: str
    amount: int
    code: str | None
    rows: tuple[str, ...]
    is_erased: bool


class Shown(NamedTuple):
    """What the bytes of a leaf say."""

    day: str
    campaign: str
    kind: str
    unit: str
    amount: int
    commitment: bytes
    facts: bytes


def facts(rows: Sequence[Row], day_of: Callable[[str], str]) -> Iterator[Fact]:
    """Put the rows of events, which come together, into facts: one for each unit."""
    start = 0
    while start < len(rows):
        first, end = rows[start], start + 1
        id, at, campaign, kind, event, own, code, erased, unit, amount, *_ = first
        while end < len(rows) and rows[end][0] == id:
            end += 1
        about = day_of(at), campaign or "", kind
        bound = (event,) if own is None else (event, own)
        units: dict[str, list[Row]] = {unit or "": [first]}
        for row in rows[start + 1 : end]:
            units.setdefault(row[UNIT], []).append(row)
        for unit, moved in units.items():
            amount = moved[0][AMOUNT] or 0
            more = [one for row in moved for one in row[-2:] if one is not None]
            yield Fact(id, *about, unit, amount, code, (*bound, *more), bool(erased))
        start = end


def of_account(id: int, unit: str, row: str) -> Fact:
    """What the leaf of an account is about: no day, no amount, nobody."""
    return Fact(id, "", "", ACCOUNT, unit, 0, None, (row,), False)


def days_in(zone: str) -> Callable[[str], str]:
    """A function from a moment, `2026-11-22 08:30…` in UTC, to its day in `zone`."""
    place = ZoneInfo(zone)
    known: dict[str, str] = {}

    def day_of(moment: str) -> str:
        minute = moment[:16]
        day = known.get(minute)
        if day is None:
            at = datetime.fromisoformat(minute).replace(tzinfo=UTC)
            day = known[minute] = at.astimezone(place).date().isoformat()
        return day

    return day_of


def binding(salt: bytes, rows: Iterable[str]) -> bytes:
    """The one hash that stands in a leaf for all its rows."""
    return sha256(salt + "".join(rows).encode()).digest()


def marks(rows: Iterable[str]) -> bytes:
    """Four bytes for each row, by which one that was changed is found and named.

    They prove nothing, as the hash does: CRC-32 tells any change of four bytes in a
    row, and costs a tenth of another hash for each.
    """
    return b"".join([crc32(row.encode()).to_bytes(4, "big") for row in rows])


def commitment(nonce: bytes, code: str) -> bytes:
    """What nobody opens without the code and the nonce."""
    return sha256(nonce + code.encode()).digest()


def written(fact: Fact, committed: bytes, bound: bytes) -> bytes:
    """The bytes of a leaf."""
    head = _head(fact.day, fact.campaign, fact.kind, fact.unit)
    return head + _part(str(fact.amount).encode()) + _part(committed) + _part(bound)


@lru_cache(maxsize=1024)
def _head(*parts: str) -> bytes:
    return VERSION + b"".join(_part(part.encode()) for part in parts)


def _part(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def read(data: bytes) -> Shown:
    """What the bytes of a leaf say. Raises ValueError if they are not a leaf's."""
    if data[:1] != VERSION:
        raise ValueError("a leaf begins with its version")
    parts: list[bytes] = []
    at = 1
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4], "big")
        if end > len(data) or len(parts) == PARTS:
            raise ValueError("a leaf has seven parts and nothing else")
        parts.append(data[at + 4 : end])
        at = end
    if len(parts) != PARTS:
        raise ValueError("a leaf has seven parts and nothing else")
    day, campaign, kind, unit, amount = (part.decode() for part in parts[:5])
    return Shown(day, campaign, kind, unit, int(amount), parts[5], parts[6])
