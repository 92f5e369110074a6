"""Purchases and movements as tests ask for them, and the money behind them."""

from __future__ import annotations

from dataclasses import dataclass

from ledger import batches, chart, events, funds
from ledger.batches import Done, Movement, Purchase
from ledger.engine import reading, writing
from ledger.events import Moved
from tests.ledger.books import CAMPAIGN, Books

PURPOSE = "nowruz"


@dataclass
class Shop:
    """Whoever buys and hands out for the campaign of some books."""

    books: Books
    purpose: str = PURPOSE
    test: bool = False

    def given(self, amount: int, phone: str = "+989121234567") -> int:
        """Have a pledge made and paid whole; its event's id."""
        pledge_id, _ = self.books.pledge(phone, amount, purpose=self.purpose)
        self.books.pay(pledge_id, amount)
        return pledge_id

    def gift(self, amount: int) -> int:
        """Have nobody known give; the event's id."""
        moved = Moved(
            chart.suspense("till"),
            chart.donation(CAMPAIGN, self.purpose),
            "rial",
            amount,
            "single",
        )
        return self._record("gift", moved, None)

    def taken_back(self, about_id: int, amount: int) -> int:
        """Have money of a pledge or gift be gone, asked for or not."""
        moved = Moved(
            chart.donation(CAMPAIGN, self.purpose),
            chart.settle("psp"),
            "rial",
            amount,
            "reversal",
        )
        return self._record("reversal", moved, about_id)

    def purchase(self, cost: int, **other: object) -> Purchase:
        asked: dict[str, object] = {
            "key": f"batch:{self.books._key()}",
            "campaign": CAMPAIGN,
            "purpose": self.purpose,
            "title": "بسته نوروزی",
            "unit": "parcel",
            "quantity": 10,
            "cost": cost,
            "bank": "main",
            "by": "sara",
            "test": self.test,
            "at": self.books.at,
        }
        return Purchase(**(asked | other))  # type: ignore[arg-type]

    def buy(self, cost: int, **other: object) -> Done:
        asked = self.purchase(cost, **other)
        with writing(self.books.engine) as db:
            return batches.buy(db, asked)

    def movement(self, quantity: int, **other: object) -> Movement:
        asked: dict[str, object] = {
            "key": f"move:{self.books._key()}",
            "campaign": CAMPAIGN,
            "number": 1,
            "partner": "tapsi",
            "quantity": quantity,
            "by": "sara",
            "test": self.test,
            "at": self.books.at,
        }
        return Movement(**(asked | other))  # type: ignore[arg-type]

    def send(self, quantity: int, **other: object) -> Done:
        asked = self.movement(quantity, **other)
        with writing(self.books.engine) as db:
            return batches.send(db, asked)

    def deliver(self, quantity: int, **other: object) -> Done:
        asked = self.movement(quantity, **other)
        with writing(self.books.engine) as db:
            return batches.deliver(db, asked)

    def take_back(
        self, quantity: int, *, delivered: bool = False, **other: object
    ) -> Done:
        asked = self.movement(quantity, **other)
        with writing(self.books.engine) as db:
            return batches.take_back(db, asked, delivered=delivered)

    def shares(self, event_id: int) -> list[tuple[int, int]]:
        """Which batches a gift paid for, and with how much."""
        with reading(self.books.engine) as db:
            return [
                (share.number, share.amount) for share in funds.became(db, event_id)
            ]

    def unspent(self) -> int:
        with reading(self.books.engine) as db:
            return funds.unspent(
                db, campaign=CAMPAIGN, purpose=self.purpose, test=self.test
            )

    def _record(self, kind: str, moved: Moved, about_id: int | None) -> int:
        with self.books._writing() as db:
            return events.record(
                db,
                key=self.books._key(),
                kind=kind,
                body={},
                moved=[moved],
                about_id=about_id,
                campaign=CAMPAIGN,
                purpose=self.purpose,
                channel="till",
                test=self.test,
                at=self.books.at,
            ).event_id
