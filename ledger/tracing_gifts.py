"""Which gifts paid for which purchase: the oldest gift of a purpose is spent first.

A gift is a credit to N:Donation of one campaign and purpose; what was paid back of it
is cut from its end. Purchases eat gifts from the front, so that a batch needs only two
places: a part of its first gift and a part of its last one. Where money that was spent
is paid back after all, the gifts behind it fill in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Connection,
    ScalarSelect,
    Table,
    TextClause,
    bindparam,
    func,
    select,
    text,
    update,
)

from ledger import chart
from ledger.engine import NothingRecorded
from ledger.schema import account, batch, event, fund, transfer
from ledger.schema.facts import POSTED, REVERSED
from ledger.writers import ID_MAX

__all__ = [
    "Eaten",
    "Place",
    "Purpose",
    "Sums",
    "eat",
    "eaten_of",
    "reaches",
    "sums",
]

# A refund asks for a few gifts, a purchase for many.
GIFTS_FIRST = 100
GIFTS_PAGE = 10_000
BATCHES_MAX = 200

_POSTED = ("single", "post", "reversal")


@dataclass(frozen=True, slots=True)
class Purpose:
    """What money is given for and spent on, real or in a rehearsal."""

    campaign: str
    purpose: str
    test: bool


@dataclass(frozen=True, slots=True)
class Sums:
    """Rial of a purpose: given, paid back or agreed to be, and spent."""

    given: int
    returned: int
    spent: int

    @property
    def unspent(self) -> int:
        """What is left; below zero where spent money was paid back after all."""
        return self.given - self.returned - self.spent


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the row of gifts: after so much of one transfer."""

    transfer_id: int
    after: int


@dataclass(frozen=True, slots=True)
class Eaten:
    """From where to where a purchase ate."""

    first: Place
    last: Place


@dataclass(frozen=True, slots=True)
class _Gift:
    """A credit to the purpose, and what it goes back to: a pledge or itself."""

    id: int
    amount: int
    origin: int
    event_id: int


@dataclass(frozen=True, slots=True)
class _Return:
    """A debit of the purpose, and the pledge, gift or payment that it is about."""

    id: int
    amount: int
    about_id: int | None


def sums(db: Connection, of: Purpose) -> Sums:
    """Add up a purpose: every gift for it is read, and no other."""
    row = db.execute(_SUMS, _accounts(of) | _named(of)).one()
    return Sums(*(int(amount) for amount in row))


def eat(db: Connection, of: Purpose, cost: int, up_to: int) -> Eaten | None:
    """Move the purpose's cursor over gifts worth `cost`; None where they do not do.

    The caller holds the fund, and asked `ledger.writers` before: gifts after that are
    left to the next purchase. Raises NothingRecorded where only these would do.
    """
    eaten = _reach(db, of, cost, up_to)
    if eaten is None and reaches(db, of, cost):
        raise NothingRecorded("money is still coming in: try again in a moment")
    if eaten is not None:
        moved = {"to_transfer": eaten.last.transfer_id, "to_amount": eaten.last.after}
        db.execute(_MOVE, _named(of) | moved)
    return eaten


def reaches(db: Connection, of: Purpose, amount: int) -> bool:
    """Whether so much of a purpose is unspent; reads no more gifts than that takes."""
    return _reach(db, of, amount, ID_MAX) is not None


def _reach(db: Connection, of: Purpose, amount: int, up_to: int) -> Eaten | None:
    """The gifts worth `amount` that come next, and what they have to fill in."""
    cursor = Place(*db.execute(_CURSOR, _named(of)).one())
    values = _accounts(of) | {"up_to": up_to, "since": cursor.transfer_id}
    returns = [_Return(*row) for row in db.execute(_RETURNS, values)]
    returned = _returned(db, values, cursor, returns)
    cuts = _cuts(returned, returns)
    wanted = amount + _hole(db, of, cursor, returned, returns, cuts)
    first = last = None
    for gift, begin in _uneaten(db, values, cursor):
        part = min(wanted, gift.amount - cuts.get(gift.id, 0) - begin)
        if part <= 0:
            continue
        first = first or Place(gift.id, begin)
        last = Place(gift.id, begin + part)
        wanted -= part
        if not wanted:
            return Eaten(first, last)
    return None


