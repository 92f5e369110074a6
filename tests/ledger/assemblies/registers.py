"""A district's assembly as the tests fill it: one call a line."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from ledger.assemblies import benefactors, claims, decisions, meetings, premises
from ledger.assemblies.benefactors import Joined, Said
from ledger.assemblies.decisions import Decision
from ledger.assemblies.meetings import Meeting
from ledger.events import Recorded
from tests.ledger.facts import AT, KEYS, PHONE, caller

ZONE = ZoneInfo("Asia/Tehran")
TODAY = AT.astimezone(ZONE).date()  # 1405/09/01
ELEVEN, TWELVE = "23-t11", "23-t12"
SOON = AT + timedelta(days=10)


@dataclass
class Registers:
    """Acts in one connection, each under a key of its own unless one is given."""

    db: Connection
    district: str = ELEVEN
    test: bool = False
    name: str = "test"
    _keys: Any = field(default_factory=lambda: count(1))

    def key(self) -> str:
        return f"{self.name}:{self.district}:{next(self._keys)}"

    def join(
        self,
        phone: str = PHONE,
        *,
        key: str = "",
        capacity: str = "goods",
        amount: int = 20,
        covers: int = 30,
        name: str | None = None,
        at: datetime = AT,
    ) -> Joined:
        return benefactors.join(
            self.db,
            KEYS,
            key=key or self.key(),
            person_id=caller(self.db, phone),
            district=self.district,
            said=Said(benefactors.Kind.PERSON, capacity, amount, covers),
            name=name,
            channel="at",
            test=self.test,
            at=at,
        )

    def plan(self, meets_at: datetime = SOON, *, key: str = "") -> Meeting:
        _, made = meetings.plan(
            self.db,
            key=key or self.key(),
            district=self.district,
            meets_at=meets_at,
            venue="سرای محله",
            by="sara",
            channel="operator",
            test=self.test,
            at=AT,
        )
        return made

    def decide(
        self,
        title: str = "تعمیر مدرسه",
        *,
        key: str = "",
        kind: decisions.Kind = decisions.Kind.RESOLUTION,
        owner_id: int | None = None,
        days: int = 90,
    ) -> Decision:
        _, made = decisions.decide(
            self.db,
            key=key or self.key(),
            district=self.district,
            title=title,
            kind=kind,
            owner="معاونت اجتماعی",
            owner_id=owner_id,
            due_on=TODAY + timedelta(days=days),
            today=TODAY,
            by="sara",
            channel="operator",
            test=self.test,
            at=AT,
        )
        return made

    def claim(
        self,
        decision: Decision,
        person_id: int,
        said: claims.Claim = claims.Claim.DONE,
        *,
        key: str = "",
    ) -> claims.Settled:
        return claims.claim(
            self.db,
            key=key or self.key(),
            decision=decision,
            person_id=person_id,
            said=said,
            channel="at",
            at=AT,
        )

    def confirm(self, decision: Decision, *, key: str = "") -> claims.Settled:
        return claims.confirm(
            self.db,
            key=key or self.key(),
            decision=decision,
            by="sara",
            channel="operator",
            at=AT,
        )

    def room(
        self,
        side: premises.Side,
        phone: str = PHONE,
        *,
        kind: str = "hall",
        metres: int = 100,
        key: str = "",
    ) -> Recorded | None:
        return premises.register(
            self.db,
            key=key or self.key(),
            person_id=caller(self.db, phone),
            district=self.district,
            side=side,
            kind=kind,
            square_metres=metres,
            channel="at",
            test=self.test,
            at=AT,
        )
