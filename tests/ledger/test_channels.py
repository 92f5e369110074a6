"""How channels do, and why that changed; on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from ledger import channels
from ledger.channels import Changed, Standing
from ledger.engine import Connection, reading, writing
from ledger.outbox import State
from tests.ledger.journal import CHANNEL, report
from tests.texts import NOON, Texts

LATER = NOON + timedelta(seconds=30)


@pytest.fixture
def texts(ledger_engine: Engine) -> Texts:
    return Texts(ledger_engine)


def _open(db: Connection, channel: str = "kave", *, rests: int = 1) -> None:
    channels.change(
        db,
        channel=channel,
        what="opened",
        why="no_credit",
        share=80,
        rests_until=LATER,
        rests=rests,
        at=NOON,
    )


def test_a_change_is_what_stands_and_a_line_of_the_history(texts: Texts) -> None:
    with writing(texts.engine) as db:
        _open(db)
        _open(db, "magfa")
        channels.change(
            db,
            channel="kave",
            what="closed",
            why="a probe was answered",
            share=50,
            rests_until=None,
            rests=1,
            at=LATER,
        )
    with reading(texts.engine) as db:
        known = channels.standings(db)
        lines = channels.history(db)
        of_one = channels.history(db, channel="magfa")
    assert known["kave"] == Standing(
        share=50, rests=1, why="a probe was answered", changed_at=LATER
    )
    assert known["magfa"].rests_until == LATER
    assert lines[0] == Changed("kave", LATER, "closed", "a probe was answered", 50)
    assert [line.channel for line in lines] == ["kave", "magfa", "kave"]
    assert of_one == [Changed("magfa", NOON, "opened", "no_credit", 0)]


def test_a_long_reason_is_cut_and_not_refused(texts: Texts) -> None:
    with writing(texts.engine) as db:
        channels.change(
            db,
            channel="kave",
            what="opened",
            why="x" * 200,
            share=0,
            rests_until=None,
            rests=0,
            at=NOON,
        )
        assert channels.standings(db)["kave"].why == "x" * 40


def test_of_two_who_would_probe_one_may(texts: Texts) -> None:
    with writing(texts.engine) as db:
        _open(db)
        until = LATER + timedelta(minutes=1)
        early = LATER - timedelta(seconds=1)
        assert not channels.probe(db, channel="kave", until=until, at=early)
        assert channels.probe(db, channel="kave", until=until, at=LATER)
        assert not channels.probe(db, channel="kave", until=until, at=LATER)


def test_a_sign_of_life_changes_nothing_else(texts: Texts) -> None:
    with writing(texts.engine) as db:
        _open(db)
        for name in ("kave", "smsc"):
            channels.sign_of_life(db, channel=name, until=LATER, at=NOON)
        known = channels.standings(db)
    assert known["kave"].rests_until == LATER
    assert {known[name].alive_until for name in known} == {LATER}
    assert known["smsc"].share == 100


def test_the_latest_receipt_says_when_its_text_left(texts: Texts) -> None:
    ids = ["a", "b", "c"]
    for carrier_id in ids:
        text = texts.promise()
        texts.claim()
        texts.begin(text, carrier=CHANNEL)
        texts.end(text, "accepted", State.SENT, carrier_id=carrier_id)
        texts.wait(10)

    def heard() -> object:
        with reading(texts.engine) as db:
            return channels.last_receipted(db, channel=CHANNEL, at=texts.at)

    assert heard() is None
    report(texts, "b")
    assert heard() == NOON + timedelta(seconds=10)
    # What came hours ago says nothing of now.
    texts.wait(3 * 3600)
    assert heard() is None
