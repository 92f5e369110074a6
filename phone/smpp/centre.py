"""A message centre that we stay bound to, whatever happens to the connection."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

import structlog

from phone.smpp.faults import BindRefused, LinkLost, NoAnswer, NotSent, Refused
from phone.smpp.link import Account, Address, Link, Receive, Role
from phone.smpp.pdu import Message, Taken
from phone.smpp.status import Status

__all__ = ["Centre"]

RETRY_SECONDS_MIN = 0.5
RETRY_SECONDS_MAX = 30.0
# Asking again with the same password helps nobody, and some centres bar an account
# that does. An operator of the centre may be mending it meanwhile.
REFUSED_SECONDS_MIN = 60.0
REFUSED_SECONDS_MAX = 600.0
# A connection that was lost sooner counts as one that could not be made.
HELD_SECONDS = 10.0
# What a centre that is full is given to recover, and how far apart messages go after
# that: twice as far each time it says so, and slowly closer again.
REST_SECONDS = 0.25
GAP_SECONDS_MIN = 0.005
GAP_SECONDS_MAX = 1.0
GAP_SHRINKS_BY = 0.995

REFUSALS_OF_US = {
    Status.ESME_RBINDFAIL,
    Status.ESME_RINVPASWD,
    Status.ESME_RINVSYSID,
    Status.ESME_RINVSYSTYP,
}
SLOWER = {Status.ESME_RTHROTTLED, Status.ESME_RMSGQFUL}

log = structlog.get_logger(__name__)


class Centre:
    """Keeps `binds` binds of one account. `random` gives 0 to 1.

    The addresses are tried in turn; several binds begin at different ones.
    """

    def __init__(
        self,
        addresses: Sequence[Address],
        account: Account,
        role: Role,
        receive: Receive,
        *,
        random: Callable[[], float],
        binds: int = 1,
    ) -> None:
        self._addresses = addresses
        self._account = account
        self._role = role
        self._receive = receive
        self._random = random
        self._binds = binds
        self._links: list[Link] = []
        self._queue: deque[asyncio.Future[Link | None]] = deque()
        self._is_closing = False
        # The first bind has been tried: if the password is wrong, one bind is told so.
        self._tried = asyncio.Event()
        self._barred_until = 0.0
        self._turn = asyncio.Lock()
        self._gap_seconds = 0.0
        self._resume_at = 0.0
        # How often a bind was lost: what was answered just before may not have arrived.
        self.losses = 0

    @property
    def is_bound(self) -> bool:
        return any(not link.over.is_set() for link in self._links)

    @property
    def room(self) -> int:
        """How many messages would go out at once, were they handed over now."""
        if self._queue or self._is_closing:
            return 0
        return sum(link.room for link in self._links)

    async def stay_bound(self) -> None:
        """Bind, and bind again whenever a connection is lost, until cancelled.

        Cancelled while bound, it unbinds first; what still waits is not sent.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(self._binds):
                    group.create_task(self._keep(number))
        finally:
            self.take_no_more()

    def take_no_more(self) -> None:
        """Before parting: who waits for a place in the window learns NotSent at once.

        What has gone out is still answered.
        """
        self._is_closing = True
        while self._queue:
            waiter = self._queue.popleft()
            if not waiter.done():
                waiter.set_result(None)

    async def hand_over(
        self, message: Message, *, wait_seconds: float | None = None
    ) -> Taken:
        """Hand over one message, once: whoever calls decides about another time.

        Waits up to `wait_seconds` for a bind with room in its window, and then for the
        answer. Raises NotSent if the centre surely does not have it; NoAnswer and
        LinkLost if it may; Refused, also for being too fast; Unwritable. Cancelled,
        it is not known whether the message left.
        """
        due = None
        if wait_seconds is not None:
            due = asyncio.get_running_loop().time() + wait_seconds
        while True:
            link = await self._place(due)
            try:
                return await link.submit(message)
            except NotSent:
                # Nothing left us: another bind may take it.
                continue
            finally:
                self._give_back(link)

    async def submit(
        self, message: Message, *, is_wanted: Callable[[], bool]
    ) -> Taken | None:
        """Hand over one message, through as many connections as it takes.

        One that got no answer is handed over again as long as it `is_wanted`: the
        centre may get it twice. None if it was not wanted any more. Raises Refused,
        but for being too fast: then all go slower. Raises Unwritable, and NotSent
        where no more is taken. Waits for a bind without end: put a time on it.
        """
        while True:
            link = await self._place(None)
            try:
                await self._settle()
                # Whoever waited need not go if it is not wanted by then.
                if not is_wanted():
                    return None
                taken = await link.submit(message)
            except (LinkLost, NotSent):
                continue
            except NoAnswer as fault:
                log.warning("smpp_unanswered", why=str(fault))
            except Refused as refused:
                if refused.status not in SLOWER:
                    raise
                self._slow_down(refused)
            else:
                self._speed_up()
                return taken
            finally:
                self._give_back(link)

    # -- places in the windows ------------------------------------------------------

    async def _place(self, due: float | None) -> Link:
        """Take a place in the emptiest window, first come, first served."""
        link = None if self._queue else self._emptiest()
        if self._is_closing:
            raise NotSent("no more is taken")
        if link is not None:
            link.taken += 1
            return link
        waiter: asyncio.Future[Link | None] = asyncio.get_running_loop().create_future()
        self._queue.append(waiter)
        self._offer()
        try:
            async with asyncio.timeout_at(due):
                link = await waiter
        except BaseException as fault:
            if waiter.done() and not waiter.cancelled() and (link := waiter.result()):
                self._give_back(link)
            if isinstance(fault, TimeoutError):
                raise NotSent("no bind had room in time") from None
            raise
        if link is None:
            raise NotSent("no more is taken")
        return link

    def _give_back(self, link: Link) -> None:
        link.taken -= 1
        self._offer()

    def _offer(self) -> None:
        """Give what room there is to those who wait for it."""
        while self._queue and (link := self._emptiest()) is not None:
            waiter = self._queue.popleft()
            if not waiter.done():
                link.taken += 1
                waiter.set_result(link)

    def _emptiest(self) -> Link | None:
        link = max(self._links, key=_room, default=None)
        return link if link is not None and link.room > 0 else None

    # -- binds ----------------------------------------------------------------------

    async def _keep(self, number: int) -> None:
        if number:
            await self._tried.wait()
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            while (barred := self._barred_until - loop.time()) > 0:
                await asyncio.sleep(barred)
            address = self._addresses[(number + failures) % len(self._addresses)]
            at = {"centre": str(address), "role": str(self._role)}
            try:
                link = await Link.open(
                    address, self._account, self._role, self._receive
                )
            except BindRefused as refused:
                log.error("smpp_bind_refused", status=str(refused), **at)
                failures += 1
                is_us = refused.status in REFUSALS_OF_US
                pause = self._pause(failures, is_us=is_us)
                if is_us:
                    self._barred_until = loop.time() + pause
            except (LinkLost, NoAnswer) as fault:
                log.warning("smpp_not_bound", why=str(fault), **at)
                failures += 1
                pause = self._pause(failures)
            else:
                log.info("smpp_bound", **at)
                self._tried.set()
                held = await self._held(link)
                log.warning("smpp_lost", why=link.why, seconds=round(held), **at)
                # One that carried something is worth coming back to at once.
                is_failure = held < HELD_SECONDS and not link.carried
                failures = failures + 1 if is_failure else 0
                pause = self._pause(failures)
            self._tried.set()
            await asyncio.sleep(pause)

    async def _held(self, link: Link) -> float:
        """Work with a connection until it is lost; for how many seconds it held."""
        loop = asyncio.get_running_loop()
        since = loop.time()
        self._links.append(link)
        self._offer()
        try:
            await link.over.wait()
        except asyncio.CancelledError:
            await link.unbind()
            raise
        finally:
            self.losses += 1
            self._links.remove(link)
            await link.close("left")
        return loop.time() - since

    def _pause(self, failures: int, *, is_us: bool = False) -> float:
        """How long to wait before the next try: longer each time, never in step."""
        least, most = RETRY_SECONDS_MIN, RETRY_SECONDS_MAX
        if is_us:
            least, most = REFUSED_SECONDS_MIN, REFUSED_SECONDS_MAX
        # Another centre is tried before anything gets longer.
        rounds = min(max(failures - 1, 0) // len(self._addresses), 20)
        longest: float = min(least * 2.0**rounds, most)
        return longest * (1 + self._random()) / 2

    def _slow_down(self, refused: Refused) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._resume_at:
            # Others of the same window were told so too.
            return
        gap = max(2 * self._gap_seconds, GAP_SECONDS_MIN)
        self._gap_seconds = min(gap, GAP_SECONDS_MAX)
        self._resume_at = now + REST_SECONDS
        log.warning(
            "smpp_slower", status=str(refused), gap_seconds=round(self._gap_seconds, 4)
        )

    def _speed_up(self) -> None:
        gap = self._gap_seconds * GAP_SHRINKS_BY
        self._gap_seconds = gap if gap > GAP_SECONDS_MIN / 10 else 0.0

    async def _settle(self) -> None:
        """Wait for a turn, at the pace that the centre can take."""
        loop = asyncio.get_running_loop()
        async with self._turn:
            while (wait := self._resume_at - loop.time()) > 0:
                await asyncio.sleep(wait)
            if self._gap_seconds:
                await asyncio.sleep(self._gap_seconds)


def _room(link: Link) -> int:
    return link.room
