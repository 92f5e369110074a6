"""A store's till that takes a gift beside a purchase, by the barcode of the campaign.

`{"store", "terminal", "receipt", "amount_rial", "sold_at", "phone"?}`. The three first
name the sale, once for ever. The shopper's number is claimed at the till and proved by
nobody: it gets the receipt's text, and that is all it opens.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from gateway.payments import signing
from gateway.payments.fields import Fields, parsed
from gateway.payments.form import Fund, Kind, Notice, Setup

__all__ = ["Pos"]

# With two strokes between them they are an id of at most 80 characters.
PLACE_CHARS_MAX = 20
RECEIPT_CHARS_MAX = 38
WORD = r"[A-Za-z0-9._-]+"
MEANS = "letters, digits, dots, hyphens and underscores"
NAMES = ("store", "terminal", "receipt", "amount_rial", "sold_at", "phone")


class Pos:
    """The form `pos`."""

    fields: ClassVar[Mapping[str, str]] = {
        "amount": "amount_rial",
        "paid_at": "sold_at",
    }

    def __init__(self, setup: Setup) -> None:
        faults = [f"{option[:40]} is no option" for option in setup.options]
        if not setup.campaign or not setup.purpose:
            faults.append("campaign and purpose say what a till's gifts are for")
        if faults:
            raise ValueError("\n".join(faults))
        self._setup = setup

    def read(self, headers: Mapping[str, str], body: bytes, at: datetime) -> Notice:
        setup = self._setup
        signing.check(setup.secret, headers, body, at=at, tolerance=setup.tolerance)
        given = Fields(parsed(body), NAMES)
        sale = (
            given.word("store", PLACE_CHARS_MAX, WORD, MEANS),
            given.word("terminal", PLACE_CHARS_MAX, WORD, MEANS),
            given.word("receipt", RECEIPT_CHARS_MAX, WORD, MEANS),
        )
        return Notice(
            id="/".join(sale),
            kind=Kind.PAYMENT,
            amount=given.rial("amount_rial"),
            paid_at=given.time("sold_at", at),
            phone=given.phone("phone", setup.region),
            gift=Fund(setup.campaign, setup.purpose),
            partner=sale[0],
        )
