"""What a report is made of: sums of the facts of a campaign, in all or by a column.

Three queries, each reading the whole campaign. With a seal's size only events among
its leaves count, so that the sums of a seal never change.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    case,
    func,
    literal,
    or_,
    select,
)

from ledger.chart import RIAL
from ledger.schema import account, event, leaf, transfer

__all__ = ["By", "Scope", "Sums", "givers_between", "sums_by", "sums_of"]

_POSTED = ("single", "post", "reversal")


class By(StrEnum):
    """The column of an event that sums are taken by."""

    PURPOSE = "purpose"
    DISTRICT = "district"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose facts: a campaign's, real or rehearsed, all or those under a seal."""

    campaign: str
    test: bool = False
    size: int | None = None


@dataclass(slots=True)
class Sums:
    """Amounts in rial, goods by unit.

    `payers` are those donors whose money came, `bringers` those whose goods did.
    """

    donors: int = 0
    payers: int = 0
    bringers: int = 0
    pledged: int = 0
    received: int = 0
    returned: int = 0
    spent: int = 0
    bought: dict[str, int] = field(default_factory=dict)
    in_kind: dict[str, int] = field(default_factory=dict)
    delivered: dict[str, int] = field(default_factory=dict)

    @property
    def unspent(self) -> int:
        return self.received - self.returned - self.spent

    @property
    def counts(self) -> tuple[int, ...]:
        """What is small if it is below five: people, and goods given out."""
        return self.donors, self.payers, self.bringers, *self.delivered.values()


def sums_of(
    db: Connection,
    scope: Scope,
    by: By | None = None,
    names: frozenset[str] | None = None,
) -> Sums:
    """Sum a campaign up; with `names` only what has one of them in the column `by`."""
    return _sums(db, scope, by, names, split=False).get("", Sums())


def sums_by(db: Connection, scope: Scope, by: By) -> dict[str, Sums]:
    """Sum a campaign up by a column; what has nothing there has the name ""."""
    return _sums(db, scope, by, None, split=True)


def givers_between(db: Connection, campaign: str, first: int, last: int) -> int:
    """How many people's gifts the leaves from `first` up to before `last` changed.

    Whoever promised, paid, took back or was paid back: each of them moves a figure.
    """
    donations = _accounts(f"N:Donation:{campaign}:")
    pending, moved, origin = transfer.alias(), event.alias(), event.alias()
    # A gift out of suspense is about its payment, what is paid back about the gift.
    of = case(
        (transfer.c.pending_id.is_not(None), pending.c.event_id),
        (transfer.c.debit_id.in_(donations), moved.c.about_id),
        else_=moved.c.id,
    )
    donor = func.coalesce(origin.c.person_id, -origin.c.id)
    return int(
        db.scalar(
            select(func.count(donor.distinct()))
            .select_from(leaf)
            .join(moved, moved.c.id == leaf.c.event_id)
            .join(transfer, transfer.c.event_id == moved.c.id)
            .outerjoin(pending, pending.c.id == transfer.c.pending_id)
            .join(origin, origin.c.id == of)
            .where(
                leaf.c.number >= first,
                leaf.c.number < last,
                or_(
                    transfer.c.credit_id.in_(donations),
                    transfer.c.debit_id.in_(donations),
                ),
            )
        )
        or 0
    )


def _sums(
    db: Connection,
    scope: Scope,
    by: By | None,
    names: frozenset[str] | None,
    *,
    split: bool,
) -> dict[str, Sums]:
    found: dict[str, Sums] = {}

    def rows(query: Any, table: FromClause) -> Any:
        column = func.coalesce(table.c[by], "") if by is not None else literal("")
        if names is not None:
            query = query.where(column.in_(sorted(names)))
        if split:
            query = query.add_columns(column.label("name")).group_by(column)
        for row in db.execute(query):
            yield found.setdefault(row.name if split else "", Sums()), row

    origins = _origins(scope)
    for sums, row in rows(_money(origins), origins):
        sums.donors, sums.payers = row.donors, row.payers
        sums.bringers = row.bringers
        sums.pledged, sums.received = int(row.pledged or 0), int(row.received or 0)
        sums.returned = int(row.returned or 0)
    for sums, row in rows(_spent(scope), event):
        sums.spent = int(row.spent or 0)
    for sums, row in rows(_goods(scope), event):
        for goods in ("bought", "in_kind", "delivered"):
            if count := int(getattr(row, goods)):
                getattr(sums, goods)[row.unit] = count
    return {name: sums for name, sums in found.items() if sums != Sums()}


def _money(origins: FromClause) -> Any:
    gives = or_(origins.c.standing > 0, origins.c.received > 0)
    return select(
        func.count(case((gives, origins.c.donor)).distinct()).label("donors"),
        func.count(case((origins.c.received > 0, origins.c.donor)).distinct()).label(
            "payers"
        ),
        func.count(case((origins.c.brought > 0, origins.c.donor)).distinct()).label(
            "bringers"
        ),
        func.sum(origins.c.pledged).label("pledged"),
        func.sum(origins.c.received).label("received"),
        func.sum(origins.c.returned).label("returned"),
    )


