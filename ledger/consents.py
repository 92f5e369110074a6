"""Who agreed to get texts that nobody asked for: without a row, no campaign text.

A pledge is no consent. One is given by asking for texts on a screen or by sending the
word for them, and taken back by asking for none from any line; a stop said to one line
is the stop list's and leaves it as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ledger import schema
from ledger.prepared import Prepared

__all__ = ["BY_A_WORD", "agreed", "give", "has", "withdraw"]

# In the place of the menus' version, of who sent a word and read no screen.
BY_A_WORD = "word"

_consent = schema.consent.c
_REAL, _REHEARSED = "campaign", "rehearsal"

_new = {
    name: insert(schema.consent)
    for name, insert in (("postgresql", postgresql.insert), ("sqlite", sqlite.insert))
}
_GIVE = {
    name: new.on_conflict_do_update(
        index_elements=[_consent.person_id, _consent.what],
        set_={
            "menus": new.excluded.menus,
            "given_at": new.excluded.given_at,
            "withdrawn_at": None,
        },
    )
    for name, new in _new.items()
}
_WITHDRAW = (
    update(schema.consent)
    .where(
        _consent.person_id == bindparam("of_person"),
        _consent.what == bindparam("of_what"),
        _consent.withdrawn_at.is_(None),
    )
    .values(withdrawn_at=bindparam("now", type_=schema.Utc))
)
_HAS = Prepared(
    select(_consent.person_id).where(
        _consent.person_id == bindparam("of_person"),
        _consent.what == bindparam("of_what"),
        _consent.withdrawn_at.is_(None),
    )
)
_AGREED = select(_consent.person_id).where(
    _consent.person_id.in_(bindparam("people", expanding=True)),
    _consent.what == bindparam("of_what"),
    _consent.withdrawn_at.is_(None),
)


def give(
    db: Connection, *, person_id: int, menus: str, test: bool, at: datetime
) -> None:
    """Note that a person agrees to campaign texts; again renews it.

    `menus` is the version whose words were read, or BY_A_WORD. What is agreed to in a
    rehearsal, where anybody can dial as anybody, counts in rehearsals alone. Only for
    the first of a repeated request: a late repeat must not undo a withdrawal.
    """
    db.execute(
        _GIVE[db.dialect.name],
        {
            "person_id": person_id,
            "what": what_of(test),
            "menus": menus,
            "given_at": at,
            "withdrawn_at": None,
        },
    )


def withdraw(db: Connection, *, person_id: int, test: bool, at: datetime) -> bool:
    """Note that a person agrees no more; False if they did not before."""
    values = {"of_person": person_id, "of_what": what_of(test), "now": at}
    return db.execute(_WITHDRAW, values).rowcount == 1


def has(db: Connection, *, person_id: int, test: bool) -> bool:
    """Whether this person agreed, and still does."""
    found = _HAS.first(db, of_person=person_id, of_what=what_of(test))
    return found is not None


def agreed(db: Connection, person_ids: Iterable[int], *, test: bool) -> set[int]:
    """Those of these people who agreed and still do."""
    found = {"people": sorted(set(person_ids)), "of_what": what_of(test)}
    return set(db.scalars(_AGREED, found)) if found["people"] else set()


def what_of(test: bool) -> str:
    """The name under which a consent is kept."""
    return _REHEARSED if test else _REAL
