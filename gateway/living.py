"""Where a volunteer lives: what was said of it, and the places that it leads to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ledger.places.kinds import Kind
from ledger.places.tree import Place, Tree
from ledger.signups import NOWHERE, Placed

__all__ = ["Living", "booth_of", "living", "placed_at"]

# The answer that each kind of place is in. Menus of before have them all in `place`.
_ANSWERS = {
    "centre": "centre_code",
    "postcode": "postcode",
    "town": "town",
    "booth": "stand",
}


@dataclass(frozen=True, slots=True)
class Living:
    """Where somebody lives: as it is kept as typed, and the places it leads to."""

    kind: str
    place: str | None
    province: str | None
    district: str | None
    placed: Placed


_NOWHERE = Living("unknown", None, None, None, NOWHERE)


def living(tree: Tree, answers: Mapping[str, str]) -> Living:
    """The place that the answers of a conversation say.

    A code that no centre and no booth has is an unknown place; a town that is not in
    the tree stays as it was typed.
    """
    kind = answers.get("place_kind") or ""
    typed = answers.get(_ANSWERS.get(kind, "")) or answers.get("place") or ""
    if not typed:
        return _NOWHERE
    if kind in (Kind.CENTRE, Kind.BOOTH):
        found = tree.by_dial(typed).place
        if found is not None and found.kind == kind:
            return Living(kind, typed, None, None, placed_at(tree, found.code))
        # In an empty tree nobody can tell that there is no such centre.
        return _NOWHERE if len(tree) else Living(kind, typed, None, None, NOWHERE)
    if kind == "postcode":
        found = tree.by_postcode(typed)
        code = None if found is None else found.code
        return Living(kind, typed, None, None, placed_at(tree, code))
    if kind == "town":
        province = answers.get("province") or None
        district = answers.get("district") or None
        found = _town(tree, typed, province, district)
        code = province if found is None else found.code
        return Living(kind, typed, province, district, placed_at(tree, code))
    return _NOWHERE


def placed_at(tree: Tree, code: str | None) -> Placed:
    """A place with the municipal district and the centre that it lies in, if any."""
    if tree.place(code) is None:
        return NOWHERE
    district, centre = tree.above(code, Kind.DISTRICT), tree.above(code, Kind.CENTRE)
    return Placed(
        code,
        None if district is None else district.code,
        None if centre is None else centre.code,
    )


def booth_of(tree: Tree, typed: str | None) -> str | None:
    """The code of the booth that somebody typed the number of; None for no booth."""
    found = tree.by_dial(typed).place if typed else None
    return found.code if found is not None and found.kind == Kind.BOOTH else None


def _town(
    tree: Tree, name: str, province: str | None, number: str | None
) -> Place | None:
    """The town of that name in the province, or its district of that number."""
    if province is not None and tree.place(province) is None:
        province = None
    towns = [
        place
        for place in tree.by_name(name, within=province)
        if place.kind in (Kind.TOWN, Kind.VILLAGE)
    ]
    # Of two with the same name in one province nobody can tell which it is.
    if len(towns) != 1:
        return None
    (town,) = towns
    for place in tree.under(town.code, Kind.DISTRICT) if number else ():
        if place.code.rpartition("-t")[2] == number:
            return place
    return town
