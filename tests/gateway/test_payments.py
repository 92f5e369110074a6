"""Signed notices of payment services and tills, through the real web application."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from structlog.typing import EventDict
from werkzeug.test import TestResponse

from gateway.payments.form import Setup
from gateway.payments.pos import Pos
from gateway.payments.signing import signature
from gateway.sweeping import sweep
from ledger import erasing, people
from ledger.engine import writing
from phone.codes import code_of
from tests.gateway.cashier import SECRET, Cashier
from tests.gateway.house import OTHER_PHONE, PHONE

BOTH = pytest.mark.parametrize("gateway_database", ["sqlite", "postgresql"])
AT_ONCE = 100
CAMPAIGN = "one-plus-one"
OWED, SUSPENSE = f"A:Receivable:Pledge:{CAMPAIGN}", "L:Suspense:psp"


def said(answer: TestResponse) -> tuple[int, str]:
    """The status and the one line or word of an answer."""
    body = answer.get_json()
    return answer.status_code, body.get("error") or body["status"]


# -- a payment service -------------------------------------------------------------


@BOTH
def test_a_payment_by_code_pays_the_pledge_and_its_donor_reads_so(cashier: Cashier):
    code = cashier.gateway.pledge().code
    answer = cashier.pay(code=code)
    assert answer.get_json() == {"status": "recorded", "code": code}
    assert answer.content_type == "application/json"
    assert cashier.holds() == {
        "A:Settle:psp": 750_000,
        f"N:Donation:{CAMPAIGN}:nowruz": -750_000,
    }
    assert cashier.texts() == [("sms.paid", {"amount": 750_000, "code": code})]
    (line,) = cashier.gateway.exported()
    assert ",750000,0," in line
    assert ",paid," in line


@BOTH
def test_the_same_again_moves_nothing_and_tells_nobody_twice(cashier: Cashier):
    code = cashier.gateway.pledge().code
    cashier.pay(code=code)
    held = cashier.holds()
    again = cashier.pay(code=code)
    assert again.get_json() == {"status": "repeated", "code": code}
    # The same moment in another zone is the same body.
    utc = cashier.pay(code=code, paid_at="2026-11-22T08:29:00Z", x_try=2)
    assert said(utc) == (200, "repeated")
    assert (cashier.holds(), len(cashier.texts())) == (held, 1)


@BOTH
def test_another_body_under_the_id_is_refused_with_the_fields(cashier: Cashier):
    code = cashier.gateway.pledge().code
    cashier.pay(code=code, phone=PHONE, reference="r1")
    held = cashier.holds()
    answer = cashier.pay(
        code=code,
        amount_rial=1,
        phone=OTHER_PHONE,
        reference="r2",
        paid_at="2026-11-22T08:29:01Z",
    )
    assert answer.status_code == 409
    assert answer.get_json()["differs"] == [
        "amount_rial",
        "paid_at",
        "phone",
        "reference",
    ]
    assert PHONE[-7:] not in answer.text
    assert cashier.holds() == held


@BOTH
def test_the_same_id_of_another_kind_is_another_notice(cashier: Cashier):
    code = cashier.gateway.pledge().code
    cashier.pay(code=code)
    answer = cashier.pay(kind="refund", code=code)
    assert said(answer) == (200, "recorded")
    assert cashier.holds() == {}
    assert cashier.texts()[1:] == [("sms.refunded", {"amount": 750_000, "code": code})]
    assert said(cashier.pay(kind="refund", code=code)) == (200, "repeated")
    assert ",refunded," in cashier.gateway.exported()[0]


def test_a_charge_back_takes_the_gift_out_of_the_books(cashier: Cashier):
    code = cashier.gateway.pledge().code
    cashier.pay(code=code)
    answer = cashier.pay("c1", kind="reversal", code=code, amount_rial=250_000)
    assert said(answer) == (200, "recorded")
    assert cashier.holds()["A:Settle:psp"] == 500_000
    assert cashier.texts()[1:] == [("sms.refunded", {"amount": 250_000, "code": code})]


def test_a_part_is_told_with_what_is_left_and_how_to_pay_it(cashier: Cashier):
    code = cashier.gateway.pledge().code
    cashier.pay("a", code=code, amount_rial=300_000)
    cashier.pay("b", code=code, amount_rial=450_000)
    # The first again, now that nothing is left: it was told, and is not told otherwise.
    cashier.pay("a", code=code, amount_rial=300_000)
    assert cashier.texts() == [
        (
            "sms.part_paid",
            {
                "amount": 300_000,
                "code": code,
                "left": 450_000,
                "pay": "*780*0000#",
            },
        ),
        ("sms.paid", {"amount": 450_000, "code": code}),
    ]


@BOTH
@pytest.mark.parametrize(
    "whose", [{"code": "100000005"}, {"phone": OTHER_PHONE}, {"reference": "r1"}]
)
def test_money_nobody_knows_the_pledge_of_is_booked_and_waits(
    cashier: Cashier, whose: dict[str, str]
):
    cashier.gateway.pledge()
    assert cashier.pay(**whose).get_json() == {"status": "suspense"}
    assert cashier.holds() == {"A:Settle:psp": 750_000, SUSPENSE: -750_000}
    assert cashier.texts() == []


def test_an_excess_waits_and_the_rest_pays(cashier: Cashier):
    code = cashier.gateway.pledge().code
    assert said(cashier.pay(code=code, amount_rial=800_000)) == (200, "recorded")
    assert cashier.holds()[SUSPENSE] == -50_000
    assert cashier.texts() == [("sms.paid", {"amount": 750_000, "code": code})]


def test_the_receipt_goes_to_whose_pledge_it_is_and_not_to_the_payer(
    cashier: Cashier,
):
    code = cashier.gateway.pledge().code
    cashier.pay(code=code, phone=OTHER_PHONE)
    people = {row.person_id for row in cashier.gateway.rows("outbox")}
    assert len(people) == 1


def test_a_phone_that_leads_to_a_pledge_does_not_tell_its_code(cashier: Cashier):
    cashier.gateway.pledge()
    assert cashier.pay(phone=PHONE).get_json() == {"status": "recorded"}
    assert len(cashier.texts()) == 1


def test_a_rehearsed_payment_and_a_real_pledge_never_meet(cashier: Cashier):
    real = cashier.gateway.pledge().code
    rehearsed = cashier.gateway.pledge(channel="rehearsal").code
    assert said(cashier.pay("1", code=real, channel="rehearsed")) == (200, "suspense")
    assert said(cashier.pay("2", code=rehearsed)) == (200, "suspense")
    assert said(cashier.pay("3", code=rehearsed, channel="rehearsed"))[1] == "recorded"
    assert cashier.holds() == {"A:Settle:psp": 750_000, SUSPENSE: -750_000}


@BOTH
def test_a_notice_that_overtakes_its_pledge_pays_it_at_the_next_look(
    cashier: Cashier,
):
    gateway = cashier.gateway
    # The second event's: the payment is the first.
    code = code_of(2, gateway.service.keys.code)
    assert said(cashier.pay(code=code)) == (200, "suspense")
    assert gateway.pledge().code == code
    gateway.clock.wait(minutes=1)
    sweep(gateway.service, gateway.clock())
    assert cashier.texts() == [("sms.paid", {"amount": 750_000, "code": code})]
    sweep(gateway.service, gateway.clock())
    assert said(cashier.pay(code=code)) == (200, "repeated")
    assert len(cashier.texts()) == 1
    assert SUSPENSE not in cashier.holds()


def test_the_donor_reads_it_in_the_language_that_was_chosen(cashier: Cashier):
    gateway = cashier.gateway
    code = gateway.pledge().code
    (person,) = gateway.rows("person")
    with writing(gateway.service.engine) as db:
        people.set_language(db, person_id=person.id, language="en")
    cashier.pay(code=code)
    assert gateway.rows("outbox")[-1].language == "en"


def test_the_pledge_of_who_was_erased_is_paid_and_nobody_is_written_to(
    cashier: Cashier,
):
    gateway = cashier.gateway
    code = gateway.pledge().code
    (person,) = gateway.rows("person")
    with writing(gateway.service.engine) as db:
        erasing.erase(
            db,
            gateway.service.keys,
            person_id=person.id,
            key="erase-1",
            channel="console",
            by="sara",
            test=False,
            at=gateway.clock(),
        )
    assert said(cashier.pay(code=code)) == (200, "recorded")
    assert ",paid," in gateway.exported()[0]
    assert cashier.texts() == []


# -- a store's till ----------------------------------------------------------------


@BOTH
def test_a_gift_at_the_till_is_a_gift_with_a_code_and_a_text(cashier: Cashier):
    answer = cashier.sell(phone="09351112233")
    assert answer.status_code == 200
    code = answer.get_json()["code"]
    assert answer.get_json() == {"status": "recorded", "code": code}
    assert cashier.holds() == {
        "A:Settle:till": 50_000,
        f"N:Donation:{CAMPAIGN}:needed": -50_000,
    }
    assert cashier.texts() == [("sms.shop", {"amount": 50_000, "code": code})]
    (event,) = cashier.gateway.rows("event", kind="gift")
    assert (event.partner, event.campaign) == ("s7", CAMPAIGN)
    assert OTHER_PHONE.encode()[3:] not in cashier.gateway.everything_kept()


def test_a_till_that_posts_again_prints_the_same_code(cashier: Cashier):
    first = cashier.sell().get_json()["code"]
    assert cashier.sell().get_json() == {"status": "repeated", "code": first}
    assert cashier.sell("2").get_json()["code"] != first


def test_a_shopper_without_a_number_gives_all_the_same(cashier: Cashier):
    assert said(cashier.sell()) == (200, "recorded")
    assert cashier.texts() == []
    assert cashier.gateway.rows("person") == []


def test_another_amount_on_the_same_paper_names_the_tills_own_fields(
    cashier: Cashier,
):
    cashier.sell()
    answer = cashier.sell(amount_rial=60_000, sold_at="2026-11-22T08:30:00Z")
    assert answer.status_code == 409
    assert answer.get_json()["differs"] == ["amount_rial", "sold_at"]


def test_a_till_for_a_purpose_nobody_knows_books_it_and_says_so(
    cashier: Cashier, logs: list[EventDict]
):
    service = cashier.gateway.service
    till = Pos(Setup(SECRET.encode(), timedelta(days=1), "IR", CAMPAIGN, "misspelt"))
    service.payments["till"] = till
    assert said(cashier.sell()) == (200, "recorded")
    assert cashier.holds()[f"N:Donation:{CAMPAIGN}:misspelt"] == -50_000
    assert [log["event"] for log in logs] == ["till_for_nothing"]


def test_a_till_set_up_anew_is_answered_for_old_sales_as_before(cashier: Cashier):
    first = cashier.sell().get_json()["code"]
    till = Pos(Setup(SECRET.encode(), timedelta(days=1), "IR", CAMPAIGN, "nowruz"))
    cashier.gateway.service.payments["till"] = till
    assert cashier.sell().get_json() == {"status": "repeated", "code": first}
    other = cashier.sell(amount_rial=60_000)
    assert (other.status_code, other.get_json()["differs"]) == (409, ["amount_rial"])
    assert cashier.holds()[f"N:Donation:{CAMPAIGN}:needed"] == -50_000


def test_a_number_typed_at_a_till_opens_nothing(cashier: Cashier):
    """It is claimed and not proved, so its owner's own list does not show the gift."""
    cashier.sell(phone=PHONE)
    screen = cashier.gateway.walk("4", code="*780*5588#")
    assert "5" not in screen.text.replace("*780*5588", "")
    assert cashier.gateway.exported() == []


