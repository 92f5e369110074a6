"""Texts over SMPP: one process that stays bound to one channel's message centre.

A loop owns the connections, a thread delivers the channel's texts with the engine that
every carrier's texts go through, and another stores what the centre delivers to us.
Nothing is kept here that another process, or this one after a restart, would miss.
"""

from __future__ import annotations

import asyncio
import random
import signal
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

import structlog

from gateway.faults import CannotServe, SettingsError
from gateway.logs import write_logs
from gateway.service import Service, build, prove_keys
from gateway.settings import Settings
from gateway.smpp_inbox import Inbox
from gateway.texts import renderer
from ledger import channels
from ledger.engine import LedgerError, writing
from phone.smpp import Address, Centre, Role
from sms.calls import Call
from sms.condition import Conditions
from sms.delivery import deliver
from sms.owner import this_process
from sms.pace import Pace
from sms.result import Result
from sms.routes import Channel
from sms.smpp.carrier import Smpp
from sms.smpp.sending import Sender

__all__ = ["main", "run"]

# A sign of life, and for how long it is believed.
ALIVE_EVERY_SECONDS = 5.0
ALIVE_SECONDS = 15
TEND_SECONDS = 1.0
# How long nothing is looked for when nothing was due.
IDLE_SECONDS = 0.25
LEDGER_AWAY_SECONDS = 1.0
# What has gone out may still be answered before we part.
STOP_SECONDS_MAX = 8.0

log = structlog.get_logger()


def main(settings: Settings, name: str) -> None:
    """Carry the texts of the channel `name` until told to stop.

    Raises Unready where the channel is not there or is not one of SMPP.
    """
    write_logs()
    service = build(settings)
    channel = service.routes.named(name)
    if channel is None or not isinstance(channel.carrier, Smpp):
        raise SettingsError(f"sms.{name}: its adapter is not smpp")
    prove_keys(service)
    asyncio.run(_until_told(service, channel))


async def _until_told(service: Service, channel: Channel) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop.set)
    await run(service, channel, stop)


async def run(service: Service, channel: Channel, stop: asyncio.Event) -> None:
    """Bind, carry texts both ways until `stop`, finish what is under way, unbind."""
    carrier = channel.carrier
    assert isinstance(carrier, Smpp)
    options = carrier.options
    addresses = _addresses(carrier)
    centres: list[Centre] = []
    loop = asyncio.get_running_loop()
    # The ledger's one thread of this side; the engine has its own.
    with ThreadPoolExecutor(1, "inbox") as thread:
        inbox = Inbox(
            service, channel, thread, lambda: sum(one.losses for one in centres)
        )
        centres += [
            Centre(
                addresses,
                options.access.account,
                role,
                inbox.take,
                # Only to keep many processes from coming back in step.
                random=random.random,
                binds=options.binds,
            )
            for role in options.access.roles
        ]
        sending = next(
            centre
            for centre, role in zip(centres, options.access.roles, strict=True)
            if role is not Role.RECEIVER
        )
        sender = Sender(carrier, sending, Pace(channel.segments_per_second))
        deliverer = _Deliverer(service, channel, sender, sending, loop)
        async with asyncio.TaskGroup() as group:
            binds = [group.create_task(centre.stay_bound()) for centre in centres]
            works = [
                group.create_task(inbox.work()),
                group.create_task(_tend(inbox)),
                group.create_task(_show_life(service, channel, sending, thread)),
            ]
            delivering = group.create_task(asyncio.to_thread(deliverer.work))
            stopped = group.create_task(stop.wait())
            # A thread that broke would leave a process which only looks alive.
            await asyncio.wait(
                {stopped, delivering}, return_when=asyncio.FIRST_COMPLETED
            )
            stopped.cancel()
            deliverer.stop()
            sending.take_no_more()
            await asyncio.wait({delivering}, timeout=STOP_SECONDS_MAX)
            for task in (*binds, *works):
                task.cancel()


async def _tend(inbox: Inbox) -> None:
    while True:
        await asyncio.sleep(TEND_SECONDS)
        await inbox.tend()


async def _show_life(
    service: Service, channel: Channel, centre: Centre, thread: ThreadPoolExecutor
) -> None:
    """Say that the channel can carry texts, as long as it can: while it is bound."""
    loop = asyncio.get_running_loop()
    said_at = -ALIVE_EVERY_SECONDS
    try:
        while True:
            if centre.is_bound and loop.time() - said_at >= ALIVE_EVERY_SECONDS:
                said_at = loop.time()
                await loop.run_in_executor(
                    thread, _say_alive, service, channel, ALIVE_SECONDS
                )
            await asyncio.sleep(IDLE_SECONDS)
    finally:
        # Nobody is to wait for who is gone.
        thread.submit(_say_alive, service, channel, 0)


def _say_alive(service: Service, channel: Channel, seconds: float) -> None:
    at = service.clock()
    until = at + timedelta(seconds=seconds)
    try:
        with writing(service.engine) as db:
            channels.sign_of_life(db, channel=channel.name, until=until, at=at)
    except LedgerError as fault:
        log.error("smpp_life_not_shown", channel=channel.name, why=str(fault))


class _Deliverer:
    """The thread of the engine: it delivers what is due as long as we are bound."""

    def __init__(
        self,
        service: Service,
        channel: Channel,
        sender: Sender,
        centre: Centre,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        assert isinstance(channel.carrier, Smpp)
        self._service = service
        self._channel = channel
        self._sender = sender
        self._centre = centre
        self._loop = loop
        self._stopped = threading.Event()
        options = channel.carrier.options
        window = options.access.account.window * options.binds
        # A little more than the windows hold, for as long as a commit takes. What waits
        # here and not in the outbox is in doubt if we die.
        self._room = window + max(window // 2, 1)
        # What this process has learned of its channels, through all its runs.
        self._conditions = Conditions(service.routes)

    def stop(self) -> None:
        self._stopped.set()

    def work(self) -> None:
        """Deliver until `stop`; what is under way then is finished."""
        while not self._stopped.is_set():
            wait = IDLE_SECONDS
            if self._centre.is_bound:
                try:
                    self._deliver()
                except LedgerError as failure:
                    log.error("texts_not_delivered", why=str(failure))
                    wait = LEDGER_AWAY_SECONDS
            self._stopped.wait(wait)

    def _deliver(self) -> None:
        service, settings = self._service, self._service.settings
        drained = deliver(
            service.engine,
            service.keys,
            routes=service.routes,
            render=renderer(service.library, service.keys),
            owner=this_process(),
            now=service.clock,
            batch_max=settings.text_batch_max,
            lease_seconds=settings.lease_seconds,
            start=self._start,
            room=self._room,
            by_parts=True,
            via=self._channel.name,
            conditions=self._conditions,
            rules=service.rules,
            should_stop=lambda: self._stopped.is_set() or not self._centre.is_bound,
        )
        if drained.handed:
            service.wake()
        if drained.states:
            log.info("texts", **{str(state): n for state, n in drained.states.items()})

    def _start(self, call: Call) -> Future[Result | None]:
        if call.message is None:
            # No centre can be asked about a text whose answer was lost.
            asked: Future[Result | None] = Future()
            asked.set_result(call.channel.carrier.look_up(call.question))
            return asked
        return asyncio.run_coroutine_threadsafe(
            self._sender.hand_over(call.message), self._loop
        )


def _addresses(carrier: Smpp) -> list[Address]:
    try:
        return carrier.options.access.addresses()
    except OSError as fault:
        raise CannotServe(
            f"the certificates of tls_ca cannot be read: {fault.strerror}"
        ) from fault
