"""The words of the report page and its files, in Persian and English."""

from __future__ import annotations

from collections.abc import Mapping

from ledger.publications import Change
from ledger.reporting import OTHER, Line
from phone.digits import persian_digits
from phone.figures import grouped, toman
from ussd.menus import Menus

__all__ = ["FIGURES", "GOODS", "Words"]

# In the order of the page and the files. Amounts are rial; goods have a unit.
FIGURES = ("donors", "pledged", "received", "returned", "spent", "unspent")
GOODS = ("bought", "in_kind", "delivered")
MONEY = frozenset(FIGURES) - {"donors"}

_FIGURES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "donors": "Givers",
        "pledged": "Pledged",
        "received": "Received",
        "returned": "Paid back",
        "spent": "Spent",
        "unspent": "Not spent yet",
        "bought": "Bought",
        "in_kind": "Handed in",
        "delivered": "Given out",
    },
    "fa": {
        "donors": "یاری‌دهندگان",
        "pledged": "ثبت‌شده",
        "received": "دریافت‌شده",
        "returned": "بازگشت‌داده",
        "spent": "هزینه‌شده",
        "unspent": "هزینه‌نشده",
        "bought": "خریداری‌شده",
        "in_kind": "اهدای کالا",
        "delivered": "توزیع‌شده",
    },
}
_UNITS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "parcel": "parcels",
        "voucher": "vouchers",
        "minute": "minutes",
        "toman": "toman",
    },
    "fa": {"parcel": "بسته", "voucher": "بن", "minute": "دقیقه", "toman": "تومان"},
}
_NAMES: Mapping[str, Mapping[str, str]] = {
    "en": {"": "Not said", OTHER: "Others together", "total": "In all"},
    "fa": {"": "نامشخص", OTHER: "دیگر موارد با هم", "total": "جمع کل"},
}
_FEW = {"en": "fewer than 5", "fa": "کمتر از ۵"}


class Words:
    """How figures are said in one language, with the titles of the menus."""

    def __init__(self, language: str, menus: Menus | None) -> None:
        # Of a language that is neither, the titles are its own and the rest is English.
        self.language = language
        self.spoken = "fa" if language == "fa" else "en"
        self._titles = menus.titles.get(language, {}) if menus else {}

    def figure(self, name: str) -> str:
        return _FIGURES[self.spoken][name]

    def unit(self, name: str) -> str:
        return _UNITS[self.spoken].get(name, name)

    def line(self, table: str, name: str) -> str:
        """The title of a line: a purpose's is the menus', a district is its name."""
        known = _NAMES[self.spoken]
        if table == "total":
            return known["total"]
        if table == "purposes" and name not in known:
            return self._titles.get("purposes", {}).get(name, name)
        return known.get(name) or self.digits(name)

    def digits(self, text: str) -> str:
        return persian_digits(text) if self.spoken == "fa" else text

    def count(self, number: int | None) -> str:
        """A number of people or things, or that they are few."""
        if number is None:
            return _FEW[self.spoken]
        return grouped(number, self.spoken)

    def toman(self, rial: int) -> str:
        return toman(rial, self.spoken)

    def goods(self, counts: Mapping[str, int]) -> str:
        """Counts by unit, in words."""
        said = [
            f"{self.count(n)} {self._one(unit) if n == 1 else self.unit(unit)}"
            for unit, n in counts.items()
        ]
        return ("، " if self.spoken == "fa" else ", ").join(said) or self.count(0)

    def _one(self, unit: str) -> str:
        # English has a plural; a unit's own name is singular.
        return self.unit(unit) if self.spoken == "fa" else unit

    def said(self, line: Line, figure: str) -> str:
        """A figure of a line as the page shows it."""
        value = getattr(line, figure)
        if figure in GOODS:
            return self.goods(value)
        return self.toman(value) if figure in MONEY else self.count(value)

    def changed(self, change: Change, value: int | None) -> str:
        """A figure before or after a change; a dash where there was no such line."""
        if value is None:
            return self.count(None) if change.figure == "donors" else "–"
        if change.unit:
            return self.goods({change.unit: value})
        return self.toman(value) if change.figure in MONEY else self.count(value)
