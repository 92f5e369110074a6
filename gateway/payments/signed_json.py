"""A payment service that signs what it tells us, as docs/payments.md has it.

`{"id", "kind", "amount_rial", "paid_at", "code"?, "phone"?, "reference"?}`; at least
one of the last three says whose money it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from gateway.payments import signing
from gateway.payments.fields import Fields, parsed
from gateway.payments.form import Kind, Notice, Setup, Unreadable

__all__ = ["SignedJson"]

ID_CHARS_MAX = 80
NAMES = ("id", "kind", "amount_rial", "paid_at", "code", "phone", "reference")
WHOSE = ("code", "phone", "reference")


class SignedJson:
    """The form `signed-json`."""

    fields: ClassVar[Mapping[str, str]] = {"amount": "amount_rial"}

    def __init__(self, setup: Setup) -> None:
        faults = [f"{option[:40]} is no option" for option in setup.options]
        if faults:
            raise ValueError("\n".join(faults))
        self._setup = setup

    def read(self, headers: Mapping[str, str], body: bytes, at: datetime) -> Notice:
        setup = self._setup
        signing.check(setup.secret, headers, body, at=at, tolerance=setup.tolerance)
        given = Fields(parsed(body), NAMES)
        notice = Notice(
            id=given.word(
                "id", ID_CHARS_MAX, r"[!-~]+", "printable ASCII without spaces"
            ),
            kind=Kind(
                given.word("kind", 8, "|".join(Kind), f"one of {', '.join(Kind)}")
            ),
            amount=given.rial("amount_rial"),
            paid_at=given.time("paid_at", at),
            code=given.code("code"),
            phone=given.phone("phone", setup.region),
            reference=given.reference("reference"),
        )
        if not given.has(*WHOSE):
            raise Unreadable("one of code, phone and reference is needed")
        return notice