# -- what is refused ---------------------------------------------------------------


def nothing_stands(cashier: Cashier) -> bool:
    gateway = cashier.gateway
    tables = ("event", "transfer", "payment", "person", "outbox")
    return not any(gateway.rows(table) for table in tables)


@pytest.mark.parametrize("channel", ["psp", "till", "rehearsed"])
def test_who_does_not_sign_is_refused_and_nothing_stands(
    cashier: Cashier, channel: str, logs: list[EventDict]
):
    answer = cashier.post({"id": "p1"}, channel=channel, signed="")
    assert said(answer) == (403, "X-Signature is missing")
    assert nothing_stands(cashier)
    assert [log["event"] for log in logs] == ["notice_unsigned"]


def test_a_signature_of_the_day_before_yesterday_is_refused(cashier: Cashier):
    body = b"{}"
    old = cashier.gateway.clock() - timedelta(days=1, seconds=1)
    answer = cashier.post(body, signed=signature(SECRET.encode(), body, old))
    assert said(answer) == (403, "X-Signature is too far from our time: sign again")


def test_a_body_of_another_form_is_refused_in_one_line(
    cashier: Cashier, logs: list[EventDict]
):
    answer = cashier.pay(reference="0000001234567897", phone=PHONE)
    assert said(answer) == (400, "reference: a card number is not taken")
    assert nothing_stands(cashier)
    told = json.dumps(logs, default=str)
    assert "0000001234567897" not in told
    assert PHONE[3:] not in told


