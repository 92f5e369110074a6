"""The words and figures of the board, for a terminal, a file and the public page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ledger.board import ELSEWHERE, FIGURES, Row
from ledger.places.tree import Tree
from phone.digits import persian_digits
from phone.figures import grouped

__all__ = ["FEW", "GROUPS", "TITLES", "Line", "has_anything", "public", "title", "word"]

# Figures of fewer people are not told to everybody; an hour is the least of one.
FEW = 5
FEW_MINUTES = 300

# What stands together, in the order of a page; the groups are all of the figures.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "volunteers": FIGURES[:2],
    "hours": FIGURES[2:5],
    "deliveries": FIGURES[5:9],
    "assemblies": FIGURES[9:],
}
TITLES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "volunteers": "Volunteers",
        "people_needed": "People still needed",
        "hours": "Time bank",
        "minutes_offered": "Hours offered",
        "minutes_needed": "Hours needed",
        "minutes_given": "Hours given",
        "deliveries": "Home delivery",
        "deliveries_open": "Requests that wait",
        "deliveries_late": "Of these late",
        "deliveries_done": "Delivered",
        "parcels": "Parcels given out",
        "assemblies": "Benefactors' assemblies",
        "benefactors": "Benefactors",
        "people_covered": "People they look after",
        "proposals": "Proposals",
        "decisions_open": "Decisions to be done",
        "studies": "Of these under study",
        "decisions_late": "Of these late",
        "decisions_done": "Decisions done",
        "meetings_held": "Meetings held",
        "premises_offered": "Premises offered",
        "premises_needed": "Premises needed",
        ELSEWHERE: "Elsewhere or not said",
        "total": "Sum of what is shown",
    },
    "fa": {
        "volunteers": "یاریگران",
        "people_needed": "نیاز به یاریگر",
        "hours": "بانک زمان",
        "minutes_offered": "ساعت پیشنهادی",
        "minutes_needed": "ساعت مورد نیاز",
        "minutes_given": "ساعت انجام‌شده",
        "deliveries": "تحویل در خانه",
        "deliveries_open": "درخواست در انتظار",
        "deliveries_late": "از آن میان دیرشده",
        "deliveries_done": "تحویل‌شده",
        "parcels": "بسته توزیع‌شده",
        "assemblies": "مجمع‌های خیرین",
        "benefactors": "خیرین",
        "people_covered": "زیر پوشش آنان",
        "proposals": "پیشنهادها",
        "decisions_open": "مصوبه در انتظار",
        "studies": "از آن میان در بررسی",
        "decisions_late": "از آن میان دیرشده",
        "decisions_done": "مصوبه انجام‌شده",
        "meetings_held": "نشست برگزارشده",
        "premises_offered": "مکان پیشنهادی",
        "premises_needed": "مکان مورد نیاز",
        ELSEWHERE: "جای دیگر یا نامشخص",
        "total": "جمع آنچه دیده می‌شود",
    },
}
_FEW = {"en": "fewer than five", "fa": "کمتر از پنج"}

_OF_PEOPLE = frozenset(
    {
        *("volunteers", "deliveries_open", "deliveries_late", "deliveries_done"),
        *("parcels", "benefactors", "people_covered"),
        *("premises_offered", "premises_needed"),
    }
)
# A place with its figures as everybody may read them: None for a few.
Line = tuple[str, Mapping[str, int | None]]


def public(rows: Sequence[Row]) -> list[Line]:
    """The rows without what tells of fewer than five people, and then their sum.

    The sum is of what is shown: from one of everything the few could be worked out.
    """
    lines: list[Line] = [(row.place, _without_few(row.figures)) for row in rows]
    sums: Mapping[str, int | None] = {
        name: sum(figures[name] or 0 for _, figures in lines) for name in FIGURES
    }
    return [*lines, ("total", sums)]


def title(place: str, tree: Tree, language: str) -> str:
    """What a line is called: the place's title, or a word for what is no place."""
    found = tree.place(place)
    told = found.title(language) if found is not None else TITLES[language][place]
    return persian_digits(told) if language == "fa" else told


def word(figure: str, number: int | None, language: str) -> str:
    """A figure as the page shows it: minutes in hours, a few as a few."""
    if number is None:
        return _FEW[language]
    if not figure.startswith("minutes"):
        return grouped(number, language)
    whole = grouped(number // 60, language)
    rest = number % 60
    return f"{whole}:{grouped(rest, language).zfill(2)}" if rest else whole


def has_anything(figures: Mapping[str, int | None]) -> bool:
    """Whether a line says more than nothing."""
    return any(number != 0 for number in figures.values())


def _without_few(figures: Mapping[str, int]) -> dict[str, int | None]:
    shown: dict[str, int | None] = dict(figures)
    for name, number in figures.items():
        least = FEW_MINUTES if name.startswith("minutes") else FEW
        is_small = name in _OF_PEOPLE or name.startswith("minutes")
        if is_small and 0 < number < least:
            shown[name] = None
    # How many a single benefactor looks after tells of that one.
    if shown["benefactors"] is None and shown["people_covered"]:
        shown["people_covered"] = None
    return shown
