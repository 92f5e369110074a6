"""Sign-ups and entries counted by the booth where they were made."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from ledger import schema
from ledger.entries import EntryState

__all__ = ["Booth", "counts"]

_signup = schema.signup.c
_entry = schema.entry.c
_person = schema.person.c
_place = schema.place.c


@dataclass(frozen=True, slots=True)
class Booth:
    """What came from one booth: who is a volunteer still, and who has not answered
    yet. As in the lists that are handed over, who left or was erased is none."""

    booth: str
    signed_up: int
    waiting: int


def counts(db: Connection, *, campaign: str, test: bool) -> list[Booth]:
    """The booths that anything came from, by their codes."""
    signed = db.execute(
        select(_signup.booth, func.count())
        .join(schema.person, _person.id == _signup.person_id)
        .where(
            _signup.campaign == campaign,
            _signup.test == test,
            _signup.booth.is_not(None),
            _signup.state == "active",
            # A sign-up outlives the person behind it.
            _person.look_up.is_not(None),
        )
        .group_by(_signup.booth)
    )
    signed_up = {str(row[0]): int(row[1]) for row in signed}
    entered = db.execute(
        select(_entry.place, func.count())
        .join(schema.place, _place.code == _entry.place)
        .where(
            _entry.campaign == campaign,
            _entry.test == test,
            _place.kind == "booth",
            _entry.state.in_((EntryState.NEW, EntryState.WAITING)),
        )
        .group_by(_entry.place)
    )
    waiting = {str(row[0]): int(row[1]) for row in entered}
    return [
        Booth(code, signed_up.get(code, 0), waiting.get(code, 0))
        for code in sorted({*signed_up, *waiting})
    ]
