"""The few figures a caller hears of a campaign.

Those of the last published report; before there is one, what the books say now. A
crowd of fewer than five is nobody's business: it is not told as a number.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from ledger.chart import PARCEL
from ledger.publications import latest
from ledger.report_sums import Scope, sums_of
from ledger.reporting import Line
from ledger.small_cells import CELL_MIN

__all__ = ["CELL_MIN", "Figures", "figures", "told"]


@dataclass(frozen=True, slots=True)
class Figures:
    """Rial pledged and not taken back, rial received, people, parcels given out.

    `donors` is None while they are fewer than CELL_MIN, none at all included. `bought`
    counts parcels, `unspent_rial` is what is left to spend; `number` is that of the
    report they were published in, 0 for none.
    """

    pledged_rial: int
    paid_rial: int
    donors: int | None
    parcels: int
    bought: int = 0
    unspent_rial: int = 0
    number: int = 0


def figures(db: Connection, *, campaign: str, test: bool = False) -> Figures:
    """The figures that were published last, or else what the campaign sums up to.

    A rehearsal never counts; with `test` it is all that counts, so that a report
    can be rehearsed too.
    """
    published = None if test else latest(db, campaign)
    if published is not None:
        return told(published.statement.total, published.number)
    sums = sums_of(db, Scope(campaign, test))
    return Figures(
        pledged_rial=sums.pledged,
        paid_rial=sums.received,
        donors=sums.donors if sums.donors >= CELL_MIN else None,
        parcels=sums.delivered.get(PARCEL, 0),
        bought=sums.bought.get(PARCEL, 0),
        unspent_rial=sums.unspent,
    )


def told(total: Line, number: int) -> Figures:
    """The figures of a report's total."""
    return Figures(
        pledged_rial=total.pledged,
        paid_rial=total.received,
        donors=total.donors,
        parcels=total.delivered.get(PARCEL, 0),
        bought=total.bought.get(PARCEL, 0),
        unspent_rial=total.unspent,
        number=number,
    )
