"""The shipped menus: signing up as a volunteer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.ussd.caller import CODE, Caller
from ussd.menus import Menus

ROOT = "*780*5588#"


CENTRE = {"centre_found": "مرکز نمونه", "centre_kind": "centre"}
TEHRAN = {"town_found": "تهران", "town_has_districts": "yes", "town_districts": 22}


def _volunteer(
    menus: Menus,
    *typed: str,
    language: str = "fa",
    told: Mapping[str, Mapping[str, Any]] | None = None,
) -> Caller:
    told = told or {"centre": CENTRE, "town": {} if "قم" in typed else TEHRAN}
    caller = Caller(menus, ROOT, language=language, told=told)
    caller.types("2", "1", *typed)
    return caller


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        (["1", "1234"], {"place_kind": "centre", "centre_code": "1234"}),
        (["1", "۱۲۳۴"], {"place_kind": "centre", "centre_code": "1234"}),
        (["1", "9"], {"place_kind": "unknown", "centre_code": ""}),
        (["2", "1417653411"], {"place_kind": "postcode", "postcode": "14176"}),
        (["2", "۱۴۱۷۶۵۳۴۱۱"], {"place_kind": "postcode", "postcode": "14176"}),
        (
            ["3", "قم", "قنوات"],
            {"place_kind": "town", "town": "قنوات", "province": "25", "district": ""},
        ),
        (
            ["3", "تهران", "تهران", "5"],
            {"place_kind": "town", "town": "تهران", "province": "23", "district": "5"},
        ),
        (
            ["3", "Tehran", "TEHRAN", "۲۲"],
            {
                "place_kind": "town",
                "town": "TEHRAN",
                "province": "23",
                "district": "22",
            },
        ),
        (
            ["3", "تهران", "تهران", "00"],
            {"place_kind": "town", "town": "تهران", "province": "23", "district": ""},
        ),
        (["4"], {"place_kind": "unknown", "province": "", "district": ""}),
    ],
)
def test_each_kind_of_place_is_signed_up(
    menus: Menus, typed: list[str], place: dict[str, str]
) -> None:
    language = "en" if "Tehran" in typed else "fa"
    caller = _volunteer(menus, *typed, "1", "4", language=language)
    assert caller.at == "vol.confirm"
    assert caller.done == []
    caller.types("1")
    assert caller.ends
    assert CODE in caller.text
    (signed,) = caller.done
    assert (signed.name, signed.campaign) == ("sign_up", "salam-mahalle")
    wanted = {**place, "skill": "teaching", "time": "when-needed"}
    assert wanted.items() <= signed.answers.items()


@pytest.mark.parametrize(
    ("key", "skill"),
    [
        ("1", "teaching"),
        ("2", "company"),
        ("3", "repairs"),
        ("4", "health"),
        ("9", "other"),
    ],
)
def test_each_skill_has_its_key(menus: Menus, key: str, skill: str) -> None:
    assert _volunteer(menus, "4", key).session.answers["skill"] == skill


@pytest.mark.parametrize(
    ("key", "time"),
    [("1", "one-two"), ("2", "three-five"), ("3", "more"), ("4", "when-needed")],
)
def test_each_number_of_hours_has_its_key(menus: Menus, key: str, time: str) -> None:
    assert _volunteer(menus, "4", "1", key).session.answers["time"] == time


def test_who_does_not_consent_is_asked_nothing(menus: Menus) -> None:
    caller = Caller(menus, ROOT)
    caller.types("2", "0")
    assert caller.at == "root"
    assert caller.done == []


def test_who_had_signed_up_before_is_told_so(menus: Menus) -> None:
    caller = Caller(
        menus, ROOT, outcomes={"sign_up": {"code": CODE, "outcome": "already"}}
    )
    caller.types("2", "1", "4", "1", "1", "1")
    assert caller.at == "vol.again"
    assert caller.ends
    assert CODE in caller.text


def test_a_change_of_place_forgets_the_place_before(menus: Menus) -> None:
    caller = _volunteer(menus, "3", "تهران", "تهران", "5", "1", "1")
    caller.types("2", "1", "1234", "1", "1", "1")
    (signed,) = caller.done
    assert signed.answers["place_kind"] == "centre"
    assert (signed.answers["province"], signed.answers["district"]) == ("", "")


def test_a_province_is_found_by_paging_and_its_number(menus: Menus) -> None:
    caller = _volunteer(menus, "3", "9", "9")
    number = next(
        line.split(" ")[0]
        for line in caller.text.splitlines()
        if line.endswith(" تهران")
    )
    caller.types(number)
    assert caller.at == "vol.town"
    assert caller.session.answers["province"] == "23"


@pytest.mark.parametrize(
    ("name", "province"),
    [
        ("تهران", "23"),
        ("كرمان", "08"),  # an Arabic kaf; Kermanshah begins the same
        ("کرمانش", "05"),
        ("چهار محال", "14"),
        ("گيلان", "01"),  # an Arabic yeh
        ("سیستان", "11"),
    ],
)
def test_a_province_is_found_by_its_name_however_it_is_typed(
    menus: Menus, name: str, province: str
) -> None:
    assert _volunteer(menus, "3", name).session.answers["province"] == province


@pytest.mark.parametrize("name", ["خراسان", "آذربایجان", "ک", "Paris", "99", "8"])
def test_a_province_that_is_none_or_several_is_asked_for_again(
    menus: Menus, name: str
) -> None:
    caller = _volunteer(menus, "3")
    shown = caller.text
    caller.types(name)
    assert caller.at == "vol.province"
    assert caller.session.answers.get("province", "") == ""
    assert caller.text in (
        f"{menus.notices['wrong']['fa'].source}\n{shown}",
        menus.notices["err"]["fa"].source,
    )


@pytest.mark.parametrize(
    "typed", ["0141765341", "141765341", "14176534111", "abc", "1"]
)
def test_a_postal_code_has_ten_digits_and_no_leading_zero(
    menus: Menus, typed: str
) -> None:
    caller = _volunteer(menus, "2", typed)
    assert caller.at == "vol.postcode"


def test_only_the_first_half_of_a_postal_code_is_kept(menus: Menus) -> None:
    caller = _volunteer(menus, "2", "1417653411")
    assert "1417653411" not in repr(caller.session)
    assert "53411" not in repr(caller.session)


@pytest.mark.parametrize(
    "typed", ["0912", "1" * 17, "12345678", "ق", "ق\u202eم", "-", "🙂🙂"]
)
def test_a_town_is_a_name_and_not_a_number(menus: Menus, typed: str) -> None:
    caller = _volunteer(menus, "3", "قم", typed)
    assert caller.at == "vol.town"


def test_a_town_with_a_zero_width_joiner_is_a_name(menus: Menus) -> None:
    caller = _volunteer(menus, "3", "قم", "سفید\u200cدشت")
    assert caller.at == "vol.skill"


@pytest.mark.parametrize("typed", ["23", "000", "5a", "-1"])
def test_a_district_is_one_of_twenty_two(menus: Menus, typed: str) -> None:
    caller = _volunteer(menus, "3", "تهران", "تهران", typed)
    assert caller.at == "vol.district"


def test_a_letter_of_two_units_counts_as_two(menus: Menus) -> None:
    caller = _volunteer(menus, "3", "قم", "\U000103a0" * 9)
    assert caller.at == "vol.town"
    caller.types("\U000103a0" * 7)
    assert caller.at == "vol.skill"


def test_which_centre_a_wrong_digit_means_is_asked(menus: Menus) -> None:
    meant = {"centre_meant": "مرکز نمونه", "centre_meant_code": "11023"}
    caller = _volunteer(menus, "1", "11024", told={"centre": meant})
    assert caller.at == "vol.centre.is"
    assert "مرکز نمونه" in caller.text
    caller.types("1")
    assert caller.at == "vol.skill"
    assert caller.session.answers["centre_code"] == "11023"


def test_after_two_tries_of_a_code_it_goes_on_without_a_place(menus: Menus) -> None:
    caller = _volunteer(menus, "1", "11024", told={"centre": {}})
    assert caller.at == "vol.centre.again"
    caller.types("11025")
    assert caller.at == "vol.skill"
    caller.types("1", "4")
    assert caller.text.startswith("محله نامشخص")


def test_by_direct_dial_it_takes_seven_screens(menus: Menus) -> None:
    caller = Caller(menus, "*780*5588*2#", told={"centre": CENTRE})
    caller.types("1", "1", "11023", "1", "4", "1")
    assert caller.ends
    assert len(caller.texts) == 7


def test_a_booth_is_dialled_with_its_code(menus: Menus) -> None:
    caller = Caller(menus, "*780*5588*22*11449#")
    assert caller.at == "vol.consent"
    caller.types("1", "4", "1", "4", "1")
    assert caller.done[0].answers["booth"] == "11449"


def test_a_name_is_given_by_who_wants_to(menus: Menus) -> None:
    caller = _volunteer(menus, "4", "1", "4", "3", "مریم", "1")
    assert caller.done[0].answers["name"] == "مریم"


@pytest.mark.parametrize(
    ("state", "screen"), [("active", "vol.mine"), ("left", "vol.left")]
)
def test_a_second_dial_finds_the_first_sign_up(
    menus: Menus, state: str, screen: str
) -> None:
    mine = {"mine_state": state, "mine_skill": "teaching", "mine_time": "more"}
    caller = Caller(menus, "*780*5588*2#", told={"signup": mine})
    assert caller.at == screen


def test_another_phone_is_forgotten_with_the_call_that_named_it(menus: Menus) -> None:
    caller = Caller(menus, "*780*5588*23*11449#")
    caller.types("1", "1", "1", "9", "0912 123 4567")
    assert caller.at == "entry.confirm"
    assert "912" not in caller.text
    caller.types("1")
    (entered,) = caller.done
    assert entered.name == "enter_for"
    assert entered.answers["other_phone"] == "+989121234567"
    caller.types("0")
    assert "9121234567" not in repr(caller.session)


def test_a_landline_is_no_phone_to_be_written_down(menus: Menus) -> None:
    caller = Caller(menus, "*780*5588*23*11449#")
    caller.types("1", "1", "1", "9", "02188889999")
    assert caller.at == "entry.phone.bad"


def test_a_lost_call_that_signed_up_is_told_again(menus: Menus) -> None:
    mine = {"mine_state": "active", "mine_skill": "teaching", "mine_time": "more"}
    caller = Caller(
        menus,
        ROOT,
        ahead="2*1*4*1*1*1",
        known={("sign_up", 0): {"code": CODE}},
        told={"signup": mine},
    )
    assert caller.at == "vol.done"
    assert CODE in caller.text
    assert caller.done == []
