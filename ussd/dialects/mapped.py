"""A carrier that nobody wrote a dialect for, described by the channel's own options.

What stands where in its requests and how its replies are written is configuration: see
`ussd.mapping.configuration` for what there is, docs/carriers.md for whole examples. As
the carrier's side it writes what the same configuration reads, so a channel can be
dialled before the carrier does; that is tried when it is built.

Status: whatever the operator's contract says. Where answers come one by one and without
a sequence, a retry is known as one only while the first is in flight, within two
seconds of its reply, or after the end; a later one cannot be told from an answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from phone.dialcode import NotADialCode, normalise
from ussd import fields
from ussd.envelope import addressed
from ussd.mapping import counterpart
from ussd.mapping.bodies import encoded, fields_at
from ussd.mapping.configuration import read_options
from ussd.mapping.moulds import Mould
from ussd.mapping.wires import ENDINGS
from ussd.turn import Answer, Call, DialEnd, Ending, Request, Turn, Unreadable

__all__ = ["Mapped"]

_NOT_IN_A_HEADER = re.compile(r"[^\x20-\x7e]")
# Whatever a mould may end or part its slots with.
_SCREEN = "1 a-b, {c}; d|e\n2 <f>: 0/1"


class Mapped:
    name: ClassVar[str] = "mapped"

    def __init__(
        self, *, region: str, options: Mapping[str, Any] | None = None
    ) -> None:
        self._region = region
        self._wire = read_options(options)
        self.session_alone = self._wire.session_alone
        self._try()

    def read(self, request: Request) -> Turn | DialEnd:
        wire = self._wire
        addressed(request, wire.method, at=("", wire.ends_at))
        is_end = bool(wire.ends_at) and request.path == wire.ends_at
        octets = request.query if wire.format == "query" else request.body
        found = fields_at(octets, wire.format, wire.paths, wire.root)
        kinds = wire.ends if is_end else wire.kind
        kind = kinds.of(found) if kinds is not None else "answer"
        if kind in ENDINGS:
            return self._end(found, Ending(kind))
        return self._turn(found, kind)

    def _turn(self, found: Mapping[str, str], kind: str) -> Turn:
        wire = self._wire
        starts = False
        if wire.cumulative:
            dialled, typed = self._gathered(found)
        elif starts := self._starts(found, kind):
            dialled, typed = self._dialled(found), ""
        else:
            typed = self._needed(found, "typed")
            dialled = wire.code
            if "dialled" in wire.fields:
                path = wire.fields["dialled"]
                value = "" if wire.starts_with_code else found.get(path, "")
                dialled = fields.optional_dialled(path, value)
        sequence = None
        if "sequence" in wire.fields:
            path = wire.fields["sequence"]
            sequence = fields.sequence(path, self._needed(found, "sequence"))
        return Turn(
            session=self._session(found),
            phone=self._phone(found),
            dialled=dialled,
            typed=typed,
            cumulative=wire.cumulative,
            starts=starts,
            sequence=sequence,
            echo=self._echo(found),
        )

    def _end(self, found: Mapping[str, str], how: Ending) -> DialEnd:
        alone = self.session_alone and not found.get(self._wire.fields["phone"])
        return DialEnd(
            session=self._session(found),
            phone="" if alone else self._phone(found),
            how=how,
            echo=self._echo(found),
        )

    # -- what stands where ------------------------------------------------------------

    def _needed(self, found: Mapping[str, str], name: str) -> str:
        path = self._wire.fields[name]
        return fields.complete(found, path)[path]

    def _session(self, found: Mapping[str, str]) -> str:
        if "session" not in self._wire.fields:
            return ""
        # XML may be set out in lines.
        said = self._needed(found, "session").strip()
        return fields.session(self._wire.fields["session"], said)

    def _phone(self, found: Mapping[str, str]) -> str:
        written = self._needed(found, "phone")
        return fields.phone(self._wire.fields["phone"], written, self._region)

    def _echo(self, found: Mapping[str, str]) -> Mapping[str, str]:
        repeated = [self._wire.fields["phone"], *self._wire.extras.values()]
        return {path: found[path] for path in repeated if path in found}

    def _starts(self, found: Mapping[str, str], kind: str) -> bool:
        """Whether this is the first request of a call."""
        wire = self._wire
        if wire.first == "kind":
            return kind == "start"
        typed = found.get(wire.fields["typed"], "")
        if wire.first == "empty":
            return not typed
        return _begins(typed, self._base(found))

    def _base(self, found: Mapping[str, str]) -> str:
        """The code that leads here, as far as the carrier or the operator says it."""
        wire = self._wire
        if "dialled" not in wire.fields or wire.starts_with_code:
            return wire.code
        path = wire.fields["dialled"]
        return fields.optional_dialled(path, found.get(path, "")) or wire.code

    def _dialled(self, found: Mapping[str, str]) -> str:
        """The whole code of a first request, whatever was dialled behind it too."""
        wire = self._wire
        if wire.first == "code":
            return normalise(found[wire.fields["typed"]])
        code = wire.code
        if "dialled" in wire.fields:
            path = wire.fields["dialled"]
            code = fields.dialled(path, self._needed(found, "dialled"))
        path = wire.fields.get("suffix", "")
        if suffix := found.get(path, "").strip().strip("*#"):
            code = fields.dialled(path, f"{code[:-1]}*{suffix}#")
        return code

    def _gathered(self, found: Mapping[str, str]) -> tuple[str, str]:
        """The code and what was typed behind it, of a cumulative text."""
        wire = self._wire
        typed = self._needed(found, "typed")
        base = wire.code[1:-1]
        if "dialled" not in wire.fields:
            return wire.code, typed
        path = wire.fields["dialled"]
        if wire.starts_with_code:
            whole = typed.strip().removeprefix("*").removesuffix("#")
            if not f"{whole}*".startswith(f"{base}*"):
                raise Unreadable(f"Field {path} does not begin with the code.")
            return wire.code, whole[len(base) + 1 :]
        dialled = fields.dialled(path, self._needed(found, "dialled"))
        whole = f"{dialled[1:-1]}*{typed}" if typed else dialled[1:-1]
        if base and f"{whole}*".startswith(f"{base}*"):
            return wire.code, whole[len(base) + 1 :]
        return dialled, typed

    # -- replies ----------------------------------------------------------------------

    def write(self, turn: Turn, text: str, *, ends: bool) -> Answer:
        replies = self._wire.replies
        values = self._values(turn.phone, turn.echo) | {
            "session": turn.session,
            "dialled": turn.dialled,
            "typed": turn.typed,
            "sequence": "" if turn.sequence is None else str(turn.sequence),
        }
        return self._answer(text, values, ends=ends, status=replies.status)

    def acknowledge(self, end: DialEnd) -> Answer:
        replies = self._wire.replies
        if replies.thanks is None:
            return Answer("OK")
        values = self._values(end.phone, end.echo) | {"session": end.session}
        return Answer(
            body=self._body(replies.thanks, values),
            status=replies.status,
            content_type=replies.content_type,
        )

    def refuse(self, reason: str, status: int) -> Answer:
        return self._answer(reason, {}, ends=True, status=status)

    def _values(self, phone: str, echo: Mapping[str, str]) -> dict[str, str]:
        """What slots hold: the number as it came, unless a way to write it is set."""
        wire = self._wire
        values = {name: echo.get(path, "") for name, path in wire.extras.items()}
        written = echo.get(wire.fields["phone"], phone)
        values["phone"] = wire.phone(phone) if wire.phone_as else written
        return values

    def _answer(
        self, text: str, values: Mapping[str, str], *, ends: bool, status: int
    ) -> Answer:
        replies = self._wire.replies
        newline = "\n" if replies.newline == "&#10;" else replies.newline
        shown = {**values, "text": text.replace("\n", newline)}
        name = "end" if ends else "go_on"
        return Answer(
            body=self._body(replies.end if ends else replies.go_on, shown),
            status=status,
            content_type=replies.content_type,
            headers={
                header: _NOT_IN_A_HEADER.sub("?", mould.fill(values))
                for header, mould in replies.headers[name].items()
            },
        )

    def _body(self, mould: Mould, values: Mapping[str, str]) -> str:
        replies = self._wire.replies
        return encoded(
            mould.fill(values),
            replies.format,
            declaration=replies.declaration,
            newline_entity=replies.newline == "&#10;",
        )

    # -- the carrier's side ---------------------------------------------------------

    def send(self, call: Call) -> Request:
        return counterpart.turn_of(self._wire, call)

    def send_end(self, call: Call, how: Ending) -> Request | None:
        return counterpart.end_of(self._wire, call, how)

    def heard(self, answer: Answer) -> tuple[str, bool]:
        return counterpart.heard(self._wire.replies, answer)

    def _try(self) -> None:
        """Raise ValueError where what this writes is not what it reads."""
        phone = "+989121234567" if self._region == "IR" else "+254711000000"
        call = Call("call-1", phone, self._wire.code or "*780*5588#")
        for answers in ((), ("1",), ("1", "2")):
            self._try_turn(replace(call, answers=answers))
        for how in Ending:
            sent = self.send_end(call, how)
            if sent is not None and not isinstance(self._tried(sent), DialEnd):
                raise ValueError("an end that the carrier's side writes is not read")

    def _try_turn(self, call: Call) -> None:
        which = "an answer" if call.answers else "a first request"
        turn = self._tried(self.send(call))
        typed = "*".join(call.answers)
        if isinstance(turn, Turn) and not turn.cumulative:
            typed = call.answers[-1] if call.answers else ""
        if (
            not isinstance(turn, Turn)
            or turn.typed != typed
            or not (turn.cumulative or turn.starts == (not call.answers))
        ):
            raise ValueError(f"{which} that the carrier's side writes is not read so")
        for ends in (False, True):
            try:
                heard = self.heard(self.write(turn, _SCREEN, ends=ends))
            except Unreadable as why:
                raise ValueError(
                    f"reply: what is written is not heard: {why}"
                ) from None
            if heard != (_SCREEN, ends):
                raise ValueError("reply: a last screen cannot be told from another")

    def _tried(self, request: Request) -> Turn | DialEnd:
        try:
            return self.read(request)
        except Unreadable as why:
            raise ValueError(
                f"what the carrier's side writes is not read: {why}"
            ) from None


def _begins(typed: str, code: str) -> bool:
    """Whether this is a dial code, and of those that begin with `code`."""
    shown = typed.strip()
    # Bare digits are an answer, whichever code they would be.
    if not code or not {shown[:1], shown[-1:]} & {"*", "#"}:
        return False
    try:
        return f"{normalise(shown)[:-1]}*".startswith(f"{code[:-1]}*")
    except NotADialCode:
        return False
