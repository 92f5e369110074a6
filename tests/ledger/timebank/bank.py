"""A small time bank, kept through the same functions as the service's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from sqlalchemy import Engine

from ledger import people
from ledger.engine import reading, writing
from ledger.timebank import favours, hours, introductions
from ledger.timebank.favours import Added, Side
from ledger.timebank.hours import Done
from ledger.timebank.introductions import Introduction, Step
from ledger.timebank.standing import HOUR, Limits, Standing, standing_of
from tests.ledger.books import KEYS, NOON

CAMPAIGN = "salam-mahalle"
GIVER = "+989121234567"
RECEIVER = "+989351234567"
OTHER = "+989011234567"
LIMITS = Limits(floor=-10 * HOUR, ceiling=40 * HOUR)


@dataclass
class Bank:
    """Does what a test asks for, a second after what it did before."""

    engine: Engine
    at: datetime = NOON
    limits: Limits = LIMITS
    _keys: Iterator[int] = field(default_factory=count)

    def person(self, phone: str) -> int:
        with writing(self.engine) as db:
            return people.remember(db, KEYS, phone, at=self.at).id

    def add(
        self,
        phone: str,
        side: Side,
        hours: int = 2,
        *,
        kind: str = "lessons",
        place: str | None = "23-t11",
        key: str | None = None,
        test: bool = False,
    ) -> Added:
        moment, person_id = self.moment(), self.person(phone)
        with writing(self.engine) as db:
            return favours.add(
                db,
                KEYS,
                key=key or self.key(),
                person_id=person_id,
                campaign=CAMPAIGN,
                side=side,
                kind=kind,
                minutes=hours * HOUR,
                venue="house",
                place=place,
                district=place,
                centre=None,
                limits=self.limits,
                channel="at",
                test=test,
                at=moment,
            )

    def favour(self, phone: str, side: Side, hours: int = 2) -> int:
        """An offer or a need, and its id."""
        added = self.add(phone, side, hours)
        assert added.recorded is not None
        return added.recorded.event_id

    def ask(
        self,
        hours: int = 2,
        *,
        giver: str = GIVER,
        receiver: str = RECEIVER,
    ) -> Introduction:
        """An offer and a need of so many hours, whose giver is asked."""
        offer_id = self.favour(giver, Side.OFFER, hours)
        need_id = self.favour(receiver, Side.NEED, hours)
        moment = self.moment()
        with writing(self.engine) as db:
            found = introductions.ask(
                db,
                offer_id=offer_id,
                need_id=need_id,
                minutes=hours * HOUR,
                place="c1",
                at=moment,
                expires_at=moment + timedelta(days=1),
            )
        assert found is not None
        return found

    def accept(self, one: Introduction, phone: str = GIVER, key: str = "") -> Step:
        moment, person_id = self.moment(), self.person(phone)
        with writing(self.engine) as db:
            return introductions.accept(
                db,
                key=key or self.key(),
                introduction_id=one.id,
                person_id=person_id,
                channel="at",
                test=one.test,
                at=moment,
            )

    def tell(
        self,
        one: Introduction,
        phone: str | None = GIVER,
        hours_told: int = 2,
        key: str = "",
    ) -> Done:
        moment = self.moment()
        person_id = None if phone is None else self.person(phone)
        with writing(self.engine) as db:
            return hours.tell(
                db,
                KEYS,
                key=key or self.key(),
                introduction_id=one.id,
                person_id=person_id,
                minutes=hours_told * HOUR,
                by="giver",
                channel="at",
                test=one.test,
                at=moment,
            )

    def told(self, hours_told: int = 2, **two: str) -> Done:
        """Hours that wait for the receiver's word."""
        one = self.ask(hours_told, **two)
        assert not self.accept(one, two.get("giver", GIVER)).is_late
        return self.tell(one, two.get("giver", GIVER), hours_told)

    def confirm(
        self, code: str, phone: str = RECEIVER, key: str = "", test: bool = False
    ) -> Done:
        moment, person_id = self.moment(), self.person(phone)
        with writing(self.engine) as db:
            return hours.confirm(
                db,
                key=key or self.key(),
                hours_code=code,
                person_id=person_id,
                limits=self.limits,
                channel="at",
                test=test,
                at=moment,
            )

    def dispute(self, code: str, phone: str = RECEIVER, key: str = "") -> Done:
        moment, person_id = self.moment(), self.person(phone)
        with writing(self.engine) as db:
            return hours.dispute(
                db,
                key=key or self.key(),
                hours_code=code,
                person_id=person_id,
                channel="at",
                test=False,
                at=moment,
            )

    def standing(self, phone: str, *, test: bool = False) -> Standing:
        person_id = self.person(phone)
        with reading(self.engine) as db:
            return standing_of(db, person_id=person_id, test=test)

    def key(self) -> str:
        return f"at:{next(self._keys)}"

    def moment(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at
