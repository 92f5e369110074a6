"""The shipped menus: giving, and when no gifts are taken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.ussd.caller import CODE, NOON, Caller
from ussd.machine import begin
from ussd.menus import Menus
from ussd.reading import read

GIVE = "*780*5588*1#"
ROOT = "*780*5588#"
# Passes Luhn (ISO/IEC 7812-1), of an Iranian bank's prefix.
CARD = "6037991234567893"


@pytest.mark.parametrize(("key", "rial"), [("1", "200000"), ("2", "500000")])
@pytest.mark.parametrize("language", ["fa", "en"])
def test_a_preset_is_given_in_four_keys(
    menus: Menus, language: str, key: str, rial: str
) -> None:
    caller = Caller(menus, GIVE, language=language)
    caller.types(key, "2", "1")
    assert caller.ends
    assert CODE in caller.text
    (pledge,) = caller.done
    assert (pledge.name, pledge.number, pledge.campaign) == (
        "pledge",
        0,
        "one-plus-one",
    )
    assert (pledge.answers["amount"], pledge.answers["purpose"]) == (rial, "children")


@pytest.mark.parametrize(
    ("typed", "rial"),
    [
        ("50000", 500_000),
        ("۵۰۰۰۰", 500_000),
        ("٥٠٠٠٠", 500_000),
        ("50,000", 500_000),
        ("۵۰٬۰۰۰", 500_000),
        ("۵۰ هزار", 500_000),
        ("۷۵ هزار", 750_000),
        ("یک میلیون و دویست هزار تومان", 12_000_000),
        ("500000 ریال", 500_000),
        ("2000", 20_000),
        ("50000000", 500_000_000),
    ],
)
@pytest.mark.parametrize("way", [[], ["3"]])
def test_an_amount_is_read_in_every_spelling(
    menus: Menus, way: list[str], typed: str, rial: int
) -> None:
    caller = Caller(menus, GIVE)
    caller.types(*way, typed)
    assert caller.at == "give.purpose"
    assert caller.session.answers["amount"] == str(rial)


@pytest.mark.parametrize(
    "typed", ["50k", "-50", "50.5", "1e9", "۱۲٫۵", "سلام", "🙂", "#"]
)
@pytest.mark.parametrize("language", ["fa", "en"])
def test_a_mistyped_amount_is_asked_for_again(
    menus: Menus, language: str, typed: str
) -> None:
    caller = Caller(menus, GIVE, language=language)
    caller.types("3", typed)
    assert caller.at == "give.bad"
    assert "75000" in caller.text
    assert "amount" not in caller.session.answers
    caller.types("75000")
    assert caller.at == "give.purpose"


@pytest.mark.parametrize("language", ["fa", "en"])
def test_a_lone_small_figure_is_asked_about_and_never_multiplied_in_silence(
    menus: Menus, language: str
) -> None:
    caller = Caller(menus, GIVE, language=language)
    meant = {"fa": "۷۵٬۰۰۰", "en": "75,000"}[language]
    assert meant in caller.types("3", "75")
    assert caller.at == "give.small"
    assert "amount" not in caller.session.answers
    caller.types("2")
    assert caller.at == "give.other"
    caller.types("75", "1")
    assert caller.at == "give.purpose"
    assert caller.session.answers["amount"] == "750000"


def test_a_small_figure_with_its_unit_is_too_small_and_not_asked_about(
    menus: Menus,
) -> None:
    caller = Caller(menus, GIVE)
    caller.types("3", "75 تومان")
    assert caller.at == "give.range"


@pytest.mark.parametrize("typed", ["1999 تومان", "50000001", "19999 ریال", "0"])
@pytest.mark.parametrize("language", ["fa", "en"])
def test_an_amount_out_of_range_is_told_the_range(
    menus: Menus, language: str, typed: str
) -> None:
    caller = Caller(menus, GIVE, language=language)
    if typed == "0":
        caller.types("3", "000")
    else:
        caller.types("3", typed)
    assert caller.at == "give.range"
    low, high = {
        "fa": ("۲٬۰۰۰", "۵۰٬۰۰۰٬۰۰۰"),
        "en": ("2,000", "50,000,000"),
    }[language]
    assert low in caller.text
    assert high in caller.text
    caller.types("50000000")
    assert caller.at == "give.purpose"


def test_the_confirm_screen_repeats_the_amount_and_the_purpose(menus: Menus) -> None:
    caller = Caller(menus, GIVE)
    assert caller.types("3", "۷۵ هزار", "1") == (
        "کمک شما: ۷۵٬۰۰۰ تومان\nبسته نوروزی\n1 تایید\n2 اصلاح\n0 انصراف"
    )
    assert caller.done == []


def test_what_was_confirmed_can_be_changed_before(menus: Menus) -> None:
    caller = Caller(menus, GIVE)
    caller.types("1", "1", "2")
    assert caller.at == "give.amount"
    caller.types("2", "3", "1")
    (pledge,) = caller.done
    assert pledge.answers["amount"] == "500000"
    assert pledge.answers["purpose"] == "needed"


def test_cancelling_at_the_confirm_screen_records_nothing(menus: Menus) -> None:
    caller = Caller(menus, GIVE)
    caller.types("1", "1", "0")
    assert caller.ends
    assert caller.at == "bye"
    assert caller.done == []


@pytest.mark.parametrize(
    "way", [[], ["3"], ["3", "-5"], ["3", "75"], ["1"], ["1", "1"]]
)
@pytest.mark.parametrize(
    "card", [CARD, "6037 9912 3456 7893", "۶۰۳۷۹۹۱۲۳۴۵۶۷۸۹۳", "6037-9912-3456-7893"]
)
def test_a_card_number_ends_the_call_and_is_kept_nowhere(
    menus: Menus, way: list[str], card: str
) -> None:
    caller = Caller(menus, GIVE)
    caller.types(*way, card)
    assert caller.ends
    assert caller.text == menus.notices["card"]["fa"].source
    assert card not in repr(caller.session)
    assert caller.done == []


@pytest.mark.parametrize("dialled", ["*780*5588#", "*780*5588*1#", "*780#"])
def test_a_card_number_typed_into_the_dialler_is_kept_nowhere(
    menus: Menus, dialled: str
) -> None:
    begun = begin(menus, f"{dialled[:-1]}*{CARD}#", "fa")
    if begun is None:
        assert dialled == "*780#"
        return
    session, ahead = begun
    assert CARD not in repr(session)
    assert ahead == [CARD]


# -- when the campaign takes no gifts -------------------------------------------------


def _with_window(source: str, window: str) -> Menus:
    assert source.count("window: {from: 1405/01/01}") == 1
    changed = source.replace("window: {from: 1405/01/01}", f"window: {window}")
    return read(changed, time_zone="Asia/Tehran")


# Tehran keeps UTC+3:30 the whole year since 2022.
OPENS = datetime(2026, 11, 21, 20, 30, tzinfo=UTC)  # 1405/09/01 begins
CLOSES = datetime(2026, 11, 30, 20, 30, tzinfo=UTC)  # 1405/09/09 is over
INSTANT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("now", "at"),
    [
        (OPENS - INSTANT, "early"),
        (OPENS, "give.amount"),
        (CLOSES - INSTANT, "give.amount"),
        (CLOSES, "closed"),
    ],
)
@pytest.mark.parametrize(
    "days", ["from: 1405/09/01, to: 1405/09/09", "from: 2026-11-22, to: 2026-11-30"]
)
def test_a_window_holds_from_its_first_moment_in_tehran_to_its_last(
    source: str, days: str, now: datetime, at: str
) -> None:
    windowed = _with_window(source, f"{{{days}}}")
    assert Caller(windowed, GIVE, now=now).at == at


def test_an_early_campaign_names_its_day_and_lets_go(source: str) -> None:
    windowed = _with_window(source, "{from: 1405/09/01}")
    early = Caller(windowed, GIVE, now=OPENS - INSTANT)
    assert early.text == "این پویش از 1405/09/01 آغاز می‌شود.\n1 خبرم کنید\n0 خروج"
    early.types("0")
    assert early.ends


def test_a_closed_campaign_still_signs_volunteers_up(source: str) -> None:
    windowed = _with_window(source, "{to: 1405/09/09}")
    closed = Caller(windowed, ROOT, now=CLOSES, ahead="1")
    assert closed.at == "closed"
    closed.types("1")
    assert closed.at == "vol.consent"


def test_a_paused_campaign_says_so_on_every_giving_screen(source: str) -> None:
    paused = read(
        source.replace("paused: false", "paused: true"), time_zone="Asia/Tehran"
    )
    caller = Caller(paused, ROOT)
    caller.types("1")
    assert caller.at == "paused"
    caller.types("0")
    assert caller.at == "root"


@pytest.mark.parametrize("steps", [["3"], ["3", "75000"], ["3", "75000", "1"]])
def test_a_campaign_that_closes_during_a_call_takes_nothing_more(
    source: str, steps: list[str]
) -> None:
    windowed = _with_window(source, "{to: 1405/09/09}")
    caller = Caller(
        windowed, GIVE, now=NOON, outcomes={"pledge": {"outcome": "closed"}}
    )
    caller.types(*steps)
    caller.now = CLOSES
    caller.types({1: "75000", 2: "1", 3: "1"}[len(steps)])
    assert caller.at == "closed"


def test_a_mistyped_amount_after_the_close_reads_that_it_is_closed(source: str) -> None:
    windowed = _with_window(source, "{to: 1405/09/09}")
    caller = Caller(windowed, GIVE, now=NOON)
    caller.types("3")
    caller.now = CLOSES
    caller.types("-5")
    assert caller.at == "closed"
