"""Volunteers, from the dial to what is exported of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.entering import ANYBODY_A_DAY_MAX, ASKED_A_MINUTE_MAX
from gateway.placing import shipped, take_in
from gateway.renumbering import MOVED_AFTER
from gateway.sweeping import sweep
from ledger import people
from ledger.engine import reading, writing
from ledger.signups import name_of, signup_of
from tests.gateway.correspondence import Phone
from tests.gateway.house import NOON, OTHER_PHONE, PHONE, Gateway
from tests.ledger.test_signups import volunteer

DIRECT = "*780*5588*2#"
CENTRE, BOOTH = "11023", "*780*5588*22*"
CAMPAIGN = "salam-mahalle"
THIRD = "+989121110000"
NEW = "*780*5588*24#"


@pytest.fixture(params=["sqlite", "postgresql"])
def gateway_database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def town(gateway: Gateway) -> Gateway:
    """A service that knows the places it is shipped with."""
    take_in(gateway.service.engine, shipped(), by="test", at=NOON)
    return gateway


def booth(gateway: Gateway) -> tuple[str, str]:
    """A booth's number and its code."""
    tree = gateway.service.places.current()
    found = next(place for place in tree if place.kind == "booth")
    return found.dial, found.code


def sign_up(gateway: Gateway, session: str, phone: str = PHONE) -> str:
    screen = gateway.walk(
        "1", "1", CENTRE, "1", "4", "1", session=session, phone=phone, code=DIRECT
    )
    assert screen.ends, screen
    return screen.code


def test_a_volunteer_signs_up_at_a_centre_and_is_placed_in_the_tree(
    town: Gateway,
) -> None:
    code = sign_up(town, "s1")
    (row,) = town.rows("signup")
    assert (row.place_kind, row.place, row.place_code) == ("centre", CENTRE, "c11023")
    (event,) = town.rows("event", kind="signup")
    assert (event.district, event.centre) == ("23-t11", "c11023")
    again = town.dial("", session="s2", code=DIRECT)
    assert again.text.startswith("شما یاریگرید.")
    assert code in town.dial("1", session="s2", code=DIRECT).text
    assert town.promised == ["sms.vol"]


def test_a_sign_up_goes_from_the_dial_to_the_export(town: Gateway) -> None:
    code = sign_up(town, "s1")
    (line,) = town.exported("signups")
    assert line.startswith(f"{code},2026-11-22T")
    assert ",c11023,c11023," in line
    assert "***4567" in line
    assert PHONE not in line


def test_a_mistyped_centre_is_asked_about(town: Gateway) -> None:
    screen = town.walk("1", "1", "11024", code=DIRECT)
    assert "مرکز نمونه ۱ تهران" in screen.text
    town.walk("1", "1", "11024", "1", "1", "4", "1", code=DIRECT, session="s2")
    (row,) = town.rows("signup")
    assert (row.place, row.place_code) == (CENTRE, "c11023")


def test_a_town_with_districts_and_its_district_are_found(town: Gateway) -> None:
    town.walk("1", "3", "تهران", "تهران", "6", "1", "4", "1", code=DIRECT)
    (row,) = town.rows("signup")
    assert (row.place, row.district, row.place_code) == ("تهران", "6", "23-t6")


def test_who_signs_up_at_a_booth_is_counted_there(town: Gateway) -> None:
    dial, code = booth(town)
    screen = town.walk("1", "4", "1", "4", "1", code=f"{BOOTH}{dial}#")
    assert screen.ends
    (row,) = town.rows("signup")
    assert (row.booth, row.place_kind, row.place_code) == (code, "unknown", None)


