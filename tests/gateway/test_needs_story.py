"""A need from the centre's phone to the list that it reads on the day."""

from __future__ import annotations

import pytest
from structlog.typing import EventDict

from gateway.sweeping import sweep
from ledger import people, signups, staff
from ledger.engine import writing
from ledger.export import NEEDS
from ledger.signups import Placed
from ledger.staff import Role
from tests.gateway.centre import AT_THE_CENTRE, CENTRE, CENTRE_CODE, open_centre
from tests.gateway.correspondence import Phone
from tests.gateway.house import ROOT_CODE, Gateway
from tests.gateway.operator import Operator

pytestmark = pytest.mark.parametrize("gateway_database", ["sqlite", "postgresql"])

VOLUNTEERS = ["+989121110001", "+989121110002", "+989121110003", "+989121110004"]
STRANGER = "+989129990000"
INVITED = "سلام محله: 1405/09/04 ساعت 10:00 می‌آیید؟\nپاسخ: بله یا خیر"
MEET = "سلام محله: دیدار 1405/09/04 ساعت 10:00\nمرکز نمونه ۱ تهران\nسپاس."
FULL = "سلام محله: سپاس از شما. این بار همه جاها پر شده بود."


def _open(gateway: Gateway, *, volunteers: int = 4) -> None:
    """Places, a centre with a phone, and volunteers who live near it."""
    service, at = gateway.service, gateway.clock()
    open_centre(gateway)
    with writing(service.engine) as db:
        for number, phone in enumerate(VOLUNTEERS[:volunteers]):
            person = people.remember(db, service.keys, phone, at=at)
            signups.sign_up(
                db,
                service.keys,
                key=f"signup:{number}",
                person_id=person.id,
                campaign="salam-mahalle",
                place_kind="centre",
                place="11023",
                province=None,
                district=None,
                skill="teaching",
                time="when-needed",
                consent="m" * 64,
                placed=Placed(CENTRE, "23-t11", CENTRE),
                channel="at",
                test=False,
                at=at,
            )


def _raise_need(gateway: Gateway, people: str = "1") -> None:
    """The centre needs teachers in three days at ten."""
    said = gateway.walk(
        "2", "1", people, "3", "10", "1", "1", phone=AT_THE_CENTRE, code=CENTRE_CODE
    )
    assert said.text.startswith("ثبت شد.")


def _sweep(gateway: Gateway, **later: float) -> None:
    gateway.clock.wait(**later)
    sweep(gateway.service, gateway.clock())


def _invite(gateway: Gateway, people: str = "1") -> list[Phone]:
    """Everybody is asked by text, and has had the time to read it."""
    _open(gateway)
    _raise_need(gateway, people)
    phones = [Phone(gateway, number) for number in VOLUNTEERS]
    _sweep(gateway)
    for phone in phones:
        phone.news()
    gateway.clock.wait(minutes=5)
    return phones


