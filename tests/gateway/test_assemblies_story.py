"""An assembly from the first dial to the board: who helps, who meets, what is done."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from gateway.placing import shipped, take_in
from gateway.sweeping import sweep
from ledger.assemblies.board import board
from ledger.engine import reading
from ledger.export import TABLES, Selection, export_csv
from ledger.verify import verify
from tests.gateway.correspondence import Phone
from tests.gateway.house import OTHER_PHONE, PHONE, Gateway
from tests.gateway.operator import Operator

ASSEMBLY = "*780*5588*7#"
SECRETARY, OFFICE, STRANGER = "+989120000001", "+989120000002", "+989120000003"
INVITED = "مجمع 11: نشست 1405/09/10 ساعت 16:00، سرای محله. 1 می‌آیم 2 خیر"
SOON = "مجمع 11: نشست 1405/09/10 ساعت 16:00، سرای محله."
ASKED = "مجمع خیرین: گزارش مصوبه 1 تا 1405/12/01. پاسخ: 1 شد 2 در جریان"
DONE = "مجمع خیرین منطقه 11: مصوبه 1 انجام شد."


@pytest.fixture(params=["sqlite", "postgresql"])
def gateway_database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def desk(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> Operator:
    """The assemblies' desk, in the town that ships with the service."""
    for module in ("assembly", "assembly_decisions", "staff", "ledger"):
        monkeypatch.setattr(f"gateway.cli.{module}.now", operator.gateway.clock)
    take_in(operator.gateway.service.engine, shipped(), by="test", at=datetime.now(UTC))
    return operator


def run(desk: Operator, *arguments: str) -> str:
    done = desk.run(*arguments, "--by", "sara")
    assert done.exit_code == 0, done.output
    return done.output


def join(gateway: Gateway, phone: str, district: str = "11") -> None:
    said = gateway.walk(
        *("2", "1", district, "2", "20", "35", "شیرین", "1"),
        phone=phone,
        code=ASSEMBLY,
        session=f"join-{phone}",
    )
    assert said.text.startswith("سپاس؛ آمادگی شما ثبت شد.")


def later(gateway: Gateway, **time: float) -> None:
    gateway.clock.wait(**time)
    sweep(gateway.service, gateway.clock())


def decide(desk: Operator, *more: str) -> str:
    return run(
        desk,
        *("assembly", "decide", "11", "--title", "تعمیر مدرسه"),
        *("--owner", "معاونت اجتماعی", "--phone", OFFICE, *more),
    )


def secretary(desk: Operator, district: str = "11") -> None:
    run(
        desk,
        *("staff", "add", SECRETARY, "--role", "secretary"),
        *("--place", f"23-t{district}", "--title", "دبیر مجمع"),
    )


