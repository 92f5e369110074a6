"""Commands for those who sign the checkpoints beside us.

`key` and `sign` need no ledger: they are for the witness' own machine.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import click

from gateway.cli.ledger_seals import read_note
from gateway.cli.operator import books
from gateway.faults import Unready
from gateway.service import now
from ledger.engine import reading, writing
from ledger.sealing import notes, witnesses
from phone.dates import jalali

KEY_BYTES = 32


@click.group()
def witness() -> None:
    """Who signs the checkpoints beside us."""


@witness.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def key(file: Path) -> None:
    """Make a witness' key in FILE, and print its public half."""
    seed = secrets.token_bytes(KEY_BYTES)
    try:
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(opened, "w") as written:
            written.write(f"{seed.hex()}\n")
    except OSError as failure:
        raise Unready(f"{file} cannot be made: {failure.strerror}") from None
    click.echo(notes.public_of(seed).hex())


@witness.command()
@click.argument("name")
@click.argument("public_key")
def add(name: str, public_key: str) -> None:
    """Take NAME on, with the PUBLIC_KEY that `witness key` printed."""
    try:
        key = bytes.fromhex(public_key)
    except ValueError:
        raise Unready("a public key is 64 hexadecimal digits") from None
    with books() as (engine, _), writing(engine) as db:
        witnesses.add(db, name=name, public_key=key, at=now())
    click.echo(f"{name} is a witness")


@witness.command(name="list")
def list_witnesses() -> None:
    """Name the witnesses, and since when they are."""
    with books() as (engine, zone), reading(engine) as db:
        for one in witnesses.known(db):
            since, until = jalali(one.at, zone.key), ""
            if one.revoked_at is not None:
                until = f" until {jalali(one.revoked_at, zone.key)}"
            click.echo(f"{one.name} {one.public_key.hex()} since {since}{until}")


@witness.command()
@click.argument("name")
def revoke(name: str) -> None:
    """Accept no more signatures of NAME."""
    with books() as (engine, _), writing(engine) as db:
        witnesses.revoke(db, name=name, at=now())
    click.echo(f"{name} is revoked")


@witness.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--name", required=True, help="The witness' name.")
@click.option(
    "--key",
    "key_file",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file that `witness key` made.",
)
def sign(file: Path, name: str, key_file: Path) -> None:
    """Sign the checkpoint in FILE: the line is put below it."""
    text = read_note(file)
    note = notes.read(text)
    try:
        seed = bytes.fromhex(key_file.read_text("ascii")[: 2 * KEY_BYTES])
    except (OSError, ValueError):
        raise Unready(f"{key_file} cannot be read") from None
    if len(seed) != KEY_BYTES:
        raise Unready(f"{key_file} holds no key")
    line = notes.cosign(note, name, seed, now())
    try:
        with file.open("a", encoding="utf-8") as below:
            below.write(f"{line}\n")
    except OSError as failure:
        raise Unready(f"{file} cannot be written: {failure.strerror}") from None
    click.echo(line)
