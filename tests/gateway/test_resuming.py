"""A call that broke off is offered again, and completes with what was answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.aftermath import SILENT_SECONDS
from gateway.endings import count_silent
from tests.gateway.house import AMOUNT, CODE, CONFIRM, DONE, ROOT, Gateway
from ussd.trail import RETRY_SECONDS

QUESTION = "درخواست پیش نیمه‌کاره ماند.\n1 ادامه\n2 از نو\n0 خروج"


def counted(gateway: Gateway, what: str) -> int:
    return gateway.service.sessions.counts().get(what, 0)


def test_a_dropped_gift_is_offered_again_and_completes_with_its_answers(
    gateway: Gateway,
) -> None:
    confirm = gateway.walk("3", "75000", "1", session="dropped")
    assert gateway.dial("", session="next").text == QUESTION
    assert gateway.dial("1", session="next") == confirm
    done = gateway.dial("1*1", session="next")
    assert done.text.startswith(DONE)
    assert gateway.pledged == [750_000]
    assert gateway.dial("", session="after", phone="+989350000000").text.startswith(
        AMOUNT
    )


def test_a_dropped_sign_up_is_offered_again_and_completes_with_its_answers(
    gateway: Gateway,
) -> None:
    root = {"code": "*780*5588#"}
    confirm = gateway.walk("2", "1", "4", "1", "1", session="dropped", **root)
    assert gateway.dial("", session="next", **root).text == QUESTION
    assert gateway.dial("1", session="next", **root) == confirm
    done = gateway.dial("1*1", session="next", **root)
    assert done.word == "END"
    (signed,) = gateway.rows("signup")
    assert (signed.place_kind, signed.skill, signed.time) == (
        "unknown",
        "teaching",
        "one-two",
    )


def test_a_retry_of_each_turn_of_a_resumed_call_is_answered_alike(
    gateway: Gateway,
) -> None:
    gateway.walk("3", "75000", session="dropped")
    for typed in ("", "1", "1*1", "1*1*1"):
        screens = {gateway.dial(typed, session="next") for _ in range(3)}
        assert len(screens) == 1
    assert gateway.pledged == [750_000]
    assert gateway.promised == ["sms.pledge"]


def test_who_starts_again_begins_at_the_first_screen(gateway: Gateway) -> None:
    gateway.walk("3", "75000", session="dropped")
    gateway.dial("", session="next")
    assert gateway.dial("2", session="next").text.startswith(AMOUNT)
    # Begun anew and dropped at once: there is nothing to go on with any more.
    assert gateway.dial("", session="third").text.startswith(AMOUNT)


def test_who_leaves_is_not_asked_again(gateway: Gateway) -> None:
    gateway.walk("3", "75000", session="dropped")
    gateway.dial("", session="next")
    assert gateway.dial("0", session="next").word == "END"
    assert gateway.dial("", session="third").text.startswith(AMOUNT)


def test_an_answer_that_is_none_is_asked_for_again(gateway: Gateway) -> None:
    gateway.walk("3", "75000", session="dropped")
    gateway.dial("", session="next")
    assert gateway.dial("7", session="next").text == QUESTION
    assert gateway.dial("7*۱", session="next").text.startswith("کمک شما برای؟")


def test_answers_that_are_none_end_at_last(gateway: Gateway) -> None:
    gateway.walk("3", "75000", session="dropped")
    screen = gateway.walk(*"77777777777", session="next")
    assert screen.word == "END"


def test_a_question_that_was_dropped_too_is_asked_again(gateway: Gateway) -> None:
    gateway.walk("3", "75000", session="dropped")
    gateway.dial("", session="next")
    assert gateway.dial("", session="third").text == QUESTION


def test_a_finished_call_is_not_offered(gateway: Gateway) -> None:
    gateway.pledge(session="whole")
    gateway.end(session="whole")
    assert gateway.dial("", session="next").text.startswith(AMOUNT)


def test_who_answered_nothing_yet_is_not_asked(gateway: Gateway) -> None:
    gateway.dial("", session="dropped")
    assert gateway.dial("", session="next").text.startswith(AMOUNT)


def test_another_phone_is_not_asked(gateway: Gateway) -> None:
    gateway.walk("3", "75000", session="dropped")
    screen = gateway.dial("", session="next", phone="+989350000000")
    assert screen.text.startswith(AMOUNT)


def test_a_rehearsal_is_not_offered_in_earnest(gateway: Gateway) -> None:
    gateway.walk("3", "75000", session="dropped", channel="rehearsal")
    assert gateway.dial("", session="next").text.startswith(AMOUNT)


def test_after_the_window_nothing_is_offered(gateway: Gateway) -> None:
    gateway.walk("3", "75000", session="dropped")
    (left,) = gateway.service.redis.keys("ussd:left:*")
    assert 0 < gateway.service.redis.ttl(left) <= 15 * 60
    gateway.service.redis.delete(left)
    assert gateway.dial("", session="next").text.startswith(AMOUNT)


def test_a_code_with_answers_behind_it_is_answered_as_it_was_dialled(
    gateway: Gateway,
) -> None:
    gateway.walk("3", "75000", session="dropped")
    screen = gateway.dial("", session="next", code="*780*5588*1*3*60000#")
    assert "برای" in screen.text


def test_a_code_of_another_flow_is_answered_as_it_was_dialled(
    gateway: Gateway,
) -> None:
    gateway.walk("2", "1", "4", session="dropped", code="*780*5588#")
    assert gateway.dial("", session="next").text.startswith(AMOUNT)


def test_a_call_goes_on_with_the_menus_it_began_on(
    gateway: Gateway, tmp_path: Path
) -> None:
    confirm = gateway.walk("3", "75000", "1", session="dropped")
    file = tmp_path / "menus.yaml"
    source = (ROOT / "menus.yaml").read_text().replace("کمک شما: {", "مهر شما: {")
    assert "مهر شما" in source
    file.write_text(source)
    gateway.load_menus(file)
    gateway.dial("", session="next")
    assert gateway.dial("1", session="next") == confirm
    assert gateway.dial("1*1", session="next").text.startswith(DONE)


def with_flow(gateway: Gateway, tmp_path: Path, was: str, now: str) -> None:
    """Publish the shipped menus with their flow `give` otherwise."""
    file = tmp_path / "menus.yaml"
    source = (ROOT / "menus.yaml").read_text()
    assert was in source
    file.write_text(source.replace(was, now))
    gateway.load_menus(file)


def test_a_flow_may_go_on_without_asking(gateway: Gateway, tmp_path: Path) -> None:
    with_flow(gateway, tmp_path, "resume: ask", "resume: auto")
    confirm = gateway.walk("3", "75000", "1", session="dropped")
    assert gateway.dial("", session="next") == confirm
    assert gateway.dial("1", session="next").text.startswith(DONE)
    assert gateway.pledged == [750_000]


def test_a_flow_may_begin_anew_each_time(gateway: Gateway, tmp_path: Path) -> None:
    with_flow(gateway, tmp_path, "resume: ask", "resume: off")
    gateway.walk("3", "75000", "1", session="dropped")
    assert gateway.dial("", session="next").text.startswith(AMOUNT)


def test_a_gift_of_a_resumed_call_is_told_even_if_redis_forgot_the_call(
    gateway: Gateway, tmp_path: Path
) -> None:
    with_flow(gateway, tmp_path, "resume: ask", "resume: auto")
    gateway.walk("3", "75000", "1", session="dropped")
    gateway.dial("", session="next")
    done = gateway.dial("1", session="next")
    code = next(word for word in done.text.split() if word.isdecimal())
    gateway.forget()
    again = gateway.dial("1", session="next")
    assert code in again.text
    assert gateway.pledged == [750_000]


# -- when the carrier tells ------------------------------------------------------------


def test_who_was_cut_off_is_told_once(gateway: Gateway) -> None:
    gateway.walk("3", "75000", session="dropped")
    for _ in range(3):
        assert gateway.end("Incomplete", session="dropped").text == "OK"
    (text,) = gateway.rows("outbox")
    assert (text.template, text.slots) == ("sms.cut", {"call": CODE})
    gateway.walk("3", "75000", session="again")
    gateway.end("Incomplete", session="again")
    assert gateway.promised == ["sms.cut"]
    gateway.service.redis.delete(*gateway.service.redis.keys("ussd:told:*"))
    gateway.end("Incomplete", session="dropped")
    assert gateway.promised == ["sms.cut"]


def test_nobody_is_told_of_a_call_that_ended_or_never_began(gateway: Gateway) -> None:
    gateway.pledge(session="whole")
    gateway.end("Incomplete", session="whole")
    gateway.dial("", session="root", code="*780*5588#")
    gateway.end("Incomplete", session="root")
    gateway.dial("", session="silent")
    gateway.end("Incomplete", session="silent")
    gateway.end("Incomplete", session="never")
    assert gateway.promised == ["sms.pledge"]


def test_a_carriers_word_is_kept_whatever_else_is_gone(gateway: Gateway) -> None:
    gateway.pledge(session="whole")
    assert gateway.end("Success", session="whole").text == "OK"
    assert [row.reached for row in gateway.rows("dial_end")] == [True]


# -- what is counted -------------------------------------------------------------------


def test_each_screen_is_counted_as_it_was_shown_answered_and_mistaken(
    gateway: Gateway,
) -> None:
    gateway.dial("", session="s")
    gateway.clock.wait(seconds=7)
    gateway.dial("3", session="s")
    gateway.dial("3", session="s")
    gateway.dial("3*x", session="s")
    assert gateway.service.sessions.counts() == {
        "shown|at|give.amount": 1,
        "answered|at|give.amount": 1,
        "milliseconds|at|give.amount": 7000,
        "within_10|at|give.amount": 1,
        "shown|at|give.other": 1,
        "wrong|at|give.other": 1,
        "shown|at|give.bad": 1,
    }


def test_a_deed_is_counted_once_however_often_it_is_confirmed(
    gateway: Gateway,
) -> None:
    gateway.pledge(session="s")
    for _ in range(3):
        gateway.dial("3*75000*1*1", session="s")
    assert counted(gateway, "done|at|pledge") == 1


def test_a_call_that_fell_silent_is_counted_as_abandoned_where_it_stood(
    gateway: Gateway,
) -> None:
    sessions = gateway.service.sessions
    gateway.walk("3", session="silent")
    gateway.pledge(session="whole")
    gateway.clock.wait(seconds=SILENT_SECONDS - 1)
    count_silent(sessions, gateway.clock())
    assert counted(gateway, "abandoned|at|give.other") == 0
    gateway.clock.wait(seconds=2)
    for _ in range(2):
        count_silent(sessions, gateway.clock())
    assert counted(gateway, "abandoned|at|give.other") == 1
    assert sum("abandoned" in name for name in sessions.counts()) == 1


def test_a_call_that_the_carrier_ended_is_counted_as_abandoned_once(
    gateway: Gateway,
) -> None:
    gateway.walk("3", session="cut")
    gateway.end("Incomplete", session="cut")
    gateway.end("Incomplete", session="cut")
    gateway.clock.wait(seconds=SILENT_SECONDS + 1)
    count_silent(gateway.service.sessions, gateway.clock())
    assert counted(gateway, "abandoned|at|give.other") == 1


@pytest.mark.parametrize("seconds", [RETRY_SECONDS, SILENT_SECONDS])
def test_figures_are_read_as_prometheus_takes_them(
    gateway: Gateway, seconds: float
) -> None:
    gateway.dial("", session="s")
    gateway.clock.wait(seconds=seconds)
    gateway.dial("3", session="s")
    answer = gateway.client.get("/metrics")
    assert answer.status_code == 200
    lines = answer.text.splitlines()
    labels = 'channel="at",flow="give",screen="give.amount"'
    assert f"yarigar_ussd_screens_shown_total{{{labels}}} 1.0" in lines
    assert f"yarigar_ussd_answer_seconds_sum{{{labels}}} {float(seconds)}" in lines
    assert f"yarigar_ussd_answer_seconds_count{{{labels}}} 1.0" in lines
    within = 1.0 if seconds <= 120 else 0.0
    bucket = 'yarigar_ussd_answer_seconds_bucket{channel="at",flow="give",le="120.0"'
    assert any(
        line.startswith(bucket) and line.endswith(f" {within}") for line in lines
    )
    assert "9121234567" not in answer.text


def test_figures_are_for_whom_the_settings_let_in(gateway: Gateway) -> None:
    stranger = {"REMOTE_ADDR": "203.0.113.9"}
    answer = gateway.client.get("/metrics", environ_base=stranger)
    assert answer.status_code == 403


# -- what else could go wrong ----------------------------------------------------------


def test_a_gift_whose_reply_could_not_be_kept_is_not_given_again(
    gateway: Gateway,
) -> None:
    """The call is still kept as it was before the gift, and is offered."""
    gateway.walk("3", "75000", "1", session="dropped")
    redis: Any = gateway.service.redis
    before = {name: redis.get(name) for name in redis.keys("ussd:left:*")}
    done = gateway.dial("3*75000*1*1", session="dropped")
    gateway.end(session="dropped")
    redis.mset(before)
    assert gateway.dial("", session="next").text == QUESTION
    gateway.dial("1", session="next")
    assert gateway.dial("1*1", session="next").text == done.text
    assert gateway.pledged == [750_000]


def test_a_gift_after_redis_forgot_a_resumed_one_is_another(
    gateway: Gateway, tmp_path: Path
) -> None:
    with_flow(gateway, tmp_path, "resume: ask", "resume: auto")
    gateway.walk("3", "75000", "1", session="dropped")
    gateway.dial("", session="next")
    done = gateway.dial("1", session="next")
    gateway.forget()
    gateway.dial("1", session="next")
    gateway.dial("1*1", session="next")
    again = gateway.dial("1*1*1", session="next")
    assert again.text.startswith(DONE)
    assert again.code != done.code
    assert gateway.pledged == [750_000, 200_000]


def test_who_begins_afresh_has_made_no_mistake_yet(gateway: Gateway) -> None:
    gateway.walk("3", "75000", session="dropped")
    wrong = ["7"] * 8
    gateway.walk(*wrong, session="next")
    screen = gateway.dial("*".join([*wrong, "2", "x"]), session="next")
    assert screen.word == "CON"


def test_a_code_of_another_campaign_is_answered_as_it_was_dialled(
    gateway: Gateway, tmp_path: Path
) -> None:
    with_flow(
        gateway,
        tmp_path,
        "\ncampaigns:\n",
        '  "*780*7#": {to: give.amount, campaign: one-plus-one}\n'
        "\ncampaigns:\n"
        "  another:\n"
        "    title: {fa: دیگر, en: Another}\n"
        "    organiser: {fa: دیگر, en: Another}\n"
        '    permit: "0000"\n'
        '    contact: "02100000000"\n'
        "    min: 20_000\n"
        "    max: 500_000_000\n"
        "    presets:\n"
        "      - {amount: 200_000, words: {fa: بیست هزار, en: Twenty}}\n"
        "      - {amount: 500_000, words: {fa: پنجاه هزار, en: Fifty}}\n"
        '    call: "*780*5588*1#"\n'
        '    pay: "*780*0000#"\n',
    )
    gateway.walk("3", "75000", session="dropped")
    assert gateway.dial("", session="next").text == QUESTION
    other = gateway.dial("", session="other", code="*780*7#")
    assert other.text.startswith(AMOUNT)


def test_who_was_cut_off_is_told_a_code_that_leads_back(gateway: Gateway) -> None:
    """Into another flow than the one whose code was dialled."""
    gateway.walk("0", "2", "1", "4", session="dropped")
    gateway.end("Incomplete", session="dropped")
    (told,) = gateway.rows("outbox")
    code = told.slots["call"]
    assert gateway.dial("", session="next", code=code).text == QUESTION


def test_a_question_that_was_dropped_is_counted_as_itself(gateway: Gateway) -> None:
    gateway.walk("3", "75000", session="dropped")
    gateway.end("Incomplete", session="dropped")
    gateway.dial("", session="next")
    gateway.end("Incomplete", session="next")
    gateway.dial("", session="third")
    gateway.clock.wait(seconds=SILENT_SECONDS + 1)
    count_silent(gateway.service.sessions, gateway.clock())
    assert counted(gateway, "abandoned|at|resume") == 2
    assert counted(gateway, "abandoned|at|give.amount") == 0


def test_a_call_of_another_version_of_the_program_is_taken_for_lost(
    gateway: Gateway,
) -> None:
    gateway.walk("3", "75000", "1")
    redis: Any = gateway.service.redis
    (name,) = redis.keys("ussd:dial:*")
    redis.set(name, '4\n["menus",0,{"at":"give.confirm"},[]]')
    assert gateway.dial("3*75000*1*1").text.startswith(CONFIRM)
    assert gateway.dial("3*75000*1*1*1").text.startswith(DONE)
    redis.set(name, "4\n{}")
    redis.zadd("ussd:live", {f"at:{name.decode()[10:]}": 1})
    count_silent(gateway.service.sessions, gateway.clock())
    assert counted(gateway, "abandoned|at|unknown") == 1
