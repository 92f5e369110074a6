from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ussd.faults import BadMenus
from ussd.menus import CampaignState, Kind, Menus
from ussd.reading import hash_of, read

# 1405/01/01 begins in Tehran.
NOWRUZ = datetime(2026, 3, 20, 20, 30, tzinfo=UTC)


def test_the_menus_are_named_by_the_hash_of_their_text(
    source: str, menus: Menus
) -> None:
    assert menus.hash == hash_of(source)
    assert len(menus.hash) == 64
    assert hash_of(source + "\n") != menus.hash


def test_a_campaign_is_read_with_its_window_and_its_bounds(menus: Menus) -> None:
    campaign = menus.campaign
    assert campaign.id == "one-plus-one"
    assert (campaign.min, campaign.max) == (20_000, 500_000_000)
    assert (campaign.opens, campaign.opens_text) == (NOWRUZ, "1405/01/01")
    assert campaign.closes is None
    assert campaign.state(NOWRUZ) is CampaignState.OPEN
    assert [amount for amount, _ in campaign.presets] == [200_000, 500_000]
    assert (campaign.call, campaign.pay) == ("*780*5588*1#", "*780*0000#")


def test_every_text_is_there_in_every_language(menus: Menus) -> None:
    for screen in menus.screens.values():
        for variant in screen.variants:
            assert set(variant.text) == {"fa", "en"}
        for choice in screen.choices:
            assert set(choice.label) in ({"fa", "en"}, set())
    for notice in menus.notices.values():
        assert set(notice) == {"fa", "en"}


def test_an_answer_that_was_not_given_is_blank(menus: Menus) -> None:
    assert {"amount", "purpose", "place", "time", "code", "meant"} <= set(menus.blank)
    assert set(menus.blank.values()) == {""}


def test_a_screen_like_another_says_only_what_differs(menus: Menus) -> None:
    bad, other = menus.screens["give.bad"], menus.screens["give.other"]
    assert (bad.ask, bad.then, bad.choices) == (other.ask, other.then, other.choices)
    assert bad.variants != other.variants


def test_a_screen_fetches_only_the_facts_it_speaks_of(menus: Menus) -> None:
    needs = {name: set(s.needs) for name, s in menus.screens.items() if s.needs}
    assert needs == {
        "root.more": {"caller"},
        "out.done": {"caller"},
        "in.done": {"caller"},
        "report": {"report"},
        "st.one": {"pledge"},
        "st.pay": {"pledge"},
        "st.cancel": {"pledge"},
        "st.cancelled": {"pledge"},
    }


def test_a_question_of_an_amount_is_read_with_its_refusals(menus: Menus) -> None:
    ask = menus.screens["give.amount"].ask
    assert ask is not None
    assert ask.kind is Kind.AMOUNT
    assert ask.refused == {
        "bad": "give.bad",
        "small": "give.small",
        "range": "give.range",
    }


def test_entries_keep_the_line_of_their_name(source: str, menus: Menus) -> None:
    lines = source.splitlines()
    for screen in menus.screens.values():
        assert lines[screen.line - 1] == f"  {screen.name}:"
    for message in menus.texts.values():
        assert lines[message.line - 1] == f"  {message.name}:"
    for (section, name), line in menus.lines.items():
        said = lines[line - 1].strip().removeprefix('"')
        expected = name or section
        if section == "dialled":
            expected = name.rstrip("#")
        assert said.startswith(expected), (section, name, said)


def test_a_code_may_be_dialled_for_a_campaign_of_its_own(source: str) -> None:
    changed = source.replace(
        '"*780*55881#": give.amount',
        '"*780*55881#": {to: vol.consent, campaign: salam-mahalle}',
    )
    read_menus = read(changed, time_zone="Asia/Tehran")
    assert read_menus.dialled["*780*55881#"] == ("vol.consent", "salam-mahalle")


@pytest.mark.parametrize(
    ("source", "whats"),
    [
        ("x: 1", {"the file has no 'x'", "no language is named"}),
        ("languages: []\n", {"no language is named"}),
        ("languages: fa\n", {"languages is not a list"}),
        (f"languages: [{', '.join('abcdefghi')}]\n", {"no language is named"}),
        ("- a\n- b\n", {"the file is not a mapping", "no language is named"}),
        ("languages: [fa]\n", {"there is no campaign", "the file lacks 'screens'"}),
    ],
)
def test_what_is_no_menu_file_names_what_it_lacks(source: str, whats: set[str]) -> None:
    with pytest.raises(BadMenus) as refused:
        read(source, time_zone="Asia/Tehran")
    assert whats <= {fault.what for fault in refused.value.faults}


def test_all_faults_are_named_at_once_in_file_order(source: str) -> None:
    changed = (
        source.replace("turns_max: 40", "turns_max: forty")
        .replace("max: 500_000_000", "max: 5")
        .replace("do: cancel\n", "do: cancle\n")
    )
    with pytest.raises(BadMenus) as refused:
        read(changed, time_zone="Asia/Tehran", name="my.yaml")
    faults = refused.value.faults
    assert [fault.line for fault in faults] == sorted(fault.line for fault in faults)
    said = str(refused.value)
    for words in ("whole number", "max is below min", "nothing does 'cancle'"):
        assert words in said
    assert all(line.startswith("my.yaml:") for line in said.splitlines())


@pytest.mark.parametrize("zone", ["Asia/Tehran", "UTC", "Africa/Nairobi"])
def test_the_days_of_a_window_are_of_the_campaigns_zone(source: str, zone: str) -> None:
    opens = read(source, time_zone=zone).campaign.opens
    assert opens is not None
    offset = {"Asia/Tehran": 3.5, "UTC": 0, "Africa/Nairobi": 3}[zone]
    midnight = datetime(2026, 3, 21, tzinfo=UTC)
    assert (midnight - opens).total_seconds() == offset * 3600
