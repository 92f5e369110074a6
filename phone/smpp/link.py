"""One bound connection to a message centre, from the bind until it is lost.

Each request of ours waits for its answer; the centre's are answered as they come, and
what it delivers when it is stored. Whatever arrives that cannot be read costs the
centre a refusal, and where the beginning of the next PDU is not to be found, the
connection.

What decides whether a text goes twice: a request that raises NotSent has surely not
left us. One that raises LinkLost or NoAnswer may have been taken.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

import structlog

from phone.smpp.faults import (
    BindRefused,
    LinkLost,
    Malformed,
    NoAnswer,
    NotSent,
    Refused,
    SmppError,
)
from phone.smpp.pdu import (
    Bind,
    Body,
    Command,
    Message,
    Pdu,
    Taken,
    decode,
    encode,
)
from phone.smpp.status import Status
from phone.smpp.stream import Stream

__all__ = ["Account", "Address", "Link", "Receive", "Role"]

SEQUENCE_MAX = 0x7FFFFFFF
# Well framed and still not to be read: so many, and the connection is given up.
MALFORMED_MAX = 50
CONNECT_SECONDS_MAX = 10.0
CLOSE_SECONDS_MAX = 2.0
# What the centre delivered and is not yet stored: so much, and no more is read. And as
# long as that: then the centre is told to send it again.
RECEIVING_MAX = 1_000
RECEIVE_SECONDS_MAX = 20.0
# How far apart we look at what is overdue: one look at all, and no timer for each.
LOOK_SECONDS_MIN, LOOK_SECONDS_MAX = 0.01, 0.5

_LET_IN = {
    Command.BIND_RECEIVER_RESP,
    Command.BIND_TRANSMITTER_RESP,
    Command.BIND_TRANSCEIVER_RESP,
}

# Takes a deliver_sm or a data_sm and gives the status of its answer: at once, or when
# it is stored. An awaitable that takes too long is cancelled.
Receive = Callable[[Message], int | Awaitable[int]]

log = structlog.get_logger(__name__)


class Role(StrEnum):
    TRANSCEIVER = "transceiver"
    TRANSMITTER = "transmitter"
    RECEIVER = "receiver"

    @property
    def command(self) -> Command:
        return Command[f"BIND_{self.name}"]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a centre listens; with `tls` its certificate is checked."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Account:
    """Who we are to a centre, and what was agreed with it.

    `window` is how many of our requests may wait for an answer at once,
    `response_seconds` how long an answer may take, `enquire_link_seconds` how long
    nothing may be heard before we ask for a sign of life.
    """

    system_id: str
    password: str = field(repr=False)
    system_type: str = ""
    window: int = 10
    response_seconds: float = 10.0
    enquire_link_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class _Asked:
    command: Command
    due: float
    answer: asyncio.Future[Pdu | SmppError]


class Link:
    """A connection that the centre let in. Made by `Link.open`, used in one loop.

    `taken` is how many places of the window are, for whoever hands messages out.
    """

    def __init__(self, account: Account, receive: Receive) -> None:
        self._loop = asyncio.get_running_loop()
        self._account = account
        self._receive = receive
        self._stream = Stream(self._hear, self._refuse, self._lose)
        self._sequence = 0
        # In the order in which they are due.
        self._waiting: dict[int, _Asked] = {}
        self._receiving: dict[asyncio.Future[int], tuple[Pdu, float]] = {}
        self._heard_at = self._loop.time()
        self._malformed = 0
        # Set where the answer is heard: a deliver_sm may be right behind it.
        self._is_bound = False
        self._is_enquiring = False
        self._is_leaving = False
        self._lost: str | None = None
        least = min(account.response_seconds, account.enquire_link_seconds) / 10
        self._look_seconds = min(max(least, LOOK_SECONDS_MIN), LOOK_SECONDS_MAX)
        self._look = self._loop.call_later(self._look_seconds, self._look_around)
        self.taken = 0
        # Whether a message went over it, either way.
        self.carried = False
        self.over = asyncio.Event()

    @classmethod
    async def open(
        cls, address: Address, account: Account, role: Role, receive: Receive
    ) -> Link:
        """Connect and bind; raises LinkLost, NoAnswer or BindRefused."""
        link = cls(account, receive)
        try:
            async with asyncio.timeout(CONNECT_SECONDS_MAX):
                await link._loop.create_connection(
                    lambda: link._stream, address.host, address.port, ssl=address.tls
                )
            body = Bind(account.system_id, account.password, account.system_type)
            await link._ask(role.command, body)
        except (OSError, TimeoutError, UnicodeError) as fault:
            # UnicodeError: a host name that no resolver would take.
            await link.close("not connected")
            raise LinkLost(type(fault).__name__) from fault
        except NotSent as fault:
            await link.close("not bound")
            raise LinkLost(str(fault)) from None
        except Refused as refused:
            await link.close("refused")
            raise BindRefused(refused.status) from None
        except BaseException:
            await link.close("not bound")
            raise
        return link

    @property
    def why(self) -> str:
        """Why the connection ended; empty while it stands."""
        return self._lost or ""

    @property
    def room(self) -> int:
        """How many places of the window are free; none where the connection ended."""
        if self._lost is not None or self._is_leaving or not self._stream.is_open:
            return 0
        return self._account.window - self.taken

    async def submit(self, message: Message) -> Taken:
        """Hand over one message, whatever the window: see `room`.

        Raises Refused if the centre said no; NotSent if it surely does not have it,
        LinkLost and NoAnswer if that is not known; Unwritable.
        """
        answer = await self._ask(Command.SUBMIT_SM, message)
        return answer.body if isinstance(answer.body, Taken) else Taken()

    async def unbind(self) -> None:
        """Take leave of the centre, and close the connection whatever it says.

        What it has delivered gets a moment to be stored, and is answered.
        """
        self._is_leaving = True
        if self._receiving:
            await asyncio.wait(list(self._receiving), timeout=CLOSE_SECONDS_MAX)
        with suppress(SmppError):
            await self._ask(Command.UNBIND)
        await self.close("unbound")

    async def close(self, why: str) -> None:
        """Close the connection; what waits for an answer learns that it is lost."""
        self._lose(why)
        if self._stream.transport is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS_MAX):
                await self._stream.closed.wait()
        if not self._stream.closed.is_set():
            # What the centre will not read would keep the socket for ever.
            self._stream.abort()
            await self._stream.closed.wait()

    # -- what we ask ----------------------------------------------------------------

    async def _ask(self, command: Command, body: Body = None) -> Pdu:
        sequence, answer = self._request(command, body)
        try:
            said = await answer
        finally:
            # Nobody waits for it any more if that was cancelled.
            self._waiting.pop(sequence, None)
        if isinstance(said, SmppError):
            raise said
        if said.command not in (command.response, Command.GENERIC_NACK):
            # The answer to something else under our number says nothing of this.
            raise NoAnswer(f"{command.name.lower()} had another's answer")
        if said.status != Status.ESME_ROK or said.command is not command.response:
            raise Refused(said.status or Status.ESME_RUNKNOWNERR)
        return said

    def _request(
        self, command: Command, body: Body = None
    ) -> tuple[int, asyncio.Future[Pdu | SmppError]]:
        if self._lost is not None or not self._stream.is_open:
            raise NotSent(self.why or "the connection is being closed")
        sequence = self._sequence % SEQUENCE_MAX + 1
        octets = encode(Pdu(command, sequence, body=body))
        self._sequence = sequence
        due = self._loop.time() + self._account.response_seconds
        answer: asyncio.Future[Pdu | SmppError] = self._loop.create_future()
        self._waiting[sequence] = _Asked(command, due, answer)
        self._stream.request(sequence, octets)
        return sequence, answer

    def _look_around(self) -> None:
        now = self._loop.time()
        for sequence, asked in list(self._waiting.items()):
            if asked.due > now:
                break
            said = f"{asked.command.name.lower()} was not answered"
            self._answered(sequence, NoAnswer(said))
        for future, (_, due) in list(self._receiving.items()):
            if due > now:
                break
            future.cancel()
        patient_since = now - self._account.response_seconds
        if (self._stream.half_since or now) <= patient_since:
            self._refuse(Malformed("half a PDU, and no more came", is_lost=True))
        elif (self._stream.stuck_since or now) <= patient_since:
            self._lose("the centre does not read")
        if self._lost is None:
            self._enquire(now)
            self._look = self._loop.call_later(self._look_seconds, self._look_around)

    def _enquire(self, now: float) -> None:
        """Ask for a sign of life when nothing was heard for a while."""
        quiet = now - self._heard_at
        if (
            self._is_bound
            and not self._is_enquiring
            and quiet >= self._account.enquire_link_seconds
            and self._stream.is_open
        ):
            self._is_enquiring = True
            _, answer = self._request(Command.ENQUIRE_LINK)
            answer.add_done_callback(self._enquired)

    def _enquired(self, answer: asyncio.Future[Pdu | SmppError]) -> None:
        self._is_enquiring = False
        # A centre that refuses it lives.
        if isinstance(said := answer.result(), SmppError):
            self._lose(str(said))

    # -- what we hear ---------------------------------------------------------------

    def _hear(self, octets: bytes) -> None:
        self._heard_at = self._loop.time()
        try:
            pdu = decode(octets)
        except Malformed as fault:
            self._refuse(fault, is_response=octets[4] >= 0x80)
            return
        if pdu.command.is_response:
            self._is_bound |= pdu.command in _LET_IN and pdu.status == Status.ESME_ROK
            self.carried |= pdu.command is Command.SUBMIT_SM_RESP
            self._answered(pdu.sequence, pdu)
        else:
            self._obey(pdu)

    def _answered(self, sequence: int, said: Pdu | SmppError) -> None:
        asked = self._waiting.pop(sequence, None)
        # One that nobody waits for came too late, or was never asked.
        if asked is not None and not asked.answer.done():
            asked.answer.set_result(said)

    def _obey(self, pdu: Pdu) -> None:
        if pdu.command in (Command.DELIVER_SM, Command.DATA_SM):
            self._take(pdu)
        elif pdu.command is Command.ENQUIRE_LINK:
            self._reply(Pdu(Command.ENQUIRE_LINK_RESP, pdu.sequence))
        elif pdu.command is Command.UNBIND:
            self._reply(Pdu(Command.UNBIND_RESP, pdu.sequence))
            self._lose("the centre unbound")
        else:
            # A request that only we make of a centre.
            status = Status.ESME_RINVCMDID
            self._reply(Pdu(Command.GENERIC_NACK, pdu.sequence, status))

    def _take(self, pdu: Pdu) -> None:
        assert isinstance(pdu.body, Message)
        self.carried = True
        status: int | Awaitable[int]
        if not self._is_bound:
            status = Status.ESME_RINVBNDSTS
        elif self._is_leaving:
            status = Status.ESME_RX_T_APPN
        else:
            status = self._receive(pdu.body)
        if isinstance(status, int):
            self._reply(Pdu(pdu.command.response, pdu.sequence, status, Taken()))
            return
        future = asyncio.ensure_future(status)
        self._receiving[future] = pdu, self._loop.time() + RECEIVE_SECONDS_MAX
        future.add_done_callback(self._received)
        if len(self._receiving) >= RECEIVING_MAX:
            self._stream.hold(True)

    def _received(self, future: asyncio.Future[int]) -> None:
        pdu, _ = self._receiving.pop(future)
        # Whatever went wrong with it: the centre keeps it, and sends it again.
        status: int = Status.ESME_RX_T_APPN
        if future.cancelled():
            log.error("smpp_not_received", why="no time")
        elif fault := future.exception():
            log.error("smpp_not_received", why=type(fault).__name__)
        else:
            status = future.result()
        self._reply(Pdu(pdu.command.response, pdu.sequence, status, Taken()))
        if len(self._receiving) < RECEIVING_MAX:
            self._stream.hold(False)

    def _refuse(self, fault: Malformed, *, is_response: bool = False) -> None:
        self._malformed += 1
        if is_response:
            # Two sides that refuse each other's refusals would never end.
            self._answered(fault.sequence, NoAnswer("the answer cannot be read"))
        else:
            self._reply(Pdu(Command.GENERIC_NACK, fault.sequence, fault.status))
        if fault.is_lost or self._malformed >= MALFORMED_MAX:
            self._lose(str(fault))

    def _reply(self, pdu: Pdu) -> None:
        self._stream.reply(encode(pdu))

    # -- the end --------------------------------------------------------------------

    def _lose(self, why: str) -> None:
        if self._lost is not None:
            return
        self._lost = why
        self._look.cancel()
        unsent = self._stream.end()
        for sequence in list(self._waiting):
            is_unsent = sequence in unsent
            self._answered(sequence, NotSent(why) if is_unsent else LinkLost(why))
        self.over.set()
