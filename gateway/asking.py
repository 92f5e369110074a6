"""Asks the carriers that post nothing for their news. A job of RQ, as delivery is.

The scheduler rings when a text is due to be asked about, or a channel for texts that
came in; one job at a time then asks for a few seconds, for delivery waits behind it.
What carriers say is stored before anything is done about it, as if they had posted it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from redis import Redis
from rq import Queue

from gateway.service import Service
from gateway.wake import QUEUE
from ledger import asking
from ledger.asking import Unreported
from ledger.engine import Connection, LedgerError, writing
from ledger.forgetting import KEPT
from ledger.outbox import NEVER
from sms.asking import asked_for, next_due
from sms.carrier import Asked, Inbound, Receipt, Spoilt
from sms.receiving import take_receipts, take_texts
from sms.routes import Channel

__all__ = ["Asker", "ask_carriers", "is_time_to_ask", "prepare", "ring"]

JOB = "gateway.asking.ask_carriers"
JOB_SECONDS_MAX = 300
# It falls silent by itself if the worker that heard it died.
BELL = "asking:bell"
BELL_SECONDS = 60

# One job begins no request after so long; what is under way has its own time-out.
ASKING_SECONDS_MAX = 5.0
TEXTS_AT_ONCE = 100
THREADS = 4
LEASE_SECONDS = 120
# For texts that the time did not suffice for.
PUT_OFF = timedelta(seconds=60)
# A list that a carrier shows once only is worth some patience.
STORE_TRIES_MAX = 3
STORE_PAUSE_SECONDS = 0.5
# What is older was stored once and is forgotten, or came when nobody was here to ask.
OLD = KEPT - timedelta(days=1)

log = structlog.get_logger()


def is_time_to_ask(service: Service, db: Connection) -> bool:
    """Whether any carrier is to be asked for anything now."""
    at = service.clock()
    channels = [
        (channel.name, every)
        for channel in _asked(service)
        if (every := _seconds(service, channel)) is not None
    ]
    if not channels:
        return False
    return asking.may_ask(db, channels, at=at) or asking.is_due(db, at=at)


def ring(redis: Redis) -> None:
    """Queue a job that asks, unless one is queued or running."""
    if redis.set(BELL, 1, nx=True, ex=BELL_SECONDS):
        Queue(QUEUE, connection=redis).enqueue(
            JOB, job_timeout=JOB_SECONDS_MAX, result_ttl=0, failure_ttl=3600
        )


# RQ calls its jobs by name, so what they work with has to be found by name too.
_asker: Asker | None = None


def prepare(service: Service) -> None:
    """Have the jobs of this process ask with `service`."""
    global _asker
    _asker = Asker(service)


def ask_carriers() -> None:
    """Ask what is to be asked now. A job of RQ: it carries no data."""
    assert _asker is not None, "ask_carriers runs in a worker"
    try:
        _asker.ask()
    except LedgerError as failure:
        # Asked again when the ledger is back: the turns and leases run out.
        log.error("carriers_not_asked", why=str(failure))
    finally:
        _asker.service.redis.delete(BELL)


@dataclass(slots=True)
class Asker:
    """Asks on behalf of one process, and knows what it has surely stored."""

    service: Service
    # Channels whose last list of incoming texts is in the ledger.
    _stored: set[str] = field(default_factory=set)

    def ask(self, seconds_max: float = ASKING_SECONDS_MAX) -> None:
        """Ask for texts that came in and then for receipts, for about so long.

        Raises LedgerError; what was asked for by then is stored or will be asked again.
        """
        deadline = time.monotonic() + seconds_max
        for channel in _asked(self.service):
            if time.monotonic() < deadline:
                self._ask_inbound(channel)
        while time.monotonic() < deadline and self._ask_receipts(deadline):
            pass

    def _ask_inbound(self, channel: Channel) -> None:
        service, carrier = self.service, asked_for(channel)
        seconds = _seconds(service, channel)
        if carrier is None or seconds is None:
            return
        # It also shows that the ledger can be written, before anything is shown once.
        with writing(service.engine) as db:
            is_ours = asking.take_turn(
                db, channel=channel.name, every_seconds=seconds, at=service.clock()
            )
        if not is_ours:
            return
        found = carrier.ask_inbound(again=channel.name not in self._stored)
        self._stored.discard(channel.name)
        left = self._store(channel, [one for one in found if not self._is_old(one)])
        self._stored.add(channel.name)
        service.texting.handle(left, service.clock())

    def _is_old(self, found: Inbound | Spoilt) -> bool:
        if isinstance(found, Spoilt) or found.at is None:
            return False
        return found.at < self.service.clock() - OLD

    def _store(self, channel: Channel, found: Sequence[Inbound | Spoilt]) -> list[int]:
        for again in range(STORE_TRIES_MAX):
            try:
                with writing(self.service.engine) as db:
                    return take_texts(
                        db,
                        self.service.keys,
                        channel,
                        found,
                        raw=b"",
                        at=self.service.clock(),
                    )
            except LedgerError as failure:
                log.error("inbound_not_stored", channel=channel.name, why=str(failure))
                if again + 1 == STORE_TRIES_MAX:
                    raise
                time.sleep(STORE_PAUSE_SECONDS)
        raise AssertionError("it is stored or raised")

    def _ask_receipts(self, deadline: float) -> bool:
        """Ask about a batch of texts; whether there may be more."""
        service = self.service
        with writing(service.engine) as db:
            texts = asking.claim(
                db,
                at=service.clock(),
                lease_seconds=LEASE_SECONDS,
                limit=TEXTS_AT_ONCE,
            )
        batches = list(_batches(service, texts))
        with ThreadPoolExecutor(THREADS, thread_name_prefix="asking") as pool:
            answers = list(pool.map(lambda batch: _answer(batch, deadline), batches))
        with writing(service.engine) as db:
            at = service.clock()
            asked: dict[int, bool] = {}
            for batch, receipts in zip(batches, answers, strict=True):
                asked |= {text.outbox_id: receipts is not None for text in batch.texts}
                if receipts:
                    take_receipts(
                        db,
                        service.keys,
                        service.routes,
                        batch.channel,
                        receipts,
                        raw=b"",
                        at=at,
                    )
            asking.put_off(
                db,
                [
                    (
                        text.outbox_id,
                        # Nobody can be asked about one that has no id.
                        NEVER
                        if text.outbox_id not in asked
                        else next_due(text.taken_at, at)
                        if asked[text.outbox_id]
                        else at + PUT_OFF,
                    )
                    for text in texts
                ],
            )
        return len(texts) == TEXTS_AT_ONCE


@dataclass(frozen=True, slots=True)
class _Batch:
    """Texts that one request asks about."""

    channel: Channel
    carrier: Asked
    texts: tuple[Unreported, ...]


def _batches(service: Service, texts: Sequence[Unreported]) -> Iterator[_Batch]:
    by_channel: dict[str, list[Unreported]] = {}
    for text in texts:
        if text.carrier_id is not None:
            by_channel.setdefault(text.carrier, []).append(text)
    for name, of_it in by_channel.items():
        channel = service.routes.named(name)
        carrier = asked_for(channel)
        if channel is None or carrier is None:
            continue
        for first in range(0, len(of_it), carrier.ids_at_once):
            some = of_it[first : first + carrier.ids_at_once]
            yield _Batch(channel, carrier, tuple(some))


def _answer(batch: _Batch, deadline: float) -> tuple[Receipt, ...] | None:
    """What the carrier says of a batch; None if there was no time to ask."""
    if time.monotonic() >= deadline:
        return None
    ids = [text.carrier_id for text in batch.texts if text.carrier_id is not None]
    found = batch.carrier.ask_receipts(ids)
    # Of other ids than those that were asked for nobody can say anything here.
    return tuple(receipt for receipt in found if receipt.carrier_id in ids)


def _asked(service: Service) -> list[Channel]:
    return [channel for channel in service.routes if asked_for(channel) is not None]


def _seconds(service: Service, channel: Channel) -> float | None:
    """How often a channel is asked for incoming texts; None for one not of ours."""
    setting = service.settings.sms.get(channel.name)
    return setting.ask_inbound_seconds if setting is not None else None
