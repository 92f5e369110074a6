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
PHONE = "+989999999999"
# Hours that one person ever gave, and those of one favour; what a text calls a place.
HOURS_MAX = 9_999
FAVOUR_HOURS_MAX = 8
WHERE = "W" * 11
# Where a volunteer lives, as it was typed, and what they want to be called.
PLACE_KINDS = ("centre", "postcode", "town", "booth", "unknown")
PLACE_TYPED = "ض" * 16
NAME_CHARS = 15
# What a places file may hold: see ledger.places.reading.
PLACE_TITLE = "W" * 30
PLACE_CODE = "w" * 16
PLACE_DIAL = "999999"
PLACES_MAX = 99
# A place as texts and screens call it, and the beginning of a need's title, which an
# operator types; the queue of a centre is cut.
PLACE_SHORT = "W" * 20
NEED_TITLE = "ض" * 16
QUEUE_MAX = 999
# A campaign without a largest gift takes none; a figure is shown in its place.
NO_MAX = 10
# What the registers of assemblies take: see ledger.assemblies.limits.
DISTRICT = "22"
CAPACITY_MAX = 9_999
COVERS_MAX = 99_999
DECISIONS_MAX = 999
DECISION_CHARS = 17
VENUE_CHARS = 16
METRES_MAX = 10_000
ASKED_MAX = 999
HOUR = "23:59"
# What a pledge can be counted in.
UNITS = ("rial", "parcel")


def facts_of(menus: Menus, campaign: Campaign) -> Mapping[str, Sequence[Any]]:
    """What each fact can be in one campaign, by its name.

    Where all but "" are `Constant`, it can be nothing else.
    """
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
        "mine_state": [*map(Constant, ("", "active", "left"))],
        "mine_code": [CODE],
        "mine_kind": [*map(Constant, PLACE_KINDS)],
        "mine_place": [PLACE_TYPED, Name(PLACE_DIAL)],
        "mine_skill": _listed(menus, "skills", "other"),
        "mine_time": _listed(menus, "times", "when-needed"),
        "mine_name": ["", "ض" * NAME_CHARS],
        "entry_state": [*map(Constant, ("", "waiting"))],
        "number_state": [*map(Constant, ("", "waiting"))],
        "tb_given": [HOURS_MAX],
        "tb_got": [HOURS_MAX],
        "tb_balance": [HOURS_MAX],
        "tb_waiting": [HOURS_MAX],
        "tb_below": [*map(Constant, ("", "yes"))],
        "tb_place": [*map(Constant, ("", "known"))],
        "helping_state": [*map(Constant, ("", "asked", "agreed"))],
        "helping_kind": _listed(menus, "helps", "company"),
        "helping_hours": [FAVOUR_HOURS_MAX],
        "helping_where": ["", WHERE],
        "told_state": [*map(Constant, ("", "waits", "confirmed", "void"))],
        "told_kind": _listed(menus, "helps", "company"),
        "told_count": [FAVOUR_HOURS_MAX],
        "own_state": [*map(Constant, ("", "open", "matched"))],
        "own_kind": _listed(menus, "helps", "company"),
        "own_hours": [FAVOUR_HOURS_MAX],
        "standing_amount": amounts,
        "standing_day": [Name(MONTH_DAY)],
        # Nothing found, or the longest title that a places file may have.
        "centre_found": ["", PLACE_TITLE],
        # Whatever kind of place has a number to dial.
        "centre_kind": ["", "centre", "booth", "neighbourhood"],
        "centre_place": ["", PLACE_CODE],
        "centre_meant": ["", PLACE_TITLE],
        "centre_meant_code": ["", Name(PLACE_DIAL)],
        "postcode_found": ["", PLACE_TITLE],
        "postcode_place": ["", PLACE_CODE],
        "town_found": ["", PLACE_TITLE],
        "town_place": ["", PLACE_CODE],
        "town_has_districts": [*map(Constant, ("", "yes"))],
        "town_districts": [PLACES_MAX],
        "delivery_code": [CODE],
        "delivery_state": ["", *_listed(menus, "delivery_states", "open")],
        "delivery_due": [Name(DAY)],
        "why": ["", *_listed(menus, "reasons")],
        "delivery_late": [*map(Constant, ("", "yes"))],
        "group_kept": [*map(Constant, ("", "yes"))],
        "group_centre": ["", PLACE_TITLE],
        "standing_purpose": _listed(menus, "purposes", "needed"),
        "ben_home": ["", Name(DISTRICT)],
        "ben_in": ["", DISTRICT],
        "ben_secretary": [*map(Constant, ("", "yes"))],
        "ben_my_district": [DISTRICT],
        "ben_my_capacity": _listed(menus, "capacities", "money"),
        "ben_my_amount": [CAPACITY_MAX],
        "ben_my_covers": ["0", str(COVERS_MAX)],
        "res_number": [DECISIONS_MAX],
        "res_total": [DECISIONS_MAX],
        "res_title": ["ض" * DECISION_CHARS],
        "res_district": [DISTRICT],
        "res_state": ["", *_listed(menus, "decision_states", "open")],
        "res_due": [Name(DAY)],
        "res_next": [Name(f"{DISTRICT}-{DECISIONS_MAX}")],
        "res_owner": [*map(Constant, ("", "yes"))],
        "meet_state": [*map(Constant, ("", "ahead", "over"))],
        "meet_district": [DISTRICT],
        "meet_day": [Name(DAY)],
        "meet_hour": [Name(HOUR)],
        "meet_venue": ["ض" * VENUE_CHARS],
        "meet_asked": [ASKED_MAX],
        "meet_yes": [ASKED_MAX],
        "meet_no": [ASKED_MAX],
        "code": [CODE],
        "meant": [RialAnswer(most), RialAnswer(most - 1)],
        "invite_state": [*map(Constant, ("", "asked", "yes", "no", "silent"))],
        "invite_when": [Name(DAY)],
        "invite_hour": [Name("23:59")],
        "invite_place": [PLACE_SHORT, Name(PLACE_DIAL)],
        "desk_place": ["", PLACE_SHORT, Name(PLACE_DIAL)],
        "desk_waiting": [QUEUE_MAX],
        "item_kind": ["", *_listed(menus, "queues", "volunteer")],
        "item_title": ["", NEED_TITLE],
        "item_when": [Name(DAY)],
        "item_done": [*map(Constant, ("", "yes"))],
        "item_confirm": [*map(Constant, ("", "yes"))],
        "item_call": [*map(Constant, ("", "yes"))],
        "call_phone": ["", Name(PHONE)],
        "call_other": ["", Name(PHONE)],
    }


