"""What stands on each account, and what a campaign has been promised and paid.

Nothing is kept beside the transfers: a balance is their sum, so it cannot drift.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import Connection, and_, bindparam, case, func, select

from ledger.schema import account, event, transfer

__all__ = [
    "Balance",
    "CampaignTotal",
    "Trial",
    "balances",
    "campaign_totals",
    "trial",
]

# A void or an expiry only takes back what was pending; a post also moves it.
_POSTED = frozenset({"single", "post", "reversal"})
_RELEASED = ("void", "expire")


@dataclass(frozen=True, slots=True)
class Balance:
    """What stands on one account, in minor units of its unit; debit counts up.

    `pending` is promised and not yet resolved; `posted` has happened.
    """

    account: str
    unit: str
    pending: int
    posted: int


@dataclass(frozen=True, slots=True)
class Trial:
    """The sum of all balances of one unit: zero twice, or the books are wrong."""

    unit: str
    pending: int
    posted: int


@dataclass(frozen=True, slots=True)
class CampaignTotal:
    """One campaign in one unit, in its minor units.

    `voided` is what donors took back, `written_off` what we gave up and `expired` what
    ran out; `paid` came for pledges and `gifts` without one, and `refunded` went back
    of both. `donors` counts the people with at least one pledge of which something
    still stands.
    """

    campaign: str
    unit: str
    pledges: int = 0
    pledged: int = 0
    voided: int = 0
    written_off: int = 0
    expired: int = 0
    paid: int = 0
    gifts: int = 0
    refunded: int = 0
    donors: int = 0

    @property
    def standing(self) -> int:
        """What was pledged and neither taken back, given up nor run out."""
        return self.pledged - self.voided - self.written_off - self.expired

    @property
    def outstanding(self) -> int:
        return self.standing - self.paid

    @property
    def received(self) -> int:
        """What came and was not given back."""
        return self.paid + self.gifts - self.refunded


def balances(db: Connection, *, test: bool = False) -> list[Balance]:
    """Sum every account that ever moved, by unit and code.

    A rehearsal's transfers are left out, or with `test` are the only ones.
    """
    pending: defaultdict[tuple[str, str], int] = defaultdict(int)
    posted: defaultdict[tuple[str, str], int] = defaultdict(int)
    for row in db.execute(_FLOWS, {"test": test}):
        amount = int(row.amount)
        for code, signed in ((row.debit, amount), (row.credit, -amount)):
            place = row.unit, code
            posted[place] += signed if row.phase in _POSTED else 0
            pending[place] += _pending(row.phase, signed)
    return [
        Balance(code, unit, pending[unit, code], posted[unit, code])
        for unit, code in sorted(pending)
    ]


def trial(books: Iterable[Balance]) -> list[Trial]:
    """Sum balances by unit, as an accountant tries the books."""
    sums: dict[str, tuple[int, int]] = {}
    for one in books:
        pending, posted = sums.get(one.unit, (0, 0))
        sums[one.unit] = pending + one.pending, posted + one.posted
    return [Trial(unit, *sums[unit]) for unit in sorted(sums)]


def campaign_totals(
    db: Connection, *, campaign: str, test: bool = False
) -> list[CampaignTotal]:
    """Sum a campaign's pledges, its gifts and what became of them, by unit."""
    wanted = {"campaign": campaign, "test": test}
    totals = {
        row.unit: CampaignTotal(
            campaign,
            row.unit,
            pledges=row.pledges,
            pledged=int(row.pledged),
            voided=int(row.voided),
            expired=int(row.expired),
            paid=int(row.paid),
            donors=row.donors,
        )
        for row in db.execute(_TOTALS, wanted)
    }
    for row in db.execute(_BESIDES, wanted):
        total = totals.get(row.unit, CampaignTotal(campaign, row.unit))
        written_off = int(row.written_off)
        totals[row.unit] = replace(
            total,
            voided=total.voided - written_off,
            written_off=written_off,
            gifts=int(row.gifts),
            refunded=int(row.refunded),
        )
    return [totals[unit] for unit in sorted(totals)]


def _pending(phase: str, signed: int) -> int:
    if phase == "pending":
        return signed
    return 0 if phase in ("single", "reversal") else -signed


_debit = account.alias("debit")
_credit = account.alias("credit")
# Grouped before the accounts' codes are joined: the groups are few, the rows many.
_groups = (
    select(
        transfer.c.debit_id,
        transfer.c.credit_id,
        transfer.c.unit,
        transfer.c.phase,
        func.sum(transfer.c.amount).label("amount"),
    )
    .join(event, event.c.id == transfer.c.event_id)
    .where(event.c.test == bindparam("test"))
    .group_by(
        transfer.c.debit_id, transfer.c.credit_id, transfer.c.unit, transfer.c.phase
    )
    .subquery("groups")
)
_FLOWS = (
    select(
        _debit.c.code.label("debit"),
        _credit.c.code.label("credit"),
        _groups.c.unit,
        _groups.c.phase,
        _groups.c.amount,
    )
    .join(_debit, _debit.c.id == _groups.c.debit_id)
    .join(_credit, _credit.c.id == _groups.c.credit_id)
)

_part = transfer.alias("part")
_resolved = (
    select(
        _part.c.pending_id,
        *(
            func.sum(case((_part.c.phase == phase, _part.c.amount), else_=0)).label(
                phase
            )
            for phase in ("post", *_RELEASED)
        ),
    )
    .where(_part.c.pending_id.is_not(None))
    .group_by(_part.c.pending_id)
    .subquery("resolved")
)
_voided = func.coalesce(_resolved.c.void, 0)
_expired = func.coalesce(_resolved.c.expire, 0)
_TOTALS = (
    select(
        transfer.c.unit,
        func.count().label("pledges"),
        func.sum(transfer.c.amount).label("pledged"),
        func.sum(_voided).label("voided"),
        func.sum(_expired).label("expired"),
        func.sum(func.coalesce(_resolved.c.post, 0)).label("paid"),
        func.count(
            case((transfer.c.amount > _voided + _expired, event.c.person_id)).distinct()
        ).label("donors"),
    )
    .select_from(event)
    .join(
        transfer,
        and_(transfer.c.event_id == event.c.id, transfer.c.phase == "pending"),
    )
    .outerjoin(_resolved, _resolved.c.pending_id == transfer.c.id)
    .where(
        event.c.kind == "pledge",
        event.c.campaign == bindparam("campaign"),
        event.c.test == bindparam("test"),
    )
    .group_by(transfer.c.unit)
    .order_by(transfer.c.unit)
)

# A gift is what its last transfer gives to a purpose; a void is a writing off by its
# event's kind.
_is_gift = and_(event.c.kind == "gift", transfer.c.number == event.c.transfers)
_is_written_off = event.c.kind == "pledge.write_off"
_is_refund = transfer.c.phase == "reversal"
_BESIDES = (
    select(
        transfer.c.unit,
        *(
            func.sum(case((which, transfer.c.amount), else_=0)).label(name)
            for name, which in (
                ("gifts", _is_gift),
                ("written_off", _is_written_off),
                ("refunded", _is_refund),
            )
        ),
    )
    .select_from(event)
    .join(transfer, transfer.c.event_id == event.c.id)
    .where(
        event.c.kind.in_(
            ("gift", "pledge.write_off", "refund", "reversal", "payment.correct")
        ),
        event.c.campaign == bindparam("campaign"),
        event.c.test == bindparam("test"),
    )
    .group_by(transfer.c.unit)
)
