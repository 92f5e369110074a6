"""How long a deed takes, and what a carrier that waits less refuses."""

from __future__ import annotations

import pytest

from phone.encoding import Limits
from tests.ussd.small import small
from ussd.menus import Menus
from ussd.prover import Line, Timers, examine, prove

CHANNELS = {"at": Limits()}
LINES = [Line("10001", "لغو۱۱")]


def reaches(menus: Menus) -> dict[tuple[str, str, str], tuple[int, int]]:
    proof = examine(menus, channels=CHANNELS, lines=LINES)
    assert proof.faults == []
    return {(r.flow, r.deed, r.code): (r.screens, r.seconds) for r in proof.reaches}


def test_a_gift_takes_four_screens_from_its_own_code(menus: Menus) -> None:
    found = reaches(menus)
    screens, seconds = found["give", "pledge", "*780*5588*1#"]
    assert screens == 4
    assert 20 < seconds < 60
    assert found["give", "pledge", "*780*5588#"][0] == 5
    assert found["vol", "sign_up", "*780*5588#"][0] == 7


def test_every_deed_is_told_from_every_code(menus: Menus) -> None:
    found = reaches(menus)
    deeds = {(flow, deed) for flow, deed, _ in found}
    assert ("give", "pledge") in deeds
    assert ("", "stop_texts") in deeds
    cancelling = {code for _, deed, code in found if deed == "cancel"}
    assert cancelling >= {"*780#", "*780*5588#", "*780*5588*1#"}
    # Nobody gets back to the gifts from where hours are confirmed or a helper writes.
    assert cancelling <= set(menus.dialled)


def test_a_flow_without_a_deed_is_told_to_its_end() -> None:
    screens = """
    root:
      text: {en: Hello}
      choices:
        - {key: "1", label: {en: News}, to: news.first}
        - {key: "0", label: {en: Leave}, to: bye}
    news.first:
      text: {en: First}
      choices: [{key: "0", label: {en: On}, to: news.last}]
    news.last: {end: true, text: {en: Last}}
    """
    found = reaches(small(screens, "flows: {news: {title: {en: News}}}"))
    # Three networks of 2 s; "Hello" and its keys are 19 letters, "First" and its key
    # ten, at ten a second; two answers of 3 s.
    assert found == {("news", "end", "*1#"): (3, 15)}


def test_a_way_longer_than_the_carrier_keeps_a_call_is_found(menus: Menus) -> None:
    timers = {"at": Timers(session_seconds_max=60)}
    found = prove(menus, channels=CHANNELS, lines=LINES, timers=timers)
    (fault,) = (f for f in found if f.what.startswith("sign_up takes "))
    assert fault.what.endswith("and at ends a call after 60")
    assert fault.line > 1


def test_a_screen_that_takes_longer_than_the_carrier_waits_is_found(
    menus: Menus,
) -> None:
    timers = {"at": Timers(answer_seconds_max=12)}
    found = prove(menus, channels=CHANNELS, lines=LINES, timers=timers)
    assert any(f.what.startswith("vol.postcode takes ") for f in found)
    assert all(f.what.endswith("at waits for 12") for f in found)


@pytest.mark.parametrize("channel", ["at", "other"])
def test_only_the_channel_that_waits_less_is_named(menus: Menus, channel: str) -> None:
    rooms = {"at": Limits(), "other": Limits()}
    timers = {channel: Timers(answer_seconds_max=5)}
    found = prove(menus, channels=rooms, lines=LINES, timers=timers)
    assert found
    assert {fault.what.split(" and ")[-1] for fault in found} == {
        f"{channel} waits for 5"
    }
