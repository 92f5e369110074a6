"""Prove a menu file against the channels and sender lines of the settings.

What comes of it is told as lines for a reader, or as an object for a program.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from gateway.faults import Unready
from gateway.settings import Settings, UssdChannel
from phone.encoding import Limits
from sms.keywords import RESERVED
from ussd.faults import BadMenus, Fault
from ussd.menus import Menus
from ussd.prover import Line, examine
from ussd.prover.costs import TextCost
from ussd.prover.estimates import Reach, Timers
from ussd.reading import read

__all__ = [
    "MenusRefused",
    "Proved",
    "as_object",
    "as_table",
    "limits",
    "menu_files",
    "prices",
    "prove_file",
    "texts_table",
]

# So many letters that GSM-7 lacks are a slip in a Latin text, and more a language.
STRAY_LETTERS_MAX = 5


class MenusRefused(Unready):
    """The menus have faults; each has a line with its place and its remedy."""

    def __init__(self, refused: BadMenus) -> None:
        super().__init__(str(refused))
        self.faults: tuple[Fault, ...] = refused.faults


@dataclass(frozen=True, slots=True)
class Proved:
    """Menus without a fault, their source, the way to each thing they do, and what
    each of their texts costs.
    """

    menus: Menus
    source: str
    reaches: list[Reach]
    costs: list[TextCost]


def prove_file(settings: Settings, path: Path) -> Proved:
    """The menus in `path`; raises MenusRefused with every fault."""
    try:
        source = path.read_text(encoding="utf-8")
    except OSError as failure:
        fault = Fault(1, 1, str(failure.strerror), "Give the path of a menu file")
        raise MenusRefused(BadMenus([fault], str(path))) from None
    except UnicodeDecodeError:
        fault = Fault(1, 1, "not UTF-8 text", "Save the file as UTF-8")
        raise MenusRefused(BadMenus([fault], str(path))) from None
    with _keeping_everything():
        try:
            menus = read(source, time_zone=settings.time_zone, name=str(path))
        except BadMenus as refused:
            raise MenusRefused(refused) from None
        proof = examine(
            menus,
            channels=limits(settings),
            lines=_lines(settings),
            gsm7_only=[name for name, c in _kinds(settings).items() if c.gsm7_only],
            timers=_timers(settings),
            reserved=RESERVED,
        )
    if proof.faults:
        raise MenusRefused(BadMenus(proof.faults, str(path)))
    return Proved(menus, source, proof.reaches, proof.costs)


@contextmanager
def _keeping_everything() -> Iterator[None]:
    """Let nothing be looked for that could be let go.

    All that is read of a file is kept, and of a large one the looking takes half the
    time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def menu_files(given: Sequence[Path]) -> Iterator[Path]:
    """Each of these files, and each *.yaml in these folders; in its order.

    Raises Unready for a folder without any.
    """
    for path in given:
        if not path.is_dir():
            yield path
            continue
        found = sorted(path.glob("*.yaml"))
        if not found:
            raise Unready(f"{path}: no menu file in it: a menu file is *.yaml")
        yield from found


def limits(settings: Settings) -> dict[str, Limits]:
    """The screen of every kind of channel, by a name for it."""
    return {
        name: Limits(gsm7_septets=c.gsm7_septets, ucs2_units=c.ucs2_units)
        for name, c in _kinds(settings).items()
    } or {"default": Limits()}


def _kinds(settings: Settings) -> dict[str, UssdChannel]:
    """The channels, those once that prove alike: a simulator adds a dozen."""
    kinds: dict[tuple[object, ...], list[str]] = {}
    for name, c in settings.ussd.items():
        screen = (c.gsm7_septets, c.ucs2_units, c.gsm7_only)
        kind = (*screen, c.session_seconds_max, c.answer_seconds_max)
        kinds.setdefault(kind, []).append(name)
    return {_named(names): settings.ussd[names[0]] for names in kinds.values()}


def _named(names: list[str]) -> str:
    first, *others = names
    return f"{first} (and {len(others)} alike)" if others else first


def _lines(settings: Settings) -> list[Line]:
    """The sender lines of every carrier, with the words they must end with."""
    return [Line(c.sender, c.stop_line) for c in settings.sms.values()]


def _timers(settings: Settings) -> dict[str, Timers]:
    return {
        name: Timers(c.session_seconds_max, c.answer_seconds_max)
        for name, c in _kinds(settings).items()
    }


