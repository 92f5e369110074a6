"""What the books should say, in plain Python: one campaign, one payment service.

Every method is an act by its key. It does nothing where the act is refused, and gives
the answer that the ledger should give; a key that comes again gets its first answer.
Amounts are rial, but for promises and purchases of parcels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

CAMPAIGN = "winter"
PHONE_AFTER = timedelta(minutes=10)
Donor = tuple[str, int]


@dataclass
class Given:
    """A promise or a gift. `back` went back or is agreed to, `owed` is agreed only."""

    donor: Donor | None
    purpose: str
    unit: str
    amount: int
    paid: int = 0
    back: int = 0
    owed: int = 0
    ends: Counter[str] = field(default_factory=Counter)

    @property
    def open(self) -> int:
        return self.amount - self.paid - self.ends.total()


@dataclass
class Money:
    """A payment, how much of it is in suspense, and what the rest of it reached."""

    code: str | None
    phone: str | None
    came: datetime
    held: int
    reached: list[str] = field(default_factory=list)


@dataclass
class Request:
    target: str
    amount: int
    made_by: str
    state: str = "waiting"


class Model:
    def __init__(self) -> None:
        self.posted: Counter[tuple[str, str]] = Counter()
        self.pending: Counter[tuple[str, str]] = Counter()
        self.given: dict[str, Given] = {}
        self.money: dict[str, Money] = {}
        self.batches: list[tuple[str, int, Counter[str]]] = []
        self.requests: dict[str, Request] = {}
        self.known: set[str] = set()
        self.erasures: Counter[str] = Counter()
        self.answers: dict[str, tuple[Any, Any]] = {}

    def unspent(self, purpose: str) -> int:
        kept = sum(
            one.paid - one.back
            for one in self.given.values()
            if one.purpose == purpose and one.unit == "rial"
        )
        return kept - sum(cost for of, cost, _ in self.batches if of == purpose)

    def pledge(self, key: str, phone: str, purpose: str, unit: str, amount: int) -> Any:
        def act() -> str:
            donor = phone, self.erasures[phone]
            self.given[key] = Given(donor, purpose, unit, amount)
            self._move(self.pending, *self._promise(key), unit, amount)
            return "pledged"

        self.known.add(phone)
        return self._once(key, (purpose, unit, amount), act)

    def pay(
        self, key: str, amount: int, code: str | None, phone: str | None, at: datetime
    ) -> Any:
        def act() -> tuple[int, int]:
            self.money[key] = Money(code, phone, at, amount)
            self._move(self.posted, "A:Settle:psp", "L:Suspense:psp", "rial", amount)
            return self.look_again(key, at) or (0, amount)

        return self._once(key, (amount, code, phone), act)

    def look_again(self, key: str, at: datetime) -> tuple[int, int] | None:
        one = self.money[key]
        name = self._found(one, at) if one.held else None
        return None if name is None else self._match(one, name, one.held)

    def match(self, key: str, name: str, most: int) -> Any:
        one, given = self.money[key], self.given[name]
        if not one.held:
            return "nothing_left"
        if given.unit != "rial" or not given.open:
            return "not_open"
        return self._match(one, name, most)

    def accept(self, key: str, name: str, purpose: str, most: int) -> Any:
        one = self.money[key]
        if not one.held:
            return "nothing_left"
        taken = min(one.held, most)
        one.held -= taken
        one.reached.append(name)
        self._give(name, "psp", None, purpose, taken)
        return taken, one.held

    def give_at_till(self, key: str, phone: str | None, purpose: str, n: int) -> Any:
        def act() -> str:
            donor = None if phone is None else (phone, self.erasures[phone])
            self.known |= {phone} - {None}
            self._move(self.posted, "A:Settle:shop", "L:Suspense:shop", "rial", n)
            self._give(key, "shop", donor, purpose, n)
            return "gift"

        return self._once(key, (phone, purpose, n), act)

    def receive(self, key: str, name: str, quantity: int) -> str:
        given = self.given[name]
        if quantity > given.open and key not in self.answers:
            return "more_than_pledged"

        def act() -> str:
            self._resolve(name, quantity, self.posted)
            promised = self._promise(name)[0]
            stock = f"I:Stock:{CAMPAIGN}:{given.purpose}"
            self._move(self.posted, stock, promised, "parcel", quantity)
            given.paid += quantity
            return "received"

        return str(self._once(key, None, act))

    def cancel(self, key: str, phone: str, name: str) -> str:
        given = self.given[name]
        if given.donor != (phone, self.erasures[phone]):
            return "not_yours"
        if not given.open and key not in self.answers:
            return "paid" if given.paid == given.amount else "already_cancelled"
        return str(self._once(key, None, lambda: self._end(name, "cancelled")))

    def expire(self, name: str) -> str | None:
        return self._end(name, "expired") if self.given[name].open else None

    def told_back(self, key: str, amount: int, code: str, payment: str) -> Any:
        """Money went back of what `code` names, or of `payment` where that is empty."""

        def act() -> int:
            same = (one for one in self.money.values() if one.code == code and one.held)
            taken_from = list(same) if code else [self.money[payment]]
            reached = {code} if code else set(self.money[payment].reached)
            givens = [one for name, one in self.given.items() if name in reached]
            return self._take_back(amount, taken_from, givens)

        return self._once(key, (amount, code, payment), act)

    def returnable(self, code: str, payment: str) -> int:
        """How much can be told to have gone back and still be explained."""
        if not code:
            one = self.money[payment]
            return one.held + sum(self._kept(name) for name in set(one.reached))
        same = (one.held for one in self.money.values() if one.code == code)
        return sum(same) + self._kept(code)

    def ask(self, name: str, target: str, amount: int, by: str) -> str:
        """Ask for a refund; with an amount of 0, for a writing off."""
        if name in self.requests:
            return self.requests[name].state
        for one in self.requests.values():
            is_same = (one.target, one.amount) == (target, amount)
            if is_same and one.state == "waiting":
                return "refused"
        self.requests[name] = Request(target, amount, by)
        return "waiting"

    def approve(self, name: str, by: str) -> str:
        one = self.requests[name]
        given = self.given[one.target]
        if one.state != "waiting" or by == one.made_by:
            return "no"
        left = min(given.paid - given.back, self.unspent(given.purpose))
        if one.amount > max(0, left) or not (one.amount or given.open):
            one.state = "refused"
            return one.state
        if one.amount:
            gift = f"N:Donation:{CAMPAIGN}:{given.purpose}"
            owed = f"L:Refund:{CAMPAIGN}"
            self._move(self.posted, gift, owed, "rial", one.amount)
            given.back += one.amount
            given.owed += one.amount
        else:
            self._end(one.target, "written_off")
        one.state = "done"
        return one.state

    def withdraw(self, name: str, by: str) -> str:
        one = self.requests[name]
        if one.state != "waiting" or by != one.made_by:
            return "no"
        one.state = "withdrawn"
        return one.state

    def buy(self, key: str, purpose: str, quantity: int, cost: int) -> Any:
        if cost > self.unspent(purpose) and key not in self.answers:
            return "refused"

        def act() -> int:
            goods = f"I:Stock:{CAMPAIGN}:{purpose}"
            spent = f"X:Package:{CAMPAIGN}:{purpose}"
            self._move(self.posted, spent, "A:Bank:main", "rial", cost)
            self._move(self.posted, goods, "Q:parcel:Clearing", "parcel", quantity)
            self.batches.append((purpose, cost, Counter({goods: quantity})))
            return len(self.batches)

        return self._once(key, (purpose, quantity, cost), act)

    def carry(self, key: str, number: int, way: tuple[str, str], n: int) -> Any:
        """Move parcels of a batch from one account to another."""
        purpose, _, places = self.batches[number - 1]
        credit, debit = (one.format(f"{CAMPAIGN}:{purpose}") for one in way)
        if n > places[credit] and key not in self.answers:
            return "refused"

        def act() -> str:
            places[credit] -= n
            places[debit] += n
            self._move(self.posted, debit, credit, "parcel", n)
            return "moved"

        return self._once(key, (number, way, n), act)

    def erase(self, phone: str) -> bool:
        if phone not in self.known:
            return False
        self.known.remove(phone)
        self.erasures[phone] += 1
        for one in self.money.values():
            one.phone = None if one.phone == phone else one.phone
        return True

    def _once(self, key: str, body: Any, act: Callable[[], Any]) -> Any:
        if key not in self.answers:
            self.answers[key] = body, act()
        first, answer = self.answers[key]
        return answer if first == body else "differs"

    def _found(self, one: Money, at: datetime) -> str | None:
        rial = {k: v for k, v in self.given.items() if v.unit == "rial" and v.open}
        if one.code in rial:
            return one.code
        if one.phone is None or (one.code and at - one.came < PHONE_AFTER):
            return None
        donor = one.phone, self.erasures[one.phone]
        fit = [k for k, v in rial.items() if (v.donor, v.open) == (donor, one.held)]
        return fit[0] if len(fit) == 1 else None

    def _match(self, one: Money, name: str, most: int) -> tuple[int, int]:
        given = self.given[name]
        amount = min(most, one.held, given.open)
        self._resolve(name, amount, self.posted)
        self._move(
            self.posted, "L:Suspense:psp", self._promise(name)[0], "rial", amount
        )
        given.paid += amount
        one.held -= amount
        one.reached.append(name)
        return amount, one.held

    def _give(
        self, name: str, source: str, donor: Donor | None, purpose: str, n: int
    ) -> None:
        self.given[name] = Given(donor, purpose, "rial", n, paid=n)
        gift = f"N:Donation:{CAMPAIGN}:{purpose}"
        self._move(self.posted, f"L:Suspense:{source}", gift, "rial", n)

    def _kept(self, name: str) -> int:
        one = self.given[name]
        return one.paid - one.back + one.owed

    def _take_back(self, rest: int, money: Iterable[Money], givens: list[Given]) -> int:
        whole = rest
        for given in givens:
            rest -= (taken := min(rest, given.owed))
            given.owed -= taken
            self._went(f"L:Refund:{CAMPAIGN}", taken)
        for one in money:
            rest -= (taken := min(rest, one.held))
            one.held -= taken
            self._went("L:Suspense:psp", taken)
        for given in givens:
            rest -= (taken := min(rest, given.paid - given.back))
            given.back += taken
            self._went(f"N:Donation:{CAMPAIGN}:{given.purpose}", taken)
        return whole - rest

    def _went(self, debit: str, amount: int) -> None:
        self._move(self.posted, debit, "A:Settle:psp", "rial", amount)

    def _promise(self, name: str) -> tuple[str, str]:
        given = self.given[name]
        unit = "" if given.unit == "rial" else f":{given.unit}"
        return (
            f"A:Receivable:Pledge:{CAMPAIGN}{unit}",
            f"N:Donation:{CAMPAIGN}:{given.purpose}{unit}",
        )

    def _end(self, name: str, how: str) -> str:
        rest = self.given[name].open
        self._resolve(name, rest, None)
        self.given[name].ends[how] += rest
        return how

    def _resolve(self, name: str, amount: int, into: Counter[Any] | None) -> None:
        unit, places = self.given[name].unit, self._promise(name)
        self._move(self.pending, *places, unit, -amount)
        if into is not None:
            self._move(into, *places, unit, amount)

    def _move(
        self, books: Counter[Any], debit: str, credit: str, unit: str, amount: int
    ) -> None:
        books[unit, debit] += amount
        books[unit, credit] -= amount
