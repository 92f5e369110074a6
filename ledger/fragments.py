"""Parts of long texts that came in, kept until the last of them has come.

They come in any order, and again. A text is known by its channel, its sender, its line,
its reference and how many parts it has; senders use a reference again after a while.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, delete, func, insert, select

from ledger.schema import Utc, fragment
from ledger.vault import Keys, seal_raw, unseal_raw

__all__ = ["PARTS_MAX", "Added", "Group", "add", "broken"]

# As the header counts them, in one octet.
PARTS_MAX = 255
# Before the mark that is left of a part once its text is whole; what is sealed begins
# with its version.
_MARK = b"\x00"


@dataclass(frozen=True, slots=True)
class Group:
    """The parts of one text that are here, by their place from 1."""

    carrier: str
    look_up: bytes = field(repr=False)
    line: str
    reference: str
    total: int
    parts: Mapping[int, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Added:
    """What adding a part led to: a whole text, and one that will never be whole."""

    whole: Group | None = None
    broken: Group | None = None


_group = (
    fragment.c.carrier == bindparam("of_carrier"),
    fragment.c.look_up == bindparam("of_person"),
    fragment.c.line == bindparam("of_line"),
    fragment.c.reference == bindparam("of_reference"),
    fragment.c.total == bindparam("of_total"),
)
_HERE = select(fragment.c.part, fragment.c.raw).where(*_group)
_LOCK = select(func.pg_advisory_xact_lock(bindparam("group", type_=BigInteger)))
_INSERT = insert(fragment)
_LEAVE = delete(fragment).where(*_group)


def add(
    db: Connection,
    keys: Keys,
    *,
    carrier: str,
    look_up: bytes,
    line: str,
    reference: str,
    total: int,
    part: int,
    raw: bytes,
    at: datetime,
) -> Added:
    """Keep a part, sealed, and say whether its text is whole now.

    `reference` names its kind and number, as `16:513`; `raw` is whatever the caller
    needs of it. The same part again changes nothing, also when its text is whole. One
    of the same place with other content is of another text, whose sender began anew:
    what was there of the first is given back as broken.
    """
    assert 1 <= part <= total <= PARTS_MAX
    named = {
        "of_carrier": carrier,
        "of_person": look_up,
        "of_line": line,
        "of_reference": reference,
        "of_total": total,
    }
    _lock(db, keys, named)
    here = {place: bytes(kept) for place, kept in db.execute(_HERE, named)}
    mark = _mark(keys, raw)
    lost = None
    if part in here:
        if _marked(keys, here[part]) == mark:
            return Added()
        db.execute(_LEAVE, named)
        lost = _opened(keys, named, here)
        here = {}
    here[part] = seal_raw(keys, raw)
    if len(here) == total:
        whole = _opened(keys, named, here)
        db.execute(_LEAVE, named)
        marks = {place: _mark(keys, said) for place, said in whole.parts.items()}
        db.execute(_INSERT, [_row(named, place, marks[place], at) for place in marks])
        return Added(whole, _some(lost))
    db.execute(_INSERT, [_row(named, part, here[part], at)])
    return Added(None, _some(lost))


_OLD = (
    select(
        fragment.c.carrier,
        fragment.c.look_up,
        fragment.c.line,
        fragment.c.reference,
        fragment.c.total,
    )
    .where(fragment.c.at < bindparam("before", type_=Utc))
    .group_by(
        fragment.c.carrier,
        fragment.c.look_up,
        fragment.c.line,
        fragment.c.reference,
        fragment.c.total,
    )
    .limit(bindparam("room"))
)


def broken(
    db: Connection, keys: Keys, *, before: datetime, limit: int = 100
) -> list[Group]:
    """Take out the texts of which a part came before `before` and not all has come.

    Of whole ones their marks go too, so a repeat that comes later is a new part.
    """
    found = []
    rows = db.execute(_OLD, {"before": before, "room": limit}).all()
    for carrier, look_up, line, reference, total in rows:
        named = {
            "of_carrier": carrier,
            "of_person": look_up,
            "of_line": line,
            "of_reference": reference,
            "of_total": total,
        }
        _lock(db, keys, named)
        here = {place: bytes(kept) for place, kept in db.execute(_HERE, named)}
        db.execute(_LEAVE, named)
        if group := _some(_opened(keys, named, here)):
            found.append(group)
    return found


def _lock(db: Connection, keys: Keys, named: Mapping[str, Any]) -> None:
    """Let no two add a part of one text at once: neither would see the other's."""
    if db.dialect.name != "postgresql":
        return
    said = "\x1f".join(str(value) for value in named.values())
    digest = hmac.digest(keys.index, b"yarigar long text:" + said.encode(), "sha256")
    db.execute(_LOCK, {"group": int.from_bytes(digest[:8], "big", signed=True)})


def _opened(keys: Keys, named: Mapping[str, Any], here: Mapping[int, bytes]) -> Group:
    return Group(
        carrier=named["of_carrier"],
        look_up=bytes(named["of_person"]),
        line=named["of_line"],
        reference=named["of_reference"],
        total=named["of_total"],
        parts={
            place: unseal_raw(keys, kept)
            for place, kept in sorted(here.items())
            if not kept.startswith(_MARK)
        },
    )


def _some(group: Group | None) -> Group | None:
    """None for what is left of a text that was whole."""
    return group if group is not None and group.parts else None


def _row(
    named: Mapping[str, Any], part: int, raw: bytes, at: datetime
) -> dict[str, Any]:
    return {
        "carrier": named["of_carrier"],
        "look_up": named["of_person"],
        "line": named["of_line"],
        "reference": named["of_reference"],
        "total": named["of_total"],
        "part": part,
        "raw": raw,
        "at": at,
    }


def _mark(keys: Keys, raw: bytes) -> bytes:
    """What tells a part from another without its words."""
    return _MARK + hmac.digest(keys.index, b"yarigar part:" + raw, "sha256")


def _marked(keys: Keys, kept: bytes) -> bytes:
    return kept if kept.startswith(_MARK) else _mark(keys, unseal_raw(keys, kept))
