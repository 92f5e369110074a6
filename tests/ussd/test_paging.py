"""Texts and lists longer than a handset shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone.encoding import Limits, excess
from tests.ussd.caller import Caller
from tests.ussd.small import small
from ussd.menus import Menus
from ussd.screen import Page, page
from ussd.templates import Template

LONG = """
root:
  long: true
  text: {en: "%s"}
  choices:
    - {key: "1", label: {en: Give something}, to: bye}
    - {key: "2", label: {en: Tell me more}, to: door}
    - {key: "0", label: {en: Leave}, to: bye}
"""
WORDS = " ".join(f"word{n}" for n in range(60))
TIGHT = Limits(60, 40)


def pages(
    menus: Menus,
    limits: Limits,
    *,
    screen: str = "root",
    slots: Mapping[str, Any] | None = None,
    items: Sequence[Mapping[str, Any]] = (),
) -> list[Page]:
    found: list[Page] = []
    while not found or found[-1].more:
        found.append(
            page(
                menus,
                menus.screens[screen],
                {"language": "en", **(slots or {})},
                "en",
                items=items,
                number=len(found),
                limits=limits,
            )
        )
        assert len(found) < 200
    return found


def with_text(menus: Menus, source: str) -> Menus:
    """`menus` whose root says something else, read as it stands."""
    root = menus.screens["root"]
    variants = tuple(replace(v, text={"en": Template(source)}) for v in root.variants)
    screens = {**menus.screens, "root": replace(root, variants=variants)}
    return replace(menus, screens=screens)


def said(found: Sequence[Page]) -> list[str]:
    """The lines of every page that are neither keys nor the turning of it."""
    keys = {"9 More", "1 Give something", "2 Tell me more", "0 Leave"}
    return [line for one in found for line in one.text.split("\n") if line not in keys]


@pytest.fixture(scope="module")
def menus() -> Menus:
    return small(LONG % WORDS)


def test_a_long_text_is_read_page_by_page(menus: Menus) -> None:
    caller = Caller(menus, "*1#")
    read = [caller.text]
    while "\n9 More" in caller.text:
        read.append(caller.types("9"))
    assert len(read) == 3
    assert all(excess(text, Limits()) == 0 for text in read)
    assert read[-1].endswith("\n1 Give something\n2 Tell me more\n0 Leave")
    words = [word for text in read for word in text.split() if "word" in word]
    assert words == WORDS.split()


def test_the_other_keys_work_on_every_page(menus: Menus) -> None:
    for turns in range(3):
        caller = Caller(menus, "*1#")
        caller.types(*["9"] * turns, "2")
        assert caller.at == "door"


def test_nine_on_the_last_page_is_a_wrong_key(menus: Menus) -> None:
    caller = Caller(menus, "*1#")
    caller.types("9", "9")
    page_read = caller.session.page
    caller.types("9")
    assert caller.session.wrong == 1
    assert caller.session.page == page_read


def test_a_short_text_is_one_page_whatever_long_says(menus: Menus) -> None:
    found = pages(with_text(menus, "Hello"), Limits())
    assert found == [Page("Hello\n1 Give something\n2 Tell me more\n0 Leave")]


def test_a_page_shows_the_keys_that_still_fit(menus: Menus) -> None:
    first = pages(with_text(menus, "a b " + "c" * 40 + " d"), TIGHT)[0]
    assert first.text.split("\n")[1:] == ["9 More"]
    first = pages(with_text(menus, "a b " + "c" * 50 + " d"), TIGHT)[0]
    assert first.text == "a b\n9 More\n1 Give something\n2 Tell me more\n0 Leave"


@pytest.mark.parametrize("before", range(1, 40, 3))
def test_the_value_of_a_slot_is_never_parted(menus: Menus, before: int) -> None:
    changed = with_text(menus, "x " * before + "for {purpose}, and so on.")
    value = "where it is most needed"
    found = pages(changed, TIGHT, slots={"purpose": value})
    assert len(found) > 1
    assert [line for line in said(found) if f"{value}," in line]


def test_a_word_held_together_by_a_zwnj_is_never_parted(menus: Menus) -> None:
    word = "نیمه\u200cکاره"
    found = pages(with_text(menus, " ".join([word] * 12)), Limits(160, 40))
    assert len(found) > 1
    assert set(" ".join(said(found)).split(" ")) == {word}


def test_lines_of_a_text_stay_lines_within_a_page(menus: Menus) -> None:
    found = pages(with_text(menus, "one\ntwo\n\n" + "three " * 9), TIGHT)
    assert found[0].text.startswith("one\ntwo\n\nthree")


def test_keys_that_do_not_fit_together_get_pages_of_their_own(menus: Menus) -> None:
    found = pages(with_text(menus, "Hello"), Limits(30, 30))
    assert [one.text for one in found] == [
        "Hello\n9 More\n1 Give something",
        "1 Give something\n9 More",
        "2 Tell me more\n0 Leave",
    ]
    for one in found:
        assert excess(one.text, Limits(30, 30)) == 0


def test_as_many_keys_stand_on_a_page_of_their_own_as_fit(menus: Menus) -> None:
    found = pages(with_text(menus, "Hello"), Limits(38, 38))
    assert [one.text for one in found[1:]] == [
        "1 Give something\n2 Tell me more\n9 More",
        "0 Leave",
    ]


def test_a_key_that_the_page_itself_uses_is_shown_on_the_last_page_only() -> None:
    taken = small(LONG.replace('key: "2"', 'key: "9"') % "x")
    found = pages(with_text(taken, "a b " + "c" * 50 + " d"), TIGHT)
    assert found[0].text == "a b\n9 More\n1 Give something\n0 Leave"
    assert found[-1].text.endswith("9 Tell me more\n0 Leave")


def test_a_value_longer_than_a_page_is_parted_between_its_words(menus: Menus) -> None:
    value = " ".join(f"part{n}" for n in range(30))
    found = pages(with_text(menus, "{value}"), TIGHT, slots={"value": value})
    assert " ".join(said(found)).split() == value.split()


AGREED = """
root:
  confirm: true
  text: {en: "%s"}
  choices:
    - {key: "1", label: {en: "Yes"}, do: stop_texts, to: bye}
    - {key: "0", label: {en: "No"}, to: door}
