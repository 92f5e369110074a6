"""A request for home delivery, from the dial to the export, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.facts import Asker
from gateway.figures import kept_figures
from gateway.kalabarg import Reason, why
from gateway.placing import shipped, take_in
from ledger import sensitive, staff
from ledger.engine import reading, writing
from ledger.export import DELIVERIES
from ledger.staff import Role
from phone.codes import damm
from tests.gateway.correspondence import Phone
from tests.gateway.house import NOON, OTHER_PHONE, Gateway
from ussd.machine import Need

KALABARG, BROUGHT, CENTRE_DESK = "*780*5588*3#", "*780*5588*33#", "*780*5588*6#"
CENTRE, CENTRE_CODE, OTHER_CENTRE = "11023", "c11023", "c11031"
THIRD = "+989121110000"


@pytest.fixture(params=["sqlite", "postgresql"])
def gateway_database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def town(gateway: Gateway) -> Gateway:
    """A service that knows its places, with a phone registered at one centre."""
    take_in(gateway.service.engine, shipped(), by="test", at=NOON)
    register(gateway, OTHER_PHONE, CENTRE_CODE)
    return gateway


def register(gateway: Gateway, phone: str, place: str) -> None:
    with writing(gateway.service.engine) as db:
        staff.add(
            db,
            gateway.service.keys,
            phone=phone,
            role=Role.CENTRE,
            place=place,
            title="office",
            by="test",
            test=False,
            at=NOON,
        )


def ask(gateway: Gateway, session: str = "ask", reason: str = "3") -> str:
    """Ask for a delivery through a centre, and read its code."""
    answers = ("1", CENTRE, "1", reason, "1", "1")
    screen = gateway.walk(*answers, session=session, code=KALABARG)
    assert screen.text.startswith("درخواست ثبت شد."), screen
    return screen.code


def bring(gateway: Gateway, code: str, session: str, phone: str) -> str:
    return gateway.walk(code, "1", session=session, phone=phone, code=BROUGHT).text


def delivery(gateway: Gateway) -> tuple[str, str]:
    (row,) = gateway.rows("delivery")
    return row.queue, row.state


def test_a_request_goes_from_the_dial_to_the_export(town: Gateway) -> None:
    code = ask(town)
    assert delivery(town) == (CENTRE_CODE, "open")
    (event,) = town.rows("event", kind="delivery")
    assert (event.district, event.centre) == ("23-t11", CENTRE_CODE)
    phone = Phone(town)
    (told,) = phone.news()
    assert told == f"سلام محله: درخواست {code} به مرکز {CENTRE} ارجاع شد."

    desk = town.walk("1", "1", session="desk", phone=OTHER_PHONE, code=CENTRE_DESK)
    assert desk.text.startswith("کالابرگ\n1405/09/04"), desk
    assert "4 علت" in desk.text
    why = town.dial("1*1*4", session="desk", phone=OTHER_PHONE, code=CENTRE_DESK)
    assert why.text.startswith("علت: بیماری")
    (shown,) = town.rows("event", kind="reason.shown")
    (who,) = town.rows("staff")
    assert (shown.about_id, shown.body["staff"]) == (event.id, who.id)
    town.walk("1", "1", "2", "1", session="take", phone=OTHER_PHONE, code=CENTRE_DESK)
    assert delivery(town) == (CENTRE_CODE, "taken")
    assert code in phone.news()[0]

    assert bring(town, code, "brought", OTHER_PHONE).startswith("تحویل ثبت شد.")
    assert delivery(town) == (CENTRE_CODE, "delivered")
    assert code in phone.news()[0]
    assert town.rows("sensitive") == []
    again = bring(town, code, "again", OTHER_PHONE)
    assert again.startswith("این تحویل پیش‌تر ثبت شده است.")
    assert len(town.rows("event", kind="delivery.done")) == 1

    (row,) = town.exported("deliveries")
    values = dict(zip(DELIVERIES.names, row.split(","), strict=True))
    assert (values["centre"], values["queue"]) == (CENTRE_CODE, CENTRE_CODE)
    assert (values["state"], values["citizen"]) == ("delivered", "***4567")
    assert code not in row


def test_the_reason_is_under_the_persons_key_and_of_one_centre(town: Gateway) -> None:
    ask(town)
    (row,) = town.rows("sensitive")
    assert row.centre == CENTRE_CODE
    with reading(town.service.engine) as db:
        for centre, said in ((CENTRE_CODE, Reason.ILLNESS), (OTHER_CENTRE, None)):
            assert said == sensitive.answer_of(
                db,
                town.service.keys,
                person_id=row.person_id,
                what=sensitive.What.DELIVERY,
                centre=centre,
            )


@pytest.mark.parametrize("place", ["23-t11", OTHER_CENTRE])
def test_a_phone_of_no_such_centre_reads_no_reason(town: Gateway, place: str) -> None:
    ask(town)
    register(town, THIRD, place)
    desk = town.walk("1", "1", "4", session="desk", phone=THIRD, code=CENTRE_DESK)
    assert "بیماری" not in desk.text
    assert town.rows("event", kind="reason.shown") == []


def test_a_reason_is_asked_for_anew_after_a_while(town: Gateway) -> None:
    ask(town)
    keys = {"phone": OTHER_PHONE, "code": CENTRE_DESK}
    assert "بیماری" in town.walk("1", "1", "4", session="d1", **keys).text
    with reading(town.service.engine) as db:
        asker = Asker(
            phone=OTHER_PHONE,
            campaign="",
            test=False,
            line="",
            figures=kept_figures(town.service.engine, town.service.redis),
            at=town.clock(),
            time_zone="Asia/Tehran",
        )
        item = f"kalabarg.{town.rows('delivery')[0].event_id}"
        need = Need("delivery_why", item)
        assert why(db, town.service.keys, need, asker) == {"why": "3"}
        later = replace(asker, at=asker.at + timedelta(minutes=11))
        assert why(db, town.service.keys, need, later) == {"why": ""}
    assert "بیماری" in town.walk("1", "1", "4", session="d2", **keys).text
    assert len(town.rows("event", kind="reason.shown")) == 2


@pytest.mark.parametrize("way", ["5", "skip"])
def test_who_does_not_say_why_asks_all_the_same(town: Gateway, way: str) -> None:
    answers = ("1", CENTRE, *(["1", "5"] if way == "5" else ["0"]), "2", "1")
    screen = town.walk(*answers, code=KALABARG)
    assert screen.text.startswith("درخواست ثبت شد."), screen
    assert town.rows("sensitive") == []
    (row,) = town.rows("delivery")
    assert not row.call_back


def test_a_second_request_finds_the_first(town: Gateway) -> None:
    code = ask(town)
    screen = town.walk("1", "9", "1", "1", session="s2", code=KALABARG)
    assert screen.text == f"درخواست شما پیش‌تر ثبت شده است.\nکد {code}"
    assert delivery(town) == (CENTRE_CODE, "open")
    assert town.promised == ["sms.kb"]


def test_what_was_asked_reads_the_same_when_redis_has_forgotten_the_call(
    town: Gateway,
) -> None:
    first = town.walk("1", "9", "1", "1", session="s1", code=KALABARG)
    second = town.walk("1", "9", "1", "1", session="s2", code=KALABARG)
    town.service.redis.flushall()
    for session, screen in (("s1", first), ("s2", second)):
        again = town.dial("1*9*1*1", session=session, code=KALABARG)
        assert again == screen
    assert len(town.rows("delivery")) == 1


def test_a_code_is_nobody_elses(town: Gateway) -> None:
    code = ask(town)
    register(town, THIRD, OTHER_CENTRE)
    unknown = code[:7] + str((int(code[7]) + 1) % 10)
    for told, phone in ((code, THIRD), (unknown + damm(unknown), OTHER_PHONE)):
        said = bring(town, told, f"{told}{phone}", phone)
        assert said.startswith("این کد با این شماره شناخته نیست")
    assert delivery(town) == (CENTRE_CODE, "open")


def test_a_citizen_says_by_text_that_it_came(town: Gateway) -> None:
    code, phone = ask(town), Phone(town)
    phone.news()
    (asked,) = phone.says(f"تحویل {code}")
    assert asked.startswith(f"کالابرگ درخواست {code} تحویل شد؟")
    town.clock.wait(minutes=1)
    (told,) = phone.says("1")
    assert told.startswith("سلام محله: تحویل")
    assert delivery(town) == (CENTRE_CODE, "delivered")


def test_a_request_by_text_is_not_asked_why(town: Gateway) -> None:
    phone = Phone(town)
    said = [phone.says("کالابرگ")]
    for answer in ("1", "1", CENTRE, "1", "1"):
        town.clock.wait(minutes=1)
        said.append(phone.says(answer))
    assert not any("علت" in text or "پرسش بعد" in text for one in said for text in one)
    assert delivery(town) == (CENTRE_CODE, "open")
    assert town.rows("sensitive") == []


def test_what_is_taken_back_is_not_brought(town: Gateway) -> None:
    code = ask(town)
    screen = town.walk("9", "1", "2", "1", "2", "1", session="b", code="*780*5588#")
    assert screen.text.startswith("انصراف ثبت شد."), screen
    assert delivery(town) == (CENTRE_CODE, "withdrawn")
    assert town.rows("sensitive") == []
    assert bring(town, code, "late", OTHER_PHONE).startswith("این درخواست بسته")


def test_what_nobody_takes_in_time_is_late_on_both_screens(town: Gateway) -> None:
    code = ask(town)
    town.clock.wait(hours=73)
    one = town.walk("9", "1", "2", "1", session="mine", code="*780*5588#")
    assert one.text.startswith(f"{code}: مهلت گذشت؛"), one
    desk = town.walk("1", "1", session="d", phone=OTHER_PHONE, code=CENTRE_DESK)
    assert desk.text.startswith("کالابرگ، دیر شده\n"), desk


def test_who_is_erased_is_brought_nothing(town: Gateway) -> None:
    code = ask(town)
    town.walk("9", "9", "8", "1", session="erase", code="*780*5588#")
    assert delivery(town) == (CENTRE_CODE, "withdrawn")
    assert town.rows("sensitive") == []
    assert bring(town, code, "late", OTHER_PHONE).startswith("این درخواست بسته")
