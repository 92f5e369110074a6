"""A JSON body, read without a guess: nothing doubled, rounded, coerced or passed over.

Every fault is one line that names the field and never its value, which may be a number
that stands nowhere else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from gateway.payments.form import Unreadable
from phone.amounts import RIAL_MAX
from phone.digits import fold_digits, visible
from phone.numbers import NotAPhone, from_network, from_person, is_mobile
from phone.private import looks_like_card

__all__ = ["Fields", "parsed"]

REFERENCE_CHARS_MAX = 80
PHONE_CHARS_MAX = 32
CODE_CHARS_MAX = 40
YEAR_MIN = 2000
# A service whose clock runs ahead; more is a wrong date.
AHEAD_MAX = timedelta(days=1)
# The sender's own, for its own ends.
OWN_PREFIX = "x_"

_NAME = re.compile(r"[A-Za-z][A-Za-z_]{0,39}", re.ASCII)
_CODE = re.compile(r"[0-9]{9}", re.ASCII)
# RFC 3339, section 5.6, without the leap second, which no bank books in.
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)
# As people write a phone's number, also among words; a bank's reference of twelve
# digits is none, whatever it begins with.
_PHONE = re.compile(
    r"(?<![0-9])(\+|00?)[1-9]([\s().-]{0,3}[0-9]){8,13}(?![0-9])", re.ASCII
)


class Fields:
    """The fields of one body, taken by name. Each reading raises Unreadable."""

    def __init__(self, given: Mapping[str, Any], known: Collection[str]) -> None:
        for name in given:
            if name not in known and not name.startswith(OWN_PREFIX):
                # A name can be anything, a phone number too.
                told = name if _NAME.fullmatch(name) else "a field"
                raise Unreadable(f"{told}: there is no such field in this form")
        # What is null was not given: that is how many libraries leave a field out.
        self._given = {n: v for n, v in given.items() if v is not None}

    def word(self, name: str, chars_max: int, shape: str, means: str) -> str:
        """A text of 1 to `chars_max` characters of a shape."""
        value = self._text(name, chars_max)
        if not re.fullmatch(shape, value, re.ASCII):
            raise Unreadable(f"{name}: should be {means}")
        return value

    def rial(self, name: str) -> int:
        """A whole number of rial, from 1 to 10**15."""
        value = self._needed(name)
        # A bool is an int to Python, and money to nobody.
        if not isinstance(value, int) or isinstance(value, bool):
            raise Unreadable(f"{name}: should be a whole number without quotes")
        if not 0 < value <= RIAL_MAX:
            raise Unreadable(f"{name}: should be from 1 to {RIAL_MAX} rial")
        return value

    def time(self, name: str, at: datetime) -> datetime:
        """A moment between the year 2000 and a day from `at`."""
        written = self._text(name, 40)
        if not _TIME.fullmatch(written):
            raise Unreadable(
                f"{name}: should be a time with its zone, as 2026-11-22T12:30:00+03:30"
            )
        try:
            moment = datetime.fromisoformat(written.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            raise Unreadable(f"{name}: is on no calendar or clock") from None
        if moment.year < YEAR_MIN:
            raise Unreadable(f"{name}: is before the year {YEAR_MIN}")
        if moment > at + AHEAD_MAX:
            raise Unreadable(f"{name}: is more than a day from now")
        return moment

    def code(self, name: str) -> str | None:
        """Nine digits, if given. A check digit that is wrong is the payer's slip: the
        money is as real."""
        if name not in self._given:
            return None
        code = "".join(fold_digits(visible(self._text(name, CODE_CHARS_MAX))).split())
        if not _CODE.fullmatch(code):
            raise Unreadable(f"{name}: should be nine digits")
        return code

    def phone(self, name: str, region: str) -> str | None:
        """A mobile number as E.164, if given."""
        if name not in self._given:
            return None
        phone = _mobile(self._text(name, PHONE_CHARS_MAX), region)
        if phone is None:
            raise Unreadable(f"{name}: should be a mobile number")
        return phone

    def reference(self, name: str) -> str | None:
        """A line of words or figures, if given, that is no card and no phone."""
        if name not in self._given:
            return None
        value = " ".join(visible(self._text(name, REFERENCE_CHARS_MAX)).split())
        if not value or not value.isprintable():
            raise Unreadable(f"{name}: should be one line that can be printed")
        if looks_like_card(value):
            raise Unreadable(f"{name}: a card number is not taken")
        if _PHONE.search(fold_digits(value)):
            raise Unreadable(f"{name}: a phone number belongs into phone")
        return value

    def has(self, *names: str) -> bool:
        """Whether any of these was given."""
        return any(name in self._given for name in names)

    def _needed(self, name: str) -> Any:
        if name not in self._given:
            raise Unreadable(f"{name}: is missing")
        return self._given[name]

    def _text(self, name: str, chars_max: int) -> str:
        value = self._needed(name)
        if not isinstance(value, str):
            raise Unreadable(f"{name}: should be a text in quotes")
        if not 0 < len(value) <= chars_max:
            raise Unreadable(f"{name}: should have 1 to {chars_max} characters")
        return value


def parsed(body: bytes) -> dict[str, Any]:
    """The object that a body is. Raises Unreadable."""
    try:
        found = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_once,
            parse_float=_no_float,
            parse_constant=_no_float,
        )
    except Unreadable:
        raise
    except (ValueError, RecursionError):
        raise Unreadable("the body should be JSON in UTF-8") from None
    if not isinstance(found, dict):
        raise Unreadable("the body should be one JSON object")
    return found


def _mobile(written: str, region: str) -> str | None:
    """As E.164; the second reading knows prefixes that are newer than the first."""
    for read in (from_person, from_network):
        try:
            phone = read(written, region)
        except NotAPhone:
            continue
        if is_mobile(phone):
            return phone
    return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        told = twice if _NAME.fullmatch(twice) else "a field"
        raise Unreadable(f"{told}: is given twice")
    return found


def _no_float(written: str) -> NoReturn:
    raise Unreadable("a number with a fraction or an exponent is not taken")
