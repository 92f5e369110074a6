"""`batches` and `report`, as operators run them beside the service."""

from __future__ import annotations

import re

import pytest

from ledger.sealing.sealer import seal
from tests.gateway.house import Gateway
from tests.gateway.operator import CAMPAIGN, Operator
from tests.gateway.test_report_page import SIGNER
from tests.ledger.books import Books
from tests.ledger.purchases import Shop

BUY = (
    *("batches", "buy", CAMPAIGN, "--purpose", "nowruz", "--title", "parcel"),
    *("--quantity", "24", "--bank", "mellat", "--by", "sara"),
)


@pytest.fixture(params=["sqlite", "postgresql"])
def gateway_database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def till(
    operator: Operator, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> Operator:
    """An operator of a campaign that was given 600 toman by six people."""
    for module in ("batches", "report", "requests"):
        monkeypatch.setattr(f"gateway.cli.{module}.now", gateway.clock)
    shop = Shop(Books(gateway.service.engine))
    for last in range(6):
        shop.given(1000, f"+98912123456{last}")
    return operator


def _move(till: Operator, act: str, *more: str) -> str:
    done = till.run(
        *("batches", act, CAMPAIGN, "1", "--partner", "tapsi", "--by", "sara"), *more
    )
    assert done.exit_code == 0, done.output
    return done.output


def test_what_was_bought_is_listed_where_it_is(till: Operator) -> None:
    bought = till.run(*BUY, "--cost", "400 toman")
    assert bought.exit_code == 0, bought.output
    assert "batch 1: 24 parcel of parcel for 4000 rial of nowruz" in bought.output
    _move(till, "send", "--quantity", "20")
    _move(till, "deliver", "--quantity", "12", "--district", "12", "--centre", "north")
    _move(till, "return", "--quantity", "3")
    _move(till, "return", "--delivered", "--district", "12", "--quantity", "2")
    listed = till.run("batches", "list", CAMPAIGN).output
    for line in ("in stock   7", "with       tapsi: 5", "delivered  12: 10"):
        assert line in listed
    assert "came back  2" in listed


def test_what_was_handed_in_is_given_out_at_the_centre(
    till: Operator, gateway: Gateway
) -> None:
    _, code = Books(gateway.service.engine, name="goods").pledge(
        amount=8, unit="parcel"
    )
    receive = ("pledges", "receive", code, "8", "--by", "sara", "--centre")
    refused = till.run(*receive, "09121234567")
    assert (refused.exit_code, "no phone or card number" in refused.output) == (2, True)
    assert till.run(*receive, "north").exit_code == 0
    out = ("batches", "hand-out", CAMPAIGN, "--purpose", "nowruz", "--by", "sara")
    done = till.run(*out, "--quantity", "5", "--district", "12")
    assert (done.exit_code, done.output) == (
        0,
        "3 parcel that were handed in are left\n",
    )
    again = till.run(*out, "--quantity", "5", "--district", "12")
    assert "written down before" in again.output
    more = till.run(*out, "--quantity", "4")
    assert (more.exit_code, "3 of those handed in" in more.output) == (2, True)
    shown = till.run("report", "show", CAMPAIGN).output
    assert "handed in 8 parcel, given out 5 parcel" in shown


def test_the_same_command_twice_on_a_day_is_one_act(
    till: Operator, gateway: Gateway
) -> None:
    till.run(*BUY, "--cost", "100 toman")
    gateway.clock.wait(hours=1)
    again = till.run(*BUY, "--cost", "100 toman")
    assert "written down before" in again.output
    assert "batch 1" in again.output
    gateway.clock.wait(days=1)
    assert "batch 2" in till.run(*BUY, "--cost", "100 toman").output
    assert "batch 3" in till.run(*BUY, "--cost", "100 toman", "--id", "fa-17").output
    other = till.run(*BUY, "--cost", "101 toman", "--id", "fa-17")
    assert other.exit_code == 2
    assert "this id was used before with another cost" in other.output


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (("--cost", "700 toman"), "7000 rial are wanted, and 6000 given for nowruz"),
        (("--cost", "400"), "say toman or rial"),
        (("--cost", "lots"), "no part of a number"),
        (("--cost", "100 toman", "--quantity", "0"), "0 is not in the range"),
        (("--cost", "100 toman", "--unit", "camel"), "no goods are counted in camel"),
        (("--cost", "100 toman", "--bank", "a:b"), "no colon"),
        (("--cost", "100 toman", "--bank", "6037991234567893"), "card number"),
        (("--cost", "100 toman", "--title", "x" * 61), "1 to 60 characters"),
        (("--cost", "100 toman", "--id", ""), "1 to 80 characters"),
    ],
)
def test_what_cannot_be_bought_is_a_line(
    till: Operator, told: tuple[str, ...], line: str
) -> None:
    refused = till.run(*BUY, *told)
    assert refused.exit_code == 2
    assert line in refused.output
    assert "Traceback" not in refused.output
    assert till.run("batches", "list", CAMPAIGN).output == "nothing is bought yet\n"


