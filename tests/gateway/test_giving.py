"""Gifts in parts, of each month, of goods and of others; taken back; and forgotten:
dialled through the whole service, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy

from gateway.effects import Order, carry_out
from ledger import batches, payments, schema
from ledger.batches import Purchase
from ledger.engine import reading, writing
from ledger.incoming import Kind, Payment
from ledger.pledges import State, pledge_by_code
from ledger.sealing.notes import Signer
from ledger.sealing.proofs import sealed
from ledger.sealing.sealer import seal
from ledger.vault import look_up
from tests.gateway.conftest import DATABASES
from tests.gateway.correspondence import Phone
from tests.gateway.house import OTHER_PHONE, PHONE, ROOT_CODE, Gateway
from ussd.machine import Effect

on_both = pytest.mark.parametrize("gateway_database", DATABASES)
# From the first screen to the other ways to give.
WAYS = ("9", "9", "7")


def _order(gateway: Gateway, name: str, key: str = "k1", **answers: str) -> Order:
    service = gateway.service
    menus = service.library.current(None)
    return Order(
        effect=Effect(name, 0, "one-plus-one", answers),
        key=f"ussd:at:{key}:0:{name}:0",
        phone=PHONE,
        language="fa",
        menus=menus,
        channel="at",
        test=False,
        at=gateway.clock(),
        figures=service.endings._figures,
    )


def _do(gateway: Gateway, order: Order) -> dict[str, str]:
    return carry_out(gateway.service.engine, gateway.service.keys, order)


def _pledge(gateway: Gateway, code: str) -> Any:
    with writing(gateway.service.engine) as db:
        found = pledge_by_code(db, code)
    assert found is not None
    return found


def _pay(gateway: Gateway, code: str, rial: int, outside_id: str = "p1") -> None:
    payment = Payment(
        source="psp",
        outside_id=outside_id,
        kind=Kind.PAYMENT,
        amount=rial,
        paid_at=gateway.clock(),
        code=code,
    )
    with writing(gateway.service.engine) as db:
        payments.pay(
            db,
            gateway.service.keys,
            payment,
            channel="psp",
            test=False,
            at=gateway.clock(),
        )


@on_both
def test_goods_are_pledged_in_parcels_and_told_with_their_place(gateway: Gateway):
    screen = gateway.walk("4", "1", "12", "1")
    assert screen.ends
    pledge = _pledge(gateway, screen.code)
    assert (pledge.unit, pledge.amount, pledge.purpose) == ("parcel", 12, "food")
    (text,) = gateway.rows("outbox")
    assert text.template == "sms.in_kind"
    assert text.slots == {
        "count": 12,
        "goods": "food",
        "code": screen.code,
        "bring_to": "سرای محله",
    }
    assert "۱۲ کالا" in gateway.walk("4", session="s2", code=ROOT_CODE).text


@on_both
def test_a_pledge_in_parts_is_one_pledge_with_three_days(gateway: Gateway):
    screen = gateway.walk(*WAYS, "2", "75000", "1", "1", code=ROOT_CODE)
    pledge = _pledge(gateway, screen.code)
    assert pledge.amount == 750_000
    dues = gateway.rows("due", pledge_id=pledge.event_id)
    assert [due.amount for due in dues] == [250_000] * 3
    assert [due.due_at for due in dues][0] == gateway.clock()
    assert gateway.promised == ["sms.instalments"]


@on_both
def test_a_gift_of_each_month_is_promised_once_listed_and_ended(gateway: Gateway):
    give = (*WAYS, "1", "75000", "1", "1")
    gateway.walk(*give, code=ROOT_CODE)
    assert gateway.promised == []
    (standing,) = gateway.rows("standing")
    assert (standing.amount, standing.day, standing.ended_at) == (750_000, 1, None)
    # A second for the same purpose is none: the first is shown.
    again = gateway.walk(*give, session="s2", code=ROOT_CODE)
    assert "۷۵٬۰۰۰" in again.text
    assert not again.ends
    assert len(gateway.rows("standing")) == 1
    ended = gateway.walk(*WAYS, "5", "1", "1", "1", session="s3", code=ROOT_CODE)
    assert "پایان یافت" in ended.text
    assert gateway.rows("standing")[0].ended_at == gateway.clock()
    none = gateway.walk(*WAYS, "5", session="s4", code=ROOT_CODE)
    assert none.text.startswith("کمک ماهانه‌ای ندارید.")


@on_both
def test_nobody_ends_the_gift_of_another(gateway: Gateway):
    gateway.walk(*WAYS, "1", "75000", "1", "1", code=ROOT_CODE)
    (standing,) = gateway.rows("standing")
    code = gateway.rows("code", event_id=standing.event_id)[0].code
    order = _order(gateway, "stop_standing", standing=code)
    assert _do(gateway, replace(order, phone=OTHER_PHONE)) == {"outcome": "not_yours"}
    assert gateway.rows("standing")[0].ended_at is None
    assert _do(gateway, order) == {}
    assert _do(gateway, order) == {}
    assert len(gateway.rows("event", kind="standing.end")) == 1


@on_both
@pytest.mark.parametrize(
    ("keys", "kind", "cohort"),
    [(("3",), "organisation", None), (("4", "1001", "1"), "cohort", "1001")],
)
def test_a_gift_says_in_whose_name_it_is(
    gateway: Gateway, keys: tuple[str, ...], kind: str, cohort: str | None
):
    gateway.walk(*WAYS, *keys, "75000", "1", "1", code=ROOT_CODE)
    (event,) = gateway.rows("event", kind="pledge")
    assert (event.donor_kind, event.cohort) == (kind, cohort)


@on_both
@pytest.mark.parametrize(
    ("name", "answers"),
    [
        ("pledge", {"amount": "750000", "purpose": "needed"}),
        ("instalments", {"amount": "750000", "purpose": "needed"}),
        ("standing", {"amount": "750000", "purpose": "needed"}),
        ("pledge_in_kind", {"goods": "food", "count": "2"}),
    ],
)
def test_a_gift_asked_for_twice_under_one_key_is_one(
    gateway: Gateway, name: str, answers: dict[str, str]
):
    order = _order(gateway, name, **answers)
    first = _do(gateway, order)
    events = len(gateway.rows("event"))
    assert _do(gateway, replace(order, at=order.at + timedelta(hours=1))) == first
    assert len(gateway.rows("event")) == events
    assert len(gateway.promised) <= 1


@pytest.mark.parametrize("name", ["instalments", "standing", "pledge_in_kind"])
def test_a_closed_campaign_takes_no_gift_of_any_kind(gateway: Gateway, name: str):
    order = _order(
        gateway, name, amount="750000", purpose="needed", goods="food", count="2"
    )
    campaign = replace(order.campaign, paused=True)
    menus = replace(order.menus, campaigns={campaign.id: campaign})
    assert _do(gateway, replace(order, menus=menus)) == {"outcome": "paused"}
    assert gateway.rows("event") == []


@on_both
def test_the_rest_of_a_part_paid_pledge_is_cancelled_and_said_so(gateway: Gateway):
    code = gateway.pledge().code
    _pay(gateway, code, 250_000)
    gateway.clock.wait(hours=1)
    one = gateway.walk("4", "1", session="s2", code=ROOT_CODE)
    assert "۲۵٬۰۰۰ از ۷۵٬۰۰۰" in one.text
    done = gateway.walk("4", "1", "2", "1", session="s3", code=ROOT_CODE)
    assert "دریافت‌شده: ۲۵٬۰۰۰" in done.text
    pledge = _pledge(gateway, code)
    assert (pledge.state, pledge.paid, pledge.voided) == (State.PAID, 250_000, 500_000)
    last = gateway.rows("outbox")[-1]
    assert last.template == "sms.cancelled.part"
    assert last.slots == {"code": code, "amount": 250_000}


@on_both
def test_nothing_taken_is_said_only_where_nothing_was(gateway: Gateway):
    code = gateway.pledge().code
    gateway.clock.wait(hours=1)
    done = gateway.walk("4", "1", "2", "1", session="s2", code=ROOT_CODE)
    assert "مبلغی دریافت نشده بود" in done.text
    assert gateway.promised[-1] == "sms.cancelled"
    assert _pledge(gateway, code).state is State.CANCELLED


def test_goods_are_no_notice_of_money_to_who_dials_again(gateway: Gateway):
    gateway.walk("4", "1", "12", "1")
    again = gateway.dial("", session="s2")
    assert again.text.startswith("مبلغ به تومان؟")


def test_a_pledge_that_is_not_sealed_yet_says_so(gateway: Gateway):
    gateway.pledge()
    proof = gateway.walk("4", "1", "3", session="s2", code=ROOT_CODE)
    assert "هنوز مهر نشده" in proof.text
    became = gateway.walk("4", "1", "3", "1", session="s3", code=ROOT_CODE)
    assert "هنوز با آن خریدی نشده" in became.text


@on_both
def test_a_donor_reads_the_seal_and_what_the_gift_bought(gateway: Gateway):
    code = gateway.pledge().code
    _pay(gateway, code, 750_000)
    purchase = Purchase(
        key="buy:1",
        campaign="one-plus-one",
        purpose="nowruz",
        title="Parcels",
        unit="parcel",
        quantity=3,
        cost=600_000,
        bank="main",
        by="somebody",
        test=False,
        at=gateway.clock(),
    )
    with writing(gateway.service.engine) as db:
        batches.buy(db, purchase)
    gateway.clock.wait(hours=1)
    signer = Signer(bytes(32), "yarigar.example/yarigar")
    run = seal(gateway.service.engine, signer, "Asia/Tehran", gateway.clock())
    with reading(gateway.service.engine) as db:
        seal_over = sealed(db, _pledge(gateway, code).event_id)
    assert run is not None
    assert seal_over is not None
    proof = gateway.walk("4", "1", "3", session="s2", code=ROOT_CODE)
    assert f"مهر 1405/09/01\nشماره {seal_over.number}\n" in proof.text
    assert f"نشان {seal_over.fingerprint}" in proof.text
    became = gateway.walk("4", "1", "3", "1", session="s3", code=ROOT_CODE)
    assert became.text.startswith("خرید 1: ۳ بسته\nتحویل شده: ۰")
    # To anybody else the code says nothing.
    other = Phone(gateway, number=OTHER_PHONE)
    other.news()
    (told,) = other.says(f"پیگیری {code}")
    assert seal_over.fingerprint not in told


@on_both
def test_who_dials_to_be_forgotten_is(gateway: Gateway):
    code = gateway.pledge().code
    gateway.clock.wait(hours=1)
    before = gateway.walk("9", "9", "8", session="s2", code=ROOT_CODE)
    assert not before.ends
    assert gateway.rows("vault") != []
    done = gateway.walk("9", "9", "8", "1", session="s3", code=ROOT_CODE)
    assert done.ends
    assert done.text.startswith("پاک شد.")
    assert gateway.rows("vault") == []
    (person,) = gateway.rows("person")
    assert person.look_up is None
    # The pledge stands, as nobody's; its unsent text is withdrawn, and none is new.
    assert _pledge(gateway, code).amount == 750_000
    assert [row.state for row in gateway.rows("outbox")] == ["withdrawn"]
    none = gateway.walk("4", session="s4", code=ROOT_CODE)
    assert none.text.startswith("هنوز کمکی ثبت نکرده‌اید.")


@on_both
def test_a_carrier_that_repeats_itself_erases_once(gateway: Gateway):
    gateway.pledge()
    gateway.clock.wait(hours=1)
    keys = ("9", "9", "8", "1")
    done = gateway.walk(*keys, session="s2", code=ROOT_CODE)
    again = gateway.dial("*".join(keys), session="s2", code=ROOT_CODE)
    assert again == done
    gateway.forget()
    assert gateway.dial("*".join(keys), session="s2", code=ROOT_CODE) == done
    assert len(gateway.rows("event", kind="person.erased")) == 1


@on_both
def test_who_texts_to_be_forgotten_is_and_hears_no_more(gateway: Gateway):
    gateway.pledge()
    phone = Phone(gateway)
    phone.news()
    (asked,) = phone.says("پاک")
    assert "پیامک دیگری نمی‌آید" in asked
    assert len(gateway.rows("vault")) == 1
    gateway.clock.wait(minutes=1)
    assert phone.says("بله") == []
    assert gateway.rows("vault") == []
    assert gateway.rows("question") == []
    assert [row.look_up for row in gateway.rows("person")] == [None]
    assert {row.state for row in gateway.rows("outbox")} == {"withdrawn"}
    assert look_up(gateway.service.keys, PHONE) not in gateway.everything_kept()


def test_who_texts_no_is_not_forgotten(gateway: Gateway):
    gateway.pledge()
    phone = Phone(gateway)
    phone.says("پاک")
    gateway.clock.wait(minutes=1)
    (bye,) = phone.says("خیر")
    assert bye.startswith("سپاس از شما.")
    assert len(gateway.rows("vault")) == 1


def test_nobody_is_erased_who_never_called(gateway: Gateway):
    done = gateway.walk("9", "9", "8", "1", code=ROOT_CODE)
    assert done.ends
    assert gateway.rows("person") == []
    assert gateway.rows("event") == []


def test_the_call_of_who_was_erased_keeps_nothing_that_was_typed(gateway: Gateway):
    code = gateway.pledge().code
    gateway.clock.wait(hours=1)
    # As it does after a few minutes by itself.
    gateway.forget()
    keys = ("4", "1", "0", "0", "9", "9", "8", "1")
    assert gateway.walk(*keys, session="s2", code=ROOT_CODE).ends
    redis: Any = gateway.service.redis
    # What was shown is kept for a few minutes, for a carrier that asks again.
    kept = b"\n".join(
        redis.get(name) for name in redis.scan_iter("ussd:dial:*")
    ).decode()
    assert '"pledge"' not in kept
    assert redis.keys("ussd:left:*") == []
    assert PHONE.lstrip("+") not in kept
    with writing(gateway.service.engine) as db:
        assert db.scalar(sqlalchemy.select(schema.code.c.code)) == code


@on_both
def test_the_report_by_text_says_what_was_bought_and_what_is_left(gateway: Gateway):
    code = gateway.pledge().code
    _pay(gateway, code, 750_000)
    gateway.forget()
    gateway.walk("9", "5", "1", session="s2", code=ROOT_CODE)
    text = gateway.rows("outbox")[-1]
    assert text.template == "sms.report"
    assert text.slots == {
        "pledged": 750_000,
        "paid": 750_000,
        "bought": 0,
        "delivered": 0,
        "unspent": 750_000,
    }
