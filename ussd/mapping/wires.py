"""A carrier's wire as configuration describes it: fields, kinds of request, replies.

Where these values come from and what they may be is the matter of
`ussd.mapping.configuration`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from phone.numbers import national
from ussd.mapping.bodies import written
from ussd.mapping.moulds import Mould
from ussd.options import Scalar
from ussd.turn import Ending, Unreadable

__all__ = ["ANYTHING", "ENDINGS", "OWN", "Kinds", "Replies", "Wire"]

ENDINGS = tuple(ending.value for ending in Ending)
# What a turn has by itself; the carrier's other fields get names of the operator's.
OWN = ("session", "phone", "typed", "dialled", "suffix", "sequence")
# The value that stands for every other.
ANYTHING = "*"


@dataclass(frozen=True, slots=True)
class Kinds:
    """Which values of a field say what a request is."""

    field: str
    values: Mapping[str, tuple[Scalar, ...]]
    otherwise: str

    def of(self, fields: Mapping[str, str]) -> str:
        """What a request is; raises Unreadable for a value that was not foreseen."""
        said = fields.get(self.field, "").strip().lower()
        for kind, values in self.values.items():
            if any(said == written(value).lower() for value in values):
                return kind
        for kind, values in self.values.items():
            if said and ANYTHING in values:
                return kind
        if self.otherwise:
            return self.otherwise
        if self.field not in fields:
            raise Unreadable(f"Field {self.field} is missing.")
        known = (written(value) for given in self.values.values() for value in given)
        raise Unreadable(f"Field {self.field} is none of {', '.join(known)}.")

    def sent(self, kind: str) -> Scalar | None:
        """What a carrier writes for it; None where it is told by nothing."""
        for value in self.values.get(kind, ()):
            return "1" if value == ANYTHING else value
        return None

    def ending(self, how: Ending) -> Ending | None:
        """The ending nearest to this one that the carrier has a word for."""
        for ending in (how, Ending.CUT, Ending.LEFT, Ending.REACHED):
            if self.values.get(ending) or self.otherwise == ending:
                return ending
        return None


@dataclass(frozen=True, slots=True)
class Replies:
    """How replies are written."""

    format: str
    content_type: str
    status: int
    newline: str
    declaration: bool
    go_on: Mould
    end: Mould
    thanks: Mould | None
    headers: Mapping[str, Mapping[str, Mould]]


@dataclass(frozen=True, slots=True)
class Wire:
    """One carrier's wire. `fields` are the carrier's paths by our names for them."""

    method: str
    format: str
    root: str
    cumulative: bool
    code: str
    first: str
    phone_as: str
    session_alone: bool
    fields: Mapping[str, str]
    kind: Kinds | None
    ends_at: str
    ends: Kinds | None
    sample: Mapping[str, Scalar]
    replies: Replies

    @property
    def extras(self) -> Mapping[str, str]:
        """The carrier's fields that mean nothing to us and that replies repeat."""
        return {k: v for k, v in self.fields.items() if k not in OWN}

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path that a request is read at."""
        told = [kinds.field for kinds in (self.kind, self.ends) if kinds is not None]
        return tuple(
            path for path in dict.fromkeys([*self.fields.values(), *told]) if path
        )

    def phone(self, e164: str) -> str:
        """A phone as this carrier writes it; digits alone where nothing is set."""
        if self.phone_as == "national":
            return national(e164)
        return e164 if self.phone_as == "plus" else e164.removeprefix("+")

    @property
    def starts_with_code(self) -> bool:
        """Whether the dial code stands where answers stand later."""
        return self.fields.get("dialled") == self.fields["typed"]
