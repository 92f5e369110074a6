"""Hours from the dial to the export: two who need each other, and their centre."""

from __future__ import annotations

import pytest
from structlog.typing import EventDict

from gateway.sweeping import sweep
from ledger import erasing, people, stops
from ledger.engine import reading, writing
from ledger.export import HOURS
from ledger.timebank import introductions
from ledger.timebank.hours import CONFIRM_WITHIN
from ledger.vault import look_up
from ledger.verify import verify
from tests.gateway.centre import AT_THE_CENTRE, CENTRE, CENTRE_CODE, open_centre
from tests.gateway.correspondence import Phone
from tests.gateway.house import ROOT_CODE, Gateway
from tests.gateway.operator import Operator

pytestmark = pytest.mark.parametrize("gateway_database", ["sqlite", "postgresql"])

GIVER = "+989121110001"
OTHER_GIVER = "+989121110002"
RECEIVER = "+989351110003"
STRANGER = "+989129990000"
ASKED = "بانک زمان: درس، ۲ ساعت، منطقه 11. می‌پذیرید؟\n1 بله\n2 خیر"


@pytest.fixture(autouse=True)
def _places(gateway: Gateway) -> None:
    """The tree that ships, and a centre with a phone."""
    open_centre(gateway)


def _dial(gateway: Gateway, *answers: str, phone: str, code: str = ROOT_CODE) -> str:
    """A whole call of its own; the text it comes to."""
    session = f"call-{next(gateway._sessions)}"
    return gateway.walk(*answers, phone=phone, code=code, session=session).text


def _enter(gateway: Gateway, side: str, phone: str, hours: str = "2") -> str:
    """Offer (1) or need (2) lessons at the neighbourhood house of the centre."""
    said = _dial(gateway, "3", side, "3", hours, "2", "11023", "1", phone=phone)
    assert said.startswith("ثبت شد. کد "), said
    return said.split("\n")[0].removeprefix("ثبت شد. کد ")


def _sweep(gateway: Gateway, **later: float) -> None:
    gateway.clock.wait(**later)
    sweep(gateway.service, gateway.clock())


def _asked(gateway: Gateway) -> tuple[Phone, Phone, str]:
    """The giver was asked by text; both phones, and the code of the need."""
    _enter(gateway, "1", GIVER)
    need = _enter(gateway, "2", RECEIVER)
    giver, receiver = Phone(gateway, GIVER), Phone(gateway, RECEIVER)
    giver.news()
    _sweep(gateway, seconds=5)
    assert giver.news() == [ASKED]
    gateway.clock.wait(minutes=5)
    return giver, receiver, need


def _told(gateway: Gateway) -> tuple[Phone, Phone, str]:
    """The giver said yes, helped, and said so; the code of the hours."""
    giver, receiver, _ = _asked(gateway)
    giver.says("بله")
    gateway.clock.wait(days=2)
    said = _dial(gateway, "3", "9", "6", "1", "1", "2", "1", phone=GIVER)
    assert said.startswith("ثبت شد. با تایید گیرنده"), said
    receiver._seen = len(gateway.rows("outbox"))
    giver._seen = receiver._seen
    gateway.clock.wait(minutes=5)
    return giver, receiver, said.split("کد ")[1]


def _is_sound(gateway: Gateway) -> bool:
    with reading(gateway.service.engine, snapshot=True) as db:
        return verify(db).faults == ()