def test_more_than_is_there_cannot_be_moved(till: Operator) -> None:
    till.run(*BUY, "--cost", "100 toman")
    refused = till.run(
        *("batches", "send", CAMPAIGN, "1", "--partner", "tapsi", "--quantity", "25"),
        *("--by", "sara"),
    )
    assert refused.exit_code == 2
    assert "25 parcel are wanted and 24 are in stock" in refused.output


def test_a_report_is_published_by_two_people(till: Operator, gateway: Gateway) -> None:
    early = till.run("report", "publish", CAMPAIGN, "--reason", "Aban", "--by", "sara")
    assert early.exit_code == 2
    assert "nothing is sealed yet" in early.output

    seal(gateway.service.engine, SIGNER, "Asia/Tehran", gateway.clock())
    asked = till.run("report", "publish", CAMPAIGN, "--reason", "Aban", "--by", "sara")
    assert asked.exit_code == 0, asked.output
    assert "givers 6, pledged 6000, received 6000" in asked.output
    found = re.search(r"--seal (\d+)", asked.output)
    assert found
    seen = till.run("report", "show", CAMPAIGN, "--seal", found[1])
    digest = re.search(r"digest ([0-9a-f]{64})", seen.output)
    assert digest
    assert till.run("report", "list", CAMPAIGN).output == "nothing is published yet\n"
    assert till.run("requests", "approve", "1", "--by", "sara").exit_code == 2
    done = till.run("requests", "approve", "1", "--by", "reza")
    assert done.exit_code == 0, done.output
    assert digest[1] in till.run("report", "list", CAMPAIGN).output
    shown = till.run("report", "show", CAMPAIGN, "--number", "1")
    assert "received 6000" in shown.output
    assert till.run("report", "show", CAMPAIGN, "--number", "2").exit_code == 2


def test_a_later_count_says_what_is_different(till: Operator, gateway: Gateway) -> None:
    test_a_report_is_published_by_two_people(till, gateway)
    till.run(*BUY, "--cost", "100 toman")
    shown = till.run("report", "show", CAMPAIGN).output
    assert "different from report 1" in shown
    assert "total, spent: 0 -> 1000" in shown
    assert "total, bought: 0 -> 24 parcel" in shown


def test_a_seal_that_is_not_there_yet_has_no_report(
    till: Operator, gateway: Gateway
) -> None:
    show = ("report", "show", CAMPAIGN, "--seal")
    early = till.run(*show, "1")
    assert (early.exit_code, "nothing is sealed yet" in early.output) == (2, True)
    seal(gateway.service.engine, SIGNER, "Asia/Tehran", gateway.clock())
    (sealed,) = gateway.rows("checkpoint")
    refused = till.run(*show, str(sealed.size + 1))
    assert (refused.exit_code, refused.output) == (
        2,
        f"yarigar: there is no seal of {sealed.size + 1} leaves:"
        f" {sealed.size} are sealed\n",
    )
    assert till.run(*show, str(sealed.size)).exit_code == 0


@pytest.mark.parametrize(
    "command",
    [
        ("report", "show", "foo"),
        ("report", "list", "foo"),
        ("batches", "list", "foo"),
        ("batches", "buy", "foo", *BUY[3:], "--cost", "100 toman"),
        ("volunteers", "booths", "--campaign", "foo"),
    ],
    ids=" ".join,
)
def test_an_unknown_campaign_is_not_taken_for_an_empty_one(
    till: Operator, command: tuple[str, ...]
) -> None:
    refused = till.run(*command)
    assert (refused.exit_code, refused.output) == (
        2,
        "yarigar: there is no campaign 'foo': there are one-plus-one, salam-mahalle\n",
    )


def test_a_campaign_that_left_the_menus_is_reported_as_before(
    till: Operator, gateway: Gateway
) -> None:
    Books(gateway.service.engine, name="old").pledge(campaign="yalda-1404", amount=70)
    shown = till.run("report", "show", "yalda-1404")
    assert (shown.exit_code, "pledged 70," in shown.output) == (0, True)
