"""Commands for what needs more than one person: refunds, write-offs, corrections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from gateway.cli.operator import ID, books, by, one_line, opened
from gateway.faults import Unready
from gateway.service import now
from phone.amounts import RIAL_MAX
from phone.dates import jalali

if TYPE_CHECKING:
    from ledger.engine import Connection
    from ledger.requests import Request

RIAL = click.IntRange(0, RIAL_MAX)

reason = click.option(
    "--reason", required=True, help="Why, as the books will say: no names, no numbers."
)


@click.group()
def requests() -> None:
    """Agree to what needs more than one person, or do not."""


@requests.command(name="list")
@click.option("--all", "every", is_flag=True, help="Those that are decided as well.")
@click.option("--before", type=ID, help="Go on from the last id of the page before.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
def list_requests(every: bool, before: int | None, limit: int) -> None:
    """List what waits for somebody's word, the latest first."""
    from ledger import requests as asked
    from ledger.engine import reading

    states = () if every else (asked.RequestState.WAITING,)
    with books() as (engine, zone), reading(engine) as db:
        found = asked.listed(db, *states, before=before, limit=limit)
    for one in found:
        click.echo(
            f"{one.id:>6}  {jalali(one.at, zone.key)}  {one.state:<9}  {one.kind:<12}"
            f"  {_what(one)}  by {one.made_by}"
        )
    if len(found) == limit:
        more = "--all " if every else ""
        click.echo(f"more: yarigar requests list {more}--before {found[-1].id}")


@requests.command()
@click.argument("request_id", metavar="ID", type=ID)
def show(request_id: int) -> None:
    """Show a request: what it asks for, why, and who has said what."""
    from ledger import requests as asked
    from ledger.engine import reading

    with books() as (engine, zone), reading(engine) as db:
        lines = list(told(db, asked.named(db, request_id), zone))
    click.echo("\n".join(lines))


@requests.command()
@click.argument("request_id", metavar="ID", type=ID)
@by
def approve(request_id: int, by: str) -> None:
    """Agree to a request; with the last word it needs, it is done."""
    from gateway import approvals
    from ledger.engine import reading

    with opened() as service:
        found = approvals.approve(service, request_id, by=by, at=now())
        service.wake()
        with reading(service.engine) as db:
            zone = ZoneInfo(service.settings.time_zone)
            lines = list(told(db, found, zone))
    click.echo("\n".join(lines))
    ended(found)


@requests.command()
@click.argument("request_id", metavar="ID", type=ID)
@reason
@by
def refuse(request_id: int, reason: str, by: str) -> None:
    """Say no to what somebody else asks for."""
    from ledger import requests as asked
    from ledger.engine import writing

    with books() as (engine, _), writing(engine) as db:
        asked.refuse(db, request_id, by=by, why=one_line(reason), at=now())
    click.echo(f"request {request_id} is refused")


@requests.command()
@click.argument("request_id", metavar="ID", type=ID)
@by
def withdraw(request_id: int, by: str) -> None:
    """Take back what you asked for yourself."""
    from ledger import requests as asked
    from ledger.engine import writing

    with books() as (engine, _), writing(engine) as db:
        asked.withdraw(db, request_id, by=by, at=now())
    click.echo(f"request {request_id} is withdrawn")


@requests.command()
@click.argument("source")
@click.argument("outside_id", metavar="ID")
@click.argument("amount", type=RIAL)
@reason
@by
def correct(source: str, outside_id: str, amount: int, reason: str, by: str) -> None:
    """Ask that the payment ID of SOURCE be of AMOUNT rial; 0 if it never came."""
    from gateway import approvals
    from ledger import corrections
    from ledger.engine import reading

    with opened() as service:
        with reading(service.engine) as db:
            found = corrections.payment_of(db, source, outside_id)
        if found is None:
            raise Unready(f"{source} told of no such payment")
        payment_id, was = found
        if was == amount:
            raise Unready(f"the payment is of {was} rial already")
        made = approvals.ask(
            service,
            kind="correction",
            body={"payment": payment_id, "was": was, "amount": amount},
            about_id=payment_id,
            why=one_line(reason),
            by=by,
            at=now(),
        )
    said(made)


def told(db: Connection, found: Request, zone: ZoneInfo) -> Iterator[str]:
    """A request in lines, as every command shows it."""
    from ledger import requests as asked

    yield f"request {found.id}: {found.state}"
    yield f"  what      {found.kind} {_what(found)}"
    yield f"  why       {found.why}"
    yield f"  made      by {found.made_by} at {jalali(found.at, zone.key)}"
    yield f"  needs     {found.needs} in all"
    for act, who, why, at in asked.story(db, found):
        because = f": {why}" if why else ""
        yield f"  {act:<9} by {who} at {jalali(at, zone.key)}{because}"
    if found.result_id is not None:
        yield f"  did       event {found.result_id}"


def said(found: Request) -> None:
    """Tell who made a request what is to come of it."""
    if found.missing:
        click.echo(
            f"request {found.id} waits: {found.missing} more must approve, by "
            f"yarigar requests approve {found.id}"
        )
    ended(found)


def ended(found: Request) -> None:
    """Tell what became of a request that everybody agreed to."""
    from ledger.requests import RequestState

    if found.state is RequestState.DONE:
        click.echo(f"request {found.id} is done")
    elif found.state is RequestState.REFUSED:
        raise Unready(
            f"request {found.id} cannot be done any more: see yarigar requests show "
            f"{found.id}"
        )


def _what(found: Request) -> str:
    return " ".join(f"{name}={value}" for name, value in sorted(found.body.items()))
