"""The texts that tell a donor what became of the money.

Each is promised in the transaction of the fact it tells of, once however often the fact
is heard of. None says "paid" before a service, a till or a bank did. A text goes to
whose pledge it is, and not to whoever paid for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from ledger import people
from ledger.engine import Connection
from ledger.outbox import Kind, promise
from ledger.payments import Outcome, Paid
from ussd.menus import Menus

__all__ = ["promise_text", "tell"]

log = structlog.get_logger()

Slots = dict[str, str | int]


def tell(
    db: Connection,
    menus: Menus | None,
    paid: Paid,
    *,
    campaign: str | None = None,
    at_till: bool = False,
    test: bool,
    at: datetime,
) -> bool:
    """Promise the receipt for what became of money; False if there is none to send.

    For a payment, a match, a gift, or money that went back: `sms.paid`,
    `sms.part_paid` with what is left, `sms.shop` for a gift `at_till`, `sms.refunded`.
    `campaign` is a gift's, which has no pledge to tell it. What was told before, and
    what waits in suspense, is told to nobody. Of a payment that went back before we
    heard of it only that is told.
    """
    if not paid.first or paid.event_id is None or not paid.matched:
        return False
    if paid.code is None:
        # Money that went back of what was in suspense.
        return False
    texts: list[tuple[str, Slots]] = []
    if paid.returned < paid.matched + paid.unmatched:
        texts.append(_words(menus, paid, at_till=at_till))
    if paid.returned:
        texts.append(("sms.refunded", {"amount": paid.returned}))
    promised = [
        promise_text(
            db,
            menus,
            template=template,
            event_id=paid.event_id,
            person_id=paid.person_id,
            campaign=paid.pledge.campaign if paid.pledge else campaign,
            slots={"amount": paid.matched, "code": paid.code, **slots},
            test=test,
            at=at,
        )
        for template, slots in texts
    ]
    return any(promised)


def promise_text(
    db: Connection,
    menus: Menus | None,
    *,
    template: str,
    event_id: int,
    person_id: int | None,
    campaign: str | None,
    slots: Mapping[str, str | int],
    test: bool,
    at: datetime,
    until: datetime | None = None,
) -> bool:
    """Promise a text to a person in their language, for an event of this transaction.

    `until` is when it is worth nothing any more, if that is before it expires. False
    without one: the person is unknown or erased, or the menus in force do not have
    the text. The fact stands all the same: money waits for no words.
    """
    person = None if person_id is None else people.known(db, person_id=person_id)
    if person is None:
        return False
    text = None if menus is None else menus.texts.get(template)
    if menus is None or text is None:
        log.warning("text_missing", template=template)
        return False
    spoken = person.language if person.language in menus.languages else None
    expires_at = at + timedelta(hours=text.expires_hours)
    promise(
        db,
        event_id=event_id,
        person_id=person.id,
        template=template,
        slots=slots,
        language=spoken or menus.languages[0],
        menus=menus.hash,
        kind=Kind(text.kind),
        campaign=campaign,
        test=test,
        at=at,
        expires_at=expires_at if until is None else min(until, expires_at),
    )
    return True


def _words(menus: Menus | None, paid: Paid, *, at_till: bool) -> tuple[str, Slots]:
    if paid.outcome is Outcome.RETURNED:
        return "sms.refunded", {}
    if paid.outcome is Outcome.GIFT:
        return ("sms.shop" if at_till else "sms.paid"), {}
    assert paid.pledge is not None
    if not paid.pledge.outstanding:
        return "sms.paid", {}
    found = None if menus is None else menus.campaigns.get(paid.pledge.campaign)
    pay = found.pay if found is not None else ""
    return "sms.part_paid", {"left": paid.pledge.outstanding, "pay": pay}
