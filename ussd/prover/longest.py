"""The longest that the ledger, and whoever answers a question, can say.

Where there are few values, all of them: a condition may ask for each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ussd.menus import COHORTS, Ask, Campaign, Kind, Menus
from ussd.prover.marked import (
    CODE,
    DAY,
    Constant,
    Name,
    Rial,
    RialAnswer,
    constants,
)

__all__ = [
    "INSTALMENTS_MAX",
    "NO_MAX",
    "PARCELS_MAX",
    "SUM_MAX",
    "UNITS",
    "UNITS_MAX",
    "facts_of",
    "items_of",
    "longest_answers",
]

# Rial; a campaign that gathers more shows a figure of the same length.
SUM_MAX = 9_999_999_999_990
DONORS_MAX = 999_999
# Parcels of one gift, and of a whole campaign; instalments of one.
PARCELS_MAX = 1_000
UNITS_MAX = 999_999
INSTALMENTS_MAX = 9
# Leaves under a seal, purchases of a campaign, the last day of a month.
LEAVES = "999999999"
BATCHES = "9999"
MONTH_DAY = "31"
FINGERPRINT = "dddddddd"
# A campaign without a largest gift takes none; a figure is shown in its place.
NO_MAX = 10
# What a pledge can be counted in.
UNITS = ("rial", "parcel")


def facts_of(menus: Menus, campaign: Campaign) -> Mapping[str, Sequence[Any]]:
    """What each fact can be in one campaign, by its name."""
    most = campaign.max or NO_MAX
    # A round amount is shorter than one that needs a decimal in toman.
    amounts = [Rial(most), Rial(most - 1)]
    return {
        "texts_stopped": [False, True],
        "report_pledged": [Rial(SUM_MAX)],
        "report_paid": [Rial(SUM_MAX)],
        "report_donors": [DONORS_MAX],
        "report_bought": [UNITS_MAX],
        "report_delivered": [UNITS_MAX],
        "report_unspent": [Rial(SUM_MAX)],
        "one_amount": amounts,
        "one_paid": amounts,
        "one_left": amounts,
        "one_count": [PARCELS_MAX, 1],
        "one_unit": list(UNITS),
        "one_code": [CODE],
        "one_state": _listed(menus, "states", "open"),
        # Nothing sealed yet, and nothing bought yet.
        "seal_day": ["", Name(DAY)],
        "seal_number": [Name(LEAVES)],
        "fingerprint": [Name(FINGERPRINT)],
        "batch_number": ["", Name(BATCHES)],
        "batch_bought": [UNITS_MAX],
        "batch_delivered": [UNITS_MAX],
        "standing_amount": amounts,
        "standing_day": [Name(MONTH_DAY)],
        "standing_purpose": _listed(menus, "purposes", "needed"),
        "code": [CODE],
        "meant": [RialAnswer(most), RialAnswer(most - 1)],
    }


def items_of(menus: Menus, listed: str, campaign: Campaign) -> list[Mapping[str, Any]]:
    """The longest items of a list of facts, one in each state and unit."""
    amount = Rial((campaign.max or NO_MAX) - 1)
    if listed == "standings":
        return [
            {"value": CODE, "purpose": purpose, "amount": amount}
            for purpose in _listed(menus, "purposes", "needed")
        ]
    kinds: list[dict[str, Any]] = [
        {"unit": "rial", "amount": amount, "count": 0},
        {"unit": "parcel", "amount": Rial(0), "count": PARCELS_MAX},
    ]
    return [
        {"value": CODE, "state": state, **kind}
        for state in _listed(menus, "states", "open")
        for kind in kinds
    ]


def _listed(menus: Menus, name: str, usual: str = "") -> list[Constant]:
    """The values of a list of the file, or `usual` where it has none."""
    values = [value for value, _ in menus.lists.get(name, ())]
    return [constants(menus)(value) for value in values or filter(None, [usual])]


def longest_answers(
    menus: Menus, ask: Ask, most: int, gsm7_only: bool
) -> Sequence[Any]:
    """Longest answers to a question: in either alphabet where letters are typed."""
    match ask.kind:
        case Kind.AMOUNT:
            return [None]
        case Kind.NUMBER:
            return [str(ask.max)]
        case Kind.DIGITS | Kind.PLACE_CODE:
            return [Name("9" * most)]
        case Kind.CODE:
            return [CODE]
        case Kind.POSTCODE:
            return [Name("99999")]
        case Kind.YES_NO:
            return [Constant("yes"), Constant("no")]
        case Kind.TEXT:
            # A bracket is two septets, and one letter there must be.
            latin = "W" + "[" * (most - 1)
            return [latin] if gsm7_only else [latin, "ض" * most]
        case Kind.COHORT:
            return _listed(menus, COHORTS)
        case Kind.DIAL:
            return []