def _origins(scope: Scope) -> FromClause:
    """A row for each pledge and gift: whose it is, and what became of it."""
    donations = _accounts(f"N:Donation:{scope.campaign}:")
    pending, part, gift, back = (transfer.alias() for _ in range(4))
    parts = (
        select(
            part.c.pending_id,
            func.sum(case((part.c.phase == "post", part.c.amount), else_=0)).label(
                "posted"
            ),
            func.sum(
                case((part.c.phase.in_(("void", "expire")), part.c.amount), else_=0)
            ).label("released"),
        )
        .where(part.c.pending_id.is_not(None), _counts(scope, part.c.event_id))
        .group_by(part.c.pending_id)
        .subquery()
    )
    gifts = (
        select(gift.c.event_id, func.sum(gift.c.amount).label("amount"))
        .where(
            gift.c.credit_id.in_(donations),
            gift.c.phase == "single",
            gift.c.unit == RIAL,
        )
        .group_by(gift.c.event_id)
        .subquery()
    )
    backs = (
        select(event.c.about_id, func.sum(back.c.amount).label("amount"))
        .join(event, event.c.id == back.c.event_id)
        .where(
            back.c.debit_id.in_(donations),
            back.c.phase.in_(_POSTED),
            back.c.unit == RIAL,
            _counts(scope, event.c.id),
        )
        .group_by(event.c.about_id)
        .subquery()
    )
    standing = pending.c.amount - func.coalesce(parts.c.released, 0)
    is_rial = pending.c.unit == RIAL
    return (
        select(
            event.c.purpose,
            event.c.district,
            # A gift of nobody known is a giver of its own.
            func.coalesce(event.c.person_id, -event.c.id).label("donor"),
            func.coalesce(standing, 0).label("standing"),
            case((is_rial, standing), else_=0).label("pledged"),
            (
                case((is_rial, func.coalesce(parts.c.posted, 0)), else_=0)
                + func.coalesce(gifts.c.amount, 0)
            ).label("received"),
            case((is_rial, 0), else_=func.coalesce(parts.c.posted, 0)).label("brought"),
            func.coalesce(backs.c.amount, 0).label("returned"),
        )
        .select_from(event)
        .outerjoin(
            pending, (pending.c.event_id == event.c.id) & (pending.c.phase == "pending")
        )
        .outerjoin(parts, parts.c.pending_id == pending.c.id)
        .outerjoin(gifts, gifts.c.event_id == event.c.id)
        .outerjoin(backs, backs.c.about_id == event.c.id)
        .where(event.c.kind.in_(("pledge", "gift")), *_within(scope))
        .subquery()
    )


def _spent(scope: Scope) -> Any:
    packages = _accounts(f"X:Package:{scope.campaign}:")
    return (
        select(func.sum(_signed(packages)).label("spent"))
        .select_from(transfer)
        .join(event, event.c.id == transfer.c.event_id)
        .where(
            or_(transfer.c.debit_id.in_(packages), transfer.c.credit_id.in_(packages)),
            transfer.c.phase.in_(_POSTED),
            *_within(scope),
        )
    )


def _goods(scope: Scope) -> Any:
    stock, delivered = (
        _accounts(f"I:Stock:{scope.campaign}:"),
        _accounts("I:Delivered:"),
    )
    into_stock = transfer.c.debit_id.in_(stock)

    def counted(origin: Any) -> ColumnElement[int]:
        return func.sum(
            case(
                (into_stock & transfer.c.credit_id.in_(origin), transfer.c.amount),
                else_=0,
            )
        )

    return (
        select(
            transfer.c.unit,
            counted(_accounts("Q:")).label("bought"),
            counted(_accounts("A:Receivable:")).label("in_kind"),
            func.sum(_signed(delivered)).label("delivered"),
        )
        .select_from(transfer)
        .join(event, event.c.id == transfer.c.event_id)
        .where(
            or_(
                into_stock,
                transfer.c.debit_id.in_(delivered),
                transfer.c.credit_id.in_(delivered),
            ),
            transfer.c.phase.in_(_POSTED),
            *_within(scope),
        )
        .group_by(transfer.c.unit)
    )


def _signed(accounts: Any) -> ColumnElement[int]:
    """What a transfer adds to these accounts, or takes from them."""
    return case((transfer.c.debit_id.in_(accounts), transfer.c.amount), else_=0) - case(
        (transfer.c.credit_id.in_(accounts), transfer.c.amount), else_=0
    )


def _accounts(prefix: str) -> Any:
    return select(account.c.id).where(
        account.c.code.startswith(prefix, autoescape=True)
    )


def _within(scope: Scope) -> tuple[ColumnElement[bool], ...]:
    return (
        event.c.campaign == scope.campaign,
        event.c.test == scope.test,
        _counts(scope, event.c.id),
    )


def _counts(scope: Scope, event_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether what belongs to that event counts."""
    if scope.size is None:
        return literal(True)
    sealed = select(leaf.c.number).where(
        leaf.c.event_id == event_id, leaf.c.number < scope.size
    )
    return sealed.exists()
