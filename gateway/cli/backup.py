"""Commands that put the whole ledger into a file, and back."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from gateway import erased, installation, keys
from gateway.faults import Unready
from gateway.settings import load

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--out", required=True, type=FILE, help="The file to write.")
@click.option("--keys", "keys_out", type=FILE, help="Write the keys here, apart.")
def backup(out: Path, keys_out: Path | None) -> None:
    """Back the ledger up to a file, while the service runs.

    The keys are not in it, and without them it names nobody: keep them in another
    place.
    """
    from gateway.service import now
    from ledger.backups import take
    from ledger.engine import connect

    settings = installation.find_without_redis(os.environ)
    engine = connect(settings.database_url, pool_size=1)
    try:
        keys.check(engine, settings)
        erased.note(engine, settings.data_dir)
        with _Bar("backup") as bar:
            taken = take(engine, out, at=now(), progress=bar.show)
    except OSError as failure:
        raise Unready(f"{out} cannot be written: {failure.strerror}") from None
    finally:
        engine.dispose()
    click.echo(f"{out}: {taken.rows} rows of {taken.tables} tables")
    if keys_out is not None:
        keys.copy_to(settings, keys_out)
        click.echo(f"{keys_out}: the keys; whoever has both files can read every phone")


@click.command()
@click.argument("file", type=FILE)
@click.option("--keys", "keys_in", type=FILE, help="The keys, as `backup` wrote them.")
@click.option(
    "--send",
    is_flag=True,
    help="Send the texts that had not left: only if nothing happened since.",
)
def restore(file: Path, keys_in: Path | None, send: bool) -> None:
    """Restore a backup into a new, empty database, and check the books.

    Whoever was erased since, as <data_dir>/erased.txt says, is erased again.
    """
    from gateway.service import now
    from ledger import migrate
    from ledger.backups import restore as put_back
    from ledger.engine import connect, reading
    from ledger.verify import verify

    if keys_in is not None:
        keys.put_back(load(os.environ).data_dir, keys_in)
    settings = installation.find_without_redis(os.environ)
    gone = erased.noted(settings.data_dir)
    migrate.upgrade(settings.database_url)
    engine = connect(settings.database_url, pool_size=1)
    try:
        with _Bar("restore") as bar:
            back = put_back(
                engine,
                keys.ledger_keys(settings),
                file,
                erased=gone,
                sends=send,
                at=now(),
                progress=bar.show,
            )
        with reading(engine, snapshot=True) as db:
            verdict = verify(db)
    except OSError as failure:
        raise Unready(f"{file} cannot be read: {failure.strerror}") from None
    finally:
        engine.dispose()
    click.echo(f"{back.rows} rows are back")
    if back.erased:
        click.echo(f"{back.erased} people who were erased since are erased again")
    if back.texts:
        click.echo(
            f"{back.texts} texts may have left since and are not sent again: "
            "yarigar texts dead"
        )
    for fault in verdict.faults:
        click.echo(f"FAULT {fault.table} {fault.id}: {fault.what}", err=True)
    if verdict.faults:
        raise SystemExit(1)
    click.echo("The books are whole.")


class _Bar:
    """A progress bar whose length is learned on the way."""

    def __init__(self, label: str) -> None:
        self._bar = click.progressbar(length=1, label=label, file=sys.stderr)

    def __enter__(self) -> _Bar:
        self._bar.__enter__()
        return self

    def __exit__(self, *raised: object) -> None:
        self._bar.render_finish()

    def show(self, done: int, of: int) -> None:
        self._bar.length = max(of, done, 1)
        self._bar.update(done - self._bar.pos)
