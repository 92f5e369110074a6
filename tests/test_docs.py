"""The examples of docs/write-menus.md do what the page says."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from phone.encoding import Limits
from ussd.faults import Fault
from ussd.menus import EFFECTS, Kind
from ussd.prover import Line, prove
from ussd.reading import read

PAGE = Path("docs/write-menus.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
WHOLE, *PIECES = BLOCKS


def faults(source: str) -> list[Fault]:
    menus = read(source, time_zone="Asia/Tehran")
    return prove(menus, channels={"any": Limits()}, lines=[Line("10001", "لغو۱۱")])


def with_piece(piece: str) -> str:
    """The smallest menus with one more example in the place that it belongs to."""
    source = WHOLE
    first = piece.split(":")[0]
    if first == "window":
        return source.replace("    permit:", f"    {piece.strip()}\n    permit:")
    if first == "purposes":
        return source + "\nlists:\n" + textwrap.indent(piece, "  ")
    if first == "texts":
        return source.replace("texts: {}\n", piece)
    if "list: purposes" in piece:
        source += "\nlists:\n" + textwrap.indent(purposes(), "  ")
    if "do: stop_texts" in piece:
        source = source.replace("texts: {}\n", texts())
    return source.replace(
        "  root:\n",
        textwrap.indent(piece, "  ") + "\n  root:\n",
    ).replace(
        '      - {key: "0", label: {fa: "خروج"',
        f'      - {{key: "2", label: {{fa: "نمونه", en: "Example"}}, to: {first}}}\n'
        '      - {key: "0", label: {fa: "خروج"',
    )


def purposes() -> str:
    return next(piece for piece in PIECES if piece.startswith("purposes:"))


def texts() -> str:
    return next(piece for piece in PIECES if piece.startswith("texts:"))


def test_the_smallest_menus_have_no_fault():
    assert faults(WHOLE) == []


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.split(":")[0])
def test_every_example_fits_into_them(piece: str):
    assert faults(with_piece(piece)) == []


def test_the_page_names_every_kind_of_question_and_everything_that_can_be_done():
    for name in [*Kind, *EFFECTS]:
        assert f"`{name}`" in PAGE, name
