"""Commands for the keys of the export address."""

from __future__ import annotations

import click

from gateway.cli.operator import books
from gateway.service import now
from ledger import tokens as kept
from ledger.engine import reading, writing


@click.group()
def tokens() -> None:
    """Keys that open the export address."""


@tokens.command()
@click.argument("name")
def add(name: str) -> None:
    """Make a token for NAME; it is shown once and kept only as a digest."""
    with books() as (engine, _), writing(engine) as db:
        secret = kept.add(db, name=name, at=now())
    click.echo(secret)


@tokens.command()
@click.argument("name")
def revoke(name: str) -> None:
    """End a token."""
    with books() as (engine, _), writing(engine) as db:
        kept.revoke(db, name=name, at=now())
    click.echo(f"{name} is revoked")


@tokens.command(name="list")
def list_tokens() -> None:
    """Name the tokens that are valid."""
    with books() as (engine, _), reading(engine) as db:
        for name in kept.names(db):
            click.echo(name)
