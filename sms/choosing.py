"""Which of the texts that wait leave now, with their channels' tokens taken.

Who is slow keeps nobody else waiting, whoever is sent to many keeps no receipt waiting,
and a channel that rested is tried with one text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ledger.outbox import Kind
from sms.calls import Closing, Job
from sms.condition import HOLD_SECONDS, Conditions
from sms.flights import Flights
from sms.waiting import Waiting
from sms.waits import after_rest

__all__ = ["LOOK_SECONDS", "Chosen", "choose"]

# While calls are under way and there is room for more, new texts are looked for.
LOOK_SECONDS = 0.1
# Tokens gather meanwhile: a turn for each of them would do nothing but turn.
PACED_SECONDS_MIN = 0.01
# Texts to many take half of the room at most, and so does one channel while texts for
# another wait, or are likely to.
SHARES = 2


@dataclass(slots=True)
class Chosen:
    """The texts that leave, and those that go back to wait in the outbox.

    `probes` are the texts among them that probe a channel, and when it may be probed
    again; after `paced_seconds` more may go.
    """

    jobs: list[Job] = field(default_factory=list)
    closings: list[Closing] = field(default_factory=list)
    probes: dict[int, datetime] = field(default_factory=dict)
    paced_seconds: float = LOOK_SECONDS


def choose(
    waiting: Waiting,
    flights: Flights,
    conditions: Conditions,
    *,
    room: int,
    by_parts: bool,
    is_alone: bool,
    full: int,
    at: datetime,
) -> Chosen:
    """Take what may go now out of `waiting`, as far as there is `room`.

    `is_alone` says that there is but one channel; else, where `full` texts wait, half
    of those that wait for the slowest of the channels go back.
    """
    chosen = Chosen()
    free = room - len(flights)
    share = max(1, room // SHARES)
    many = share - flights.of_kind(Kind.CAMPAIGN)
    is_shared = len(waiting.channels()) > 1
    busy = flights.by_channel()
    busy_with_many = flights.by_channel(Kind.CAMPAIGN)
    # The last text may take a little more than there is, or a long one never went.
    parts = room - flights.parts() if by_parts else None
    waits: dict[str, float] = {}

    def has_share(job: Job) -> bool:
        name = job.channel.name
        # Alone it takes all, unless who comes next would wait for its slow calls.
        if not (is_shared or (not is_alone and conditions.drags(job.channel))):
            return True
        to_many = job.row.kind is Kind.CAMPAIGN
        is_over = to_many and busy_with_many[name] >= max(1, share // SHARES)
        return busy[name] < share and not is_over

    def may_go(job: Job) -> bool:
        nonlocal many, parts
        name, to_many = job.channel.name, job.row.kind is Kind.CAMPAIGN
        if job.asks:
            return True
        if (parts is not None and parts <= 0) or (to_many and many <= 0):
            return False
        if not has_share(job):
            waits[name] = LOOK_SECONDS
            return False
        if not conditions.may_try(job.channel, at):
            return False
        seconds = conditions.wait(job.channel, len(job.parts))
        if seconds > 0:
            waits[name] = seconds
            return False
        if until := conditions.probe(job.channel, at):
            chosen.probes[job.row.id] = until
        many -= to_many
        busy[name] += 1
        busy_with_many[name] += to_many
        if parts is not None:
            parts -= len(job.parts)
        return True

    chosen.jobs = waiting.take(free, may_go)
    paced = min([LOOK_SECONDS, *waits.values()])
    chosen.paced_seconds = max(paced, PACED_SECONDS_MIN)
    chosen.closings = _too_long(waiting, waits, at)
    if waits and len(chosen.jobs) < free and len(waiting) >= full and not is_alone:
        slowest = max(waits, key=waiting.count)
        chosen.closings += _put_off(waiting, slowest, at)
    return chosen


def _too_long(
    waiting: Waiting, waits: Mapping[str, float], at: datetime
) -> list[Closing]:
    """What no text waits for in memory goes back."""
    return [
        Closing.back(job.row, at + after_rest(seconds))
        for name, seconds in waits.items()
        if seconds > HOLD_SECONDS
        for job in waiting.leave(name)
    ]


def _put_off(waiting: Waiting, name: str, at: datetime) -> list[Closing]:
    """Make room for texts of other channels: half of what waits for this one goes."""
    jobs = waiting.leave(name)
    for job in jobs[: len(jobs) // 2]:
        waiting.add(job)
    return [
        Closing.back(job.row, at + after_rest(HOLD_SECONDS))
        for job in jobs[len(jobs) // 2 :]
    ]