def _returned(
    db: Connection,
    values: Mapping[str, object],
    cursor: Place,
    returns: Sequence[_Return],
) -> list[_Gift]:
    """The gifts from the cursor on of which something was paid back, in order."""
    found: dict[int, _Gift] = {}
    for about_id in {back.about_id for back in returns if back.about_id is not None}:
        for row in db.execute(_GIFTS_OF, {**values, "origin": about_id}):
            if row.id >= cursor.transfer_id:
                found[row.id] = _Gift(*row)
    return [found[gift_id] for gift_id in sorted(found)]


def _hole(
    db: Connection,
    of: Purpose,
    cursor: Place,
    gifts: Sequence[_Gift],
    returns: Sequence[_Return],
    cuts: Mapping[int, int],
) -> int:
    """What was paid back of spent gifts since the last purchase, which filled in what
    was before."""
    last_spent = db.scalar(_LAST_SPENT, _named(of)) or 0
    since = [back for back in returns if back.id > last_spent]
    cuts_then = _cuts(gifts, [back for back in returns if back.id <= last_spent])
    cut = 0
    for gift in gifts:
        begin = cursor.after if gift.id == cursor.transfer_id else 0
        then, now = (
            max(0, gift.amount - begin - known.get(gift.id, 0))
            for known in (cuts_then, cuts)
        )
        cut += then - now
    return sum(back.amount for back in since) - cut


def eaten_of(db: Connection, of: Purpose, origin: int) -> list[tuple[int, int]]:
    """Which batches ate of a pledge or gift: their event's id and the rial, in order.

    What was paid back to the donor is not the donor's any more.
    """
    values = _accounts(of) | {"origin": origin}
    gifts = [_Gift(*row) for row in db.execute(_GIFTS_OF, values)]
    if not gifts:
        return []
    about = {origin, *(gift.event_id for gift in gifts)}
    rows = db.execute(_RETURNS_OF, values | {"about": sorted(about)})
    cuts = _cuts(gifts, [_Return(*row) for row in rows])
    found: defaultdict[int, int] = defaultdict(int)
    for gift in gifts:
        end = gift.amount - cuts.get(gift.id, 0)
        for row in db.execute(_BATCHES_OVER, _named(of) | {"gift": gift.id}):
            begin = row.first_after if row.first_id == gift.id else 0
            until = row.last_after if row.last_id == gift.id else gift.amount
            if (part := min(end, until) - begin) > 0:
                found[row.event_id] += part
    return sorted(found.items())


def _cuts(gifts: Sequence[_Gift], returns: Sequence[_Return]) -> dict[int, int]:
    """What was paid back of each gift: of several of one donor, the latest first."""
    of: defaultdict[int, list[_Gift]] = defaultdict(list)
    for gift in gifts:
        for about_id in {gift.origin, gift.event_id}:
            of[about_id].append(gift)
    cuts: defaultdict[int, int] = defaultdict(int)
    for back in returns:
        rest = back.amount
        for gift in reversed(of[back.about_id] if back.about_id else []):
            if gift.id < back.id:
                part = min(rest, gift.amount - cuts[gift.id])
                cuts[gift.id] += part
                rest -= part
    return cuts


def _uneaten(
    db: Connection, values: dict[str, object], cursor: Place
) -> Iterator[tuple[_Gift, int]]:
    """Gifts from the cursor on, each with how much of it is eaten."""
    since, gifts_max = cursor.transfer_id, GIFTS_FIRST
    while True:
        given = values | {"since": since, "gifts_max": gifts_max}
        page = db.execute(_GIFTS, given).all()
        for row in page:
            gift = _Gift(*row)
            yield gift, cursor.after if gift.id == cursor.transfer_id else 0
        if len(page) < gifts_max:
            return
        since, gifts_max = page[-1].id + 1, GIFTS_PAGE


def _named(of: Purpose) -> dict[str, object]:
    return {"of_campaign": of.campaign, "of_purpose": of.purpose, "in_test": of.test}


def _accounts(of: Purpose) -> dict[str, object]:
    return {
        "donation": chart.donation(of.campaign, of.purpose),
        "package": chart.package(of.campaign, of.purpose),
        "in_test": of.test,
    }