def test_answers_are_changed_left_and_come_back_to(town: Gateway) -> None:
    code = sign_up(town, "s1")
    changed = town.walk("2", "4", "2", "3", "3", "مریم", "1", code=DIRECT, session="s2")
    assert code in changed.text
    (row,) = town.rows("signup")
    assert (row.skill, row.time, row.place_kind) == ("company", "more", "unknown")
    with reading(town.service.engine) as db:
        assert name_of(db, town.service.keys, event_id=row.event_id) == "مریم"
    assert town.walk("3", "1", code=DIRECT, session="s3").ends
    (row,) = town.rows("signup")
    assert row.state == "left"
    back = town.walk("1", code=DIRECT, session="s4")
    assert back.ends
    assert code in back.text
    kinds = [row.kind for row in town.rows("event") if row.kind.startswith("signup")]
    assert kinds == ["signup", "signup.change", "signup.leave", "signup.back"]
    assert town.promised == ["sms.vol", "sms.vol.left", "sms.vol"]
    assert "مریم".encode() not in town.everything_kept()


def test_a_round_that_closes_in_mid_conversation_stops_nobody(town: Gateway) -> None:
    # Rounds are from the first to the fourteenth of each month; it is the first.
    town.clock.wait(days=13, hours=11, minutes=50)
    town.walk("1", "4", "1", code=DIRECT)
    town.clock.wait(minutes=1)
    assert town.walk("1", "4", "1", "4", "1", code=DIRECT, session="s2").ends
    (first,) = town.rows("signup")
    assert first.round == "1405-09-01"
    town.clock.wait(days=2)
    town.walk("1", "4", "1", "4", "1", code=DIRECT, session="s3", phone=OTHER_PHONE)
    rounds = [row.round for row in town.rows("signup")]
    assert rounds == ["1405-09-01", None]


# -- written down by somebody else ----------------------------------------------------


def write_down(gateway: Gateway, phone: str, session: str, by: str = PHONE) -> str:
    dial, _ = booth(gateway)
    return gateway.walk(
        *("1", "1", "1", CENTRE, phone, "1"),
        session=session,
        phone=by,
        code=f"*780*5588*23*{dial}#",
    ).text


def asked(gateway: Gateway) -> None:
    sweep(gateway.service, gateway.clock())


def test_an_entry_counts_once_its_own_phone_says_yes(town: Gateway) -> None:
    assert write_down(town, "09351112233", "s1").startswith("سپاس. از خود او")
    assert town.rows("signup") == []
    asked(town)
    assert town.promised == ["sms.entry"]
    other = Phone(town, OTHER_PHONE)
    town.clock.wait(minutes=5)
    replies = other.says("1")
    (row,) = town.rows("signup")
    assert (row.place_code, row.booth, row.skill) == (
        "c11023",
        booth(town)[1],
        "teaching",
    )
    (entry,) = town.rows("entry")
    assert (entry.state, entry.result_id) == ("confirmed", row.event_id)
    assert any(text.startswith("سلام محله: نام شما ثبت شد.") for text in replies)
    # By another phone nothing happens, and twice neither.
    other.says("1")
    assert len(town.rows("signup")) == 1


def test_an_entry_is_confirmed_by_dialling_too(town: Gateway) -> None:
    write_down(town, "09351112233", "s1")
    screen = town.dial("", session="s2", phone=OTHER_PHONE, code=DIRECT)
    assert screen.text.startswith("شما را یاریگر نوشته‌اند.")
    done = town.dial("1", session="s2", phone=OTHER_PHONE, code=DIRECT)
    assert done.ends
    assert len(town.rows("signup")) == 1


def test_who_says_no_is_forgotten_and_not_written_down_again(town: Gateway) -> None:
    write_down(town, "09351112233", "s1")
    asked(town)
    town.clock.wait(minutes=5)
    Phone(town, OTHER_PHONE).says("2")
    (entry,) = town.rows("entry")
    assert entry.state == "refused"
    town.clock.wait(days=1, hours=1)
    asked(town)
    with reading(town.service.engine) as db:
        assert people.find(db, town.service.keys, OTHER_PHONE) is None
    before = len(town.rows("outbox"))
    assert write_down(town, "09351112233", "s2").startswith("سپاس. از خود او")
    asked(town)
    assert len(town.rows("outbox")) == before


def test_nobody_learns_who_is_signed_up(town: Gateway) -> None:
    sign_up(town, "s1", OTHER_PHONE)
    told = {
        write_down(town, "09351112233", "s2"),
        write_down(town, "09121110000", "s3"),
    }
    assert len(told) == 1
    asked(town)
    assert town.promised == ["sms.vol", "sms.entry"]