def test_from_the_first_dial_to_the_board(desk: Operator, gateway: Gateway) -> None:
    join(gateway, PHONE)
    join(gateway, OTHER_PHONE)
    join(gateway, STRANGER, district="12")
    secretary(desk)

    # A meeting: both are asked by text, one answers so, one by a call.
    planned = run(
        desk,
        *("assembly", "meeting", "۱۱", "--at", "1405/09/10 16:00"),
        *("--venue", "سرای محله"),
    )
    assert "1405/09/10 16:00  سرای محله  planned" in planned
    phone = Phone(gateway)
    later(gateway, minutes=1)
    assert phone.news() == [INVITED, INVITED]
    later(gateway, minutes=5)
    assert phone.news() == []
    assert phone.walks("۱").startswith("سپاس؛ به امید دیدار.")
    said = gateway.walk("4", "1", phone=OTHER_PHONE, code=ASSEMBLY, session="comes")
    assert said.text.startswith("سپاس؛ به امید دیدار.")
    # The text that the other was asked by is answered late, and changes their mind.
    assert Phone(gateway, OTHER_PHONE, _seen=10**6).post("2").status_code == 200
    asked = gateway.walk("5", "3", phone=SECRETARY, code=ASSEMBLY, session="how many")
    assert "آری ۱، نه ۱، دعوت ۲" in asked.text

    gateway.clock.at = datetime(2026, 11, 30, 13, 0, tzinfo=UTC)
    phone.news()
    later(gateway)
    assert phone.news() == [SOON]
    gateway.clock.at = datetime(2026, 12, 1, 14, 0, tzinfo=UTC)
    meeting_id = str(gateway.rows("meeting")[0].event_id)
    run(desk, "assembly", "held", meeting_id, "--came", "7", "--present", PHONE)

    # What they resolved: its office is asked, first two weeks ahead.
    made = decide(desk, "--due", "1405/12/01")
    assert "decision 1: تعمیر مدرسه  resolution, open, due 1405/12/01" in made
    gateway.clock.at = datetime(2027, 2, 6, 8, 30, tzinfo=UTC)
    later(gateway)
    assert phone.news() == [ASKED]
    office = Phone(gateway, OFFICE)
    office.news()
    gateway.clock.wait(minutes=5)
    assert office.walks("در").startswith("متوجه نشدیم")
    assert office.walks("2").startswith("سپاس؛ گزارش شما یادداشت شد")
    gateway.clock.at = datetime(2027, 2, 17, 8, 30, tzinfo=UTC)
    later(gateway)
    assert office.news() == [ASKED]
    gateway.clock.wait(minutes=5)
    assert office.walks("بله").startswith("سپاس؛ گزارش شما یادداشت شد")
    # Whoever helps in another district sees that one's first.
    shown = gateway.walk("1", phone=STRANGER, code=ASSEMBLY, session="shown")
    assert shown.text.startswith("این منطقه هنوز مصوبه‌ای ندارد.")

    # The secretary has the last word, by phone.
    claims = gateway.walk("5", "1", phone=SECRETARY, code=ASSEMBLY, session="claims")
    assert "1 مصوبه ۱ تعمیر مدرسه" in claims.text
    one = gateway.walk(
        *("5", "1", "1", "1"), phone=SECRETARY, code=ASSEMBLY, session="confirms"
    )
    assert one.text.startswith("یادداشت شد.")
    assert office.news() == [DONE]
    seen = gateway.walk("1", phone=PHONE, code=ASSEMBLY, session="sees")
    assert seen.text.startswith("مصوبه ۱ از ۱\nتعمیر مدرسه\nمنطقه ۱۱، انجام شد")

    # The books say so, and the board is what they come to.
    (row,) = exported(gateway, "decisions")
    assert (row["district"], row["decision"], row["state"]) == ("11", "1", "done")
    assert row["claim"] == "done"
    helpers = exported(gateway, "benefactors")
    assert [one["district"] for one in helpers] == ["11", "11", "12"]
    assert "شیرین" not in str(helpers)
    (met,) = exported(gateway, "meetings")
    assert [met[name] for name in ("asked", "yes", "no", "came")] == [
        "2",
        "1",
        "1",
        "7",
    ]
    with reading(gateway.service.engine, snapshot=True) as db:
        eleven = board(db, today=gateway.clock().date())[10]
        assert verify(db).faults == ()
    assert (eleven.benefactors, eleven.covers, eleven.done) == (2, 70, 1)
    assert dict(eleven.capacity) == {"goods": 40}
    shown_board = desk.run("assembly", "board").output
    assert shown_board.splitlines()[-1].split()[:3] == ["all", "3", "105"]
    story = desk.run("assembly", "show", "11", "1").output
    assert [line.split()[2] for line in story.splitlines()[1:]] == [
        *("decision", "decision.reminded", "decision.claimed"),
        *("decision.reminded", "decision.claimed", "decision.confirmed"),
        "decision.told",
    ]


def exported(gateway: Gateway, what: str) -> list[dict[str, str]]:
    told = export_csv(
        gateway.service.engine,
        TABLES[what],
        Selection("Asia/Tehran"),
        keys=gateway.service.keys,
    )
    text = b"".join(told).decode().removeprefix("\ufeff")
    return list(csv.DictReader(io.StringIO(text)))


def test_a_secretary_of_another_district_has_no_word(
    desk: Operator, gateway: Gateway
) -> None:
    secretary(desk, "12")
    decide(desk)
    office = gateway.walk("1", "11", "2", "1", phone=OFFICE, code=ASSEMBLY)
    assert office.text.startswith("سپاس؛ گزارش شما یادداشت شد")
    claims = gateway.walk("5", "1", phone=SECRETARY, code=ASSEMBLY, session="s2")
    assert claims.text.startswith("اکنون چیزی در انتظار نیست.")
    # Nobody else is shown the secretary's menu at all.
    other = gateway.walk("5", phone=STRANGER, code=ASSEMBLY, session="s3")
    assert "گزینه درست نبود" in other.text


