"""What texts cost, and where keywords may lead."""

from __future__ import annotations

import pytest

from phone.encoding import Encoding, Limits, sms_cost
from sms.keywords import RESERVED
from tests.ussd.small import small
from ussd.faults import Fault
from ussd.menus import Menus
from ussd.prover import Line, Proof, examine
from ussd.prover.costs import TextCost
from ussd.reading import read

LINE = Line("10001", "لغو۱۱")
SCREENS = """
root:
  text: {en: Root}
  choices:
    - {key: "1", label: {en: Stop}, to: ask}
    - {key: "0", to: bye}
ask:
  confirm: true
  text: {en: Stop?}
  choices:
    - {key: "1", label: {en: "Yes"}, do: stop_texts, to: bye}
    - {key: "0", to: root}
out:
  text: {en: Out}
  choices: [{key: "0", to: door}]
"""


def _proof(source: str, *lines: Line) -> Proof:
    menus = read(source, time_zone="Asia/Tehran")
    channels = {"at": Limits()}
    return examine(menus, channels=channels, lines=lines, reserved=RESERVED)


def _costs(said: str, top: str = "", *lines: Line) -> TextCost:
    """What a campaign text of these words costs."""
    menus = small(
        """
        root:
          text: {en: Root}
          choices:
            - {key: "1", label: {en: Door}, to: door}
            - {key: "0", to: bye}
        """,
        "",
        changed={
            "texts: {}": "texts:\n  sms.news: {kind: campaign, stop_line: true, "
            f"{top} text: {{en: '{said}'}}}}"
        },
    )
    proof = examine(menus, channels={"at": Limits()}, lines=lines)
    assert proof.faults == []
    (cost,) = proof.costs
    return cost


def _whats(faults: list[Fault]) -> set[str]:
    return {fault.what for fault in faults}


def test_every_text_of_the_shipped_menus_says_what_it_costs(source: str) -> None:
    proof = _proof(source, LINE)
    menus = read(source, time_zone="Asia/Tehran")
    told = [(cost.name, cost.language) for cost in proof.costs]
    assert told == [(name, of) for name in menus.texts for of in menus.languages]
    for cost in proof.costs:
        usual = {"sms.answer": 4}.get(cost.name, 1)
        assert cost.parts == usual
        assert cost.length <= cost.room
        assert cost.kind == menus.texts[cost.name].kind
        assert bool(cost.stop_line) is menus.texts[cost.name].stop_line


def test_a_file_with_a_fault_says_nothing_of_costs(source: str) -> None:
    proof = _proof(source.replace("to: give.other}", "to: nowhere}"))
    assert proof.faults
    assert proof.costs == []


def test_a_latin_text_goes_in_septets() -> None:
    cost = _costs("a" * 140)
    # A line end and the notice `stop` come with it.
    assert (cost.parts, cost.encoding, cost.length) == (1, Encoding.GSM7, 157)
    assert (cost.room, cost.cut, cost.letter) == (160, 0, "")
    assert cost.stop_line == "Send 11 to stop."


def test_the_letter_that_makes_a_text_dear_is_named_with_its_place() -> None:
    cost = _costs("We" + "\u2019" * 2 + "ll be there" + "." * 60, "parts_max: 2,")
    assert (cost.letter, cost.at, cost.others) == ("\u2019", 3, 1)
    assert (cost.parts, cost.encoding, cost.parts_without) == (2, Encoding.UCS2, 1)
    assert cost.cut == cost.length - 70


@pytest.mark.parametrize(("chars", "parts"), [(143, 1), (144, 2), (289, 2), (290, 3)])
def test_what_is_cut_makes_one_part_fewer(chars: int, parts: int) -> None:
    cost = _costs("a" * chars, "parts_max: 3,")
    assert cost.parts == parts
    if cost.cut:
        shorter = "a" * (chars - cost.cut) + "\n" + cost.stop_line
        assert sms_cost(shorter)[0] == parts - 1
        assert sms_cost(shorter + "a")[0] == parts


