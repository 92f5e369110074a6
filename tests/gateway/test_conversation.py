"""One dial as a carrier brings it: every spelling, every language, every hour."""

from __future__ import annotations

from pathlib import Path

import pytest

from phone.codes import is_code
from tests.gateway.house import (
    AMOUNT,
    CODE,
    CONFIRM,
    DONE,
    OTHER_AMOUNT,
    OTHER_PHONE,
    PHONE,
    PURPOSE,
    ROOT,
    ROOT_CODE,
    STANDS,
    UNKNOWN,
    WELCOME,
    Gateway,
)

# What is dialled, and what is typed before the conversation is the same.
FORMS = [
    pytest.param("*780*5588*1#", "", id="the printed form"),
    pytest.param("*780*55881#", "", id="the other printed form"),
    pytest.param("*780*5588#", "1", id="the menu and then 1"),
    pytest.param("*780#", "5588*1", id="the short code and then the rest"),
    pytest.param("*780#", "55881", id="the short code and the rest in one"),
    pytest.param("#۱*۵۵۸۸*۷۸۰*", "", id="as Persian text stores it"),
]
GIVING = ("", "3", "3*۷۵ هزار", "3*۷۵ هزار*1", "3*۷۵ هزار*1*1")


def said(prefix: str, text: str) -> str:
    return "*".join(part for part in (prefix, text) if part)


@pytest.mark.parametrize(("code", "prefix"), FORMS)
def test_every_form_of_the_code_begins_the_same_conversation(
    gateway: Gateway, code: str, prefix: str
):
    printed = [
        gateway.dial(text, session="printed", phone=OTHER_PHONE) for text in GIVING
    ]
    screens = [
        gateway.dial(said(prefix, text), session="s1", code=code) for text in GIVING
    ]
    assert screens[:-1] == printed[:-1]
    assert screens[-1].ends
    assert screens[-1].text == printed[-1].text.replace(
        printed[-1].code, screens[-1].code
    )
    assert gateway.pledged == [750_000, 750_000]


def test_a_gift_is_walked_from_the_amount_to_a_code(gateway: Gateway):
    screens = [gateway.dial(text) for text in GIVING]
    begins = [AMOUNT, OTHER_AMOUNT, PURPOSE, CONFIRM, DONE]
    assert [s.text.startswith(b) for s, b in zip(screens, begins, strict=True)] == (
        [True] * 5
    )
    assert [s.word for s in screens] == ["CON"] * 4 + ["END"]
    assert is_code(screens[-1].code)
    assert gateway.rows("code")[0].code == screens[-1].code
    assert gateway.promised == ["sms.pledge"]
    assert gateway.exported()[0].startswith(f"{screens[-1].code},2026-11-22T08:30:00Z")


def test_a_run_of_answers_stops_at_the_confirm(gateway: Gateway):
    shown = gateway.dial("1*50000*1*1", code=ROOT_CODE)
    assert shown.text.startswith(CONFIRM)
    assert not shown.ends
    assert gateway.rows("event") == []
    done = gateway.dial("1*50000*1*1*1", code=ROOT_CODE)
    assert done.text.startswith(DONE)
    assert gateway.pledged == [500_000]


def test_an_amount_dialled_with_the_code_stops_at_the_confirm_too(gateway: Gateway):
    assert gateway.dial("", code="*780*5588*1*50000*1*1#").text.startswith(CONFIRM)
    assert gateway.rows("event") == []
    assert gateway.dial("1", code="*780*5588*1*50000*1*1#").text.startswith(DONE)
    assert gateway.pledged == [500_000]


def test_an_unknown_code_is_told_politely(gateway: Gateway):
    assert gateway.dial("", code="*780*9999#") == ("END", UNKNOWN)
    assert gateway.rows("event") == []


@pytest.mark.parametrize(
    "typed", ["-5", "1e9", "۱۲٫۵", "50k", "😀", "2#3", "#", "50.5", "\t", "x" * 3000]
)
def test_what_is_no_amount_is_asked_for_again(gateway: Gateway, typed: str):
    gateway.dial("")
    gateway.dial("3")
    again = gateway.dial(f"3*{typed}")
    assert not again.ends
    done = gateway.walk("75000", "1", "1", session="another")
    assert done.text.startswith(DONE)
    assert gateway.pledged == [750_000]


def test_a_star_inside_an_answer_records_nothing_unseen(gateway: Gateway):
    """A caller who types `75000*1*1` presses nothing on a screen he has not read."""
    gateway.dial("")
    gateway.dial("3")
    shown = gateway.dial("3*75000*1*1")
    assert shown.text.startswith(CONFIRM)
    assert gateway.pledged == []


# -- twice within ten minutes ------------------------------------------------------


def test_who_dials_again_learns_that_the_gift_stands(gateway: Gateway):
    code = gateway.pledge(session="first").code
    again = gateway.dial("", session="second")
    assert again.text.startswith(STANDS)
    assert code in again.text
    assert "۷۵٬۰۰۰ تومان" in again.text
    # The keys of the screen behind it work all the same.
    assert gateway.dial("3", session="second").text.startswith(OTHER_AMOUNT)


