"""A ledger beside its model: acts are done by both, and then both say the same."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine, invariant
from sqlalchemy import select, text

from gateway.library import NoMenus
from ledger import events, funds, pledges, requests, schema
from ledger.balances import balances
from ledger.engine import connect, reading
from ledger.export import JOURNAL, PAYMENTS, PLEDGES, Selection, Table
from ledger.sealing.notes import Signer
from ledger.sealing.proofs import consistency
from ledger.sealing.sealer import seal
from ledger.sealing.tiles import Tiles
from ledger.sealing.tree import extends
from ledger.verify import verify
from tests.ledger.books import KEYS, NOON
from tests.ledger.deaths import Death, Deaths
from tests.ledger.model import CAMPAIGN, Model

SIGNER = Signer(b"s" * 32, "give.example.org/yarigar")
ZONE = "Asia/Tehran"
PURPOSES = ("meals", "books")


class NoLibrary:
    def current(self, known: object) -> None:
        raise NoMenus("this ledger has no menus")


class Beside(RuleBasedStateMachine):
    """Keeps every act, so that it can come again.

    What was promised by phone is named dial:1, a gift gift:2, a payment psp:3.
    """

    def __init__(self, url: str, drop: Callable[[], None]) -> None:
        super().__init__()
        self.engine = connect(url)
        self._drop = drop
        self.deaths = Deaths()
        self.deaths.on(self.engine)
        self.service: Any = SimpleNamespace(
            engine=self.engine,
            settings=SimpleNamespace(approvals=2),
            library=NoLibrary(),
        )
        self.model = Model()
        self.at = NOON
        self.told: list[tuple[Callable[[], Any], Callable[[], Any]]] = []
        self.codes: dict[str, str] = {}
        self.asked: dict[str, Any] = {}
        self.roots: dict[int, bytes] = {}
        self._numbers = itertools.count(1)

    def teardown(self) -> None:
        try:
            self.exports_say_the_same()
            self.verify_finds_nothing()
        finally:
            self.engine.dispose()
            self._drop()

    def _do(
        self,
        ledger: Callable[[], Any],
        model: Callable[[], Any],
        death: int | None,
        *,
        keep: bool = True,
    ) -> None:
        """Have both do it. Who dies on the way has done all of it or nothing."""
        if keep:
            self.told.append((ledger, model))
        if death is None:
            assert ledger() == model()
            return
        try:
            with self.deaths.at(death):
                ledger()
        except Death:
            return
        model()

    # --- what holds after each of them ---------------------------------------

    @invariant()
    def the_books_are_the_models(self) -> None:
        model = self.model
        with reading(self.engine, snapshot=True) as db:
            books = balances(db)
            found = {
                (one.unit, one.account): (one.pending, one.posted)
                for one in books
                if one.pending or one.posted
            }
            in_suspense = {
                one: db.scalar(
                    select(schema.payment.c.unmatched).where(
                        schema.payment.c.event_id == self._id(one)
                    )
                )
                for one in model.money
            }
            unspent = {
                one: funds.unspent(db, campaign=CAMPAIGN, purpose=one, test=False)
                for one in PURPOSES
            }
        places = model.pending.keys() | model.posted.keys()
        said = {one: (model.pending[one], model.posted[one]) for one in places}
        assert found == {one: sums for one, sums in said.items() if any(sums)}
        assert in_suspense == {key: one.held for key, one in model.money.items()}
        assert unspent == {one: model.unspent(one) for one in PURPOSES}
        for unit in ("rial", "parcel"):
            of_unit = [sums for (u, _), sums in found.items() if u == unit]
            assert [sum(column) for column in zip(*of_unit, strict=True)] in (
                [],
                [0, 0],
            )

    @invariant()
    def each_pledge_is_the_models(self) -> None:
        with reading(self.engine, snapshot=True) as db:
            for name in self._made("dial"):
                one, said = (
                    pledges.pledge_by_code(db, self.codes[name]),
                    self.model.given[name],
                )
                assert one is not None
                found = one.amount, one.paid, one.voided, one.expired, one.written_off
                ends = (
                    said.ends[how] for how in ("cancelled", "expired", "written_off")
                )
                assert found == (said.amount, said.paid, *ends)
                assert (one.outstanding, one.refunded) == (said.open, said.back)
            states = {one.id: one.state.value for one in requests.listed(db, limit=500)}
            numbers = {name: self._number(name) for name in self.model.requests}
        said_of = {numbers[n]: one.state for n, one in self.model.requests.items()}
        assert states == said_of

    @invariant()
    def every_tree_begins_with_the_one_before(self) -> None:
        with reading(self.engine, snapshot=True) as db:
            point = schema.checkpoint.c
            rows = db.execute(select(point.size, point.root).order_by(point.size)).all()
            kept = {size: bytes(root) for size, root in rows}
            # Nothing takes a root back: no death, and nobody's erasure.
            assert self.roots.items() <= kept.items()
            sizes = sorted(kept)
            for old, new in itertools.pairwise(sizes):
                if new not in self.roots:
                    proof = consistency(db, old, new)
                    assert extends(kept[old], old, kept[new], new, proof)
            if sizes:
                assert Tiles(db).root(sizes[-1]) == kept[sizes[-1]]
        self.roots = kept

    def exports_say_the_same(self) -> None:
        given = [self.model.given[name] for name in self._made("dial")]
        promised = self._sums(PLEDGES, "amount", "paid", "outstanding", "refunded")
        assert promised == [
            sum(one.amount for one in given),
            sum(one.paid for one in given),
            sum(one.open for one in given),
            sum(one.back for one in given),
        ]
        held = [one.held for one in self.model.money.values()]
        assert self._sums(PAYMENTS, "unmatched") == [sum(held)]
        journal = {}
        for row in self._rows(JOURNAL):
            for account, signed in ((row["debit"], 1), (row["credit"], -1)):
                if row["phase"] in ("single", "post", "reversal"):
                    place = row["unit"], account
                    journal[place] = journal.get(place, 0) + signed * row["amount"]
        posted = {place: n for place, n in self.model.posted.items() if n}
        assert {place: n for place, n in journal.items() if n} == posted

    def verify_finds_nothing(self) -> None:
        seal(self.engine, SIGNER, ZONE, self.at, True)
        with reading(self.engine, snapshot=True) as db:
            assert verify(db, seal_key=SIGNER.public_key).faults == ()

    def _key(self, what: str) -> str:
        return f"{what}:{next(self._numbers)}"

    def _moment(self) -> Any:
        self.at += timedelta(seconds=1)
        return self.at

    def _made(self, what: str) -> list[str]:
        return [name for name in self.model.given if name.startswith(what)]

    def _money_given(self) -> list[str]:
        return [name for name, one in self.model.given.items() if one.unit == "rial"]

    def _is_in_kind(self, name: str) -> bool:
        return self.model.given[name].unit == "parcel"

    def _waiting(self) -> list[str]:
        return [key for key, one in self.model.money.items() if one.held]

    def _id(self, name: str) -> int:
        key = f"pay:psp:payment:{name}" if name in self.model.money else name
        with reading(self.engine) as db:
            found = events.find(db, key=key)
        assert found is not None
        return found.event_id

    def _number(self, name: str) -> int:
        with reading(self.engine) as db:
            (number,) = (
                one.id
                for one in requests.listed(db, limit=500)
                if one.at == self.asked[name]
            )
        return number

    def _last_id(self) -> int:
        """The last id that an event was given, or lost."""
        is_sqlite = self.engine.dialect.name == "sqlite"
        last = (
            "SELECT max(seq) FROM sqlite_sequence WHERE name = 'event'"
            if is_sqlite
            else "SELECT CASE WHEN is_called THEN last_value END FROM event_id_seq"
        )
        with reading(self.engine) as db:
            return db.scalar(text(last)) or 0

    def _rows(self, table: Table) -> Iterator[dict[str, Any]]:
        for records in table.pages(self.engine, Selection(ZONE), KEYS):
            for record in records:
                yield dict(zip(table.names, record, strict=True))

    def _sums(self, table: Table, *names: str) -> list[int]:
        rows = list(self._rows(table))
        return [sum(row[name] for row in rows) for name in names]
