"""One connection, before centres that behave and centres that do not."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone.smpp import (
    Account,
    Bind,
    BindRefused,
    Bound,
    Command,
    Link,
    LinkLost,
    Message,
    NoAnswer,
    NotSent,
    Pdu,
    Refused,
    Role,
    Status,
    Taken,
    Unwritable,
    encode,
)
from phone.smpp import link as linking
from phone.smpp.link import MALFORMED_MAX, Receive
from phone.smpp.pdu import PDU_BYTES_MAX
from tests.phone.smpp_peer import ACCOUNT, PATIENCE_SECONDS, Peer, Script, peer

SCREEN = Message(dest="989121234567", short_message=b"1. Give")
DIALLED = Message(source="989121234567", short_message=b"*780#")


def linked(
    script: Script,
    work: Callable[[Link], Awaitable[None]],
    *,
    account: Account = ACCOUNT,
    receive: Receive = lambda message: 0,
    role: Role = Role.TRANSCEIVER,
) -> None:
    """Open a link to a centre that does `script`, and do `work` with it."""

    async def test() -> None:
        async with peer(script) as address:
            link = await Link.open(address, account, role, receive)
            try:
                async with asyncio.timeout(2 * PATIENCE_SECONDS):
                    await work(link)
            finally:
                await link.close("done")

    asyncio.run(test())


async def until_over(link: Link) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        await link.over.wait()


async def nothing(link: Link) -> None:
    pass


@pytest.mark.parametrize(
    ("role", "command"),
    [
        (Role.TRANSCEIVER, Command.BIND_TRANSCEIVER),
        (Role.TRANSMITTER, Command.BIND_TRANSMITTER),
        (Role.RECEIVER, Command.BIND_RECEIVER),
    ],
)
def test_we_say_who_we_are_and_in_which_role(role: Role, command: Command):
    heard: list[Pdu] = []

    async def script(centre: Peer) -> None:
        heard.append(await centre.let_in())

    linked(script, nothing, role=role, account=replace(ACCOUNT, system_type="USSD"))
    assert heard == [Pdu(command, 1, body=Bind("test", "secret", "USSD"))]


def test_a_refused_bind_is_told_by_its_name():
    async def script(centre: Peer) -> None:
        bind = await centre.hear()
        await centre.say(Pdu(bind.command.response, bind.sequence, 14, Bound()))
        assert await centre.is_left() == b""

    with pytest.raises(BindRefused, match="^ESME_RINVPASWD$"):
        linked(script, nothing)


def test_a_centre_that_does_not_answer_a_bind_is_left():
    async def script(centre: Peer) -> None:
        await centre.hear()
        assert await centre.is_left() == b""

    with pytest.raises(NoAnswer, match="bind_transceiver was not answered"):
        linked(script, nothing, account=replace(ACCOUNT, response_seconds=0.1))


def test_what_arrives_with_the_answer_to_the_bind_is_taken():
    heard: list[Message] = []

    async def script(centre: Peer) -> None:
        bind = await centre.hear()
        await centre.say(
            Pdu(bind.command.response, bind.sequence, body=Bound()),
            Pdu(Command.DELIVER_SM, 77, body=DIALLED),
        )
        assert await centre.hear() == Pdu(Command.DELIVER_SM_RESP, 77, body=Taken())

    def receive(message: Message) -> int:
        heard.append(message)
        return 0

    linked(script, lambda link: asyncio.sleep(0.1), receive=receive)
    assert heard == [DIALLED]


def test_a_deliver_sm_is_answered_with_the_status_it_was_given():
    async def script(centre: Peer) -> None:
        await centre.let_in()
        await centre.say(Pdu(Command.DELIVER_SM, 0xFFFFFFFF, body=DIALLED))
        answer = await centre.hear()
        assert answer == Pdu(
            Command.DELIVER_SM_RESP, 0xFFFFFFFF, Status.ESME_RX_T_APPN, Taken()
        )

    linked(script, until_over, receive=lambda message: Status.ESME_RX_T_APPN)


def test_a_deliver_sm_before_the_bind_is_not_taken():
    async def script(centre: Peer) -> None:
        bind = await centre.hear()
        await centre.say(Pdu(Command.DELIVER_SM, 1, body=DIALLED))
        answer = await centre.hear()
        assert answer.status == Status.ESME_RINVBNDSTS
        await centre.say(Pdu(bind.command.response, bind.sequence, body=Bound()))

    def receive(message: Message) -> int:
        raise AssertionError("not bound")

    linked(script, nothing, receive=receive)


def test_a_refusal_is_told_whichever_way_it_comes():
    async def script(centre: Peer) -> None:
        await centre.let_in()
        await centre.take(Status.ESME_RINVDSTADR)
        submitted = await centre.hear()
        await centre.say(Pdu(Command.GENERIC_NACK, submitted.sequence, 3))
        # An answer to something else than what was asked.
        submitted = await centre.hear()
        await centre.say(Pdu(Command.ENQUIRE_LINK_RESP, submitted.sequence))

    async def work(link: Link) -> None:
        for name in ("ESME_RINVDSTADR", "ESME_RINVCMDID"):
            with pytest.raises(Refused, match=name):
                await link.submit(SCREEN)
        # Which says nothing of the message: the centre may have it.
        with pytest.raises(NoAnswer, match="another's answer"):
            await link.submit(SCREEN)

    linked(script, work)


def test_an_answer_that_comes_too_late_is_not_taken_for_another():
    async def script(centre: Peer) -> None:
        await centre.let_in()
        first = await centre.hear()
        second = await centre.hear()
        assert second.sequence == first.sequence + 1
        await centre.say(
            Pdu(Command.SUBMIT_SM_RESP, first.sequence, body=Taken("late")),
            Pdu(Command.SUBMIT_SM_RESP, second.sequence, body=Taken("right")),
        )

    async def work(link: Link) -> None:
        with pytest.raises(NoAnswer, match="submit_sm was not answered"):
            await link.submit(SCREEN)
        assert await link.submit(SCREEN) == Taken("right")

    linked(script, work, account=replace(ACCOUNT, response_seconds=0.3))


def test_whoever_waits_learns_that_the_connection_is_lost():
    async def script(centre: Peer) -> None:
        await centre.let_in()
        await centre.hear()

    async def work(link: Link) -> None:
        waiting = [asyncio.create_task(link.submit(SCREEN)) for _ in range(3)]
        said = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(one) for one in said] == [LinkLost] * 3
        assert link.over.is_set()
        # What is asked now surely does not reach it.
        with pytest.raises(NotSent):
            await link.submit(SCREEN)
        assert link.room == 0

    linked(script, work)


def test_what_was_written_as_the_centre_hung_up_is_told_from_what_was_not():
    async def script(centre: Peer) -> None:
        await centre.let_in()
        await centre.hear()

    async def work(link: Link) -> None:
        written = asyncio.create_task(link.submit(SCREEN))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        # Asked in the same turn of the loop in which the end is heard.
        late = asyncio.create_task(link.submit(SCREEN))
        await asyncio.sleep(0)
        link._lose("hung up")
        said = await asyncio.gather(written, late, return_exceptions=True)
        assert [type(one) for one in said] == [LinkLost, NotSent]

    linked(script, work)


def test_a_request_that_cannot_be_written_is_none():
    async def script(centre: Peer) -> None:
        await centre.let_in()
        await centre.take()

    async def work(link: Link) -> None:
        with pytest.raises(Unwritable):
            await link.submit(replace(SCREEN, dest="9" * 30))
        assert await link.submit(SCREEN) == Taken("1")

    linked(script, work)


# -- what is answered when it is stored -----------------------------------------------


def test_a_delivery_is_answered_when_it_is_stored_and_not_in_the_order_it_came():
    stored: list[asyncio.Future[int]] = []

    async def script(centre: Peer) -> None:
        await centre.let_in()
        await centre.say(
            Pdu(Command.DELIVER_SM, 1, body=DIALLED),
            Pdu(Command.DATA_SM, 2, body=replace(DIALLED, short_message=b"")),
            Pdu(Command.ENQUIRE_LINK, 3),
        )
        # Neither is, when what came behind them is answered.
        assert (await centre.hear()).sequence == 3
        stored[1].set_result(0)
        assert await centre.hear() == Pdu(Command.DATA_SM_RESP, 2, body=Taken())
        stored[0].set_result(Status.ESME_RX_P_APPN)
        answer = await centre.hear()
        assert (answer.command, answer.sequence) == (Command.DELIVER_SM_RESP, 1)
        assert answer.status == Status.ESME_RX_P_APPN

    def receive(message: Message) -> asyncio.Future[int]:
        stored.append(asyncio.get_running_loop().create_future())
        return stored[-1]

    linked(script, until_over, receive=receive)


def test_what_is_not_stored_in_time_or_at_all_is_to_be_sent_again(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(linking, "RECEIVE_SECONDS_MAX", 0.2)
    cancelled = []

    async def script(centre: Peer) -> None:
        await centre.let_in()
        for sequence in (1, 2):
            await centre.say(Pdu(Command.DELIVER_SM, sequence, body=DIALLED))
            answer = await centre.hear()
            assert (answer.sequence, answer.status) == (sequence, Status.ESME_RX_T_APPN)

    async def store() -> int:
        if not cancelled:
            try:
                await asyncio.sleep(PATIENCE_SECONDS)
            finally:
                cancelled.append(True)
        raise RuntimeError("the database is away")

    linked(script, until_over, receive=lambda message: store())
    assert cancelled == [True]


def test_no_more_is_read_than_can_be_stored(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(linking, "RECEIVING_MAX", 5)
    under_way: list[asyncio.Future[int]] = []
    most = 0

    async def script(centre: Peer) -> None:
        await centre.let_in()
        await centre.say(
            *(Pdu(Command.DELIVER_SM, number, body=DIALLED) for number in range(1, 101))
        )
        heard = [(await centre.hear()).sequence for _ in range(100)]
        assert heard == list(range(1, 101))

    def receive(message: Message) -> asyncio.Future[int]:
        nonlocal most
        under_way.append(asyncio.get_running_loop().create_future())
        most = max(most, len(under_way))
        return under_way[-1]

    async def work(link: Link) -> None:
        while not link.over.is_set():
            await asyncio.sleep(0.001)
            while under_way:
                under_way.pop(0).set_result(0)

    linked(script, work, receive=receive)
    assert most == 5


def test_what_was_delivered_is_stored_before_we_part():
    async def script(centre: Peer) -> None:
        await centre.let_in()
        await centre.say(Pdu(Command.DELIVER_SM, 1, body=DIALLED))
        assert await centre.hear() == Pdu(Command.DELIVER_SM_RESP, 1, body=Taken())
        unbound = await centre.hear()
        assert unbound.command is Command.UNBIND
        await centre.say(Pdu(Command.UNBIND_RESP, unbound.sequence))

    begun = asyncio.Event()

    async def store() -> int:
        begun.set()
        await asyncio.sleep(0.2)
        return 0

    async def work(link: Link) -> None:
        await begun.wait()
        await link.unbind()

    linked(script, work, receive=lambda message: store())


# -- signs of life --------------------------------------------------------------------


def test_a_centre_may_ask_whether_we_live():
    async def script(centre: Peer) -> None:
        await centre.let_in()
        await centre.say(Pdu(Command.ENQUIRE_LINK, 5))
        assert await centre.hear() == Pdu(Command.ENQUIRE_LINK_RESP, 5)

    linked(script, until_over)


def test_we_ask_a_quiet_centre_and_leave_one_that_is_dead():
    asked = 0

    async def script(centre: Peer) -> None:
        nonlocal asked
        await centre.let_in()
        for _ in range(2):
            enquired = await centre.hear()
            assert enquired.command is Command.ENQUIRE_LINK
            asked += 1
            await centre.say(Pdu(Command.ENQUIRE_LINK_RESP, enquired.sequence))
        assert (await centre.hear()).command is Command.ENQUIRE_LINK
        assert await centre.is_left() == b""

    async def work(link: Link) -> None:
        await until_over(link)
        assert link.why == "enquire_link was not answered"

    quick = replace(ACCOUNT, enquire_link_seconds=0.05, response_seconds=0.3)
    linked(script, work, account=quick)
    assert asked == 2


def test_we_take_leave_and_the_centre_may_too():
    async def left(centre: Peer) -> None:
        await centre.let_in()
        unbound = await centre.hear()
        assert unbound.command is Command.UNBIND
        await centre.say(Pdu(Command.UNBIND_RESP, unbound.sequence))
        assert await centre.is_left() == b""

    async def leaves(centre: Peer) -> None:
        await centre.let_in()
        await centre.say(Pdu(Command.UNBIND, 9))
        assert await centre.hear() == Pdu(Command.UNBIND_RESP, 9)
        assert await centre.is_left() == b""

    linked(left, lambda link: link.unbind())
    linked(leaves, until_over)


# -- what nobody should send ----------------------------------------------------------


def nack(sequence: int, status: int) -> bytes:
    return encode(Pdu(Command.GENERIC_NACK, sequence, status))


SURVIVED = {
    "an unknown command": (
        bytes.fromhex("00000010 00000102 00000000 00000007"),
        nack(7, Status.ESME_RINVCMDID),
    ),
    "a request that only we make": (
        encode(Pdu(Command.SUBMIT_SM, 7, body=SCREEN)),
        nack(7, Status.ESME_RINVCMDID),
    ),
    "a deliver_sm without fields": (
        bytes.fromhex("00000010 00000005 00000000 00000007"),
        nack(7, Status.ESME_RINVMSGLEN),
    ),
    # Refusing a refusal would go on for ever.
    "an unknown answer": (
        bytes.fromhex("00000010 80000102 00000000 00000007"),
        b"",
    ),
    "an answer that nobody waits for": (nack(7, 3), b""),
}


@pytest.mark.parametrize(("octets", "answer"), SURVIVED.values(), ids=SURVIVED)
def test_a_pdu_that_makes_no_sense_costs_no_more_than_itself(
    octets: bytes, answer: bytes
):
    async def script(centre: Peer) -> None:
        await centre.let_in()
        await centre.write(octets)
        await centre.say(Pdu(Command.ENQUIRE_LINK, 8))
        alive = encode(Pdu(Command.ENQUIRE_LINK_RESP, 8))
        expected = answer + alive
        assert await centre.reader.readexactly(len(expected)) == expected

    linked(script, until_over)


def test_an_answer_that_cannot_be_read_is_an_unknown_outcome():
    async def script(centre: Peer) -> None:
        await centre.let_in()
        submitted = await centre.hear()
        # A message_id without its end.
        head = bytes.fromhex("00000011 80000004 00000000")
        await centre.write(head + submitted.sequence.to_bytes(4) + b"1")

    async def work(link: Link) -> None:
        with pytest.raises(NoAnswer, match="cannot be read"):
            await link.submit(SCREEN)

    linked(script, work)


LOST = {
    "a length below a header": b"\0\0\0\x0f",
    "a huge length": (PDU_BYTES_MAX + 1).to_bytes(4),
    "another protocol": b"GET / HTTP/1.1\r\n\r\n",
    "half a PDU": b"\0\0\0\x40\0\0\0\x05",
}


@pytest.mark.parametrize("octets", LOST.values(), ids=LOST)
def test_a_centre_whose_next_pdu_cannot_be_found_is_left(octets: bytes):
    async def script(centre: Peer) -> None:
        await centre.let_in()
        await centre.write(octets)
        assert await centre.is_left() == nack(0, Status.ESME_RINVCMDLEN)

    linked(script, until_over, account=replace(ACCOUNT, response_seconds=0.3))


def test_a_centre_that_talks_nonsense_without_end_is_left():
    async def script(centre: Peer) -> None:
        await centre.let_in()
        nonsense = bytes.fromhex("00000010 00000102 00000000 00000007")
        await centre.write(nonsense * (MALFORMED_MAX + 5))
        refusals = nack(7, Status.ESME_RINVCMDID) * MALFORMED_MAX
        assert await centre.is_left() == refusals

    linked(script, until_over)


def test_a_centre_that_asks_and_does_not_read_is_left():
    async def script(centre: Peer) -> None:
        await centre.let_in()
        assert (await centre.hear()).command is Command.SUBMIT_SM
        with pytest.raises(ConnectionError):
            await centre.write(encode(Pdu(Command.ENQUIRE_LINK, 8)) * 500_000)

    async def work(link: Link) -> None:
        # Else the kernel keeps megabytes of answers for who does not read them.
        assert link._stream.transport is not None
        line = link._stream.transport.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        with pytest.raises((LinkLost, NoAnswer)):
            await link.submit(SCREEN)
        await until_over(link)
        assert link.why == "the centre does not read"

    linked(script, work, account=replace(ACCOUNT, response_seconds=0.5))


@settings(max_examples=60, deadline=None)
@given(
    pieces=st.lists(
        st.one_of(
            st.binary(max_size=80),
            st.just(encode(Pdu(Command.DELIVER_SM, 3, body=DIALLED))),
            st.builds(
                lambda command, rest: (
                    (len(rest) + 8).to_bytes(4) + command.to_bytes(4) + rest
                ),
                st.sampled_from(Command),
                st.binary(min_size=8, max_size=60),
            ),
        ),
        max_size=8,
    )
)
def test_whatever_comes_the_link_ends_and_breaks_nothing(pieces: list[bytes]):
    async def script(centre: Peer) -> None:
        await centre.let_in()
        await centre.write(b"".join(pieces))
        centre.writer.write_eof()
        await centre.is_left()

    async def work(link: Link) -> None:
        await until_over(link)
        assert link.why

    linked(script, work, account=replace(ACCOUNT, response_seconds=0.5))
