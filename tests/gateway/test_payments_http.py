"""The payments' webhook over real HTTP: granian, several threads, PostgreSQL."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.payments.signing import signature
from tests.gateway.cashier import SECRET, Cashier
from tests.gateway.operator import write_settings

POSTGRESQL = pytest.mark.parametrize("gateway_database", ["postgresql"])
ROOT = Path(__file__).parents[2]
AT_ONCE = 100
START_SECONDS_MAX = 60.0
ANSWER_SECONDS_MAX = 60.0


@contextmanager
def web(cashier: Cashier, folder: Path) -> Iterator[str]:
    """The address of `yarigar web` on the cashier's own books."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    config = folder / "web.toml"
    write_settings(
        cashier.gateway,
        config,
        f"port = {port}",
        "[payments.psp]",
        'adapter = "signed-json"',
        f'secret = "{SECRET}"',
    )
    kept = {k: v for k, v in os.environ.items() if not k.startswith("YARIGAR_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway", "web"],
        cwd=folder,
        env=kept | {"PYTHONPATH": str(ROOT), "YARIGAR_CONFIG": str(config)},
    )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_SECONDS_MAX
        while not _is_up(address):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _is_up(address: str) -> bool:
    try:
        return httpx.get(f"{address}/healthz").status_code == 200
    except httpx.TransportError:
        return False


def told(**fields: Any) -> tuple[bytes, dict[str, str]]:
    """A body of 750,000 rial and the header that signs it now."""
    now = datetime.now(UTC)
    body = {"id": "p1", "kind": "payment", "amount_rial": 750_000}
    raw = json.dumps(body | {"paid_at": "2026-11-22T08:00:00Z"} | fields).encode()
    return raw, {"X-Signature": signature(SECRET.encode(), raw, now)}


@POSTGRESQL
def test_a_hundred_callbacks_over_http_post_once_and_a_hundred_others_all_post(
    cashier: Cashier, tmp_path: Path
):
    code = cashier.gateway.pledge().code
    bodies = [told(code=code)] * AT_ONCE
    bodies += [told(id=f"o{n}", reference=f"r{n}") for n in range(AT_ONCE)]
    with (
        web(cashier, tmp_path) as address,
        httpx.Client(timeout=ANSWER_SECONDS_MAX) as client,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):

        def post(one: tuple[bytes, dict[str, str]]) -> tuple[int, str]:
            raw, headers = one
            answer = client.post(
                f"{address}/payments/psp", content=raw, headers=headers
            )
            return answer.status_code, answer.json()["status"]

        answers = [*pool.map(post, bodies)]
    assert sorted(answers[:AT_ONCE]) == [
        (200, "recorded"),
        *[(200, "repeated")] * (AT_ONCE - 1),
    ]
    assert answers[AT_ONCE:] == [(200, "suspense")] * AT_ONCE
    assert cashier.holds()["A:Settle:psp"] == 750_000 * (AT_ONCE + 1)
    assert cashier.holds()["L:Suspense:psp"] == -750_000 * AT_ONCE
    assert [template for template, _ in cashier.texts()] == ["sms.paid"]


def test_a_body_without_a_length_is_read_and_one_without_an_end_is_not(
    cashier: Cashier, tmp_path: Path
):
    raw, headers = told(reference="r1")
    with web(cashier, tmp_path) as address, httpx.Client() as client:
        url = f"{address}/payments/psp"
        chunked = client.post(url, content=iter([raw[:9], raw[9:]]), headers=headers)
        assert (chunked.status_code, chunked.json()) == (200, {"status": "suspense"})
        endless = client.post(url, content=iter([b" " * 9_000] * 3), headers=headers)
        assert endless.status_code == 413
        # A server may close on who still sends (RFC 9110, 15.5.14): ask it anew.
        get = httpx.get(url)
        assert get.status_code == 405
    assert len(cashier.gateway.rows("payment")) == 1
