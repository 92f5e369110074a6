"""Commands for one pledge or gift: what became of it, and what may be done about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from gateway.cli.operator import PHONE_DIGITS, books, by, one_line, opened
from gateway.cli.requests import reason, said
from gateway.faults import Unready
from gateway.service import now
from phone.amounts import RIAL_MAX
from phone.codes import is_code
from phone.dates import jalali
from phone.digits import fold_digits
from phone.private import long_digits

if TYPE_CHECKING:
    from ledger.engine import Connection
    from ledger.gifts import Gift
    from ledger.pledges import Pledge

COUNT = click.IntRange(1, 1_000_000)
PLACE_CHARS_MAX = 40


class Code(click.ParamType[str]):
    """A tracking code, in any digits."""

    name = "code"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        code = fold_digits(str(value)).replace(" ", "")
        if not is_code(code):
            self.fail("a tracking code has nine digits that fit together", param, ctx)
        return code


CODE = Code()


@click.group()
def pledges() -> None:
    """Show, refund, write off and receive pledges."""


@pledges.command()
@click.argument("code", type=CODE)
def show(code: str) -> None:
    """Show the pledge or gift CODE and all that happened to it."""
    from ledger import refunds
    from ledger.engine import reading

    with books() as (engine, zone), reading(engine) as db:
        lines = list(_told(db, refunds.given(db, code), zone))
    click.echo("\n".join(lines))


@pledges.command()
@click.argument("code", type=CODE)
@click.option(
    "--amount", type=click.IntRange(1, RIAL_MAX), help="In rial; else all of it."
)
@reason
@by
def refund(code: str, amount: int | None, reason: str, by: str) -> None:
    """Ask that the pledge or gift CODE be paid back."""
    from gateway import approvals
    from ledger import refunds
    from ledger.engine import reading

    with opened() as service:
        with reading(service.engine) as db:
            found = refunds.given(db, code)
        left = refunds.left_of(found)
        wanted = amount or left
        if not 0 < wanted <= left:
            raise Unready(f"of {code} only {left} rial are paid and not refunded")
        made = approvals.ask(
            service,
            kind="refund",
            body={"code": code, "amount": wanted},
            about_id=found.event_id,
            why=one_line(reason),
            by=by,
            at=now(),
        )
    said(made)


@pledges.command(name="write-off")
@click.argument("code", type=CODE)
@reason
@by
def write_off(code: str, reason: str, by: str) -> None:
    """Ask that nobody wait any longer for what is open of the pledge CODE."""
    from gateway import approvals
    from ledger import pledges as books_of
    from ledger.engine import reading

    with opened() as service:
        with reading(service.engine) as db:
            found = books_of.pledge_by_code(db, code)
        if found is None:
            raise Unready(f"no pledge has the code {code}")
        if not found.outstanding:
            raise Unready(f"nothing of {code} is open: it is {found.state}")
        made = approvals.ask(
            service,
            kind="write_off",
            body={"code": code},
            about_id=found.event_id,
            why=one_line(reason),
            by=by,
            at=now(),
        )
        service.wake()
    said(made)


@pledges.command()
@click.argument("code", type=CODE)
@click.argument("quantity", type=COUNT)
@click.option("--centre", help="Where it was handed in.")
@click.option("--district", help="Of which district that is.")
@by
def receive(
    code: str, quantity: int, centre: str | None, district: str | None, by: str
) -> None:
    """Note that QUANTITY of the goods of the pledge CODE were handed in."""
    from ledger import inkind
    from ledger.engine import writing
    from ledger.pledges import pledge_by_code
    from ledger.requests import CHANNEL

    at = now()
    places = [_place(place) for place in (centre, district)]
    with books() as (engine, _), writing(engine) as db:
        found = pledge_by_code(db, code)
        done = inkind.receive(
            db,
            key=f"received:{code}:{by}:{at.isoformat(timespec='microseconds')}",
            code=code,
            quantity=quantity,
            by=by,
            centre=places[0],
            district=places[1],
            channel=CHANNEL,
            test=found is not None and found.test,
            at=at,
        )
    if done.outcome is inkind.ReceivedOutcome.UNKNOWN:
        raise Unready(f"no pledge has the code {code}")
    assert done.pledge is not None
    if done.outcome is inkind.ReceivedOutcome.IS_MONEY:
        raise Unready(f"{code} is a pledge of money: a payment pays it")
    if done.outcome is inkind.ReceivedOutcome.MORE_THAN_PLEDGED:
        raise Unready(f"of {code} only {done.pledge.outstanding} are open")
    click.echo(f"{quantity} of {code} are received, {done.pledge.outstanding} are open")


def _place(written: str | None) -> str | None:
    if written is None:
        return None
    place = written.strip()
    if not 0 < len(place) <= PLACE_CHARS_MAX or not place.isprintable():
        raise Unready(f"a place has 1 to {PLACE_CHARS_MAX} letters")
    if long_digits(place, PHONE_DIGITS):
        raise Unready("a place stays in the books: no phone or card number in it")
    return place


def _told(db: Connection, found: Pledge | Gift, zone: ZoneInfo) -> Iterator[str]:
    from ledger import plans
    from ledger.history import history
    from ledger.pledges import Pledge

    is_pledge = isinstance(found, Pledge)
    state = found.state if isinstance(found, Pledge) else "gift"
    unit = found.unit if isinstance(found, Pledge) else "rial"
    yield f"{found.code}: {state}{' (rehearsal)' if found.test else ''}"
    yield f"  for       {found.campaign}, {found.purpose}"
    yield f"  made      {jalali(found.at, zone.key)}"
    yield f"  amount    {found.amount} {unit}"
    if isinstance(found, Pledge):
        for name in ("paid", "voided", "written_off", "expired"):
            if getattr(found, name):
                yield f"  {name.replace('_', ' '):<9} {getattr(found, name)}"
        yield f"  open      {found.outstanding}"
    if found.refunded:
        yield f"  refunded  {found.refunded}"
    if is_pledge:
        for due in plans.instalments_of(db, pledge_id=found.event_id):
            day = jalali(due.due_at, zone.key).split()[0]
            yield f"  part {due.number:<4} {due.amount} by {day}"
    for one in history(db, found.event_id):
        moved = f" {one.amount} {one.unit}" if one.amount else ""
        who = f" by {one.by}" if one.by else ""
        yield f"  {jalali(one.at, zone.key)}  {one.kind}{moved}{who}"
