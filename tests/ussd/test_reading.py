from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.ussd.small import small
from ussd.faults import BadMenus
from ussd.menus import CampaignState, Kind, Menus, Opening, Resume
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
    spring = campaign.window.round(NOWRUZ)
    assert spring is not None
    assert (spring.opens, spring.opens_text) == (NOWRUZ, "1405/01/01")
    assert spring.closes is None
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
    assert {"amount", "purpose", "town", "time", "code", "meant"} <= set(menus.blank)
    assert set(menus.blank.values()) == {""}


def test_a_screen_like_another_says_only_what_differs(menus: Menus) -> None:
    bad, other = menus.screens["give.bad"], menus.screens["give.other"]
    assert (bad.ask, bad.then, bad.choices) == (other.ask, other.then, other.choices)
    assert bad.variants != other.variants


def test_a_screen_fetches_only_the_facts_it_speaks_of(menus: Menus) -> None:
    needs = {name: set(s.needs) for name, s in menus.screens.items() if s.needs}
    assert needs == {
        "root.more": {"caller"},
        "month.one": {"standing"},
        "month.stop": {"standing"},
        "st.one": {"pledge"},
        "st.pay": {"pledge"},
        "st.card": {"pledge"},
        "st.link": {"pledge"},
        "st.bring": {"pledge"},
        "st.proof": {"proof"},
        "st.became": {"proof"},
        "st.cancel": {"pledge"},
        "st.cancelled": {"pledge"},
        "vol.consent": {"signup"},
        "vol.centre.is": {"centre"},
        "vol.centre.last": {"centre"},
        "vol.district": {"town"},
        "vol.confirm": {"centre"},
        "vol.mine": {"signup"},
        "vol.see": {"signup"},
        "vol.see.place": {"signup"},
        "vol.none": {"signup"},
        "number.ask": {"signup"},
        "tb.place": {"hours"},
        "tb.place.is": {"centre"},
        "tb.place.bad": {"hours"},
        "tb.balance": {"hours"},
        "tb.waiting": {"hours"},
        "tb.one": {"helping"},
        "tb.agreed": {"helping"},
        "tb.own": {"favour"},
        "hours.one": {"told"},
        "inv.ask": {"invite"},
        "inv.yes": {"invite"},
        "centre.root": {"desk"},
        "centre.one": {"queue_item"},
        "centre.done.ask": {"queue_item"},
        "centre.confirm.ask": {"queue_item"},
        "centre.call": {"queue_call"},
        "kb.place.is": {"centre"},
        "kb.confirm": {"centre"},
        "kb.one": {"delivery"},
        "kb.why": {"delivery_why"},
        "grp.consent": {"group"},
        "grp.confirm": {"group"},
        "grp.anew": {"group"},
        "out.done": {"caller"},
        "in.done": {"caller"},
        "report": {"report"},
        "report.spent": {"report"},
        "report.text": {"report"},
        "ben.root": {"assembly"},
        "ben.res": {"decision"},
        "benres.answer": {"decision"},
        "ben.mine": {"assembly"},
        "benmeet.ask": {"meeting"},
        "ben.sec": {"assembly"},
        "ben.sec.one": {"decision"},
        "ben.sec.meet": {"meeting"},
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
    for (section, name), (line, _) in menus.places.items():
        said = lines[line - 1].strip().removeprefix('"')
        expected = name or section
        if section == "dialled":
            expected = name.rstrip("#")
        if section in ("call", "pay"):
            expected = section
        assert said.startswith(expected), (section, name, said)


def test_a_code_may_be_dialled_for_a_campaign_of_its_own(source: str) -> None:
    changed = source.replace(
        '"*780*55881#": give.amount',
        '"*780*55881#": {to: vol.consent, campaign: salam-mahalle}',
    )
    read_menus = read(changed, time_zone="Asia/Tehran")
    opening = Opening("vol.consent", "salam-mahalle")
    assert read_menus.dialled["*780*55881#"] == opening


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
    spring = read(source, time_zone=zone).campaign.window.round(
        NOWRUZ + timedelta(days=1)
    )
    assert spring is not None
    opens = spring.opens
    assert opens is not None
    offset = {"Asia/Tehran": 3.5, "UTC": 0, "Africa/Nairobi": 3}[zone]
    midnight = datetime(2026, 3, 21, tzinfo=UTC)
    assert (midnight - opens).total_seconds() == offset * 3600


# -- flows, shortcuts, words -----------------------------------------------------------

ROOT = 'root: {text: {en: Root}, choices: [{key: "0", to: bye}]}\n'


def test_a_flow_is_read_with_what_it_does_not_say() -> None:
    menus = small(
        ROOT,
        "flows:\n"
        "  a: {title: {en: A}}\n"
        "  b: {title: {en: B}, resume: auto, resume_minutes: 5,\n"
        "      turns_max: 9, cut_off: t}\n"
        "limits: {turns_max: 30}\n",
    )
    plain, full = menus.flows["a"], menus.flows["b"]
    assert (plain.resume, plain.resume_minutes) == (Resume.OFF, 15)
    assert (plain.turns_max, plain.cut_off) == (30, "")
    assert (full.resume, full.resume_minutes) == (Resume.AUTO, 5)
    assert (full.turns_max, full.cut_off) == (9, "t")


def test_a_dialled_code_may_name_a_shortcut() -> None:
    menus = small(
        ROOT,
        "shortcuts:\n  five: {to: root, set: {amount: '5'}, campaign: spring}\n",
        changed={'"*1*5#": door': '"*1*5#": five'},
    )
    assert menus.dialled["*1*5#"] == Opening("root", "spring", {"amount": "5"}, "five")
    assert "amount" in menus.blank


def test_a_screen_like_another_takes_its_way_through_a_sub_flow_too() -> None:
    menus = small(
        """
        root:
          text: {en: Root}
          ask: {answer: a, kind: number, min: 1, max: 2}
          then: bye
          via: door
          wrong: {max: 2, to: bye}
          choices: [{key: "0", to: bye}]
        root.bad: {same: root, text: {en: Bad}}
        root.other: {same: root, text: {en: Other}, then: door}
        """
    )
    bad, other = menus.screens["root.bad"], menus.screens["root.other"]
    assert (bad.then, bad.via, bad.wrong_max, bad.wrong_to) == ("bye", "door", 2, "bye")
    assert (other.then, other.via) == ("door", "")


@pytest.mark.parametrize(
    ("screens", "top", "what"),
    [
        ("back: {end: true, text: {en: x}}\n", "", "'back' is a word of the menus"),
        ("home: {end: true, text: {en: x}}\n", "", "'home' is a word of the menus"),
        ("return: {end: true, text: {en: x}}\n", "", "'return' is a word of the menus"),
        (
            'x: {text: {en: x}, choices: [{key: "1", via: back, to: bye}]}\n',
            "",
            "`via` is not back",
        ),
        (
            'x: {text: {en: x}, choices: [{key: "1", via: door, to: back}]}\n',
            "",
            "`via` without a screen to go on at",
        ),
        (
            "x: {text: {en: x}, list: towns, pick: town, via: door}\n",
            "",
            "`via` without a screen to go on at",
        ),
        (
            "x: {text: {en: x}, wrong: {max: 0, to: bye}}\n",
            "",
            "max is out of bounds",
        ),
        (
            "x: {text: {en: x}, ask: {answer: a, kind: amount, in: dollar}}\n",
            "",
            "an amount is not asked for in 'dollar'",
        ),
        (
            "x: {text: {en: x}, ask: {answer: a, kind: number, max: 2, in: rial}}\n",
            "",
            "an amount is not asked for in 'rial'",
        ),
        (
            "x: {text: {en: x, de-gsm7: y}}\n",
            "",
            "a text has no 'de-gsm7'",
        ),
        ("", "flows: {a: {title: {en: A}, resume: maybe}}", "nothing resumes 'maybe'"),
        (
            "",
            "flows: {a: {title: {en: A}, resume_minutes: 1441}}",
            "resume_minutes is out of bounds",
        ),
        (
            "",
            "flows: {a: {title: {en: A}, turns_max: 0}}",
            "turns_max is out of bounds",
        ),
        ("", "flows: {a: {resume: ask}}", "flow a lacks 'title'"),
        ("", "shortcuts: {a: {set: {b: c}}}", "shortcut a lacks 'to'"),
    ],
)
def test_a_word_out_of_place_is_named(screens: str, top: str, what: str) -> None:
    with pytest.raises(BadMenus) as refused:
        small(ROOT + screens, top)
    assert what in {fault.what for fault in refused.value.faults}


def test_entries_keep_their_column(source: str, menus: Menus) -> None:
    lines = source.splitlines()
    for screen in menus.screens.values():
        assert lines[screen.line - 1][screen.column - 1 :] == f"{screen.name}:"
        for choice in screen.choices:
            entry = lines[choice.line - 1][choice.column - 1 :]
            assert entry.startswith(("{key:", "key:"))
