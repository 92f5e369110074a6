"""What a message centre delivers to us, stored before it is answered.

The loop takes messages, one thread stores them: as many in one transaction as came
while the last was written. Where the ledger is away the centre is told to try again,
and keeps what it has for us.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from datetime import datetime, timedelta

import structlog

from gateway.service import Service
from ledger import orphans, repeats
from ledger.engine import Connection, LedgerError, writing
from ledger.forms import known_form, rename
from ledger.receipts import match_receipts
from ledger.repeats import Mark
from ledger.strays import strays
from phone.smpp import Message, Status
from sms.lines import obey_receipts
from sms.routes import Channel
from sms.smpp.carrier import Smpp
from sms.smpp.incoming import forms_of
from sms.smpp.receiving import Taken, take

__all__ = ["Inbox"]

MESSAGES_AT_ONCE = 200
# A connection that stood so long after an answer has brought it.
ARRIVED_SECONDS = 3.0
# No centre tries to deliver a text again after so long.
AGAIN_SECONDS = 300
# Receipts that found no text by their id are looked at again for so long; each round,
# and the older ones at the first round of a minute.
STRAY_AGE = timedelta(seconds=30)
STRAY_AGE_MAX = timedelta(days=3)
OLD_STRAYS_EVERY = timedelta(seconds=60)
# So many receipts that matched as they were for each that did not show the spelling.
KNOWN_BY = 10
# Between an answer that did not come in time and the last moment it is written down.
WRITTEN_SECONDS = 1.0

log = structlog.get_logger()


class Inbox:
    """Stores what comes over one channel's binds; `losses` counts those lost so far."""

    def __init__(
        self,
        service: Service,
        channel: Channel,
        thread: Executor,
        losses: Callable[[], int],
    ) -> None:
        assert isinstance(channel.carrier, Smpp)
        self._service = service
        self._channel = channel
        self._carrier = channel.carrier
        self._thread = thread
        self._losses = losses
        self._waiting: deque[tuple[Message, asyncio.Future[int]]] = deque()
        self._came = asyncio.Event()
        # Of texts that were answered: when, and how many binds had been lost by then.
        self._answered: deque[tuple[float, int, Mark]] = deque()
        self._has_strays = True
        # How the centre spells its ids: as in its answers, or otherwise.
        self._spelt_as_said = self._spelt_otherwise = 0
        self._old_strays_at: datetime | None = None

    def take(self, message: Message) -> asyncio.Future[int]:
        """Take what a centre delivers; the status of its answer, once it is stored."""
        stored = asyncio.get_running_loop().create_future()
        self._waiting.append((message, stored))
        self._came.set()
        return stored

    async def work(self) -> None:
        """Store what comes, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self._came.wait()
            room = min(len(self._waiting), MESSAGES_AT_ONCE)
            batch = [self._waiting.popleft() for _ in range(room)]
            if not self._waiting:
                self._came.clear()
            messages = [message for message, _ in batch]
            statuses, taken = await loop.run_in_executor(
                self._thread, self._store, messages
            )
            marks = taken.marks if taken else [None] * len(batch)
            for (_, stored), status, mark in zip(batch, statuses, marks, strict=True):
                if stored.done():
                    # Too late: the centre was told to send it again.
                    continue
                stored.set_result(status)
                if mark is not None and status == Status.ESME_ROK:
                    self._answered.append((loop.time(), self._losses(), mark))
            if taken is not None and taken.inbound_ids:
                await loop.run_in_executor(
                    self._thread, self._handle, taken.inbound_ids
                )

    async def tend(self) -> None:
        """Do what is due every second: marks, and receipts without a text."""
        loop = asyncio.get_running_loop()
        arrived: list[Mark] = []
        while self._answered and self._answered[0][0] < loop.time() - ARRIVED_SECONDS:
            _, losses, mark = self._answered.popleft()
            # Where a bind was lost since, the answer may have been with it.
            if losses == self._losses():
                arrived.append(mark)
        await loop.run_in_executor(self._thread, self._tend, arrived)

    # -- in the thread --------------------------------------------------------------

    def _store(self, messages: Sequence[Message]) -> tuple[list[int], Taken | None]:
        """Store a batch; what each is answered, and what is left to be done."""
        try:
            with writing(self._service.engine) as db:
                taken = self._taken(db, messages)
        except LedgerError as fault:
            log.error("smpp_not_stored", channel=self._channel.name, why=str(fault))
            return [Status.ESME_RX_T_APPN] * len(messages), None
        except Exception as fault:
            # The edge: one message that nobody foresaw must not keep back all others.
            log.error(
                "smpp_inbox_broke",
                channel=self._channel.name,
                why=type(fault).__name__,
            )
            if len(messages) == 1:
                return [Status.ESME_RX_P_APPN], None
            return self._one_by_one(messages)
        self._has_strays |= taken.receipts > 0
        self._spelt_as_said += taken.matched
        return [Status.ESME_ROK] * len(messages), taken

    def _one_by_one(
        self, messages: Sequence[Message]
    ) -> tuple[list[int], Taken | None]:
        statuses: list[int] = []
        ids: list[int] = []
        marks: list[Mark | None] = []
        for message in messages:
            one, taken = self._store([message])
            statuses += one
            ids += taken.inbound_ids if taken else ()
            marks += taken.marks if taken else (None,)
        return statuses, Taken(tuple(ids), tuple(marks), 0)

    def _taken(self, db: Connection, messages: Sequence[Message]) -> Taken:
        service = self._service
        return take(
            db,
            service.keys,
            service.routes,
            self._channel,
            messages,
            at=service.clock(),
        )

    def _handle(self, inbound_ids: Sequence[int]) -> None:
        self._service.texting.handle(inbound_ids, self._service.clock())

    def _tend(self, arrived: Sequence[Mark]) -> None:
        at = self._service.clock()
        try:
            with writing(self._service.engine) as db:
                repeats.clear(db, arrived)
                repeats.lapse(
                    db,
                    channel=self._channel.name,
                    before=at - timedelta(seconds=AGAIN_SECONDS),
                )
                self._find_texts(db, at)
        except LedgerError as fault:
            log.error("smpp_not_tended", channel=self._channel.name, why=str(fault))

    def _find_texts(self, db: Connection, at: datetime) -> None:
        """Find the texts of receipts whose id is spelt otherwise, or was never told."""
        is_old_time = (
            self._old_strays_at is None or at - self._old_strays_at > OLD_STRAYS_EVERY
        )
        if not (self._has_strays or is_old_time):
            return
        age = STRAY_AGE
        if is_old_time:
            age, self._old_strays_at = STRAY_AGE_MAX, at
        name, ways = self._channel.name, self._carrier.options.ids
        found = strays(db, channel=name, since=at - age)
        self._has_strays = bool(found)
        if not found:
            return
        ids = []
        for stray in found:
            forms = forms_of(stray.carrier_id, ways)
            if self._spelt_as_said >= KNOWN_BY * (1 + self._spelt_otherwise):
                # Its ids are as it says them: what another form names is another text.
                forms = forms[:1]
            known = known_form(db, channel=name, forms=forms, look_up=stray.look_up)
            if known is not None:
                self._spelt_otherwise += known != stray.carrier_id
                rename(
                    db,
                    channel=name,
                    forms=[stray.carrier_id],
                    canonical=known,
                    look_up=stray.look_up,
                )
                ids.append((name, known))
        response_seconds = self._carrier.options.access.account.response_seconds
        matched = [
            *match_receipts(db, at=at, ids=ids),
            *orphans.adopt_orphans(
                db,
                channel=name,
                older_than=timedelta(seconds=response_seconds + WRITTEN_SECONDS),
                at=at,
            ),
        ]
        obey_receipts(db, self._service.routes, matched, at=at)
