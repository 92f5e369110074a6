from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone.encoding import Limits, excess
from tests.ussd.caller import Caller
from ussd.menus import Menus
from ussd.paging import ITEMS_A_PAGE_MAX
from ussd.screen import Page, page, with_notice

ROOMS = [Limits(), Limits(182, 80), Limits(120, 60)]


def _pages(
    menus: Menus, titles: Sequence[str], limits: Limits, language: str = "fa"
) -> list[Page]:
    """Every page of the provinces' screen, listing these instead."""
    items = [{"value": str(n), "title": title} for n, title in enumerate(titles)]
    pages: list[Page] = []
    while not pages or pages[-1].more:
        pages.append(
            page(
                menus,
                menus.screens["vol.province"],
                {"language": language},
                language,
                items=items,
                number=len(pages),
                limits=limits,
            )
        )
        assert len(pages) <= len(titles) + 1
    return pages


@pytest.mark.parametrize("limits", ROOMS)
@pytest.mark.parametrize("language", ["fa", "en"])
def test_every_province_is_on_one_page_and_whole(
    menus: Menus, language: str, limits: Limits
) -> None:
    titles = [words[language] for _, words in menus.lists["provinces"]]
    pages = _pages(menus, titles, limits, language)
    shown = [
        line.partition(" ")[2]
        for one in pages
        for line in one.text.splitlines()[1 : 1 + len(one.values)]
    ]
    assert shown == titles
    for one in pages:
        assert excess(one.text, limits) == 0
        assert 1 <= len(one.values) <= ITEMS_A_PAGE_MAX
        assert ("9 بیشتر" in one.text or "9 More" in one.text) is one.more


@given(
    titles=st.lists(st.text(alphabet="ابپت چ", min_size=1, max_size=20), max_size=40)
)
def test_every_item_is_reachable_and_none_is_cut(
    menus: Menus, titles: list[str]
) -> None:
    pages = _pages(menus, titles, Limits())
    values = [value for one in pages for value in one.values]
    assert values == [str(number) for number in range(len(titles))]
    for one in pages:
        assert excess(one.text, Limits()) == 0
        for value in one.values:
            assert titles[int(value)] in one.text


def test_a_page_has_keys_1_to_8_for_its_items(menus: Menus) -> None:
    first = _pages(menus, list("ابپتثجچحخدذرز"), Limits(182, 80))[0]
    assert first.values == tuple("01234567")
    assert first.text.splitlines()[8:] == ["8 ح", "9 بیشتر", "0 بازگشت"]


def test_a_page_beyond_the_last_is_the_last(menus: Menus) -> None:
    last = _pages(menus, ["تهران"] * 20, Limits())[-1]
    items = [{"value": str(n), "title": "تهران"} for n in range(20)]
    beyond = page(
        menus,
        menus.screens["vol.province"],
        {"language": "fa"},
        "fa",
        items=items,
        number=99,
        limits=Limits(),
    )
    assert beyond == last


def test_a_screen_without_a_list_is_its_text_and_its_keys(menus: Menus) -> None:
    screen = menus.screens["lang.done"]
    laid = page(menus, screen, {"language": "fa"}, "fa", limits=Limits())
    assert laid == Page("زبان شما فارسی شد.\n0 بازگشت")


def test_a_key_without_a_label_is_not_shown(menus: Menus) -> None:
    assert "\n0" not in Caller(menus, "*780*5588#").text


def test_many_pledges_page_themselves(menus: Menus) -> None:
    pledges = [
        {
            "value": str(100_000_000 + n),
            "state": "written_off",
            "amount": 500_000_000 - n,
        }
        for n in range(12)
    ]
    caller = Caller(menus, "*780*5588#", pledges=pledges)
    caller.types("4")
    seen = list(caller.session.items)
    while "9 بیشتر" in caller.text:
        caller.types("9")
        seen += caller.session.items
    assert seen == [pledge["value"] for pledge in pledges]


def test_the_number_picked_is_that_of_the_page_that_was_read(menus: Menus) -> None:
    pledges = [
        {"value": str(100_000_000 + n), "state": "open", "amount": 20_000}
        for n in range(12)
    ]
    caller = Caller(menus, "*780*5588#", pledges=pledges)
    caller.types("4", "9")
    second = caller.session.items
    # Another pledge appears before the answer is typed.
    caller.pledges.insert(0, {"value": "999999999", "state": "open", "amount": 20_000})
    caller.types("1")
    assert caller.session.answers["pledge"] == second[0]


def test_a_notice_that_does_not_fit_is_not_put_in_front() -> None:
    room = Limits(160, 70)
    assert with_notice("ا" * 30, "ب" * 39, room) == "ا" * 30 + "\n" + "ب" * 39
    assert with_notice("ا" * 30, "ب" * 40, room) is None


def test_every_line_of_a_screen_is_for_the_language_of_the_caller(menus: Menus) -> None:
    screen = replace(menus.screens["st.none"])
    laid = page(menus, screen, {"language": "en"}, "en", limits=Limits())
    assert laid.text.isascii()
