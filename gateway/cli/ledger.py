"""Commands that read the books."""

from __future__ import annotations

import os
import sys
from datetime import date
from pathlib import Path
from typing import Any

import click

from gateway import installation
from gateway.faults import Unready
from gateway.settings import Settings
from ledger.engine import Engine, connect, reading
from ledger.vault import Keys
from phone.dates import NotADay, read_day


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
@click.argument("what", type=click.Choice(["pledges", "signups"]))
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "xlsx"]),
    default="csv",
    show_default=True,
)
@click.option("--from", "since", type=Day(), help="First day, in campaign time.")
@click.option("--to", "until", type=Day(), help="Last day, in campaign time.")
@click.option("--campaign", help="One campaign only.")
@click.option(
    "--headers", type=click.Choice(["en", "fa"]), default="en", show_default=True
)
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False))
def export(
    what: str,
    form: str,
    since: date | None,
    until: date | None,
    campaign: str | None,
    headers: str,
    out: Path,
) -> None:
    """Write a table of the books to a file."""
    from ledger.export import TABLES, Headers, Selection, export_csv, export_xlsx

    settings, engine, keys = _books()
    table = TABLES[what]
    selection = Selection(settings.time_zone, since, until, campaign)
    rows = table.count(engine, selection)
    part = out.with_name(f"{out.name}.part")
    with click.progressbar(length=rows, label=what, file=sys.stderr) as bar:
        told: dict[str, Any] = {
            "keys": keys,
            "headers": Headers(headers),
            "progress": bar.update,
        }
        try:
            if form == "xlsx":
                export_xlsx(engine, table, selection, out, **told)
            else:
                with part.open("wb") as file:
                    file.writelines(export_csv(engine, table, selection, **told))
                part.replace(out)
        except OSError as failure:
            raise Unready(f"{out} cannot be written: {failure.strerror}") from None
        finally:
            part.unlink(missing_ok=True)
    click.echo(f"{out}: {rows} rows")


@ledger.command()
def verify() -> None:
    """Read every fact and name what cannot be true; exit 1 if anything is."""
    from ledger.verify import verify as prove

    _, engine, _ = _books()
    with reading(engine, snapshot=True) as db:
        verdict = prove(db)
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

    _, engine, _ = _books()
    with reading(engine, snapshot=True) as db:
        found = balances(db, test=test)
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


def _books() -> tuple[Settings, Engine, Keys]:
    settings = installation.find_without_redis(os.environ)
    keys = Keys(
        vault=settings.key_bytes("vault_key"),
        index=settings.key_bytes("index_key"),
        code=settings.key_bytes("code_key"),
    )
    return settings, connect(settings.database_url), keys