def _account(name: str) -> ScalarSelect[int]:
    named = select(account.c.id).where(account.c.code == bindparam(name))
    return named.scalar_subquery()


def _of(table: Table) -> tuple[ColumnElement[bool], ...]:
    """That a fund or a batch is of the purpose in question."""
    return (
        table.c.campaign == bindparam("of_campaign"),
        table.c.purpose == bindparam("of_purpose"),
        table.c.test == bindparam("in_test"),
    )


_donation_id, _package_id = _account("donation"), _account("package")

# In the words of the indexes, which SQLite takes for nothing else.
_is_posted = text(f"transfer.{POSTED}")
_is_returned = text(f"transfer.{REVERSED}")


def _sum(*where: ColumnElement[bool] | TextClause) -> ScalarSelect[int]:
    moved = select(func.coalesce(func.sum(transfer.c.amount), 0))
    moved = moved.join(event, event.c.id == transfer.c.event_id)
    return moved.where(event.c.test == bindparam("in_test"), *where).scalar_subquery()


_SUMS = select(
    _sum(_is_posted, transfer.c.credit_id == _donation_id),
    _sum(_is_returned, transfer.c.debit_id == _donation_id),
    _sum(
        transfer.c.event_id.in_(select(batch.c.event_id).where(*_of(batch))),
        transfer.c.debit_id == _package_id,
        transfer.c.phase.in_(_POSTED),
    ),
)

_pending, _part = transfer.alias("pending"), transfer.alias("part")
_origin = func.coalesce(_pending.c.event_id, transfer.c.event_id)
_gifts = (
    select(transfer.c.id, transfer.c.amount, _origin, transfer.c.event_id)
    .join(event, event.c.id == transfer.c.event_id)
    .outerjoin(_pending, _pending.c.id == transfer.c.pending_id)
    .order_by(transfer.c.id)
)
_GIFTS = _gifts.where(
    transfer.c.credit_id == _donation_id,
    _is_posted,
    transfer.c.id.between(bindparam("since"), bindparam("up_to")),
    event.c.test == bindparam("in_test"),
).limit(bindparam("gifts_max"))

_returns = (
    select(transfer.c.id, transfer.c.amount, event.c.about_id)
    .join(event, event.c.id == transfer.c.event_id)
    .where(_is_returned)
    .order_by(transfer.c.id)
)
_RETURNS = _returns.where(
    transfer.c.debit_id == _donation_id,
    # What was paid back before the cursor came is about gifts behind it. Later ones
    # all count, settled or not: each was recorded by who held the fund.
    transfer.c.id >= bindparam("since"),
    event.c.test == bindparam("in_test"),
)
# Asked while somebody waits at a phone: by indexes alone.
_own = select(_part.c.id).where(_part.c.event_id == bindparam("origin"))
_paid = select(_part.c.id).where(
    _part.c.pending_id.in_(
        select(_pending.c.id).where(
            _pending.c.event_id == bindparam("origin"), _pending.c.phase == "pending"
        )
    )
)
_GIFTS_OF = _gifts.where(
    transfer.c.id.in_(_own.union_all(_paid)),
    transfer.c.credit_id == _donation_id,
    transfer.c.phase.in_(_POSTED),
)
_RETURNS_OF = _returns.where(
    event.c.about_id.in_(bindparam("about", expanding=True)),
    transfer.c.debit_id == _donation_id,
)
_BATCHES_OVER = (
    select(
        batch.c.event_id,
        batch.c.first_id,
        batch.c.first_after,
        batch.c.last_id,
        batch.c.last_after,
    )
    .select_from(batch)
    .where(
        *_of(batch),
        batch.c.last_id >= bindparam("gift"),
        batch.c.first_id <= bindparam("gift"),
    )
    .order_by(batch.c.last_id)
    .limit(BATCHES_MAX)
)

_LAST_SPENT = (
    select(func.max(transfer.c.id))
    .join(batch, batch.c.event_id == transfer.c.event_id)
    .where(*_of(batch))
)
_CURSOR = select(fund.c.transfer_id, fund.c.amount).where(*_of(fund))
_MOVE = (
    update(fund)
    .where(*_of(fund))
    .values(transfer_id=bindparam("to_transfer"), amount=bindparam("to_amount"))
)
