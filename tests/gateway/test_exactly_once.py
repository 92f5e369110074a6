"""Whatever the carrier repeats, reorders or loses, a gift is recorded once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from structlog.typing import EventDict

from ledger.engine import reading
from ledger.verify import verify
from tests.gateway.house import (
    AMOUNT,
    CONFIRM,
    DONE,
    OTHER_PHONE,
    PURPOSE,
    ROOT_CODE,
    Gateway,
    Screen,
)

BOTH = pytest.mark.parametrize("gateway_database", ["sqlite", "postgresql"])
CONFIRMED = "3*75000*1*1"
TOGETHER = 20


def recorded_once(gateway: Gateway) -> None:
    assert gateway.pledged == [750_000]
    assert gateway.promised == ["sms.pledge"]
    with reading(gateway.service.engine, snapshot=True) as db:
        assert verify(db).faults == ()


@BOTH
def test_the_confirm_again_gets_the_same_bytes(gateway: Gateway):
    done = gateway.walk("3", "75000", "1", "1")
    assert done.text.startswith(DONE)
    assert [gateway.dial(CONFIRMED) for _ in range(3)] == [done] * 3
    recorded_once(gateway)


@BOTH
def test_twenty_confirms_at_once_are_one_gift(gateway: Gateway):
    gateway.walk("3", "75000", "1")
    with ThreadPoolExecutor(TOGETHER) as pool:
        screens = list(pool.map(lambda _: gateway.dial(CONFIRMED), range(TOGETHER)))
    assert len(set(screens)) == 1
    assert screens[0].text.startswith(DONE)
    recorded_once(gateway)


@BOTH
def test_the_code_survives_a_redis_that_forgot(gateway: Gateway):
    done = gateway.walk("3", "75000", "1", "1")
    gateway.forget()
    assert gateway.dial(CONFIRMED) == done
    gateway.forget()
    with ThreadPoolExecutor(8) as pool:
        screens = list(pool.map(lambda _: gateway.dial(CONFIRMED), range(8)))
    assert screens == [done] * 8
    recorded_once(gateway)


def test_twenty_first_requests_at_once_are_one_call(gateway: Gateway):
    with ThreadPoolExecutor(TOGETHER) as pool:
        screens = list(pool.map(lambda _: gateway.dial(""), range(TOGETHER)))
    assert len(set(screens)) == 1
    assert gateway.walk("3", "75000", "1", "1").text.startswith(DONE)
    recorded_once(gateway)


@pytest.mark.parametrize("lost_after", range(4))
def test_a_call_forgotten_half_way_goes_on(gateway: Gateway, lost_after: int):
    answers = ["3", "75000", "1", "1"]
    gateway.walk(*answers[:lost_after])
    gateway.forget()
    screen = gateway.dial("*".join(answers[: lost_after + 1]))
    for length in range(lost_after + 2, 5):
        screen = gateway.dial("*".join(answers[:length]))
    if lost_after == 3:
        # The confirm that was pressed is not believed: it is shown again.
        assert screen.text.startswith(CONFIRM)
        assert gateway.rows("event") == []
        screen = gateway.dial(f"{CONFIRMED}*1")
    assert screen.text.startswith(DONE)
    recorded_once(gateway)


def test_late_retries_are_answered_from_history(gateway: Gateway):
    texts = ["", "3", "3*75000", "3*75000*1", CONFIRMED]
    screens = [gateway.dial(text) for text in texts]
    for text, screen in reversed(list(zip(texts, screens, strict=True))):
        assert gateway.dial(text) == screen
    recorded_once(gateway)


def test_a_prefix_that_was_no_request_of_its_own_steps_nothing(gateway: Gateway):
    shown = gateway.dial("3*75000*1")
    assert gateway.dial("3") == shown
    assert gateway.dial("3*75000") == shown
    assert gateway.dial(CONFIRMED).text.startswith(DONE)
    recorded_once(gateway)


def test_more_keys_after_the_end_do_nothing(gateway: Gateway):
    done = gateway.walk("3", "75000", "1", "1")
    assert gateway.dial(f"{CONFIRMED}*1*1") == done
    recorded_once(gateway)


def test_another_text_under_the_same_id_is_another_call(gateway: Gateway):
    first = gateway.walk("3", "75000", "1", "1")
    shown = gateway.dial("1*2")
    assert shown.text.startswith(CONFIRM)
    second = gateway.dial("1*2*1")
    assert second.text.startswith(DONE)
    assert second.code != first.code
    assert gateway.pledged == [750_000, 200_000]
    assert gateway.dial("1*2*1") == second


def test_an_id_used_again_after_a_day_is_another_call(gateway: Gateway):
    first = gateway.walk("3", "75000", "1", "1")
    gateway.forget()
    gateway.clock.wait(hours=24, seconds=1)
    second = gateway.walk("3", "75000", "1", "1")
    assert second.text.startswith(DONE)
    assert second.code != first.code
    assert gateway.pledged == [750_000] * 2


def test_within_the_day_it_is_the_same_call(gateway: Gateway):
    first = gateway.walk("3", "75000", "1", "1")
    gateway.forget()
    gateway.clock.wait(hours=23, minutes=59)
    assert gateway.walk("3", "75000", "1", "1") == first
    recorded_once(gateway)


def test_a_carrier_whose_ids_never_change_loses_no_gift(gateway: Gateway):
    """Seventy days of one id: more than the ledger looks back at once."""
    codes = set()
    for _ in range(70):
        codes.add(gateway.walk("3*75000*1", "1").code)
        gateway.forget()
        gateway.clock.wait(hours=25)
    assert len(codes) == 70
    assert len(gateway.pledged) == 70


def test_a_key_with_another_body_gets_the_first_result_and_an_alert(
    gateway: Gateway, logs: list[EventDict]
):
    done = gateway.walk("3", "75000", "1", "1")
    gateway.forget()
    assert [log for log in logs if log["event"] == "key_reused"] == []
    again = gateway.dial("1*2*1")
    assert again == done
    alerts = [log for log in logs if log["event"] == "key_reused"]
    assert [(log["log_level"], log["differs"]) for log in alerts] == [
        ("error", ["amount", "purpose"])
    ]
    recorded_once(gateway)


def test_an_id_used_by_another_phone_is_another_call(gateway: Gateway):
    mine = gateway.walk("3", "75000", "1")
    assert gateway.dial("", phone=OTHER_PHONE).text.startswith(AMOUNT)
    assert gateway.dial("1", phone=OTHER_PHONE).text.startswith(PURPOSE)
    assert gateway.dial("3*75000*1") == mine
    assert gateway.dial(CONFIRMED).text.startswith(DONE)
    other = gateway.walk("3", "75000", "1", "1", phone=OTHER_PHONE)
    assert other.text.startswith(DONE)
    assert len(gateway.rows("person")) == 2
    assert gateway.pledged == [750_000] * 2


def test_an_id_used_on_another_channel_is_another_call(gateway: Gateway):
    gateway.walk("3", "75000", "1", "1")
    assert gateway.dial(CONFIRMED, channel="rehearsal").text.startswith(CONFIRM)
    recorded_once(gateway)


def test_a_stop_pressed_again_after_redis_forgot_is_told_again(gateway: Gateway):
    """What is offered after a stop is a start: nobody may be led into that one."""
    gateway.walk("9", "4", "1", session="agreed", code=ROOT_CODE)
    stopped = gateway.walk("9", "4", "1", code=ROOT_CODE)
    gateway.forget()
    assert gateway.dial("9*4*1", code=ROOT_CODE) == stopped
    assert len(gateway.rows("stop")) == 1
    assert gateway.promised == ["sms.in", "sms.out"]


def test_two_different_answers_at_once_are_both_taken_or_neither(gateway: Gateway):
    gateway.walk("3", "75000", "1")

    def answer(key: str) -> Screen:
        return gateway.dial(f"3*75000*1*{key}")

    with ThreadPoolExecutor(2) as pool:
        done, left = pool.map(answer, ["1", "0"])
    # Both are answered; a gift whose code was told stands, and only then.
    assert left.word in ("CON", "END")
    assert gateway.pledged == ([750_000] if done.text.startswith(DONE) else [])


@hypothesis_settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.one_of(
            st.integers(0, 4), st.just("forget"), st.just("wait"), st.just("race")
        ),
        max_size=12,
    )
)
def test_no_order_of_requests_makes_two_gifts(gateway: Gateway, deeds: list[int | str]):
    texts = ["", "3", "3*75000", "3*75000*1", CONFIRMED]
    gateway.clock.wait(days=2)  # the call before was another one
    gateway.forget()
    before = len(gateway.pledged)
    began = gateway.clock.at
    codes = set()
    for deed in deeds:
        if deed == "forget":
            gateway.forget()
        elif deed == "wait":
            gateway.clock.wait(minutes=20)
        elif deed == "race":
            with ThreadPoolExecutor(4) as pool:
                screens = list(pool.map(lambda _: gateway.dial(CONFIRMED), range(4)))
            codes |= {s.code for s in screens if s.text.startswith(DONE)}
        else:
            screen = gateway.dial(texts[int(deed)])
            codes |= {screen.code} if screen.text.startswith(DONE) else set()
    assert gateway.clock.at - began < timedelta(hours=24)
    assert len(codes) <= 1
    assert len(gateway.pledged) - before == len(codes)
