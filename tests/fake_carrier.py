"""A carrier without a network: it answers what it is told and remembers what it got."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from threading import Lock
from typing import ClassVar, Self

from sms.carrier import (
    Inbound,
    Outbound,
    Outcome,
    Posted,
    Question,
    Receipt,
    Reply,
    Result,
    Tools,
    Unreadable,
)


class FakeCarrier:
    """Takes everything unless `answers` says otherwise; `known` are ids it has."""

    name: ClassVar[str] = "fake"
    can_look_up: bool = True
    ids_are_ours: bool = False
    needs: ClassVar[tuple[str, ...]] = ()
    knows: ClassVar[tuple[str, ...]] = ()
    reply = Reply()

    def __init__(self, *answers: Result | Exception) -> None:
        self.answers = deque(answers)
        self.sent: list[Outbound] = []
        self.asked: list[str] = []
        self.questions: list[Question] = []
        self.found: dict[str, Result] = {}
        self._lock = Lock()

    @classmethod
    def build(cls, options: Mapping[str, str], tools: Tools) -> Self:
        return cls()

    def send(self, message: Outbound) -> Result:
        with self._lock:
            self.sent.append(message)
            answer = self.answers.popleft() if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer or Result(Outcome.ACCEPTED, carrier_id=f"fake-{message.id}")

    def look_up(self, question: Question) -> Result | None:
        with self._lock:
            self.asked.append(question.id)
            self.questions.append(question)
            return self.found.get(question.id)

    def read_receipts(self, posted: Posted) -> tuple[Receipt, ...]:
        raise Unreadable("a fake sends no receipts")

    def read_inbound(self, posted: Posted) -> tuple[Inbound, ...]:
        raise Unreadable("a fake receives no texts")
