"""Commands for the keys of the export address."""

from __future__ import annotations

import os

import click

from gateway import installation
from gateway.service import now
from ledger import tokens as kept
from ledger.engine import connect, reading, writing


@click.group()
def tokens() -> None:
    """Keys that open the export address."""


@tokens.command()
@click.argument("name")
def add(name: str) -> None:
    """Make a token for NAME; it is shown once and kept only as a digest."""
    settings = installation.find_without_redis(os.environ)
    with writing(connect(settings.database_url)) as db:
        secret = kept.add(db, name=name, at=now())
    click.echo(secret)


@tokens.command()
@click.argument("name")
def revoke(name: str) -> None:
    """End a token."""
    settings = installation.find_without_redis(os.environ)
    with writing(connect(settings.database_url)) as db:
        kept.revoke(db, name=name, at=now())
    click.echo(f"{name} is revoked")


@tokens.command(name="list")
def list_tokens() -> None:
    """Name the tokens that are valid."""
    settings = installation.find_without_redis(os.environ)
    with reading(connect(settings.database_url)) as db:
        for name in kept.names(db):
            click.echo(name)
