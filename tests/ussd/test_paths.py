"""What the prover knows of sub-flows, of back and home, and of answers given."""

from __future__ import annotations

import pytest

from phone.encoding import Limits
from tests.ussd.small import small, written
from ussd.faults import Fault
from ussd.prover import Line, prove
from ussd.prover.paths import Paths
from ussd.reading import read

CHANNELS = {"at": Limits()}
LINES = [Line("10001", "")]

# A town is asked for from two places, and the answers before it are known after it.
SUB_FLOW = """
root:
  text: {en: Hello}
  choices:
    - {key: "1", label: {en: Parcels}, set: {what: parcels}, via: place, to: said}
    - {key: "2", label: {en: Hours}, via: place, to: hours}
    - {key: "0", label: {en: Leave}, to: bye}
place:
  text: {en: Which town?}
  ask: {answer: town, kind: text, min: 2, max: 9}
  then: return
  choices: [{key: "0", label: {en: Back}, to: back}]
hours:
  text: {en: "Hours in {town}?"}
  ask: {answer: what, kind: number, min: 1, max: 9}
  then: said
  choices: [{key: "0", label: {en: Home}, to: home}]
said:
  text: {en: "So: {what} in {town}"}
  choices: [{key: "0", label: {en: Leave}, to: bye}]
"""


def faults(screens: str, top: str = "") -> list[Fault]:
    return prove(small(screens, top), channels=CHANNELS, lines=LINES)


def whats(screens: str, top: str = "") -> set[str]:
    return {fault.what for fault in faults(screens, top)}


def test_an_answer_before_a_sub_flow_is_known_after_it() -> None:
    assert faults(SUB_FLOW) == []


def test_each_way_into_a_sub_flow_goes_on_where_it_said() -> None:
    paths = Paths(small(SUB_FLOW))
    states = set(zip(paths.screens, paths.returns, strict=True))
    assert ("place", ("said",)) in states
    assert ("place", ("hours",)) in states
    assert ("said", ()) in states
    assert paths.reached["said"] == 3


def test_an_answer_that_one_way_into_a_sub_flow_lacks_is_found() -> None:
    changed = SUB_FLOW.replace("set: {what: parcels}, ", "")
    assert whats(changed) == {
        "said speaks of 'what', which not every way to it asks for"
    }


def test_a_sub_flow_that_is_left_by_another_door_keeps_what_it_owes() -> None:
    """Who leaves by the name of a screen comes to enter it within itself."""
    changed = SUB_FLOW.replace("to: back}", "to: root}")
    assert whats(changed) == {"the sub-flow place is entered more than 4 deep"}


def test_a_way_back_to_where_one_could_leave_is_a_way_out() -> None:
    alone = """
    root:
      text: {en: Hello}
      choices:
        - {key: "1", label: {en: News}, to: news}
        - {key: "0", label: {en: Leave}, to: bye}
    news:
      text: {en: No news}
      choices: [{key: "0", label: {en: Back}, to: WORD}]
    """
    for word in ("back", "home"):
        assert faults(alone.replace("WORD", word)) == []


def test_two_screens_that_lead_back_to_each_other_have_no_way_out() -> None:
    trap = """
    root:
      text: {en: Hello}
      choices:
        - {key: "1", label: {en: In}, to: one}
        - {key: "0", label: {en: Leave}, to: bye}
    one:
      text: {en: One}
      choices: [{key: "0", label: {en: On}, to: two}]
    two:
      text: {en: Two}
      choices: [{key: "0", label: {en: Back}, to: back}]
    """
    assert whats(trap) == {
        "from one there is no way to an end",
        "from two there is no way to an end",
    }


SENSITIVE = """
root:
  text: {en: Hello}
  choices:
    - {key: "1", label: {en: I agree}, CONSENT to: vol.ill}
    - {key: "0", label: {en: Leave}, to: bye}
vol.ill:
  text: {en: Are you ill?}
  ask: {answer: ill, kind: yes_no, sensitive: true}
  then: vol.said
  choices: [{key: "0", label: {en: Leave}, to: bye}]
vol.said:
  text:
    - {when: ill == 'yes', en: Get well.}
    - {en: Stay well.}
  choices:
    - {key: "0", label: {en: Leave}, to: bye}
"""


