"""What a leaf says of a fact, and the rows that it binds.

The published bytes, where `lp` is a four-byte big-endian length and as many bytes:

    01 lp(day) lp(campaign) lp(kind) lp(unit) lp(amount) lp(commitment) lp(facts)

The commitment, SHA-256(nonce || code), opens with the donor's code and a nonce of the
leaf's own. The facts are SHA-256(salt || rows), over the rows as `ledger.sealing.rows`
writes them: so a leaf binds every column of its event, of the event's code, and of its
transfers in one unit with their resolutions, and shows none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from math import inf
from struct import pack
from typing import NamedTuple
from zlib import crc32
from zoneinfo import ZoneInfo

from ledger.sealing.rows import Found

__all__ = [
    "ACCOUNT",
    "NONCE_BYTES",
    "Fact",
    "Shown",
    "bind",
    "commitment",
    "days_in",
    "facts",
    "of_account",
    "read",
    "written",
]

ACCOUNT = "account"
NONCE_BYTES = 16
VERSION = b"\x01"
PARTS = 7
# Of an amount and of a hash.
_LENGTHS = [length.to_bytes(4, "big") for length in range(33)]

# Of an event behind all others.
_NO_MORE = (inf,)


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
    rows: Sequence[str]
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


def facts(found: Found, day_of: Callable[[str], str]) -> Iterator[Fact]:
    """Put the rows of events into facts: one for each event and unit."""
    codes = {id: (code, row) for id, code, row in found.codes}
    resolved: dict[int, str] = dict(found.resolved)
    ahead = iter(found.moved)
    moved = next(ahead, _NO_MORE)
    for id, moment, campaign, kind, event, code, erased in found.events:
        bound = [event]
        if id in codes:
            code, row = codes[id]
            bound.append(row)
        about = id, day_of(moment), campaign or "", kind
        while moved[0] < id:
            moved = next(ahead, _NO_MORE)
        units: dict[str, tuple[int, list[str]]] = {}
        while moved[0] == id:
            _, unit, amount, _, _, _, transfer_id, row = moved
            if unit not in units:
                units[unit] = amount, [*bound]
            rows = units[unit][1]
            rows.append(row)
            if transfer_id in resolved:
                rows.append(resolved[transfer_id])
            moved = next(ahead, _NO_MORE)
        if not units:
            units[""] = 0, bound
        for unit, (amount, rows) in units.items():
            yield Fact(*about, unit, amount, code, rows, erased == 1)


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


def bind(salt: bytes, rows: Sequence[str]) -> tuple[bytes, bytes]:
    """The one hash that stands in a leaf for all its rows, and a mark of each.

    The marks are four bytes for each row, by which one that was changed is found and
    named. They prove nothing, as the hash does: CRC-32 tells any change of four bytes
    in a row, and costs a tenth of another hash for each.
    """
    written = list(map(str.encode, rows))
    marks = pack(f">{len(written)}I", *map(crc32, written))
    return sha256(salt + b"".join(written)).digest(), marks


def commitment(nonce: bytes, code: str) -> bytes:
    """What nobody opens without the code and the nonce."""
    return sha256(nonce + code.encode()).digest()


def written(fact: Fact, committed: bytes, bound: bytes) -> bytes:
    """The bytes of a leaf."""
    head = _head(fact.day, fact.campaign, fact.kind, fact.unit)
    amount = b"%d" % fact.amount
    return b"".join(
        (
            head,
            _LENGTHS[len(amount)],
            amount,
            _LENGTHS[len(committed)],
            committed,
            _LENGTHS[len(bound)],
            bound,
        )
    )


@lru_cache(maxsize=1024)
def _head(*parts: str) -> bytes:
    data = [part.encode() for part in parts]
    return VERSION + b"".join(len(one).to_bytes(4, "big") + one for one in data)


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
