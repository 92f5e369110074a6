"""Commands for the tree of places: check a file, bring it in, look one up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.operator import books, by
from gateway.faults import Unready
from gateway.service import now

if TYPE_CHECKING:
    from ledger.engine import Engine
    from ledger.places.importing import Difference
    from ledger.places.tree import Place, Tree

SHOWN_MAX = 40

path = click.argument("file", type=click.Path(path_type=Path))
limit = click.option(
    "--limit", type=click.IntRange(1, 5000), default=200, show_default=True
)


@click.group()
def places() -> None:
    """Check, bring in and show the places."""


@places.command()
@path
def check(file: Path) -> None:
    """Read FILE and say what is wrong with it, without the ledger."""
    from gateway.placing import read_file

    found = read_file(file)
    click.echo(f"{len(found)} places, and nothing is wrong with them")


@places.command(name="import")
@path
@click.option("--yes", is_flag=True, help="Without a question.")
@by
def bring_in(file: Path, yes: bool, by: str) -> None:
    """Show what FILE would change, and bring it in.

    A place that is not in it is closed and never deleted: people signed up there.
    """
    from gateway.placing import compared, read_file, take_in

    found = read_file(file)
    with books() as (engine, _):
        change = compared(engine, found)
        if not change:
            click.echo("nothing to change: these places are in force")
            return
        click.echo("\n".join(_told(change)))
        if not yes and not click.confirm("Bring this in?"):
            raise Unready("nothing was changed")
        done = take_in(engine, found, by=by, at=now())
        counts = ", ".join(f"{number} {name}" for name, number in done.counts().items())
    click.echo(f"done: {counts}")


@places.command()
@click.argument("code")
def show(code: str) -> None:
    """Show the place of CODE, or of what callers dial, and what it lies in."""
    with books() as (engine, _):
        tree = _tree(engine)
    place = tree.place(code) or tree.by_dial(code).place
    if place is None:
        raise Unready(_not_found(tree, code))
    click.echo(_line(place))
    for above in tree.chain(place.code)[1:]:
        click.echo(f"  in {_line(above)}")
    below = tree.children(place.code)
    for one in below[:SHOWN_MAX]:
        click.echo(f"  has {_line(one)}")
    if len(below) > SHOWN_MAX:
        click.echo(f"  and {len(below) - SHOWN_MAX} more")


@places.command(name="list")
@click.option("--kind", help="Only of this kind: centre, town and so on.")
@click.option("--in", "within", help="Only what lies in the place of this code.")
@limit
def list_places(kind: str | None, within: str | None, limit: int) -> None:
    """Show the open places, as many as --limit."""
    from ledger.places.kinds import LEVELS

    if kind is not None and kind not in LEVELS:
        raise Unready(f"there is no kind {kind!r}: there are {', '.join(LEVELS)}")
    with books() as (engine, _):
        tree = _tree(engine)
    if within is not None:
        if tree.place(within) is None:
            raise Unready(_not_found(tree, within))
        found = list(tree.under(within, kind))
    else:
        found = [one for one in tree if not one.closed and kind in (None, one.kind)]
    for one in found[:limit]:
        click.echo(_line(one))
    if len(found) > limit:
        click.echo(f"and {len(found) - limit} more")
    if not found:
        click.echo("there are none")


def _tree(engine: Engine) -> Tree:
    from ledger.engine import reading
    from ledger.places.stored import read_tree

    with reading(engine, snapshot=True) as db:
        return read_tree(db)


def _not_found(tree: Tree, code: str) -> str:
    near = tree.by_dial(code).near
    if not near:
        return f"there is no place {code!r}"
    meant = " or ".join(f"{one.dial} ({one.title('en')})" for one in near)
    return f"there is no place {code!r}: did you mean {meant}?"


def _told(change: Difference) -> Iterator[str]:
    """What would change, a few of each kind of change by name."""
    for name, ones in (
        ("added", change.added),
        ("closed", change.closed),
        ("reopened", change.reopened),
    ):
        yield from _shortened(name, [_line(one) for one in ones])
    moved = [
        f"{_line(one.after)}: from {one.before.parent or 'nowhere'} to "
        f"{one.after.parent or 'nowhere'}"
        for one in change.moved
    ]
    changed = [f"{_line(one.after)}: {', '.join(one.what)}" for one in change.changed]
    yield from _shortened("moved", moved)
    yield from _shortened("changed", changed)


def _shortened(name: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield f"{name}: {len(lines)}"
        yield from (f"  {line}" for line in lines[:SHOWN_MAX])
        if len(lines) > SHOWN_MAX:
            yield f"  and {len(lines) - SHOWN_MAX} more"


def _line(place: Place) -> str:
    dial = f", dial {place.dial}" if place.dial else ""
    closed = " (closed)" if place.closed else ""
    return f"{place.code} {place.kind} {place.title('en')}{dial}{closed}"
