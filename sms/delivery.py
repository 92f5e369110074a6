"""Promised texts to carriers: claim, call, write down the outcome.

One thread owns the database, others make the calls, and no transaction is open during
one. What the calls that just ended said, and the attempts about to begin, go into one
transaction, so the cost of a commit is shared however fast the carriers are.

Killed anywhere, nothing is lost and nothing blindly sent again: an attempt stands in
the journal before its call, at most `room` of them are without an outcome, and the
carrier is asked about those.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from ledger import abandoned, channels, claims, outbox
from ledger.claims import Claimed
from ledger.engine import Engine, reading, writing
from ledger.outbox import WORKERS, State
from ledger.receipts import match_receipts
from ledger.vault import Keys
from sms import calls, lines
from sms.calls import Rendered
from sms.condition import Conditions
from sms.owner import is_gone
from sms.placing import Placing, carried_by
from sms.routes import Routes
from sms.rules import Rules
from sms.turns import Start, Turns

__all__ = ["WORKERS", "Drained", "Rendered", "Start", "deliver", "tidy"]

# Who is not there for so long has its texts given to others.
ASLEEP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Drained:
    """What a run did: texts by the state it left them in, and when there is more."""

    states: Mapping[State, int]
    next_due: datetime | None
    # Who was given texts, as `outbox.via` has it, and is to be woken.
    handed: frozenset[str] = frozenset()


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
    start: Start | None = None,
    room: int = 8,
    by_parts: bool = False,
    via: str = WORKERS,
    conditions: Conditions | None = None,
    rules: Rules | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Drained:
    """Deliver every text that is due, until none is or `should_stop` says so.

    `via` says whose texts: the workers', or those of the channel of that name, which
    has a process of its own. `start` begins a call and gives the future of what it
    says; without it each is made in a thread. At most `room` are under way: calls, or
    with `by_parts` parts of texts.

    `owner` is `sms.owner.this_process()`; `lease_seconds` is renewed during slow calls.
    `render` makes the final words and raises LookupError for a text that can never be
    made; after any other fault of its own that text is tried again later. `conditions`
    is what the process knows of its channels from earlier runs. `rules` say what may
    leave now; without them only stops do. Raises LedgerError if the database stays
    away.
    """
    conditions = conditions or Conditions(routes)
    run = Turns(
        engine=engine,
        keys=keys,
        routes=routes,
        placing=Placing(routes, conditions, render, via),
        conditions=conditions,
        rules=rules,
        # Two runs of one process are two owners.
        owner=f"{owner}:{secrets.token_hex(4)}",
        now=now,
        batch_max=batch_max,
        lease_seconds=lease_seconds,
        room=room,
        by_parts=by_parts,
        should_stop=should_stop,
    )
    try:
        if start is not None:
            _turn(run, start)
        else:
            with ThreadPoolExecutor(room, thread_name_prefix="texts") as pool:
                _turn(run, lambda call: pool.submit(calls.make, call))
    finally:
        run.hand_back()
    with reading(engine) as db:
        next_due = outbox.next_due(db, via=via)
    return Drained(dict(run.states), next_due, frozenset(run.handed))


def _turn(run: Turns, start: Start) -> None:
    while run.turn(start):
        pass


def tidy(engine: Engine, routes: Routes, *, at: datetime) -> None:
    """Do what no delivery waits for: free dead leases, expire, match late receipts.

    Texts of a channel whose own process is not there go to others, if there are any.
    For the scheduler, about once a minute; it may run anywhere, at any time.
    """
    names = {carried_by(channel) for channel in routes}
    with writing(engine) as db:
        claims.reclaim(db, at=at, is_gone=is_gone)
        waited_for = abandoned.owners(db)
        for gone in sorted(waited_for - names - {WORKERS}):
            abandoned.hand_on(db, via=gone)
        outbox.expire(db, at=at, vias={"", WORKERS, *names, *waited_for})
        abandoned.bury(db, vias=waited_for, at=at)
        known = channels.standings(db)
        asleep = {
            channel.name
            for channel in routes
            if channel.smpp
            and not _was_there(known.get(channel.name), since=at - ASLEEP)
        }
        if any(channel.weight > 0 and channel.name not in asleep for channel in routes):
            for name in sorted(asleep):
                claims.free(db, via=name)
        matched = match_receipts(db, at=at)
        lines.obey_receipts(db, routes, matched, at=at)


def _was_there(known: channels.Standing | None, *, since: datetime) -> bool:
    return (
        known is not None
        and known.alive_until is not None
        and known.alive_until > since
    )
