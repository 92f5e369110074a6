"""What a screen can say of the ledger, by the names that it says it with.

`gateway.facts` fetches each group; a name that is not here is asked of the caller.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["FACTS", "FACT_OF", "REDIRECTS"]

# Facts that come from the ledger, by the group they are fetched in. A screen that
# uses a name costs its caller one bounded read of that group.
FACTS: Mapping[str, tuple[str, ...]] = {
    "caller": ("texts_stopped", "line"),
    "report": (
        *("report_pledged", "report_paid", "report_donors"),
        *("report_bought", "report_delivered", "report_unspent"),
    ),
    # Of rial `one_amount`, of parcels `one_count`; the other of the two is 0.
    "pledge": (
        *("one_amount", "one_count", "one_unit", "one_state", "one_code"),
        *("one_paid", "one_left"),
    ),
    "proof": (
        *("seal_day", "seal_number", "fingerprint"),
        *("batch_number", "batch_bought", "batch_delivered"),
    ),
    "pledges": (),
    # The caller's own sign-up: active, left or nothing. An entry is one that somebody
    # else made for this phone, a number one that is to become the caller's.
    "signup": (
        *("mine_state", "mine_code", "mine_kind", "mine_place"),
        *("mine_skill", "mine_time", "mine_name"),
        *("entry_state", "number_state"),
    ),
    # Of places: empty where there is none of that code, postal code or name.
    "centre": (
        *("centre_found", "centre_kind", "centre_place"),
        *("centre_meant", "centre_meant_code"),
    ),
    "postcode": ("postcode_found", "postcode_place"),
    "town": ("town_found", "town_place", "town_has_districts", "town_districts"),
    "towns": (),
    # Hours of the caller, `tb_balance` without its sign; `tb_place` is known or empty.
    "hours": (
        *("tb_given", "tb_got", "tb_balance", "tb_below"),
        *("tb_waiting", "tb_place"),
    ),
    # What the caller is asked to do for somebody, or agreed to; what they were given
    # and is to be confirmed; what they offer and need.
    "helpings": (),
    "helping": ("helping_state", "helping_kind", "helping_hours", "helping_where"),
    "tolds": (),
    "told": ("told_state", "told_kind", "told_count"),
    "favours": (),
    "favour": ("own_state", "own_kind", "own_hours"),
    # The caller's own request for delivery, and why somebody else asks: that one only
    # for the centre whose turn it is.
    "delivery": ("delivery_code", "delivery_state", "delivery_due", "delivery_late"),
    "deliveries": (),
    "delivery_why": ("why",),
    # Whether the caller's centre has an answer of theirs, and which centre that is.
    "group": ("group_kept", "group_centre"),
    "standing": ("standing_amount", "standing_purpose", "standing_day"),
    "standings": (),
    # Of an assembly: the district that a caller belongs to, and whether they are its
    # secretary; what they said of themselves.
    "assembly": (
        *("ben_home", "ben_secretary", "ben_in"),
        *("ben_my_district", "ben_my_capacity", "ben_my_amount", "ben_my_covers"),
    ),
    # A decision by `district` or `district-number`, "" where there is none of it.
    "decision": (
        *("res_number", "res_total", "res_title", "res_district", "res_state"),
        *("res_due", "res_next", "res_owner"),
    ),
    # `next` is that of the caller's own district.
    "meeting": (
        *("meet_state", "meet_district", "meet_day", "meet_hour", "meet_venue"),
        *("meet_asked", "meet_yes", "meet_no"),
    ),
    "claims": (),
    "matches": (),
    "my_premises": (),
    # Of invitations; of a centre's desk, for whoever is registered for one.
    "invites": (),
    "invite": ("invite_state", "invite_when", "invite_hour", "invite_place"),
    "desk": ("desk_place", "desk_waiting"),
    "queue": (),
    "queue_item": (
        *("item_kind", "item_title", "item_when"),
        *("item_done", "item_confirm", "item_call"),
    ),
    "queue_call": ("call_phone", "call_other"),
}

# The groups that are of one thing, and the answer that says which.
FACT_OF: Mapping[str, str] = {
    "delivery_why": "item",
    "delivery": "delivery",
    "pledge": "pledge",
    "proof": "pledge",
    "standing": "standing",
    "helping": "introduction",
    "told": "hours_code",
    "favour": "favour",
    "centre": "centre_code",
    "postcode": "postcode",
    "town": "town",
    "towns": "province",
    "decision": "decision",
    "meeting": "meeting",
    "invite": "invite",
    "queue_item": "item",
    "queue_call": "item",
}

# Deeds that lead their caller elsewhere from then on, and the group that tells of them:
# who has signed up is not asked to sign up again.
REDIRECTS: Mapping[str, str] = {"sign_up": "signup"}
