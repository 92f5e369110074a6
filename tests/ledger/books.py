"""A small campaign's books, kept through the same functions as the service's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    NullPool,
    create_engine,
    insert,
    inspect,
    text,
)

from ledger import chart, deliveries, events, gifts, payments, people, pledges, signups
from ledger.engine import writing
from ledger.events import Moved
from ledger.payments import Kind, Paid, Payment
from ledger.schema import metadata, outbox
from ledger.vault import Keys

KEYS = Keys(vault=b"v" * 32, index=b"i" * 32, code=b"c" * 32)
NOON = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)  # noon in Tehran
CAMPAIGN = "one-plus-one"


@dataclass
class Books:
    """Records what a test asks for, a second after what it recorded before."""

    engine: Engine
    at: datetime = NOON
    name: str = "test"
    _keys: Iterator[int] = field(default_factory=count)

    def pledge(
        self,
        phone: str = "+989121234567",
        amount: int = 750_000,
        *,
        campaign: str = CAMPAIGN,
        purpose: str = "nowruz",
        unit: str = "rial",
        channel: str = "at",
        test: bool = False,
    ) -> tuple[int, str]:
        """Pledge and give the event's id and the code."""
        with self._writing() as db:
            person = people.remember(db, KEYS, phone, at=self.at)
            made = pledges.record_pledge(
                db,
                KEYS,
                key=self._key(),
                person_id=person.id,
                campaign=campaign,
                purpose=purpose,
                unit=unit,
                amount=amount,
                channel=channel,
                test=test,
                at=self.at,
            )
            assert made.code is not None
            return made.event_id, made.code

    def pay(
        self, pledge_id: int | None, amount: int, reference: str = "", **told: Any
    ) -> Paid:
        """Pay a pledge of either kind as a payment service tells it, or nobody's."""
        with self._writing() as db:
            pledge = None if pledge_id is None else pledges.pledge_by_id(db, pledge_id)
            told = {
                "source": "psp",
                "outside_id": self._key(),
                "code": pledge.code if pledge else None,
                "reference": reference or None,
                "paid_at": self.at,
            } | told
            return payments.pay(
                db,
                KEYS,
                Payment(kind=Kind.PAYMENT, amount=amount, **told),
                channel="psp",
                test=pledge.test if pledge else False,
                at=self.at,
            )

    def give(
        self,
        amount: int,
        phone: str | None = None,
        *,
        campaign: str = CAMPAIGN,
        test: bool = False,
    ) -> Paid:
        """Give at a till."""
        with self._writing() as db:
            told = Payment(
                "shop", self._key(), Kind.PAYMENT, amount, self.at, phone=phone
            )
            return gifts.give_at_till(
                db,
                KEYS,
                told,
                campaign=campaign,
                purpose="nowruz",
                channel="shop",
                partner="corner-shop",
                test=test,
                at=self.at,
            )

    def give_back(self, amount: int, kind: Kind = Kind.REFUND, **told: Any) -> Paid:
        """Have the payment service say that money went back."""
        with self._writing() as db:
            told = {
                "source": "psp",
                "outside_id": self._key(),
                "paid_at": self.at,
            } | told
            return payments.told_back(
                db,
                KEYS,
                Payment(kind=kind, amount=amount, **told),
                channel="psp",
                test=False,
                at=self.at,
            )

    def agree_refund(self, event_id: int, amount: int) -> None:
        """Owe a donor money of a pledge or a gift, as two people agreed."""
        moved = Moved(
            chart.donation(CAMPAIGN, "nowruz"),
            chart.refund(CAMPAIGN),
            "rial",
            amount,
            "reversal",
        )
        self.move(moved, kind="refund", about_id=event_id)

    def expire(self, pledge_id: int, amount: int) -> None:
        self._resolve(pledge_id, amount, "pledge.expire", "expire")

    def write_off(self, pledge_id: int, amount: int) -> None:
        self._resolve(pledge_id, amount, "pledge.write_off", "void")

    def cancel(self, code: str, phone: str = "+989121234567") -> None:
        with self._writing() as db:
            person = people.find(db, KEYS, phone)
            assert person is not None
            done = pledges.cancel_pledge(
                db,
                key=self._key(),
                person_id=person.id,
                code=code,
                channel="at",
                test=False,
                at=self.at,
            )
            assert done.outcome == "cancelled"

    def sign_up(
        self, phone: str = "+989121234567", *, place: str = "ری", test: bool = False
    ) -> tuple[int, str]:
        with self._writing() as db:
            person = people.remember(db, KEYS, phone, at=self.at)
            made = signups.sign_up(
                db,
                KEYS,
                key=self._key(),
                person_id=person.id,
                campaign=CAMPAIGN,
                place_kind="town",
                place=place,
                province="23",
                district=None,
                skill="teaching",
                time="evening",
                consent="ab" * 32,
                channel="at",
                test=test,
                at=self.at,
            )
            return made.recorded.event_id, made.code

    def ask_delivery(
        self, phone: str = "+989121234567", *, test: bool = False
    ) -> tuple[int, str]:
        """Ask for a delivery through a centre; its event and its code."""
        with self._writing() as db:
            person = people.remember(db, KEYS, phone, at=self.at)
            asked = deliveries.request(
                db,
                KEYS,
                key=self._key(),
                person_id=person.id,
                campaign=CAMPAIGN,
                place="c1",
                district="23-t1",
                centre="c1",
                queue="c1",
                call_back=True,
                due_at=self.at + timedelta(hours=72),
                channel="at",
                test=test,
                at=self.at,
            )
            assert asked.recorded is not None
            return asked.recorded.event_id, asked.code

    def promise(self, event_id: int, state: str, template: str = "sms.pledge") -> None:
        """Leave a text of this event in the outbox, as far as `state`."""
        with self._writing() as db:
            person_id = db.scalar(
                text("SELECT person_id FROM event WHERE id = :id"), {"id": event_id}
            )
            db.execute(
                insert(outbox).values(
                    event_id=event_id,
                    person_id=person_id,
                    template=template,
                    slots={},
                    language="fa",
                    menus="ab" * 32,
                    kind="receipt",
                    test=False,
                    state=state,
                    promised_at=self.at,
                    due_at=self.at,
                    expires_at=self.at + timedelta(days=1),
                    changed_at=self.at,
                )
            )

    def move(
        self,
        moved: Moved,
        *,
        kind: str = "delivery",
        about_id: int | None = None,
        campaign: str = CAMPAIGN,
        test: bool = False,
    ) -> int:
        """Record one transfer of any kind, and give its event's id."""
        with self._writing() as db:
            return events.record(
                db,
                key=self._key(),
                kind=kind,
                body={},
                moved=[moved],
                about_id=about_id,
                campaign=campaign,
                channel="at",
                test=test,
                at=self.at,
            ).event_id

    def _resolve(self, pledge_id: int, amount: int, kind: str, phase: str) -> None:
        with self._writing() as db:
            pledge = pledges.lock_pledge(db, pledge_id)
            events.record(
                db,
                key=self._key(),
                kind=kind,
                body={},
                moved=[pledges.resolving(pledge, amount, phase)],
                about_id=pledge_id,
                campaign=pledge.campaign,
                channel="at",
                test=False,
                at=self.at,
            )

    def _key(self) -> str:
        return f"{self.name}:{next(self._keys)}"

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        self.at += timedelta(seconds=1)
        with writing(self.engine) as db:
            yield db


@contextmanager
def unguarded(engine: Engine) -> Iterator[Connection]:
    """Write past every guard, as a repair by hand or a bad restore would."""
    other = create_engine(engine.url, poolclass=NullPool)
    with other.connect() as db:
        if engine.dialect.name == "postgresql":
            db.execute(text("SET session_replication_role = replica"))
            for name in (table.name for table in metadata.sorted_tables):
                db.execute(text(f'ALTER TABLE "{name}" DISABLE TRIGGER USER'))
                for key in inspect(db).get_check_constraints(name):
                    drop = f'ALTER TABLE "{name}" DROP CONSTRAINT "{key["name"]}"'
                    db.execute(text(drop))
        else:
            db.exec_driver_sql("PRAGMA foreign_keys = OFF")
            db.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
            guards = db.exec_driver_sql(
                "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            )
            for (name,) in guards.all():
                db.exec_driver_sql(f'DROP TRIGGER "{name}"')
        yield db
        db.commit()
