"""Who asked for no more texts, by keyed hash: it outlives the person's erasure.

In a rehearsal anybody can be anybody, so what is said there is kept apart: it neither
stops real texts nor undoes a real stop.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select

from ledger import events, schema
from ledger.events import Recorded
from ledger.once import Once

__all__ = [
    "ENTRIES",
    "EVERY_LINE",
    "carry_over",
    "is_rehearsed",
    "is_stopped",
    "kept_as",
    "lines_of",
    "refusing",
    "start",
    "start_all",
    "stop",
    "stopped",
    "wants_none",
]

EVERY_LINE = "*"
# No line: the phone is not to be written down by others. Its own texts come still.
ENTRIES = "=entries"
LINE_CHARS_MAX = 32
# Before the lines of rehearsals; no sender is written so.
_REHEARSED = "~"

_stop = schema.stop.c
_insert = Once(schema.stop, _stop.look_up, _stop.line, returning=_stop.line)
_of = _stop.look_up == bindparam("of_person")
_on = _stop.line.in_([bindparam("of_line"), bindparam("every_line")])
_delete = delete(schema.stop).where(_of, _on)
_rehearsed = _stop.line.startswith(_REHEARSED)
_delete_all = {
    False: delete(schema.stop).where(_of, ~_rehearsed),
    True: delete(schema.stop).where(_of, _rehearsed),
}
_find = select(_stop.line).where(_of, _on).limit(1)
_lines_of = (
    select(_stop.line)
    .join(schema.person, schema.person.c.look_up == _stop.look_up)
    .where(schema.person.c.id == bindparam("of_id"))
)
_REFUSING = select(schema.person.c.id, _stop.line).join(
    schema.person, schema.person.c.look_up == _stop.look_up
)
_stopped = select(_stop.look_up, _stop.line).where(
    _stop.look_up.in_(bindparam("people", expanding=True))
)


def kept_as(line: str, *, test: bool) -> str:
    """What a line is called in the list: those of rehearsals are lines of their own."""
    return f"{_REHEARSED}{line}"[:LINE_CHARS_MAX] if test else line


def is_rehearsed(line: str) -> bool:
    """Whether a line, as `kept_as` has it, is one of rehearsals."""
    return line.startswith(_REHEARSED)


def stop(
    db: Connection,
    *,
    key: str,
    look_up: bytes,
    line: str,
    person_id: int | None = None,
    channel: str,
    test: bool,
    at: datetime,
) -> Recorded:
    """Send this person no more texts from `line`; "*" is campaign texts from any.

    A late repeat of the same request does not undo a start that came after it.
    """
    recorded = events.record(
        db,
        key=key,
        kind="texts.stop",
        body={"line": line},
        person_id=person_id,
        channel=channel,
        test=test,
        at=at,
    )
    if recorded.first:
        _insert(db, look_up=look_up, line=kept_as(line, test=test), since=at)
    return recorded


def start(
    db: Connection,
    *,
    key: str,
    look_up: bytes,
    line: str,
    person_id: int | None = None,
    channel: str,
    test: bool,
    at: datetime,
) -> Recorded:
    """Let texts from `line` come again, and with them those stopped on every line."""
    recorded = events.record(
        db,
        key=key,
        kind="texts.start",
        body={"line": line},
        person_id=person_id,
        channel=channel,
        test=test,
        at=at,
    )
    if recorded.first:
        db.execute(_delete, _named(look_up, line, test))
    return recorded


def start_all(
    db: Connection,
    *,
    key: str,
    look_up: bytes,
    person_id: int | None = None,
    channel: str,
    test: bool,
    at: datetime,
) -> Recorded:
    """Let texts from every line come again."""
    recorded = events.record(
        db,
        key=key,
        kind="texts.start",
        body={"line": EVERY_LINE},
        person_id=person_id,
        channel=channel,
        test=test,
        at=at,
    )
    if recorded.first:
        db.execute(_delete_all[test], {"of_person": look_up})
    return recorded


def carry_over(db: Connection, *, was: bytes, now: bytes, at: datetime) -> None:
    """Stop for a person's new number what they stopped for the old, which stays so."""
    for _, line in sorted(stopped(db, [was])):
        _insert(db, look_up=now, line=line, since=at)


def is_stopped(
    db: Connection, *, look_up: bytes, line: str, test: bool = False
) -> bool:
    """Whether this person refused texts from this line, or campaign texts from any."""
    return db.execute(_find, _named(look_up, line, test)).first() is not None


def stopped(db: Connection, look_ups: Iterable[bytes]) -> set[tuple[bytes, str]]:
    """Which lines these people refused, as pairs; lines as `kept_as` has them."""
    people = sorted(set(look_ups))
    if not people:
        return set()
    return {(bytes(of), line) for of, line in db.execute(_stopped, {"people": people})}


def lines_of(db: Connection, *, person_id: int) -> set[str]:
    """Which lines a person refused, as `kept_as` has them; none of one erased."""
    return set(db.scalars(_lines_of, {"of_id": person_id}))


def wants_none(db: Connection, *, person_id: int, test: bool) -> bool:
    """Whether a person refused the texts of any line, real or rehearsed."""
    lines = lines_of(db, person_id=person_id) - {ENTRIES, f"{_REHEARSED}{ENTRIES}"}
    return any(line.startswith(_REHEARSED) == test for line in lines)


def refusing(db: Connection, *, test: bool) -> set[int]:
    """Everybody who wants none, at once: for those who choose whom to ask."""
    entries = kept_as(ENTRIES, test=test)
    return {
        person_id
        for person_id, line in db.execute(_REFUSING)
        if is_rehearsed(line) == test and line != entries
    }


def _named(look_up: bytes, line: str, test: bool) -> dict[str, object]:
    return {
        "of_person": look_up,
        "of_line": kept_as(line, test=test),
        "every_line": kept_as(EVERY_LINE, test=test),
    }
