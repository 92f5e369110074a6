"""Volunteers of one round, in a list for each centre: what is handed over at its end.

Every volunteer stands in one list: that of the centre they lie in, that of who named
another place, or that of who named none. So the lists sum to the total, which is
counted by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import Select, case, func, select

from ledger.engine import Engine, LedgerError, reading
from ledger.export.cells import masked, phone_in_full, utc
from ledger.export.csv import MARK, lines
from ledger.export.files import replaced
from ledger.export.pages import Record
from ledger.export.signups import centre_of
from ledger.schema import code, consent, event, person, signup, vault
from ledger.vault import Keys, unseal_answer

__all__ = ["COLUMNS", "ELSEWHERE", "TOTALS", "UNKNOWN", "Handed", "hand_over"]

# The lists of who named another place than a centre, and of who named none.
ELSEWHERE, UNKNOWN = "without-centre", "place-unknown"
TOTALS = "TOTALS.csv"
ROWS_AT_ONCE = 2_000
COLUMNS = (
    *("code", "volunteer", "name", "skill", "time", "place_kind", "place"),
    *("place_code", "booth", "signed_up_at", "consent", "campaign_texts"),
)


@dataclass(frozen=True, slots=True)
class Handed:
    """The lists that were written, by the codes of their centres, and their sum."""

    lists: dict[str, int]
    total: int


def hand_over(
    engine: Engine,
    keys: Keys,
    folder: Path,
    *,
    campaign: str,
    round_id: str,
    centre: str | None = None,
    in_full: bool = False,
) -> Handed:
    """Write the lists of a round (empty: of between two) into a folder, as CSV.

    With a `centre` only its own. Numbers are masked unless `in_full`. Who left, and
    who was erased, is in none. Raises OSError, and LedgerError where the lists are not
    as many as were counted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lists: dict[str, int] = {}
    with reading(engine, snapshot=True) as db:
        wanted = _wanted(campaign, round_id, centre)
        counted = db.scalar(select(func.count()).select_from(wanted.subquery())) or 0
        rows = db.execute(
            wanted.order_by("list", signup.c.event_id),
            execution_options={"yield_per": ROWS_AT_ONCE},
        )
        for name, some in groupby(rows, key=lambda row: str(row.list)):
            lists[name] = _write(
                folder / f"{name}.csv", COLUMNS, _told(keys, some, in_full)
            )
    if sum(lists.values()) != counted:
        raise LedgerError("the lists are not as many as the volunteers")
    sums: list[Record] = [(name, number) for name, number in sorted(lists.items())]
    _write(folder / TOTALS, ("list", "volunteers"), [*sums, ("total", counted)])
    return Handed(lists, counted)


def _wanted(campaign: str, round_id: str, centre: str | None) -> Select[Any]:
    own = centre_of(signup.c.place_code)
    none = case((signup.c.place_code.is_(None), UNKNOWN), else_=ELSEWHERE)
    agreed = (
        select(consent.c.person_id)
        .where(
            consent.c.person_id == signup.c.person_id,
            consent.c.what == "campaign",
            consent.c.withdrawn_at.is_(None),
        )
        .exists()
    )
    found = (
        select(
            signup,
            event.c.at,
            code.c.code,
            vault.c.wrapped_key,
            vault.c.phone,
            func.coalesce(own, none).label("list"),
            agreed.label("agreed"),
        )
        .join(event, event.c.id == signup.c.event_id)
        .join(code, code.c.event_id == signup.c.event_id)
        .join(person, person.c.id == signup.c.person_id)
        .join(vault, vault.c.person_id == signup.c.person_id)
        .where(
            signup.c.campaign == campaign,
            signup.c.test.is_(False),
            signup.c.state == "active",
            person.c.look_up.is_not(None),
            signup.c.round == round_id if round_id else signup.c.round.is_(None),
        )
    )
    return found if centre is None else found.where(own == centre)


def _told(keys: Keys, rows: Iterator[Any], in_full: bool) -> Iterator[Record]:
    for row in rows:
        yield (
            row.code,
            phone_in_full(keys, row) if in_full else masked(keys, row),
            _name(keys, row),
            row.skill,
            row.time,
            row.place_kind,
            row.place or "",
            row.place_code or "",
            row.booth or "",
            utc(row.at),
            row.consent,
            "yes" if row.agreed else "no",
        )


def _write(path: Path, titles: Record, records: Iterable[Record]) -> int:
    """Write a file whole or not at all; how many rows it has."""
    number = 0
    with replaced(path) as part, part.open("wb") as file:
        file.write(MARK + lines([titles]))
        for record in records:
            file.write(lines([record]))
            number += 1
    return number


def _name(keys: Keys, row: Any) -> str:
    if row.name is None:
        return ""
    return unseal_answer(
        keys, row.person_id, row.wrapped_key, row.name, use="signup.name"
    )
