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
    Address,
    Bound,
    Centre,
    Command,
    Link,
    LinkLost,
    Message,
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
async def kept(*addresses: Address) -> AsyncIterator[Centre]:
    """A centre that we stay bound to while the test lasts."""
    centre = Centre(
        addresses,
        ACCOUNT,
        Role.TRANSCEIVER,
        lambda message: 0,
        # Always the shortest pause.
        random=lambda: 0.0,
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
