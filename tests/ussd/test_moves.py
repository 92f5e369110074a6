"""Back, home, sub-flows, and what is forgotten when a flow is left."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ussd.caller import Caller, through_json
from tests.ussd.small import small
from ussd.machine import Session, begin, resumed
from ussd.menus import Menus
from ussd.steps import BACK_MAX, RETURNS_MAX

WAYS = """
root:
  text: {en: Root}
  choices:
    - {key: "1", label: {en: Give}, to: amount}
    - {key: "2", label: {en: Names}, to: name}
    - {key: "3", label: {en: Deed}, do: start_texts, to: after}
    - {key: "0", to: bye}
amount:
  text: {en: Amount}
  ask: {answer: amount, kind: amount, refused: {bad: amount.bad, small: amount.small}}
  then: name
  choices:
    - {key: "1", label: {en: Much}, set: {amount: "5000"}, to: name}
    - {key: "0", label: {en: Back}, to: back}
    - {key: "00", label: {en: Home}, to: home}
amount.bad: {same: amount, text: {en: Not read}}
amount.small:
  same: amount
  text: {en: "You meant {meant}?"}
  choices:
    - {key: "1", label: {en: "Yes"}, set: {amount: "{meant}"}, to: name}
    - {key: "0", label: {en: Back}, to: back}
name:
  text: {en: "Name? {amount}"}
  ask: {answer: name, kind: text, min: 2, max: 16}
  then: last
  choices:
    - {key: "0", label: {en: Back}, to: back}
    - {key: "00", label: {en: Home}, to: home}
last:
  text: {en: "{name} {amount}"}
  choices:
    - {key: "1", label: {en: Again}, to: amount}
    - {key: "2", label: {en: Done}, do: start_texts, to: after}
    - {key: "3", label: {en: Done}, do: start_texts, to: back}
    - {key: "4", label: {en: Done}, do: start_texts, via: after, to: amount}
    - {key: "0", label: {en: Back}, to: back}
    - {key: "00", label: {en: Home}, to: home}
after:
  text: {en: Done}
  choices:
    - {key: "1", label: {en: On}, to: return}
    - {key: "0", label: {en: Back}, to: back}
"""


@pytest.fixture(scope="module")
def ways() -> Menus:
    return small(WAYS)


# -- back ------------------------------------------------------------------------------


def test_back_leads_to_the_screen_the_caller_came_from(ways: Menus) -> None:
    over_amount, directly = Caller(ways, "*1#"), Caller(ways, "*1#")
    over_amount.types("1", "1", "0")
    assert over_amount.at == "amount"
    directly.types("2", "0")
    assert directly.at == "root"


def test_back_restores_the_answers_as_they_were_before(ways: Menus) -> None:
    caller = Caller(ways, "*1#")
    caller.types("1", "1", "Sara")
    before = dict(caller.session.answers)
    caller.types("1", "600")
    assert caller.session.answers["amount"] == "6000"
    caller.types("0", "0")
    assert caller.at == "last"
    assert caller.session.answers == before
    caller.types("0", "0", "0")
    assert caller.at == "root"
    assert caller.session.answers == {"dialled": "*1#"}


def test_a_screen_that_refused_an_answer_is_no_step_on_the_way_back(
    ways: Menus,
) -> None:
    caller = Caller(ways, "*1#")
    caller.types("1", "abc", "def")
    assert caller.at == "amount.bad"
    caller.types("600", "0")
    assert caller.at == "amount"
    caller.types("abc", "0")
    assert caller.at == "root"


def test_what_a_refusal_supposed_is_undone_too(ways: Menus) -> None:
    caller = Caller(ways, "*1#")
    caller.types("1", "1", "0", "50")
    assert caller.at == "amount.small"
    caller.types("1")
    assert caller.session.answers["amount"] == "500000"
    caller.types("0")
    assert caller.at == "amount"
    assert caller.session.answers == {"dialled": "*1#"}


def test_nothing_that_was_supposed_stays_on_the_way_back(ways: Menus) -> None:
    caller = Caller(ways, "*1#")
    caller.types("1", "50", "60")
    assert (caller.at, caller.session.answers["meant"]) == ("amount.small", "600000")
    caller.types("0")
    assert caller.at == "root"
    assert caller.session.answers == {"dialled": "*1#"}


def test_back_does_not_lead_to_a_screen_that_led_on_at_once() -> None:
    menus = small(
        """
        root:
          text: {en: Root}
          choices:
            - {key: "1", label: {en: Town}, set: {town: Qom}, to: district}
            - {key: "0", to: bye}
        district:
          text: {en: District}
          instead: [{when: "town == 'Qom'", to: skill}]
          ask: {answer: district, kind: number, min: 1, max: 9}
          then: skill
          choices: [{key: "0", to: back}]
        skill:
          text: {en: Skill}
          choices: [{key: "0", label: {en: Back}, to: back}]
        """
    )
    caller = Caller(menus, "*1#")
    caller.types("1")
    assert caller.at == "skill"
    caller.types("0")
    assert caller.at == "root"


def test_nobody_goes_back_over_a_deed(ways: Menus) -> None:
    caller = Caller(ways, "*1#")
    caller.types("1", "1", "Sara", "2", "0")
    assert caller.at == "root"
    assert caller.session.answers == {"dialled": "*1#"}
    assert [effect.name for effect in caller.done] == ["start_texts"]


def test_a_deed_that_leads_back_leads_home(ways: Menus) -> None:
    caller = Caller(ways, "*1#")
    caller.types("1", "1", "Sara", "3")
    assert caller.at == "root"
    assert caller.session.answers == {"dialled": "*1#"}


def test_a_deed_may_lead_through_a_sub_flow(ways: Menus) -> None:
    caller = Caller(ways, "*1#")
    caller.types("1", "1", "Sara", "4")
    assert caller.at == "after"
    caller.types("1")
    assert caller.at == "amount"


AUTUMN = """
  autumn:
    {title: {en: A}, organiser: {en: O}, permit: "1", contact: "2",
     call: "*1#", pay: "*2#"}
