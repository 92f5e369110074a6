"""A file that begins to have short forms has them wherever they are needed."""

from __future__ import annotations

from dataclasses import replace

from phone.encoding import Limits
from tests.ussd.test_latin import LISTS, ROOT, SHORTCUT, bilingual
from ussd.faults import Fault
from ussd.menus import Menus
from ussd.prover import Line, prove

CHANNELS = {"at": Limits(), "old": Limits()}
LINES = [Line("10001", "")]


def faults(menus: Menus, *gsm7_only: str) -> list[Fault]:
    return prove(menus, channels=CHANNELS, lines=LINES, gsm7_only=gsm7_only)


def whats(menus: Menus, *gsm7_only: str) -> set[str]:
    return {fault.what for fault in faults(menus, *gsm7_only)}


WHOLE = ROOT.replace('{fa: "x", en: Town}', '{fa: "شهر", fa-gsm7: Shahr, en: Town}')


def menus_of(screens: str, lists: str = LISTS) -> Menus:
    # Titles of a list are no ways into it: what is tried is the wording.
    return bilingual(screens, lists + SHORTCUT)


# They repeat what a person or an operator typed, which may be Persian: whoever connects
# a channel without it is told, and writes a form that leaves it out.
SHOWING_WHAT_WAS_TYPED = {
    *("vol.see.place", "centre.one", "centre.done.ask", "centre.confirm.ask"),
    *("ben.res", "benmeet.ask", "ben.sec.claims", "ben.sec.one"),
}


def test_the_shipped_menus_but_what_was_typed_can_be_shown_without_persian(
    menus: Menus,
) -> None:
    found = prove(menus, channels=CHANNELS, lines=LINES, gsm7_only=["old"])
    assert {fault.what.split()[0] for fault in found} == SHOWING_WHAT_WAS_TYPED


def form_faults(menus: Menus, *gsm7_only: str) -> set[str]:
    return {w for w in whats(menus, *gsm7_only) if "GSM-7" in w or "old" in w}


def test_a_file_with_every_form_lacks_none() -> None:
    assert form_faults(menus_of(WHOLE), "old") == set()


def test_a_text_without_its_form_is_found_though_no_channel_needs_it() -> None:
    lacking = WHOLE.replace("fa-gsm7: Khoruj, ", "")
    assert form_faults(menus_of(lacking)) == {"root (fa) has no form in GSM-7"}


def test_a_form_that_is_not_gsm7_is_found() -> None:
    wrong = WHOLE.replace("Shahr {town", "Šahr {town")
    assert form_faults(menus_of(wrong)) == {"last (fa) has no form in GSM-7"}


def test_a_title_without_its_form_is_found_where_it_is_read() -> None:
    lists = LISTS.replace("fa-gsm7: Qom, ", "")
    assert form_faults(menus_of(WHOLE, lists)) == {
        "root (fa) has no form in GSM-7",
        "last (fa) has no form in GSM-7",
    }


def test_a_form_that_is_too_long_is_found_on_the_channel_that_shows_it() -> None:
    long = WHOLE.replace("Shahr {town", "Shahr " * 30 + "{town")
    assert form_faults(menus_of(long)) == set()
    (what,) = form_faults(menus_of(long), "old")
    assert what.startswith("last (fa) can be ")
    assert what.endswith(" over on old")


def test_a_file_in_persian_alone_cannot_be_shown_there(menus: Menus) -> None:
    assert whats(replace(menus, latin=None), "old") == {
        "no language of this file can be shown on old"
    }
