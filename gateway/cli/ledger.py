"""Commands that read the books."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway import installation
from gateway.cli.ledger_seals import SEALS, settled_books
from gateway.cli.operator import ID, by, insist_on_campaign, one_line, opened
from gateway.cli.reconcile import reconcile
from gateway.faults import Unready
from gateway.keys import check
from gateway.service import now
from gateway.settings import Settings
from ledger.engine import Engine, connect, reading
from ledger.vault import Keys
from phone.dates import NotADay, read_day

if TYPE_CHECKING:
    from gateway.exporting import Wanted
    from gateway.service import Service


# The names in ledger.export, which is loaded only by what needs it.
WHAT = (
    "pledges",
    "signups",
    "payments",
    "journal",
    "people",
    "messages",
    "deliveries",
    "benefactors",
    "decisions",
    "meetings",
    "premises",
    "hours",
    "favours",
    "needs",
)
FORMATS = ("csv", "xlsx", "jsonl", "hledger", "beancount", "parquet")


class Day(click.ParamType[date]):
    """A day: Jalali if its year is below 1700."""

    name = "day"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> date:
        try:
            return read_day(value)
        except NotADay:
            self.fail(
                f"{value!r} is no day: write 1405/09/01 or 2026-11-22", param, ctx
            )


@click.group()
def ledger() -> None:
    """Read, check and export the books."""


@ledger.command()
@click.argument("what", type=click.Choice(WHAT))
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="csv", show_default=True
)
@click.option("--from", "since", type=Day(), help="First day, in campaign time.")
@click.option("--to", "until", type=Day(), help="Last day, in campaign time.")
@click.option("--campaign", help="One campaign only.")
@click.option(
    "--headers", type=click.Choice(["en", "fa"]), default="en", show_default=True
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--in-full", is_flag=True, help="Phone numbers unmasked, of people only.")
@click.option("--reason", help="Ask others for it, and say why.")
@click.option("--request", type=ID, help="What others agreed to, by its number.")
@by
def export(
    what: str,
    form: str,
    since: date | None,
    until: date | None,
    campaign: str | None,
    headers: str,
    out: Path | None,
    in_full: bool,
    reason: str | None,
    request: int | None,
    by: str,
) -> None:
    """Write a table of the books to a file, and its manifest beside it.

    Numbers in full, and more than 100,000 rows, need a request: --reason makes it, and
    once others approved it --request writes the file.
    """
    from gateway.exporting import Wanted, permitted
    from ledger.export import Selection

    if in_full and what != "people":
        raise click.UsageError("only people have numbers to show in full")
    if request is not None and (since or until or campaign or in_full or reason):
        raise click.UsageError("a request has its own days and campaign")
    if in_full and request is None and reason is None:
        raise click.UsageError("numbers in full need --reason, and then --request")
    if reason is not None:
        with opened() as service:
            zone = service.settings.time_zone
            selection = Selection(zone, since, until, campaign)
            if campaign is not None:
                insist_on_campaign(service.engine, zone, campaign)
            _ask(service, Wanted(what, selection, in_full), reason, by)
        return
    if out is None:
        raise click.UsageError("--out names the file to write")
    with _books() as (settings, engine, keys):
        if request is None:
            wanted = Wanted(what, Selection(settings.time_zone, since, until, campaign))
            if campaign is not None:
                insist_on_campaign(engine, settings.time_zone, campaign)
        else:
            wanted = permitted(
                engine, what, request, time_zone=settings.time_zone, at=now()
            )
        _write(engine, keys, wanted, form, headers, out, by)


def _ask(service: Service, wanted: Wanted, reason: str, by: str) -> None:
    from gateway import exporting

    made = exporting.ask(service, wanted, why=one_line(reason), by=by, at=now())
    waits = f"waits for {made.missing} more" if made.missing else "is agreed to"
    click.echo(
        f"request {made.id} {waits}; then:"
        f" yarigar ledger export {wanted.what} --request {made.id} --out FILE"
    )


def _write(
    engine: Engine,
    keys: Keys,
    wanted: Wanted,
    form: str,
    headers: str,
    out: Path,
    by: str,
) -> None:
    from gateway.exporting import let_out
    from ledger.export import FORMATS, BadSelection, Headers, export_file, fits

    kind = FORMATS[form]
    if not fits(wanted.table, kind):
        raise BadSelection(f"{form} holds the journal only, not {wanted.what}")
    rows = let_out(engine, wanted, form=form, by=by, at=now())
    with click.progressbar(length=rows, label=wanted.what, file=sys.stderr) as bar:
        try:
            manifest = export_file(
                engine,
                wanted.table,
                wanted.selection,
                kind,
                out,
                keys=keys,
                at=now(),
                headers=Headers(headers),
                progress=bar.update,
            )
        except OSError as failure:
            raise Unready(f"{out} cannot be written: {failure.strerror}") from None
    click.echo(f"{out}: {manifest.rows} rows")


@ledger.command()
@click.argument("manifests", nargs=2, type=click.Path(path_type=Path, dir_okay=False))
def compare(manifests: tuple[Path, Path]) -> None:
    """Say how two exports differ, from their MANIFESTS; exit 1 if they do."""
    from ledger.export import compare as differences
    from ledger.export import read_manifest

    try:
        one, other = map(read_manifest, manifests)
    except OSError as failure:
        raise Unready(f"{failure.filename}: {failure.strerror}") from None
    said = differences(one, other)
    for line in said:
        click.echo(line)
    if said:
        raise SystemExit(1)
    click.echo(f"The same: {one.rows} rows of {one.what}.")


@ledger.command()
def verify() -> None:
    """Read every fact and name what cannot be true; exit 1 if anything is."""
    from gateway.sealing import signer
    from ledger.verify import verify as prove

    with settled_books() as (settings, engine):
        key = signer(settings).public_key
        with reading(engine, snapshot=True) as db:
            verdict = prove(db, seal_key=key)
    for count in verdict.counts:
        click.echo(f"{count.table}: {count.rows} rows")
    for total in verdict.sums:
        kind = " (rehearsal)" if total.test else ""
        click.echo(
            f"{total.unit} {total.phase}{kind}: "
            f"{total.transfers} transfers, {total.amount}"
        )
    for fault in verdict.faults:
        click.echo(f"FAULT {fault.table} {fault.id}: {fault.what}", err=True)
    if verdict.faults:
        raise SystemExit(1)
    click.echo("The books are whole.")


@ledger.command()
@click.option("--test", is_flag=True, help="The rehearsals' books instead.")
def balance(test: bool) -> None:
    """Show what every account holds; debits count up."""
    from ledger.balances import balances, trial
    from ledger.rollups import rolled_up

    with settled_books() as (_, engine), reading(engine, snapshot=True) as db:
        found = balances(db, test=True) if test else rolled_up(db)
    width = max((len(one.account) for one in found), default=7)
    click.echo(f"{'account':<{width}}  {'unit':<8}{'pending':>18}{'posted':>18}")
    for one in found:
        click.echo(
            f"{one.account:<{width}}  {one.unit:<8}{one.pending:>18}{one.posted:>18}"
        )
    for total in trial(found):
        click.echo(
            f"{'sum':<{width}}  {total.unit:<8}{total.pending:>18}{total.posted:>18}"
        )


for command in (*SEALS, reconcile):
    ledger.add_command(command)


@contextmanager
def _books() -> Iterator[tuple[Settings, Engine, Keys]]:
    settings = installation.find_without_redis(os.environ)
    engine = connect(settings.database_url)
    try:
        yield settings, engine, check(engine, settings)
    finally:
        engine.dispose()