def test_an_office_whose_role_ended_is_not_asked_and_not_heard(
    desk: Operator, gateway: Gateway
) -> None:
    decide(desk, "--due", "1405/09/05")
    (row,) = gateway.rows("staff")
    run(desk, "staff", "end", str(row.id))
    later(gateway, minutes=1)
    assert Phone(gateway).news() == []
    said = gateway.walk("1", "11", "2", "1", phone=OFFICE, code=ASSEMBLY)
    assert said.text.startswith("مجمع خیرین")
    assert gateway.rows("decision")[0].claim is None


def test_two_decisions_of_one_office_are_asked_about_one_after_the_other(
    desk: Operator, gateway: Gateway
) -> None:
    decide(desk, "--due", "1405/09/05")
    run(
        desk,
        *("assembly", "decide", "11", "--title", "انبار تازه", "--due", "1405/09/06"),
        *("--owner", "معاونت اجتماعی", "--phone", OFFICE),
    )
    office = Phone(gateway, OFFICE)
    later(gateway, minutes=1)
    (first,) = office.news()
    assert "مصوبه 1" in first
    later(gateway, minutes=5)
    assert office.news() == []
    office.says("1")
    later(gateway, minutes=1)
    (second,) = office.news()
    assert "مصوبه 2" in second


def test_the_many_decisions_of_one_office_stand_before_no_other(
    desk: Operator, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.assemblies.due.LOOK_MAX", 2)
    for title in ("الف", "ب", "پ"):
        run(
            desk,
            *("assembly", "decide", "11", "--title", title, "--due", "1405/09/08"),
            *("--owner", "معاونت اجتماعی", "--phone", OFFICE),
        )
    run(
        desk,
        *("assembly", "decide", "12", "--title", "ت", "--due", "1405/09/09"),
        *("--owner", "معاونت فنی", "--phone", STRANGER),
    )
    later(gateway, minutes=1)
    assert gateway.promised == ["sms.ben.due"]
    later(gateway, minutes=1)
    assert gateway.promised == ["sms.ben.due"] * 2
    later(gateway, minutes=1)
    assert gateway.promised == ["sms.ben.due"] * 2


def test_an_answer_after_the_last_word_says_so(
    desk: Operator, gateway: Gateway
) -> None:
    decide(desk, "--due", "1405/09/05")
    office = Phone(gateway, OFFICE)
    later(gateway, minutes=1)
    office.news()
    gateway.clock.wait(minutes=5)
    told = run(desk, "assembly", "confirm", "11", "1")
    assert "1 are told" in told
    office.news()
    assert office.walks("1") == "این مصوبه پیش‌تر بسته شده است."
    assert gateway.rows("decision")[0].claim is None


def test_a_meeting_that_is_called_off_is_told_to_who_wanted_to_come(
    desk: Operator, gateway: Gateway
) -> None:
    join(gateway, PHONE)
    join(gateway, OTHER_PHONE)
    run(
        desk,
        *("assembly", "meeting", "11", "--at", "1405/09/10 16:00"),
        *("--venue", "سرای محله"),
    )
    later(gateway, minutes=1)
    gateway.clock.wait(minutes=5)
    phone = Phone(gateway)
    phone.says("1")
    meeting_id = str(gateway.rows("meeting")[0].event_id)
    run(desk, "assembly", "cancel", meeting_id)
    assert phone.news() == ["مجمع 11: نشست 1405/09/10 ساعت 16:00 برگزار نمی‌شود."]
    other = Phone(gateway, OTHER_PHONE)
    other.news()
    assert other.walks("1") == "این نشست گذشته یا برگزار نمی‌شود."


def test_an_hour_takes_one_meeting_until_it_is_called_off(
    desk: Operator, gateway: Gateway
) -> None:
    hour = ("assembly", "meeting", "11", "--at", "1405/09/10 16:00", "--venue")
    run(desk, *hour, "سرای محله")
    refused = desk.run(*hour, "مسجد", "--by", "sara")
    assert refused.exit_code == 2
    assert "with another venue" in refused.output
    assert "written down before" in run(desk, *hour, "سرای محله")
    run(desk, "assembly", "cancel", str(gateway.rows("meeting")[0].event_id))
    assert "written down before" not in run(desk, *hour, "مسجد")
    assert "written down before" in run(desk, *hour, "مسجد")
    assert sorted(one.state for one in gateway.rows("meeting")) == [
        "cancelled",
        "planned",
    ]


def test_premises_that_fit_are_brought_together_without_a_number(
    desk: Operator, gateway: Gateway
) -> None:
    secretary(desk)
    for side, phone, metres in (("1", PHONE, "80"), ("2", OTHER_PHONE, "100")):
        said = gateway.walk(
            *("3", side, "11", "1", metres, "1"),
            phone=phone,
            code=ASSEMBLY,
            session=f"room-{phone}",
        )
        assert said.text.startswith("سپاس؛ ثبت شد.")
    listed = gateway.walk("5", "2", phone=SECRETARY, code=ASSEMBLY, session="fits")
    assert "1 سالن، ۸۰ متر" in listed.text
    phone = Phone(gateway)
    phone.news()
    done = gateway.walk(
        *("5", "2", "1", "1"), phone=SECRETARY, code=ASSEMBLY, session="match"
    )
    assert done.text.startswith("یادداشت شد.")
    told = phone.news()
    assert told == ["مجمع خیرین: برای مکان شما موردی هست. تماس 02100000000"] * 2
    assert {row.state for row in gateway.rows("premises")} == {"met"}
    assert "9121234567" not in str(gateway.rows("event"))


def test_one_sweep_writes_to_a_bounded_number(
    desk: Operator, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.assemblies.due.ASKED_MAX", 2)
    for number in range(3):
        join(gateway, f"+9891211100{number:02}")
    run(
        desk,
        *("assembly", "meeting", "11", "--at", "1405/09/10 16:00"),
        *("--venue", "سرای محله"),
    )
    phone = Phone(gateway)
    later(gateway, minutes=1)
    assert len(phone.news()) == 2
    later(gateway, seconds=5)
    assert len(phone.news()) == 1


def test_somebody_who_was_forgotten_is_asked_nothing(
    desk: Operator, gateway: Gateway
) -> None:
    join(gateway, PHONE)
    run(
        desk,
        *("assembly", "meeting", "11", "--at", "1405/09/10 16:00"),
        *("--venue", "سرای محله"),
    )
    erased = desk.run("people", "erase", PHONE, "--yes", "--by", "sara")
    assert erased.exit_code == 0, erased.output
    later(gateway, minutes=1)
    assert gateway.rows("attendance") == []
    assert Phone(gateway).news() == []


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("meeting", "23", "--at", "16:00", "--venue", "x"), "from 1 to 22"),
        (("meeting", "11", "--at", "1404/01/01 16:00", "--venue", "x"), "is past"),
        (("meeting", "11", "--at", "soon", "--venue", "x"), "is no time"),
        (("meeting", "11", "--at", "1405/09/10 16:00", "--venue", "x" * 17), "16"),
        (("decide", "11", "--title", "0912 123 4567", "--owner", "x"), "no phone"),
        (("decide", "11", "--title", "x", "--owner", "x", "--due", "1404/1/1"), "past"),
        (("decide", "11", "--title", "x", "--owner", "x", "--phone", "021"), "--phone"),
        (("confirm", "11", "9"), "has no decision 9"),
        (("held", "4711", "--came", "3"), "no meeting"),
        (("match", "4711", "4712"), "no offer"),
    ],
)
def test_what_the_registers_do_not_take_is_one_clear_line(
    desk: Operator, arguments: tuple[str, ...], why: str
) -> None:
    refused = desk.run("assembly", *arguments, "--by", "sara")
    assert refused.exit_code == 2
    assert why in refused.output
    assert "Traceback" not in refused.output
    assert desk.gateway.rows("event")[1:] == []


def test_a_rehearsed_decision_is_apart(desk: Operator, gateway: Gateway) -> None:
    decide(desk, "--test", "--due", "1405/09/05")
    assert "decision 1" in decide(desk)
    real = gateway.walk("1", "11", phone=STRANGER, code=ASSEMBLY, session="real")
    assert "مصوبه ۱ از ۱" in real.text
    assert exported(gateway, "decisions")[0]["decision"] == "1"
    later(gateway, minutes=1)
    assert all(row.test for row in gateway.rows("outbox"))
    assert timedelta(0) < gateway.clock() - gateway.rows("decision")[0].at


@pytest.mark.parametrize("kind", ["meetings", "benefactors", "premises", "decisions"])
def test_an_empty_list_says_that_it_is(desk: Operator, kind: str) -> None:
    assert desk.run("assembly", kind, "11").output == "nothing is written down here\n"
