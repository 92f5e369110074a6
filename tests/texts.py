"""Texts for tests: promised as the service promises them, read back as they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import select

from ledger import attempts, claims, events, outbox, people
from ledger.claims import Claimed
from ledger.engine import Engine, reading, writing
from ledger.outbox import Kind, State
from ledger.schema import attempt
from ledger.schema import outbox as outbox_table
from ledger.vault import Keys
from sms.calls import reference

KEYS = Keys(vault=b"v" * 32, index=b"i" * 32, code=b"c" * 32)
NOON = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
PHONE = "+989121234567"


@dataclass(frozen=True)
class Promise:
    """As much of an outbox row as its reference is made of."""

    id: int
    promised_at: datetime


@dataclass
class Texts:
    """Promises, claims and reads texts at a time that the test moves."""

    engine: Engine
    at: datetime = NOON
    _numbers: Iterator[int] = field(default_factory=count)

    def now(self) -> datetime:
        return self.at

    def wait(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    def promise(
        self,
        kind: Kind = Kind.RECEIPT,
        *,
        phone: str = PHONE,
        slots: Mapping[str, str | int] | None = None,
        test: bool = False,
        expires_in_seconds: float = 6 * 3600,
        template: str = "sms.pledge",
    ) -> int:
        with writing(self.engine) as db:
            person = people.remember(db, KEYS, phone, at=self.at)
            event = events.record(
                db,
                key=f"texts-{next(self._numbers)}",
                kind="test",
                body={},
                person_id=person.id,
                channel="at",
                test=test,
                at=self.at,
            )
            return outbox.promise(
                db,
                event_id=event.event_id,
                person_id=person.id,
                template=template,
                slots=slots or {"amt": 75_000},
                language="fa",
                menus="m" * 64,
                kind=kind,
                campaign="one-plus-one",
                test=test,
                at=self.at,
                expires_at=self.at + timedelta(seconds=expires_in_seconds),
            )

    def claim(
        self,
        owner: str = "a",
        *,
        limit: int = 10,
        lease_seconds: float = 30,
        **more: Any,
    ) -> list[Claimed]:
        with writing(self.engine) as db:
            return claims.claim(
                db,
                owner=owner,
                at=self.at,
                lease_seconds=lease_seconds,
                limit=limit,
                **more,
            )

    def begin(
        self, outbox_id: int, owner: str = "a", *, carrier: str = "kave", **more: Any
    ) -> int | None:
        """Begin an attempt as deliveries do; its number."""
        begun = attempts.Begun(outbox_id, carrier, **more)
        with writing(self.engine) as db:
            numbers = attempts.begin(
                db, [begun], owner=owner, at=self.at, lease_seconds=30
            )
        return numbers.get(outbox_id)

    def end(
        self,
        outbox_id: int,
        outcome: str,
        state: State | None,
        *,
        owner: str = "a",
        number: int = 1,
        **more: Any,
    ) -> None:
        """End an attempt as deliveries do."""
        ended = attempts.Ended(outbox_id, number, outcome, state, **more)
        with writing(self.engine) as db:
            attempts.end(db, [ended], owner=owner, at=self.at)

    def row(self, outbox_id: int) -> Any:
        with reading(self.engine) as db:
            return db.execute(
                select(outbox_table).where(outbox_table.c.id == outbox_id)
            ).one()

    def reference(self, outbox_id: int) -> str:
        """What carriers are told that the text is called."""
        return reference(KEYS, self.row(outbox_id))

    def state(self, outbox_id: int) -> str:
        state: str = self.row(outbox_id).state
        return state

    def attempts(self, outbox_id: int) -> list[Any]:
        with reading(self.engine) as db:
            return list(
                db.execute(
                    select(attempt)
                    .where(attempt.c.outbox_id == outbox_id)
                    .order_by(attempt.c.number)
                )
            )

    def outcomes(self, outbox_id: int) -> list[str | None]:
        return [row.outcome for row in self.attempts(outbox_id)]