"""


def test_back_and_home_are_of_the_campaign_they_were_in(ways: Menus) -> None:
    menus = small(
        """
        root:
          text: {en: Code?}
          ask: {answer: rest, kind: dial}
          choices: [{key: "0", to: bye}]
        autumn:
          text: {en: Autumn}
          choices:
            - {key: "1", label: {en: Code}, to: root}
            - {key: "0", label: {en: Back}, to: back}
            - {key: "00", label: {en: Home}, to: home}
        """,
        changed={
            '"*1*5#": door': '"*1*5#": {to: autumn, campaign: autumn}',
            "    max: 1000000\n": f"    max: 1000000{AUTUMN}",
        },
    )
    caller = Caller(menus, "*1#")
    caller.types("5")
    assert (caller.at, caller.session.campaign) == ("autumn", "autumn")
    caller.types("0")
    assert (caller.at, caller.session.campaign) == ("root", "spring")
    caller.types("5", "1")
    caller.session = replace(caller.session, campaign="spring", at="autumn")
    caller.types("00")
    assert (caller.at, caller.session.campaign) == ("autumn", "autumn")


def test_with_nothing_to_go_back_to_back_is_home(ways: Menus) -> None:
    session = Session("name", "spring", "en", {"dialled": "*1*5#"})
    caller = Caller(ways, "*1#")
    caller.session = session
    caller.types("0")
    assert caller.at == "door"


def test_the_way_back_has_a_bound(ways: Menus) -> None:
    caller = Caller(ways, "*1#")
    caller.types("2", "Sara", *["1", "600", "Sara"] * 6)
    assert len(caller.session.history) == BACK_MAX
    caller.types(*["0"] * BACK_MAX)
    assert caller.at == "last"
    caller.types("0")
    assert caller.at == "root"


def test_back_from_a_screen_goes_to_the_page_of_the_list() -> None:
    menus = small(
        """
        root:
          text: {en: Which?}
          list: towns
          pick: town
          then: last
          choices: [{key: "0", to: bye}]
        last:
          text: {en: "{town}"}
          choices: [{key: "0", label: {en: Back}, to: back}]
        """,
        "lists:\n  towns:\n"
        + "".join(f"    t{n}: {{en: Town {n}}}\n" for n in range(20)),
    )
    caller = Caller(menus, "*1#")
    second = caller.types("9")
    caller.types("3")
    assert caller.at == "last"
    assert caller.types("0") == second


# -- home ------------------------------------------------------------------------------


def test_home_is_where_the_dialled_code_led_with_the_answers_of_then(
    ways: Menus,
) -> None:
    caller = Caller(ways, "*1#")
    caller.types("1", "1", "Sara", "00")
    assert caller.at == "root"
    assert caller.session.answers == {"dialled": "*1#"}
    assert caller.session.history == ()


def test_home_keeps_what_the_shortcut_answered() -> None:
    menus = small(
        WAYS,
        "shortcuts:\n  much: {to: name, set: {amount: '9000'}}\n",
        changed={'"*1*5#": door': '"*1*7#": much\n  "*1*5#": door'},
    )
    caller = Caller(menus, "*1*7#")
    assert caller.text.startswith("Name? 9000")
    caller.types("Sara", "1", "600", "00")
    assert caller.at == "name"
    assert caller.session.answers == {"dialled": "*1*7#", "amount": "9000"}


# -- shortcuts -------------------------------------------------------------------------


def test_digits_after_a_shortcut_stop_at_the_first_confirm() -> None:
    menus = small(
        """
        root: {text: {en: Root}, choices: [{key: "0", to: bye}]}
        sure:
          confirm: true
          text: {en: "Stop for {cause}?"}
          choices:
            - {key: "1", label: {en: "Yes"}, do: stop_texts, to: bye}
            - {key: "0", label: {en: "No"}, to: home}
        """,
        "shortcuts:\n  stop: {to: sure, set: {cause: good}}\n",
        changed={'"*1*5#": door': '"*1*5#": stop'},
    )
    caller = Caller(menus, "*1*5*1*1#")
    assert caller.text == "Stop for good?\n1 Yes\n0 No"
    assert caller.done == []
    caller.types("1")
    assert [effect.name for effect in caller.done] == ["stop_texts"]


# -- sub-flows -------------------------------------------------------------------------

PLACES = """
root:
  text: {en: Root}
  choices:
    - {key: "1", label: {en: Help}, via: place.ask, to: skill}
    - {key: "2", label: {en: Parcel}, to: parcel}
    - {key: "0", to: bye}
