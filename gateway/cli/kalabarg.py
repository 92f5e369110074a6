"""Commands for requests of home delivery: what waits, and what an operator does for a
centre or a partner that has no phone registered."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from gateway.cli.operator import ID, books, by, one_line, opened, place_of
from gateway.faults import Unready
from gateway.service import now

if TYPE_CHECKING:
    from gateway.service import Service
    from ledger.deliveries import Delivery
    from ledger.delivering import Done
    from ledger.engine import Connection
    from ussd.menus import Menus

CHANNEL = "operator"
LIST_MAX = 500

number = click.argument("number", type=ID)
test = click.option("--test", is_flag=True, help="In the rehearsals' books.")


@click.group()
def kalabarg() -> None:
    """See to requests for home delivery."""


@kalabarg.command(name="list")
@click.option("--queue", help="A place's code, partner:NAME, or operator.")
@click.option("--late", is_flag=True, help="Only what nobody took in time.")
@click.option(
    "--limit", type=click.IntRange(1, LIST_MAX), default=50, show_default=True
)
@test
def list_deliveries(queue: str | None, late: bool, limit: int, test: bool) -> None:
    """Show what waits, the first to fall due first. No codes, no reasons, no phones."""
    from ledger import deliveries
    from ledger.engine import reading

    at = now()
    with books() as (engine, zone), reading(engine) as db:
        found = deliveries.in_queues(
            db,
            queues=None if queue is None else [_listed(db, queue)],
            test=test,
            late_at=at if late else None,
            limit=limit,
        )
    for one in found:
        click.echo(_line(one, at, str(zone)))
    if not found:
        click.echo("nothing waits")


@kalabarg.command()
@number
@test
@by
def take(number: int, test: bool, by: str) -> None:
    """Say that its queue sees to the request NUMBER; the citizen is told."""
    from gateway.kalabarg import TAKEN
    from ledger import delivering

    def act(db: Connection, at: datetime) -> Done | None:
        return delivering.take(
            db, key=_key(), delivery_id=number, by=by, channel=CHANNEL, at=at
        )

    _do(number, test, act, TAKEN)


@kalabarg.command()
@click.argument("code", required=False)
@test
@by
def done(code: str | None, test: bool, by: str) -> None:
    """Say that a request was brought, by the CODE that the citizen told.

    Without a CODE it asks for it, which then stands in no history of the terminal.
    """
    from gateway.kalabarg import BROUGHT
    from ledger import deliveries, delivering
    from ledger.engine import writing
    from phone.codes import NotACode, read_code

    written = code if code is not None else click.prompt("Code", hide_input=True)
    try:
        told = read_code(written)
    except NotACode:
        raise Unready("a code has nine digits, the last of which checks them") from None
    at = now()
    with opened() as service, writing(service.engine) as db:
        found = deliveries.with_code(db, code=told, test=test)
        if found is None:
            raise Unready("no request has this code")
        after = delivering.deliver(
            db, key=_key(), delivery_id=found.id, by=by, channel=CHANNEL, at=at
        )
        assert after is not None
        said = _told(db, service, after, BROUGHT, at)
    click.echo(said)


@kalabarg.command(name="pass-on")
@number
@click.option("--centre", help="The code that callers type for a centre.")
@click.option("--partner", help="The short name of a partner.")
@click.option("--hours", type=click.IntRange(1, 720), default=72, show_default=True)
@test
@by
def pass_on(
    number: int,
    centre: str | None,
    partner: str | None,
    hours: int,
    test: bool,
    by: str,
) -> None:
    """Put the request NUMBER into another queue, with a clock of its own.

    The reason is deleted: it was said to the first centre and to no other.
    """
    from ledger import delivering

    if (centre is None) == (partner is None):
        raise Unready("give --centre or --partner, one of them")
    with opened() as service:
        queue = _queue(service, centre, partner)

    def act(db: Connection, at: datetime) -> Done | None:
        return delivering.pass_on(
            db,
            key=_key(),
            delivery_id=number,
            queue=queue,
            due_at=at + timedelta(hours=hours),
            by=by,
            channel=CHANNEL,
            at=at,
        )

    _do(number, test, act, "")


@kalabarg.command()
@number
@click.option("--reason", required=True, help="A line of words, without a number.")
@test
@by
def close(number: int, reason: str, test: bool, by: str) -> None:
    """End the request NUMBER, which nobody will bring; the citizen is told."""
    from gateway.kalabarg import CLOSED
    from ledger import delivering

    why = one_line(reason)

    def act(db: Connection, at: datetime) -> Done | None:
        return delivering.close(
            db, key=_key(), delivery_id=number, by=by, why=why, channel=CHANNEL, at=at
        )

    _do(number, test, act, CLOSED)


def _do(
    number: int,
    test: bool,
    act: Callable[[Connection, datetime], Done | None],
    template: str,
) -> None:
    from ledger import deliveries
    from ledger.engine import writing

    at = now()
    with opened() as service, writing(service.engine) as db:
        found = deliveries.find(db, delivery_id=number)
        if found is None or found.test != test:
            raise Unready(f"there is no request {number} in these books")
        done = act(db, at)
        assert done is not None
        said = _told(db, service, done, template, at)
    click.echo(said)


def _told(
    db: Connection, service: Service, done: Done, template: str, at: datetime
) -> str:
    """Promise the citizen's text, and say to the operator what was done."""
    from gateway.kalabarg import tell_citizen
    from ledger.delivering import Outcome

    before = done.before
    if done.outcome is not Outcome.DONE:
        return f"nothing was done: request {before.id} is {before.state} already"
    if template:
        tell_citizen(db, _menus(service), done, template, at=at)
    return f"request {before.id} was {before.state}, and is written down"


def _menus(service: Service) -> Menus | None:
    from gateway.library import NoMenus

    try:
        return service.library.current(None)
    except NoMenus:
        return None


def _listed(db: Connection, queue: str) -> str:
    """The queue of this name; raises Unready for what can be none."""
    from ledger.deliveries import OPERATOR, PARTNER
    from ledger.places.stored import read_tree

    if queue == OPERATOR:
        return queue
    if queue.startswith(PARTNER):
        return _partners(queue.removeprefix(PARTNER))
    return place_of(read_tree(db), queue).code


def _partners(name: str) -> str:
    """The queue of a partner."""
    from ledger.deliveries import PARTNER
    from ussd.campaigns import PARTNER_NAME

    if not PARTNER_NAME.fullmatch(name):
        raise Unready("a partner's name is small letters, as snapp-market")
    return f"{PARTNER}{name}"


def _queue(service: Service, centre: str | None, partner: str | None) -> str:
    from ledger.places.kinds import Kind

    if partner is not None:
        return _partners(partner)
    assert centre is not None
    found = place_of(service.places.current(), centre)
    if found.kind != Kind.CENTRE or found.closed:
        raise Unready("no centre has this code")
    return found.code


def _key() -> str:
    return f"kalabarg:{secrets.token_hex(16)}"


def _line(one: Delivery, at: datetime, zone: str) -> str:
    from phone.dates import jalali

    late = "  LATE" if one.is_late(at) else ""
    call = "may be called" if one.call_back else "no calls"
    due = jalali(one.due_at, zone)
    return f"{one.id}  {one.queue}  {one.state}  by {due}  {call}{late}"
