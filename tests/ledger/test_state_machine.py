"""The ledger beside a model of it, through whatever order Hypothesis finds.

Every act may come twice, late, or with another body, and may die at any statement: then
either all of it stands and nobody heard the answer, or nothing does. After each step
the books are what the model says. YARIGAR_LONG=1 looks much longer.
"""

from __future__ import annotations

import itertools
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from gateway import approvals
from ledger import (
    batches,
    erasing,
    payments,
    people,
    requests,
    schema,
)
from ledger.batches import Movement, Purchase
from ledger.engine import reading, writing
from ledger.funds import Spent
from ledger.payments import Kind, Payment
from ledger.requests import Refused
from ledger.sealing.sealer import seal
from ledger.vault import look_up
from tests.ledger.beside import SIGNER, ZONE
from tests.ledger.books import KEYS
from tests.ledger.model import CAMPAIGN
from tests.ledger.money import Money, death, parcels, phone, pick, purpose, rial, which

PARTNERS = ("tapsi", "snapp")
DISTRICTS = (None, "tehran-3")
OPERATORS = ("sara", "reza", "mina")
LONG = bool(os.environ.get("YARIGAR_LONG"))
LOOKS = settings(
    max_examples=2_000 if LONG else 40,
    stateful_step_count=120 if LONG else 50,
    deadline=None,
    derandomize=False,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)

operator = st.sampled_from(OPERATORS)


