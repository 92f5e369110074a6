"""The page of proofs before guessers and liars: limits, bad input, and what is away."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.typing import EventDict

from gateway.views.check import ADDRESS_LIMIT, CODE_LIMIT
from ledger.engine import writing
from phone.codes import damm
from tests.gateway.donor import asked, other, sealed
from tests.gateway.house import Gateway
from tests.ledger.books import Books

CODE = "57200000" + damm("57200000")


@pytest.fixture(params=["sqlite", "postgresql"])
def gateway_database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def books(gateway: Gateway) -> Books:
    return Books(gateway.service.engine)


def test_a_code_is_in_no_address_no_log_and_no_redis(
    gateway: Gateway, books: Books, logs: list[EventDict]
) -> None:
    _, code = books.pledge()
    sealed(gateway)
    assert gateway.client.get(f"/check?code={code}&amount=75000").text.count(code) == 0
    assert gateway.client.get(f"/check/proof?code={code}").status_code == 405
    assert gateway.client.post(f"/check/proof?code={code}&amount=1").status_code == 400
    for _ in range(CODE_LIMIT.tries_max + 1):
        asked(gateway, code, "75000")
    assert any(log["event"] == "gift_checked_too_often" for log in logs)
    assert code not in str(logs)
    assert "127.0.0.1" not in str(logs)
    server: Any = gateway.service.redis
    kept = [name + b"=" + (server.get(name) or b"") for name in server.keys("*tries*")]
    assert len(kept) == 2
    assert code.encode() not in b"".join(kept)
    assert b"127.0.0.1" not in b"".join(kept)


def test_a_code_is_tried_only_so_often_whoever_asks_and_whether_or_not_it_is_one(
    gateway: Gateway, books: Books
) -> None:
    _, code = books.pledge()
    sealed(gateway)
    for tried in (code, other(code)):
        for number in range(CODE_LIMIT.tries_max):
            answer = asked(gateway, tried, "1", environ_base=_from(f"192.0.2.{number}"))
            assert answer.status_code == 404
        answer = asked(gateway, tried, "75000", environ_base=_from("192.0.2.99"))
        assert (answer.status_code, answer.json) == (429, {"state": "often"})
        assert 0 < int(answer.headers["Retry-After"]) <= CODE_LIMIT.seconds


def test_an_address_tries_only_so_often_and_burns_nobody_elses_code(
    gateway: Gateway, books: Books
) -> None:
    _, code = books.pledge()
    sealed(gateway)
    stranger = _from("2001:db8:1:2::1")
    for number in range(ADDRESS_LIMIT.tries_max):
        payload = str(20_000_000 + number)
        answer = asked(gateway, payload + damm(payload), "1", environ_base=stranger)
        assert answer.status_code == 404
    for number in range(CODE_LIMIT.tries_max):
        # Another address of the same household, which says to be another one's.
        answer = asked(
            gateway,
            code,
            "1",
            environ_base=_from("2001:db8:1:2::ffff"),
            headers={"X-Forwarded-For": f"192.0.2.{number}"},
        )
        assert answer.status_code == 429
    donor = _from("2001:db8:1:3::1")
    assert asked(gateway, code, "75000", environ_base=donor).status_code == 200


def test_a_limit_ends_by_itself(gateway: Gateway, books: Books) -> None:
    _, code = books.pledge()
    asked(gateway, code, "75000")
    server: Any = gateway.service.redis
    for name in server.keys("*tries*"):
        assert 0 < server.ttl(name) <= CODE_LIMIT.seconds


def test_without_redis_nobody_gets_in(gateway: Gateway, books: Books) -> None:
    _, code = books.pledge()
    sealed(gateway)
    pool = gateway.service.redis.connection_pool
    held = dict(pool.connection_kwargs)
    pool.disconnect()
    pool.connection_kwargs.update(_nowhere(held))
    try:
        answer = asked(gateway, code, "75000")
        page = asked(gateway, code, "75000", "/check")
    finally:
        pool.connection_kwargs.update(held)
    assert (answer.status_code, answer.json) == (503, {"state": "away"})
    assert answer.headers["Retry-After"]
    assert page.status_code == 503
    assert "۷۵٬۰۰۰" not in page.text


def test_without_the_ledger_it_is_said_in_a_line(
    gateway: Gateway, books: Books
) -> None:
    _, code = books.pledge()
    engine = gateway.service.engine
    with writing(engine) as db:
        db.exec_driver_sql("ALTER TABLE code RENAME TO codes_away")
    try:
        answer = asked(gateway, code, "75000")
    finally:
        with writing(engine) as db:
            db.exec_driver_sql("ALTER TABLE codes_away RENAME TO code")
    assert (answer.status_code, answer.json) == (503, {"state": "away"})


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ({}, "code"),
        ({"code": "1"}, "amount"),
        ({"code": ["123456789", "123456789"], "amount": "1"}, "code"),
        ({"code": "", "amount": "75000"}, "code"),
        ({"code": "123456789", "amount": "75000"}, "code"),
        ({"code": "9" * 3000, "amount": "75000"}, "code"),
        ({"code": "' OR 1=1 --", "amount": "75000"}, "code"),
        ({"code": "\0" * 9, "amount": "75000"}, "code"),
        ({"code": "²" * 9, "amount": "75000"}, "code"),
        ({"code": "<script>", "amount": "75000"}, "code"),
        ({"code": CODE, "amount": "75000 75000"}, "amount"),
        ({"code": CODE, "amount": ""}, "amount"),
        ({"code": CODE, "amount": "-75000"}, "amount"),
        ({"code": CODE, "amount": "75k"}, "amount"),
        ({"code": CODE, "amount": "9" * 39}, "amount"),
        ({"code": CODE, "amount": "\0"}, "amount"),
        ({"code": CODE, "amount": "\u202e75000\ud7ff"}, "amount"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(
    gateway: Gateway, body: dict[str, Any], state: str
) -> None:
    answer = gateway.client.post("/check/proof", data=body)
    assert (answer.status_code, answer.json) == (400, {"state": state})
    page = gateway.client.post("/check", data=body)
    assert page.status_code == 400
    assert "<script>" not in page.text


@pytest.mark.parametrize(
    ("body", "type", "status"),
    [
        (b"code=1&amount=" + b"1" * 5_000, "application/x-www-form-urlencoded", 413),
        (b"\xff\xfe=%ff&code=%ff%fe", "application/x-www-form-urlencoded", 400),
        (b'{"code": "1", "amount": "1"}', "application/json", 400),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x", 400),
        (b"", "", 400),
    ],
)
def test_a_body_that_is_no_form_is_refused(
    gateway: Gateway, body: bytes, type: str, status: int
) -> None:
    answer = gateway.client.post("/check/proof", data=body, content_type=type)
    assert answer.status_code == status
    assert len(answer.data) < 200


def _from(address: str) -> dict[str, str]:
    return {"REMOTE_ADDR": address}


def _nowhere(held: dict[str, Any]) -> dict[str, Any]:
    """Where no Redis listens, by the way that this one is reached."""
    if "path" in held:
        return {"path": f"{held['path']}.gone"}
    return {"port": 1}