def test_a_channel_nobody_set_up_is_nowhere(cashier: Cashier):
    assert said(cashier.pay(channel="none")) == (404, "not found")


def test_a_stranger_to_the_network_is_refused_and_a_neighbour_is_not(
    cashier: Cashier,
):
    assert said(cashier.pay(channel="fenced", code="100000005")) == (403, "forbidden")
    raw = json.dumps(
        {
            "id": "p",
            "kind": "payment",
            "amount_rial": 1,
            "paid_at": "2026-11-22T08:00:00Z",
            "code": "100000005",
        }
    ).encode()
    near = {"REMOTE_ADDR": "192.0.2.7"}
    answer = cashier.post(raw, channel="fenced", environ_overrides=near)
    assert said(answer) == (200, "suspense")


@pytest.mark.parametrize("length", [16 * 1024 + 1, 10_000_000])
def test_a_body_that_is_too_long_is_not_read(cashier: Cashier, length: int):
    answer = cashier.post(b" " * length, signed="t=1,v1=" + "0" * 64)
    assert answer.status_code == 413
    assert nothing_stands(cashier)


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_only_a_post_tells_anything(cashier: Cashier, method: str):
    assert getattr(cashier.gateway.client, method)("/payments/psp").status_code == 405


@pytest.mark.parametrize("table", ["payment", "transfer", "event", "menus_current"])
def test_a_ledger_that_is_away_is_a_503_and_the_same_again_is_right(
    cashier: Cashier, table: str
):
    code = cashier.gateway.pledge().code
    engine = cashier.gateway.service.engine
    with engine.connect() as db:
        db.exec_driver_sql(f"ALTER TABLE {table} RENAME TO gone")
        db.commit()
    away = cashier.pay(code=code)
    assert said(away) == (503, "try again later")
    assert away.headers["Retry-After"] == "30"
    with engine.connect() as db:
        db.exec_driver_sql(f"ALTER TABLE gone RENAME TO {table}")
        db.commit()
    assert said(cashier.pay(code=code)) == (200, "recorded")