def test_a_consent_before_a_sensitive_question_is_enough() -> None:
    assert faults(SENSITIVE.replace("CONSENT", "consent: true,")) == []
    (what,) = whats(SENSITIVE.replace("CONSENT", ""))
    assert what.startswith("vol.ill asks for 'ill', which is sensitive")


FLOWS = "flows: {vol: {title: {en: Volunteers}}, gift: {title: {en: Gifts}}}"
ASKED_FIRST = """
root:
  text: {en: Hello}
  choices:
    - {key: "1", label: {en: Gifts}, to: gift.agree}
    - {key: "0", label: {en: Leave}, to: bye}
gift.agree:
  text: {en: May we keep it?}
  choices:
    - {key: "1", label: {en: I agree}, consent: true, to: gift.news}
    - {key: "0", label: {en: Leave}, to: bye}
gift.news:
  text: {en: We thank you}
  choices:
    - {key: "1", label: {en: Volunteer}, to: vol.ill}
    - {key: "0", label: {en: Leave}, to: bye}
"""


def test_a_consent_within_one_flow_is_none_in_another() -> None:
    rest = SENSITIVE[SENSITIVE.index("vol.ill:") :]
    found = whats(ASKED_FIRST + rest, FLOWS)
    (what,) = (what for what in found if "consent" in what)
    assert what.startswith("vol.ill asks for 'ill', which is sensitive")


def test_a_consent_asked_for_in_a_sub_flow_is_given_to_its_caller() -> None:
    called = ASKED_FIRST.replace(
        "to: gift.agree}", "via: vol.agree, to: vol.ill}"
    ).replace("gift.agree:", "vol.agree:")
    called = called.replace("consent: true, to: gift.news", "consent: true, to: return")
    called = called[: called.index("gift.news:")]
    rest = SENSITIVE[SENSITIVE.index("vol.ill:") :]
    flows = "flows: {vol: {title: {en: Volunteers}}}"
    assert faults(called + rest, flows) == []


def test_a_sensitive_answer_is_forgotten_when_its_flow_is_left() -> None:
    told = SENSITIVE.replace("CONSENT", "consent: true,")
    told = told.replace(
        "vol.said:",
        "after:\n  text: {en: 'You said {ill}'}\n"
        '  choices: [{key: "0", label: {en: Leave}, to: bye}]\nvol.said:',
    ).replace(
        "    - {en: Stay well.}\n  choices:\n",
        "    - {en: Stay well.}\n  choices:\n"
        '    - {key: "1", label: {en: On}, to: after}\n',
    )
    flows = "flows: {vol: {title: {en: Volunteers}}}"
    assert whats(told) == set()
    assert whats(told, flows) == {
        "after speaks of 'ill', which not every way to it asks for"
    }


@pytest.mark.parametrize(
    ("made", "says"),
    [
        ("set: {hours: '{ill}'}, do: sign_up", "sign_up needs"),
        ("set: {time: '{ill}'}, do: sign_up", "sign_up writes down 'time', which is"),
    ],
)
def test_a_sensitive_answer_is_followed_into_what_is_made_of_it(
    made: str, says: str
) -> None:
    screens = SENSITIVE.replace("CONSENT", "consent: true,").replace(
        "vol.said:\n", "vol.said:\n  confirm: true\n"
    )
    screens = screens.replace(
        "    - {en: Stay well.}\n  choices:\n",
        "    - {en: Stay well.}\n  choices:\n"
        f'    - {{key: "1", label: {{en: On}}, {made}, to: bye}}\n',
    )
    source = written(screens).replace(
        "texts: {}",
        "texts:\n"
        "  sms.vol: {kind: receipt, text: {en: Saved}}\n"
        "  sms.vol.again: {kind: receipt, text: {en: Saved}}",
    )
    found = prove(read(source, time_zone="UTC"), channels=CHANNELS, lines=LINES)
    assert any(fault.what.startswith(says) for fault in found), found
