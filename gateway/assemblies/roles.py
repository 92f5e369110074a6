"""Whose assembly it is: a benefactor's district, and the districts of a secretary."""

from __future__ import annotations

from ledger import staff
from ledger.assemblies.districts import number_of
from ledger.engine import Connection
from ledger.staff import Member, Role

__all__ = ["answers_for", "districts_of", "office_of"]


def districts_of(db: Connection, *, person_id: int, test: bool) -> tuple[str, ...]:
    """The districts that somebody is secretary of now, by their places' codes."""
    return tuple(one.place for one in _offices(db, person_id, test))


def answers_for(db: Connection, *, person_id: int, district: str, test: bool) -> bool:
    """Whether somebody's phone still answers for an office of a district."""
    roles = staff.roles_of(db, person_id=person_id, test=test)
    return any((one.role, one.place) == (Role.OWNER, district) for one in roles)


def office_of(
    db: Connection, *, person_id: int, district: str, test: bool
) -> str | None:
    """The office under which somebody speaks for a district; None if they do not."""
    for one in _offices(db, person_id, test):
        if one.place == district:
            return one.title
    return None


def _offices(db: Connection, person_id: int, test: bool) -> list[Member]:
    roles = staff.roles_of(db, person_id=person_id, test=test)
    return [one for one in roles if one.role is Role.SECRETARY and number_of(one.place)]
