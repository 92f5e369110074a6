"""How a screen is worded, and how much of it one handset shows.

A screen is its text, then the numbered items of its list, then its keys, a line
each. What is longer than the handset shows is paged with key 9.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from phone.encoding import Limits, excess
from ussd.menus import Menus, Screen
from ussd.paging import sheets, words_of
from ussd.templates import Slots

__all__ = ["MORE", "Page", "page", "titles", "with_notice", "worded"]

MORE = "9"


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
    laid = sheets(
        text,
        lambda: words_of(screen.wording(slots).text[language].pieces(slots)),
        titles(screen, items, slots, language) if screen.listed else (),
        keys,
        f"{MORE} {menus.notices['more'][language].render(slots)}",
        lambda lines: excess("\n".join(lines), limits) == 0,
    )
    sheet = next(laid)
    while number > 0 and sheet.more:
        sheet, number = next(laid), number - 1
    end = sheet.start + sheet.taken
    values = tuple(str(item["value"]) for item in items[sheet.start : end])
    return Page(sheet.text, values, sheet.more)


def with_notice(notice: str, text: str, limits: Limits) -> str | None:
    """`text` under a notice, or None where both do not fit one screen."""
    both = f"{notice}\n{text}"
    return both if excess(both, limits) == 0 else None
