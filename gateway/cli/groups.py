"""What people said of themselves to their own centre, as counts and nothing else."""

from __future__ import annotations

import os

import click

from gateway import installation
from gateway.cli.operator import place_of
from gateway.faults import Unready


@click.group()
def groups() -> None:
    """Count what people said to their centre."""


@groups.command()
@click.option(
    "--centre", required=True, help="Its code, as c11023 or as callers dial it."
)
def counts(centre: str) -> None:
    """Count the groups at a centre; fewer than five are told with the others.

    Nobody's own answer is shown: it is between a person and their centre.
    """
    from gateway.keys import check
    from ledger.engine import connect, reading
    from ledger.groups import counted
    from ledger.places.kinds import Kind
    from ledger.places.stored import read_tree
    from ledger.small_cells import CELL_MIN

    settings = installation.find_without_redis(os.environ)
    engine = connect(settings.database_url, pool_size=1)
    try:
        keys = check(engine, settings)
        with reading(engine, snapshot=True) as db:
            place = place_of(read_tree(db), centre)
            if place.kind != Kind.CENTRE:
                raise Unready("no centre has this code")
            found = counted(db, keys, centre=place.code)
    finally:
        engine.dispose()
    for group, number in found.told.items():
        click.echo(f"{group:<12} {number}")
    if found.rest is None:
        click.echo(f"{'others':<12} fewer than {CELL_MIN}, or none")
    elif found.rest:
        click.echo(f"{'others':<12} {found.rest}")
