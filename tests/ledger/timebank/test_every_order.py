"""The time bank beside a model of it, through whatever order Hypothesis finds.

Every act may come twice, late, from the wrong phone, or may die at any statement. After
each step the minutes sum to zero and everybody has what the model says. YARIGAR_LONG=1
looks much longer.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection, func, select

from ledger import erasing, people, requests
from ledger.balances import balances, trial
from ledger.engine import connect, reading, writing
from ledger.requests import Refused
from ledger.schema import event, favour, introduction, transfer
from ledger.timebank import community, favours, hours, introductions
from ledger.timebank.favours import Side
from ledger.timebank.standing import HOUR, Limits, everybodys, standing_of
from ledger.verify import verify
from tests.ledger.books import KEYS, NOON
from tests.ledger.deaths import Death, Deaths
from tests.ledger.timebank.model import ANSWER_WITHIN, Entry, Model, Two

T = TypeVar("T")

CAMPAIGN = "salam-mahalle"
PHONES = ("+989121234567", "+989351234567", "+989011234567")
LIMITS = Limits(floor=-4 * HOUR, ceiling=6 * HOUR)
LONG = bool(os.environ.get("YARIGAR_LONG"))
LOOKS = settings(
    max_examples=1_000 if LONG else 40,
    stateful_step_count=120 if LONG else 40,
    deadline=None,
    derandomize=False,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
# A database of its own costs seconds there.
FEWER = settings(LOOKS, max_examples=1_000 if LONG else 12)

phone = st.sampled_from(PHONES)
which = st.integers(0, 30)
mostly = st.sampled_from((True, True, True, False))
some_hours = st.sampled_from((1, 2, 3))
# At which statement an act dies; if it has not so many, its answer is lost.
death = st.one_of(st.none(), st.none(), st.integers(1, 25))


def pick(things: Sequence[T], which: int) -> T:
    """The newest for 0, so that shrinking keeps to what was made just now."""
    return things[-1 - which % len(things)]


class TimeBank(RuleBasedStateMachine):
    """Keeps every act, so that it can come again."""

    def __init__(self, url: str, drop: Callable[[], None]) -> None:
        super().__init__()
        self.engine = connect(url)
        self._drop = drop
        self.deaths = Deaths()
        self.deaths.on(self.engine)
        self.model = Model(LIMITS)
        self.at = NOON
        self.codes: dict[int, str] = {}
        self.told: list[tuple[Callable[[], Any], Callable[[], Any]]] = []
        self._numbers = itertools.count(1)
        self._judged: object = None

    def teardown(self) -> None:
        try:
            with reading(self.engine, snapshot=True) as db:
                assert verify(db).faults == ()
        finally:
            self.engine.dispose()
            self._drop()

    # --- what people offer, need and agree to ---------------------------------

    @initialize(
        helped=st.lists(
            st.tuples(phone, phone, some_hours, mostly), min_size=2, max_size=8
        )
    )
    def people_who_helped_each_other(
        self, helped: list[tuple[str, str, int, bool]]
    ) -> None:
        for gives, gets, length, is_confirmed in helped:
            self.help_was_given(gives, gets, length, is_confirmed)

    @rule(phone=phone, side=st.sampled_from(Side), length=some_hours, death=death)
    def add(self, phone: str, side: Side, length: int, death: int | None) -> None:
        key, at, who = self._key(), self._moment(), self._who(phone)

        def ledger() -> str:
            with writing(self.engine) as db:
                added = favours.add(
                    db,
                    KEYS,
                    key=key,
                    person_id=who,
                    campaign=CAMPAIGN,
                    side=side,
                    kind="lessons",
                    minutes=length * HOUR,
                    venue="house",
                    place=None,
                    district=None,
                    centre=None,
                    limits=LIMITS,
                    channel="at",
                    test=False,
                    at=at,
                )
            if added.recorded is not None:
                self.model.entries.setdefault(
                    added.recorded.event_id, Entry(who, side, length * HOUR)
                )
            return str(added.outcome)

        # What may be added is asked before it is.
        may = self.model.may_add(who, side)
        self._do(ledger, lambda: may, death, keep=False)

    @rule(gives=which, needs=which, death=death)
    def ask(self, gives: int, needs: int, death: int | None) -> None:
        offers = [n for n, e in self.model.entries.items() if e.side == "offer"]
        wanted = [n for n, e in self.model.entries.items() if e.side == "need"]
        if not offers or not wanted:
            return
        offer, need, at = pick(offers, gives), pick(wanted, needs), self._moment()
        theirs = self.model.entries[offer], self.model.entries[need]
        if theirs[0].who == theirs[1].who:
            return
        may = self.model.may_ask(offer, need)
        minutes = min(entry.minutes for entry in theirs)

        def ledger() -> str:
            with writing(self.engine) as db:
                made = introductions.ask(
                    db,
                    offer_id=offer,
                    need_id=need,
                    minutes=minutes,
                    place=None,
                    at=at,
                    expires_at=at + ANSWER_WITHIN,
                )
            if made is None:
                return "no"
            self.model.twos[made.id] = Two(
                *(offer, need, theirs[0].who, theirs[1].who, minutes),
                at + ANSWER_WITHIN,
            )
            return "done"

        self._do(ledger, lambda: "done" if may else "no", death, keep=False)

    @precondition(lambda self: self.model.twos)
    @rule(which=which, phone=st.none() | phone, yes=mostly, death=death)
    def answer(
        self, which: int, phone: str | None, yes: bool, death: int | None
    ) -> None:
        key, at, number = self._key(), self._moment(), self._two(which)
        who = self._who(phone) if phone else self.model.twos[number].giver
        deed = introductions.accept if yes else introductions.decline

        def ledger() -> str:
            with writing(self.engine) as db:
                step = deed(
                    db,
                    key=key,
                    introduction_id=number,
                    person_id=who,
                    channel="at",
                    test=False,
                    at=at,
                )
            return "late" if step.is_late else "done"

        self._do(ledger, lambda: self.model.answer(key, number, who, yes, at), death)

    @precondition(lambda self: self.model.twos)
    @rule(which=which, death=death)
    def call_off(self, which: int, death: int | None) -> None:
        key, at, number = self._key(), self._moment(), self._two(which)

        def ledger() -> str:
            with writing(self.engine) as db:
                step = introductions.withdraw(
                    db,
                    key=key,
                    introduction_id=number,
                    by="self",
                    channel="at",
                    at=at,
                )
            return "late" if step.is_late else "done"

        self._do(ledger, lambda: self.model.withdraw(key, number), death)

    # --- hours -------------------------------------------------------------------

    @rule(gives=phone, gets=phone, length=some_hours, is_confirmed=mostly)
    def help_was_given(
        self, gives: str, gets: str, length: int, is_confirmed: bool
    ) -> None:
        """The usual way, without which few hours would ever be told."""
        if gives == gets:
            return
        before = set(self.model.twos)
        self.add(gives, Side.OFFER, length, None)
        self.add(gets, Side.NEED, length, None)
        self.ask(0, 0, None)
        if set(self.model.twos) - before:
            self.answer(0, None, True, None)
            self.tell(0, "giver", length, None)
            if is_confirmed:
                self.say(0, None, True, None)

    @precondition(lambda self: self.model.twos)
    @rule(
        which=which,
        by=st.sampled_from(("giver", "giver", "centre", *PHONES)),
        length=some_hours,
        death=death,
    )
    def tell(self, which: int, by: str, length: int, death: int | None) -> None:
        key, at, number = self._key(), self._moment(), self._two(which)
        who = {"giver": self.model.twos[number].giver, "centre": None}.get(
            by, self._who(by) if by in PHONES else None
        )

        def ledger() -> str:
            with writing(self.engine) as db:
                told = hours.tell(
                    db,
                    KEYS,
                    key=key,
                    introduction_id=number,
                    person_id=who,
                    minutes=length * HOUR,
                    by="centre" if who is None else "giver",
                    channel="at",
                    test=False,
                    at=at,
                )
            if told.code:
                self.codes[number] = told.code
            return str(told.outcome)

        def model() -> str:
            return self.model.tell(key, number, who, length * HOUR, at)

        self._do(ledger, model, death)

    @precondition(lambda self: self.codes)
    @rule(which=which, phone=st.none() | phone, yes=mostly, death=death)
    def say(self, which: int, phone: str | None, yes: bool, death: int | None) -> None:
        """A yes or a no to hours, of who received them, who gave them, or another."""
        key, at = self._key(), self._moment()
        number = pick(list(self.codes), which)
        who = self._who(phone) if phone else self.model.twos[number].receiver
        about: dict[str, Any] = {
            "key": key,
            "hours_code": self.codes[number],
            "person_id": who,
            "channel": "at",
            "test": False,
            "at": at,
        }

        def ledger() -> str:
            with writing(self.engine) as db:
                if yes:
                    done = hours.confirm(db, limits=LIMITS, **about)
                else:
                    done = hours.dispute(db, **about)
            return str(done.outcome)

        def model() -> str:
            deed = self.model.confirm if yes else self.model.dispute
            return deed(key, number, who, at)

        self._do(ledger, model, death)

    @precondition(lambda self: self.codes)
    @rule(which=which, act=st.sampled_from(("post", "void", "reverse")), death=death)
    def settle(self, which: int, act: str, death: int | None) -> None:
        """The desk's word, after a request that needs one person."""
        at, number = self._moment(), pick(list(self.codes), which)
        code = self.codes[number]

        def ledger() -> str:
            try:
                with writing(self.engine) as db:
                    asked = requests.make(
                        db,
                        kind="hours",
                        body={"do": act, "code": code},
                        about_id=None,
                        why="both came to the desk",
                        by="sara",
                        needs=1,
                        at=at,
                    )
                    about: dict[str, Any] = {
                        "key": f"hours:{asked.id}",
                        "hours_code": code,
                        "request_id": asked.id,
                        "by": "sara",
                        "limits": LIMITS,
                        "at": at,
                    }
                    done = (
                        hours.reverse(db, **about)
                        if act == "reverse"
                        else hours.settle(db, posts=act == "post", **about)
                    )
                    assert done.recorded is not None
                    result_id = done.recorded.event_id
                    requests.carried_out(db, asked, result_id=result_id, at=at)
            except Refused:
                return "refused"
            return "done"

        def model() -> str:
            if act == "reverse":
                return self.model.reverse(number)
            return self.model.settle(number, act == "post")

        self._do(ledger, model, death, keep=False)

    @rule(phone=phone, length=some_hours, death=death)
    def give(self, phone: str, length: int, death: int | None) -> None:
        key, at, who = self._key(), self._moment(), self._who(phone)

        def ledger() -> str:
            with writing(self.engine) as db:
                return str(
                    community.give(
                        db,
                        key=key,
                        person_id=who,
                        to=CAMPAIGN,
                        minutes=length * HOUR,
                        campaign=CAMPAIGN,
                        district=None,
                        centre=None,
                        channel="at",
                        test=False,
                        at=at,
                    )
                )

        self._do(ledger, lambda: self.model.give(key, who, length * HOUR), death)

    @rule(phone=phone, length=some_hours, death=death)
    def grant(self, phone: str, length: int, death: int | None) -> None:
        key, at, who = self._key(), self._moment(), self._who(phone)

        def ledger() -> str:
            try:
                with writing(self.engine) as db:
                    community.grant(
                        db,
                        key=key,
                        person_id=who,
                        of=CAMPAIGN,
                        minutes=length * HOUR,
                        by="sara",
                        limits=LIMITS,
                        campaign=CAMPAIGN,
                        district=None,
                        centre=None,
                        test=False,
                        at=at,
                    )
            except Refused:
                return "refused"
            return "done"

        self._do(ledger, lambda: self.model.grant(key, who, length * HOUR), death)

    # --- what passes, is forgotten, and comes again --------------------------------

    @rule(days=st.sampled_from((1, 15)))
    def time_passes(self, days: int) -> None:
        self.at += timedelta(days=days)

    @precondition(lambda self: self.model.twos)
    @rule(which=which, death=death)
    def lapse(self, which: int, death: int | None) -> None:
        at, number = self._moment(), self._two(which)

        def ledger() -> str:
            with writing(self.engine) as db:
                was = introductions.silent(db, number, at=at)
                was = was or hours.expire(db, number, at=at) is not None
            return "done" if was else "no"

        self._do(ledger, lambda: self.model.lapse(number, at), death)

    @rule(phone=phone, death=death)
    def erase(self, phone: str, death: int | None) -> None:
        key, at, who = self._key(), self._moment(), self._who(phone)

        def ledger() -> None:
            with writing(self.engine) as db:
                erasing.erase(
                    db,
                    KEYS,
                    person_id=who,
                    key=key,
                    channel="at",
                    by="self",
                    test=False,
                    at=at,
                )

        self._do(ledger, lambda: self.model.erase(who), death, keep=False)

    @precondition(lambda self: self.told)
    @rule(which=which, death=death)
    def it_comes_again(self, which: int, death: int | None) -> None:
        ledger, model = pick(self.told, which)
        self._do(ledger, model, death, keep=False)

    # --- what holds after each of them --------------------------------------------

    @invariant()
    def minutes_sum_to_zero_and_everybody_has_what_the_model_says(self) -> None:
        with reading(self.engine, snapshot=True) as db:
            # All that a balance is made of, on either side: what was judged as it
            # stands is not judged again.
            stands = self._stands(db)
            if stands == self._judged:
                return
            self._judged = stands
            books = {one.account: one for one in balances(db)}
            for one in trial(books.values()):
                assert (one.pending, one.posted) == (0, 0)
            people_known = {two.giver for two in self.model.twos.values()}
            people_known |= {two.receiver for two in self.model.twos.values()}
            at_once = everybodys(db, test=False)
            for who in people_known:
                own = standing_of(db, person_id=who, test=False)
                assert own.balance == self.model.balance[who]
                assert own.to_give == self.model.arranged(who, "giver")
                assert own.to_receive == self.model.arranged(who, "receiver")
                # Debit counts up: what somebody has is to their credit.
                booked = books.get(f"T:Person:{who}")
                assert own.balance == (-booked.posted if booked else 0)
                if who in at_once:
                    assert at_once[who] == own
            has = community.balance(db, of=CAMPAIGN, test=False)
        assert has == self.model.community >= 0

    @invariant()
    def every_row_is_in_the_models_state(self) -> None:
        with reading(self.engine, snapshot=True) as db:
            states = dict(
                db.execute(select(introduction.c.event_id, introduction.c.state)).all()
            )
            entries = dict(db.execute(select(favour.c.event_id, favour.c.state)).all())
            posts: dict[int, int] = dict(
                db.execute(
                    select(event.c.about_id, func.count())
                    .join(transfer, transfer.c.event_id == event.c.id)
                    .where(event.c.kind == "hours.confirmed")
                    .group_by(event.c.about_id)
                ).all()
            )
        assert states == {n: two.state for n, two in self.model.twos.items()}
        assert entries == {n: one.state for n, one in self.model.entries.items()}
        # No sequence of answers credits an hour twice.
        assert set(posts.values()) <= {1}
        assert len(posts) == sum(self.model.credited.values())
        assert set(self.model.credited.values()) <= {1}

    def _stands(self, db: Connection) -> object:
        model = self.model
        return (
            db.execute(select(introduction).order_by(introduction.c.event_id)).all(),
            db.execute(select(func.count(), func.max(event.c.id))).all(),
            db.execute(select(func.count(), func.max(transfer.c.id))).all(),
            dict(model.balance),
            model.community,
            [(n, two.state, two.minutes) for n, two in model.twos.items()],
        )

    # --- how they are done --------------------------------------------------------

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

    def _key(self) -> str:
        return f"at:{next(self._numbers)}"

    def _moment(self) -> Any:
        self.at += timedelta(seconds=1)
        return self.at

    def _who(self, phone: str) -> int:
        with writing(self.engine) as db:
            return people.remember(db, KEYS, phone, at=self.at).id

    def _two(self, which: int) -> int:
        return pick(list(self.model.twos), which)


def test_the_time_bank_does_as_its_model_on_sqlite(
    sqlite_ledger_url: str, tmp_path: Path
) -> None:
    numbers = itertools.count(1)
    empty = list(tmp_path.glob("ledger.db*"))

    def fresh() -> TimeBank:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        for path in empty:
            shutil.copy(path, folder)
        return TimeBank(f"sqlite:///{folder}/ledger.db", lambda: shutil.rmtree(folder))

    run_state_machine_as_test(fresh, settings=LOOKS)  # type: ignore[arg-type]  # any callable makes one


def test_the_time_bank_does_as_its_model_on_postgresql(
    request: pytest.FixtureRequest,
) -> None:
    server = request.getfixturevalue("_postgres")
    empty = request.getfixturevalue("_migrated_postgres")
    numbers = itertools.count(1)

    def fresh() -> TimeBank:
        name = f"hours_{next(numbers)}"
        url = server.create(name, template=empty)
        return TimeBank(url, lambda: server.drop(name))

    run_state_machine_as_test(fresh, settings=FEWER)  # type: ignore[arg-type]  # any callable makes one
