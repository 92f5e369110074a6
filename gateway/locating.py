"""Where somebody says they are, as screens can tell them: from the tree in memory.

A place is closed to nobody who did not find theirs: each of these says so by an empty
title, and the menus lead on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ledger.places.kinds import Kind
from ledger.places.tree import Place, Tree

__all__ = ["as_items", "centre", "postcode", "town", "town_of", "towns"]

ITEMS_MAX = 60


def centre(tree: Tree, language: str, typed: str) -> Mapping[str, Any]:
    """The centre or booth of a dial; where there is none, the one surely meant.

    `centre_meant_code` is its dial: put into `centre_code` it is looked up itself.
    """
    found = tree.by_dial(typed)
    place, meant = found.place, found.meant
    return {
        "centre_found": _title(place, language),
        "centre_kind": place.kind if place else "",
        "centre_place": place.code if place else "",
        "centre_meant": _title(meant, language),
        "centre_meant_code": meant.dial if meant else "",
    }


def postcode(tree: Tree, language: str, typed: str) -> Mapping[str, Any]:
    """What lies behind the first digits of a postal code."""
    place = tree.by_postcode(typed)
    return {
        "postcode_found": _title(place, language),
        "postcode_place": place.code if place else "",
    }


def town(tree: Tree, language: str, typed: str) -> Mapping[str, Any]:
    """The town somebody picked or wrote, and how many districts it has."""
    place = town_of(tree, typed)
    districts = len(tree.under(place.code, Kind.DISTRICT)) if place else 0
    return {
        "town_found": _title(place, language),
        "town_place": place.code if place else "",
        "town_has_districts": "yes" if districts else "",
        "town_districts": districts,
    }


def town_of(tree: Tree, typed: str) -> Place | None:
    """The town of a code or a name; `23/ری` is a name within a place.

    None for a name that several have: nobody is put into the wrong one.
    """
    place = tree.place(typed)
    if place is not None:
        return None if place.closed else place
    within, _, name = typed.rpartition("/")
    if within and tree.place(within) is None:
        return None
    named = tree.by_name(name, within or None)
    towns = [one for one in named if one.kind in (Kind.TOWN, Kind.VILLAGE)]
    return towns[0] if len(towns) == 1 else None


def towns(tree: Tree, language: str, province: str) -> Mapping[str, Any]:
    """The towns of a province to pick from, by name."""
    found = tree.under(province, Kind.TOWN) if tree.place(province) else ()
    return {"items": as_items(found, language)}


def as_items(places: tuple[Place, ...], language: str) -> list[dict[str, Any]]:
    """Places as the items of a list: the code is picked, the title is read."""
    named = sorted(places, key=lambda one: one.title(language))[:ITEMS_MAX]
    return [{"value": one.code, "title": one.title(language)} for one in named]


def _title(place: Place | None, language: str) -> str:
    return place.title(language) if place else ""