def test_a_need_of_a_centre_becomes_the_list_of_who_comes(
    gateway: Gateway, logs: list[EventDict]
) -> None:
    _open(gateway)
    _raise_need(gateway)
    reader = Phone(gateway, VOLUNTEERS[0])
    _sweep(gateway)
    texts = reader.news()
    assert [text.startswith(INVITED) for text in texts] == [True] * 3
    gateway.clock.wait(minutes=5)

    assert reader.says("بله") == [MEET]
    assert Phone(gateway, VOLUNTEERS[1], _seen=4).says("1") == [FULL]
    no = Phone(gateway, VOLUNTEERS[2], _seen=5).says("خیر")
    assert no == ["سپاس از پاسخ شما."]

    first = gateway.walk("1", session="q1", phone=AT_THE_CENTRE, code=CENTRE_CODE)
    assert first.text == "صف\n1 یاریگر 1405/09/04\n0 بازگشت"
    one = gateway.walk("1", "1", session="q2", phone=AT_THE_CENTRE, code=CENTRE_CODE)
    assert one.text == "یاریگر: آموزش\n1405/09/04\n3 تماس\n0 بازگشت"
    call = gateway.walk(
        "1", "1", "3", session="q3", phone=AT_THE_CENTRE, code=CENTRE_CODE
    )
    assert call.text == "تماس: 09121110001\n0 بازگشت"
    shown = gateway.rows("event", kind="people.shown")
    assert len(shown) == 1

    gateway.clock.wait(days=3)
    done = gateway.walk(
        "1", "1", "1", "1", session="q4", phone=AT_THE_CENTRE, code=CENTRE_CODE
    )
    assert done.text.startswith("ثبت شد.")
    empty = gateway.walk("1", session="q5", phone=AT_THE_CENTRE, code=CENTRE_CODE)
    assert empty.text.startswith("کاری در صف نیست.")

    assert [row.state for row in gateway.rows("invite")] == ["came", "full", "no"]
    [line] = gateway.exported("needs")
    exported = dict(zip(NEEDS.names, line.split(","), strict=True))
    assert (exported["vacancies"], exported["coming"], exported["came"]) == (
        "1",
        "0",
        "1",
    )
    assert exported["state"] == "filled"
    assert NEEDS.names[-1] == "came"
    assert not any(number[3:] in str(logs) for number in VOLUNTEERS)


def test_the_same_answer_again_is_the_same_answer_once(gateway: Gateway) -> None:
    phone, *_ = _invite(gateway)
    assert phone.says("بله") == [MEET]
    assert phone.says("بله") == []
    assert phone.says("1", id="another") == []
    assert len(gateway.rows("event", kind="invite.yes")) == 1


def test_an_answer_after_the_window_is_told_that_it_is_over(gateway: Gateway) -> None:
    phone, *_ = _invite(gateway)
    _sweep(gateway, hours=25)
    phone.news()
    said = phone.says("بله")
    assert said == ["مهلت پاسخ گذشت؛ چیزی ثبت نشد.\nراهنمایی: «راهنما» بفرستید."]
    assert gateway.rows("invite")[0].state == "silent"
    assert gateway.rows("event", kind="invite.yes") == []


def test_a_phone_that_was_not_asked_answers_nothing(gateway: Gateway) -> None:
    _invite(gateway)
    stranger = Phone(gateway, STRANGER)
    stranger.news()
    said = stranger.says("بله")
    assert said == [
        "متوجه نشدیم؛ همکاران ما آن را می‌خوانند.\nراهنمایی: «راهنما» بفرستید."
    ]
    assert [row.state for row in gateway.rows("invite")] == ["asked"] * 3


def test_a_text_of_before_the_question_is_not_its_answer(gateway: Gateway) -> None:
    _open(gateway)
    _raise_need(gateway)
    _sweep(gateway)
    phone = Phone(gateway, VOLUNTEERS[0])
    phone.says("بله")
    assert gateway.rows("invite")[0].state == "asked"


def test_an_answer_may_come_by_another_of_our_lines(gateway: Gateway) -> None:
    _invite(gateway)
    said = gateway.client.post(
        "/sms/at/long-random/inbound",
        data={
            "id": "at-1",
            "from": VOLUNTEERS[0],
            "to": "YARIGAR",
            "text": "1",
            "date": "2026-11-22 08:36:00",
        },
    )
    assert said.status_code == 200
    assert gateway.rows("invite")[0].state == "yes"


def test_an_answer_by_a_rehearsal_line_is_no_answer(gateway: Gateway) -> None:
    _invite(gateway)
    gateway.client.post(
        "/sms/console/long-random/inbound",
        data={"id": "c-1", "from": VOLUNTEERS[0], "to": "10001", "text": "1"},
    )
    assert gateway.rows("invite")[0].state == "asked"


