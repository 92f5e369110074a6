"""Commands for the transparency report: counted, published by two, listed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from gateway.cli.operator import (
    ID,
    books,
    by,
    insist_on_campaign,
    one_line,
    opened,
)
from gateway.faults import Unready
from gateway.service import now
from phone.dates import jalali

if TYPE_CHECKING:
    from ledger.engine import Connection
    from ledger.publications import Change
    from ledger.reporting import Line, Statement

campaign = click.argument("campaign")


@click.group()
def report() -> None:
    """Count the transparency report, and publish it."""


@report.command()
@campaign
@click.option("--number", type=ID, help="The published report of that number.")
@click.option("--seal", type=ID, help="As it stands under the seal of so many leaves.")
@click.option("--test", is_flag=True, help="The rehearsals' figures.")
def show(campaign: str, number: int | None, seal: int | None, test: bool) -> None:
    """Show the figures of CAMPAIGN as they are now, or as they were published."""
    from ledger import publications
    from ledger.engine import reading
    from ledger.reporting import Scope, digest, statement

    with books() as (engine, zone):
        insist_on_campaign(engine, zone.key, campaign)
        with reading(engine, snapshot=True) as db:
            if number is not None:
                said = publications.numbered(db, campaign, number).statement
            else:
                _insist_on_seal(db, seal)
                said = statement(db, Scope(campaign, test, seal))
            before = publications.latest(db, campaign) if number is None else None
    click.echo(os.linesep.join(_lines(said)))
    click.echo(f"digest {digest(said).hex()}")
    if before is not None and not test:
        changed = publications.changes(before.statement, said)
        click.echo(f"different from report {before.number}: {len(changed)} figures")
        for change in changed:
            click.echo(_change(change))


@report.command()
@campaign
@click.option("--reason", required=True, help="Why, as the books will say.")
@by
def publish(campaign: str, reason: str, by: str) -> None:
    """Ask that the report of CAMPAIGN on the last seal be published."""
    from gateway.cli.requests import said as tell
    from gateway.reports import ask_to_publish

    with opened() as service:
        made, said = ask_to_publish(
            service, campaign=campaign, why=one_line(reason), by=by, at=now()
        )
    click.echo(os.linesep.join(_lines(said)))
    click.echo(
        f"seen by others with: yarigar report show {campaign} --seal {said.size}"
    )
    tell(made)


@report.command(name="list")
@campaign
def list_reports(campaign: str) -> None:
    """Name the published reports of CAMPAIGN, the latest first."""
    from ledger import publications
    from ledger.engine import reading

    with books() as (engine, zone):
        insist_on_campaign(engine, zone.key, campaign)
        with reading(engine) as db:
            found = publications.published(db, campaign)
    for one in found:
        click.echo(
            f"{one.number:>4}  {jalali(one.at, zone.key)}  on {one.statement.size} "
            f"leaves  {one.digest.hex()}"
        )
    if not found:
        click.echo("nothing is published yet")


def _insist_on_seal(db: Connection, size: int | None) -> None:
    """Raise Unready for more leaves than are sealed: their report would change."""
    from ledger.sealing.public import newest

    if size is None:
        return
    last = newest(db)
    if last is None:
        raise Unready("nothing is sealed yet: run `yarigar ledger seal`")
    if size > last.size:
        raise Unready(f"there is no seal of {size} leaves: {last.size} are sealed")


def _lines(said: Statement) -> Iterator[str]:
    seal = f"on {said.size} sealed leaves" if said.size is not None else "as of now"
    yield f"{said.campaign}, {seal}; amounts in rial"
    yield from _line("in all", said.total)
    for table, lines in (("purpose", said.purposes), ("district", said.districts)):
        for line in lines:
            name = {"": "not said", "*": "others together"}.get(line.name, line.name)
            yield from _line(f"{table} {name}", line)


def _line(title: str, line: Line) -> Iterator[str]:
    few = "fewer than 5" if line.donors is None else line.donors
    yield f"{title}:"
    yield f"  givers {few}, pledged {line.pledged}, received {line.received}"
    yield f"  paid back {line.returned}, spent {line.spent}, unspent {line.unspent}"
    goods = [
        f"{name} {count} {unit}"
        for name, counts in (
            ("bought", line.bought),
            ("handed in", line.in_kind),
            ("given out", line.delivered),
        )
        for unit, count in counts.items()
    ]
    if goods:
        yield f"  {', '.join(goods)}"


def _change(change: Change) -> str:
    place = " ".join(part for part in (change.table, change.name) if part)
    was = "none" if change.before is None else change.before
    now_is = "none" if change.after is None else change.after
    unit = f" {change.unit}" if change.unit else ""
    correction = " (correction)" if change.is_correction else ""
    return f"  {place}, {change.figure}: {was} -> {now_is}{unit}{correction}"
