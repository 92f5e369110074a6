from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from redis import Redis

from ussd.line import Line
from ussd.machine import Session
from ussd.sessions import Conversation, Sessions
from ussd.trail import Mark

SESSION = Session(
    at="give.amount",
    campaign="one-plus-one",
    language="fa",
    answers={"dialled": "*780*5588*1#", "place": "تهران\u200c"},
    done={"language": 2},
    items=("01", "02"),
    page=1,
    turns=3,
    wrong=1,
    held=True,
)
FIRST = Conversation(
    1, "a" * 64, 0, SESSION, (Mark(0, "d" * 24, "مبلغ؟\n1 بله", False),)
)


@pytest.fixture
def redis_client(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def sessions(redis_client: Redis) -> Sessions:
    return Sessions(Line(redis_client), seconds=100)


def test_a_conversation_is_loaded_as_it_was_saved(sessions: Sessions) -> None:
    assert sessions.save("d1", FIRST) is None
    assert sessions.load("d1") == (FIRST, None)


def test_a_conversation_nobody_had_is_none(sessions: Sessions) -> None:
    assert sessions.load("d1") == (None, None)


def test_the_current_menus_come_in_the_same_round_trip(sessions: Sessions) -> None:
    sessions.announce("b" * 64)
    assert sessions.load("d1") == (None, "b" * 64)


def test_conversations_of_two_dials_are_apart(sessions: Sessions) -> None:
    sessions.save("d1", FIRST)
    assert sessions.load("d2")[0] is None


def test_a_save_upon_another_is_handed_what_stands(sessions: Sessions) -> None:
    sessions.save("d1", FIRST)
    late = replace(FIRST, session=replace(SESSION, at="bye"))
    assert sessions.save("d1", late) == FIRST
    assert sessions.load("d1")[0] == FIRST
    assert sessions.save("d1", replace(late, version=2)) is None


def test_a_version_is_compared_whole(sessions: Sessions) -> None:
    sessions.save("d1", replace(FIRST, version=1))
    for version in range(2, 13):
        assert sessions.save("d1", replace(FIRST, version=version)) is None
    stands = sessions.save("d1", replace(FIRST, version=2))
    assert stands is not None
    assert stands.version == 12


def test_of_many_saves_at_once_one_wins_and_the_others_read_it(
    sessions: Sessions,
) -> None:
    mine = [replace(FIRST, session=replace(SESSION, turns=n)) for n in range(20)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda one: sessions.save("d1", one), mine))
    winner, _ = sessions.load("d1")
    assert winner is not None
    assert answers.count(None) == 1
    assert mine[answers.index(None)] == winner
    assert all(answer == winner for answer in answers if answer is not None)


def test_a_conversation_is_forgotten_some_seconds_after_its_last_turn(
    redis_client: Redis,
) -> None:
    quick = Sessions(Line(redis_client), seconds=1)
    quick.save("d1", FIRST)
    assert quick.load("d1")[0] == FIRST
    deadline = time.monotonic() + 3
    while quick.load("d1")[0] is not None:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_each_turn_lengthens_the_life_of_a_conversation(redis_client: Redis) -> None:
    Sessions(Line(redis_client), seconds=10).save("d1", FIRST)
    Sessions(Line(redis_client), seconds=100).save("d1", replace(FIRST, version=2))
    ttl = redis_client.ttl("ussd:dial:d1")
    assert isinstance(ttl, int)
    assert 90 < ttl <= 100


def test_a_conversation_lost_between_load_and_save_is_saved_anew(
    redis_client: Redis, sessions: Sessions
) -> None:
    sessions.save("d1", FIRST)
    redis_client.flushall()
    assert sessions.save("d1", replace(FIRST, version=2)) is None
    assert sessions.load("d1")[0] == replace(FIRST, version=2)
