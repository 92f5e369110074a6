"""What a screen can say of the ledger, by the names that it says it with.

`gateway.facts` fetches each group; a name that is not here is asked of the caller.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["FACTS", "FACT_OF"]

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
    "standing": ("standing_amount", "standing_purpose", "standing_day"),
    "standings": (),
}

# The groups that are of one thing, and the answer that says which.
FACT_OF: Mapping[str, str] = {
    "pledge": "pledge",
    "proof": "pledge",
    "standing": "standing",
}
