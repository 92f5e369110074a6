"""One bound connection to a message centre, from the bind until it is lost.

Requests of ours go out `window` at a time and wait for their answers; the centre's are
answered as they come. Whatever arrives that cannot be read costs the centre a refusal,
and where the beginning of the next PDU is not to be found, the connection.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

from phone.smpp.faults import (
    BindRefused,
    LinkLost,
    Malformed,
    NoAnswer,
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
    read_length,
)
from phone.smpp.status import Status

__all__ = ["Account", "Address", "Link", "Receive", "Role"]

SEQUENCE_MAX = 0x7FFFFFFF
# Well framed and still not to be read: so many, and the connection is given up.
MALFORMED_MAX = 50
CONNECT_SECONDS_MAX = 10.0
CLOSE_SECONDS_MAX = 2.0

_LET_IN = {
    Command.BIND_RECEIVER_RESP,
    Command.BIND_TRANSMITTER_RESP,
    Command.BIND_TRANSCEIVER_RESP,
}

# Takes a deliver_sm and gives the status of its answer, at once.
Receive = Callable[[Message], int]


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


class Link:
    """A connection that the centre let in. Made by `Link.open`, used in one loop."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        account: Account,
        receive: Receive,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._account = account
        self._receive = receive
        self._sequence = 0
        self._waiting: dict[int, asyncio.Future[Pdu | None]] = {}
        self._window = asyncio.Semaphore(account.window)
        self._heard_at = asyncio.get_running_loop().time()
        self._malformed = 0
        # Set where the answer is heard: a deliver_sm may be right behind it.
        self._is_bound = False
        self._lost: str | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self.over = asyncio.Event()

    @classmethod
    async def open(
        cls, address: Address, account: Account, role: Role, receive: Receive
    ) -> Link:
        """Connect and bind; raises LinkLost, NoAnswer or BindRefused."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS_MAX):
                reader, writer = await asyncio.open_connection(
                    address.host, address.port, ssl=address.tls
                )
        except (OSError, TimeoutError, UnicodeError) as fault:
            # UnicodeError: a host name that no resolver would take.
            raise LinkLost(type(fault).__name__) from fault
        link = cls(reader, writer, account, receive)
        link._tasks = [asyncio.create_task(link._listen())]
        try:
            body = Bind(account.system_id, account.password, account.system_type)
            await link._ask(role.command, body)
        except Refused as refused:
            await link.close("refused")
            raise BindRefused(refused.status) from None
        except BaseException:
            await link.close("not bound")
            raise
        link._tasks.append(asyncio.create_task(link._watch()))
        return link

    @property
    def why(self) -> str:
        """Why the connection ended; empty while it stands."""
        return self._lost or ""

    async def submit(self, message: Message) -> Taken:
        """Hand over one message; waits for a place in the window.

        Raises Refused if the centre said no; LinkLost and NoAnswer if it is not known
        whether the centre has it; Unwritable.
        """
        async with self._window:
            answer = await self._ask(Command.SUBMIT_SM, message)
        return answer.body if isinstance(answer.body, Taken) else Taken()

    async def unbind(self) -> None:
        """Take leave of the centre, and close the connection whatever it says."""
        with suppress(SmppError):
            await self._ask(Command.UNBIND)
        await self.close("unbound")

    async def close(self, why: str) -> None:
        """Close the connection; what waits for an answer learns that it is lost."""
        self._lose(why)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        closed = asyncio.ensure_future(self._writer.wait_closed())
        await asyncio.wait({closed}, timeout=CLOSE_SECONDS_MAX)
        if not closed.done():
            # What the centre will not read would keep the socket for ever.
            self._writer.transport.abort()
        with suppress(OSError):
            await closed

    # -- what we ask ----------------------------------------------------------------

    async def _ask(self, command: Command, body: Body = None) -> Pdu:
        if self._lost is not None:
            raise LinkLost(self._lost)
        self._sequence = self._sequence % SEQUENCE_MAX + 1
        sequence = self._sequence
        octets = encode(Pdu(command, sequence, body=body))
        answer: asyncio.Future[Pdu | None] = asyncio.get_running_loop().create_future()
        self._waiting[sequence] = answer
        try:
            async with asyncio.timeout(self._account.response_seconds):
                await self._write(octets)
                pdu = await answer
        except TimeoutError:
            raise NoAnswer(f"{command.name.lower()} was not answered") from None
        finally:
            self._waiting.pop(sequence, None)
        if pdu is None:
            if self._lost is not None:
                raise LinkLost(self._lost)
            raise NoAnswer(f"the answer to {command.name.lower()} cannot be read")
        if pdu.status != Status.ESME_ROK or pdu.command is not command.response:
            raise Refused(pdu.status or Status.ESME_RUNKNOWNERR)
        return pdu

    async def _write(self, octets: bytes) -> None:
        try:
            self._writer.write(octets)
            await self._writer.drain()
        except OSError as fault:
            self._lose(type(fault).__name__)
            raise LinkLost(type(fault).__name__) from fault

    async def _watch(self) -> None:
        """Ask for a sign of life when nothing was heard for a while."""
        loop = asyncio.get_running_loop()
        patience = self._account.enquire_link_seconds
        while True:
            quiet = loop.time() - self._heard_at
            if quiet < patience:
                await asyncio.sleep(patience - quiet)
                continue
            try:
                await self._ask(Command.ENQUIRE_LINK)
            except Refused:
                # A centre that refuses it lives.
                continue
            except SmppError as fault:
                self._lose(str(fault))
                return

    # -- what we hear ---------------------------------------------------------------

    async def _listen(self) -> None:
        try:
            while True:
                await self._hear()
        except (Malformed, LinkLost, NoAnswer) as fault:
            self._lose(str(fault))
        except asyncio.IncompleteReadError:
            self._lose("the centre closed the connection")
        except OSError as fault:
            self._lose(type(fault).__name__)

    async def _hear(self) -> None:
        head, rest = await self._reader.readexactly(4), b""
        try:
            length = read_length(head)
            rest = await self._rest(length - len(head))
            self._heard_at = asyncio.get_running_loop().time()
            pdu = decode(head + rest)
        except Malformed as fault:
            await self._refuse(fault, is_response=rest[:1] >= b"\x80")
            return
        if pdu.command.is_response:
            self._is_bound |= pdu.command in _LET_IN and pdu.status == Status.ESME_ROK
            self._answered(pdu.sequence, pdu)
        else:
            await self._obey(pdu)

    async def _rest(self, length: int) -> bytes:
        try:
            async with asyncio.timeout(self._account.response_seconds):
                return await self._reader.readexactly(length)
        except TimeoutError:
            raise Malformed("half a PDU, and no more came", is_lost=True) from None

    def _answered(self, sequence: int, pdu: Pdu | None) -> None:
        answer = self._waiting.get(sequence)
        # One that nobody waits for came too late, or was never asked.
        if answer is not None and not answer.done():
            answer.set_result(pdu)

    async def _obey(self, pdu: Pdu) -> None:
        status: int = Status.ESME_ROK
        body: Body = None
        if pdu.command is Command.DELIVER_SM:
            assert isinstance(pdu.body, Message)
            body = Taken()
            if self._is_bound:
                status = self._receive(pdu.body)
            else:
                status = Status.ESME_RINVBNDSTS
        elif pdu.command not in (Command.ENQUIRE_LINK, Command.UNBIND):
            # A request that only we make of a centre.
            await self._reply(
                Pdu(Command.GENERIC_NACK, pdu.sequence, Status.ESME_RINVCMDID)
            )
            return
        await self._reply(Pdu(pdu.command.response, pdu.sequence, status, body))
        if pdu.command is Command.UNBIND:
            raise LinkLost("the centre unbound")

    async def _refuse(self, fault: Malformed, *, is_response: bool) -> None:
        self._malformed += 1
        if is_response and not fault.is_lost:
            # Two sides that refuse each other's refusals would never end.
            self._answered(fault.sequence, None)
        else:
            await self._reply(Pdu(Command.GENERIC_NACK, fault.sequence, fault.status))
        if fault.is_lost or self._malformed >= MALFORMED_MAX:
            raise fault

    async def _reply(self, pdu: Pdu) -> None:
        # A centre that does not read what it asked for is not waited for.
        try:
            async with asyncio.timeout(self._account.response_seconds):
                await self._write(encode(pdu))
        except TimeoutError:
            raise NoAnswer("the centre does not read") from None

    # -- the end --------------------------------------------------------------------

    def _lose(self, why: str) -> None:
        if self._lost is None:
            self._lost = why
        for sequence in self._waiting:
            self._answered(sequence, None)
        self._writer.close()
        self.over.set()
