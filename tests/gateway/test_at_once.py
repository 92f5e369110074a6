"""Requests that are on the way at once, and calls of one caller beside each other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from redis.exceptions import TimeoutError as RedisTimeoutError

from gateway import redis_server
from gateway.conversation import Conversations
from gateway.doors import Reply
from gateway.figures import kept_figures
from gateway.redis_server import RedisServer
from ledger.timebank import standing
from tests.gateway.house import (
    AMOUNT,
    BUSY,
    CODE,
    CONFIRM,
    DONE,
    KEY,
    PHONE,
    PURPOSE,
    ROOT_CODE,
    UNSURE,
    Gateway,
    close_gateway,
    open_gateway,
    settings,
)
from ussd.line import Line
from ussd.sessions import Conversation, Kept, Sessions
from ussd.turn import Turn

# A carrier that sends the latest answer alone; without a number where none is given.
NALO = {"nalo": {"adapter": "nalo", "key": KEY}}
START = Turn("s1", PHONE, CODE, "", cumulative=False, starts=True)
THINKS_SECONDS = 5


class Together(Sessions):
    """Sessions that are handed out once so many requests have asked for them."""

    def __init__(self, line: Line, requests: int) -> None:
        super().__init__(line, seconds=600)
        self._asked = threading.Barrier(requests, timeout=60)

    def load(self, dial: str) -> tuple[Conversation | None, str | None]:
        loaded = super().load(dial)
        self._asked.wait()
        return loaded


def conversing(gateway: Gateway, sessions: Sessions) -> Conversations:
    """The conversations of a service with other sessions."""
    service = gateway.service
    return Conversations(
        service.engine,
        service.keys,
        sessions,
        service.library,
        figures=kept_figures(service.engine, service.redis),
        hours=standing.Limits(),
        places=service.places.current,
        wake=service.wake,
        clock=gateway.clock,
    )


def at_once(gateway: Gateway, channel: str, *turns: Turn) -> list[Reply]:
    """The replies to turns that all begin where the call stands now."""
    service = gateway.service
    together = Together(Line(service.redis), len(turns))
    conversations = conversing(gateway, together)
    door = service.doors[channel].channel
    gateway.clock.wait(seconds=THINKS_SECONDS)
    with ThreadPoolExecutor(len(turns)) as pool:
        return [
            *pool.map(lambda t: conversations.answer(door, t, gateway.clock()), turns)
        ]


def say(gateway: Gateway, *turns: Turn) -> Reply:
    """Turns one after another, each thought about."""
    service = gateway.service
    for turn in turns:
        gateway.clock.wait(seconds=THINKS_SECONDS)
        reply = service.conversations.answer(
            service.doors["nalo"].channel, turn, gateway.clock()
        )
    return reply


def answer(typed: str) -> Turn:
    return replace(START, dialled="", typed=typed, starts=False)


@pytest.fixture
def nalo(sqlite_ledger_url: str, redis_url: str, tmp_path: Path) -> Iterator[Gateway]:
    opened = open_gateway(settings(sqlite_ledger_url, redis_url, tmp_path, ussd=NALO))
    yield opened
    close_gateway(opened)


def test_an_answer_that_lost_to_another_confirms_nothing(nalo: Gateway) -> None:
    """Both were typed at the question before: nobody has read the confirm screen."""
    assert say(nalo, START, answer("3"), answer("75000")).text.startswith(PURPOSE)
    replies = at_once(nalo, "nalo", answer("1"), answer("2"))
    assert all(reply.text.startswith(CONFIRM) for reply in replies)
    assert nalo.pledged == []
    assert say(nalo, answer("1")).text.startswith(DONE)
    assert nalo.pledged == [750_000]


@pytest.mark.parametrize("session", ["s1", ""])
def test_the_same_answer_twice_at_once_is_one(nalo: Gateway, session: str) -> None:
    start, one = replace(START, session=session), replace(answer("1"), session=session)
    say(nalo, start, one, one)
    assert len(set(at_once(nalo, "nalo", one, one, one))) == 1
    assert nalo.pledged == [200_000]


@pytest.mark.parametrize("session", ["s1", ""])
def test_two_starts_at_once_begin_one_call(nalo: Gateway, session: str) -> None:
    start = replace(START, session=session)
    first, second = at_once(nalo, "nalo", start, start)
    assert first == second
    assert first.text.startswith(AMOUNT)


def test_a_confirm_that_overtook_its_screen_confirms_nothing(gateway: Gateway) -> None:
    gateway.walk("3", "75000")
    turn = Turn("s1", PHONE, CODE, "3*75000*1")
    replies = at_once(gateway, "at", turn, replace(turn, typed="3*75000*1*1"))
    assert all(reply.text.startswith(CONFIRM) for reply in replies)
    assert gateway.pledged == []


# -- one caller, two calls -------------------------------------------------------------


def test_a_confirm_that_was_late_and_the_call_that_went_on_are_one_gift(
    gateway: Gateway,
) -> None:
    gateway.walk("3", "75000", "1", session="dropped")
    gateway.dial("", session="next")
    late = gateway.dial("3*75000*1*1", session="dropped")
    gateway.dial("1", session="next")
    assert gateway.dial("1*1", session="next") == late
    assert gateway.pledged == [750_000]
    assert gateway.promised == ["sms.pledge"]


def test_two_calls_that_go_on_with_the_same_are_one_gift(gateway: Gateway) -> None:
    gateway.walk("3", "75000", "1", session="dropped")
    for typed in ("", "1"):
        for session in ("second", "third"):
            gateway.dial(typed, session=session)
    turns = [Turn(s, PHONE, CODE, "1*1") for s in ("second", "third")]
    first, second = at_once(gateway, "at", *turns)
    assert first == second
    assert first.text.startswith(DONE)
    assert gateway.pledged == [750_000]


def test_a_gift_after_one_that_was_gone_on_with_is_another(gateway: Gateway) -> None:
    """Under the same id of the carrier, which begins to count anew."""
    gateway.walk("3", "75000", "1", session="dropped")
    gateway.walk("1", "1", session="next")
    gateway.dial("2", session="next")
    gateway.dial("2*1", session="next")
    again = gateway.dial("2*1*1", session="next")
    assert again.text.startswith(DONE)
    assert gateway.pledged == [750_000, 500_000]


# -- Redis is gone ---------------------------------------------------------------------


@pytest.fixture
def lonely(
    sqlite_ledger_url: str, tmp_path: Path
) -> Iterator[tuple[Gateway, RedisServer]]:
    """A service whose Redis is its own, to be stopped by the test."""
    folder = tmp_path / "redis"
    folder.mkdir()
    server = redis_server.start(folder)
    at = {"at": {"adapter": "africastalking", "key": KEY}}
    opened = open_gateway(
        settings(sqlite_ledger_url, server.url, tmp_path, ussd={**NALO, **at})
    )
    yield opened, server
    server.stop()
    close_gateway(opened)


def _latest(gateway: Gateway) -> Callable[[], str]:
    signed = map(answer, ("2", "1", "4", "1", "1", "1"))
    assert say(gateway, replace(START, dialled=ROOT_CODE), *signed).ends
    return lambda: say(gateway, answer("1")).text


def _gone_on(gateway: Gateway) -> Callable[[], str]:
    gateway.walk("2", "1", "4", "1", "1", session="dropped", code=ROOT_CODE)
    assert gateway.walk("1", "1", session="next", code=ROOT_CODE).ends
    return lambda: gateway.dial("1*1", session="next", code=ROOT_CODE).text


def test_a_call_begins_even_if_what_was_left_cannot_be_asked_for(
    gateway: Gateway,
) -> None:
    class Forgetful(Sessions):
        def unfinished(self, caller: str) -> Kept | None:
            raise RedisTimeoutError

    service = gateway.service
    forgetful = Forgetful(Line(service.redis), seconds=600)
    door = service.doors["at"].channel
    conversations = conversing(gateway, forgetful)
    begun = conversations.answer(door, Turn("s1", PHONE, CODE, ""), gateway.clock())
    assert begun.text.startswith(AMOUNT)


@pytest.mark.parametrize("signed_up", [_latest, _gone_on])
def test_without_redis_nobody_is_told_that_nothing_was_recorded_if_it_may_have_been(
    lonely: tuple[Gateway, RedisServer],
    signed_up: Callable[[Gateway], Callable[[], str]],
) -> None:
    gateway, server = lonely
    again = signed_up(gateway)
    assert len(gateway.rows("signup")) == 1
    server.stop()
    assert again() == UNSURE
    # Of whom nothing is written down, nothing was.
    assert gateway.dial("3", session="x", phone="+989350000000").text == BUSY
