"""Requests that were tampered with are found by the rules of the books."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from ledger import requests
from ledger.engine import reading, writing
from ledger.request_rules import REQUEST_RULES
from tests.ledger.books import unguarded
from tests.ledger.facts import AT

LATER = AT + timedelta(hours=1)


def _broken(engine: Engine) -> Iterator[str]:
    with reading(engine) as db:
        for rule in REQUEST_RULES:
            if db.execute(rule.query).all():
                yield rule.what


def _decided(engine: Engine) -> None:
    """A request that two people agreed to, and one that waits."""
    with writing(engine) as db:
        for number in (1, 2):
            made = requests.make(
                db,
                kind="refund",
                body={"amount": number},
                about_id=None,
                why="paid twice",
                by="sara",
                needs=2,
                at=AT + timedelta(seconds=number),
            )
        agreed = requests.approve(db, made.id, by="reza", at=LATER)
        requests.carried_out(db, agreed, result_id=None, at=LATER)


def test_nothing_is_wrong_with_what_people_did(ledger_engine: Engine):
    _decided(ledger_engine)
    assert list(_broken(ledger_engine)) == []


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("UPDATE request SET state = 'done'", "was done before enough people agreed"),
        ("UPDATE request_approval SET who = 'sara'", "was approved by who made it"),
        ("UPDATE request SET kind = 'publish'", "belongs to an event that is no such"),
        ("UPDATE request SET made_by = 'ali'", "belongs to an event that is no such"),
        ("UPDATE request SET needs = 1", "belongs to an event that is no such"),
        (
            "UPDATE request_approval SET request_id = 1",
            "belongs to an event that does not approve",
        ),
    ],
)
def test_what_was_changed_by_hand_is_found(
    ledger_engine: Engine, change: str, what: str
):
    _decided(ledger_engine)
    with unguarded(ledger_engine) as db:
        db.execute(text(change))
    assert any(found.startswith(what) for found in _broken(ledger_engine))
