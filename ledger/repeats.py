"""Texts that may come in again, because our answer to their centre may be lost.

A text that came over a connection has no id: what tells the centre's second try from a
person who says the same twice is whether the first was surely answered. Until then a
mark says what came.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete

from ledger.once import Once
from ledger.prepared import Prepared
from ledger.schema import Utc, fragment

__all__ = ["DIGEST_CHARS", "Mark", "clear", "lapse", "mark"]

DIGEST_CHARS = 16
# A mark is a row among the parts of long texts, of which none is of a text of no parts.
_NO_PARTS = 0
# As the marks of parts begin, which are no sealed words.
_NO_WORDS = b"\x00"


@dataclass(frozen=True, slots=True)
class Mark:
    """What came, from whom, to which line of a channel; `digest` has 16 letters."""

    channel: str
    look_up: bytes = field(repr=False)
    line: str
    digest: str


_once = Once(
    fragment,
    fragment.c.carrier,
    fragment.c.look_up,
    fragment.c.line,
    fragment.c.reference,
    fragment.c.total,
    fragment.c.part,
    returning=fragment.c.at,
)
_CLEAR = Prepared(
    delete(fragment).where(
        fragment.c.carrier == bindparam("of_channel"),
        fragment.c.look_up == bindparam("of_person"),
        fragment.c.line == bindparam("of_line"),
        fragment.c.reference == bindparam("of_digest"),
        fragment.c.total == _NO_PARTS,
    )
)
_LAPSE = Prepared(
    delete(fragment).where(
        fragment.c.carrier == bindparam("of_channel"),
        fragment.c.total == _NO_PARTS,
        fragment.c.at < bindparam("before", type_=Utc),
    )
)


def mark(db: Connection, text: Mark, *, at: datetime) -> bool:
    """Mark what came; False if it is marked already, and so came again."""
    assert len(text.digest) == DIGEST_CHARS
    new = _once(
        db,
        carrier=text.channel,
        look_up=text.look_up,
        line=text.line,
        reference=text.digest,
        total=_NO_PARTS,
        part=0,
        raw=_NO_WORDS,
        at=at,
    )
    return new is not None


def clear(db: Connection, texts: Iterable[Mark]) -> None:
    """Take the marks of texts away that were surely answered: the next is another."""
    _CLEAR.many(
        db,
        [
            {
                "of_channel": text.channel,
                "of_person": text.look_up,
                "of_line": text.line,
                "of_digest": text.digest,
            }
            for text in texts
        ],
    )


def lapse(db: Connection, *, channel: str, before: datetime) -> None:
    """Take away marks that were made before then: no centre tries again so late."""
    _LAPSE.run(db, of_channel=channel, before=before)
