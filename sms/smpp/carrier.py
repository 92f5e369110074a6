"""SMPP 3.4: texts to an operator's own message centre.

Source: SMPP v3.4 issue 1.2, section 4.4.1 (submit_sm). What a centre wants beyond the
specification is a setting: see docs/smpp.md. The worker only knows that the channel is
there; `yarigar smpp NAME` carries its texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, NoReturn, Self

from phone.encoding import sms_parts
from phone.smpp.pdu import Message
from phone.smpp.segments import Segment, cut, relative_time
from sms.carrier import (
    Outbound,
    Outcome,
    Posted,
    Question,
    Reply,
    Result,
    Tools,
    Unreadable,
)
from sms.smpp.options import KNOWS, NEEDS, Options, read_options

__all__ = ["Smpp"]

REPORT_ALWAYS = 1

_ELSEWHERE = "not over a connection of its own"


class Smpp:
    """Makes the PDUs of texts; handing them over is another process' business."""

    name: ClassVar[str] = "smpp"
    needs: ClassVar[tuple[str, ...]] = NEEDS
    knows: ClassVar[tuple[str, ...]] = KNOWS
    # query_sm asks by the centre's id, which is just what is missing.
    can_look_up: ClassVar[bool] = False
    ids_are_ours: ClassVar[bool] = False
    reply = Reply()

    def __init__(self, options: Options, region: str) -> None:
        self.options = options
        self.region = region

    @classmethod
    def build(cls, options: Mapping[str, str], tools: Tools) -> Self:
        # Every channel may be given those, and they name nothing here.
        others = ("api_key", "base_url", "username")
        own = {name: value for name, value in options.items() if name not in others}
        return cls(read_options(own), tools.region)

    def count(self, text: str) -> int:
        """How many parts a text is handed over in; TextTooLong beyond 255."""
        options = self.options
        return len(
            sms_parts(
                text,
                header_octets=options.joint.header_octets,
                encoding=options.codings.encoding(text),
            )
        )

    def messages(self, text: Outbound) -> dict[int, Message]:
        """The submit_sm of each part that is to be handed over now, by its number.

        Raises NotText, TextTooLong.
        """
        options = self.options
        segments = cut(
            text.text,
            codings=options.codings,
            joint=options.joint,
            reference=text.reference,
        )
        return {
            number: self._message(text, segments[number - 1]) for number in text.parts
        }

    def _message(self, text: Outbound, segment: Segment) -> Message:
        options, source = self.options, self.options.source
        has_validity = options.tells_validity and text.valid_seconds > 0
        return Message(
            service_type=options.service_type,
            source_ton=source.ton if source else 0,
            source_npi=source.npi if source else 0,
            source=source.address if source else "",
            dest_ton=options.dest[0],
            dest_npi=options.dest[1],
            dest=text.to.removeprefix("+"),
            esm_class=segment.esm_class,
            validity_period=relative_time(text.valid_seconds) if has_validity else "",
            # Of every part: a phone that got two of three has no text.
            registered_delivery=REPORT_ALWAYS,
            data_coding=segment.data_coding,
            short_message=segment.short_message,
            tlvs=segment.tlvs,
        )

    # -- over HTTP there is nothing -------------------------------------------------

    def send(self, message: Outbound) -> Result:
        return Result(Outcome.RETRYABLE, detail=_ELSEWHERE)

    def look_up(self, question: Question) -> Result:
        return Result(Outcome.AMBIGUOUS, detail=_ELSEWHERE)

    def read_receipts(self, posted: Posted) -> NoReturn:
        raise Unreadable("nothing is posted to an smpp channel")

    def read_inbound(self, posted: Posted) -> NoReturn:
        raise Unreadable("nothing is posted to an smpp channel")