def test_two_hours_from_the_dial_to_the_export(
    gateway: Gateway, logs: list[EventDict]
) -> None:
    giver, receiver, need = _asked(gateway)
    match, yes = giver.says("بله")[:2]
    assert match == f"بانک زمان: یاریگر پیدا شد. مرکز 11023 تماس می‌گیرد. کد {need}"
    assert yes.startswith("سپاس از شما.")

    queue = _dial(gateway, "1", phone=AT_THE_CENTRE, code=CENTRE_CODE)
    assert queue.startswith("صف\n1 آشنایی"), queue
    done = _dial(gateway, "1", "1", "1", phone=AT_THE_CENTRE, code=CENTRE_CODE)
    if not done.startswith("ثبت شد."):
        done = _dial(gateway, "1", "1", "1", "1", phone=AT_THE_CENTRE, code=CENTRE_CODE)
    assert done.startswith("ثبت شد."), done
    (one,) = gateway.rows("introduction")
    assert one.state == "introduced"

    gateway.clock.wait(days=2)
    said = _dial(gateway, "3", "9", "6", "1", "1", "2", "1", phone=GIVER)
    code = said.split("کد ")[1]
    receiver._seen = len(gateway.rows("outbox")) - 1
    assert receiver.news() == [
        f"بانک زمان: ۲ ساعت درس گرفتید؟\n1 بله\n2 خیر\nکد {code}"
    ]
    gateway.clock.wait(minutes=5)
    done_text, thanks = receiver.says("بله")
    assert done_text == "بانک زمان: ۲ ساعت برای شما ثبت شد. مانده ۲. سپاس."
    assert thanks == "سپاس. ساعت‌ها تایید شد."

    assert _dial(gateway, "3", "3", phone=GIVER).startswith(
        "داده: ۲ ساعت\nگرفته: ۰ ساعت\nمانده: ۲"
    )
    assert _dial(gateway, "3", "3", phone=RECEIVER).startswith(
        "داده: ۰ ساعت\nگرفته: ۲\nمانده: ۲ زیر صفر"
    )
    (row,) = gateway.exported("hours")
    cells = dict(zip(HOURS.names, row.split(","), strict=True))
    assert (cells["code"], cells["minutes"], cells["state"]) == (
        code,
        "120",
        "confirmed",
    )
    assert (cells["giver"], cells["receiver"]) == ("***0001", "***0003")
    assert _is_sound(gateway)
    for number in (GIVER, RECEIVER):
        assert number[3:] not in str(logs)
        assert not any(number[3:] in str(row.slots) for row in gateway.rows("outbox"))


def test_a_no_asks_the_next_one(gateway: Gateway) -> None:
    giver, _, _ = _asked(gateway)
    _enter(gateway, "1", OTHER_GIVER)
    said = giver.says("خیر")
    assert said == ["سپاس از پاسخ شما. پیشنهادتان باز می‌ماند."]
    _sweep(gateway, seconds=5)
    states = [row.state for row in gateway.rows("introduction")]
    assert states == ["declined", "asked"]
    (asked,) = [row for row in gateway.rows("introduction") if row.state == "asked"]
    with reading(gateway.service.engine) as db:
        person = people.find(db, gateway.service.keys, OTHER_GIVER)
    assert person is not None
    assert asked.giver_id == person.id


def test_silence_asks_the_next_one_and_a_late_yes_is_told_so(gateway: Gateway) -> None:
    giver, _, _ = _asked(gateway)
    _enter(gateway, "1", OTHER_GIVER)
    _sweep(gateway, hours=25)
    _sweep(gateway, seconds=5)
    states = [row.state for row in gateway.rows("introduction")]
    assert states == ["silent", "asked"]
    giver.news()
    giver.says("بله")
    assert gateway.rows("event", kind="introduction.accepted") == []


def test_a_need_that_nobody_meets_is_told_once(gateway: Gateway) -> None:
    need = _enter(gateway, "2", RECEIVER)
    phone = Phone(gateway, RECEIVER)
    phone.news()
    _sweep(gateway, seconds=5)
    assert phone.news() == []
    for _ in range(3):
        _sweep(gateway, hours=25)
    assert phone.news() == [f"بانک زمان: هنوز کسی پیدا نشده. ادامه می‌دهیم. کد {need}"]


def test_the_giver_cannot_confirm_and_neither_can_a_stranger(gateway: Gateway) -> None:
    _, _, code = _told(gateway)
    for number in (GIVER, STRANGER):
        phone = Phone(gateway, number, _seen=len(gateway.rows("outbox")))
        (said,) = phone.says(f"ساعت {code}")
        assert said == f"با این شماره ساعتی به کد {code} ثبت نشده است."
    assert gateway.rows("event", kind="hours.confirmed") == []


