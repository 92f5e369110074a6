"""The scheduler: it wakes workers for what Redis forgot, and tidies up.

Any number may run; one holds the lease and works. Its jobs can be done twice.
"""

from __future__ import annotations

import os
import signal
import threading
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from redis.exceptions import RedisError

from gateway import asking
from gateway.bulk import top_up
from gateway.daily import Daily
from gateway.endings import count_silent
from gateway.erased import keep_noting
from gateway.faults import Unready
from gateway.forgetting import Forgetting
from gateway.logs import write_logs
from gateway.placing import take_in_changed
from gateway.processes import SUPERVISED_BY
from gateway.publishing import publish
from gateway.sealing import Sealing
from gateway.service import Service, build, now, prove_keys
from gateway.settings import Settings
from gateway.sweeping import SWEEP_EVERY, sweep
from ledger import leases, menus, outbox, tallies
from ledger.engine import LedgerError, reading, writing
from sms.delivery import tidy
from sms.owner import this_process
from sms.receiving import give_up_parts

__all__ = ["main"]

LEASE = "schedule"
LEASE_SECONDS = 15
TURN_SECONDS = 1.0
TIDY_EVERY = timedelta(seconds=20)
TALLY_EVERY = timedelta(seconds=30)

log = structlog.get_logger()


def main(settings: Settings) -> None:
    """Run until told to stop."""
    write_logs()
    stop = threading.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda *_: stop.set())
    service = build(settings)
    prove_keys(service)
    turns = _Turns(service)
    daily = Daily(service)
    watched = _Watched(service) if os.environ.get(SUPERVISED_BY) else None
    while not stop.wait(TURN_SECONDS):
        try:
            if turns.turn(now()):
                daily.step(now())
            if watched is not None:
                watched.look(now())
        except (LedgerError, RedisError) as failure:
            log.error("schedule_turn_failed", why=type(failure).__name__)


class _Turns:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._holder = this_process()
        self._tidied: datetime | None = None
        self._swept: datetime | None = None
        self._tallied: datetime | None = None
        self._forgetting = Forgetting(service.engine)
        self._sealing = Sealing(service.engine, service.settings)

    def turn(self, at: datetime) -> bool:
        """Do what is due, and say whether the lease is ours."""
        engine = self._service.engine
        with writing(engine) as db:
            held = leases.take(
                db, name=LEASE, holder=self._holder, seconds=LEASE_SECONDS, at=at
            )
        if not held:
            return False
        if self._tidied is None or at - self._tidied >= TIDY_EVERY:
            tidy(engine, self._service.routes, at=at)
            count_silent(self._service.sessions, at)
            with writing(engine) as db:
                give_up_parts(db, self._service.keys, at=at)
            self._service.texting.sweep(at)
            keep_noting(engine, self._service.settings.data_dir, at)
            self._tidied = at
        service = self._service
        if self._swept is None or at - self._swept >= SWEEP_EVERY:
            # Also of one that fails: what comes after it has its turn all the same.
            self._swept = at
            sweep(service, at)
        top_up(engine, service.library, service.routes, service.rules, at=at)
        with reading(engine) as db:
            waiting = outbox.due(db, at=at)
            current = menus.current_hash(db)
            unasked = asking.is_time_to_ask(service, db)
        self._forgetting.step(at)
        if self._tallied is None or at - self._tallied >= TALLY_EVERY:
            self._tallied = at
            tallies.count_run(engine, at)
        if current is not None:
            # Whoever published may have died before telling Redis.
            self._service.sessions.announce(current)
        if waiting:
            self._service.wake()
        if unasked:
            asking.ring(service.redis)
        # Last: what cannot be sealed keeps no text waiting.
        self._sealing.step(at)
        return True

    def wait(self) -> None:
        """Let what goes on beside the turns be finished."""
        self._sealing.wait()


class _Watched:
    """The menus and the places beside `serve`: a change is published, a fault named."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._seen = _stamp(service.settings.menus)
        self._seen_places = _stamp(service.settings.places)

    def look(self, at: datetime) -> None:
        self._look_at_places(at)
        stamp = _stamp(self._service.settings.menus)
        if stamp is None or stamp == self._seen:
            return
        settings = self._service.settings
        try:
            published = publish(
                settings,
                self._service.engine,
                self._service.sessions,
                settings.menus,
                at=at,
            )
        except Unready as refused:
            faults = str(refused).splitlines()
            log.error("menus_refused", file=str(settings.menus), faults=faults)
        else:
            log.info("menus_published", file=str(settings.menus), version=published)
        # Not before: a ledger that is away now is tried again.
        self._seen = stamp

    def _look_at_places(self, at: datetime) -> None:
        path = self._service.settings.places
        stamp = _stamp(path)
        if path is None or stamp is None or stamp == self._seen_places:
            return
        take_in_changed(self._service.engine, path, at)
        self._seen_places = stamp


def _stamp(path: Path | None) -> tuple[int, int] | None:
    """What changes when a file does; None where there is none."""
    try:
        found = path.stat() if path is not None else None
    except OSError:
        return None
    return None if found is None else (found.st_mtime_ns, found.st_size)
