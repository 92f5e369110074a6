"""What a channel sets for its dialect, read strictly.

Options come from yarigar.toml as what they are, or from the environment as texts: a
list with commas, a table as JSON. Each fault is kept, to be told with all the others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from phone.dialcode import NotADialCode, normalise

__all__ = ["Options", "Scalar"]

Scalar = str | int | bool

CHARS_MAX = 200
VALUES_MAX = 20
NAMES_MAX = 40
JSON_CHARS_MAX = 8_000

_FLAGS = {"true": True, "false": False}


class Options:
    """A table of options. Each is asked for once by name; `close` tells the rest."""

    def __init__(
        self,
        given: Mapping[str, Any] | None,
        *,
        at: str = "",
        faults: list[str] | None = None,
    ) -> None:
        self._given = dict(given or {})
        self._at = at
        self.faults: list[str] = [] if faults is None else faults
        if len(self._given) > NAMES_MAX:
            self.fault("", f"has more than {NAMES_MAX} options")
            self._given.clear()

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def fault(self, name: str, why: str) -> None:
        """Keep a line about an option."""
        where = ".".join(part for part in (self._at, name) if part)
        self.faults.append(f"{_shown(where)}: {why}" if where else why)

    def text(
        self,
        name: str,
        default: str | None = "",
        *,
        among: Sequence[str] = (),
        chars_max: int = CHARS_MAX,
    ) -> str:
        """A text, one of `among` if that is given; must be set if None by default."""
        value = self._given.pop(name, default)
        if value is None:
            self.fault(name, "is missing")
        elif not isinstance(value, str):
            self.fault(name, "should be a text")
        elif not value.replace("\n", "").replace("\r", "").isprintable():
            self.fault(name, "holds a character that nobody sees")
        elif len(value) > chars_max:
            self.fault(name, f"is longer than {chars_max} characters")
        elif among and value != default and value not in among:
            self.fault(name, f"should be one of {', '.join(map(repr, among))}")
        else:
            return value
        return default or ""

    def flag(self, name: str, default: bool = False) -> bool:
        """True or false."""
        value = self._given.pop(name, default)
        if isinstance(value, str):
            value = _FLAGS.get(value.lower(), value)
        if not isinstance(value, bool):
            self.fault(name, "should be true or false")
            return default
        return value

    def number(self, name: str, default: int, *, least: int, most: int) -> int:
        """A whole number within bounds."""
        value = self._given.pop(name, default)
        if isinstance(value, str) and value.isascii() and value.isdecimal():
            value = int(value[:12])
        if type(value) is not int or not least <= value <= most:
            self.fault(name, f"should be a number from {least} to {most}")
            return default
        return value

    def dial_code(self, name: str) -> str:
        """A dial code in dial order, `*780*5588#`; empty where it is not set."""
        value = self._given.pop(name, "")
        # A short code alone may stand without quotes: 780.
        written = str(value).strip() if type(value) in (str, int) else "none"
        try:
            return normalise(written) if written else ""
        except NotADialCode as why:
            self.fault(name, str(why))
            return ""

    def values(self, name: str, *, least: int = 0) -> tuple[Scalar, ...]:
        """One value or a list of values, each a text, a number or true or false."""
        if least and name not in self._given:
            self.fault(name, "is missing")
            return ()
        given = self._given.pop(name, ())
        if isinstance(given, str):
            given = [part.strip() for part in given.split(",")]
        elif isinstance(given, (int, bool)):
            given = [given]
        is_list = isinstance(given, (list, tuple))
        if not is_list or not least <= len(given) <= VALUES_MAX:
            many = f"{least} to" if least else "at most"
            self.fault(name, f"should be a list of {many} {VALUES_MAX} values")
            return ()
        for value in given:
            if not isinstance(value, (str, int)) or len(str(value)) > CHARS_MAX:
                self.fault(name, "should hold texts, numbers, true or false")
                return ()
        return tuple(given)

    def table(self, name: str) -> Options:
        """A table within this one; an empty one where it is not set."""
        given = self.tree(name, {})
        if not isinstance(given, Mapping):
            self.fault(name, "should be a table")
            given = {}
        where = ".".join(part for part in (self._at, name) if part)
        return Options(given, at=where, faults=self.faults)

    def tree(self, name: str, default: Any = None) -> Any:
        """Whatever is set there; a text that is a JSON object is read as a table."""
        given = self._given.pop(name, default)
        if isinstance(given, str) and given.lstrip().startswith("{"):
            if len(given) > JSON_CHARS_MAX:
                self.fault(name, f"is longer than {JSON_CHARS_MAX} characters")
                return default
            try:
                read = json.loads(given)
            except (ValueError, RecursionError):
                return given
            return read if isinstance(read, dict) else given
        return given

    def names(self) -> tuple[str, ...]:
        """The options nobody has asked for yet."""
        return tuple(self._given)

    def close(self) -> None:
        """Take note of options that nobody asked for."""
        for name in self._given:
            self.fault(name, "no such option")

    def check(self) -> None:
        """Close, and raise ValueError with a line for each fault, if there are any."""
        self.close()
        if self.faults:
            raise ValueError("\n".join(self.faults))


def _shown(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in name[:80])
