"""Menus for a channel that shows GSM-7 only."""

from __future__ import annotations

from phone.encoding import gsm7_septets
from tests.ussd.caller import Caller
from tests.ussd.small import written
from ussd.machine import notice
from ussd.menus import Menus
from ussd.reading import read

ROOT = """
root:
  text:
    fa: "سلام {amount|toman} {call|dialled}"
    fa-gsm7: "Salam {amount|toman} {call|dialled}"
    en: Hello
  list: towns
  pick: town
  then: last
  choices:
    - {key: "0", label: {fa: "خروج", fa-gsm7: Khoruj, en: Leave}, to: bye}
last:
  text:
    - when: language == 'fa'
      fa: "شهر {town|title('towns')}"
      fa-gsm7: "Shahr {town|title('towns')}"
      en: Town
    - {fa: "x", en: Town}
  choices: [{key: "0", to: bye}]
"""
LISTS = 'lists: {towns: {qom: {fa: "قم", fa-gsm7: Qom, en: Qom}}}\n'
SHORTCUT = "shortcuts: {five: {to: root, set: {amount: '50000'}}}\n"


def bilingual(screens: str = ROOT, top: str = LISTS + SHORTCUT) -> Menus:
    source = written(screens, top, changed={"languages: [en]": "languages: [fa, en]"})
    source = source.replace('"*1*5#": door', '"*1*5#": five')
    # Every text of the rest is the same in both.
    lines = [
        line.replace("{en: ", "{fa: سلام, fa-gsm7: S, en: ")
        if "fa:" not in line
        else line
        for line in source.splitlines()
    ]
    return read("\n".join(lines), time_zone="Asia/Tehran")


def test_a_language_with_short_forms_is_shown_in_them() -> None:
    menus = bilingual()
    assert menus.latin is not None
    assert menus.latin.languages == ("fa", "en")
    caller = Caller(menus.latin, "*1*5#")
    assert caller.text == "Salam 5,000 *1#\n1 Qom\n0 Khoruj"
    assert caller.types("1") == "Shahr Qom"
    assert notice(menus.latin, "wrong", "fa") == "S"


def test_elsewhere_the_plain_text_stands_without_its_short_form() -> None:
    menus = bilingual()
    caller = Caller(menus, "*1*5#")
    assert caller.text == "سلام ۵٬۰۰۰ \u200e*1#\u200e\n1 قم\n0 خروج"
    assert caller.types("1") == "شهر قم"
    for screen in menus.screens.values():
        for variant in screen.variants:
            assert set(variant.text) == {"fa", "en"}


def test_a_session_goes_on_between_the_two() -> None:
    menus = bilingual()
    assert menus.latin is not None
    assert menus.latin.hash == menus.hash
    caller = Caller(menus, "*1*5#")
    caller.menus = menus.latin
    assert caller.types("1") == "Shahr Qom"


def test_a_language_without_short_forms_is_not_spoken_there(menus: Menus) -> None:
    assert menus.latin is not None
    assert menus.latin.languages == ("en",)
    caller = Caller(menus.latin, "*780*5588#", language="fa")
    assert caller.text.startswith("Welcome to 1+1")
    assert notice(menus.latin, "bye", "fa") == notice(menus, "bye", "en")
    caller.types("1", "50000", "1")
    assert "50,000 toman" in caller.text
    assert caller.session.language == "fa"
    assert all(gsm7_septets(text) is not None for text in caller.texts)


def test_without_any_language_for_it_there_are_no_such_menus() -> None:
    source = written(
        """
        root: {text: {fa: "سلام"}, choices: [{key: "0", to: bye}]}
        """,
        changed={"languages: [en]": "languages: [fa]"},
    ).replace("{en: ", "{fa: ")
    assert read(source, time_zone="Asia/Tehran").latin is None


def test_texts_that_are_sent_do_not_decide_what_is_spoken(source: str) -> None:
    changed = source.replace(
        'en: "1+1: campaign SMS are on."', 'en: "1+1: «on» again."'
    )
    assert changed != source
    latin = read(changed, time_zone="Asia/Tehran").latin
    assert latin is not None
    assert latin.languages == ("en",)
