"""Money and goods that are promised, come in, are found out about, and go back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from ledger import events, expiring, gifts, inkind, payments, people, pledges
from ledger.engine import writing
from ledger.payments import Kind, Payment
from phone.codes import code_of
from tests.ledger.beside import PURPOSES, Beside
from tests.ledger.books import KEYS, NOON
from tests.ledger.model import CAMPAIGN

T = TypeVar("T")

PHONES = ("+989121234567", "+989351234567", "+989011234567")
NOBODYS = "999999999"

# Few amounts: payments then often fit a promise, and often two of them.
rial = st.sampled_from((100, 200, 300, 500))
parcels = st.integers(1, 6)
phone = st.sampled_from(PHONES)
purpose = st.sampled_from(PURPOSES)
which = st.integers(0, 30)
# At which statement an act dies; if it has not so many, its answer is lost.
death = st.one_of(st.none(), st.none(), st.integers(1, 15))


def pick(things: Sequence[T], which: int) -> T:
    """The newest for 0, so that shrinking keeps to what was made just now."""
    return things[-1 - which % len(things)]


class Money(Beside):
    """What donors, payment services and tills do, and who looks after suspense."""

    # --- what the world does -------------------------------------------------

    @rule(phone=phone, purpose=purpose, amount=rial, death=death)
    def pledge(self, phone: str, purpose: str, amount: int, death: int | None) -> None:
        self._pledge(self._key("dial"), phone, purpose, "rial", amount, death)

    @rule(phone=phone, purpose=purpose, amount=parcels, death=death)
    def pledge_in_kind(
        self, phone: str, purpose: str, amount: int, death: int | None
    ) -> None:
        self._pledge(self._key("dial"), phone, purpose, "parcel", amount, death)

    @rule(
        which=which,
        amount=rial,
        by=st.sampled_from(("code", "phone", "both", "nobodys")),
        death=death,
    )
    def pay(self, which: int, amount: int, by: str, death: int | None) -> None:
        made = self._made("dial")
        name = pick(made, which) if made else None
        if by in ("phone", "both"):
            donor = self.model.given[name].donor if name else None
            number = donor[0] if donor else PHONES[which % len(PHONES)]
        else:
            number = None
        code = name if by in ("code", "both") else None
        if code is None and number is None:
            code = "nobodys"
        self._pay(self._key("psp"), amount, code, number, death)

    @rule(phone=phone, purpose=purpose, amount=rial, paid=rial)
    def pay_before_the_pledge_is_there(
        self, phone: str, purpose: str, amount: int, paid: int
    ) -> None:
        name = self._key("dial")
        # The payment's event comes first.
        expected = self.codes[name] = code_of(self._last_id() + 2, KEYS.code)
        self._pay(self._key("psp"), paid, name, None, None)
        self._pledge(name, phone, purpose, "rial", amount, None)
        assert self.codes[name] == expected

    @precondition(lambda self: self.model.money)
    @rule(which=which, amount=rial)
    def another_payment_under_a_known_id(self, which: int, amount: int) -> None:
        key = pick(list(self.model.money), which)
        self._pay(key, amount + 1, None, PHONES[0], None)

    @precondition(lambda self: self.model.money)
    @rule(which=which, death=death)
    def look_again(self, which: int, death: int | None) -> None:
        key, at = pick(list(self.model.money), which), self._moment()

        def ledger() -> Any:
            with writing(self.engine) as db:
                done = payments.match_waiting(db, payment_id=self._id(key), at=at)
                return done and (done.matched, done.unmatched)

        self._do(ledger, lambda: self.model.look_again(key, at), death)

    @rule(minutes=st.sampled_from((1, 11)))
    def time_passes(self, minutes: int) -> None:
        self.at += timedelta(minutes=minutes)

    @precondition(lambda self: self.model.money and self._made("dial"))
    @rule(which=which, other=which, most=rial, death=death)
    def match_by_hand(
        self, which: int, other: int, most: int, death: int | None
    ) -> None:
        key = pick(self._waiting() or list(self.model.money), which)
        name, at = pick(self._made("dial"), other), self._moment()

        def ledger() -> Any:
            with writing(self.engine) as db:
                done = payments.match(
                    db,
                    payment_id=self._id(key),
                    code=self.codes[name],
                    amount=most,
                    by="sara",
                    why="it says so on the slip",
                    at=at,
                )
            moved = done.outcome in ("matched", "excess")
            return (done.matched, done.unmatched) if moved else done.outcome.value

        self._do(ledger, lambda: self.model.match(key, name, most), death)

    @precondition(lambda self: self.model.money)
    @rule(which=which, purpose=purpose, most=rial, death=death)
    def accept_as_a_gift(
        self, which: int, purpose: str, most: int, death: int | None
    ) -> None:
        key = pick(self._waiting() or list(self.model.money), which)
        name, at = "", self._moment()

        def ledger() -> Any:
            # Whenever it is done again it is another gift.
            nonlocal name
            name = self._key("gift")
            with writing(self.engine) as db:
                done = gifts.accept(
                    db,
                    KEYS,
                    payment_id=self._id(key),
                    campaign=CAMPAIGN,
                    purpose=purpose,
                    amount=most,
                    by="sara",
                    why="nobody claims it",
                    at=at,
                )
                self.codes[name] = done.code or ""
            is_given = done.outcome == "gift"
            return (done.matched, done.unmatched) if is_given else done.outcome.value

        self._do(ledger, lambda: self.model.accept(key, name, purpose, most), death)

    @rule(phone=st.none() | phone, purpose=purpose, amount=rial, death=death)
    def give_at_a_till(
        self, phone: str | None, purpose: str, amount: int, death: int | None
    ) -> None:
        name, at = self._key("gift"), self._moment()
        told = Payment("shop", name, Kind.PAYMENT, amount, at, phone=phone)

        def ledger() -> Any:
            with writing(self.engine) as db:
                done = gifts.give_at_till(
                    db,
                    KEYS,
                    told,
                    campaign=CAMPAIGN,
                    purpose=purpose,
                    channel="shop",
                    test=False,
                    at=at,
                )
                self.codes[name] = done.code or ""
            return done.outcome.value

        def model() -> Any:
            return self.model.give_at_till(name, phone, purpose, amount)

        self._do(ledger, model, death)

    @precondition(lambda self: self._made("dial"))
    @rule(which=which, quantity=parcels, death=death)
    def hand_in(self, which: int, quantity: int, death: int | None) -> None:
        in_kind = [n for n in self._made("dial") if self._is_in_kind(n)]
        if not in_kind:
            return
        name, key, at = pick(in_kind, which), self._key("received"), self._moment()

        def ledger() -> Any:
            with writing(self.engine) as db:
                return inkind.receive(
                    db,
                    key=key,
                    code=self.codes[name],
                    quantity=quantity,
                    by="sara",
                    channel="operator",
                    test=False,
                    at=at,
                ).outcome.value

        self._do(ledger, lambda: self.model.receive(key, name, quantity), death)

    @precondition(lambda self: self._made("dial"))
    @rule(which=which, stranger=st.booleans(), death=death)
    def cancel(self, which: int, stranger: bool, death: int | None) -> None:
        name, key, at = pick(self._made("dial"), which), self._key("at"), self._moment()
        donor = self.model.given[name].donor
        assert donor is not None
        number = PHONES[PHONES.index(donor[0]) - stranger]

        def ledger() -> Any:
            with writing(self.engine) as db:
                person = people.find(db, KEYS, number)
                if person is None:
                    return "not_yours"
                return pledges.cancel_pledge(
                    db,
                    key=key,
                    person_id=person.id,
                    code=self.codes[name],
                    channel="at",
                    test=False,
                    at=at,
                ).outcome.value

        self._do(ledger, lambda: self.model.cancel(key, number, name), death)

    @precondition(lambda self: self._made("dial"))
    @rule(which=which, death=death)
    def expire(self, which: int, death: int | None) -> None:
        name, at = pick(self._made("dial"), which), self._moment()

        def ledger() -> Any:
            with writing(self.engine) as db:
                done = expiring.expire(db, pledge_id=self._id(name), at=at)
                return done and "expired"

        self._do(ledger, lambda: self.model.expire(name), death)

    @precondition(lambda self: self.model.money or self._money_given())
    @rule(
        which=which,
        by_code=st.booleans(),
        amount=rial,
        kind=st.sampled_from((Kind.REFUND, Kind.REVERSAL)),
        death=death,
    )
    def money_goes_back(
        self, which: int, by_code: bool, amount: int, kind: Kind, death: int | None
    ) -> None:
        names, moneys = self._money_given(), list(self.model.money)
        by_code = (by_code and bool(names)) or not moneys
        code = pick(names, which) if by_code else ""
        payment = "" if by_code else pick(moneys, which)
        key, at = self._key("back"), self._moment()
        told = Payment(
            "psp",
            key,
            kind,
            amount,
            at,
            code=self.codes[code] if by_code else None,
            reference=payment or None,
        )

        def is_unexplained() -> bool:
            # What has no explanation yet has tests of its own.
            left = self.model.returnable(code, payment)
            return left < amount and key not in self.model.answers

        def ledger() -> Any:
            if is_unexplained():
                return "unexplained"
            with writing(self.engine) as db:
                return payments.told_back(
                    db, KEYS, told, channel="psp", test=False, at=at
                ).matched

        def model() -> Any:
            if is_unexplained():
                return "unexplained"
            return self.model.told_back(key, amount, code, payment)

        self._do(ledger, model, death)

    # --- how they are done ---------------------------------------------------

    def _pledge(
        self,
        name: str,
        phone: str,
        purpose: str,
        unit: str,
        amount: int,
        death: int | None,
    ) -> None:
        def ledger() -> Any:
            with writing(self.engine) as db:
                done = self._record(db, name, phone, purpose, unit, amount, False)
                self.codes[name] = done.code or ""
                return "differs" if done.differs else "pledged"

        def model() -> Any:
            return self.model.pledge(name, phone, purpose, unit, amount)

        self._do(ledger, model, death)

    def _record(
        self,
        db: Any,
        name: str,
        phone: str,
        purpose: str,
        unit: str,
        amount: int,
        test: bool,
    ) -> events.Recorded:
        at = self._moment()
        return pledges.record_pledge(
            db,
            KEYS,
            key=name,
            person_id=people.remember(db, KEYS, phone, at=at).id,
            campaign=CAMPAIGN,
            purpose=purpose,
            unit=unit,
            amount=amount,
            channel="at",
            test=test,
            at=at,
        )

    def _pay(
        self,
        key: str,
        amount: int,
        name: str | None,
        phone: str | None,
        death: int | None,
    ) -> None:
        at = self._moment()

        def ledger() -> Any:
            code = None if name is None else self.codes.get(name, NOBODYS)
            told = Payment("psp", key, Kind.PAYMENT, amount, NOON, code, phone)
            with writing(self.engine) as db:
                done = payments.pay(db, KEYS, told, channel="psp", test=False, at=at)
            differs = done.outcome == "differs"
            return "differs" if differs else (done.matched, done.unmatched)

        self._do(ledger, lambda: self.model.pay(key, amount, name, phone, at), death)
