"""What people at the desk agreed to about hours: to post, void or take back."""

from __future__ import annotations

from gateway.approvals import Doing
from gateway.rules import hours_of
from ledger.engine import Connection
from ledger.requests import Refused
from ledger.timebank import hours

__all__ = ["ACTS", "settle"]

ACTS = ("post", "void", "reverse")


def settle(db: Connection, doing: Doing) -> int:
    """Do with hours what was agreed; raises Refused where the books do not allow it."""
    asked = doing.request.body
    limits = hours_of(doing.service.settings)
    act, code = str(asked["do"]), str(asked["code"])
    about = {
        "key": f"hours:{doing.request.id}",
        "hours_code": code,
        "request_id": doing.request.id,
        "by": doing.request.made_by,
        "limits": limits,
        "at": doing.at,
    }
    if act == "reverse":
        done = hours.reverse(db, **about)  # type: ignore[arg-type]  # each under its own name
    elif act in ACTS:
        done = hours.settle(db, posts=act == "post", **about)  # type: ignore[arg-type]  # as above
    else:
        raise Refused(f"hours are not to be {act}ed")
    assert done.recorded is not None
    return done.recorded.event_id