def test_an_invitation_is_answered_by_dialling_too(gateway: Gateway) -> None:
    _invite(gateway)
    who = {"phone": VOLUNTEERS[0], "code": ROOT_CODE}
    listed = gateway.walk("9", "9", "6", session="i1", **who)
    assert listed.text == "دعوت‌های شما\n1 روز 1405/09/04\n0 بازگشت"
    yes = gateway.walk("9", "9", "6", "1", "1", session="i2", **who)
    assert yes.text == "سپاس. دیدار 1405/09/04 ساعت 10:00\nمرکز نمونه ۱ تهران"
    taken_back = gateway.walk("9", "9", "6", "1", "2", session="i3", **who)
    assert taken_back.text == "سپاس از پاسخ شما."
    none = gateway.walk("9", "9", "6", session="i4", phone=STRANGER, code=ROOT_CODE)
    assert none.text.startswith("دعوتی برای شما نیست.")


def test_who_is_erased_while_invited_is_asked_and_told_nothing_more(
    gateway: Gateway,
) -> None:
    phone, *_ = _invite(gateway)
    erased = gateway.walk("9", "9", "8", "1", phone=phone.number, code=ROOT_CODE)
    assert erased.text.startswith("پاک شد.")
    _sweep(gateway, hours=25)
    assert gateway.rows("invite")[0].state == "withdrawn"
    assert gateway.rows("person", look_up=None) != []


def test_what_is_called_off_is_told_to_who_comes(
    gateway: Gateway, operator: Operator
) -> None:
    phone, *_ = _invite(gateway)
    phone.says("بله")
    [need] = gateway.rows("need")
    done = operator.run("needs", "cancel", str(need.event_id), "--by", "sara")
    assert done.exit_code == 0, done.output
    _sweep(gateway)
    assert phone.news() == ["سلام محله: دیدار 1405/09/04 برگزار نمی‌شود. سپاس."]
    _sweep(gateway, minutes=1)
    assert phone.news() == []


def test_who_comes_is_asked_once_more_the_day_before(gateway: Gateway) -> None:
    phone, *_ = _invite(gateway)
    phone.says("بله")
    _sweep(gateway, days=2)
    [reminder] = [text for text in phone.news() if "سلام محله" not in text]
    assert reminder == "1405/09/04 ساعت 10:00، مرکز نمونه ۱ تهران\nمی‌آیید؟ بله یا خیر"
    gateway.clock.wait(minutes=1)
    assert phone.says("خیر") == ["سپاس از پاسخ شما."]
    _sweep(gateway, minutes=1)
    assert gateway.rows("need")[0].state == "open"


def test_a_centre_is_told_once_a_day_that_something_waits(gateway: Gateway) -> None:
    phone, *_ = _invite(gateway)
    _sweep(gateway)
    phone.says("بله")
    phone.news()
    _sweep(gateway, days=1)
    digest = "سلام محله: ۱ کار در صف مرکز شماست. «مرکز» بفرستید."
    assert [text for text in phone.news() if "صف" in text] == [digest]
    _sweep(gateway, hours=2)
    assert [text for text in phone.news() if "صف" in text] == []


def test_a_phone_of_no_centre_reads_that_it_is_none(gateway: Gateway) -> None:
    _open(gateway)
    none = gateway.dial("", phone=STRANGER, code=CENTRE_CODE)
    assert (none.word, none.text) == ("END", "این شماره برای هیچ مرکزی ثبت نشده است.")
    by_text = Phone(gateway, STRANGER).says("مرکز")
    assert by_text == ["این شماره برای هیچ مرکزی ثبت نشده است."]


def test_a_centre_reads_its_queue_by_text(gateway: Gateway) -> None:
    phone, *_ = _invite(gateway)
    phone.says("بله")
    centre = Phone(gateway, AT_THE_CENTRE)
    centre.news()
    assert centre.walks("مرکز", "1").startswith("صف\n1 یاریگر 1405/09/04")
    # A number is read on a call and never written into a text.
    (one,) = centre.says("1")
    assert one == "یاریگر: آموزش\n1405/09/04\n0 بازگشت"