def prices(settings: Settings) -> dict[str, str]:
    """What one step costs on the channels that say so, as `250 rial`."""
    return {name: c.step_price for name, c in settings.ussd.items() if c.step_price}


# -- what is told of it ---------------------------------------------------------------


def as_table(proved: Proved, prices: Mapping[str, str]) -> Iterator[str]:
    """The shortest way to each thing that the menus do, a line each.

    A screen is one step of the carrier's bill; `prices` are those of channels.
    """
    rows = [["flow", "does", "from", "screens", "seconds"]]
    rows[0] += [f"costs on {channel}" for channel in prices]
    for reach in _shortest(proved.reaches):
        row = [reach.flow or "-", reach.deed, reach.code]
        row += [str(reach.screens), str(reach.seconds)]
        row += [_cost(price, reach.screens) for price in prices.values()]
        rows.append(row)
    if len(rows) > 1:
        yield from _laid_out(rows, figures=("screens", "seconds"))


def texts_table(proved: Proved) -> Iterator[str]:
    """What each text costs in each language, a line each.

    Where it needs UCS-2, the first letter that makes it so is named with its place,
    and how many others there are; where it is several parts, what to cut for one fewer.
    """
    rows = [["text", "kind", "in", "parts", "holds", "stop line", "why"]]
    for cost in proved.costs:
        holds = f"{cost.length}/{cost.room} {cost.encoding}"
        row = [cost.name, cost.kind, cost.language, str(cost.parts), holds]
        rows.append([*row, cost.stop_line or "-", "; ".join(_why(cost)) or "-"])
    if len(rows) > 1:
        yield from _laid_out(rows, figures=("parts",))


def _why(cost: TextCost) -> Iterator[str]:
    if cost.parts > 1:
        yield f"cut {cost.cut} for one part fewer"
    if cost.letter:
        more = f" and {cost.others} more" if cost.others else ""
        yield f"U+{ord(cost.letter):04X} {cost.letter} at {cost.at}{more}"
    if cost.parts_without < cost.parts and cost.others < STRAY_LETTERS_MAX:
        parts = "part" if cost.parts_without == 1 else "parts"
        yield f"{cost.parts_without} {parts} without"


def _laid_out(rows: list[list[str]], *, figures: Sequence[str]) -> Iterator[str]:
    """Rows as columns under the first of them, those of figures to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.rjust(width) if head in figures else cell.ljust(width)
            for head, cell, width in zip(rows[0], row, widths, strict=True)
        ]
        yield "  ".join(cells).rstrip()


def as_object(
    path: Path,
    faults: tuple[Fault, ...],
    proved: Proved | None,
    prices: Mapping[str, str],
) -> dict[str, Any]:
    """The file, its faults, a summary, and what each way and text takes, for a
    program.
    """
    return {
        "file": str(path),
        "faults": [
            {"line": f.line, "column": f.column, "what": f.what, "remedy": f.remedy}
            for f in faults
        ],
        "summary": {"faults": len(faults), **(_counts(proved) if proved else {})},
        "ways": [
            {
                "flow": reach.flow,
                "does": reach.deed,
                "from": reach.code,
                "screens": reach.screens,
                "steps": reach.screens,
                "seconds": reach.seconds,
                "costs": {
                    c: _cost(price, reach.screens) for c, price in prices.items()
                },
            }
            for reach in (proved.reaches if proved else ())
        ],
        "texts": [asdict(cost) for cost in (proved.costs if proved else ())],
    }


def _counts(proved: Proved) -> dict[str, int]:
    menus = proved.menus
    return {
        "screens": len(menus.screens),
        "texts": len(menus.texts),
        "languages": len(menus.languages),
    }


def _shortest(reaches: list[Reach]) -> list[Reach]:
    """Of the codes that lead to one deed, that with the fewest screens."""
    found: dict[tuple[str, str], Reach] = {}
    for reach in reaches:
        known = found.setdefault((reach.flow, reach.deed), reach)
        if (reach.screens, reach.seconds) < (known.screens, known.seconds):
            found[reach.flow, reach.deed] = reach
    return list(found.values())


def _cost(price: str, steps: int) -> str:
    figure, _, unit = price.partition(" ")
    return f"{Decimal(figure) * steps} {unit}".rstrip()
