"""Whom a send to many is for: counted in one query, walked through in small windows.

Nobody is in it who did not agree to such texts. Whoever else fits is counted as left
out: by no consent, by a stop on every line, or because they are erased.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    and_,
    bindparam,
    case,
    exists,
    func,
    select,
)

from ledger.consents import what_of
from ledger.schema import consent, event, person, signup, stop, vault
from ledger.stops import EVERY_LINE, kept_as

__all__ = ["Audience", "Reached", "Window", "count", "window"]


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is asked for; what is set has to hold together, nothing set is everybody.

    `gave` and `signed_up` are facts of `campaign`; a `district` is one that was signed
    up from. In a rehearsal (`test`) consents and facts are those of rehearsals.
    """

    campaign: str
    test: bool = False
    gave: bool = False
    signed_up: bool = False
    district: str | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Reached:
    """How many get a text, by their language (None: never chosen), and who does not."""

    languages: Mapping[str | None, int]
    no_consent: int = 0
    stopped: int = 0
    erased: int = 0

    @property
    def size(self) -> int:
        return sum(self.languages.values())


@dataclass(frozen=True, slots=True)
class Window:
    """The next few people: `people` get a text, as ids with their languages.

    Everybody up to `cursor` has been looked at; it is None where there is nobody left.
    """

    cursor: int | None
    people: tuple[tuple[int, str | None], ...] = field(default=())


_agreed = and_(
    consent.c.person_id == person.c.id,
    consent.c.what == bindparam("of_what"),
    consent.c.withdrawn_at.is_(None),
)
_silent = and_(
    stop.c.look_up == person.c.look_up, stop.c.line == bindparam("every_line")
)
_void = event.alias("void")


def count(db: Connection, audience: Audience) -> Reached:
    """Count an audience. It reads all of it: for the moment before a send."""
    standing = case(
        (vault.c.person_id.is_(None), "erased"),
        (consent.c.person_id.is_(None), "no_consent"),
        (stop.c.line.is_not(None), "stopped"),
        else_="reached",
    ).label("standing")
    everybody = (
        person.outerjoin(consent, _agreed)
        .outerjoin(stop, _silent)
        .outerjoin(vault, vault.c.person_id == person.c.id)
    )
    fits = _fits(audience)
    if not (audience.gave or audience.signed_up or audience.district):
        # Of everybody who agreed, nobody else was meant.
        fits.append(consent.c.person_id.is_not(None))
    rows = db.execute(
        select(person.c.language, standing, func.count().label("people"))
        .select_from(everybody)
        .where(*fits)
        .group_by(person.c.language, standing),
        {
            "of_what": what_of(audience.test),
            "every_line": kept_as(EVERY_LINE, test=audience.test),
        },
    ).all()
    left = {"no_consent": 0, "stopped": 0, "erased": 0}
    for row in rows:
        if row.standing != "reached":
            left[row.standing] += row.people
    languages = {r.language: r.people for r in rows if r.standing == "reached"}
    return Reached(languages, **left)


_NEXT = (
    select(consent.c.person_id)
    .where(
        consent.c.person_id > bindparam("after", type_=BigInteger),
        consent.c.what == bindparam("of_what"),
        consent.c.withdrawn_at.is_(None),
    )
    .order_by(consent.c.person_id)
    .limit(bindparam("room", type_=Integer))
)


def window(db: Connection, audience: Audience, *, after: int, limit: int) -> Window:
    """Look at the next `limit` people who agreed, in the order of their ids."""
    given = {"of_what": what_of(audience.test), "after": after, "room": limit}
    ids = list(db.scalars(_NEXT, given))
    if not ids:
        return Window(None)
    rows = db.execute(
        select(person.c.id, person.c.language)
        .select_from(
            person.join(vault, vault.c.person_id == person.c.id).outerjoin(
                stop, _silent
            )
        )
        .where(person.c.id.in_(ids), stop.c.line.is_(None), *_fits(audience))
        .order_by(person.c.id),
        {"every_line": kept_as(EVERY_LINE, test=audience.test)},
    )
    return Window(ids[-1], tuple((row.id, row.language) for row in rows))


def _fits(audience: Audience) -> list[ColumnElement[bool]]:
    """What has to hold of a person, beside a consent."""
    found: list[ColumnElement[bool]] = []
    if audience.gave:
        found.append(
            exists().where(
                event.c.person_id == person.c.id,
                event.c.kind == "pledge",
                event.c.campaign == audience.campaign,
                event.c.test == audience.test,
                ~exists().where(
                    _void.c.about_id == event.c.id, _void.c.kind == "pledge.void"
                ),
            )
        )
    if audience.signed_up or audience.district:
        signed = [
            signup.c.person_id == person.c.id,
            signup.c.campaign == audience.campaign,
            signup.c.test == audience.test,
            # Who left is no volunteer any more.
            signup.c.state == "active",
        ]
        if audience.district:
            signed.append(signup.c.district == audience.district)
        found.append(exists().where(*signed))
    return found
