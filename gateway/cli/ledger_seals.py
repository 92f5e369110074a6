"""Commands of the seals: make them, prove with them, publish them."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from gateway import installation
from gateway.cli.operator import by
from gateway.faults import Unready
from gateway.keys import check
from gateway.service import now
from gateway.settings import Settings
from ledger.engine import Engine, connect, reading, writing

NOTE_BYTES_MAX = 32_768


@click.command()
@click.option("--all", "everything", is_flag=True, help="Look from the first event on.")
def seal(everything: bool) -> None:
    """Seal what waits; the scheduler does it every few seconds."""
    from gateway.sealing import signer
    from ledger.sealing.sealer import seal as seal_now

    with settled_books() as (settings, engine):
        run = seal_now(engine, signer(settings), settings.time_zone, now(), everything)
    click.echo(f"{run.leaves} new leaves; the tree has {run.size}")


@click.command()
@click.argument("code")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False))
@by
def prove(code: str, out: Path, by: str) -> None:
    """Write the proof of the gift with this CODE, for its donor."""
    from ledger import codes, events
    from ledger.sealing.proofs import NotSealed
    from ledger.sealing.proofs import prove as prove_now

    with settled_books() as (_, engine):
        with reading(engine, snapshot=True) as db:
            event_id = codes.event_of(db, code[:20])
            if event_id is None:
                raise NotSealed("nothing has this code")
            proof = prove_now(db, event_id)
        with writing(engine) as db:
            events.record(
                db,
                key=f"proof:{secrets.token_hex(16)}",
                kind="proof.made",
                body={"by": by, "size": proof.size},
                about_id=event_id,
                channel="operator",
                test=False,
                at=now(),
            )
    _write(out, json.dumps(proof.as_json(), indent=1) + "\n")
    click.echo(f"{out}: {len(proof.leaves)} leaves of {proof.size}")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def cosign(file: Path) -> None:
    """Take witnesses' signatures from below the checkpoint in FILE."""
    from ledger.sealing import notes, witnesses

    note = notes.read(read_note(file))
    with settled_books() as (_, engine), writing(engine) as db:
        new = witnesses.take(db, note, at=now())
    for name in new:
        click.echo(f"{name} signed {note.size} leaves")
    if not new:
        click.echo("nothing new")


@click.command()
def publish() -> None:
    """Write the public folder; the scheduler does it every day."""
    from gateway.public_folder import FOLDER
    from gateway.public_folder import publish as publish_now
    from gateway.sealing import signer

    with settled_books() as (settings, engine):
        folder = settings.data_dir / FOLDER
        try:
            leaves = publish_now(engine, signer(settings), folder)
        except OSError as failure:
            raise Unready(f"{folder} cannot be written: {failure.strerror}") from None
    click.echo(f"{folder}: {leaves} leaves")


SEALS = (seal, prove, cosign, publish)


def read_note(path: Path) -> str:
    """The text of a checkpoint's file; raises Unready."""
    try:
        with path.open("rb") as file:
            return file.read(NOTE_BYTES_MAX + 1).decode()
    except UnicodeDecodeError:
        raise Unready(f"{path} is no checkpoint") from None
    except OSError as failure:
        raise Unready(f"{path} cannot be read: {failure.strerror}") from None


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as failure:
        raise Unready(f"{path} cannot be written: {failure.strerror}") from None


@contextmanager
def settled_books() -> Iterator[tuple[Settings, Engine]]:
    """The settings and the ledger: for what signs, or checks a signature."""
    settings = installation.find_without_redis(os.environ)
    engine = connect(settings.database_url, pool_size=1)
    try:
        check(engine, settings)
        yield settings, engine
    finally:
        engine.dispose()
