"""A centre's desk by phone when more waits than anybody reads through."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert

from gateway.queues import ITEMS_MAX
from gateway.sweeping import sweep
from ledger import deliveries, needs, people, schema
from ledger.engine import writing
from tests.gateway.centre import AT_THE_CENTRE, CENTRE, CENTRE_CODE, open_centre
from tests.gateway.house import Gateway, Screen

pytestmark = pytest.mark.parametrize("gateway_database", ["sqlite", "postgresql"])

PAGES_MAX = 100


def _open(gateway: Gateway, *, coming: int) -> None:
    """A centre, to which so many come next week, and then a request for delivery."""
    service, at = gateway.service, gateway.clock()
    open_centre(gateway)
    of = {"campaign": "salam-mahalle", "test": False, "at": at}
    with writing(service.engine) as db:
        need = needs.raise_need(
            db,
            key="need",
            place=CENTRE,
            title="درس",
            skill="teaching",
            vacancies=coming,
            urgency=3,
            meets_at=at + timedelta(days=7),
            district=None,
            centre=CENTRE,
            by="sara",
            **of,
        )
        for number in range(coming):
            who = people.remember(db, service.keys, f"+98912{number:07}", at=at)
            db.execute(
                insert(schema.invite).values(
                    need_id=need.event_id,
                    person_id=who.id,
                    signup_id=need.event_id,
                    wave=1,
                    state="yes",
                    test=False,
                    asked_at=at - timedelta(days=1),
                    expires_at=at,
                    answered_at=at,
                )
            )
        citizen = people.remember(db, service.keys, "+989351112233", at=at)
        deliveries.request(
            db,
            service.keys,
            key="delivery",
            person_id=citizen.id,
            place=CENTRE,
            district=None,
            centre=CENTRE,
            queue=CENTRE,
            call_back=False,
            due_at=at + timedelta(days=3),
            channel="at",
            **of,
        )


def _dial(gateway: Gateway, *answers: str) -> Screen:
    session = f"call-{next(gateway._sessions)}"
    return gateway.walk(
        *answers, phone=AT_THE_CENTRE, code=CENTRE_CODE, session=session
    )


def _pages(gateway: Gateway) -> list[str]:
    """The lines of the queue, page by page, without the keys below them."""
    lines, typed = [], ["1"]
    who = {"phone": AT_THE_CENTRE, "code": CENTRE_CODE, "session": "paging"}
    gateway.dial("", **who)
    while len(typed) < PAGES_MAX:
        shown = gateway.dial("*".join(typed), **who).text.split("\n")
        lines += [line[2:] for line in shown if "1405/" in line]
        if not any(line.startswith("9 ") for line in shown):
            return lines
        typed.append("9")
    raise AssertionError("the queue has no end")


def test_what_came_last_is_seen_though_many_wait(gateway: Gateway) -> None:
    _open(gateway, coming=60)
    assert _dial(gateway).text.splitlines()[0].endswith(": ۶۱ کار")
    lines = _pages(gateway)
    assert len(lines) == 61
    assert [line.split()[0] for line in lines].count("یاریگر") == 60
    # It can be taken up today, and they come next week.
    assert lines[0].startswith("کالابرگ")
    taken = _dial(gateway, "1", "1", "2", "1")
    assert taken.text.startswith("ثبت شد."), taken.text


def test_a_desk_counts_also_what_its_list_has_no_room_for(gateway: Gateway) -> None:
    _open(gateway, coming=ITEMS_MAX + 19)
    assert ITEMS_MAX == 100
    assert _dial(gateway).text.splitlines()[0].endswith(": ۱۲۰ کار")
    sweep(gateway.service, gateway.clock())
    [digest] = gateway.rows("outbox", template="sms.centre.digest")
    assert digest.slots == {"count": 120}
    assert _pages(gateway)[0].startswith("کالابرگ")
