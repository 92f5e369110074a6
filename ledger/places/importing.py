"""A file of places held against the tables, and brought into them in one transaction.

What the file has no longer is closed and never deleted. The same file a second time
changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, update

from ledger import events, schema
from ledger.places.stored import raise_version
from ledger.places.tree import Place, Tree

__all__ = ["Change", "Difference", "bring_in", "difference"]

CHANNEL = "operator"
BATCH = 500

_place = schema.place.c
_above = schema.place_above.c
_insert = insert(schema.place)
_update = update(schema.place).where(_place.code == bindparam("of_code"))
_release = (
    update(schema.place).where(_place.code == bindparam("of_code")).values(dial=None)
)
_close = (
    update(schema.place)
    .where(_place.code == bindparam("of_code"))
    .values(closed=True, changed_at=bindparam("now"))
)
_cut = delete(schema.place_above).where(_above.place == bindparam("of_code"))
_join = insert(schema.place_above)


@dataclass(frozen=True, slots=True)
class Change:
    """A place before and after, and the names of what differs."""

    before: Place
    after: Place
    what: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What a file would change. A reopened place that also moved is in both."""

    added: tuple[Place, ...] = ()
    changed: tuple[Change, ...] = ()
    moved: tuple[Change, ...] = ()
    closed: tuple[Place, ...] = ()
    reopened: tuple[Place, ...] = ()

    def __bool__(self) -> bool:
        return any(getattr(self, part.name) for part in fields(self))

    def counts(self) -> dict[str, int]:
        return {part.name: len(getattr(self, part.name)) for part in fields(self)}


def difference(tree: Tree, places: Sequence[Place]) -> Difference:
    """What bringing in these places, which are a whole file, would change."""
    added, changed, moved, reopened = [], [], [], []
    for place in places:
        before = tree.place(place.code)
        if before is None:
            added.append(place)
            continue
        if before.closed:
            reopened.append(place)
        what = _differing(before, place)
        if "parent" in what:
            moved.append(Change(before, place, what))
        elif what:
            changed.append(Change(before, place, what))
    kept = {place.code for place in places}
    closed = [one for one in tree if not one.closed and one.code not in kept]
    return Difference(
        *(tuple(added), tuple(changed), tuple(moved)),
        *(tuple(sorted(closed, key=lambda one: one.code)), tuple(reopened)),
    )


def bring_in(
    db: Connection, tree: Tree, places: Sequence[Place], *, by: str, at: datetime
) -> Difference:
    """Bring the places of a file in, and say so to every process; {} changes nothing.

    `tree` is what the tables hold in this transaction, and `places` were checked
    together: each comes after the one it lies in.
    """
    found = difference(tree, places)
    if not found:
        return found
    changes = (*found.changed, *found.moved)
    _free_dials(db, tree, found.added, changes)
    _in_batches(db, _insert, (_values(one, at) for one in found.added))
    after = {change.after.code: change.after for change in changes}
    after |= {place.code: place for place in found.reopened}
    _in_batches(
        db,
        _update,
        ({"of_code": one.code, **_values(one, at)} for one in after.values()),
    )
    _in_batches(db, _close, ({"of_code": one.code, "now": at} for one in found.closed))
    _join_above(db, tree, places, found)
    number = raise_version(db)
    events.record(
        db,
        key=f"places:{number}",
        kind="places.imported",
        body={"version": number, "by": by, **found.counts()},
        channel=CHANNEL,
        test=False,
        at=at,
    )
    return found


def _differing(before: Place, after: Place) -> tuple[str, ...]:
    return tuple(
        part.name
        for part in fields(Place)
        if part.name != "closed"
        and getattr(before, part.name) != getattr(after, part.name)
    )


def _free_dials(
    db: Connection, tree: Tree, added: Iterable[Place], changes: Iterable[Change]
) -> None:
    """Take dials away first, so that two places can change theirs with each other."""
    wanted = {place.dial for place in added if place.dial}
    wanted |= {c.after.dial for c in changes if "dial" in c.what and c.after.dial}
    holders = [{"of_code": one.code} for one in tree if one.dial in wanted]
    _in_batches(db, _release, holders)


def _join_above(
    db: Connection, tree: Tree, places: Sequence[Place], found: Difference
) -> None:
    """Write what the new and the moved places, and all below these, lie in."""
    after = Tree((*(one for one in tree), *places))
    anew = {place.code for place in found.added}
    for change in found.moved:
        anew |= {change.after.code, *_all_under(after, change.after.code)}
    _in_batches(db, _cut, ({"of_code": code} for code in sorted(anew)))
    _in_batches(
        db,
        _join,
        (
            {"place": code, "above": above.code, "steps": steps}
            for code in sorted(anew)
            for steps, above in enumerate(after.chain(code))
        ),
    )


def _all_under(tree: Tree, code: str) -> Iterator[str]:
    """Closed places lie in what they lay in, wherever that is now."""
    return (place.code for place in tree.under(code, closed=True))


def _values(place: Place, at: datetime) -> dict[str, Any]:
    return {
        "code": place.code,
        "kind": place.kind,
        "parent": place.parent,
        "titles": dict(place.titles),
        "aliases": list(place.aliases),
        "prefixes": list(place.prefixes),
        "dial": place.dial or None,
        "closed": False,
        "changed_at": at,
    }


def _in_batches(
    db: Connection, statement: Any, rows: Iterable[Mapping[str, Any]]
) -> None:
    batch: list[Mapping[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            db.execute(statement, batch)
            batch = []
    if batch:
        db.execute(statement, batch)