def test_a_campaign_text_is_measured_with_the_longest_stop_line(source: str) -> None:
    whats = _whats(_proof(source, LINE, Line("2", "برای لغو عدد ۱۱ بفرستید")).faults)
    assert "sms.campaign (fa) can take 2 parts in ucs2" in whats
    # A line that adds nothing today may be told to tomorrow.
    (cost,) = (
        cost
        for cost in _proof(source, Line("2", "")).costs
        if (cost.name, cost.language) == ("sms.campaign", "fa")
    )
    assert cost.stop_line == "لغو۱۱"


def test_a_text_of_more_parts_than_there_can_be_is_a_fault(source: str) -> None:
    endless = source.replace('"1+1: campaign SMS are on."', '"' + "x" * 50_000 + '"')
    whats = _whats(_proof(endless, LINE).faults)
    assert whats == {"sms.in (en) is longer than any text can be"}


def test_a_choice_is_asked_of_the_longest_flows(source: str) -> None:
    longer = source.replace('{fa: "داوطلبی", en: "Volunteering"}, resume', _LONG_TITLE)
    whats = _whats(_proof(longer, LINE).faults)
    assert whats == {"sms.which (fa) can take 2 parts in ucs2"}


_LONG_TITLE = '{fa: "داوطلبی در محله خودتان", en: "Volunteering"}, resume'


def test_a_keyword_past_the_amount_is_found(source: str) -> None:
    changed = source.replace(
        "    to: give.text\n    rest: give.text",
        "    to: give.confirm\n    set: {purpose: needed}\n    rest: give.text",
    )
    assert _whats(_proof(changed).faults) == {
        "give.confirm speaks of 'amount', which not every way to it asks for",
        "pledge needs 'amount', which is not asked for",
        "standing needs 'amount', which is not asked for",
        "instalments needs 'amount', which is not asked for",
    }


def test_a_keyword_with_all_answers_may_lead_to_the_confirm_screen(source: str) -> None:
    changed = source.replace(
        "    to: give.text\n",
        '    to: give.confirm\n    set: {purpose: needed, amount: "500000"}\n',
    )
    assert _whats(_proof(changed).faults) == set()


def test_a_keyword_makes_no_call_shorter(source: str) -> None:
    """What is dialled has turns enough, whatever can be texted."""
    changed = source.replace("    to: tb.root\n", "    to: tb.venue\n", 1)
    assert changed != source
    changed = changed.replace("turns_max: 40", "turns_max: 6", 1)
    assert "tb.done is farther than 6 turns away" in _whats(_proof(changed).faults)


@pytest.mark.parametrize(
    ("to", "says"),
    [
        ("ask", set()),
        ("out", set()),
        ("past", {"keyword k leads to past, which only a deed or a confirm leads to"}),
    ],
)
def test_a_keyword_leads_to_a_confirm_screen_and_never_past_it(
    to: str, says: set[str]
) -> None:
    past = """
past:
  text: {en: Past}
  choices:
    - {key: "1", label: {en: Again}, to: past}
    - {key: "0", to: bye}
"""
    screens = SCREENS.replace("do: stop_texts, to: bye", "do: stop_texts, to: past")
    texts = dict.fromkeys(("sms.screen", "sms.answer"), "{words}")
    texts |= dict.fromkeys(("sms.unknown", "sms.which", "sms.late", "sms.out"), "x")
    written = "".join(
        f"  {name}: {{kind: service, parts_max: 4, text: {{en: '{said}'}}}}\n"
        for name, said in texts.items()
    )
    menus = small(
        screens + past,
        f"keywords:\n  k: {{words: {{en: [kay]}}, to: {to}}}\n"
        "  o: {words: {en: [oh]}, to: out}\n",
        changed={"texts: {}": f"texts:\n{written}"},
    )
    proof = examine(menus, channels={"at": Limits()}, lines=[], reserved=RESERVED)
    assert _whats(proof.faults) == says


def test_a_screen_that_only_its_own_answers_lead_to_can_be_opened(
    menus: Menus,
) -> None:
    """`give.text` is asked again from `give.text.small`, and comes past nothing."""
    assert menus.keywords["give"].to == "give.text"
    again = [c.to for c in menus.screens["give.text.small"].choices if c.key == "2"]
    assert again == ["give.text"]
    channels = {"at": Limits()}
    assert (
        examine(menus, channels=channels, lines=[LINE], reserved=RESERVED).faults == []
    )
