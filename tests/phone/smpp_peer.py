"""A message centre in the test's own loop, that does whatever it is told."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from phone.smpp import Account, Address, Bound, Command, Pdu, Taken, decode, encode

PATIENCE_SECONDS = 60.0
ACCOUNT = Account("test", "secret", response_seconds=2.0, enquire_link_seconds=20.0)


class Peer:
    """One connection, seen from the centre."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.reader = reader
        self.writer = writer

    async def hear(self) -> Pdu:
        """The next PDU that comes."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            head = await self.reader.readexactly(4)
            rest = await self.reader.readexactly(int.from_bytes(head) - 4)
        return decode(head + rest)

    async def say(self, *pdus: Pdu) -> None:
        await self.write(b"".join(map(encode, pdus)))

    async def write(self, octets: bytes) -> None:
        self.writer.write(octets)
        await self.writer.drain()

    async def let_in(self) -> Pdu:
        """Hear a bind and take it."""
        bind = await self.hear()
        await self.say(Pdu(bind.command.response, bind.sequence, body=Bound("peer")))
        return bind

    async def take(self, status: int = 0) -> Pdu:
        """Hear a submit_sm and answer it."""
        submitted = await self.hear()
        assert submitted.command is Command.SUBMIT_SM, submitted
        answer = Taken("" if status else "1")
        await self.say(Pdu(Command.SUBMIT_SM_RESP, submitted.sequence, status, answer))
        return submitted

    async def is_left(self) -> bytes:
        """What still comes until the connection ends."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.reader.read()


Script = Callable[[Peer], Awaitable[None]]


@asynccontextmanager
async def peer(
    *scripts: Script, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Address]:
    """Listen; the n-th connection is led by the n-th script, the last by the last.

    What goes wrong in a script is raised when the test is done.
    """
    faults: list[BaseException] = []
    left = list(scripts)
    tasks: set[asyncio.Task[None]] = set()

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        script = left.pop(0) if len(left) > 1 else left[0]
        try:
            await script(Peer(reader, writer))
        except (Exception, asyncio.CancelledError) as fault:
            faults.append(fault)
        finally:
            writer.close()
            tasks.discard(task)

    listening = socket.create_server(("127.0.0.1", 0))
    # A centre that does not read is to be noticed before megabytes have gone.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    server = await asyncio.start_server(lead, sock=listening, ssl=tls)
    try:
        host, port = server.sockets[0].getsockname()[:2]
        yield Address(host, port)
    finally:
        server.close()
        if tasks:
            await asyncio.wait(tasks, timeout=PATIENCE_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for fault in faults:
        raise fault
