"""The few figures a caller hears of a campaign.

A crowd of fewer than five is nobody's business: it is not told as a number.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, case, func, or_, select

from ledger.balances import campaign_totals
from ledger.schema import account, event, transfer

__all__ = ["CELL_MIN", "Figures", "figures"]

CELL_MIN = 5


@dataclass(frozen=True, slots=True)
class Figures:
    """Rial pledged and not taken back, rial paid, people, parcels given out.

    `donors` is None while they are fewer than CELL_MIN, none at all included.
    """

    pledged_rial: int
    paid_rial: int
    donors: int | None
    parcels: int


def figures(db: Connection, *, campaign: str, test: bool = False) -> Figures:
    """Sum up one campaign in two queries that read all of it.

    A rehearsal never counts; with `test` it is all that counts, so that a report
    can be rehearsed too.
    """
    totals = campaign_totals(db, campaign=campaign, test=test)
    rial = next((total for total in totals if total.unit == "rial"), None)
    parcels = db.scalar(_PARCELS, {"campaign": campaign, "test": test})
    donors = rial.donors if rial else 0
    return Figures(
        pledged_rial=rial.standing if rial else 0,
        paid_rial=rial.paid if rial else 0,
        donors=donors if donors >= CELL_MIN else None,
        parcels=int(parcels or 0),
    )


# A parcel is given out when it is posted to a district's delivered account, and
# not any more when it comes back from there.
_delivered = account.alias("delivered")
_PARCELS = (
    select(
        func.sum(
            case(
                (transfer.c.debit_id == _delivered.c.id, transfer.c.amount),
                else_=-transfer.c.amount,
            )
        )
    )
    .select_from(_delivered)
    .join(
        transfer,
        or_(
            transfer.c.debit_id == _delivered.c.id,
            transfer.c.credit_id == _delivered.c.id,
        ),
    )
    .join(event, event.c.id == transfer.c.event_id)
    .where(
        _delivered.c.unit == "parcel",
        _delivered.c.code.startswith("I:Delivered:", autoescape=True),
        transfer.c.phase.in_(("single", "post", "reversal")),
        event.c.campaign == bindparam("campaign"),
        event.c.test == bindparam("test"),
    )
)
