from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from redis import Redis

from ussd.line import Line
from ussd.machine import Session
from ussd.sessions import (
    LIVE,
    SWEPT_AT_ONCE_MAX,
    Aftermath,
    Conversation,
    Kept,
    Sessions,
)
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
    1, "a" * 64, 0, SESSION, (Mark(0, "d" * 24, "مبلغ؟\n1 بله", False, 12.5),), "d1"
)
AFTER = Aftermath(caller="c1", live="at:d1", silent_at=1000)


@pytest.fixture
def redis_client(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def sessions(redis_client: Redis) -> Sessions:
    return Sessions(Line(redis_client), seconds=100)


def test_a_conversation_is_loaded_as_it_was_saved(sessions: Sessions) -> None:
    assert sessions.save("d1", FIRST, AFTER) is None
    assert sessions.load("d1") == (FIRST, None)


def test_a_conversation_nobody_had_is_none(sessions: Sessions) -> None:
    assert sessions.load("d1") == (None, None)


def test_the_current_menus_come_in_the_same_round_trip(sessions: Sessions) -> None:
    sessions.announce("b" * 64)
    assert sessions.load("d1") == (None, "b" * 64)


def test_conversations_of_two_dials_are_apart(sessions: Sessions) -> None:
    sessions.save("d1", FIRST, AFTER)
    assert sessions.load("d2")[0] is None


def test_a_save_upon_another_is_handed_what_stands(sessions: Sessions) -> None:
    sessions.save("d1", FIRST, AFTER)
    late = replace(FIRST, session=replace(SESSION, at="bye"))
    assert sessions.save("d1", late, AFTER) == FIRST
    assert sessions.load("d1")[0] == FIRST
    assert sessions.save("d1", replace(late, version=2), AFTER) is None


def test_a_version_is_compared_whole(sessions: Sessions) -> None:
    sessions.save("d1", replace(FIRST, version=1), AFTER)
    for version in range(2, 13):
        assert sessions.save("d1", replace(FIRST, version=version), AFTER) is None
    stands = sessions.save("d1", replace(FIRST, version=2), AFTER)
    assert stands is not None
    assert stands.version == 12


def test_of_many_saves_at_once_one_wins_and_the_others_read_it(
    sessions: Sessions,
) -> None:
    mine = [replace(FIRST, session=replace(SESSION, turns=n)) for n in range(20)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda one: sessions.save("d1", one, AFTER), mine))
    winner, _ = sessions.load("d1")
    assert winner is not None
    assert answers.count(None) == 1
    assert mine[answers.index(None)] == winner
    assert all(answer == winner for answer in answers if answer is not None)


def test_a_conversation_is_forgotten_some_seconds_after_its_last_turn(
    redis_client: Redis,
) -> None:
    quick = Sessions(Line(redis_client), seconds=1)
    quick.save("d1", FIRST, AFTER)
    assert quick.load("d1")[0] == FIRST
    deadline = time.monotonic() + 3
    while quick.load("d1")[0] is not None:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_each_turn_lengthens_the_life_of_a_conversation(redis_client: Redis) -> None:
    Sessions(Line(redis_client), seconds=10).save("d1", FIRST, AFTER)
    Sessions(Line(redis_client), seconds=100).save(
        "d1", replace(FIRST, version=2), AFTER
    )
    ttl = redis_client.ttl("ussd:dial:d1")
    assert isinstance(ttl, int)
    assert 90 < ttl <= 100


def test_a_conversation_lost_between_load_and_save_is_saved_anew(
    redis_client: Redis, sessions: Sessions
) -> None:
    sessions.save("d1", FIRST, AFTER)
    redis_client.flushall()
    assert sessions.save("d1", replace(FIRST, version=2), AFTER) is None
    assert sessions.load("d1")[0] == replace(FIRST, version=2)


# -- what is written with it -----------------------------------------------------------


def test_what_is_not_finished_is_kept_for_its_caller(sessions: Sessions) -> None:
    assert sessions.unfinished("c1") is None
    sessions.save("d1", FIRST, replace(AFTER, kept_seconds=60))
    assert sessions.unfinished("c1") == Kept(FIRST.menus, SESSION, "d1:0")
    assert sessions.unfinished("c2") is None


def test_what_is_over_is_not_kept_any_more(sessions: Sessions) -> None:
    sessions.save("d1", FIRST, replace(AFTER, kept_seconds=60))
    sessions.save("d1", replace(FIRST, version=2), AFTER)
    assert sessions.unfinished("c1") is None


def test_what_is_kept_is_forgotten_after_its_seconds(
    redis_client: Redis, sessions: Sessions
) -> None:
    sessions.save("d1", FIRST, replace(AFTER, kept_seconds=60))
    ttl = redis_client.ttl("ussd:left:c1")
    assert isinstance(ttl, int)
    assert 50 < ttl <= 60