parcel:
  text: {en: How many?}
  ask: {answer: parcels, kind: number, min: 1, max: 9}
  via: place.ask
  then: sent
  choices: [{key: "0", to: back}]
place.ask:
  text: {en: Where?}
  choices:
    - {key: "1", label: {en: Town}, via: town.ask, to: return}
    - {key: "2", label: {en: Unknown}, set: {place: none}, to: return}
    - {key: "0", label: {en: Back}, to: back}
town.ask:
  text: {en: Which town?}
  ask: {answer: place, kind: text, min: 2, max: 9}
  then: return
  choices: [{key: "0", label: {en: Back}, to: back}]
skill:
  text: {en: "Skill in {place}"}
  choices: [{key: "0", label: {en: Back}, to: back}]
sent:
  text: {en: "{parcels} to {place}"}
  choices: [{key: "0", label: {en: Back}, to: back}]
"""


@pytest.fixture(scope="module")
def places() -> Menus:
    return small(PLACES)


def test_a_sub_flow_returns_to_whoever_called_it(places: Menus) -> None:
    caller = Caller(places, "*1#")
    caller.types("1", "2")
    assert caller.text.startswith("Skill in none")
    caller = Caller(places, "*1#")
    caller.types("2", "3", "2")
    assert caller.text.startswith("3 to none")
    assert caller.session.returns == ()


def test_sub_flows_lie_in_each_other(places: Menus) -> None:
    caller = Caller(places, "*1#")
    caller.types("2", "3", "1")
    assert caller.session.returns == ("sent", "return")
    assert caller.types("Qom").startswith("3 to Qom")


def test_back_leads_into_a_sub_flow_and_out_of_it_again(places: Menus) -> None:
    caller = Caller(places, "*1#")
    caller.types("2", "3", "1", "Qom", "0")
    assert caller.at == "town.ask"
    assert caller.session.returns == ("sent", "return")
    assert "place" not in caller.session.answers
    caller.types("0", "0", "0")
    assert caller.at == "root"
    assert caller.session.returns == ()
    caller.types("1", "1", "Qom")
    assert caller.at == "skill"


def test_a_return_to_nobody_goes_home_and_strands_nobody(places: Menus) -> None:
    caller = Caller(places, "*1#")
    caller.session = Session("town.ask", "spring", "en", {"dialled": "*1#"})
    caller.types("Qom")
    assert caller.at == "root"


def test_sub_flows_without_end_keep_to_their_bound() -> None:
    menus = small(
        """
        root:
          text: {en: Root}
          choices:
            - {key: "1", label: {en: In}, via: root, to: door}
            - {key: "2", label: {en: Out}, to: return}
            - {key: "0", to: bye}
        """
    )
    caller = Caller(menus, "*1#")
    caller.types(*["1"] * 9)
    assert len(caller.session.returns) == RETURNS_MAX
    caller.types("2")
    assert caller.at == "door"


def test_in_a_rebuild_the_way_to_a_deed_leads_through_a_sub_flow() -> None:
    menus = small(
        """
        root:
          text: {en: Root}
          choices:
            - key: "4"
              label: {en: Stop}
              when: not texts_stopped
              via: stop
              to: last
            - {key: "0", to: bye}
        stop:
          confirm: true
          text: {en: Stop?}
          choices:
            - {key: "1", label: {en: "Yes"}, do: stop_texts, to: return}
            - {key: "0", label: {en: Back}, to: back}
        last: {text: {en: Stopped}, choices: [{key: "0", to: bye}]}
        """
    )
    known: dict[tuple[str, int], dict[str, str]] = {("stop_texts", 0): {}}
    rebuilt = Caller(menus, "*1#", ahead="4*1", known=known, texts_stopped=True)
    assert rebuilt.at == "last"
    assert rebuilt.done == []


def test_an_instead_may_return_at_once(places: Menus) -> None:
    menus = small(
        PLACES.replace(
            "text: {en: Where?}",
            "text: {en: Where?}\n  instead: [{when: parcels == '9', to: return}]",
        )
    )
    caller = Caller(menus, "*1#")
    caller.types("2", "9")
    assert caller.at == "sent"
    caller.types("0")
    assert caller.at == "parcel"


# -- flows -----------------------------------------------------------------------------

HEALTH = """
root:
  text: {en: Root}
  choices:
    - {key: "1", label: {en: Health}, to: h.ask}
    - {key: "0", to: bye}
