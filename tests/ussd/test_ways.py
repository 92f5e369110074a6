"""The shipped menus: gifts of each month, in parts, of goods, in the name of others;
what became of a gift; and who wants to be forgotten."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ussd.caller import CODE, Caller
from ussd.menus import Menus

ROOT = "*780*5588#"
# From the first screen to the other ways to give.
WAYS = ("9", "9", "7")
MONTHLY = {"value": "100000006", "purpose": "needed", "amount": 500_000}


def _pledge(**more: Any) -> dict[str, Any]:
    return {"value": CODE, "state": "open", "amount": 750_000, **more}


@pytest.mark.parametrize("language", ["fa", "en"])
@pytest.mark.parametrize(
    ("key", "deed", "end"),
    [("1", "standing", "give.monthly"), ("2", "instalments", "give.done")],
)
def test_a_gift_is_given_every_month_or_in_parts(
    menus: Menus, language: str, key: str, deed: str, end: str
) -> None:
    caller = Caller(menus, ROOT, language=language)
    caller.types(*WAYS, key, "75000", "2")
    assert caller.at == "give.confirm"
    words = {"1": ("هر ماه", "Every month"), "2": ("سه‌ماهه", "three months")}[key]
    assert words[language == "en"] in caller.text
    caller.types("1")
    assert caller.at == end
    (done,) = caller.done
    assert (done.name, done.answers["amount"]) == (deed, "750000")


def test_who_goes_back_to_the_beginning_gives_once_again(menus: Menus) -> None:
    caller = Caller(menus, ROOT)
    caller.types(*WAYS, "1", "0", "1", "75000", "1", "1")
    (done,) = caller.done
    assert (done.name, done.answers["plan"]) == ("pledge", "")


def test_an_organisation_gives_as_one(menus: Menus) -> None:
    caller = Caller(menus, ROOT)
    caller.types(*WAYS, "3", "75000", "1", "1")
    (done,) = caller.done
    assert (done.name, done.answers["donor_kind"]) == ("pledge", "organisation")


@pytest.mark.parametrize("typed", ["1001", "۱۰۰۱", " 1001 "])
def test_a_cohort_is_named_before_it_gives(menus: Menus, typed: str) -> None:
    caller = Caller(menus, ROOT)
    caller.types(*WAYS, "4", typed)
    assert caller.at == "give.cohort.is"
    assert "همکاران پویش" in caller.text
    caller.types("1", "75000", "1", "1")
    (done,) = caller.done
    assert (done.answers["donor_kind"], done.answers["cohort"]) == ("cohort", "1001")


@pytest.mark.parametrize("typed", ["1002", "100", "abc", "", "10011"])
def test_a_cohort_that_nobody_has_is_asked_for_again(menus: Menus, typed: str) -> None:
    caller = Caller(menus, ROOT)
    caller.types(*WAYS, "4", typed)
    assert caller.at == "give.cohort.bad"
    caller.types("1001")
    assert caller.at == "give.cohort.is"


@pytest.mark.parametrize("language", ["fa", "en"])
def test_goods_are_promised_with_where_to_bring_them(
    menus: Menus, language: str
) -> None:
    caller = Caller(menus, "*780*5588*1#", language=language)
    caller.types("4", "1", "12")
    assert caller.at == "give.bring"
    assert menus.campaign.bring_to[language] in caller.text
    assert caller.done == []
    caller.types("1")
    assert caller.ends
    assert CODE in caller.text
    (done,) = caller.done
    assert done.name == "pledge_in_kind"
    assert (done.answers["goods"], done.answers["count"]) == ("food", "12")


@pytest.mark.parametrize("typed", ["0", "1001", "-1", "1.5", "many"])
def test_a_number_of_goods_that_is_none_is_asked_for_again(
    menus: Menus, typed: str
) -> None:
    caller = Caller(menus, "*780*5588*1#")
    caller.types("4", "1", typed)
    assert caller.at == ("give.goods" if typed == "0" else "give.count.bad")
    assert "count" not in caller.session.answers


def test_the_amount_screen_of_a_plan_offers_no_goods(menus: Menus) -> None:
    caller = Caller(menus, ROOT)
    assert "کالا" not in caller.types(*WAYS, "1")


def test_a_monthly_gift_is_ended_on_a_screen_that_was_read(menus: Menus) -> None:
    caller = Caller(menus, ROOT, standings=[MONTHLY])
    caller.types(*WAYS, "5")
    assert "۵۰٬۰۰۰" in caller.text
    caller.types("1", "1")
    assert caller.at == "month.stop"
    assert caller.done == []
    caller.types("1")
    assert caller.at == "month.stopped"
    assert [(e.name, e.answers["standing"]) for e in caller.done] == [
        ("stop_standing", "100000006")
    ]
    caller.types("0", *WAYS, "5")
    assert caller.at == "month.none"


@pytest.mark.parametrize("language", ["fa", "en"])
def test_of_a_part_paid_pledge_the_rest_is_paid_or_cancelled(
    menus: Menus, language: str
) -> None:
    one = _pledge(state="part_paid", paid=250_000)
    caller = Caller(menus, ROOT, language=language, pledges=[one])
    rest = "۵۰٬۰۰۰" if language == "fa" else "50,000"
    paid = "۲۵٬۰۰۰" if language == "fa" else "25,000"
    assert paid in caller.types("4", "1")
    assert rest in caller.types("1")
    assert rest in caller.types("0", "2")
    said = caller.types("1")
    assert caller.at == "st.cancelled"
    assert paid in said
    assert "مبلغی دریافت نشده" not in said
    assert "Nothing had been taken" not in said


@pytest.mark.parametrize("state", ["paid", "refunded", "written_off", "expired"])
def test_what_is_closed_can_be_looked_at_only(menus: Menus, state: str) -> None:
    caller = Caller(menus, ROOT, pledges=[_pledge(state=state)])
    caller.types("4", "1")
    for key in ("1", "2"):
        caller.types(key)
        assert caller.at == "st.one"
    caller.types("3")
    assert caller.at == "st.proof"


def test_goods_are_counted_and_have_a_place(menus: Menus) -> None:
    goods = _pledge(unit="parcel", amount=0, count=3)
    caller = Caller(menus, ROOT, pledges=[goods, _pledge(value="100000006")])
    assert "باز ۳ کالا" in caller.types("4")
    assert "تومان" not in caller.types("1")
    assert "سرای محله" in caller.types("1")
    caller.types("0", "2")
    assert "تومان" not in caller.text
    caller.types("1")
    assert [effect.name for effect in caller.done] == ["cancel"]


def test_what_is_not_sealed_yet_says_so(menus: Menus) -> None:
    caller = Caller(menus, ROOT, pledges=[_pledge()])
    assert "هنوز مهر نشده" in caller.types("4", "1", "3")
    assert "هنوز با آن خریدی نشده" in caller.types("1")


@pytest.mark.parametrize("language", ["fa", "en"])
def test_a_donor_reads_the_seal_and_what_the_gift_became(
    menus: Menus, language: str
) -> None:
    proof = {
        "seal_day": "1405/09/01",
        "seal_number": "10250",
        "fingerprint": "1f0c9a3e",
        "batch_number": "7",
        "batch_bought": 1_200,
        "batch_delivered": 900,
    }
    one = _pledge(state="paid")
    caller = Caller(menus, ROOT, language=language, pledges=[one], proof=proof)
    said = caller.types("4", "1", "3")
    for part in ("1405/09/01", "10250", "1f0c9a3e"):
        assert part in said
    bought, given = ("۱٬۲۰۰", "۹۰۰") if language == "fa" else ("1,200", "900")
    became = caller.types("1")
    assert bought in became
    assert given in became


@pytest.mark.parametrize("language", ["fa", "en"])
def test_who_is_forgotten_agreed_and_leaves_no_answer_in_the_call(
    menus: Menus, language: str
) -> None:
    caller = Caller(menus, ROOT, language=language, pledges=[_pledge()])
    caller.types("4", "1", "0", "0", "9", "9", "8")
    assert caller.at == "erase.ask"
    assert caller.done == []
    assert caller.session.answers["pledge"] == CODE
    caller.types("1")
    assert caller.ends
    assert [effect.name for effect in caller.done] == ["erase"]
    assert caller.session.answers.keys() == {"dialled"}
    assert caller.session.history == ()


def test_who_does_not_want_to_be_forgotten_is_not(menus: Menus) -> None:
    caller = Caller(menus, ROOT)
    caller.types("9", "9", "8", "0")
    assert caller.ends
    assert caller.done == []


def test_the_report_says_what_was_bought_and_what_is_left(menus: Menus) -> None:
    caller = Caller(menus, ROOT, language="en")
    said = caller.types("9", "5", "2")
    assert "bought 1,200, delivered 900" in said
    assert "Not spent yet: 10,000 toman" in said
