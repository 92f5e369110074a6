"""The shipped menus: my pledges, languages, texts, the report, who asks."""

from __future__ import annotations

import pytest

from tests.ussd.caller import CODE, Caller
from ussd.machine import begin
from ussd.menus import Menus

ROOT = "*780*5588#"
OPEN = {"value": CODE, "state": "open", "amount": 750_000}
PAID = {
    "value": "100000006",
    "state": "paid",
    "amount": 20_000,
    "paid": 20_000,
}


def test_the_keys_of_the_first_screen_are_a_contract(menus: Menus) -> None:
    led = {choice.key: choice.to for choice in menus.screens["root"].choices}
    assert led == {
        "1": "give.amount",
        "2": "vol.consent",
        "3": "tb.root",
        "4": "st.list",
        "9": "root.more",
        "0": "bye",
    }


@pytest.mark.parametrize(
    ("dialled", "typed"),
    [
        ("*780*5588*1#", ""),
        ("*780*55881#", ""),
        ("*780*5588#", "1"),
        ("*780#", "5588*1"),
        ("*780#", "55881"),
        ("*780#", "۵۵۸۸*۱"),
    ],
)
@pytest.mark.parametrize("language", ["fa", "en"])
def test_the_six_dial_forms_are_one_conversation(
    menus: Menus, language: str, dialled: str, typed: str
) -> None:
    printed = Caller(menus, "*780*5588*1#", language=language)
    other = Caller(menus, dialled, language=language)
    if typed:
        other.types(*typed.split("*"))
    at_once = Caller(menus, dialled, language=language, ahead=typed)
    for caller in (printed, other, at_once):
        caller.types("3", "75000", "1", "1")
    last = printed.texts[-5:]
    assert other.texts[-5:] == at_once.texts[-5:] == last
    assert other.done[0].answers["amount"] == "750000"


def test_a_reversed_code_opens_the_same_screen(menus: Menus) -> None:
    assert begin(menus, "#۱*۵۵۸۸*۷۸۰*", "fa") == begin(menus, "*780*5588*1#", "fa")


@pytest.mark.parametrize("code", ["*780*9999#", "*123#", "*780*0000#", "*78*0*5588#"])
def test_a_code_of_somebody_else_leads_nowhere(menus: Menus, code: str) -> None:
    assert begin(menus, code, "fa") is None


@pytest.mark.parametrize("typed", ["9999", "abc", "*", "#", "780*5588", ""])
def test_a_code_typed_wrong_at_the_door_is_asked_for_again(
    menus: Menus, typed: str
) -> None:
    caller = Caller(menus, "*780#")
    caller.types(typed)
    assert caller.at == "door"
    caller.types("5588")
    assert caller.at == "root"


def test_who_has_no_pledge_is_offered_to_give(menus: Menus) -> None:
    caller = Caller(menus, ROOT)
    caller.types("4")
    assert caller.at == "st.none"
    caller.types("1")
    assert caller.at == "give.amount"


@pytest.mark.parametrize("language", ["fa", "en"])
def test_an_open_pledge_can_be_paid_and_cancelled(menus: Menus, language: str) -> None:
    caller = Caller(menus, ROOT, language=language, pledges=[OPEN, PAID])
    caller.types("4", "1")
    assert caller.text.startswith(CODE)
    assert "*780*0000#" in caller.types("1")
    caller.types("0", "2")
    assert caller.at == "st.cancel"
    assert caller.done == []
    caller.types("1")
    assert caller.at == "st.cancelled"
    assert [(e.name, e.answers["pledge"]) for e in caller.done] == [("cancel", CODE)]


def test_a_paid_pledge_offers_neither(menus: Menus) -> None:
    caller = Caller(menus, ROOT, pledges=[OPEN, PAID])
    caller.types("4", "2")
    assert caller.text == "100000006: ۲٬۰۰۰ تومان، پرداخت‌شده\n3 گواه\n0 بازگشت"
    for key in ("1", "2"):
        caller.types(key)
        assert caller.at == "st.one"
    assert caller.done == []


def test_a_pledge_that_stays_is_not_cancelled(menus: Menus) -> None:
    caller = Caller(menus, ROOT, pledges=[OPEN])
    caller.types("4", "1", "2", "0")
    assert caller.at == "st.one"
    assert caller.done == []


@pytest.mark.parametrize(
    ("outcome", "at"),
    [
        ("paid", "st.one"),
        ("already_cancelled", "st.one"),
        ("not_yours", "st.list"),
    ],
)
def test_a_cancelling_that_came_too_late_reads_what_is_true(
    menus: Menus, outcome: str, at: str
) -> None:
    caller = Caller(
        menus, ROOT, pledges=[OPEN], outcomes={"cancel": {"outcome": outcome}}
    )
    caller.types("4", "1", "2", "1")
    assert caller.at == at


def test_in_a_persian_text_the_pay_code_is_wrapped(menus: Menus) -> None:
    caller = Caller(menus, ROOT, pledges=[OPEN])
    assert "\u200e*780*0000#\u200e" in caller.types("4", "1", "1")


def test_the_language_changes_at_once_and_back(menus: Menus) -> None:
    caller = Caller(menus, ROOT)
    assert caller.types("9", "3") == "Your language is now English.\n0 Back"
    assert caller.types("0").startswith("Welcome to 1+1")
    assert caller.types("9", "3").startswith("زبان شما فارسی شد.")
    chosen = [(e.number, e.answers["language_chosen"]) for e in caller.done]
    assert chosen == [(0, "en"), (1, "fa")]


@pytest.mark.parametrize("language", ["fa", "en"])
def test_texts_are_stopped_and_started_again(menus: Menus, language: str) -> None:
    caller = Caller(menus, ROOT, language=language)
    caller.types("9", "4")
    assert caller.at == "out.ask"
    assert "12" in caller.types("1")
    caller.types("0", "9", "4")
    assert caller.at == "in.ask"
    assert "11" in caller.types("1")
    assert [e.name for e in caller.done] == ["stop_texts", "start_texts"]


def test_the_report_is_read_and_texted(menus: Menus) -> None:
    caller = Caller(menus, ROOT)
    assert caller.types("9", "5").startswith("ثبت ۷۵۰٬۰۰۰ تومان\nرسیده ۵۰٬۰۰۰")
    assert "1,200" not in caller.text
    assert "۹۰۰" in caller.types("2")
    caller.types("0")
    caller.types("1")
    assert caller.at == "report.sent"
    assert [e.name for e in caller.done] == ["text_report"]


@pytest.mark.parametrize("language", ["fa", "en"])
def test_about_names_the_organiser_the_permit_and_a_number(
    menus: Menus, language: str
) -> None:
    caller = Caller(menus, ROOT, language=language)
    text = caller.types("9", "6")
    campaign = menus.campaign
    for word in (campaign.organiser[language], campaign.permit, campaign.contact):
        assert word in text
    caller.types("0")
    assert caller.at == "root.more"