def test_money_is_booked_before_there_are_menus_to_thank_with(
    cashier: Cashier, logs: list[EventDict]
):
    code = cashier.gateway.pledge().code
    with cashier.gateway.service.engine.connect() as db:
        db.exec_driver_sql("DELETE FROM menus_current")
        db.commit()
    assert said(cashier.pay(code=code)) == (200, "recorded")
    assert cashier.texts() == []
    assert "text_missing" in [log["event"] for log in logs]


# -- many at once ------------------------------------------------------------------


@BOTH
def test_a_hundred_callbacks_that_are_one_post_once(cashier: Cashier):
    code = cashier.gateway.pledge().code
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = [*pool.map(lambda _: said(cashier.pay(code=code)), range(AT_ONCE))]
    assert sorted(answers) == [(200, "recorded")] + [(200, "repeated")] * (AT_ONCE - 1)
    assert cashier.holds()["A:Settle:psp"] == 750_000
    assert len(cashier.texts()) == 1


@BOTH
def test_a_hundred_payments_at_once_all_post(cashier: Cashier):
    def one(number: int) -> tuple[int, str]:
        return said(cashier.pay(f"p{number}", reference=f"r{number}"))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = [*pool.map(one, range(AT_ONCE))]
    assert answers == [(200, "suspense")] * AT_ONCE
    assert cashier.holds()["A:Settle:psp"] == 750_000 * AT_ONCE


def test_parts_at_once_never_pay_more_than_was_pledged(cashier: Cashier):
    code = cashier.gateway.pledge().code

    def one(number: int) -> Any:
        return said(cashier.pay(f"p{number}", code=code, amount_rial=100_000))

    with ThreadPoolExecutor(10) as pool:
        answers = [*pool.map(one, range(10))]
    assert {status for status, _ in answers} == {200}
    assert cashier.holds()[SUSPENSE] == -250_000
    told = [(template, slots["amount"]) for template, slots in cashier.texts()]
    assert told == [("sms.part_paid", 100_000)] * 7 + [("sms.paid", 50_000)]
