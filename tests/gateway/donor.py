"""Whoever doubts: how tests ask the page of proofs, and have the books sealed."""

from __future__ import annotations

from typing import Any

from werkzeug.test import TestResponse

from gateway.sealing import signer
from ledger.sealing.sealer import seal
from phone.codes import damm
from tests.gateway.house import Gateway


def sealed(gateway: Gateway) -> None:
    service = gateway.service
    seal(service.engine, signer(service.settings), "Asia/Tehran", gateway.clock())


def asked(
    gateway: Gateway, code: str, amount: str, path: str = "/check/proof", **more: Any
) -> TestResponse:
    return gateway.client.post(path, data={"code": code, "amount": amount}, **more)


def other(code: str) -> str:
    """A code that nobody has, with its right check digit."""
    payload = str(int(code[:8]) % 80_000_000 + 10_000_001)
    return payload + damm(payload)
