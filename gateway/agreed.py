"""What people agreed to, done: one function for each kind of request.

Each runs in the transaction of the last approval. The names of those who agreed stand
in the request's own events.
"""

from __future__ import annotations

from gateway import receipts
from gateway.approvals import Doing
from gateway.library import NoMenus
from ledger import corrections, refunds, writing_off
from ledger.engine import Connection
from ussd.menus import Menus

__all__ = ["correct", "menus_of", "nothing_more", "refund", "write_off"]


def refund(db: Connection, doing: Doing) -> int:
    """Agree to pay a gift back. The donor is told once the payment service did."""
    asked = doing.request.body
    return refunds.refund(
        db,
        key=f"refund:{doing.request.id}",
        code=str(asked["code"]),
        amount=int(asked["amount"]),
        by=doing.request.made_by,
        at=doing.at,
    ).event_id


def write_off(db: Connection, doing: Doing) -> int:
    """Close a pledge that nobody waits for, and tell its donor."""
    done = writing_off.write_off(
        db,
        key=f"write-off:{doing.request.id}",
        code=str(doing.request.body["code"]),
        by=doing.request.made_by,
        at=doing.at,
    )
    receipts.promise_text(
        db,
        menus_of(doing),
        template="sms.written_off",
        event_id=done.event_id,
        person_id=done.pledge.person_id,
        campaign=done.pledge.campaign,
        slots={"code": done.pledge.code},
        test=done.pledge.test,
        at=doing.at,
    )
    return done.event_id


def correct(db: Connection, doing: Doing) -> int:
    """Put the amount of a payment right; the last of its events is the result."""
    asked = doing.request.body
    assert doing.request.about_id is not None
    return corrections.correct(
        db,
        payment_id=doing.request.about_id,
        was=int(asked["was"]),
        amount=int(asked["amount"]),
        by=doing.request.made_by,
        at=doing.at,
    ).event_ids[-1]


def nothing_more(db: Connection, doing: Doing) -> None:
    """Leave it at the permission: who has it uses it with the request's number."""


def menus_of(doing: Doing) -> Menus | None:
    """The menus in force, whose texts tell what was done; None without any."""
    try:
        return doing.service.library.current(None)
    except NoMenus:
        return None
