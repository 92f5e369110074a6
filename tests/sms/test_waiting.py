"""The order in which claimed texts leave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from ledger.outbox import Kind
from sms.calls import Job, Rendered
from sms.routes import Channel
from sms.waiting import Waiting
from tests.fake_carrier import FakeCarrier
from tests.sms.test_endings import ROW

CHANNELS = {name: Channel(name, FakeCarrier(), sender="1") for name in "ab"}
_ids = count(1)


def _job(kind: Kind = Kind.RECEIPT, channel: str = "a", *, asks: bool = False) -> Job:
    row = replace(ROW, id=next(_ids), kind=kind)
    return Job(row, CHANNELS[channel], Rendered("x"), text="x", asks=asks)


def _waiting(*jobs: Job) -> Waiting:
    waiting = Waiting()
    for job in jobs:
        waiting.add(job)
    return waiting


def _all(job: Job) -> bool:
    return True


def _but(*channels: str) -> Callable[[Job], bool]:
    return lambda job: job.channel.name not in channels


def test_receipts_leave_before_what_was_there_before_them() -> None:
    bulk = [_job(Kind.CAMPAIGN) for _ in range(3)]
    asked, receipt = _job(Kind.SERVICE, "b"), _job(Kind.RECEIPT)
    waiting = _waiting(*bulk, asked, receipt)
    assert waiting.take(4, _all) == [receipt, asked, *bulk[:2]]


def test_a_channel_that_takes_nothing_holds_up_no_other() -> None:
    slow = [_job(channel="a") for _ in range(5)]
    quick = [_job(Kind.CAMPAIGN, "b") for _ in range(2)]
    waiting = _waiting(*slow, *quick)
    assert waiting.take(10, _but("a")) == quick
    assert waiting.take(10, _all) == slow


def test_a_long_text_is_not_overtaken_by_the_short_ones_behind_it() -> None:
    jobs = [_job() for _ in range(3)]
    long = jobs[0]
    assert _waiting(*jobs).take(3, lambda job: job is not long) == []


def test_a_question_does_not_wait_for_a_channel_that_takes_no_texts() -> None:
    text, question = _job(), _job(asks=True)
    waiting = _waiting(text, question)
    assert waiting.take(2, lambda job: job.asks) == [question]
    assert waiting.channels() == {"a"}


def test_the_texts_of_a_channel_leave_it_in_order() -> None:
    bulk, receipt, elsewhere = _job(Kind.CAMPAIGN), _job(), _job(channel="b")
    question = _job(asks=True)
    waiting = _waiting(bulk, receipt, elsewhere, question)
    assert waiting.leave("a") == [receipt, bulk]
    assert waiting.leave("a") == []
    assert waiting.channels() == {"b"}
    assert len(waiting) == 2


_jobs = st.lists(
    st.tuples(st.sampled_from(Kind), st.sampled_from("ab"), st.booleans()), max_size=30
)


@given(_jobs, st.integers(0, 10), st.sampled_from(["", "a", "b"]))
def test_nothing_is_lost_or_doubled_and_the_counts_are_true(
    jobs: list[tuple[Kind, str, bool]], room: int, shut: str
) -> None:
    put = [_job(kind, channel, asks=asks) for kind, channel, asks in jobs]
    waiting = _waiting(*put)
    taken = waiting.take(room, _but(shut))
    assert len(taken) <= room
    left = waiting.leave("a") + waiting.leave("b")
    assert +waiting.by_kind == Counter(
        job.row.kind for job in put if job.asks
    ) - Counter(job.row.kind for job in taken if job.asks)
    rest = waiting.clear()
    assert len(waiting) == 0
    assert Counter(j.row.id for j in taken + left + rest) == Counter(
        job.row.id for job in put
    )
