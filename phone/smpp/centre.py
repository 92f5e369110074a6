"""A message centre that we stay bound to, whatever happens to the connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from phone.smpp.faults import BindRefused, LinkLost, NoAnswer, Refused
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
    """Keeps one bind. `addresses` are tried in turn; `random` gives 0 to 1."""

    def __init__(
        self,
        addresses: Sequence[Address],
        account: Account,
        role: Role,
        receive: Receive,
        *,
        random: Callable[[], float],
    ) -> None:
        self._addresses = addresses
        self._account = account
        self._role = role
        self._receive = receive
        self._random = random
        self._link: Link | None = None
        self._bound = asyncio.Event()
        self._window = asyncio.Semaphore(account.window)
        self._turn = asyncio.Lock()
        self._gap_seconds = 0.0
        self._resume_at = 0.0

    @property
    def is_bound(self) -> bool:
        return self._link is not None and not self._link.over.is_set()

    async def stay_bound(self) -> None:
        """Bind, and bind again whenever the connection is lost, until cancelled.

        Cancelled while bound, it unbinds first.
        """
        failures = 0
        while True:
            address = self._addresses[failures % len(self._addresses)]
            at = {"centre": str(address), "role": str(self._role)}
            try:
                link = await Link.open(
                    address, self._account, self._role, self._receive
                )
            except BindRefused as refused:
                log.error("smpp_bind_refused", status=str(refused), **at)
                failures += 1
                pause = self._pause(failures, is_us=refused.status in REFUSALS_OF_US)
            except (LinkLost, NoAnswer) as fault:
                log.warning("smpp_not_bound", why=str(fault), **at)
                failures += 1
                pause = self._pause(failures)
            else:
                log.info("smpp_bound", **at)
                held = await self._held(link)
                log.warning("smpp_lost", why=link.why, seconds=round(held), **at)
                failures = failures + 1 if held < HELD_SECONDS else 0
                pause = self._pause(failures)
            await asyncio.sleep(pause)

    async def submit(
        self, message: Message, *, is_wanted: Callable[[], bool]
    ) -> Taken | None:
        """Hand over one message, through as many connections as it takes.

        One that got no answer is handed over again as long as it `is_wanted`: the
        centre may get it twice. None if it was not wanted any more. Raises Refused,
        but for being too fast: then all go slower. Raises Unwritable. Waits for a bind
        without end: put a time on it.
        """
        # The link has a window too: here, whoever waits for a place in it is not yet
        # counted as on its way, and need not go if it is not wanted by then.
        async with self._window:
            while True:
                await self._settle()
                link = await self._standing()
                if not is_wanted():
                    return None
                try:
                    taken = await link.submit(message)
                except LinkLost:
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

    async def _held(self, link: Link) -> float:
        """Work with a connection until it is lost; for how many seconds it held."""
        loop = asyncio.get_running_loop()
        since = loop.time()
        self._link = link
        self._bound.set()
        try:
            await link.over.wait()
        except asyncio.CancelledError:
            await link.unbind()
            raise
        finally:
            self._link = None
            await link.close("left")
        return loop.time() - since

    async def _standing(self) -> Link:
        while (link := self._link) is None or link.over.is_set():
            self._bound.clear()
            await self._bound.wait()
        return link

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
