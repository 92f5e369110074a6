"""The question of a group, as a volunteer is asked it and takes the answer back."""

from __future__ import annotations

import pytest

from gateway.placing import shipped, take_in
from ledger import people, sensitive
from ledger.engine import reading, writing
from ledger.groups import Group
from ledger.sensitive import What
from tests.gateway.correspondence import Phone
from tests.gateway.house import NOON, OTHER_PHONE, PHONE, Gateway
from tests.gateway.operator import Operator

VOLUNTEER, GROUP = "*780*5588*2#", "*780*5588*5#"
CENTRE, CENTRE_CODE, OTHER_CENTRE = "11023", "c11023", "c11031"


@pytest.fixture(params=["sqlite", "postgresql"])
def gateway_database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def town(gateway: Gateway) -> Gateway:
    """A service that knows its places, and one volunteer at a centre."""
    take_in(gateway.service.engine, shipped(), by="test", at=NOON)
    sign_up(gateway, PHONE)
    return gateway


def sign_up(gateway: Gateway, phone: str) -> None:
    answers = ("1", "1", CENTRE, "1", "4", "1")
    screen = gateway.walk(*answers, session=f"v{phone}", phone=phone, code=VOLUNTEER)
    assert screen.ends, screen


def say(gateway: Gateway, *answers: str, session: str, phone: str = PHONE) -> str:
    return gateway.walk(*answers, session=session, phone=phone, code=GROUP).text


def answer(gateway: Gateway, centre: str = CENTRE_CODE) -> str | None:
    (row,) = gateway.rows("sensitive", what="group")
    with reading(gateway.service.engine) as db:
        return sensitive.answer_of(
            db,
            gateway.service.keys,
            person_id=row.person_id,
            what=What.GROUP,
            centre=centre,
        )


def test_an_answer_is_asked_after_a_consent_and_kept_for_the_own_centre(
    town: Gateway,
) -> None:
    assert say(town, session="s1").startswith("پرسش بعد اختیاری است")
    assert say(town, "1", "2", "1", session="s2").startswith("سپاس. فقط مرکز شما")
    assert answer(town) == Group.DISABILITY
    assert answer(town, OTHER_CENTRE) is None
    (event,) = town.rows("event", kind="keep_group")
    assert (event.body, event.centre, event.district) == ({}, None, None)


@pytest.mark.parametrize(
    ("language", "screens"),
    [
        (
            "fa",
            (
                "پرسش بعد اختیاری است؛ پاسخ را فقط مرکز شما می‌بیند.\n1 می‌پذیرم\n0 رد",
                "گروه شما؟\n1 زن سرپرست خانوار\n2 معلولیت\n3 اوتیسم\n4 آلزایمر\n5 دیگر"
                "\n0 رد",
                "پاسخ نزد مرکز نمونه ۱ تهران بماند؟\n1 بله\n0 خیر",
                "سپاس. فقط مرکز شما می‌بیند و هر وقت بخواهید پاک می‌شود.",
            ),
        ),
        (
            "en",
            (
                "The next question is optional; only your centre sees the answer."
                "\n1 I agree\n0 Skip",
                "Your group?\n1 Woman head of household\n2 Disability\n3 Autism"
                "\n4 Alzheimer\n5 Other\n0 Skip",
                "Keep the answer with Sample centre 1, Tehran?\n1 Yes\n0 No",
                "Thank you. Only your centre sees it, and it is erased whenever you "
                "wish.",
            ),
        ),
    ],
)
def test_the_question_reads_so_in_both_languages(
    town: Gateway, language: str, screens: tuple[str, ...]
) -> None:
    (person,) = town.rows("person")
    with writing(town.service.engine) as db:
        people.set_language(db, person_id=person.id, language=language)
    read = [
        town.dial("*".join(("1", "3", "1")[:turn]), session="s", code=GROUP).text
        for turn in range(4)
    ]
    assert read == list(screens)
    assert answer(town) == Group.AUTISM


@pytest.mark.parametrize("answers", [("0",), ("1", "0"), ("1", "2", "0"), ("1", "2")])
def test_who_stops_on_the_way_leaves_nothing(
    town: Gateway, answers: tuple[str, ...]
) -> None:
    say(town, *answers, session="s")
    assert town.rows("sensitive") == []


def test_an_answer_is_changed_and_taken_back_at_once(town: Gateway) -> None:
    say(town, "1", "2", "1", session="s1")
    assert say(town, session="s2").startswith("پاسخ شما نزد مرکزتان است.")
    say(town, "2", "1", "3", "1", session="s3")
    assert answer(town) == Group.AUTISM
    assert say(town, "1", "1", session="s4") == "پاسخ شما پاک شد."
    assert town.rows("sensitive") == []
    assert say(town, session="s5").startswith("پرسش بعد اختیاری است")


def test_who_is_erased_leaves_no_answer(town: Gateway) -> None:
    say(town, "1", "2", "1", session="s1")
    town.walk("9", "9", "8", "1", session="erase", code="*780*5588#")
    assert town.rows("sensitive") == []


def test_nobody_is_asked_by_text(town: Gateway) -> None:
    phone = Phone(town)
    phone.news()
    phone.says("داوطلب")
    town.clock.wait(minutes=1)
    (said,) = phone.says("5")
    assert said.startswith("این پرسش پیامکی نیست.")
    assert "*780*5588#" in said


def test_a_volunteer_who_left_is_not_asked(town: Gateway) -> None:
    town.walk("3", "1", session="leave", code=VOLUNTEER)
    assert say(town, session="s1").startswith("مرکز شما را نمی‌شناسیم")


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param(("3", "1"), id="who leaves"),
        pytest.param(("2", "1", "11102", "1", "4", "1"), id="who changes"),
    ],
)
def test_an_answer_does_not_stay_where_nobody_is_a_volunteer_any_more(
    town: Gateway, answers: tuple[str, ...]
) -> None:
    say(town, "1", "2", "1", session="s1")
    screen = town.walk(*answers, session="away", code=VOLUNTEER)
    assert screen.ends, screen
    assert town.rows("sensitive") == []
    (mine,) = town.rows("signup")
    assert (mine.state, mine.place_code) != ("active", CENTRE_CODE)


def test_an_answer_stays_with_who_changes_something_else(town: Gateway) -> None:
    say(town, "1", "2", "1", session="s1")
    town.walk("2", "1", CENTRE, "2", "4", "1", session="skill", code=VOLUNTEER)
    assert len(town.rows("event", kind="signup.change")) == 1
    assert answer(town) == Group.DISABILITY


@pytest.mark.parametrize("gateway_database", ["sqlite"], indirect=True)
def test_an_operator_reads_counts_of_five_and_more(
    town: Gateway, operator: Operator
) -> None:
    for number in range(6):
        phone = f"+98912000000{number}"
        sign_up(town, phone)
        say(town, "1", "1" if number < 5 else "4", "1", session=phone, phone=phone)
    told = operator.run("groups", "counts", "--centre", CENTRE).output
    assert "alzheimer" not in told or "alzheimer    0" in told
    assert "others       6" in told
    assert operator.run("groups", "counts", "--centre", f"c{CENTRE}").output == told
    assert operator.run("groups", "counts", "--centre", "11031").output


def test_the_phone_of_another_is_another(town: Gateway) -> None:
    say(town, "1", "2", "1", session="s1")
    sign_up(town, OTHER_PHONE)
    said = say(town, session="s2", phone=OTHER_PHONE)
    assert said.startswith("پرسش بعد اختیاری است")