def test_while_it_is_offered_the_old_call_stays_kept(sessions: Sessions) -> None:
    old = Kept("b" * 64, replace(SESSION, at="give.purpose"), "d0:1")
    asked = replace(FIRST, offered=old)
    sessions.save("d2", asked, replace(AFTER, kept_seconds=60))
    assert sessions.unfinished("c1") == old
    assert sessions.load("d2")[0] == asked


def test_a_call_that_went_on_with_another_is_kept_under_that_ones_deeds(
    sessions: Sessions,
) -> None:
    gone_on = replace(FIRST, dial="d2", resumes="d0:1")
    sessions.save("d2", gone_on, replace(AFTER, kept_seconds=60))
    assert sessions.load("d2")[0] == gone_on
    assert sessions.unfinished("c1") == Kept(FIRST.menus, SESSION, "d0:1")


def test_who_comes_too_late_counts_and_keeps_nothing(sessions: Sessions) -> None:
    counts = {"shown|at|root": 1, "milliseconds|at|root": 1500}
    sessions.save("d1", FIRST, replace(AFTER, counts=counts))
    late = replace(AFTER, kept_seconds=60, counts=counts)
    assert sessions.save("d1", FIRST, late) is not None
    assert sessions.counts() == counts
    assert sessions.unfinished("c1") is None
    sessions.save("d1", replace(FIRST, version=2), replace(AFTER, counts=counts))
    assert sessions.counts() == {name: 2 * n for name, n in counts.items()}


def test_a_call_that_fell_silent_is_named_once(sessions: Sessions) -> None:
    sessions.save("d1", FIRST, AFTER)
    sessions.save("d2", FIRST, replace(AFTER, live="at:d2", silent_at=2000))
    assert [*sessions.silent(999)] == []
    assert [*sessions.silent(1000)] == ["at:d1"]
    assert [*sessions.silent(1000)] == []
    assert sessions.is_over("at:d2")
    assert not sessions.is_over("at:d2")


def test_a_call_that_ended_never_falls_silent(sessions: Sessions) -> None:
    sessions.save("d1", FIRST, AFTER)
    sessions.save("d1", replace(FIRST, version=2), replace(AFTER, silent_at=0))
    assert [*sessions.silent(10_000)] == []


def test_however_many_fell_silent_all_are_named(
    redis_client: Redis, sessions: Sessions
) -> None:
    live = {f"at:d{n}": 1000 + n for n in range(3 * SWEPT_AT_ONCE_MAX + 1)}
    redis_client.zadd(LIVE, live)
    assert sorted(sessions.silent(2000)) == sorted(live)
    assert redis_client.zcard(LIVE) == 0


# -- two versions of this program at once ----------------------------------------------

# What was written before a call could be gone on with.
OLDER = '1\n["aaa",0,{"at":"root","campaign":"c","language":"fa"},[[0,"d","re",false]]]'


@pytest.mark.parametrize("held", [OLDER, "1\n[]", "1\n[1,2]", "what is this", ""])
def test_what_another_version_wrote_is_taken_for_lost(
    redis_client: Redis, sessions: Sessions, held: str
) -> None:
    redis_client.set("ussd:dial:d1", held)
    redis_client.set("ussd:left:c1", held or "[]")
    assert sessions.load("d1") == (None, None)
    assert sessions.unfinished("c1") is None
    assert sessions.save("d1", FIRST, AFTER) is None
    assert sessions.load("d1")[0] == FIRST


def test_what_another_version_wrote_meanwhile_is_written_over(
    redis_client: Redis, sessions: Sessions
) -> None:
    sessions.load("d1")
    redis_client.set("ussd:dial:d1", OLDER)
    assert sessions.save("d1", FIRST, AFTER) is None
    assert sessions.load("d1")[0] == FIRST


def test_finished_calls_leave_nothing_but_counts_behind(redis_client: Redis) -> None:
    quick = Sessions(Line(redis_client), seconds=1)
    for n in range(50):
        live = replace(AFTER, caller=f"c{n}", live=f"at:d{n}", kept_seconds=60)
        quick.save(f"d{n}", FIRST, live)
        over = replace(live, silent_at=0, kept_seconds=0, counts={"shown|at|bye": 1})
        quick.save(f"d{n}", replace(FIRST, version=2), over)
    deadline = time.monotonic() + 5
    while redis_client.keys() != [b"ussd:counts"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_thing_is_said_once_within_its_seconds(sessions: Sessions) -> None:
    assert sessions.once("ussd:told:c1", 60)
    assert not sessions.once("ussd:told:c1", 60)
    assert sessions.once("ussd:told:c2", 60)
