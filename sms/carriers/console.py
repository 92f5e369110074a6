"""The console: texts go to the terminal and to the simulator's inbox.

It has no carrier behind it, so a text is delivered as soon as it is shown. The
simulator posts what its user writes as a form of `from`, `to`, `text` and `id`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from phone.numbers import mask
from sms.carrier import (
    Inbound,
    Outbound,
    Outcome,
    Posted,
    Question,
    Receipt,
    Reply,
    Result,
    Status,
    Tools,
    Unreadable,
)
from sms.fields import fields_of, id_of, line_of, sender_of, text_of

__all__ = ["Console"]


class Console:
    """Prints texts for whoever runs the service on one machine."""

    name: ClassVar[str] = "console"
    # Showing a text again under its id changes nothing, so there is nothing to ask.
    can_look_up: ClassVar[bool] = True
    ids_are_ours: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ()
    knows: ClassVar[tuple[str, ...]] = ()
    reply = Reply()

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

    def look_up(self, question: Question) -> Result | None:
        """None: feeding the same id twice is one entry, so it may be sent again."""
        return None

    def read_receipts(self, posted: Posted) -> tuple[Receipt, ...]:
        raise Unreadable("the console sends no receipts")

    def read_inbound(self, posted: Posted) -> tuple[Inbound, ...]:
        form = fields_of(posted, "from", "id", "to", "text")
        return (
            Inbound(
                carrier_id=id_of(form, "id"),
                sender_phone=sender_of(form, "from", self._tools.region),
                line=line_of(form, "to"),
                text=text_of(form, "text"),
            ),
        )
