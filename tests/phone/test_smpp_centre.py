"""A bind that is kept, through lost connections, refusals and slow centres."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from structlog.typing import EventDict

from phone.smpp import (
    Account,
    Address,
    Bound,
    Centre,
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
)
from phone.smpp import centre as keeping
from tests.phone.smpp_peer import ACCOUNT, PATIENCE_SECONDS, Peer, peer

SCREEN = Message(dest="989121234567", short_message=b"1. Give")


@pytest.fixture
def logs() -> Iterator[list[EventDict]]:
    with structlog.testing.capture_logs() as captured:
        yield captured


@asynccontextmanager
async def kept(
    *addresses: Address, binds: int = 1, account: Account = ACCOUNT
) -> AsyncIterator[Centre]:
    """A centre that we stay bound to while the test lasts."""
    centre = Centre(
        addresses,
        account,
        Role.TRANSCEIVER,
        lambda message: 0,
        # Always the shortest pause.
        random=lambda: 0.0,
        binds=binds,
    )
    bind = asyncio.create_task(centre.stay_bound())
    try:
        async with asyncio.timeout(2 * PATIENCE_SECONDS):
            yield centre
    finally:
        bind.cancel()
        await asyncio.gather(bind, return_exceptions=True)


async def attend(centre: Peer) -> None:
    """A centre that behaves: it takes what comes until we unbind."""
    await centre.let_in()
    while True:
        asked = await centre.hear()
        answer = Taken("1") if asked.command is Command.SUBMIT_SM else None
        await centre.say(Pdu(asked.command.response, asked.sequence, body=answer))
        if asked.command is Command.UNBIND:
            return


def wanted() -> bool:
    return True


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(test())


def refuses(status: Status) -> Callable[[Peer], Awaitable[None]]:
    async def script(centre: Peer) -> None:
        bind = await centre.hear()
        await centre.say(Pdu(bind.command.response, bind.sequence, status, Bound()))

    return script


def test_a_screen_without_an_answer_goes_out_again_over_the_next_connection():
    heard: list[Message] = []

    async def silent(centre: Peer) -> None:
        await centre.let_in()
        submitted = await centre.hear()
        assert isinstance(submitted.body, Message)
        heard.append(submitted.body)

    async def answers(centre: Peer) -> None:
        await centre.let_in()
        submitted = await centre.take()
        assert isinstance(submitted.body, Message)
        heard.append(submitted.body)
        assert (await centre.hear()).command is Command.UNBIND

    async def test() -> None:
        async with peer(silent, answers) as address, kept(address) as centre:
            assert await centre.submit(SCREEN, is_wanted=wanted) == Taken("1")
            assert centre.is_bound

    run(test)
    assert heard == [SCREEN, SCREEN]


def test_a_screen_that_nobody_wants_any_more_does_not_go_out_again():
    async def silent(centre: Peer) -> None:
        await centre.let_in()
        await centre.hear()

    async def test() -> None:
        asked = iter([True, False])
        async with peer(silent, attend) as address, kept(address) as centre:
            taken = await centre.submit(SCREEN, is_wanted=lambda: next(asked))
            assert taken is None

    run(test)


@pytest.mark.parametrize("status", [Status.ESME_RTHROTTLED, Status.ESME_RMSGQFUL])
def test_a_centre_that_is_full_gets_everything_later_and_nothing_twice(
    status: Status, logs: list[EventDict]
):
    heard: list[Message] = []

    async def slow(centre: Peer) -> None:
        await centre.let_in()
        refused = 0
        while len(heard) < 5:
            submitted = await centre.hear()
            if refused < 3:
                refused += 1
                answer = Pdu(
                    Command.SUBMIT_SM_RESP, submitted.sequence, status, Taken()
                )
            else:
                assert isinstance(submitted.body, Message)
                heard.append(submitted.body)
                answer = Pdu(
                    Command.SUBMIT_SM_RESP, submitted.sequence, body=Taken("1")
                )
            await centre.say(answer)
        assert (await centre.hear()).command is Command.UNBIND

    async def test() -> None:
        screens = [replace(SCREEN, dest=f"98912000000{n}") for n in range(5)]
        async with peer(slow) as address, kept(address) as centre:
            await asyncio.gather(
                *(centre.submit(screen, is_wanted=wanted) for screen in screens)
            )
        assert sorted(message.dest for message in heard) == [
            screen.dest for screen in screens
        ]

    run(test)
    assert {log["status"] for log in logs if log["event"] == "smpp_slower"} == {
        status.name
    }


def test_any_other_refusal_is_for_good():
    async def script(centre: Peer) -> None:
        await centre.let_in()
        await centre.take(Status.ESME_RINVDSTADR)
        assert (await centre.hear()).command is Command.UNBIND

    async def test() -> None:
        async with peer(script) as address, kept(address) as centre:
            with pytest.raises(Refused, match="ESME_RINVDSTADR"):
                await centre.submit(SCREEN, is_wanted=wanted)

    run(test)


def test_the_next_host_is_tried_at_once(logs: list[EventDict]):
    async def test() -> None:
        async with (
            peer(refuses(Status.ESME_RSYSERR)) as down,
            peer(attend) as up,
            kept(down, up) as centre,
            asyncio.timeout(2),
        ):
            assert await centre.submit(SCREEN, is_wanted=wanted)
        events = [(log["event"], log["centre"]) for log in logs]
        assert events[:2] == [
            ("smpp_bind_refused", str(down)),
            ("smpp_bound", str(up)),
        ]

    run(test)


@pytest.mark.parametrize(
    ("status", "binds"),
    [
        (Status.ESME_RSYSERR, 2),
        (Status.ESME_RALYBND, 2),
        (Status.ESME_RINVPASWD, 1),
        (Status.ESME_RINVSYSID, 1),
        (Status.ESME_RBINDFAIL, 1),
    ],
)
def test_a_centre_that_does_not_know_us_is_left_alone_for_long(
    status: Status, binds: int, logs: list[EventDict]
):
    async def test() -> None:
        # The first pause is a quarter of a second, the next half of one.
        async with peer(refuses(status)) as address, kept(address):
            await asyncio.sleep(0.6)

    run(test)
    refused = [log for log in logs if log["event"] == "smpp_bind_refused"]
    assert [log["status"] for log in refused] == [status.name] * binds
    assert "secret" not in repr(logs)


def test_pauses_grow_up_to_a_limit_and_differ():
    async def test() -> None:
        centres = [
            Centre(
                [Address("127.0.0.1", 1)],
                ACCOUNT,
                Role.TRANSCEIVER,
                lambda message: 0,
                random=partial(float, part),
            )
            for part in (0.0, 1.0)
        ]
        for is_us, first, most in ((False, 0.5, 30.0), (True, 60.0, 600.0)):
            pauses = [
                [centre._pause(n, is_us=is_us) for n in range(1, 2_000)]
                for centre in centres
            ]
            assert [row[0] for row in pauses] == [first / 2, first]
            assert [row[-1] for row in pauses] == [most / 2, most]
            assert all(row == sorted(row) for row in pauses)

    run(test)


def test_a_centre_that_is_down_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, logs: list[EventDict]
):
    monkeypatch.setattr(keeping, "RETRY_SECONDS_MIN", 0.02)

    async def hangs_up(centre: Peer) -> None:
        await centre.hear()

    async def test() -> None:
        scripts = [hangs_up] * 4 + [attend]
        async with peer(*scripts) as address, kept(address) as centre:
            assert await centre.submit(SCREEN, is_wanted=wanted)

    run(test)
    assert [log["event"] for log in logs][:5] == ["smpp_not_bound"] * 4 + ["smpp_bound"]


# -- texts: handed over once ----------------------------------------------------------


def test_never_more_than_the_window_waits_for_answers():
    most = 0

    async def script(centre: Peer) -> None:
        nonlocal most
        await centre.let_in()
        answered = 0
        while answered < 20:
            waiting = [await centre.hear()]
            # Whatever else was sent without waiting is here by now.
            while True:
                try:
                    async with asyncio.timeout(0.05):
                        waiting.append(await centre.hear())
                except TimeoutError:
                    break
            most = max(most, len(waiting))
            answered += len(waiting)
            await centre.say(
                *(
                    Pdu(Command.SUBMIT_SM_RESP, one.sequence, body=Taken("1"))
                    for one in reversed(waiting)
                )
            )
        assert (await centre.hear()).command is Command.UNBIND

    async def test() -> None:
        narrow = replace(ACCOUNT, window=3)
        async with peer(script) as address, kept(address, account=narrow) as centre:
            taken = await asyncio.gather(*(centre.hand_over(SCREEN) for _ in range(20)))
            assert taken == [Taken("1")] * 20
            assert centre.room == 3

    run(test)
    assert most == 3


def test_a_text_whose_answer_is_lost_is_not_handed_over_again():
    heard = 0

    async def silent(centre: Peer) -> None:
        nonlocal heard
        await centre.let_in()
        await centre.hear()
        heard += 1

    async def counts(centre: Peer) -> None:
        nonlocal heard
        await centre.let_in()
        while (await centre.hear()).command is not Command.UNBIND:
            heard += 1

    async def test() -> None:
        short = replace(ACCOUNT, response_seconds=0.3)
        async with (
            peer(silent, counts) as address,
            kept(address, account=short) as centre,
        ):
            with pytest.raises(LinkLost):
                await centre.hand_over(SCREEN)
            with pytest.raises(NoAnswer):
                await centre.hand_over(SCREEN)

    run(test)
    assert heard == 2


def test_through_many_lost_connections_no_text_goes_twice_and_none_is_called_unsent(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(keeping, "RETRY_SECONDS_MIN", 0.01)
    monkeypatch.setattr(keeping, "RETRY_SECONDS_MAX", 0.02)
    heard: list[str] = []

    async def breaks_off(centre: Peer) -> None:
        try:
            await centre.let_in()
        except asyncio.IncompleteReadError:
            return  # the last text was told while this one was knocking
        for _ in range(30):
            asked = await centre.hear()
            if not isinstance(asked.body, Message):
                return
            heard.append(asked.body.dest)
            answer = Pdu(Command.SUBMIT_SM_RESP, asked.sequence, body=Taken("1"))
            await centre.say(answer)
        # What else is on its way is lost, with its connection reset.
        centre.writer.transport.abort()

    told: dict[str, list[str]] = {"taken": [], "unclear": [], "unsent": []}

    async def test() -> None:
        left = iter(range(1_000))

        async def work(centre: Centre) -> None:
            for number in left:
                text = replace(SCREEN, dest=str(number))
                try:
                    await centre.hand_over(text, wait_seconds=0.005)
                    told["taken"].append(text.dest)
                except LinkLost:
                    told["unclear"].append(text.dest)
                except NotSent:
                    told["unsent"].append(text.dest)

        async with peer(breaks_off) as address, kept(address, binds=2) as centre:
            await asyncio.gather(*(work(centre) for _ in range(30)))

    run(test)
    assert len(heard) == len(set(heard))
    assert set(told["taken"]) <= set(heard)
    assert not set(told["unsent"]) & set(heard)
    assert sum(map(len, told.values())) == 1_000
    assert all(told.values()), {name: len(texts) for name, texts in told.items()}


@pytest.mark.parametrize(
    "status", [Status.ESME_RTHROTTLED, Status.ESME_RMSGQFUL, Status.ESME_RINVDSTADR]
)
def test_a_text_that_is_refused_is_told_so_at_once(status: Status):
    async def script(centre: Peer) -> None:
        await centre.let_in()
        await centre.take(status)
        assert (await centre.hear()).command is Command.UNBIND

    async def test() -> None:
        async with peer(script) as address, kept(address) as centre:
            with pytest.raises(Refused, match=status.name):
                await centre.hand_over(SCREEN)

    run(test)


def test_a_text_that_finds_no_bind_is_surely_not_sent():
    async def test() -> None:
        async with kept(Address("127.0.0.1", 1)) as centre:
            with pytest.raises(NotSent, match="no bind"):
                await centre.hand_over(SCREEN, wait_seconds=0.1)
            waiting = asyncio.create_task(centre.hand_over(SCREEN))
            await asyncio.sleep(0.01)
            centre.take_no_more()
            with pytest.raises(NotSent, match="no more"):
                await waiting
            with pytest.raises(NotSent, match="no more"):
                await centre.hand_over(SCREEN)

    run(test)


def test_a_text_that_finds_the_window_full_in_time_is_surely_not_sent():
    async def script(centre: Peer) -> None:
        await centre.let_in()
        held = await centre.hear()
        await asyncio.sleep(0.3)
        await centre.say(Pdu(Command.SUBMIT_SM_RESP, held.sequence, body=Taken("1")))
        await centre.take()
        assert (await centre.hear()).command is Command.UNBIND

    async def test() -> None:
        narrow = replace(ACCOUNT, window=1)
        async with peer(script) as address, kept(address, account=narrow) as centre:
            first = asyncio.create_task(centre.hand_over(SCREEN))
            await asyncio.sleep(0.1)
            with pytest.raises(NotSent):
                await centre.hand_over(SCREEN, wait_seconds=0.05)
            given_up = asyncio.create_task(centre.hand_over(SCREEN))
            await asyncio.sleep(0.01)
            given_up.cancel()
            assert await first == Taken("1")
            # Neither of them kept a place.
            assert centre.room == 1
            assert await centre.hand_over(SCREEN) == Taken("1")

    run(test)


def test_several_binds_share_the_texts_and_their_hosts():
    heard: list[str] = []

    def counts(name: str) -> Callable[[Peer], Awaitable[None]]:
        async def script(centre: Peer) -> None:
            await centre.let_in()
            # Both have one in hand before either is answered: no window is waited on.
            submitted = [await centre.hear() for _ in range(2)]
            heard.extend([name] * 2)
            for one in submitted:
                answer = Taken(name)
                await centre.say(Pdu(one.command.response, one.sequence, body=answer))
            unbound = await centre.hear()
            await centre.say(Pdu(Command.UNBIND_RESP, unbound.sequence))

        return script

    async def test() -> None:
        narrow = replace(ACCOUNT, window=2)
        async with (
            peer(counts("a")) as a,
            peer(counts("b")) as b,
            kept(a, b, binds=2, account=narrow) as centre,
        ):
            while centre.room < 4:
                await asyncio.sleep(0.01)
            taken = await asyncio.gather(*(centre.hand_over(SCREEN) for _ in range(4)))
        assert sorted(one.message_id for one in taken) == ["a", "a", "b", "b"]

    run(test)
    assert sorted(heard) == ["a", "a", "b", "b"]


def test_texts_go_over_the_bind_that_is_left():
    async def leaves(centre: Peer) -> None:
        await centre.let_in()

    async def test() -> None:
        async with (
            peer(leaves) as gone,
            peer(attend) as stays,
            kept(gone, stays, binds=2) as centre,
        ):
            for _ in range(20):
                try:
                    assert await centre.hand_over(SCREEN) == Taken("1")
                    return
                except LinkLost:
                    await asyncio.sleep(0.05)
        raise AssertionError("no text went out")

    run(test)


def test_a_wrong_password_is_told_to_one_of_several_binds(logs: list[EventDict]):
    async def test() -> None:
        bars = refuses(Status.ESME_RINVPASWD)
        async with peer(bars) as address, kept(address, binds=4):
            await asyncio.sleep(0.5)

    run(test)
    assert [log["event"] for log in logs] == ["smpp_bind_refused"]


# -- TLS ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for localhost that signed itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    since = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(since)
        .not_valid_after(since + datetime.timedelta(days=2))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "centre.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


def test_over_tls_the_centre_has_to_prove_who_it_is(certificate: Path):
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    theirs.load_cert_chain(certificate)
    ours = ssl.create_default_context(cafile=str(certificate))

    async def test() -> None:
        async with peer(attend, tls=theirs) as address:
            there = Address("localhost", address.port, ours)
            async with kept(there) as centre:
                assert await centre.submit(SCREEN, is_wanted=wanted)
            # To one who does not know the certificate, and under another name.
            strangers = ssl.create_default_context()
            for tls, host in ((strangers, "localhost"), (ours, "127.0.0.1")):
                stranger = Address(host, address.port, tls)
                with pytest.raises(LinkLost, match="SSLCertVerificationError"):
                    await Link.open(
                        stranger, ACCOUNT, Role.TRANSCEIVER, lambda message: 0
                    )

    run(test)