def test_key_9_shows_the_screen_behind_the_notice(gateway: Gateway):
    gateway.pledge(session="first")
    gateway.dial("", session="second")
    assert gateway.dial("9", session="second").text.startswith(AMOUNT)


def test_who_saw_the_end_is_not_told_again(gateway: Gateway):
    gateway.pledge(session="first")
    assert gateway.end("Success", session="first").text == "OK"
    assert gateway.dial("", session="second").text.startswith(AMOUNT)


def test_an_end_that_failed_is_not_an_end_that_was_seen(gateway: Gateway):
    gateway.pledge(session="first")
    gateway.end("Incomplete", session="first")
    assert gateway.dial("", session="second").text.startswith(STANDS)


def test_after_ten_minutes_it_is_an_ordinary_call(gateway: Gateway):
    gateway.pledge(session="first")
    gateway.clock.wait(minutes=11)
    assert gateway.dial("", session="second").text.startswith(AMOUNT)


def test_another_phone_learns_nothing(gateway: Gateway):
    gateway.pledge(session="first")
    other = gateway.dial("", session="second", phone=OTHER_PHONE)
    assert other.text.startswith(AMOUNT)


def test_a_rehearsed_gift_is_not_told_on_a_real_channel(gateway: Gateway):
    gateway.pledge(session="first", channel="rehearsal")
    assert gateway.dial("", session="second").text.startswith(AMOUNT)


def test_no_gift_is_confirmed_under_a_notice_that_hides_it(gateway: Gateway):
    """The notice may take the whole screen; what was not read cannot be agreed to."""
    gateway.pledge(session="first")
    notice = gateway.dial("50000*1", session="second")
    assert notice.text.startswith(STANDS)
    shown = gateway.dial("50000*1*1", session="second")
    assert CONFIRM in shown.text
    assert gateway.pledged == [750_000]
    gateway.dial("50000*1*1*1", session="second")
    assert gateway.pledged == [750_000, 500_000]


# -- languages ---------------------------------------------------------------------


def test_the_language_of_a_phone_is_remembered(gateway: Gateway):
    changed = gateway.walk("9", "3", session="first", code=ROOT_CODE)
    assert changed.text.startswith("Your language is now English.")
    hello = gateway.dial("", session="second", code=ROOT_CODE)
    assert hello.text.startswith("Welcome to 1+1")
    other = gateway.dial("", session="third", code=ROOT_CODE, phone=OTHER_PHONE)
    assert other.text.startswith(WELCOME)
    done = gateway.walk("1", "1", "1", "1", session="fourth", code=ROOT_CODE)
    assert done.text.startswith("Thank you. Recorded, not yet paid.")
    assert [row.language for row in gateway.rows("outbox")] == ["en"]


def test_it_changes_back_and_the_rebuilt_call_agrees(gateway: Gateway):
    gateway.walk("9", "3", session="first", code=ROOT_CODE)
    back = gateway.walk("9", "3", session="second", code=ROOT_CODE)
    assert back.text.startswith("زبان شما فارسی شد.")
    gateway.forget()
    assert gateway.dial("9*3", session="second", code=ROOT_CODE) == back


# -- campaign texts ----------------------------------------------------------------


def test_campaign_texts_start_and_stop_again(gateway: Gateway):
    started = gateway.walk("9", "4", "1", session="start", code=ROOT_CODE)
    assert started.text.startswith("پیامک پویش فعال شد.")
    more = gateway.walk("9", session="look", code=ROOT_CODE)
    assert "4 لغو پیامک" in more.text
    stopped = gateway.walk("9", "4", "1", session="stop", code=ROOT_CODE)
    assert stopped.text.startswith("پیامک پویش قطع شد.")
    assert gateway.promised == ["sms.in", "sms.out"]
    more = gateway.walk("9", session="look-again", code=ROOT_CODE)
    assert "4 شروع پیامک" in more.text


def test_who_never_agreed_is_offered_campaign_texts(gateway: Gateway):
    more = gateway.walk("9", session="look", code=ROOT_CODE)
    assert "4 شروع پیامک" in more.text


def test_start_in_the_menu_undoes_a_stop_by_text(gateway: Gateway):
    """11 stops one line; the menu says that texts come again, so they do."""
    gateway.client.post(
        "/sms/kave/long-random/inbound",
        data={"messageid": "1", "from": PHONE, "to": "10001", "message": "11"},
    )
    assert len(gateway.rows("stop")) == 1
    started = gateway.walk("9", "4", "1", session="start", code=ROOT_CODE)
    assert started.text.startswith("پیامک پویش فعال شد.")
    assert gateway.rows("stop") == []


# -- my pledges --------------------------------------------------------------------


def test_a_pledge_is_found_and_cancelled_once(gateway: Gateway):
    code = gateway.pledge(session="give").code
    gateway.end(session="give")
    asked = gateway.walk("4", "1", "2", session="see", code=ROOT_CODE)
    assert "لغو شود؟" in asked.text
    cancelled = gateway.dial("4*1*2*1", session="see", code=ROOT_CODE)
    assert cancelled.text.startswith(f"کمک {code} لغو شد.")
    assert gateway.dial("4*1*2*1", session="see", code=ROOT_CODE) == cancelled
    gateway.forget()
    assert gateway.dial("4*1*2*1", session="see", code=ROOT_CODE) == cancelled
    assert gateway.promised == ["sms.pledge", "sms.cancelled"]
    assert ",cancelled," in gateway.exported()[0]


