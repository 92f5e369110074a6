"""Commands about money that came and has no pledge or gift yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gateway.cli.operator import ID, by, one_line, opened
from gateway.faults import Unready
from gateway.service import now
from phone.amounts import RIAL_MAX
from phone.dates import jalali

if TYPE_CHECKING:
    from ledger.payments import Paid
    from ledger.pledges import Pledge

RIAL = click.IntRange(1, RIAL_MAX)
CODE_CHARS_MAX = 40

reason = click.option("--reason", required=True, help="Why, as the books will say.")
some = click.option("--rial", type=RIAL, help="So much of it; else all that fits.")
payment = click.argument("payment_id", metavar="ID", type=ID)


@click.group()
def suspense() -> None:
    """Find out what money is for that named no open pledge."""


@suspense.command(name="list")
@click.option("--test", is_flag=True, help="That of rehearsals instead.")
@click.option("--after", type=ID, default=0, help="Go on from the last id shown.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
def list_payments(test: bool, after: int, limit: int) -> None:
    """List payments with money in suspense, the oldest first, in rial."""
    from ledger import unclaimed
    from ledger.engine import reading

    with opened() as service, reading(service.engine) as db:
        found = unclaimed.listed(db, service.keys, after=after, limit=limit, test=test)
    zone = service.settings.time_zone
    for one in found:
        said = (one.code, one.phone or one.named_a_phone * "a phone", one.reference)
        click.echo(
            f"{one.id:>7}  {jalali(one.paid_at, zone)}  {one.source:<8}  "
            f"{one.unmatched:>15}  {'  '.join(filter(None, said))}"
        )
    if len(found) == limit:
        click.echo(f"more: yarigar suspense list --after {found[-1].id}")


@suspense.command()
@payment
def show(payment_id: int) -> None:
    """Show a payment with what it said, and the pledges that it may be for."""
    from ledger import unclaimed
    from ledger.engine import reading

    with opened() as service, reading(service.engine) as db:
        found = unclaimed.show(db, service.keys, payment_id=payment_id)
        if found is None:
            raise Unready(f"there is no payment {payment_id}")
        hints = unclaimed.hints(db, payment_id=payment_id)
    zone = service.settings.time_zone
    test = " (rehearsal)" if found.test else ""
    click.echo(f"payment {found.id}: {found.outside_id} of {found.source}{test}")
    click.echo(f"  paid      {jalali(found.paid_at, zone)}")
    click.echo(f"  amount    {found.amount} rial, {found.unmatched} in suspense")
    click.echo(f"  code      {found.code or '-'}")
    nobodys = "one that no caller has" if found.named_a_phone else "-"
    click.echo(f"  phone     {found.phone or nobodys}")
    click.echo(f"  reference {found.reference or '-'}")
    if found.unmatched:
        later = found.next_at and f"at {jalali(found.next_at, zone)}"
        click.echo(f"  looked at {later or 'by nobody but you'}")
    if hints.of_code is not None:
        click.echo(f"its code is {_pledge(hints.of_code)}")
    for pledge in hints.of_phone:
        click.echo(f"its phone has {_pledge(pledge)}")


@suspense.command()
@payment
@click.argument("code", metavar="CODE")
@some
@reason
@by
def match(payment_id: int, code: str, rial: int | None, reason: str, by: str) -> None:
    """Give the pledge CODE the money of payment ID, as much as both have open."""
    from gateway import receipts
    from gateway.payments.taking import menus_in_force
    from ledger import payments
    from ledger.engine import writing
    from phone.codes import NotACode, read_code

    why = one_line(reason)
    try:
        wanted = read_code(code[:CODE_CHARS_MAX])
    except NotACode as fault:
        raise Unready(f"{code[:CODE_CHARS_MAX]!r}: {fault}") from None
    with opened() as service:
        menus, at = menus_in_force(service.library), now()
        with writing(service.engine) as db:
            paid = payments.match(
                db,
                payment_id=payment_id,
                code=wanted,
                amount=rial,
                by=by,
                why=why,
                at=at,
            )
            _insist(paid, payment_id)
            assert paid.pledge is not None
            receipts.tell(db, menus, paid, test=paid.pledge.test, at=at)
        service.wake()
    click.echo(
        f"{paid.matched} rial for {wanted}, {paid.pledge.outstanding} open there; "
        f"{paid.unmatched} left in suspense"
    )


@suspense.command()
@payment
@click.option("--campaign", required=True)
@click.option("--purpose", required=True)
@some
@reason
@by
def gift(
    payment_id: int,
    campaign: str,
    purpose: str,
    rial: int | None,
    reason: str,
    by: str,
) -> None:
    """Take the money of payment ID as a gift without a pledge."""
    from gateway import receipts
    from gateway.payments.purposes import insist
    from ledger import gifts, unclaimed
    from ledger.engine import writing

    why = one_line(reason)
    with opened() as service:
        menus, at = service.library.current(None), now()
        insist(menus, campaign, purpose)
        with writing(service.engine) as db:
            found = unclaimed.show(db, service.keys, payment_id=payment_id)
            if found is None:
                raise Unready(f"there is no payment {payment_id}")
            paid = gifts.accept(
                db,
                service.keys,
                payment_id=payment_id,
                campaign=campaign,
                purpose=purpose,
                amount=rial,
                by=by,
                why=why,
                at=at,
            )
            _insist(paid, payment_id)
            receipts.tell(db, menus, paid, campaign=campaign, test=found.test, at=at)
        service.wake()
    click.echo(
        f"{paid.matched} rial are gift {paid.code}; {paid.unmatched} left in suspense"
    )


def _insist(paid: Paid, payment_id: int) -> None:
    """Raise Unready, which undoes the transaction, unless money moved."""
    from ledger.payments import Outcome

    if paid.matched:
        return
    raise Unready(
        {
            Outcome.NOTHING_LEFT: f"nothing of payment {payment_id} is in suspense",
            Outcome.NOT_OPEN: "nothing is open of that pledge, or one of them is a "
            "rehearsal, or it is no pledge of money: see `yarigar suspense gift`",
        }.get(paid.outcome, "there is no such payment, or no such pledge")
    )


def _pledge(pledge: Pledge) -> str:
    return (
        f"pledge {pledge.code}: {pledge.state}, {pledge.outstanding} of "
        f"{pledge.amount} {pledge.unit} open, {pledge.campaign} {pledge.purpose}"
    )
