"""Promised texts to carriers: claim, call, write down the outcome.

One thread owns the database, a bounded pool makes the calls, and no transaction is open
during one. What the calls that just ended said, and the attempts about to begin, go
into one transaction, so the cost of a commit is shared however fast the carriers are.

Killed anywhere, nothing is lost and nothing blindly sent again: an attempt stands in
the journal before its call, at most `threads` of them are without an outcome, and the
carrier is asked about those.
"""

from __future__ import annotations

import secrets
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from ledger import claims, inbox, outbox
from ledger.claims import Claimed
from ledger.engine import Connection, Engine, LedgerError, reading, writing
from ledger.outbox import NEVER, State
from ledger.vault import Keys
from phone.encoding import TextTooLong, sms_cost
from sms import calls, endings, lines
from sms.calls import Call, Closing, Job, Rendered
from sms.carrier import Outcome, Result
from sms.endings import Ending
from sms.owner import is_gone
from sms.routes import Channel, Routes
from sms.waits import before_retry

__all__ = ["Drained", "Rendered", "deliver", "tidy"]

log = structlog.get_logger(__name__)

# One run ends after so many texts, so that a job has an end under any load.
TEXTS_MAX = 20_000
# SQLite's write lock is waited for inside each of these.
WRITES_MAX = 3


@dataclass(frozen=True, slots=True)
class Drained:
    """What a run did: texts by the state it left them in, and when there is more."""

    states: Mapping[State, int]
    next_due: datetime | None


def deliver(
    engine: Engine,
    keys: Keys,
    *,
    routes: Routes,
    render: Callable[[Claimed], Rendered],
    owner: str,
    now: Callable[[], datetime],
    batch_max: int = 100,
    lease_seconds: float = 30,
    threads: int = 8,
    should_stop: Callable[[], bool] = lambda: False,
) -> Drained:
    """Deliver every text that is due, until none is or `should_stop` says so.

    `owner` is `sms.owner.this_process()`; `lease_seconds` is renewed during slow calls.
    `render` makes the final words and raises LookupError for a text that can never be
    made; after any other fault of its own that text is tried again later. Raises
    LedgerError if the database stays away.
    """
    run = _Run(
        engine=engine,
        keys=keys,
        routes=routes,
        render=render,
        # Two runs of one process are two owners.
        owner=f"{owner}:{secrets.token_hex(4)}",
        now=now,
        batch_max=batch_max,
        lease_seconds=lease_seconds,
        threads=threads,
        should_stop=should_stop,
    )
    try:
        with ThreadPoolExecutor(threads, thread_name_prefix="texts") as pool:
            while run.turn(pool):
                pass
    finally:
        run.hand_back()
    with reading(engine) as db:
        next_due = outbox.next_due(db)
    return Drained(dict(run.states), next_due)


def tidy(engine: Engine, routes: Routes, *, at: datetime) -> None:
    """Do what no delivery waits for: free dead leases, expire, match late receipts.

    For the scheduler, about once a minute; it may run anywhere, at any time.
    """
    with writing(engine) as db:
        claims.reclaim(db, at=at, is_gone=is_gone)
        outbox.expire(db, at=at)
        matched = inbox.match_receipts(db, at=at)
        lines.obey_receipts(db, routes, matched, at=at)


@dataclass(frozen=True, slots=True)
class _Judged:
    """A call that ended, and what follows: None that the text may be sent again."""

    call: Call
    result: Result | None
    ending: Ending | None


@dataclass(slots=True)
class _Written:
    """What one transaction did; acted upon only once it stands."""

    taken: int = 0
    begun: list[Call] = field(default_factory=list)
    claimed: list[Claimed] = field(default_factory=list)
    states: Counter[State] = field(default_factory=Counter)


