"""The shipped menus: signing up as a volunteer."""

from __future__ import annotations

import pytest

from tests.ussd.caller import CODE, Caller
from ussd.menus import Menus

ROOT = "*780*5588#"


def _volunteer(menus: Menus, *typed: str, language: str = "fa") -> Caller:
    caller = Caller(menus, ROOT, language=language)
    caller.types("2", "1", *typed)
    return caller


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        (["1", "1234"], {"place_kind": "centre", "place": "1234"}),
        (["1", "۱۲۳۴"], {"place_kind": "centre", "place": "1234"}),
        (["1", "9"], {"place_kind": "unknown", "place": ""}),
        (["2", "1417653411"], {"place_kind": "postcode", "place": "14176"}),
        (["2", "۱۴۱۷۶۵۳۴۱۱"], {"place_kind": "postcode", "place": "14176"}),
        (
            ["3", "قم", "قنوات"],
            {"place_kind": "town", "place": "قنوات", "province": "25", "district": ""},
        ),
        (
            ["3", "تهران", "تهران", "5"],
            {"place_kind": "town", "place": "تهران", "province": "23", "district": "5"},
        ),
        (
            ["3", "Tehran", "TEHRAN", "۲۲"],
            {
                "place_kind": "town",
                "place": "TEHRAN",
                "province": "23",
                "district": "22",
            },
        ),
        (
            ["3", "تهران", "تهران", "00"],
            {"place_kind": "town", "place": "تهران", "province": "23", "district": ""},
        ),
        (["4"], {"place_kind": "unknown", "place": "", "province": "", "district": ""}),
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
    caller.types("\U000103a0" * 8)
    assert caller.at == "vol.skill"