def test_the_same_phone_is_asked_once_whoever_writes_it_down(town: Gateway) -> None:
    write_down(town, "09351112233", "s1")
    write_down(town, "09351112233", "s2", by=THIRD)
    asked(town)
    asked(town)
    assert town.promised == ["sms.entry"]


def test_ones_own_number_is_ones_own_sign_up(town: Gateway) -> None:
    assert write_down(town, "09121234567", "s1").startswith("شماره و پاسخ برای دعوت")
    assert town.rows("entry") == []


def test_anybody_writes_a_few_phones_down_in_a_day(town: Gateway) -> None:
    for number in range(ANYBODY_A_DAY_MAX):
        write_down(town, f"0935111{number:04}", f"s{number}")
    last = write_down(town, "09351119999", "last")
    assert last.startswith("برای امروز کافی است.")
    assert len(town.rows("entry")) == ANYBODY_A_DAY_MAX
    assert ASKED_A_MINUTE_MAX > ANYBODY_A_DAY_MAX


def test_an_entry_that_nobody_answers_expires(town: Gateway) -> None:
    write_down(town, "09351112233", "s1")
    asked(town)
    town.clock.wait(days=14, hours=1)
    asked(town)
    (entry,) = town.rows("entry")
    assert entry.state == "expired"
    Phone(town, OTHER_PHONE).says("1")
    assert town.rows("signup") == []


def test_a_lost_call_that_confirmed_an_entry_is_told_again(town: Gateway) -> None:
    write_down(town, "09351112233", "s1")
    done = town.walk("1", session="s2", phone=OTHER_PHONE, code=DIRECT)
    town.forget()
    again = town.dial("1", session="s2", phone=OTHER_PHONE, code=DIRECT)
    assert done.code in again.text


def test_who_stopped_meanwhile_is_not_asked(town: Gateway) -> None:
    write_down(town, "09351112233", "s1")
    Phone(town, OTHER_PHONE).says("لغو۱۱")
    before = town.promised
    asked(town)
    assert town.promised == before
    (entry,) = town.rows("entry")
    assert entry.state == "refused"


def test_who_signed_up_meanwhile_is_not_asked(town: Gateway) -> None:
    write_down(town, "09351112233", "s1", by=THIRD)
    with writing(town.service.engine) as db:
        keys = town.service.keys
        person = people.remember(db, keys, OTHER_PHONE, at=NOON)
        volunteer(db, person_id=person.id, campaign=CAMPAIGN)
    asked(town)
    assert "sms.entry" not in town.promised
    (entry,) = town.rows("entry")
    assert entry.state == "expired"


def test_an_entry_that_is_over_bars_nobody_at_night(town: Gateway) -> None:
    write_down(town, "09351112233", "s1")
    town.clock.wait(days=14, hours=11)
    screen = town.dial("", session="s2", phone=OTHER_PHONE, code=DIRECT)
    assert screen.text.startswith("شماره و پاسخ برای دعوت")


# -- a new number ---------------------------------------------------------------------


def change_number(
    gateway: Gateway, session: str = "n1", new: str = "09351112233"
) -> str:
    return gateway.walk("1", new, "1", session=session, code=NEW, phone=PHONE).text


def test_a_number_changes_once_both_phones_agree(town: Gateway) -> None:
    code = sign_up(town, "s1")
    (row,) = town.rows("signup")
    assert change_number(town).startswith("سپاس. با گوشی تازه")
    town.clock.wait(minutes=1)
    Phone(town, OTHER_PHONE).says("1")
    asked(town)
    with reading(town.service.engine) as db:
        old = people.find(db, town.service.keys, PHONE)
        assert old is not None
        assert old.id == row.person_id
    town.clock.wait(seconds=MOVED_AFTER.total_seconds() + 1)
    asked(town)
    with reading(town.service.engine) as db:
        keys = town.service.keys
        assert people.find(db, keys, PHONE) is None
        new = people.find(db, keys, OTHER_PHONE)
        assert new is not None
        assert new.id == row.person_id
        assert people.phone_of(db, keys, person_id=new.id) == OTHER_PHONE
        assert signup_of(db, person_id=new.id, campaign=CAMPAIGN, test=False)
    assert code in town.walk("1", session="s9", phone=OTHER_PHONE, code=DIRECT).text
    # The old phone is a stranger's from now on.
    stranger = town.dial("", session="s8", phone=PHONE, code=DIRECT).text
    assert stranger.startswith("شماره و پاسخ")
    assert town.promised[-1] == "sms.number.done"
    (change,) = town.rows("renumbering")
    assert (change.state, change.look_up, change.phone) == ("done", None, b"")


