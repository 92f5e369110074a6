"""USSD over SMPP: one process that stays bound to one channel's message centre.

Each deliver_sm is answered at once and its turn worked on in a thread; the screen goes
out as a submit_sm when it is known. Nothing is kept here that another process, or this
one after a restart, would miss: where a caller stands is in Redis, and what the reply
must repeat comes with every turn.
"""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog

from gateway.conversation import LAST_WORDS
from gateway.doors import Channel, Reply
from gateway.faults import CannotServe, SettingsError
from gateway.logs import write_logs
from gateway.service import Service, build, prove_keys
from gateway.settings import Settings
from phone.smpp import Address, Centre, Message, Refused, Role, Status, Unwritable
from ussd.dialects.smpp import Smpp, call_of
from ussd.dialects.smpp_options import Options
from ussd.turn import DialEnd, Turn, Unreadable

__all__ = ["Desk", "main", "run"]

# Turns being worked on, or waiting for the centre to take their screen. More than
# this and a caller is told at once to dial again, by the centre.
TURNS_MAX = 1_000
# A call under way may get its screen before we part.
STOP_SECONDS_MAX = 8.0

log = structlog.get_logger()


def main(settings: Settings, name: str) -> None:
    """Stay bound to the message centre of the channel `name` until told to stop.

    Raises Unready where the channel is not there or is not one of SMPP.
    """
    write_logs()
    if name not in settings.ussd:
        raise SettingsError(f"ussd.{name} is not set up")
    service = build(settings)
    if not isinstance(service.doors[name].dialect, Smpp):
        raise SettingsError(f"ussd.{name}: its adapter is not smpp")
    prove_keys(service)
    asyncio.run(_until_told(service, name))


async def _until_told(service: Service, name: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop.set)
    await run(service, name, stop)


async def run(service: Service, name: str, stop: asyncio.Event) -> None:
    """Bind, answer callers until `stop`, finish what is under way, and unbind."""
    door = service.doors[name]
    assert isinstance(door.dialect, Smpp)
    options = door.dialect.options
    addresses = _addresses(options)
    threads = ThreadPoolExecutor(service.settings.web_threads, "turn")
    try:
        desk = Desk(service, door.channel, door.dialect, threads)
        centres = [
            Centre(
                addresses,
                options.access.account,
                role,
                desk.take,
                # Only to keep many processes from coming back in step.
                random=random.random,
            )
            for role in options.access.roles
        ]
        # Screens go out over the first that may send.
        desk.centre = next(
            centre
            for centre, role in zip(centres, options.access.roles, strict=True)
            if role is not Role.RECEIVER
        )
        async with asyncio.TaskGroup() as group:
            binds = [group.create_task(centre.stay_bound()) for centre in centres]
            await stop.wait()
            await desk.finish(STOP_SECONDS_MAX)
            for bind in binds:
                bind.cancel()
    finally:
        threads.shutdown()


class Desk:
    """Takes what callers send and sees to it that they get a screen."""

    def __init__(
        self,
        service: Service,
        channel: Channel,
        dialect: Smpp,
        threads: ThreadPoolExecutor,
    ) -> None:
        self.centre: Centre | None = None
        self._service = service
        self._channel = channel
        self._dialect = dialect
        self._threads = threads
        self._is_closing = False
        self._tasks: set[asyncio.Task[None]] = set()
        # The latest turn of each call that is being worked on.
        self._latest: dict[tuple[str, str], object] = {}

    def take(self, message: Message) -> int:
        """Take one deliver_sm; the status that answers it."""
        if self._is_closing or len(self._tasks) >= TURNS_MAX:
            # The centre sends it again, or to another bind, or lets the caller know.
            log.warning("smpp_turned_away", closing=self._is_closing)
            return Status.ESME_RX_T_APPN
        try:
            heard = self._dialect.read_pdu(message)
        except Unreadable as reason:
            log.warning("smpp_unreadable", why=str(reason))
            return Status.ESME_RX_R_APPN
        if isinstance(heard, DialEnd):
            # A screen that is still on its way has nobody to read it.
            self._latest.pop(self._call(heard), None)
            self._begin(self._end(heard))
        else:
            self._begin(self._turn(heard))
        return Status.ESME_ROK

    async def finish(self, seconds: float) -> None:
        """Take no more, and give what is under way that long to be done."""
        self._is_closing = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _call(self, heard: Turn | DialEnd) -> tuple[str, str]:
        return call_of(heard, self._dialect.options.session)

    async def _end(self, end: DialEnd) -> None:
        await self._in_thread(self._ended, end)

    async def _turn(self, turn: Turn) -> None:
        call, ours = self._call(turn), object()
        self._latest[call] = ours
        try:
            async with asyncio.timeout(self._dialect.options.answer_seconds):
                reply = await self._in_thread(self._answered, turn)
                # The same screen twice does no harm to a phone that waits for it; to
                # one that has gone on, or hung up, it would.
                await self._show(turn, reply, lambda: self._latest.get(call) is ours)
        except TimeoutError:
            # The network has let the caller go by now.
            log.error("smpp_screen_late", channel=self._channel.name)
        finally:
            if self._latest.get(call) is ours:
                del self._latest[call]

    async def _show(
        self, turn: Turn, reply: Reply, is_wanted: Callable[[], bool]
    ) -> None:
        assert self.centre is not None
        try:
            screen = self._dialect.write_pdu(turn, reply.text, ends=reply.ends)
            await self.centre.submit(screen, is_wanted=is_wanted)
        except Refused as refused:
            log.error(
                "smpp_screen_refused", channel=self._channel.name, status=str(refused)
            )
        except Unwritable as fault:
            log.error(
                "smpp_screen_unwritable", channel=self._channel.name, why=str(fault)
            )

    async def _in_thread(
        self, work: Callable[[Any], Any], heard: Turn | DialEnd
    ) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, work, heard)

    def _answered(self, turn: Turn) -> Reply:
        service = self._service
        try:
            return service.conversations.answer(self._channel, turn, service.clock())
        except Exception:
            # The edge: and a caller never reads a guess.
            log.exception("turn_broke", channel=self._channel.name)
            return Reply(LAST_WORDS["unsure"], ends=True)

    def _ended(self, end: DialEnd) -> None:
        try:
            self._service.endings.heard(self._channel, end, self._service.clock())
        except Exception:
            # The edge: nobody waits for this, and the next call must be answered.
            log.exception("end_broke", channel=self._channel.name)


def _addresses(options: Options) -> list[Address]:
    try:
        return options.access.addresses()
    except OSError as fault:
        raise CannotServe(
            f"the certificates of tls_ca cannot be read: {fault.strerror}"
        ) from fault
