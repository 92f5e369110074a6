"""The board of all districts, exact, for operators."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.operator import books
from gateway.faults import Unready
from gateway.service import now

if TYPE_CHECKING:
    from ledger.board import Row
    from ledger.places.tree import Tree


@click.command()
@click.option("--level", default="district", show_default=True, help="A row for each.")
@click.option("--within", default="23-tehran", show_default=True, help="Of this place.")
@click.option(
    "--csv",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write all figures into this file instead.",
)
def board(level: str, within: str, path: Path | None) -> None:
    """Show what is promised, asked for and done in every district.

    Minutes are minutes, and nothing is left out: this is not for the public, which
    reads the page /board.
    """
    from ledger.board import LEVELS, total
    from ledger.board import board as count
    from ledger.engine import reading
    from ledger.places.stored import read_tree

    if level not in LEVELS:
        raise Unready(f"there is no level {level!r}: there are {', '.join(LEVELS)}")
    at: datetime = now()
    with books() as (engine, zone), reading(engine, snapshot=True) as db:
        tree = read_tree(db)
        if tree.place(within) is None:
            raise Unready(f"there is no place {within!r}: see yarigar places list")
        today = at.astimezone(zone).date()
        rows = count(db, level=level, within=within, today=today, at=at)
    if path is None:
        click.echo("\n".join(_lines(rows, total(rows), tree)))
    else:
        _write(path, rows, tree)
        click.echo(f"{len(rows)} rows are in {path}")


def _lines(rows: list[Row], sums: dict[str, int], tree: Tree) -> list[str]:
    """A paragraph for each place that has anything, and one for all of them."""
    lines = []
    for row in rows:
        if any(row.figures.values()):
            lines += [_name(row.place, tree), *_figures(row.figures)]
    return [*lines, "all", *_figures(sums)]


def _figures(figures: Mapping[str, int]) -> list[str]:
    from gateway.board_words import GROUPS

    told = []
    for names in GROUPS.values():
        some = [f"{name} {figures[name]:,}" for name in names if figures[name]]
        if some:
            told.append("  " + ", ".join(some))
    return told or ["  nothing"]


def _name(place: str, tree: Tree) -> str:
    found = tree.place(place)
    return f"{found.code} {found.title('en')}" if found else "elsewhere or not said"


def _write(path: Path, rows: list[Row], tree: Tree) -> None:
    from ledger.board import FIGURES
    from ledger.export.csv import MARK, lines
    from ledger.export.files import replaced

    def record(row: Row) -> list[str | int]:
        found = tree.place(row.place)
        name = found.title("fa") if found is not None else ""
        return [row.place, name, *(row.figures[figure] for figure in FIGURES)]

    try:
        with replaced(path) as part, part.open("wb") as file:
            file.write(MARK + lines([["place", "title", *FIGURES]]))
            file.write(lines(map(record, rows)))
    except OSError as failure:
        raise Unready(f"{path}: {failure.strerror}") from failure
