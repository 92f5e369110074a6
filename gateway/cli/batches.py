"""Commands for what money became: goods bought, sent, delivered and taken back."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.operator import ID, PHONE_DIGITS, books, by, insist_on_campaign
from gateway.faults import Unready
from gateway.service import now
from phone.amounts import NotAnAmount, read_amount
from phone.private import long_digits

if TYPE_CHECKING:
    from ledger.batches import Batch, Done, Movement
    from ledger.engine import Connection

ID_CHARS_MAX = 80
QUANTITY = click.IntRange(1, 10**9)

campaign = click.argument("campaign")
number = click.argument("number", type=ID)
quantity = click.option("--quantity", type=QUANTITY, required=True, help="How many.")
partner = click.option("--partner", required=True, help="Who carries them.")
district = click.option("--district", help="Where they were given out.")
centre = click.option("--centre", help="At which centre.")
own_id = click.option(
    "--id",
    "own_id",
    help="Your own number of this act. With none, the same act on the same day is "
    "taken for a repetition.",
)
test = click.option("--test", is_flag=True, help="In the rehearsals' books.")


class Cost(click.ParamType[int]):
    """An amount of money with its unit, in rial."""

    name = "amount"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        try:
            amount = read_amount(str(value))
        except NotAnAmount as refused:
            self.fail(str(refused), param, ctx)
        if amount.unit is None:
            self.fail("say toman or rial: '12,000,000 toman'", param, ctx)
        return amount.rial


@click.group()
def batches() -> None:
    """Buy goods with what was given, and say where they are."""


@batches.command()
@campaign
@click.option("--purpose", required=True, help="Whose money it is.")
@click.option("--title", required=True, help="What is bought.")
@quantity
@click.option("--unit", default="parcel", show_default=True, help="What is counted.")
@click.option("--cost", type=Cost(), required=True, help="As '12,000,000 toman'.")
@click.option("--bank", required=True, help="The account it was paid from.")
@own_id
@test
@by
def buy(
    campaign: str,
    purpose: str,
    title: str,
    quantity: int,
    unit: str,
    cost: int,
    bank: str,
    own_id: str | None,
    test: bool,
    by: str,
) -> None:
    """Write down a purchase for CAMPAIGN: the oldest gifts pay for it."""
    from ledger.batches import Purchase, buy
    from ledger.engine import writing

    _without_numbers(purpose=purpose, title=title, bank=bank)
    at = now()
    with books() as (engine, zone):
        insist_on_campaign(engine, zone.key, campaign)
        told = (campaign, purpose, title, quantity, unit, cost, bank)
        asked = Purchase(
            key=_key("buy", test, own_id, at.astimezone(zone).date(), *told),
            campaign=campaign,
            purpose=purpose,
            title=title,
            unit=unit,
            quantity=quantity,
            cost=cost,
            bank=bank,
            by=by,
            test=test,
            at=at,
        )
        with writing(engine) as db:
            done = buy(db, asked)
    _say(done)


@batches.command()
@campaign
@number
@partner
@quantity
@own_id
@test
@by
def send(**asked: Any) -> None:
    """Hand goods of the batch NUMBER over to a partner."""
    from ledger.batches import send

    _move("send", send, **asked)


@batches.command()
@campaign
@number
@partner
@quantity
@district
@centre
@own_id
@test
@by
def deliver(**asked: Any) -> None:
    """Note that a partner gave goods of the batch NUMBER out."""
    from ledger.batches import deliver

    _move("deliver", deliver, **asked)


@batches.command(name="return")
@campaign
@number
@partner
@quantity
@click.option(
    "--delivered",
    is_flag=True,
    help="They had been given out: they come back for good.",
)
@district
@centre
@own_id
@test
@by
def take_back(delivered: bool, **asked: Any) -> None:
    """Take goods of the batch NUMBER back from a partner, into stock."""
    from ledger.batches import take_back

    if asked["district"] and not delivered:
        raise Unready("--district is for goods that had been --delivered there")

    def act(db: Connection, movement: Movement) -> Done:
        return take_back(db, movement, delivered=delivered)

    _move("come-back" if delivered else "return", act, **asked)


@batches.command(name="hand-out")
@campaign
@click.option("--purpose", required=True, help="What they were handed in for.")
@quantity
@click.option("--unit", default="parcel", show_default=True, help="What is counted.")
@district
@centre
@own_id
@test
@by
def hand_out(own_id: str | None, test: bool, **asked: Any) -> None:
    """Note that goods which donors brought were given out at a centre."""
    from ledger.engine import writing
    from ledger.handing_out import HandingOut, hand_out

    asked |= {name: asked[name] or None for name in ("district", "centre")}
    _without_numbers(
        purpose=asked["purpose"],
        district=asked["district"] or "",
        centre=asked["centre"] or "",
    )
    at = now()
    told = [asked[name] for name in sorted(asked.keys() - {"by"})]
    with books() as (engine, zone):
        key = _key("hand-out", test, own_id, at.astimezone(zone).date(), *told)
        with writing(engine) as db:
            done = hand_out(db, HandingOut(key=key, test=test, at=at, **asked))
    if not done.first:
        click.echo("this was written down before; give --id for another one")
    click.echo(f"{done.left} {asked['unit']} that were handed in are left")


@batches.command(name="list")
@campaign
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@test
def list_batches(campaign: str, limit: int, test: bool) -> None:
    """Show the purchases of CAMPAIGN and where the goods are, the latest first."""
    from ledger.batches import batches_of
    from ledger.engine import reading

    with books() as (engine, zone):
        insist_on_campaign(engine, zone.key, campaign)
        with reading(engine, snapshot=True) as db:
            found = batches_of(db, campaign=campaign, test=test, limit=limit)
    for batch in found:
        click.echo("\n".join(_lines(batch)))
    if not found:
        click.echo("nothing is bought yet")


def _move(
    act: str,
    function: Callable[[Connection, Movement], Done],
    *,
    campaign: str,
    number: int,
    partner: str,
    quantity: int,
    own_id: str | None,
    test: bool,
    by: str,
    district: str | None = None,
    centre: str | None = None,
) -> None:
    from ledger.batches import Movement
    from ledger.engine import writing

    _without_numbers(partner=partner, district=district or "", centre=centre or "")
    at = now()
    with books() as (engine, zone):
        told = (campaign, number, partner, quantity, district, centre)
        movement = Movement(
            key=_key(act, test, own_id, at.astimezone(zone).date(), *told),
            campaign=campaign,
            number=number,
            partner=partner,
            quantity=quantity,
            by=by,
            test=test,
            at=at,
            district=district or None,
            centre=centre or None,
        )
        with writing(engine) as db:
            done = function(db, movement)
    _say(done)


def _key(act: str, test: bool, own_id: str | None, *told: object) -> str:
    """The key of an act: the operator's own number of it, or what it is and its day."""
    kind = "rehearsed-batch" if test else "batch"
    if own_id is None:
        digest = hashlib.sha256("\x1f".join(map(str, told)).encode()).hexdigest()
        return f"{kind}:{act}:day:{digest}"
    if not 0 < len(own_id) <= ID_CHARS_MAX or not own_id.isprintable():
        raise Unready(f"--id has 1 to {ID_CHARS_MAX} characters")
    return f"{kind}:id:{own_id}"


def _without_numbers(**told: str) -> None:
    for name, words in told.items():
        if long_digits(words, PHONE_DIGITS):
            raise Unready(f"--{name} stays in the books: no phone or card number in it")


def _say(done: Done) -> None:
    if not done.first:
        click.echo("this was written down before; give --id for another one")
    click.echo("\n".join(_lines(done.batch)))


def _lines(batch: Batch) -> Iterator[str]:
    where = batch.where
    yield (
        f"batch {batch.number}: {batch.quantity} {batch.unit} of {batch.title} for "
        f"{batch.cost} rial of {batch.purpose}{' (rehearsal)' if batch.test else ''}"
    )
    yield f"  in stock   {where.stock}"
    for partner, count in sorted(where.carried.items()):
        if count:
            yield f"  with       {partner}: {count}"
    for district, count in sorted(where.delivered.items()):
        if count:
            yield f"  delivered  {district or 'unknown district'}: {count}"
    if where.returned:
        yield f"  came back  {where.returned}"
