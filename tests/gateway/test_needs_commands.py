from __future__ import annotations

import pytest

from gateway.placing import shipped, take_in
from tests.gateway.house import PHONE, Gateway
from tests.gateway.operator import Operator

NEED = (
    *("needs", "add", "salam-mahalle", "--place", "c11023"),
    *("--title", "درس ریاضی", "--skill", "teaching", "--people", "2", "--by", "sara"),
)
WHEN = ("--when", "1405/09/04 10:00")
STAFF = (
    *("staff", "add", "09121234567", "--role", "centre"),
    *("--title", "دفتر مرکز", "--by", "sara"),
)


@pytest.fixture(autouse=True)
def _places(gateway: Gateway) -> None:
    take_in(gateway.service.engine, shipped(), by="test", at=gateway.clock())


def test_a_need_is_written_down_once_listed_and_closed(
    gateway: Gateway, operator: Operator
) -> None:
    done = operator.run(*NEED, *WHEN)
    assert (done.exit_code, done.output) == (
        0,
        f"need {gateway.rows('need')[0].event_id}: 2 for درس ریاضی at c11023\n",
    )
    again = operator.run(*NEED, *WHEN)
    assert again.output.startswith("this was written down before")
    in_persian = operator.run(*NEED, "--when", "۱۴۰۵/۰۹/۰۴ ۱۰:۰۰")
    assert in_persian.output == again.output
    as_dialled = operator.run(*NEED, *WHEN, "--place", "11023")
    assert as_dialled.output == again.output
    [need] = gateway.rows("need")
    [event] = gateway.rows("event", kind="need")
    assert (event.district, event.centre) == ("23-t11", "c11023")

    listed = operator.run("needs", "list", "--place", "23").output
    assert "0 of 2 for درس ریاضی (teaching, urgency 3, wave 0): nobody asked" in listed
    assert operator.run("needs", "list", "--place", "16").output == (
        "nobody is needed\n"
    )
    closed = operator.run("needs", "close", str(need.event_id), "--by", "sara")
    assert closed.output == f"need {need.event_id} is closed\n"
    twice = operator.run("needs", "close", str(need.event_id), "--by", "sara")
    assert (twice.exit_code, "closed already" in twice.output) == (2, True)
    assert operator.run("needs", "list").output == "nobody is needed\n"
    assert "closed" in operator.run("needs", "list", "--all").output


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (("--when", "1405/09/01 10:00"), "over already"),
        (("--when", "1407/09/01 10:00"), "more than a year"),
        (("--when", "1405/13/01 10:00"), "no such day in the calendar"),
        (("--when", "1405/09/04 25:00"), "write 18:30 or"),
        ((*WHEN, "--place", "c99999"), "no place 'c99999'"),
        ((*WHEN, "--skill", "magic"), "no skill 'magic'"),
        ((*WHEN, "--title", "call 09121234567"), "no phone or card number"),
        ((*WHEN, "--title", "  "), "1 to 40 characters"),
        ((*WHEN, "--people", "501"), "1<=x<=500"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    gateway: Gateway, operator: Operator, wrong: tuple[str, ...], told: str
) -> None:
    refused = operator.run(*NEED, *wrong)
    assert refused.exit_code == 2
    assert told in refused.output
    assert gateway.rows("need") == []


def test_a_phone_is_registered_shown_masked_and_ended(
    gateway: Gateway, operator: Operator
) -> None:
    done = operator.run(*STAFF, "--place", "c11023")
    assert done.output == "staff 1: centre at c11023, دفتر مرکز\n"
    again = operator.run(*STAFF, "--place", "c11023").output
    assert again.startswith("this phone was registered there before\n")
    listed = operator.run("staff", "list").output
    assert "***4567" in listed
    assert PHONE[3:] not in listed
    ended = operator.run("staff", "end", "1", "--by", "sara")
    assert ended.output == "staff 1 ended: centre at c11023\n"
    assert operator.run("staff", "end", "1", "--by", "sara").exit_code == 2
    assert operator.run("staff", "list").output == "nobody is registered\n"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (("--place", "nowhere"), "no place 'nowhere'"),
        (("--place", "c11023", "--title", "Sara 09121234567"), "no phone"),
    ],
)
def test_a_wrong_registration_is_refused_in_one_line(
    gateway: Gateway, operator: Operator, wrong: tuple[str, ...], told: str
) -> None:
    refused = operator.run(*STAFF, *wrong)
    assert (refused.exit_code, told in refused.output) == (2, True)
    assert gateway.rows("staff") == []


@pytest.mark.parametrize("number", ["not a phone", "02188880000"])
def test_what_is_no_mobile_phone_is_not_registered(
    gateway: Gateway, operator: Operator, number: str
) -> None:
    refused = operator.run(
        *("staff", "add", number, "--role", "centre", "--place", "c11023"),
        *("--title", "office", "--by", "sara"),
    )
    assert refused.exit_code == 2
    assert number not in refused.output
    assert gateway.rows("person") == []
