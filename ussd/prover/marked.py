"""Values that know how they may be said.

The prover puts them into texts in the place of what a caller would have. An amount
that is shown as it is kept, a code that is counted with, and a value of a list
without its title raise ValueError, and so the text cannot be rendered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ussd.menus import Menus

__all__ = [
    "CODE",
    "DAY",
    "Constant",
    "Listed",
    "Name",
    "Rial",
    "RialAnswer",
    "constants",
    "titles_of",
]

_UNSAID = "an amount is said without toman or figure"


class Rial(int):
    """An amount, which no text may show as it is kept."""

    def __str__(self) -> str:
        raise ValueError(_UNSAID)


class RialAnswer(str):
    """An amount that was answered: kept as text, and shown no more than `Rial` is."""

    __slots__ = ()

    def __str__(self) -> str:
        raise ValueError(_UNSAID)


class Name(str):
    """Digits that are a name, as a code is: no figure, and never counted with."""

    __slots__ = ()

    def __int__(self) -> int:
        raise ValueError("a code is no figure: say it as it is")


class Titles(dict[str, str]):
    """What a list calls its values; a value it does not have is a fault here."""

    def __init__(self, name: str, titles: Mapping[str, str]) -> None:
        super().__init__(titles)
        self._name = name

    def get(self, value: str, default: Any = None) -> Any:
        if value and value not in self:
            raise ValueError(f"the list {self._name} has no {value!r}")
        return super().get(value, default)


def titles_of(menus: Menus, language: str) -> Mapping[str, Mapping[str, str]]:
    """The titles of every list, which raise ValueError for a value they lack."""
    return {
        name: Titles(name, titles) for name, titles in menus.titles[language].items()
    }


class Constant(str):
    """A value that the file itself gives, where another is typed by a caller."""

    __slots__ = ()


class Listed(Constant):
    """A value of a list, which callers know by its title."""

    __slots__ = ()

    def __str__(self) -> str:
        value = str.__str__(self)
        raise ValueError(f"{value!r} of a list is said without its title")


def constants(menus: Menus) -> Callable[[str], Constant]:
    """Makes a value of the file; one of a list, unless a number, has to be titled."""
    listed = {value for values in menus.lists.values() for value, _ in values}

    def constant(value: str) -> Constant:
        titled = value in listed and not value.isdecimal()
        return Listed(value) if titled else Constant(value)

    return constant


# The longest tracking code: all are of nine digits.
CODE = Name("999999999")
# A Jalali day as texts write it.
DAY = "1405/12/29"