def test_a_phone_with_a_sign_up_of_its_own_takes_no_other(town: Gateway) -> None:
    sign_up(town, "s1")
    sign_up(town, "s2", OTHER_PHONE)
    before = len(town.promised)
    assert change_number(town).startswith("سپاس. با گوشی تازه")
    assert town.promised[before:] == ["sms.number.asked"]
    assert town.rows("renumbering") == []


def test_who_signs_up_meanwhile_takes_no_other(town: Gateway) -> None:
    sign_up(town, "s1")
    change_number(town)
    sign_up(town, "s2", OTHER_PHONE)
    screen = town.walk("1", session="s3", phone=OTHER_PHONE, code=NEW)
    assert screen.text.startswith("این گوشی خودش")
    town.clock.wait(hours=1)
    asked(town)
    assert len({row.person_id for row in town.rows("signup")}) == 2


def test_a_phone_is_offered_one_number_at_a_time(town: Gateway) -> None:
    sign_up(town, "s1")
    change_number(town)
    stranger = town.walk(
        "1", "09351112233", "1", session="n2", code=NEW, phone="+989121110000"
    )
    assert stranger.text.startswith("سپاس. با گوشی تازه")
    assert len(town.rows("renumbering")) == 1
    assert town.promised.count("sms.number") == 1


def test_a_no_after_a_yes_is_a_no(town: Gateway) -> None:
    sign_up(town, "s1")
    change_number(town, "n1")
    change_number(town, "n2")
    town.clock.wait(minutes=1)
    new = Phone(town, OTHER_PHONE)
    # Which of the two, and then the other.
    for _ in range(2):
        new.says("1")
        town.clock.wait(minutes=5)
    assert "انتقالی انجام نمی‌شود. سپاس." in new.says("2")
    town.clock.wait(hours=1)
    asked(town)
    with reading(town.service.engine) as db:
        assert people.find(db, town.service.keys, PHONE)
    assert {row.state for row in town.rows("renumbering")} == {"refused"}


def test_who_was_asked_for_by_others_may_ask_themselves(town: Gateway) -> None:
    for number in range(3):
        other = f"+98912000000{number}"
        town.walk("1", "09351112233", "1", session=f"n{number}", code=NEW, phone=other)
    screen = town.walk(*("2",), session="own", phone=OTHER_PHONE, code=NEW)
    assert screen.text.startswith("انتقالی انجام نمی‌شود")
    for number in range(3):
        town.walk("2", session=f"no{number}", phone=OTHER_PHONE, code=NEW)
    screen = town.walk(
        "1", "09121110000", "1", session="own2", phone=OTHER_PHONE, code=NEW
    )
    assert screen.text.startswith("سپاس. با گوشی تازه")


def test_nobody_else_agrees_to_a_new_number(town: Gateway) -> None:
    sign_up(town, "s1")
    change_number(town)
    town.clock.wait(minutes=1)
    Phone(town, THIRD).says("1")
    town.clock.wait(hours=1)
    asked(town)
    (change,) = town.rows("renumbering")
    assert change.state == "waiting"
    town.clock.wait(seconds=timedelta(days=2).total_seconds())
    asked(town)
    (change,) = town.rows("renumbering")
    assert (change.state, change.look_up) == ("expired", None)
    with reading(town.service.engine) as db:
        # The phone that never answered was only typed by somebody else.
        assert people.find(db, town.service.keys, OTHER_PHONE) is None
        assert people.find(db, town.service.keys, PHONE) is not None
