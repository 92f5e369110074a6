"""The console: texts go to the terminal and to the simulator's inbox.

It has no carrier behind it, so a text is delivered as soon as it is shown. The
simulator posts what its user writes as a form of `from`, `to`, `text` and `id`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from phone.numbers import NotAPhone, from_network, mask
from sms.carrier import (
    CARRIER_ID_CHARS_MAX,
    TEXT_CHARS_MAX,
    Inbound,
    Outbound,
    Outcome,
    Receipt,
    Reply,
    Result,
    Status,
    Tools,
    Unreadable,
    field_of,
)

__all__ = ["Console"]


class Console:
    """Prints texts for whoever runs the service on one machine."""

    name: ClassVar[str] = "console"
    # Showing a text again under its id changes nothing, so there is nothing to ask.
    can_look_up: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ()
    knows: ClassVar[tuple[str, ...]] = ()
    reply: ClassVar[Reply] = Reply()

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    @classmethod
    def build(cls, options: Mapping[str, str], tools: Tools) -> Self:
        return cls(tools)

    def send(self, message: Outbound) -> Result:
        try:
            self._tools.feed(message.to, message.id, message.text)
        except OSError as error:
            # The inbox is away; what it did take, it takes again as one entry.
            return Result(Outcome.RETRYABLE, detail=type(error).__name__)
        # The one place that prints a text: a test channel's own terminal.
        self._tools.write(f"text to {mask(message.to)}: {message.text}")
        return Result(
            Outcome.ACCEPTED,
            carrier_id=f"console-{message.id}",
            status=Status.DELIVERED,
        )

    def look_up(self, message_id: str) -> Result | None:
        """None: feeding the same id twice is one entry, so it may be sent again."""
        return None

    def read_receipts(self, form: Mapping[str, str]) -> tuple[Receipt, ...]:
        raise Unreadable("the console sends no receipts")

    def read_inbound(self, form: Mapping[str, str]) -> Inbound:
        try:
            sender = from_network(
                field_of(form, "from", chars_max=32), region=self._tools.region
            )
        except NotAPhone as error:
            raise Unreadable("from is no phone number") from error
        return Inbound(
            carrier_id=field_of(form, "id", chars_max=CARRIER_ID_CHARS_MAX),
            sender_phone=sender,
            line=field_of(form, "to", chars_max=32),
            text=field_of(form, "text", chars_max=TEXT_CHARS_MAX, empty=True),
        )
