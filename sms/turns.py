"""The turns of a delivery: write down what ended, begin what can begin, wait.

Each turn is one transaction, in memory prepared and in memory acted upon, so that it
can be tried again as a whole. What only the carriers' answers can tell is in `endings`,
who takes a text in `placing`, and what a beginning call needs in `beginning`.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from time import sleep

import structlog

from ledger import attempts, channels, claims, people
from ledger.engine import Connection, Engine, LedgerError, writing
from ledger.outbox import State
from ledger.vault import Keys
from sms import ended
from sms.beginning import begin
from sms.calls import Call, Closing, Job
from sms.carrier import Result
from sms.choosing import LOOK_SECONDS, choose
from sms.condition import Conditions
from sms.ended import Judged
from sms.evidence import evidence
from sms.flights import Flight, Flights
from sms.judging import judge
from sms.owner import is_gone
from sms.placing import Fresh, Placing
from sms.routes import Routes
from sms.rules import Rules
from sms.waiting import Waiting

__all__ = ["Start", "Turns"]

log = structlog.get_logger(__name__)

# How a call is begun: what it says comes in the future, which need not be a thread's.
Start = Callable[[Call], Future[Result | None]]

# One run ends after so many texts, so that a job has an end under any load.
TEXTS_MAX = 20_000
# SQLite's write lock is waited for inside each of these.
WRITES_MAX = 3
# With five sixths of the room under way there is no hurry for a turn.
BUSY_SIXTHS = 5
GATHER_SECONDS = 0.005
# A ledger that is away is waited for while there are outcomes to be written down.
AWAY_SECONDS_MAX = 60.0
AWAY_PAUSE_SECONDS = 0.25


@dataclass(slots=True)
class _Written:
    """What one transaction did; acted upon only once it stands."""

    begun: list[Call] = field(default_factory=list)
    fresh: list[Fresh] = field(default_factory=list)
    states: Counter[State] = field(default_factory=Counter)
    # Texts that were to probe a channel, and are not sent now.
    unsent: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Turns:
    """One run of a deliverer; `turn` until it says False, then `hand_back`."""

    engine: Engine
    keys: Keys
    routes: Routes
    placing: Placing
    conditions: Conditions
    rules: Rules | None
    owner: str
    now: Callable[[], datetime]
    batch_max: int
    lease_seconds: float
    room: int
    # Whether the room is counted in parts, and not in calls.
    by_parts: bool
    should_stop: Callable[[], bool]
    states: Counter[State] = field(default_factory=Counter)
    handed: set[str] = field(default_factory=set)
    # Claimed and not looked at yet.
    _fresh: deque[Fresh] = field(default_factory=deque)
    _waiting: Waiting = field(default_factory=Waiting)
    _closings: list[Closing] = field(default_factory=list)
    _flights: Flights = field(init=False)
    # What was found out of these may send waiting texts elsewhere.
    _changed: set[str] = field(default_factory=set)
    # What calls that have ended mean, until it is written down.
    _judgements: dict[Flight, Judged] = field(default_factory=dict)
    # Since when the ledger is away.
    _away_since: float | None = None
    _tended_at: datetime | None = None
    _taken_at: float = 0.0
    # When new texts were looked for, and whether this turn does.
    _looked_at: float = 0.0
    _looks: bool = True
    _found_enough: bool = True
    # The texts of this turn that probe a channel, and when it may be probed again.
    _probes: dict[int, datetime] = field(default_factory=dict)
    # How long nothing that waits may go, for the pace of its channel.
    _paced_seconds: float = LOOK_SECONDS

    def __post_init__(self) -> None:
        self._flights = Flights(self.conditions.ticks)

    def turn(self, start: Start) -> bool:
        """Write down what ended, begin what can begin; False when all is done."""
        at = self.now()
        stopping = self.should_stop() or self.states.total() >= TEXTS_MAX
        landed = self._flights.landed()
        judged = self._judged(landed, at)
        is_away = self._away_since is not None
        jobs = [] if stopping or is_away else self._chosen(at)
        try:
            written = self._write(judged, jobs, stopping=stopping)
        except LedgerError:
            for job in jobs:
                self._waiting.add(job)
            if self._is_given_up():
                raise
            sleep(AWAY_PAUSE_SECONDS)
            return True
        self._away_since = None
        self.states += written.states
        self._closings.clear()
        self._flights.forget(landed)
        self._judgements.clear()
        self._give_back_probes(written, jobs, at)
        self._changed |= {n.change.channel for n in judged if n.change is not None}
        for call in written.begun:
            self._flights.depart(call, start(call), self._taken_at)
        # What never arrived is still known to that carrier by the same id.
        self._fresh.extend(
            Fresh(replace(news.call.row, doubtful=False), again=news.call.channel)
            for news in judged
            if news.ending is None
        )
        self._fresh.extend(written.fresh)
        if self._looks:
            self._found_enough = len(written.fresh) >= self.room
        while self._fresh:
            self._take_in(self.placing.place(self._fresh[0], at))
            self._fresh.popleft()
        return self._wait(stopping=stopping)

    def hand_back(self) -> None:
        """Write down what is known and give the rest back, when a run ends early."""
        at = self.now()
        judged = self._judged(self._flights.landed(), at)
        self._closings += [
            Closing(news.call.row, State.QUEUED)
            for news in judged
            if news.ending is None
        ]
        for row in [fresh.row for fresh in self._fresh] + [
            job.row for job in self._waiting.clear()
        ]:
            self._closings.append(Closing.back(row))
        if judged or self._closings:
            # Without a database the leases run out, which comes to the same.
            with suppress(LedgerError):
                self.states += self._write(judged, [], stopping=True).states

    def _is_given_up(self) -> bool:
        """Whether a ledger that is away is waited for no longer.

        What carriers have said, or are about to, would be lost: then those texts are in
        doubt, and some of them are sent again.
        """
        ticks = self.conditions.ticks()
        if self._away_since is None:
            self._away_since = ticks
        is_idle = not self._flights and not self._flights.landed()
        return is_idle or ticks - self._away_since > AWAY_SECONDS_MAX

    def _give_back_probes(
        self, written: _Written, jobs: Sequence[Job], at: datetime
    ) -> None:
        for job in jobs:
            if job.row.id in written.unsent:
                self.conditions.give_back(job.channel, at)

    # --- in the transaction: everything here may be done twice ---

    def _write(
        self, judged: Sequence[Judged], jobs: Sequence[Job], *, stopping: bool
    ) -> _Written:
        at = self.now()
        for again in range(WRITES_MAX):
            try:
                with writing(self.engine) as db:
                    written = self._turn_in(db, judged, jobs, at, stopping=stopping)
                break
            except LedgerError as error:
                log.warning("texts.not_written", error=type(error).__name__)
                # An outcome is hard to come by again.
                if again + 1 == WRITES_MAX:
                    raise
        if self._needs_tending(at):
            self._tended_at = at
        return written

    def _turn_in(
        self,
        db: Connection,
        judged: Sequence[Judged],
        jobs: Sequence[Job],
        at: datetime,
        *,
        stopping: bool,
    ) -> _Written:
        written = _Written()
        if self._needs_tending(at):
            # Ours first: after a long wait, or a clock that stepped on, they have run
            # out, and are ours still as long as nobody took them.
            claims.renew(db, owner=self.owner, at=at, lease_seconds=self.lease_seconds)
            claims.reclaim(db, at=at, is_gone=is_gone)
        if judged:
            ended.write(db, self.routes, judged, owner=self.owner, at=at)
        late = self._too_late_to_probe(db, jobs, at)
        begun = begin(
            db,
            self.keys,
            [job for job in jobs if job.row.id not in late],
            owner=self.owner,
            via=self.placing.via,
            rules=self.rules,
            at=at,
            lease_seconds=self.lease_seconds,
        )
        written.begun = begun.calls
        written.unsent = self._unsent_probes(db, jobs, {*late, *begun.ids}, at)
        closings = [*self._closings, *begun.closings, *late.values()]
        _close(db, closings, owner=self.owner, at=at)
        written.states.update(closing.state for closing in closings)
        written.states.update(
            news.ending.state for news in judged if news.ending is not None
        )
        if self._needs_tending(at):
            # After what this turn itself has learned.
            self.conditions.learn(channels.standings(db))
        if not stopping and self._looks:
            written.fresh = self._claimed(db, at)
        return written

    def _needs_tending(self, at: datetime) -> bool:
        third = timedelta(seconds=self.lease_seconds / 3)
        # The clock may have been set back.
        return self._tended_at is None or abs(at - self._tended_at) >= third

    def _too_late_to_probe(
        self, db: Connection, jobs: Sequence[Job], at: datetime
    ) -> dict[int, Closing]:
        """The texts that would be a second probe of a channel that rested."""
        return {
            job.row.id: Closing.back(job.row, self._probes[job.row.id])
            for job in jobs
            if job.row.id in self._probes
            and not channels.probe(
                db, channel=job.channel.name, until=self._probes[job.row.id], at=at
            )
        }

    def _unsent_probes(
        self, db: Connection, jobs: Sequence[Job], known: set[int], at: datetime
    ) -> set[int]:
        """The probes that were held back, withdrawn or lost: others may be instead."""
        unsent = {id for id in self._probes if id not in known}
        for job in jobs:
            if job.row.id in unsent:
                until = self._probes[job.row.id]
                channels.give_back(db, channel=job.channel.name, until=until, at=at)
        return unsent

    def _claimed(self, db: Connection, at: datetime) -> list[Fresh]:
        rows = claims.claim(
            db,
            owner=self.owner,
            at=at,
            lease_seconds=self.lease_seconds,
            limit=self.batch_max,
            via=self.placing.via,
            held=self._waiting.by_kind,
        )
        phones: Mapping[int, str] = {}
        if rows and self.placing.needs_numbers:
            ids = sorted({row.person_id for row in rows})
            phones = people.phones_of(db, self.keys, person_ids=ids)
        heard = evidence(db, [row for row in rows if row.doubtful], at)
        return [
            Fresh(row, phones.get(row.person_id, ""), heard=heard.get(row.id))
            for row in rows
        ]

    # --- outside of it ---

    def _judged(self, landed: Sequence[Flight], at: datetime) -> list[Judged]:
        via = self.placing.via
        for flight in landed:
            # Once: a channel's health hears of each call one time.
            if flight not in self._judgements:
                self._judgements[flight] = judge(
                    flight, self.routes, self.conditions, via=via, at=at
                )
        return [self._judgements[flight] for flight in landed]

    def _chosen(self, at: datetime) -> list[Job]:
        """The texts that begin in this turn, with their tokens taken."""
        self._taken_at = self.conditions.ticks()
        # Where little was found, what came since is looked for now and then.
        self._looks = self._found_enough and len(self._waiting) < self.room
        self._looks |= self._taken_at - self._looked_at >= LOOK_SECONDS
        if self._looks:
            self._looked_at = self._taken_at
        changed = self._changed | self.conditions.shut(at)
        self._changed.clear()
        for name in self._waiting.channels() & changed:
            for job in self._waiting.leave(name):
                self._take_in(self.placing.place_again(job, at))
        chosen = choose(
            self._waiting,
            self._flights,
            self.conditions,
            room=self.room,
            by_parts=self.by_parts,
            is_alone=self.placing.is_alone,
            # A full queue that only waits for one carrier would keep others idle.
            full=self.batch_max,
            at=at,
        )
        self._closings += chosen.closings
        self._probes = chosen.probes
        self._paced_seconds = chosen.paced_seconds
        return chosen.jobs

    def _take_in(self, placed: Job | Closing) -> None:
        if isinstance(placed, Job):
            self._waiting.add(placed)
            return
        self._closings.append(placed)
        if placed.via is not None:
            self.handed.add(placed.via)

    def _wait(self, *, stopping: bool) -> bool:
        """Wait until something may have happened; False when all is done."""
        if len(self._flights) > 0:
            seconds = self.lease_seconds / 3
            if len(self._flights) < self.room and not stopping:
                # There may be new texts, or tokens.
                seconds = min(seconds, self._paced_seconds)
            self._flights.wait(seconds)
            if len(self._flights) > self.room * BUSY_SIXTHS // 6:
                # While who calls has enough to do, a commit is shared by more of them.
                sleep(GATHER_SECONDS)
            return True
        if self._closings or self._flights.landed():
            return True
        if stopping:
            return False
        if self._waiting:
            sleep(self._paced_seconds)
            return True
        # Not before a look has found nothing.
        looked, self._found_enough = self._looks, True
        return not looked


def _close(
    db: Connection, closings: Sequence[Closing], *, owner: str, at: datetime
) -> None:
    closed = [
        attempts.Closed(one.row.id, one.state, one.due_at, one.via, one.why)
        for one in closings
    ]
    attempts.close(db, closed, owner=owner, at=at)
