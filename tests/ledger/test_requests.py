"""Requests: who may agree to what, once each, in any order and at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select, update

from ledger import requests, schema
from ledger.engine import NothingRecorded, reading, writing
from ledger.requests import Refused, Request, RequestState
from tests.ledger.facts import AT, pledge
from tests.ledger.races import at_once

LATER = AT + timedelta(hours=1)


def _make(db: Connection, *, needs: int = 2, by: str = "sara", **more: Any) -> Request:
    told: dict[str, Any] = {
        "kind": "refund",
        "body": {"code": "123456782", "amount": 500_000},
        "about_id": None,
        "why": "paid twice",
        "at": AT,
    }
    return requests.make(db, needs=needs, by=by, **(told | more))


def _events(engine: Engine) -> list[tuple[str, str]]:
    kinds = select(schema.event.c.kind, schema.event.c.body).where(
        schema.event.c.kind.like("request.%")
    )
    with reading(engine) as db:
        return [
            (row.kind, row.body["by"])
            for row in db.execute(kinds.order_by(schema.event.c.id))
        ]


def test_a_request_waits_for_as_many_people_as_it_needs(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        made = _make(db, needs=3)
        assert (made.state, made.missing, made.is_ready) == ("waiting", 2, False)
        second = requests.approve(db, made.id, by="reza", at=LATER)
        assert (second.missing, second.is_ready) == (1, False)
        third = requests.approve(db, made.id, by="maryam", at=LATER)
        assert (third.missing, third.is_ready) == (0, True)
        assert third.approved_by == ("maryam", "reza")
    assert _events(ledger_engine) == [
        ("request.made", "sara"),
        ("request.approved", "reza"),
        ("request.approved", "maryam"),
    ]


def test_a_request_of_one_person_is_ready_and_says_that_it_was_one(
    ledger_engine: Engine,
):
    with writing(ledger_engine) as db:
        made = _make(db, needs=1)
        assert made.is_ready
        body = db.scalar(
            select(schema.event.c.body).where(schema.event.c.id == made.event_id)
        )
    assert body == {
        "act": "refund",
        "by": "sara",
        "why": "paid twice",
        "needs": 1,
        "alone": True,
        "code": "123456782",
        "amount": 500_000,
    }


@pytest.mark.parametrize("name", ["sara", "Sara", " sara"])
def test_nobody_approves_their_own(ledger_engine: Engine, name: str):
    with writing(ledger_engine) as db:
        made = _make(db)
        with pytest.raises(Refused, match="somebody else"):
            requests.approve(db, made.id, by=name, at=LATER)
        assert requests.named(db, made.id).approved_by == ()


def test_nobody_approves_twice(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        made = _make(db, needs=3)
        requests.approve(db, made.id, by="علي", at=LATER)
        # The same name in the letters of another keyboard.
        with pytest.raises(Refused, match="already"):
            requests.approve(db, made.id, by="علی", at=LATER)
        assert requests.named(db, made.id).missing == 1


def test_only_who_made_it_withdraws_and_only_others_refuse(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        made = _make(db)
        with pytest.raises(Refused, match="refuse it"):
            requests.withdraw(db, made.id, by="reza", at=LATER)
        with pytest.raises(Refused, match="withdraw it"):
            requests.refuse(db, made.id, by="sara", why="no", at=LATER)
        refused = requests.refuse(db, made.id, by="reza", why="it was spent", at=LATER)
        assert refused.state is RequestState.REFUSED
        assert requests.story(db, refused) == [
            ("refused", "reza", "it was spent", LATER)
        ]
        other = _make(db, why="another time", at=LATER)
        withdrawn = requests.withdraw(db, other.id, by="sara", at=LATER)
        assert withdrawn.state is RequestState.WITHDRAWN


@pytest.mark.parametrize("end", ["withdraw", "refuse", "carried_out"])
def test_nothing_more_is_said_to_what_is_decided(ledger_engine: Engine, end: str):
    with writing(ledger_engine) as db:
        made = _make(db)
        if end == "withdraw":
            requests.withdraw(db, made.id, by="sara", at=LATER)
        elif end == "refuse":
            requests.refuse(db, made.id, by="reza", why="no", at=LATER)
        else:
            requests.carried_out(db, made, result_id=None, at=LATER)
        for act in (
            lambda: requests.approve(db, made.id, by="maryam", at=LATER),
            lambda: requests.withdraw(db, made.id, by="sara", at=LATER),
            lambda: requests.refuse(db, made.id, by="maryam", why="no", at=LATER),
            lambda: requests.carried_out(db, made, result_id=None, at=LATER),
        ):
            with pytest.raises(Refused):
                act()


def test_the_same_request_of_the_same_moment_is_the_first_again(
    ledger_engine: Engine,
):
    with writing(ledger_engine) as db:
        made = _make(db)
    # The answer of the commit was lost, and the command tries again.
    with writing(ledger_engine) as db:
        assert _make(db) == made
        with pytest.raises(Refused, match="amount"):
            _make(db, body={"code": "123456782", "amount": 1})
    assert _events(ledger_engine) == [("request.made", "sara")]


def test_what_waits_already_is_not_asked_for_twice(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        event_id = pledge(db).event_id
        made = _make(db, about_id=event_id)
        with pytest.raises(Refused, match=f"request {made.id}"):
            _make(db, about_id=event_id, by="reza", at=LATER)
        requests.withdraw(db, made.id, by="sara", at=LATER)
        assert _make(db, about_id=event_id, by="reza", at=LATER).id != made.id


def test_a_request_about_a_rehearsal_is_one_of_the_rehearsal(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        event_id = pledge(db, test=True).event_id
        made = _make(db, about_id=event_id)
        requests.approve(db, made.id, by="reza", at=LATER)
        rows = db.execute(
            select(schema.event.c.test, schema.event.c.campaign).where(
                schema.event.c.kind.like("request.%")
            )
        ).all()
    assert [tuple(row) for row in rows] == [(True, "winter"), (True, "winter")]


@pytest.mark.parametrize("why", ["", "x" * 201, "two\nlines"])
def test_a_reason_is_a_line(ledger_engine: Engine, why: str):
    with writing(ledger_engine) as db, pytest.raises(Refused, match="reason"):
        _make(db, why=why)


def test_an_unknown_request_is_named_in_the_refusal(ledger_engine: Engine):
    with writing(ledger_engine) as db, pytest.raises(Refused, match="no request 7"):
        requests.approve(db, 7, by="reza", at=LATER)


def test_requests_are_listed_by_their_state_and_page(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        ids = [_make(db, at=AT + timedelta(seconds=n), needs=2).id for n in range(1)]
        for n in range(1, 4):
            body = {"code": "123456782", "amount": n}
            ids.append(_make(db, body=body, at=AT + timedelta(seconds=n)).id)
        requests.withdraw(db, ids[1], by="sara", at=LATER)
        waiting = requests.listed(db, RequestState.WAITING)
        assert [one.id for one in waiting] == [ids[3], ids[2], ids[0]]
        page = requests.listed(db, before=ids[2], limit=1)
        assert [one.id for one in page] == [ids[1]]


@pytest.mark.parametrize(
    "changed",
    [{"body": {"code": "123456782", "amount": 9}}, {"needs": 1}, {"made_by": "reza"}],
)
def test_nobody_approves_what_was_changed_by_hand(
    ledger_engine: Engine, changed: dict[str, Any]
):
    with writing(ledger_engine) as db:
        made = _make(db)
        db.execute(update(schema.request).values(**changed))
        with pytest.raises(Refused, match="changed it by hand"):
            requests.approve(db, made.id, by="maryam", at=LATER)


def test_nobody_approves_what_was_turned_to_another_fact_by_hand(
    ledger_engine: Engine,
):
    with writing(ledger_engine) as db:
        one, other = (pledge(db, key=f"at:{number}").event_id for number in range(2))
        made = _make(db, about_id=one)
        db.execute(update(schema.request).values(about_id=other))
        with pytest.raises(Refused, match="changed it by hand"):
            requests.approve(db, made.id, by="reza", at=LATER)


def test_an_approval_cannot_be_taken_out_of_the_books(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        made = _make(db)
        requests.approve(db, made.id, by="reza", at=LATER)
    with pytest.raises(NothingRecorded), writing(ledger_engine) as db:
        db.execute(update(schema.request_approval).values(who="maryam"))


def test_of_two_last_words_at_once_one_is_the_last(
    ledger_engine: Engine, ledger_url: str
):
    with writing(ledger_engine) as db:
        made = _make(db)

    def agree(who: str) -> Callable[[Connection], object]:
        def act(db: Connection) -> object:
            found = requests.approve(db, made.id, by=who, at=LATER)
            assert found.is_ready
            return requests.carried_out(db, found, result_id=None, at=LATER)

        return act

    names = [f"person{n}" for n in range(8)]
    results = at_once(ledger_url, *map(agree, names))
    assert sum(isinstance(one, Request) for one in results) == 1
    assert sum(isinstance(one, Refused) for one in results) == 7
    assert [kind for kind, _ in _events(ledger_engine)] == [
        "request.made",
        "request.approved",
    ]


def test_of_two_words_at_once_one_sees_that_it_was_the_last(
    ledger_engine: Engine, ledger_url: str
):
    for number in range(6):
        with writing(ledger_engine) as db:
            body = {"code": "123456782", "amount": number + 1}
            at = AT + timedelta(seconds=number)
            made = _make(db, needs=3, body=body, at=at)

        def agree(who: str, made: Request = made) -> Callable[[Connection], object]:
            return lambda db: requests.approve(db, made.id, by=who, at=LATER)

        results = at_once(ledger_url, agree("reza"), agree("maryam"))
        ready = [one.is_ready for one in results if isinstance(one, Request)]
        assert sorted(ready) == [False, True]


def test_an_approval_and_a_withdrawal_at_once_are_one_or_the_other(
    ledger_engine: Engine, ledger_url: str
):
    for number in range(5):
        with writing(ledger_engine) as db:
            body = {"code": "123456782", "amount": number + 1}
            made = _make(db, body=body, at=AT + timedelta(seconds=number))

        def agree(db: Connection, made: Request = made) -> object:
            found = requests.approve(db, made.id, by="reza", at=LATER)
            return requests.carried_out(db, found, result_id=None, at=LATER)

        def withdraw(db: Connection, made: Request = made) -> object:
            return requests.withdraw(db, made.id, by="sara", at=LATER)

        results = at_once(ledger_url, agree, withdraw)
        (won,) = [one for one in results if isinstance(one, Request)]
        with reading(ledger_engine) as db:
            stands = requests.named(db, made.id)
        assert stands.state is won.state
        agreed = stands.state is RequestState.DONE
        assert stands.approved_by == (("reza",) if agreed else ())
        assert replace(stands, changed_at=won.changed_at) == won