def items_of(menus: Menus, listed: str, campaign: Campaign) -> list[Mapping[str, Any]]:
    """The longest items of a list of facts, one in each state and unit."""
    amount = Rial((campaign.max or NO_MAX) - 1)
    if listed == "invites":
        return [{"value": QUEUE_MAX, "when": Name(DAY)}]
    if listed == "queue":
        return [
            {"value": QUEUE_MAX, "state": kind, "when": Name(DAY)}
            for kind in _listed(menus, "queues", "volunteer")
        ]
    if listed == "standings":
        return [
            {"value": CODE, "purpose": purpose, "amount": amount}
            for purpose in _listed(menus, "purposes", "needed")
        ]
    if listed == "deliveries":
        states = _listed(menus, "delivery_states", "open")
        return [{"value": CODE, "state": state} for state in states]
    if listed == "towns":
        return [{"value": PLACE_CODE, "title": PLACE_TITLE}]
    if listed == "claims":
        said = {"count": DECISIONS_MAX, "title": "ض" * DECISION_CHARS}
        return [{"value": Name(f"{DISTRICT}-{DECISIONS_MAX}"), **said}]
    if listed in ("matches", "my_premises"):
        return [
            {"value": Name("999999999"), "kind": kind, "side": side, "metres": size}
            for kind in _listed(menus, "premises_kinds", "hall")
            for side in _listed(menus, "premises_sides", "need")
            for size in [METRES_MAX]
        ]
    if listed in ("helpings", "tolds", "favours"):
        return [
            {"value": CODE, "purpose": kind, "count": FAVOUR_HOURS_MAX, "state": side}
            for kind in _listed(menus, "helps", "company")
            for side in _listed(menus, "sides", "offer")
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


def _listed(menus: Menus, name: str, usual: str = "") -> list[str]:
    """The values of a list of the file; `usual`, one of many, where it has none."""
    values = [value for value, _ in menus.lists.get(name, ())]
    if not values:
        return [usual] if usual else []
    constant = constants(menus)
    return [constant(value) for value in values]


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
        case Kind.PHONE:
            return [Name(PHONE)]
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
