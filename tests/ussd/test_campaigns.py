"""What a campaign says of its days, its ways to pay, its goods and its cohorts."""

from __future__ import annotations

import pytest

from phone.encoding import Limits
from tests.ussd.caller import Caller
from ussd.faults import BadMenus
from ussd.menus import Menus
from ussd.prover import Line, prove
from ussd.reading import read

# Passes Luhn (ISO/IEC 7812-1), of an Iranian bank's prefix.
CARD = "6037991234567893"
AFTER = '    call: "*780*5588*1#"\n'


def _with(source: str, line: str) -> str:
    """The shipped file with one more line in its first campaign."""
    assert source.count(AFTER) == 1
    return source.replace(AFTER, f"{AFTER}    {line}\n")


def _faults(source: str) -> list[str]:
    try:
        menus = read(source, time_zone="Asia/Tehran")
    except BadMenus as refused:
        return [fault.what for fault in refused.faults]
    lines = [Line("10001", "لغو۱۱")]
    found = prove(menus, channels={"at": Limits()}, lines=lines)
    return [fault.what for fault in found]


def _without(source: str, name: str) -> str:
    """The shipped file without a line that names this field."""
    lines = source.splitlines(keepends=True)
    left = [line for line in lines if not line.startswith(f"    {name}:")]
    assert len(left) == len(lines) - 1
    return "".join(left)


def test_what_is_left_out_is_as_it_is_usual(source: str) -> None:
    for name in ("pledge_days", "remind_days", "parcel_price"):
        source = _without(source, name)
    campaign = read(source, time_zone="Asia/Tehran").campaign
    assert (campaign.pledge_days, campaign.remind_days) == (30, 7)
    assert (campaign.card, campaign.link, campaign.parcel_price) == ("", "", 0)


def test_a_short_lived_pledge_is_reminded_of_before_it_expires(source: str) -> None:
    changed = _without(_without(source, "pledge_days"), "remind_days")
    campaign = read(_with(changed, "pledge_days: 3"), time_zone="Asia/Tehran").campaign
    assert (campaign.pledge_days, campaign.remind_days) == (3, 2)


@pytest.mark.parametrize(
    ("field", "line", "what"),
    [
        ("pledge_days", "pledge_days: 0", "pledge_days is out of bounds"),
        ("pledge_days", "pledge_days: 367", "pledge_days is out of bounds"),
        (
            "remind_days",
            "remind_days: 30",
            "a pledge expires before it is reminded of",
        ),
        ("parcel_price", "parcel_price: -1", "parcel_price is not a whole number"),
        ("", 'card: "6037991234567894"', "the card's number is mistyped"),
        ("", 'card: "6037 9912 3456 7893"', "the card's number is mistyped"),
        ("", 'card: "603799123456789"', "the card's number is mistyped"),
        ("", 'card: "۶۰۳۷۹۹۱۲۳۴۵۶۷۸۹۳"', "the card's number is mistyped"),
        ("", "link: http://pay.example", "the link is no https address"),
        ("", "link: https://", "the link is no https address"),
        ("", "link: https://a:b@pay.example", "the link is no https address"),
        ("", 'link: "https://[pay"', "the link is no https address"),
        ("", 'link: "https://pay.example/ x"', "the link is no https address"),
        (
            "",
            f"link: https://pay.example/{'x' * 60}",
            "the link is no https address",
        ),
    ],
)
def test_a_field_that_cannot_be_so_is_named(
    source: str, field: str, line: str, what: str
) -> None:
    changed = _with(_without(source, field) if field else source, line)
    assert _faults(changed) == [what]


def test_a_mistyped_card_is_not_repeated_in_the_fault(source: str) -> None:
    mistyped = "6037991234567894"
    with pytest.raises(BadMenus) as refused:
        read(_with(source, f'card: "{mistyped}"'), time_zone="Asia/Tehran")
    assert mistyped not in str(refused.value)


@pytest.mark.parametrize("code", ["11", "12", "1a1", "۱۰۰۱", "123456789", "-1"])
def test_a_code_of_a_cohort_is_three_to_eight_digits(source: str, code: str) -> None:
    changed = source.replace('"1001": {fa', f'"{code}": {{fa')
    assert _faults(changed) == [f"{code!r} is no code of a cohort"]


def test_a_code_stands_for_one_cohort_in_all_campaigns(source: str) -> None:
    line = '    title: {fa: "سلام محله", en: "Salam Mahalle"}\n'
    more = '    cohorts: {"1001": {fa: "دیگران", en: "Others"}}\n'
    assert _faults(source.replace(line, line + more)) == [
        "the cohort 1001 has two titles"
    ]


def test_the_cohorts_are_no_list_of_the_file(source: str) -> None:
    changed = source.replace(
        "lists:\n", 'lists:\n  cohorts: {"9": {fa: "x", en: "x"}}\n'
    )
    assert _faults(changed) == ["the list cohorts is made of what campaigns say"]


@pytest.mark.parametrize("language", ["fa", "en"])
def test_every_way_to_pay_is_shown_once_it_is_written(
    source: str, language: str
) -> None:
    link = "https://pay.example/1405"
    menus = read(
        _with(source, f'card: "{CARD}"\n    link: {link}'), time_zone="Asia/Tehran"
    )
    lines = [Line("10001", "لغو۱۱")]
    assert prove(menus, channels={"at": Limits()}, lines=lines) == []
    pledge = {"value": "572495724", "state": "open", "amount": 750_000}
    caller = Caller(menus, "*780*5588#", language=language, pledges=[pledge])
    caller.types("4", "1", "1")
    assert caller.at == "st.pay"
    assert "*780*0000#" in caller.text
    assert CARD in caller.types("1")
    assert "572495724" in caller.text
    caller.types("0")
    assert link in caller.types("2")
    caller.types("0", "0")
    assert caller.at == "st.one"


def test_a_way_that_is_not_written_is_not_offered(menus: Menus) -> None:
    pledge = {"value": "572495724", "state": "open", "amount": 750_000}
    caller = Caller(menus, "*780*5588#", pledges=[pledge])
    caller.types("4", "1", "1")
    for key in ("1", "2"):
        caller.types(key)
        assert caller.at == "st.pay"


def test_a_campaign_that_takes_no_goods_offers_none(source: str) -> None:
    menus = read(_without(source, "bring_to"), time_zone="Asia/Tehran")
    caller = Caller(menus, "*780*5588*1#")
    assert "کالا" not in caller.text
    caller.types("4")
    assert caller.at == "give.amount"


def test_a_card_that_is_too_long_for_its_screen_is_found(source: str) -> None:
    said = '      fa: "کارت خیریه: {card}'
    changed = _with(source, f'card: "{CARD}"').replace(said, f"{said} {'و' * 40}")
    assert changed != source
    assert any("st.card (fa) can be" in what for what in _faults(changed))
