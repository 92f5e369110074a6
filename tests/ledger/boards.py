"""A year of all systems over all districts, as the tests of the board fill it.

Everything comes in through the functions that the service calls. What is how much is
drawn from a seed, so that no two districts are alike.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from random import Random
from typing import Any

from sqlalchemy import Engine

from ledger import deliveries, delivering, needs, people, signups
from ledger.assemblies import benefactors, meetings
from ledger.assemblies.decisions import Kind
from ledger.assemblies.premises import Side as Room
from ledger.engine import Connection, reading, writing
from ledger.places.importing import bring_in
from ledger.places.stored import read_tree
from ledger.places.tree import Place, Tree
from ledger.signup_changes import leave
from ledger.signups import Placed
from ledger.timebank import hours, introductions
from ledger.timebank.favours import Side
from ledger.timebank.hours import Done
from ledger.timebank.standing import HOUR
from tests.ledger.assemblies.registers import Registers
from tests.ledger.books import NOON, Books
from tests.ledger.facts import KEYS
from tests.ledger.purchases import Shop
from tests.ledger.timebank.bank import Bank

__all__ = ["CAMPAIGN", "DISTRICTS", "NAHIYEH", "TOWN", "Year", "settle"]

CAMPAIGN = "salam-mahalle"
DISTRICTS = [f"23-t{number}" for number in range(1, 23)]
NAHIYEH = "23-t11-2"
TOWN = "23-tehran"
SOON = NOON + timedelta(days=3)
PLACES = (
    Place("ir", "country", None, {"fa": "ایران"}),
    Place("23", "province", "ir", {"fa": "تهران"}),
    Place(TOWN, "town", "23", {"fa": "تهران"}),
    *(
        Place(code, "district", TOWN, {"fa": f"منطقه {n}", "en": f"District {n}"})
        for n, code in enumerate(DISTRICTS, 1)
    ),
    Place(NAHIYEH, "nahiyeh", "23-t11", {"fa": "ناحیه ۲"}),
    Place("c11023", "centre", NAHIYEH, {"fa": "مرکز الف"}, dial="11023"),
    Place("c11449", "centre", "23-t1", {"fa": "مرکز ب"}, dial="11449"),
    Place("16", "province", "ir", {"fa": "ایلام"}),
    Place("16-ilam", "town", "16", {"fa": "ایلام"}),
)
# Where people are who are in no district, or whom nobody asked.
OTHERS = ["16-ilam", "23", None]


def settle(engine: Engine) -> None:
    """Have the places be known."""
    with writing(engine) as db:
        bring_in(db, read_tree(db), PLACES, by="test", at=NOON)


@dataclass
class Year:
    """Fills one ledger."""

    engine: Engine
    random: Random = field(default_factory=lambda: Random(7))
    _numbers: Any = field(default_factory=lambda: count(1))

    def fill(self, most: int = 4) -> None:
        """Let everything happen everywhere, up to so many times."""
        settle(self.engine)
        places = [*DISTRICTS, NAHIYEH, "c11023", "c11449", *OTHERS]
        with reading(self.engine) as db:
            tree = read_tree(db)
        with writing(self.engine) as db:
            for place in places:
                above = _above(tree, place)
                for _ in range(self.random.randint(1, most)):
                    self.volunteer(db, above)
                    self.delivery(db, above)
                self.volunteer(db, above, test=True)
                self.need(db, above)
            for district in DISTRICTS:
                self.assembly(db, district)
        self.hours()
        self.parcels()

    def volunteer(self, db: Connection, at: Placed, *, test: bool = False) -> None:
        person_id = self.person(db)
        signups.sign_up(
            db,
            KEYS,
            key=self.key(),
            person_id=person_id,
            campaign=CAMPAIGN,
            place_kind="town",
            place=None,
            province=None,
            district=None,
            skill="teaching",
            time="when-needed",
            consent="m" * 64,
            placed=at,
            channel="at",
            test=test,
            at=NOON,
        )
        if self.random.random() < 0.2:
            leave(
                db,
                key=self.key(),
                person_id=person_id,
                campaign=CAMPAIGN,
                placed=at,
                channel="at",
                test=test,
                at=NOON,
            )

    def delivery(self, db: Connection, at: Placed) -> None:
        made = deliveries.request(
            db,
            KEYS,
            key=self.key(),
            person_id=self.person(db),
            campaign=CAMPAIGN,
            place=at.place_code,
            district=at.district,
            centre=at.centre,
            queue=at.centre or "operator",
            call_back=False,
            due_at=NOON + timedelta(hours=self.random.choice([-1, 72])),
            channel="at",
            test=False,
            at=NOON,
        )
        assert made.recorded is not None
        act = self.random.choice([None, delivering.take, delivering.deliver])
        if act is not None:
            act(
                db,
                key=self.key(),
                delivery_id=made.recorded.event_id,
                by="sara",
                channel="operator",
                at=NOON,
            )

    def need(self, db: Connection, at: Placed) -> None:
        made = needs.raise_need(
            db,
            key=self.key(),
            campaign=CAMPAIGN,
            place=at.place_code or "ir",
            title="درس ریاضی",
            skill="teaching",
            vacancies=self.random.randint(1, 9),
            urgency=3,
            meets_at=SOON,
            district=at.district,
            centre=at.centre,
            by="sara",
            test=False,
            at=NOON,
        )
        if self.random.random() < 0.3:
            needs.close(db, need_id=made.event_id, by="sara", at=NOON)

    def assembly(self, db: Connection, district: str) -> None:
        of, many = Registers(db, district), self.random.randint
        for _ in range(many(1, 3)):
            of.join(self.phone(), covers=many(0, 40))
        phone = self.phone()
        of.join(phone)
        benefactors.leave(
            db,
            key=of.key(),
            person_id=people.remember(db, KEYS, phone, at=NOON).id,
            district=district,
            channel="at",
            test=False,
            at=NOON,
        )
        of.confirm(of.decide())
        for kind in Kind:
            for _ in range(many(0, 2)):
                of.decide(kind=kind, days=many(0, 1))
        made = of.plan()
        if many(0, 1):
            meetings.hold(
                db,
                key=of.key(),
                meeting_id=made.event_id,
                came=9,
                by="sara",
                channel="operator",
                at=made.meets_at,
            )
        for side in (Room.OFFER, Room.NEED):
            for _ in range(many(0, 2)):
                of.room(side, self.phone())

    def hours(self) -> None:
        """Hours that are offered, needed, given, told and taken back."""
        bank = Bank(self.engine)
        for district in DISTRICTS:
            for side in (Side.OFFER, Side.NEED):
                bank.add(self.phone(), side, self.random.randint(1, 8), place=district)
            for _ in range(self.random.randint(0, 2)):
                done, receiver = self._told(bank, district, self.random.randint(1, 3))
                act = self.random.choice(["wait", "confirm", "reverse"])
                if act != "wait":
                    bank.confirm(done.code, receiver)
                if act == "reverse":
                    self._take_back(bank, done.code)

    def _told(self, bank: Bank, district: str, told: int) -> tuple[Done, str]:
        giver, receiver = self.phone(), self.phone()
        offer = bank.add(giver, Side.OFFER, told, place=district).recorded
        need = bank.add(receiver, Side.NEED, told, place=district).recorded
        assert offer is not None
        assert need is not None
        with writing(self.engine) as db:
            one = introductions.ask(
                db,
                offer_id=offer.event_id,
                need_id=need.event_id,
                minutes=told * HOUR,
                place=district,
                at=bank.moment(),
                expires_at=bank.at + timedelta(days=1),
            )
        assert one is not None
        bank.accept(one, giver)
        done = bank.tell(one, giver, told)
        return done, receiver

    def _take_back(self, bank: Bank, code: str) -> None:
        with writing(self.engine) as db:
            hours.reverse(
                db,
                key=self.key(),
                hours_code=code,
                request_id=1,
                by="sara",
                limits=bank.limits,
                at=bank.moment(),
            )

    def parcels(self) -> None:
        """Goods that are given out, and of which some come back."""
        shop = Shop(Books(self.engine))
        shop.given(10_000_000)
        shop.buy(9_000_000, quantity=900)
        shop.send(900)
        for number in range(1, 23):
            shop.deliver(self.random.randint(5, 20), district=str(number))
        shop.deliver(3)
        shop.take_back(2, delivered=True, district="5")

    def person(self, db: Connection) -> int:
        return people.remember(db, KEYS, self.phone(), at=NOON).id

    def phone(self) -> str:
        return f"+98913{next(self._numbers):07}"

    def key(self) -> str:
        return f"year:{next(self._numbers)}"


def _above(tree: Tree, place: str | None) -> Placed:
    if place is None:
        return Placed()
    district, centre = tree.above(place, "district"), tree.above(place, "centre")
    return Placed(
        place,
        district.code if district is not None else None,
        centre.code if centre is not None else None,
    )
