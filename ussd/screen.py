"""How a screen is worded, and how much of it one handset shows.

A screen is its text, then the numbered items of its list, then its keys, a line
each. A list longer than the screen pages itself with key 9; an item is never cut.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from phone.encoding import Limits, excess
from ussd.menus import Menus, Screen
from ussd.templates import Slots

__all__ = ["MORE", "Page", "page", "titles", "with_notice", "worded"]

MORE = "9"
# Keys 1 to 8 pick an item: 9 is more and 0 is back, on every list.
ITEMS_A_PAGE_MAX = 8


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a screen, and the list values behind its numbers."""

    text: str
    values: tuple[str, ...] = ()
    more: bool = False


def worded(screen: Screen, slots: Slots, language: str) -> tuple[str, list[str]]:
    """The text of a screen and its key lines, those whose condition holds."""
    text = screen.wording(slots).text[language].render(slots)
    keys = [
        f"{choice.key} {choice.label[language].render(slots)}"
        for choice in screen.choices
        if choice.label and choice.when.holds(slots)
    ]
    return text, keys


def titles(
    screen: Screen, items: Sequence[Mapping[str, Any]], slots: Slots, language: str
) -> list[str]:
    """How the items of a list read, without their numbers."""
    if screen.item:
        return [screen.item[language].render({**slots, **item}) for item in items]
    return [item["title"] for item in items]


def page(
    menus: Menus,
    screen: Screen,
    slots: Slots,
    language: str,
    *,
    items: Sequence[Mapping[str, Any]] = (),
    number: int = 0,
    limits: Limits,
) -> Page:
    """Page `number` (from 0) of a screen; the last one where there are fewer.

    Each of `items` has a "value" and the slots of the screen's item text.
    """
    text, keys = worded(screen, slots, language)
    if not screen.listed:
        return Page("\n".join([text, *keys]))
    listed = titles(screen, items, slots, language)
    more = f"{MORE} {menus.notices['more'][language].render(slots)}"
    start = 0
    while True:
        taken = _fitting(text, listed[start:], keys, more, limits)
        rest = start + taken < len(listed)
        if number == 0 or not rest:
            break
        start, number = start + taken, number - 1
    lines = [
        f"{key} {title}"
        for key, title in enumerate(listed[start : start + taken], start=1)
    ]
    values = tuple(str(item["value"]) for item in items[start : start + taken])
    tail = [more, *keys] if rest else keys
    return Page("\n".join([text, *lines, *tail]), values, rest)


def _fitting(
    text: str, titles: Sequence[str], keys: list[str], more: str, limits: Limits
) -> int:
    """How many of `titles` one page shows; at least one, so that a list moves on."""
    best = 0
    for count in range(1, min(len(titles), ITEMS_A_PAGE_MAX) + 1):
        lines = [f"{key} {title}" for key, title in enumerate(titles[:count], start=1)]
        tail = keys if count == len(titles) else [more, *keys]
        if excess("\n".join([text, *lines, *tail]), limits) == 0:
            best = count
    return max(best, min(1, len(titles)))


def with_notice(notice: str, text: str, limits: Limits) -> str | None:
    """`text` under a notice, or None where both do not fit one screen."""
    both = f"{notice}\n{text}"
    return both if excess(both, limits) == 0 else None