h.ask:
  text: {en: Illness?}
  ask: {answer: illness, kind: text, min: 2, max: 9, sensitive: true}
  then: h.last
  via: door.in
  choices: [{key: "0", to: back}]
h.last:
  text: {en: "Noted: {illness}"}
  choices:
    - {key: "1", label: {en: Leave}, to: root}
    - {key: "2", label: {en: Another}, to: h.ask}
    - {key: "0", label: {en: End}, to: h.end}
h.end: {end: true, text: {en: "Noted: {illness}"}}
door.in:
  text: {en: In}
  choices:
    - {key: "1", label: {en: On}, to: return}
    - {key: "0", label: {en: Back}, to: back}
"""
FLOWS = "flows: {h: {title: {en: Health}, turns_max: 9}, door: {title: {en: Door}}}\n"


def test_a_sensitive_answer_is_forgotten_when_its_flow_is_left() -> None:
    caller = Caller(small(HEALTH, FLOWS), "*1#")
    caller.types("1", "asthma")
    assert caller.at == "door.in"
    assert caller.session.answers["illness"] == "asthma"
    assert caller.types("1").startswith("Noted: asthma")
    caller.types("1")
    assert caller.at == "root"
    assert "asthma" not in repr(caller.session)


def test_what_a_sensitive_answer_was_before_is_forgotten_too() -> None:
    caller = Caller(small(HEALTH, FLOWS), "*1#")
    caller.types("1", "asthma", "1", "2", "flu", "1")
    assert "asthma" in repr(caller.session.history)
    caller.types("1")
    assert caller.at == "root"
    assert "asthma" not in repr(caller.session)


def test_a_sensitive_answer_is_forgotten_at_the_end() -> None:
    caller = Caller(small(HEALTH, FLOWS), "*1#")
    caller.types("1", "asthma", "1")
    assert caller.types("0") == "Noted: asthma"
    assert caller.ends
    assert "asthma" not in repr(caller.session)


def test_going_back_out_of_a_flow_forgets_as_well() -> None:
    caller = Caller(small(HEALTH, FLOWS), "*1#")
    caller.types("1", "asthma", "0", "0")
    assert caller.at == "root"
    assert "asthma" not in repr(caller.session)


def test_a_flow_has_turns_of_its_own() -> None:
    menus = small(HEALTH, FLOWS)
    caller = Caller(menus, "*1#")
    caller.types("1", *["7"] * 8)
    assert not caller.ends
    caller.types("asthma")
    assert caller.ends
    assert caller.text == "Goodbye."


def test_entering_another_flow_counts_its_turns_anew() -> None:
    caller = Caller(small(HEALTH, FLOWS), "*1#")
    for _ in range(4):
        caller.types("1", "asthma", "1", "1")
    assert not caller.ends


def test_a_screen_is_of_the_flow_that_its_name_begins_with() -> None:
    menus = small(HEALTH, FLOWS)
    flows = {name: menus.flow_of(name) for name in ("h.ask", "door.in", "door", "root")}
    assert flows == {"h.ask": "h", "door.in": "door", "door": "", "root": ""}


# -- a session that is kept ------------------------------------------------------------


def test_a_session_with_a_way_back_survives_json(ways: Menus) -> None:
    caller = Caller(ways, "*1#")
    caller.types("1", "abc", "600", "Sara")
    assert caller.session.history
    assert through_json(caller.session) == caller.session


def test_a_session_saved_before_there_was_a_way_back_still_loads() -> None:
    old = {"at": "root", "campaign": "spring", "language": "en", "items": ["a"]}
    session = Session.from_json(json.loads(json.dumps(old)))
    assert session == Session("root", "spring", "en", items=("a",))


def test_what_a_newer_version_saved_is_left_out() -> None:
    newer = {"at": "root", "campaign": "spring", "language": "en", "mood": "good"}
    assert Session.from_json(newer) == Session("root", "spring", "en")


def test_a_resumed_session_stands_where_it_was_with_its_answers(ways: Menus) -> None:
    caller = Caller(ways, "*1#")
    caller.types("1", "600", "!")
    kept = caller.session
    assert kept.wrong == 1
    session = resumed(ways, kept)
    assert (session.at, session.answers) == ("name", kept.answers)
    assert (session.turns, session.flow_turns, session.wrong) == (0, 0, 0)
    assert session.history == kept.history


def test_a_resumed_session_still_stands_in_for_the_screen_that_asked(
    ways: Menus,
) -> None:
    caller = Caller(ways, "*1#")
    caller.types("1", "abc")
    caller.session = resumed(ways, caller.session)
    caller.types("0")
    assert caller.at == "root"


def test_what_is_typed_at_the_door_is_what_was_dialled() -> None:
    menus = small(
        """
        root: {text: {en: Root}, choices: [{key: "0", to: bye}]}
        rest:
          text: {en: Code?}
          ask: {answer: rest, kind: dial}
          choices: [{key: "0", to: bye}]
        last:
          text: {en: Last}
          choices:
            - {key: "1", label: {en: Root}, to: root}
            - {key: "2", label: {en: Home}, to: home}
            - {key: "0", label: {en: Back}, to: back}
        """,
        changed={'"*1*5#": door': '"*1*5#": door\n  "*7#": rest\n  "*7*5#": last'},
    )
    caller = Caller(menus, "*7#")
    caller.types("5", "2")
    begun = begin(menus, "*7*5#", "en")
    assert begun is not None
    assert (caller.at, caller.session.answers) == ("last", begun[0].answers)
    caller = Caller(menus, "*7#")
    caller.types("5", "0")
    assert (caller.at, caller.session.answers) == ("rest", {"dialled": "*7#"})


# -- whatever is typed -----------------------------------------------------------------

KEYS = st.lists(
    st.sampled_from(["0", "00", "1", "2", "3", "4", "600", "50", "Sara", "Qom", "x"]),
    max_size=25,
)
MENUS = {"ways": small(WAYS), "places": small(PLACES), "health": small(HEALTH, FLOWS)}


@given(menus=st.sampled_from(sorted(MENUS)).map(MENUS.__getitem__), keys=KEYS)
def test_no_way_through_back_and_home_breaks_a_session(
    menus: Menus, keys: list[str]
) -> None:
    caller = Caller(menus, "*1#")
    for key in keys:
        if caller.ends:
            break
        caller.types(key)
        assert caller.at in menus.screens
        assert len(caller.session.history) <= BACK_MAX
        assert len(caller.session.returns) <= RETURNS_MAX
        assert through_json(caller.session) == caller.session


@given(menus=st.sampled_from(sorted(MENUS)).map(MENUS.__getitem__), keys=KEYS)
def test_back_undoes_whatever_was_answered_last(menus: Menus, keys: list[str]) -> None:
    caller = Caller(menus, "*1#")
    for key in keys:
        before, deeds = caller.session, len(caller.done)
        caller.types(key)
        if caller.ends:
            break
        went_on = len(caller.session.history) == len(before.history) + 1
        led = {choice.key: choice.to for choice in menus.screens[caller.at].choices}
        refused = caller.session.place or before.place
        if went_on and led.get("0") == "back" and not refused:
            assert len(caller.done) == deeds
            undone = Caller(menus, "*1#")
            undone.session = caller.session
            undone.types("0")
            after = undone.session
            assert (after.at, after.returns) == (before.at, before.returns)
            assert after.answers == before.answers
            assert after.history == before.history