class Ledger(Money):
    """What may happen to a ledger, in any order."""

    @initialize(purpose=purpose)
    def parcels_are_with_a_partner(self, purpose: str) -> None:
        self.give_at_a_till(None, purpose, 500, None)
        self.buy(purpose, 6, 300, None)
        self.carry(0, "send", PARTNERS[0], None, 4, None)

    # --- what people agree to ------------------------------------------------

    @precondition(lambda self: self._money_given())
    @rule(which=which, amount=st.just(0) | rial, by=operator, death=death)
    def ask(self, which: int, amount: int, by: str, death: int | None) -> None:
        target, name, at = (
            pick(self._money_given(), which),
            self._key("ask"),
            self._moment(),
        )
        if amount == 0 and target.startswith("gift"):
            return
        self.asked[name] = at
        body: dict[str, str | int] = {"code": self.codes[target]}
        if amount:
            body["amount"] = amount

        def ledger() -> Any:
            try:
                made = approvals.ask(
                    self.service,
                    kind="refund" if amount else "write_off",
                    body=body,
                    about_id=None,
                    why="they asked",
                    by=by,
                    at=at,
                )
            except Refused:
                return "refused"
            return made.state.value

        self._do(ledger, lambda: self.model.ask(name, target, amount, by), death)

    @precondition(lambda self: self.model.requests)
    @rule(which=which, by=operator, death=death)
    def approve(self, which: int, by: str, death: int | None) -> None:
        name, at = pick(list(self.model.requests), which), self._moment()

        def ledger() -> Any:
            try:
                number = self._number(name)
                return approvals.approve(self.service, number, by=by, at=at).state.value
            except Refused:
                return "no"

        self._do(ledger, lambda: self.model.approve(name, by), death)

    @precondition(lambda self: self.model.requests)
    @rule(which=which, by=operator, death=death)
    def withdraw(self, which: int, by: str, death: int | None) -> None:
        name, at = pick(list(self.model.requests), which), self._moment()

        def ledger() -> Any:
            number = self._number(name)
            try:
                with writing(self.engine) as db:
                    return requests.withdraw(db, number, by=by, at=at).state.value
            except Refused:
                return "no"

        self._do(ledger, lambda: self.model.withdraw(name, by), death)

    @precondition(lambda self: self._money_given())
    @rule(which=which)
    def what_is_spent_is_asked_back(self, which: int) -> None:
        """All of a purpose is spent, and then one of its gifts is to go back."""
        names = self._money_given()
        given = self.model.given[pick(names, which)]
        unspent, kept = self.model.unspent(given.purpose), given.paid - given.back
        if unspent <= 0 or kept <= 0:
            return
        self.buy(given.purpose, 1, unspent, None)
        before = set(self.model.requests)
        self.ask(which, kept, OPERATORS[0], None)
        for name in self.model.requests.keys() - before:
            self.approve(list(self.model.requests).index(name), OPERATORS[1], None)

    # --- what is bought ------------------------------------------------------

    @rule(purpose=purpose, quantity=parcels, cost=rial, death=death)
    def buy(self, purpose: str, quantity: int, cost: int, death: int | None) -> None:
        key, at = self._key("batch"), self._moment()
        asked = Purchase(
            key=key,
            campaign=CAMPAIGN,
            purpose=purpose,
            title="بسته",
            unit="parcel",
            quantity=quantity,
            cost=cost,
            bank="main",
            by="sara",
            test=False,
            at=at,
        )

        def ledger() -> Any:
            try:
                with writing(self.engine) as db:
                    return batches.buy(db, asked).batch.number
            except Spent:
                return "refused"

        self._do(ledger, lambda: self.model.buy(key, purpose, quantity, cost), death)

    @precondition(lambda self: self.model.batches)
    @rule(
        which=which,
        how=st.sampled_from(("send", "deliver", "take_back", "come_back")),
        partner=st.sampled_from(PARTNERS),
        district=st.sampled_from(DISTRICTS),
        quantity=parcels,
        death=death,
    )
    def carry(
        self,
        which: int,
        how: str,
        partner: str,
        district: str | None,
        quantity: int,
        death: int | None,
    ) -> None:
        key, number = self._key("move"), 1 + which % len(self.model.batches)
        is_placed = how in ("deliver", "come_back")
        asked = Movement(
            key=key,
            campaign=CAMPAIGN,
            number=number,
            partner=partner,
            quantity=quantity,
            by="sara",
            test=False,
            at=self._moment(),
            district=district if is_placed else None,
        )
        stock, carried = "I:Stock:{}", f"I:Transit:{CAMPAIGN}:{partner}"
        given_out = f"I:Delivered:{district or 'unknown'}"
        way = {
            "send": (stock, carried),
            "deliver": (carried, given_out),
            "take_back": (carried, stock),
            "come_back": (given_out, "I:Returned:{}"),
        }[how]

        def ledger() -> Any:
            try:
                with writing(self.engine) as db:
                    if how == "come_back":
                        batches.take_back(db, asked, delivered=True)
                    else:
                        getattr(batches, how)(db, asked)
            except batches.Wrong:
                return "refused"
            return "moved"

        self._do(ledger, lambda: self.model.carry(key, number, way, quantity), death)

    # --- what is sealed, forgotten, rehearsed, and comes again ---------------

    @rule(batch=st.integers(1, 20), whole=st.booleans(), death=death)
    def seal(self, batch: int, whole: bool, death: int | None) -> None:
        at = self._moment()

        def ledger() -> None:
            seal(self.engine, SIGNER, ZONE, at, whole, batch=batch)

        self._do(ledger, lambda: None, death)

    @rule(phone=phone, death=death)
    def erase(self, phone: str, death: int | None) -> None:
        key, at = self._key("erase"), self._moment()

        def ledger() -> Any:
            with writing(self.engine) as db:
                person = people.find(db, KEYS, phone)
                if person is None:
                    return False
                return erasing.erase(
                    db,
                    KEYS,
                    person_id=person.id,
                    key=key + str(person.id),
                    channel="at",
                    by="self",
                    test=False,
                    at=at,
                ).first

        before = self.model.erasures[phone]
        self._do(ledger, lambda: self.model.erase(phone), death)
        if self.model.erasures[phone] > before:
            payment = schema.payment.c
            named = payment.look_up == look_up(KEYS, phone)
            with reading(self.engine) as db:
                assert not db.scalars(select(payment.event_id).where(named)).all()

    @rule(phone=phone, purpose=purpose, amount=rial)
    def who_paid_by_phone_is_forgotten(
        self, phone: str, purpose: str, amount: int
    ) -> None:
        self.pledge(phone, purpose, amount, None)
        self._pay(self._key("psp"), amount, None, phone, None)
        self.erase(phone, None)

    @rule(phone=phone, amount=rial)
    def rehearse(self, phone: str, amount: int) -> None:
        """Pledge and pay on a test channel: nobody else notices."""
        at = self._moment()
        with writing(self.engine) as db:
            made = self._record(
                db, self._key("try"), phone, "meals", "rial", amount, True
            )
            told = Payment(
                "try", str(made.event_id), Kind.PAYMENT, amount, at, made.code
            )
            payments.pay(db, KEYS, told, channel="try", test=True, at=at)
        self.model.known.add(phone)

    @precondition(lambda self: self.told)
    @rule(which=which, death=death)
    def it_comes_again(self, which: int, death: int | None) -> None:
        ledger, model = pick(self.told, which)
        self._do(ledger, model, death, keep=False)


def test_the_ledger_does_as_its_model_on_sqlite(
    sqlite_ledger_url: str, tmp_path: Path
) -> None:
    numbers = itertools.count(1)
    empty = list(tmp_path.glob("ledger.db*"))

    def fresh() -> Ledger:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        for path in empty:
            shutil.copy(path, folder)
        return Ledger(f"sqlite:///{folder}/ledger.db", lambda: shutil.rmtree(folder))

    run_state_machine_as_test(fresh, settings=LOOKS)


def test_the_ledger_does_as_its_model_on_postgresql(
    request: pytest.FixtureRequest,
) -> None:
    server = request.getfixturevalue("_postgres")
    empty = request.getfixturevalue("_migrated_postgres")
    numbers = itertools.count(1)

    def fresh() -> Ledger:
        name = f"model_{next(numbers)}"
        url = server.create(name, template=empty)
        return Ledger(url, lambda: server.drop(name))

    run_state_machine_as_test(fresh, settings=LOOKS)