@dataclass(slots=True)
class _Run:
    engine: Engine
    keys: Keys
    routes: Routes
    render: Callable[[Claimed], Rendered]
    owner: str
    now: Callable[[], datetime]
    batch_max: int
    lease_seconds: float
    threads: int
    should_stop: Callable[[], bool]
    states: Counter[State] = field(default_factory=Counter)
    # Claimed and not looked at yet; the channel is who said it never had the text.
    _fresh: deque[tuple[Claimed, Channel | None]] = field(default_factory=deque)
    _waiting: deque[Job] = field(default_factory=deque)
    _closings: list[Closing] = field(default_factory=list)
    _calls: dict[Future[Result | None], Call] = field(default_factory=dict)
    # Channels that carry nothing for now.
    _rests: dict[str, datetime] = field(default_factory=dict)
    _tended_at: datetime | None = None

    def turn(self, pool: ThreadPoolExecutor) -> bool:
        """Write down what ended, begin what can begin; False when all is done."""
        stopping = self.should_stop() or self.states.total() >= TEXTS_MAX
        ended = [future for future in self._calls if future.done()]
        judged = self._judged(ended)
        written = self._write(judged, stopping=stopping)

        self.states += written.states
        self._closings.clear()
        for future in ended:
            del self._calls[future]
        for _ in range(written.taken):
            self._waiting.popleft()
        for call in written.begun:
            self._calls[pool.submit(calls.make, call)] = call
        # What never arrived is still known to that carrier by the same id.
        self._fresh.extend(
            (replace(news.call.row, doubtful=False), news.call.channel)
            for news in judged
            if news.ending is None
        )
        self._fresh.extend((row, None) for row in written.claimed)
        while self._fresh:
            self._prepare(*self._fresh[0])
            self._fresh.popleft()

        if self._calls:
            # Woken also when nothing ends, to renew the lease.
            wait(self._calls, self.lease_seconds / 3, FIRST_COMPLETED)
            return True
        return bool(self._closings) or bool(self._waiting and not stopping)

    def hand_back(self) -> None:
        """Write down what is known and give the rest back, when a run ends early."""
        judged = self._judged([future for future in self._calls if future.done()])
        never_arrived = [news.call.row for news in judged if news.ending is None]
        self._closings += [Closing(row, State.QUEUED) for row in never_arrived]
        for row in [row for row, _ in self._fresh] + [job.row for job in self._waiting]:
            state = State.UNCLEAR if row.doubtful else State.QUEUED
            self._closings.append(Closing(row, state))
        if judged or self._closings:
            # Without a database the leases run out, which comes to the same.
            with suppress(LedgerError):
                self.states += self._write(judged, stopping=True).states

    # --- in the transaction: everything here may be done twice ---

    def _write(self, judged: Sequence[_Judged], *, stopping: bool) -> _Written:
        at = self.now()
        for again in range(WRITES_MAX):
            try:
                with writing(self.engine) as db:
                    written = self._turn_in(db, judged, at=at, stopping=stopping)
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
        judged: Sequence[_Judged],
        *,
        at: datetime,
        stopping: bool,
    ) -> _Written:
        written = _Written()
        if self._needs_tending(at):
            claims.reclaim(db, at=at, is_gone=is_gone)
            claims.renew(db, owner=self.owner, at=at, lease_seconds=self.lease_seconds)
        for news in judged:
            calls.end(db, news.call, news.result, news.ending, owner=self.owner, at=at)
            if news.ending is not None:
                written.states[news.ending.state] += 1
        self._believe_receipts(db, judged, at)
        for closing in self._closings:
            self._close(db, closing, at, written)
        if not stopping:
            self._begin(db, self.threads - len(self._calls) + len(judged), at, written)
            if len(self._waiting) - written.taken < self.threads:
                written.claimed = claims.claim(
                    db,
                    owner=self.owner,
                    at=at,
                    lease_seconds=self.lease_seconds,
                    limit=self.batch_max,
                )
        return written

    def _needs_tending(self, at: datetime) -> bool:
        third = timedelta(seconds=self.lease_seconds / 3)
        return self._tended_at is None or at - self._tended_at >= third

    def _believe_receipts(
        self, db: Connection, judged: Sequence[_Judged], at: datetime
    ) -> None:
        """A fast carrier's receipt is there before its own answer is."""
        ids = [
            (news.call.channel.name, news.result.carrier_id)
            for news in judged
            if news.result is not None and news.result.carrier_id is not None
        ]
        matched = inbox.match_receipts(db, at=at, ids=ids)
        lines.obey_receipts(db, self.routes, matched, at=at)

    def _begin(
        self, db: Connection, free: int, at: datetime, written: _Written
    ) -> None:
        for job in self._waiting:
            if len(written.begun) >= free:
                return
            written.taken += 1
            step = self._first_step(db, job, at)
            if isinstance(step, Call):
                written.begun.append(step)
            elif step is not None:
                self._close(db, step, at, written)

    def _first_step(
        self, db: Connection, job: Job, at: datetime
    ) -> Call | Closing | None:
        if job.asks:
            return calls.asking(db, self.keys, job, at=at)
        if job.row.expires_at <= at:
            return Closing(job.row, State.EXPIRED)
        channel = self._channel(job, at)
        if channel is None:
            return Closing(job.row, State.QUEUED, self._rested_at(job.row, at))
        return calls.begin(
            db,
            self.keys,
            job,
            channel,
            owner=self.owner,
            at=at,
            lease_seconds=self.lease_seconds,
        )

    def _close(
        self, db: Connection, closing: Closing, at: datetime, written: _Written
    ) -> None:
        calls.close(db, closing, owner=self.owner, at=at)
        written.states[closing.state] += 1

    # --- outside of it ---

    def _prepare(self, row: Claimed, channel: Channel | None) -> None:
        """Make a claimed text ready for its call, or for being given back."""
        if row.doubtful:
            asked = self.routes.named(row.carrier)
            if asked is not None and asked.carrier.can_look_up:
                self._waiting.append(Job(row, self._words(row), asked, asks=True))
            else:
                self._closings.append(Closing(row, State.UNCLEAR, NEVER))
            return
        try:
            rendered = self.render(row)
            sms_cost(rendered.text)
        except (LookupError, TextTooLong) as error:
            log.error("texts.not_rendered", text=row.id, error=type(error).__name__)
            self._closings.append(Closing(row, State.FAILED))
            return
        except Exception as error:  # one text's fault must not keep all others waiting
            log.error("texts.not_rendered", text=row.id, error=type(error).__name__)
            due_at = self.now() + before_retry(Outcome.MISCONFIGURED, attempts=0)
            self._closings.append(Closing(row, State.QUEUED, due_at))
            return
        self._waiting.append(Job(row, rendered, channel))

    def _words(self, row: Claimed) -> Rendered | None:
        """What a text that is asked about said, if that can still be made."""
        try:
            return self.render(row)
        except Exception as error:
            # A carrier that knows it by its id can be asked all the same.
            log.warning("texts.not_rendered", text=row.id, error=type(error).__name__)
            return None

    def _judged(self, ended: Sequence[Future[Result | None]]) -> list[_Judged]:
        judged = []
        for future in ended:
            call, result = self._calls[future], calls.said(future)
            judged.append(_Judged(call, result, self._judge(call, result)))
        return judged

    def _judge(self, call: Call, result: Result | None) -> Ending | None:
        at = self.now()
        if call.message is None:
            return endings.of_asking(call.row, result, now=at)
        assert result is not None, "to send is to be answered"
        tried = {*call.row.tried, call.channel.name}
        other = self.routes.choose(
            outbox_id=call.row.id,
            test=call.row.test,
            tried=tried,
            paused={*self._resting(at), call.channel.name},
        )
        ending = endings.of_sending(
            call.row,
            result,
            attempts=call.number,
            can_look_up=call.channel.carrier.can_look_up,
            another=other is not None and other.name not in tried,
            now=at,
        )
        if result.outcome is not Outcome.ACCEPTED:
            calls.tell(call, result, ending)
        if ending.rests_until is not None:
            self._rests[call.channel.name] = ending.rests_until
        return ending

    def _channel(self, job: Job, at: datetime) -> Channel | None:
        resting = self._resting(at)
        if job.channel is not None and job.channel.name not in resting:
            return job.channel
        return self.routes.choose(
            outbox_id=job.row.id,
            test=job.row.test,
            tried=job.row.tried,
            paused=resting,
        )

    def _resting(self, at: datetime) -> set[str]:
        return {name for name, until in self._rests.items() if until > at}

    def _rested_at(self, row: Claimed, at: datetime) -> datetime:
        """When a text that nobody can carry now is looked at again."""
        resting = [until for until in self._rests.values() if until > at]
        if not resting:
            log.error("texts.no_channel", text=row.id, test=row.test)
            resting = [at + before_retry(Outcome.MISCONFIGURED, attempts=0)]
        return min(*resting, row.expires_at)