def test_the_code_confirms_once_however_often_it_is_sent(gateway: Gateway) -> None:
    _, receiver, code = _told(gateway)
    (asked,) = receiver.says(f"ساعت {code}")
    assert asked.startswith("کمک درس، ۲ ساعت، گرفتید؟")
    gateway.clock.wait(minutes=1)
    receiver.says("1", id="yes")
    receiver.says("1", id="yes")
    (again,) = receiver.says(f"ساعت {code}")
    assert again == "این ساعت‌ها پیش‌تر تایید شده است. سپاس."
    assert len(gateway.rows("event", kind="hours.confirmed")) == 1
    assert _is_sound(gateway)


def test_a_no_to_hours_goes_to_the_desk(gateway: Gateway) -> None:
    _, receiver, code = _told(gateway)
    (said,) = receiver.says("خیر")
    assert said == "ثبت شد. همکاران ما پیگیری می‌کنند. سپاس."
    (one,) = gateway.rows("introduction")
    assert one.state == "disputed"


def test_hours_that_nobody_confirms_are_void_and_told(gateway: Gateway) -> None:
    giver, _, code = _told(gateway)
    _sweep(gateway, seconds=CONFIRM_WITHIN.total_seconds())
    assert giver.news() == [f"بانک زمان: ۲ ساعت تایید نشد و بسته شد. کد {code}"]
    assert [row.state for row in gateway.rows("introduction")] == ["void"]
    assert _is_sound(gateway)


def test_two_phones_of_a_centre_do_not_tell_hours_by_one_introduction(
    gateway: Gateway,
) -> None:
    giver, _, _ = _asked(gateway)
    giver.says("بله")
    # The one reads "to be introduced" when the other says that they were.
    here = {"phone": AT_THE_CENTRE, "code": CENTRE_CODE, "session": "one"}
    asked = gateway.walk("1", "1", "1", **here)
    assert "انجام شد؟" in asked.text
    (waiting,) = gateway.rows("introduction")
    with writing(gateway.service.engine) as db:
        introductions.make(
            db,
            key="other",
            introduction_id=waiting.event_id,
            by="centre",
            channel="at",
            at=gateway.clock(),
        )
    said = gateway.dial("1*1*1*1", **here)
    assert said.text.startswith("این کار دیگر در صف نیست.")
    assert [row.state for row in gateway.rows("introduction")] == ["introduced"]
    assert gateway.rows("event", kind="hours") == []


def test_of_two_numbers_that_a_centre_reads_the_books_keep_both(
    gateway: Gateway,
) -> None:
    giver, _, _ = _asked(gateway)
    giver.says("بله")
    shown = _dial(gateway, "1", "1", "3", phone=AT_THE_CENTRE, code=CENTRE_CODE)
    assert "09351110003" in shown
    assert "09121110001" in shown
    with reading(gateway.service.engine) as db:
        theirs = {
            found.id
            for number in (GIVER, RECEIVER)
            if (found := people.find(db, gateway.service.keys, number))
        }
    kept = gateway.rows("event", kind="people.shown")
    assert {row.person_id for row in kept} == theirs


def test_who_wants_no_texts_is_not_asked_to_help(gateway: Gateway) -> None:
    _enter(gateway, "1", GIVER)
    gateway.clock.wait(minutes=1)
    _enter(gateway, "1", OTHER_GIVER)
    with writing(gateway.service.engine) as db:
        stops.stop(
            db,
            key="stop",
            look_up=look_up(gateway.service.keys, GIVER),
            line=stops.EVERY_LINE,
            channel="at",
            test=False,
            at=gateway.clock(),
        )
    _enter(gateway, "2", RECEIVER)
    _sweep(gateway, seconds=5)
    (one,) = gateway.rows("introduction")
    with reading(gateway.service.engine) as db:
        asked = people.find(db, gateway.service.keys, OTHER_GIVER)
    assert asked is not None
    assert one.giver_id == asked.id