def test_a_volunteer_signs_up_once(gateway: Gateway):
    way = ("2", "1", "4", "1", "1", "1")
    first = gateway.walk(*way, session="first", code=ROOT_CODE)
    assert first.text.startswith("سپاس، یاریگر گرامی.")
    again = gateway.walk(*way, session="second", code=ROOT_CODE)
    assert again.text.startswith("گزینه درست نبود.")
    found = gateway.walk("2", "1", session="third", code=ROOT_CODE)
    assert found.code == first.code
    assert len(gateway.exported("signups")) == 1


# -- rehearsals and hours ------------------------------------------------------------


def test_a_rehearsal_works_in_full_and_counts_nowhere(gateway: Gateway):
    done = gateway.pledge(channel="rehearsal")
    assert is_code(done.code)
    assert gateway.promised == ["sms.pledge"]
    assert gateway.rows("outbox")[0].test
    assert gateway.exported() == []
    report = gateway.walk("9", "5", session="report", code=ROOT_CODE)
    assert report.text.startswith("ثبت ۰ تومان\nرسیده ۰")
    real = gateway.walk("4", session="list", code=ROOT_CODE)
    assert real.text.startswith("هنوز کمکی ثبت نکرده‌اید.")


def with_window(tmp_path: Path, window: str, *, paused: str = "false") -> Path:
    source = (ROOT / "menus.yaml").read_text()
    changed = source.replace(
        "window: {from: 1405/01/01}\n    paused: false",
        f"window: {window}\n    paused: {paused}",
    )
    assert changed != source
    path = tmp_path / "changed.yaml"
    path.write_text(changed)
    return path


def test_a_campaign_may_close_between_confirm_and_its_key(
    gateway: Gateway, tmp_path: Path
):
    gateway.load_menus(with_window(tmp_path, "{from: 1405/01/01, to: 1405/09/01}"))
    gateway.clock.wait(hours=11, minutes=59)
    shown = gateway.walk("3", "75000", "1")
    assert shown.text.startswith(CONFIRM)
    gateway.clock.wait(minutes=2)
    closed = gateway.dial("3*75000*1*1")
    assert closed.text.startswith("مهلت این پویش پایان یافته")
    assert gateway.rows("event") == []
    assert gateway.dial("3*75000*1*1") == closed
    later = gateway.dial("", session="later")
    assert later.text == closed.text


def test_a_gift_given_in_time_is_told_after_the_close(gateway: Gateway, tmp_path: Path):
    gateway.load_menus(with_window(tmp_path, "{from: 1405/01/01, to: 1405/09/01}"))
    gateway.clock.wait(hours=11, minutes=59)
    done = gateway.walk("3", "75000", "1", "1")
    gateway.forget()
    gateway.clock.wait(minutes=2)
    assert gateway.dial("3*75000*1*1") == done
    assert gateway.pledged == [750_000]


def test_a_campaign_that_has_not_begun_says_when(gateway: Gateway, tmp_path: Path):
    gateway.load_menus(with_window(tmp_path, "{from: 1405/09/02}"))
    assert gateway.dial("").text.startswith("این پویش از ")
    gateway.clock.wait(hours=12)
    assert gateway.dial("", session="s2").text.startswith(AMOUNT)


def test_a_pause_reaches_new_calls_and_spares_running_ones(
    gateway: Gateway, tmp_path: Path
):
    gateway.walk("3", "75000")
    gateway.load_menus(with_window(tmp_path, "{from: 1405/01/01}", paused="true"))
    assert gateway.dial("", session="new", phone=OTHER_PHONE).text.startswith(
        "دریافت کمک در این پویش موقتا متوقف است."
    )
    assert gateway.dial("3*75000*1").text.startswith(CONFIRM)


def test_a_reversed_code_typed_by_an_operator_is_the_same(gateway: Gateway):
    assert gateway.dial("", code="#1*5588*780*") == gateway.dial(
        "", code=CODE, session="s2"
    )


def test_what_a_carrier_sends_as_typed_may_be_the_rest_of_the_code(
    gateway: Gateway, tmp_path: Path
) -> None:
    file = tmp_path / "menus.yaml"
    source = (ROOT / "menus.yaml").read_text()
    dialled, code, rest = source.partition('  "*780#": door\n')
    assert code
    before, door, screens = rest.partition("  door:")
    assert door
    file.write_text(dialled + before + "  root:" + screens.partition("  root:")[2])
    gateway.load_menus(file)
    first = gateway.dial("5588*1", code="*780#")
    assert first.text.startswith("مبلغ")
    assert gateway.dial("5588*1*3", code="*780#").text.startswith("مبلغ را")
    assert gateway.dial("5599", code="*780#", session="s2").word == "END"
    assert gateway.dial("", code="*780#", session="s3").word == "END"
