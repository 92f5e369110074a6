"""Rounds of a campaign: who asked is told when one begins and ends, once."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.effects import perform
from gateway.orders import Order
from gateway.sweeping import sweep
from gateway.texting.meaning import with_campaigns_of
from ledger import people, schema, stops
from ledger.engine import reading, writing
from ledger.erasing import erase
from phone.dates import read_day
from tests.gateway.house import OTHER_PHONE, PHONE, ROOT, Gateway
from ussd.machine import Effect
from ussd.menus import CampaignState, Menus
from ussd.reading import read

WINDOW = "    window: {from: 1405/01/01}\n"
MONTHLY = "    window: {every: month, days: 5-14}\n"
TELL_ME = ("1",)
ASCII = str.maketrans("۰۱۲۳۴۵۶۷۸۹", "0123456789")


@pytest.fixture(params=["sqlite", "postgresql"])
def gateway_database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def monthly(gateway: Gateway, tmp_path: Path) -> Gateway:
    """A service whose campaign takes gifts from the 5th to the 14th of each month."""
    source = (ROOT / "menus.yaml").read_text(encoding="utf-8")
    assert source.count(WINDOW) == 1
    path = tmp_path / "menus.yaml"
    path.write_text(source.replace(WINDOW, MONTHLY), encoding="utf-8")
    gateway.load_menus(path)
    set_clock(gateway, "1405/09/02", "12:00")
    return gateway


def set_clock(gateway: Gateway, day: str, hour: str) -> None:
    hours, minutes = map(int, hour.split(":"))
    gateway.clock.at = datetime(
        *read_day(day).timetuple()[:3], hours, minutes, tzinfo=ZoneInfo("Asia/Tehran")
    )


def swept(gateway: Gateway, day: str, hour: str = "12:00") -> list[str]:
    """What is promised in all once the sweep of that moment is done."""
    set_clock(gateway, day, hour)
    sweep(gateway.service, gateway.clock())
    return gateway.promised


def test_who_asked_is_told_of_a_round_that_began_and_of_its_last_day(
    monthly: Gateway,
) -> None:
    screen = monthly.walk(*TELL_ME)
    assert screen.ends
    assert "پیامک" in screen.text
    assert swept(monthly, "1405/09/04") == []
    assert swept(monthly, "1405/09/05") == ["sms.opened"]
    assert swept(monthly, "1405/09/06") == ["sms.opened"]
    assert swept(monthly, "1405/09/13") == ["sms.opened"]
    assert swept(monthly, "1405/09/14") == ["sms.opened", "sms.closing"]
    assert swept(monthly, "1405/09/14", "20:00") == ["sms.opened", "sms.closing"]
    opened, closing = monthly.rows("outbox")
    assert opened.slots == {
        "title": "۱+۱",
        "until": "1405/09/14",
        "call": "*780*5588*1#",
    }
    # And again in the next round.
    assert swept(monthly, "1405/10/05").count("sms.opened") == 2


def test_who_asks_twice_is_told_once(monthly: Gateway) -> None:
    monthly.walk(*TELL_ME, session="one")
    monthly.walk(*TELL_ME, session="two")
    assert len(monthly.rows("awaiting")) == 1
    assert swept(monthly, "1405/09/05") == ["sms.opened"]


def test_nobody_is_woken_at_night(monthly: Gateway) -> None:
    monthly.walk(*TELL_ME)
    assert swept(monthly, "1405/09/05", "00:01") == []
    assert swept(monthly, "1405/09/05", "06:59") == []
    assert swept(monthly, "1405/09/05", "07:00") == ["sms.opened"]


def test_what_began_days_ago_is_no_news(monthly: Gateway) -> None:
    monthly.walk(*TELL_ME)
    assert swept(monthly, "1405/09/09") == []


def test_who_stopped_texts_is_not_told(monthly: Gateway) -> None:
    monthly.walk(*TELL_ME)
    service = monthly.service
    with writing(service.engine) as db:
        person = people.find(db, service.keys, PHONE)
        assert person is not None
        [look_up] = [row.look_up for row in monthly.rows("person", id=person.id)]
        stops.stop(
            db,
            look_up=look_up,
            line=stops.EVERY_LINE,
            key="stop:1",
            person_id=person.id,
            channel="at",
            test=False,
            at=monthly.clock(),
        )
    assert swept(monthly, "1405/09/05") == []


def test_who_was_erased_waits_for_nothing(monthly: Gateway) -> None:
    monthly.walk(*TELL_ME)
    monthly.walk(*TELL_ME, session="other", phone=OTHER_PHONE)
    service = monthly.service
    with writing(service.engine) as db:
        person = people.find(db, service.keys, PHONE)
        assert person is not None
        erase(
            db,
            service.keys,
            person_id=person.id,
            key="erase:1",
            channel="desk",
            by="sara",
            test=False,
            at=monthly.clock(),
        )
    [waiting] = monthly.rows("awaiting")
    assert waiting.person_id != person.id
    assert swept(monthly, "1405/09/05") == ["sms.opened"]


def test_a_rehearsal_waits_for_itself(monthly: Gateway) -> None:
    monthly.walk(*TELL_ME, channel="rehearsal")
    swept(monthly, "1405/09/05")
    assert [row.test for row in monthly.rows("outbox")] == [True]
    assert [row.test for row in monthly.rows("awaiting")] == [True]


def test_a_paused_campaign_tells_nobody(monthly: Gateway, tmp_path: Path) -> None:
    monthly.walk(*TELL_ME)
    path = tmp_path / "menus.yaml"
    source = path.read_text(encoding="utf-8")
    paused = source.replace("    paused: false\n", "    paused: true\n", 1)
    assert paused != source
    path.write_text(paused, encoding="utf-8")
    monthly.load_menus(path)
    assert swept(monthly, "1405/09/05") == []


def test_the_same_deed_again_waits_once(monthly: Gateway) -> None:
    service = monthly.service
    order = Order(
        effect=Effect("tell_me", 0, "one-plus-one", {}),
        key="ussd:at:x:0:tell_me:0",
        phone=PHONE,
        language="fa",
        menus=service.library.current(None),
        channel="at",
        test=False,
        at=monthly.clock(),
        figures=service.endings._figures,
    )
    for _ in range(2):
        with writing(service.engine) as db:
            assert perform(db, service.keys, order) == {}
    with reading(service.engine) as db:
        assert len(db.execute(schema.awaiting.select()).all()) == 1
    assert [row.kind for row in monthly.rows("event")] == ["await"]


def test_a_round_that_closes_in_mid_call_takes_no_gift(monthly: Gateway) -> None:
    set_clock(monthly, "1405/09/14", "23:59")
    giving = ("3", "75000", "3")
    assert "75" in monthly.walk(*giving, session="late").text.translate(ASCII)
    monthly.clock.wait(minutes=2)
    screen = monthly.dial("*".join([*giving, "1"]), session="late")
    assert "1405/10/05" in screen.text
    assert monthly.pledged == []
    assert monthly.promised == []


def test_a_text_that_waits_for_its_answer_meets_todays_window(
    monthly: Gateway,
) -> None:
    asked_by = _menus(MONTHLY)
    today = _menus("    window: {dates: [1405/09/01-1405/09/03]}\n")
    met = with_campaigns_of(asked_by, today).campaign
    assert asked_by.campaign.state(monthly.clock()) is CampaignState.EARLY
    assert met.state(monthly.clock()) is CampaignState.OPEN
    assert met.round_id(monthly.clock()) == "1405-09-01"


def _menus(window: str) -> Menus:
    source = (ROOT / "menus.yaml").read_text(encoding="utf-8")
    return read(source.replace(WINDOW, window), time_zone="Asia/Tehran")
