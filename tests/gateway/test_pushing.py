"""Questions that we begin: who is asked, for how long, and which is answered."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from gateway.pushing import ask_person, is_asked
from ledger import erasing, events, people
from ledger.engine import writing
from tests.gateway.correspondence import Phone
from tests.gateway.house import PHONE, Gateway

HOUR = timedelta(hours=1)


def _ask(gateway: Gateway, person_id: int, key: str = "asked", **more: Any) -> bool:
    service, at = gateway.service, gateway.clock()
    menus = service.library.current(None)
    asked = {
        "template": "sms.vol.invite",
        "slots": {"when": "1405/09/04", "hour": "10:00", "place": "11023"},
        "screen": "inv.ask",
        "answers": {"invite": "1"},
        "campaign": "salam-mahalle",
        "expires_at": at + HOUR,
        **more,
    }
    with writing(service.engine) as db:
        recorded = events.record(
            db,
            key=key,
            kind="invite",
            body={},
            person_id=person_id,
            channel="operator",
            test=False,
            at=at,
        )
        return ask_person(
            db,
            service.keys,
            menus,
            person_id=person_id,
            event_id=recorded.event_id,
            test=False,
            at=at,
            **asked,
        )


def _somebody(gateway: Gateway) -> int:
    with writing(gateway.service.engine) as db:
        return people.remember(db, gateway.service.keys, PHONE, at=gateway.clock()).id


def test_a_question_waits_with_its_text_and_no_longer(gateway: Gateway) -> None:
    person = _somebody(gateway)
    assert _ask(gateway, person)
    [question], [text] = gateway.rows("question"), gateway.rows("outbox")
    until = gateway.clock() + HOUR
    assert (question.state, question.expires_at) == ("open", until)
    assert (text.template, text.expires_at) == ("sms.vol.invite", until)
    menus = gateway.service.library.current(None)
    with writing(gateway.service.engine) as db:
        asked = {"person_id": person, "screen": "inv.ask"}
        assert is_asked(db, menus, test=False, **asked)
        assert not is_asked(db, menus, test=True, **asked)
        other = {**asked, "screen": "give.amount"}
        assert not is_asked(db, menus, test=False, **other)


@pytest.mark.parametrize(
    "lacking", [{"template": "sms.none"}, {"screen": "inv.none.such"}]
)
def test_what_the_menus_do_not_have_is_not_asked(
    gateway: Gateway, lacking: dict[str, str]
) -> None:
    assert not _ask(gateway, _somebody(gateway), **lacking)
    assert (gateway.rows("question"), gateway.rows("outbox")) == ([], [])


def test_nobody_is_asked_who_was_erased_or_never_was(gateway: Gateway) -> None:
    person = _somebody(gateway)
    with writing(gateway.service.engine) as db:
        erasing.erase(
            db,
            gateway.service.keys,
            person_id=person,
            key="erase",
            channel="at",
            by="self",
            test=False,
            at=gateway.clock(),
        )
    assert not _ask(gateway, person)
    assert gateway.rows("question") == []


def test_an_answer_typed_before_anybody_could_read_the_question_is_none(
    gateway: Gateway,
) -> None:
    _ask(gateway, _somebody(gateway))
    phone = Phone(gateway)
    phone.news()
    gateway.clock.wait(seconds=9)
    phone.says("خیر")
    assert gateway.rows("question")[0].state == "open"
    gateway.clock.wait(seconds=1)
    phone.says("خیر")
    assert gateway.rows("question")[0].state == "answered"


def test_a_keyword_begins_something_else_and_the_question_stays(
    gateway: Gateway,
) -> None:
    _ask(gateway, _somebody(gateway))
    phone = Phone(gateway)
    phone.news()
    gateway.clock.wait(minutes=1)
    phone.says("گزارش")
    assert gateway.rows("question")[0].state == "open"