def test_who_wants_no_texts_is_in_nobodys_way_when_others_are_asked_once_more(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, *_ = _invite(gateway, people="2")
    first.says("بله")
    second.says("بله")
    first.says("11")
    monkeypatch.setattr("gateway.waves.TOLD_A_SWEEP_MAX", 1)
    _sweep(gateway, days=2)
    assert gateway.rows("event", kind="invite.remind") == []
    _sweep(gateway, seconds=5)
    [reminded] = gateway.rows("event", kind="invite.remind")
    assert reminded.person_id == gateway.rows("invite")[1].person_id
    _sweep(gateway, minutes=11)
    assert len(gateway.rows("event", kind="invite.remind")) == 1


def test_a_need_that_meets_is_closed_and_asks_nobody_more(gateway: Gateway) -> None:
    _invite(gateway, people="2")
    _sweep(gateway, days=4)
    [need] = gateway.rows("need")
    assert (need.state, need.next_at) == ("closed", None)
    assert {row.state for row in gateway.rows("invite")} <= {"silent", "withdrawn"}
    before = len(gateway.rows("outbox"))
    _sweep(gateway, days=1)
    assert len(gateway.rows("outbox")) == before


def test_who_reads_english_is_asked_and_answers_in_english(gateway: Gateway) -> None:
    _open(gateway)
    service = gateway.service
    with writing(service.engine) as db:
        for number in [*VOLUNTEERS, AT_THE_CENTRE]:
            person = people.find(db, service.keys, number)
            assert person is not None
            people.set_language(db, person_id=person.id, language="en")
    centre = {"phone": AT_THE_CENTRE, "code": CENTRE_CODE}
    said = gateway.walk("2", "1", "1", "3", "10", "1", "1", session="n1", **centre)
    assert said.text == "Recorded. We will invite volunteers nearby."
    phone = Phone(gateway, VOLUNTEERS[0])
    _sweep(gateway)
    invited = "Salam Mahalle: can you come 1405/09/04 at 10:00? Reply yes or no."
    assert [text.startswith(invited) for text in phone.news()] == [True] * 3
    gateway.clock.wait(minutes=5)
    # A place without a short name is the number that is dialled for it.
    meet = "Salam Mahalle: we meet 1405/09/04 at 10:00, 11023. Thank you."
    assert phone.says("yes") == [meet]
    full = "Salam Mahalle: thank you. This time all places had been filled."
    assert Phone(gateway, VOLUNTEERS[1], _seen=4).says("yes") == [full]
    no = Phone(gateway, VOLUNTEERS[2], _seen=5).says("no")
    assert no == ["Thank you for telling us."]
    root = gateway.dial("", session="q1", **centre)
    assert root.text.startswith("11023: 1 waiting\n1 What waits")
    call = gateway.walk("1", "1", "3", session="q2", **centre)
    assert call.text == "Call 09121110001\n0 Back"


def test_a_number_is_shown_to_nobody_who_did_not_ask_for_it(gateway: Gateway) -> None:
    phone, *_ = _invite(gateway)
    phone.says("بله")
    who = {"phone": AT_THE_CENTRE, "code": CENTRE_CODE}
    gateway.walk("1", "1", session="c1", **who)
    assert phone.number[3:].encode() not in gateway.everything_kept()
    assert gateway.rows("event", kind="people.shown") == []


def test_a_centre_does_nothing_about_what_waits_elsewhere(gateway: Gateway) -> None:
    phone, *_ = _invite(gateway)
    phone.says("بله")
    service = gateway.service
    with writing(service.engine) as db:
        staff.add(
            db,
            service.keys,
            phone=STRANGER,
            role=Role.CENTRE,
            place="c11449",
            title="مرکز دیگر",
            by="sara",
            test=False,
            at=gateway.clock(),
        )
    other = gateway.walk("1", session="e1", phone=STRANGER, code=CENTRE_CODE)
    assert other.text.startswith("کاری در صف نیست.")
    helper = gateway.walk("1", session="e2", phone=AT_THE_CENTRE, code=CENTRE_CODE)
    assert "یاریگر" in helper.text