def test_who_takes_a_need_back_frees_the_giver(gateway: Gateway) -> None:
    giver, receiver, need = _asked(gateway)
    giver.says("بله")
    said = _dial(gateway, "3", "9", "7", "1", "1", phone=RECEIVER)
    assert said.startswith("پس گرفته شد.")
    assert [row.state for row in gateway.rows("introduction")] == ["withdrawn"]
    assert [row.state for row in gateway.rows("favour")] == ["open", "closed"]


def _told_off(gateway: Gateway, *codes: str) -> bool:
    """Whether each of these codes, and no other, was told that it came to nothing."""
    rows = gateway.rows("outbox", template="sms.tb.off")
    told = {row.slots["code"]: row.person_id for row in rows}
    return sorted(told) == sorted(codes) and len(set(told.values())) == len(rows)


def test_both_are_told_of_what_an_operator_undid_and_once(
    gateway: Gateway, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.cli.timebank.now", gateway.clock)
    offer = _enter(gateway, "1", GIVER)
    need = _enter(gateway, "2", RECEIVER)
    giver = Phone(gateway, GIVER)
    _sweep(gateway, seconds=5)
    giver.news()
    gateway.clock.wait(minutes=5)
    giver.says("بله")
    (one,) = gateway.rows("introduction")
    for _ in range(2):
        done = operator.run("timebank", "withdraw", str(one.event_id), "--by", "sara")
        assert done.exit_code == 0, done.output
    assert _told_off(gateway, offer, need)
    assert _is_sound(gateway)


def test_both_are_told_when_nothing_came_of_it_for_sixty_days(
    gateway: Gateway,
) -> None:
    giver, _, need = _asked(gateway)
    giver.says("بله")
    _sweep(gateway, days=59)
    assert _told_off(gateway)
    _sweep(gateway, days=1)
    assert [row.state for row in gateway.rows("introduction")][:1] == ["withdrawn"]
    (offer,) = [row for row in gateway.rows("favour") if row.side == "offer"]
    (code,) = gateway.rows("code", event_id=offer.event_id)
    assert _told_off(gateway, code.code, need)
    _sweep(gateway, days=1)
    assert _told_off(gateway, code.code, need)


def test_somebody_erased_leaves_nothing_waiting(gateway: Gateway) -> None:
    _, _, _ = _told(gateway)
    service = gateway.service
    with writing(service.engine) as db:
        person = people.find(db, service.keys, RECEIVER)
        assert person is not None
        erasing.erase(
            db,
            service.keys,
            person_id=person.id,
            key="erase:1",
            channel="at",
            by="self",
            test=False,
            at=gateway.clock(),
        )
    assert [row.state for row in gateway.rows("introduction")] == ["void"]
    assert _is_sound(gateway)


def test_more_hours_than_one_has_are_not_given_away(gateway: Gateway) -> None:
    _, receiver, _ = _told(gateway)
    few = _dial(gateway, "3", "9", "5", "2", "1", phone=GIVER)
    assert few.startswith("این اندازه ساعت ندارید.")
    receiver.says("بله")
    # The call before broke off: it is begun anew.
    given = _dial(gateway, "2", "3", "9", "5", "2", "1", phone=GIVER)
    assert given.startswith("سپاس. ساعت‌های شما")
    assert len(gateway.rows("event", kind="hours.given")) == 1


def test_the_desk_settles_a_dispute_with_two_people(
    gateway: Gateway, operator: Operator
) -> None:
    _, receiver, code = _told(gateway)
    receiver.says("خیر")
    asked = operator.run(
        "timebank", "settle", code, "post", "--reason", "both came", "--by", "sara"
    ).output
    assert "1 more have to agree" in asked, asked
    operator.run("requests", "approve", "1", "--by", "reza")
    assert [row.state for row in gateway.rows("introduction")] == ["confirmed"]
    assert _is_sound(gateway)
    assert operator.run("timebank", "list", "--centre", "foo").exit_code == 2
    report = operator.run("timebank", "report").output
    assert f"{CENTRE:<16}" in report
    assert "  -" in report
    assert operator.run("timebank", "report", "--centre", CENTRE).output == report
    assert operator.run("timebank", "report", "--centre", "foo").exit_code == 2
