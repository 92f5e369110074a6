"""A payment service and a till beside a service, for the tests of money that comes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from werkzeug.test import TestResponse

from gateway.payments.signing import signature
from ledger.balances import balances
from ledger.engine import reading
from tests.gateway.house import Gateway, open_gateway, settings

SECRET = "long-and-random"
PAYMENTS: dict[str, Any] = {
    "psp": {"adapter": "signed-json", "secret": SECRET},
    "till": {
        "adapter": "pos",
        "secret": SECRET,
        "campaign": "one-plus-one",
        "purpose": "needed",
    },
    "rehearsed": {"adapter": "signed-json", "secret": SECRET, "test": True},
    "fenced": {
        "adapter": "signed-json",
        "secret": SECRET,
        "allow_from": ["192.0.2.0/24"],
    },
}


@dataclass
class Cashier:
    """Whoever holds the secret of the channels."""

    gateway: Gateway

    def post(
        self, body: Any, *, channel: str = "psp", signed: str | None = None, **how: Any
    ) -> TestResponse:
        """Post a body, rightly signed unless a header is given; "" for none."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        if signed is None:
            signed = signature(SECRET.encode(), raw, self.gateway.clock())
        headers = {"X-Signature": signed} if signed else {}
        return self.gateway.client.post(
            f"/payments/{channel}",
            data=raw,
            headers=headers,
            content_type="application/json",
            **how,
        )

    def pay(
        self, id: str = "p1", *, channel: str = "psp", **fields: Any
    ) -> TestResponse:
        """A notice of 750,000 rial unless `fields` say otherwise."""
        told = {"id": id, "kind": "payment", "amount_rial": 750_000}
        told["paid_at"] = "2026-11-22T11:59:00+03:30"
        return self.post(told | fields, channel=channel)

    def sell(self, receipt: str = "1", **fields: Any) -> TestResponse:
        """A gift of 50,000 rial at the third till of a store."""
        told = {"store": "s7", "terminal": "3", "receipt": receipt}
        told |= {"amount_rial": 50_000, "sold_at": "2026-11-22T11:59:00+03:30"}
        return self.post(told | fields, channel="till")

    def holds(self, *, test: bool = False) -> dict[str, int]:
        """What is posted on each account that holds anything; debits count up."""
        with reading(self.gateway.service.engine) as db:
            found = balances(db, test=test)
        return {one.account: one.posted for one in found if one.posted}

    def texts(self) -> list[tuple[str, dict[str, Any]]]:
        """The receipts promised, with what they say."""
        return [
            (row.template, row.slots)
            for row in self.gateway.rows("outbox")
            if row.template in ("sms.paid", "sms.part_paid", "sms.shop", "sms.refunded")
        ]


def open_cashier(url: str, redis_url: str, folder: Path) -> Cashier:
    """A service with the channels of PAYMENTS, the shipped menus and empty books."""
    return Cashier(open_gateway(settings(url, redis_url, folder, payments=PAYMENTS)))
