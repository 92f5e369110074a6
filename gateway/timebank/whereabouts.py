"""Where somebody is, which centre brings people together there, what it is called."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ledger.places.tree import Place, Tree

__all__ = [
    "WHERE_CHARS_MAX",
    "above",
    "centre_of",
    "placed",
    "reach",
    "said",
    "tell_centre",
]

# So much of a place's name goes into a text.
WHERE_CHARS_MAX = 11
# Nobody is sent to another town for an hour.
_WITHIN = ("centre", "neighbourhood", "nahiyeh", "district", "town", "village")
_TOLD = ("district", "town", "village", "county", "province")


def placed(
    tree: Tree, answers: Mapping[str, str], *, known: str | None
) -> Place | None:
    """The place that a caller told by a centre's code or a district, else the known."""
    if dial := answers.get("centre_code", ""):
        found = tree.by_dial(dial)
        return found.place or tree.place(known)
    if district := answers.get("tehran_district", ""):
        return tree.place(f"23-t{district}") or tree.place(known)
    return tree.place(known)


def above(tree: Tree, place: str | None) -> Sequence[str]:
    """A place and those it lies in, the nearest first, as far as people would go."""
    return [one.code for one in tree.chain(place) if one.kind in _WITHIN]


def reach(tree: Tree, places: Collection[str | None]) -> set[str]:
    """Every place from which people would go to one of these."""
    farthest = {chain[-1] for place in places if (chain := above(tree, place))}
    within = (tree.under(code, closed=True) for code in farthest)
    return farthest.union(*([one.code for one in some] for some in within))


def centre_of(tree: Tree, place: str | None) -> Place | None:
    """The centre of a place: its own, or the nearest one within its town."""
    own = tree.above(place, "centre")
    if own is not None:
        return own
    for code in above(tree, place):
        if centres := tree.under(code, "centre"):
            return centres[0]
    return None


def said(tree: Tree, place: str | None, language: str) -> str:
    """What a text calls a place: its district or its town, in eleven letters.

    Where the title is longer, by an alias in the same letters, or by its first words.
    """
    for kind in _TOLD:
        if (found := tree.above(place, kind)) is not None:
            return _short(found, language)
    return ""


def tell_centre(tree: Tree, place: str | None) -> str:
    """What callers type for a centre; nothing where there is none."""
    found = tree.place(place)
    return found.dial if found is not None else ""


def _short(place: Place, language: str) -> str:
    title = place.title(language)
    alike = [one for one in place.aliases if one.isascii() == title.isascii()]
    fits = [one for one in (title, *alike) if len(one) <= WHERE_CHARS_MAX]
    words = title[: WHERE_CHARS_MAX + 1].rpartition(" ")[0]
    return next(iter(fits), words or title[:WHERE_CHARS_MAX])
