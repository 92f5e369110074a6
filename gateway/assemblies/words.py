"""What an operator's terminal says of assemblies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields

from ledger import people
from ledger.assemblies.benefactors import Benefactor, name_of
from ledger.assemblies.board import District
from ledger.assemblies.districts import number_of
from ledger.engine import Connection
from ledger.events import Earlier
from ledger.vault import Keys
from phone.dates import jalali
from phone.numbers import mask

__all__ = ["benefactor_line", "board_lines", "story_lines"]

# In the order of the board's columns.
_COLUMNS = tuple(
    one.name for one in fields(District) if one.name not in ("code", "capacity")
)


def board_lines(found: Sequence[District]) -> Iterator[str]:
    """A line for each district that has anything, and one for all of them."""
    heads = [name.replace("_", " ") for name in _COLUMNS]
    yield "  ".join(["district", *heads, "capacity"])
    capacity: dict[str, int] = {}
    for one in found:
        counts = [getattr(one, name) for name in _COLUMNS]
        for kind, amount in one.capacity.items():
            capacity[kind] = capacity.get(kind, 0) + amount
        if any(counts):
            yield _line(str(number_of(one.code)), heads, counts, one.capacity)
    sums = [sum(getattr(one, name) for one in found) for name in _COLUMNS]
    yield _line("all", heads, sums, capacity)


def story_lines(story: Iterable[Earlier], zone: str) -> Iterator[str]:
    """What happened, one line each, without who did it where that is a person."""
    for one in story:
        said = ", ".join(f"{name} {value}" for name, value in sorted(one.body.items()))
        yield f"  {jalali(one.at, zone)}  {one.kind:<20}  {said}".rstrip()


def benefactor_line(db: Connection, keys: Keys, one: Benefactor) -> str:
    """A benefactor with the name that they gave, for who keeps the register."""
    phone = people.phone_of(db, keys, person_id=one.person_id)
    name = name_of(db, keys, event_id=one.event_id)
    return (
        f"{one.event_id:>6}  {one.said.kind:<12}  {one.said.amount} {one.said.capacity}"
        f" for {one.said.covers}  {mask(phone) if phone else 'erased'}  {name}"
    ).rstrip()


def _line(
    name: str, heads: Sequence[str], counts: Sequence[int], capacity: Mapping[str, int]
) -> str:
    cells = [f"{count:>{len(head)}}" for head, count in zip(heads, counts, strict=True)]
    able = ", ".join(f"{amount} {kind}" for kind, amount in sorted(capacity.items()))
    return "  ".join([f"{name:>8}", *cells, able]).rstrip()
