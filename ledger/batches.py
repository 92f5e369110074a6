"""Purchases: money of a purpose turned into goods, sent, delivered and taken back.

Nothing is bought with money that is not there, and nothing leaves a place where it is
not: a purchase holds the purpose's money, every other act its batch. The same key
again gives the first result; with anything else asked under it, it is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from ledger import chart, events, funds
from ledger.events import Moved, Recorded
from ledger.once import Once
from ledger.requests import CHANNEL, Refused
from ledger.schema import batch, unit
from ledger.small_cells import OTHER
from ledger.tracing_gifts import Eaten, Purpose, eat
from ledger.whereabouts import Act, Whereabouts, whereabouts
from ledger.writers import settled

__all__ = [
    "Batch",
    "Done",
    "Movement",
    "Purchase",
    "Wrong",
    "batch_of",
    "batches_of",
    "buy",
    "check_amounts",
    "check_parts",
    "deliver",
    "send",
    "take_back",
]

AMOUNT_MAX = 10**15
PART_CHARS_MAX = 40
TITLE_CHARS_MAX = 60
LISTED_MAX = 500


class Wrong(Refused):
    """The books do not allow this purchase or movement; says why."""


@dataclass(frozen=True, slots=True)
class Purchase:
    """What is bought: `quantity` in `unit` for `cost` rial out of the account `bank`.

    `key` is the act's own for ever; `by` is the operator.
    """

    key: str
    campaign: str
    purpose: str
    title: str
    unit: str
    quantity: int
    cost: int
    bank: str
    by: str
    test: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Movement:
    """So much of a campaign's batch, moved by or to a partner.

    `district` and `centre` are where goods are delivered, None where that is unknown.
    """

    key: str
    campaign: str
    number: int
    partner: str
    quantity: int
    by: str
    test: bool
    at: datetime
    district: str | None = None
    centre: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """A purchase, and where its goods are now."""

    event_id: int
    campaign: str
    purpose: str
    test: bool
    number: int
    title: str
    unit: str
    quantity: int
    cost: int
    at: datetime
    where: Whereabouts


@dataclass(frozen=True, slots=True)
class Done:
    """What stands after an act: `first` is False where it had happened before."""

    batch: Batch
    event_id: int
    first: bool


def buy(db: Connection, asked: Purchase) -> Done:
    """Spend money of a purpose on goods, from the oldest gifts on.

    Raises Spent where so much is not unspent, Wrong for what else is refused, and
    NothingRecorded while a payment is being written that has to be seen first.
    """
    _check_purchase(db, asked)
    body: dict[str, str | int] = {
        "campaign": asked.campaign,
        "purpose": asked.purpose,
        "title": asked.title,
        "unit": asked.unit,
        "quantity": asked.quantity,
        "cost": asked.cost,
        "bank": asked.bank,
        "by": asked.by,
    }
    of = Purpose(asked.campaign, asked.purpose, asked.test)
    up_to = settled(db)
    funds.lock(db, of)
    if (again := _again(db, asked.key, Act.BUY, body)) is not None:
        return Done(_batch(db, again.event_id), again.event_id, first=False)
    eaten = eat(db, of, asked.cost, up_to)
    if eaten is None:
        raise funds.spent(db, of, asked.cost)
    recorded = events.record(
        db,
        key=asked.key,
        kind=Act.BUY,
        body=body,
        moved=_bought(asked),
        campaign=asked.campaign,
        purpose=asked.purpose,
        channel=CHANNEL,
        test=asked.test,
        at=asked.at,
    )
    if not recorded.first:
        # In this very moment, for another purpose.
        raise Wrong("this id was used for another purchase")
    _number(db, asked, recorded.event_id, eaten)
    return Done(_batch(db, recorded.event_id), recorded.event_id, first=True)


def send(db: Connection, asked: Movement) -> Done:
    """Hand goods in stock to a partner who carries them; raises Wrong."""
    return _move(db, Act.SEND, asked)


def deliver(db: Connection, asked: Movement) -> Done:
    """Note that a partner gave goods out in a district; raises Wrong."""
    return _move(db, Act.DELIVER, asked)


def take_back(db: Connection, asked: Movement, *, delivered: bool = False) -> Done:
    """Take goods back from a partner, into stock; raises Wrong.

    With `delivered` they come back from the district, and are not sent again.
    """
    return _move(db, Act.COME_BACK if delivered else Act.RETURN, asked)


def batches_of(
    db: Connection, *, campaign: str, test: bool, limit: int = 50
) -> list[Batch]:
    """The purchases of a campaign, the latest first."""
    assert 0 < limit <= LISTED_MAX
    found = (
        select(batch.c.event_id)
        .where(batch.c.campaign == campaign, batch.c.test == test)
        .order_by(batch.c.number.desc())
        .limit(limit)
    )
    return [_batch(db, event_id) for event_id in db.scalars(found).all()]


def batch_of(
    db: Connection, *, campaign: str, number: int, test: bool, lock: bool = False
) -> Batch:
    """One purchase by its number; with `lock` nobody else moves it. Raises Wrong."""
    wanted = select(batch.c.event_id).where(
        batch.c.campaign == campaign, batch.c.number == number, batch.c.test == test
    )
    event_id = db.scalar(wanted.with_for_update() if lock else wanted)
    if event_id is None:
        raise Wrong(f"{campaign} has no batch {number}: see `yarigar batches list`")
    return _batch(db, event_id)


def _move(db: Connection, act: Act, asked: Movement) -> Done:
    _check_movement(asked)
    found = batch_of(
        db, campaign=asked.campaign, number=asked.number, test=asked.test, lock=True
    )
    body: dict[str, str | int] = {
        "campaign": asked.campaign,
        "number": asked.number,
        "partner": asked.partner,
        "quantity": asked.quantity,
        "district": asked.district or "",
        "centre": asked.centre or "",
        "by": asked.by,
    }
    if (again := _again(db, asked.key, act, body)) is not None:
        return Done(found, again.event_id, first=False)
    debit, credit, there, where = _way(act, found, asked)
    if asked.quantity > there:
        raise Wrong(f"{asked.quantity} {found.unit} are wanted and {there} are {where}")
    recorded = events.record(
        db,
        key=asked.key,
        kind=act,
        body=body,
        moved=[Moved(debit, credit, found.unit, asked.quantity, "single")],
        about_id=found.event_id,
        campaign=found.campaign,
        purpose=found.purpose,
        district=asked.district,
        centre=asked.centre,
        partner=asked.partner,
        channel=CHANNEL,
        test=found.test,
        at=asked.at,
    )
    if not recorded.first:
        # In this very moment, for another batch.
        raise Wrong("this id was used for another batch")
    return Done(_batch(db, found.event_id), recorded.event_id, first=True)


def _way(act: Act, of: Batch, asked: Movement) -> tuple[str, str, int, str]:
    """From which account to which, what is there to be moved, and where that is."""
    stock = chart.stock(of.campaign, of.purpose, of.unit)
    carried = chart.transit(of.campaign, asked.partner, of.unit)
    delivered = chart.delivered(asked.district, of.unit)
    in_stock = of.where.stock, f"in stock of batch {of.number}"
    with_partner = (
        of.where.carried.get(asked.partner, 0),
        f"with {asked.partner} of batch {of.number}",
    )
    in_district = (
        of.where.delivered.get(asked.district or "", 0),
        f"delivered in {asked.district or 'an unknown district'}",
    )
    returned = chart.returned(of.campaign, of.purpose, of.unit)
    ways = {
        Act.SEND: (carried, stock, *in_stock),
        Act.DELIVER: (delivered, carried, *with_partner),
        Act.RETURN: (stock, carried, *with_partner),
        Act.COME_BACK: (returned, delivered, *in_district),
    }
    return ways[act]


def _bought(asked: Purchase) -> list[Moved]:
    return [
        Moved(
            chart.package(asked.campaign, asked.purpose),
            chart.bank(asked.bank),
            chart.RIAL,
            asked.cost,
            "single",
        ),
        Moved(
            chart.stock(asked.campaign, asked.purpose, asked.unit),
            chart.clearing(asked.unit),
            asked.unit,
            asked.quantity,
            "single",
        ),
    ]


def _number(db: Connection, asked: Purchase, event_id: int, eaten: Eaten) -> None:
    """Write the batch down under the campaign's next number.

    Two purposes may be bought for at once: whoever finds the number taken has waited
    for the other, and looks again.
    """
    made = None
    while made is None:
        last = db.scalar(
            _LAST_NUMBER, {"of_campaign": asked.campaign, "in_test": asked.test}
        )
        made = _insert(
            db,
            event_id=event_id,
            campaign=asked.campaign,
            purpose=asked.purpose,
            test=asked.test,
            number=(last or 0) + 1,
            title=asked.title,
            unit=asked.unit,
            quantity=asked.quantity,
            cost=asked.cost,
            first_id=eaten.first.transfer_id,
            first_after=eaten.first.after,
            last_id=eaten.last.transfer_id,
            last_after=eaten.last.after,
            at=asked.at,
        )


def _again(
    db: Connection, key: str, act: Act, body: Mapping[str, str | int]
) -> Recorded | None:
    """What stands under the key; raises Wrong where something else was asked."""
    again = events.repeated(db, key=key, kind=act, body=body)
    if again is None:
        return None
    # Somebody else may ask whether it has happened.
    differs = [name for name in again.differs if name != "by"]
    if differs:
        raise Wrong(f"this id was used before with another {', '.join(differs)}")
    return again


def _check_purchase(db: Connection, asked: Purchase) -> None:
    check_parts(campaign=asked.campaign, purpose=asked.purpose, bank=asked.bank)
    check_amounts(quantity=asked.quantity, cost=asked.cost)
    if not 0 < len(asked.title) <= TITLE_CHARS_MAX or not asked.title.isprintable():
        raise Wrong(f"a title has 1 to {TITLE_CHARS_MAX} characters")
    goods = sorted(set(db.scalars(select(unit.c.code))) - {chart.RIAL})
    if asked.unit not in goods:
        raise Wrong(f"no goods are counted in {asked.unit}: {', '.join(goods)}")


def _check_movement(asked: Movement) -> None:
    check_parts(campaign=asked.campaign, partner=asked.partner)
    if asked.district is not None:
        check_parts(district=asked.district)
    if asked.centre is not None:
        check_parts(centre=asked.centre)
    check_amounts(quantity=asked.quantity)


def check_parts(**parts: str) -> None:
    """Raise Wrong for what cannot be a part of an account's code."""
    for name, part in parts.items():
        if part == OTHER:
            raise Wrong(f"no {name} is called {OTHER}: reports call others together so")
        if not 0 < len(part) <= PART_CHARS_MAX or ":" in part or not part.isprintable():
            raise Wrong(f"a {name} has 1 to {PART_CHARS_MAX} characters and no colon")


def check_amounts(**amounts: int) -> None:
    """Raise Wrong for what is no amount."""
    for name, amount in amounts.items():
        if not 0 < amount <= AMOUNT_MAX:
            raise Wrong(f"a {name} is a whole number from 1 to {AMOUNT_MAX}")


def _batch(db: Connection, event_id: int) -> Batch:
    row: Any = db.execute(_BATCH, {"of_event": event_id}).one()
    return Batch(**row._mapping, where=whereabouts(db, event_id))


_insert = Once(
    batch, batch.c.campaign, batch.c.number, batch.c.test, returning=batch.c.event_id
)
_LAST_NUMBER = select(func.max(batch.c.number)).where(
    batch.c.campaign == bindparam("of_campaign"), batch.c.test == bindparam("in_test")
)
_BATCH = select(
    batch.c.event_id,
    batch.c.campaign,
    batch.c.purpose,
    batch.c.test,
    batch.c.number,
    batch.c.title,
    batch.c.unit,
    batch.c.quantity,
    batch.c.cost,
    batch.c.at,
).where(batch.c.event_id == bindparam("of_event"))