"""


def test_what_is_agreed_to_is_read_to_its_end_first() -> None:
    menus = small(AGREED % WORDS)
    caller = Caller(menus, "*1#")
    caller.types("1", "1")
    assert caller.done == []
    assert caller.text.endswith("\n1 Yes\n0 No")
    caller.types("1")
    assert [effect.name for effect in caller.done] == ["stop_texts"]
    caller = Caller(menus, "*1#")
    caller.types("0")
    assert caller.at == "door"


def test_an_end_of_several_pages_ends_with_the_last() -> None:
    menus = small(
        """
        root: {text: {en: Root}, choices: [{key: "1", to: last}, {key: "0", to: bye}]}
        last: {end: true, long: true, text: {en: "%s"}}
        """.replace("%s", WORDS)
    )
    caller = Caller(menus, "*1#", ahead="1*9")
    read = [caller.text]
    while not caller.ends:
        assert caller.text.endswith("\n9 More")
        read.append(caller.types("7" if len(read) == 1 else "9"))
    assert [w for text in read for w in text.split() if "word" in w] == WORDS.split()


def test_where_nine_is_a_key_it_turns_pages_until_the_last() -> None:
    menus = small(
        LONG.replace('key: "2"', 'key: "9"').replace("long: true", "long: false")
        % WORDS
    )
    caller = Caller(menus, "*1#")
    assert "Tell me more" not in caller.text
    assert "9 Tell me more" in caller.types("9", "9")
    caller.types("9")
    assert caller.at == "door"
    # Who types ahead has read no page: there a key is what it always is.
    assert Caller(menus, "*1#", ahead="9").at == "door"


# -- whatever the text -----------------------------------------------------------------

TEXTS = st.lists(
    st.text(alphabet="abcdefgh\u0627\u0628\u200c€", min_size=1, max_size=12),
    min_size=1,
    max_size=60,
)


@given(
    words=TEXTS,
    glue=st.sampled_from([" ", "\n"]),
    limits=st.sampled_from([Limits(), Limits(182, 80), TIGHT]),
)
def test_every_word_is_on_one_page_and_every_page_fits(
    words: list[str], glue: str, limits: Limits
) -> None:
    menus = with_text(small(LONG % "x"), glue.join(words))
    found = pages(menus, limits)
    for one in found:
        assert excess(one.text, limits) == 0
    assert " ".join(said(found)).split() == " ".join(words).split()
    assert found[-1].text.endswith("0 Leave")


@given(value=st.text(alphabet="abc ضص", max_size=300))
def test_a_value_longer_than_a_page_is_still_sent_in_pages_that_fit(
    value: str,
) -> None:
    menus = with_text(small(LONG % "x"), "{value}.")
    found = pages(menus, TIGHT, slots={"value": value})
    for one in found:
        assert excess(one.text, TIGHT) == 0
    assert "".join("".join(said(found)).split()) == "".join(f"{value}.".split())


# -- lists -----------------------------------------------------------------------------

LISTED = """
root:
  long: true
  text: {en: "%s"}
  list: towns
  pick: town
  then: last
  choices:
    - {key: "00", label: {en: I do not know}, to: door}
    - {key: "0", label: {en: Leave}, to: bye}
last: {text: {en: "{town}"}, choices: [{key: "0", to: bye}]}
"""
TOWNS = "lists:\n  towns:\n" + "".join(
    f"    t{n}: {{en: Town {n}}}\n" for n in range(20)
)


def test_a_long_text_above_a_list_is_read_before_it() -> None:
    menus = small(LISTED % WORDS, TOWNS)
    caller = Caller(menus, "*1#")
    read = [caller.text]
    while "\n9 More" in caller.text:
        read.append(caller.types("9"))
    shown = [line for text in read for line in text.split("\n") if "Town" in line]
    assert [line.partition(" ")[2] for line in shown] == [
        f"Town {n}" for n in range(20)
    ]
    assert [w for text in read for w in text.split() if "word" in w] == WORDS.split()


def test_the_numbers_of_the_first_items_work_on_the_text_above_them() -> None:
    menus = small(LISTED % WORDS, TOWNS)
    assert Caller(menus, "*1#", ahead="2").text == "t1"
    caller = Caller(menus, "*1#")
    assert "Town" not in caller.text
    assert caller.types("2") == "t1"


def test_a_list_that_has_no_room_for_its_keys_goes_on_without_them() -> None:
    menus = small(LISTED % "Which town?", TOWNS)
    items = [{"value": f"t{n}", "title": f"A long town {n}"} for n in range(3)]
    limits = Limits(32, 32)
    found = pages(menus, limits, items=items)
    assert [value for one in found for value in one.values if one.values] == [
        *("t0", "t0", "t1", "t2")
    ]
    for one in found:
        assert excess(one.text, limits) == 0
    assert found[-1].text.endswith("00 I do not know\n0 Leave")
