"""Who asked for no more texts, by keyed hash: it outlives the person's erasure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select

from ledger import events, schema
from ledger.events import Recorded
from ledger.once import Once

__all__ = ["EVERY_LINE", "is_stopped", "start", "start_all", "stop", "stopped"]

EVERY_LINE = "*"

_stop = schema.stop.c
_insert = Once(schema.stop, _stop.look_up, _stop.line, returning=_stop.line)
_of = _stop.look_up == bindparam("of_person")
_on = _stop.line.in_([bindparam("of_line"), EVERY_LINE])
_delete = delete(schema.stop).where(_of, _on)
_delete_all = delete(schema.stop).where(_of)
_find = select(_stop.line).where(_of, _on).limit(1)
_stopped = select(_stop.look_up, _stop.line).where(
    _stop.look_up.in_(bindparam("people", expanding=True))
)


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
        _insert(db, look_up=look_up, line=line, since=at)
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
        db.execute(_delete, {"of_person": look_up, "of_line": line})
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
        db.execute(_delete_all, {"of_person": look_up})
    return recorded


def is_stopped(db: Connection, *, look_up: bytes, line: str) -> bool:
    """Whether this person refused texts from this line, or campaign texts from any."""
    found = db.execute(_find, {"of_person": look_up, "of_line": line}).first()
    return found is not None


def stopped(db: Connection, look_ups: Iterable[bytes]) -> set[tuple[bytes, str]]:
    """Which lines these people refused, as pairs; EVERY_LINE is a line among them."""
    people = sorted(set(look_ups))
    if not people:
        return set()
    return {(bytes(of), line) for of, line in db.execute(_stopped, {"people": people})}
