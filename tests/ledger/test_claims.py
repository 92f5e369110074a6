"""Leases on texts: claimed once, freed after a death, never doubled."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine, update

from ledger import attempts, claims, outbox
from ledger.engine import writing
from ledger.outbox import Kind, State
from ledger.schema import outbox as outbox_table
from ledger.schema import person
from tests.texts import KEYS, NOON, PHONE, Texts


@pytest.fixture
def texts(ledger_engine: Engine) -> Texts:
    return Texts(ledger_engine)


def test_a_claim_holds_all_that_delivery_needs(texts: Texts) -> None:
    from ledger.vault import look_up

    text = texts.promise(slots={"amt": 75_000})
    [row] = texts.claim()

    assert row.id == text
    assert row.slots == {"amt": 75_000}
    assert row.kind is Kind.RECEIPT
    assert row.look_up == look_up(KEYS, PHONE)
    assert row.tried == ()
    assert row.attempted_at is None
    assert not row.doubtful
    assert texts.state(text) == "sending"


def test_what_is_claimed_is_not_claimed_again(texts: Texts) -> None:
    texts.promise()
    assert len(texts.claim("a")) == 1
    assert texts.claim("b") == []


def test_receipts_go_before_service_texts_and_those_before_campaigns(
    texts: Texts,
) -> None:
    campaign = texts.promise(Kind.CAMPAIGN)
    texts.wait(1)
    service = texts.promise(Kind.SERVICE)
    texts.wait(1)
    receipts = [texts.promise(Kind.RECEIPT) for _ in range(2)]

    claimed = [row.id for row in texts.claim(limit=3)]

    assert claimed == [*receipts, service]
    assert [row.id for row in texts.claim()] == [campaign]


def test_the_oldest_goes_first_and_the_future_not_at_all(texts: Texts) -> None:
    first = texts.promise()
    texts.wait(5)
    second = texts.promise()
    texts.wait(-4)
    assert [row.id for row in texts.claim()] == [first]
    texts.wait(4)
    assert [row.id for row in texts.claim()] == [second]


def test_texts_to_ask_about_never_crowd_out_new_ones(texts: Texts) -> None:
    doubtful = [texts.promise() for _ in range(8)]
    with writing(texts.engine) as db:
        db.execute(update(outbox_table).values(state=State.UNCLEAR))
    fresh = [texts.promise() for _ in range(8)]

    claimed = texts.claim(limit=8)

    assert [row.id for row in claimed if row.doubtful] == doubtful[:2]
    assert [row.id for row in claimed if not row.doubtful] == fresh[:6]


def test_an_erased_person_has_no_hash_in_the_claim(texts: Texts) -> None:
    texts.promise()
    with writing(texts.engine) as db:
        db.execute(update(person).values(look_up=None))
    [row] = texts.claim()
    assert row.look_up is None


def test_many_that_claim_at_once_share_without_doubling(texts: Texts) -> None:
    promised = {texts.promise() for _ in range(40)}

    def take(owner: str) -> list[int]:
        mine: list[int] = []
        while rows := texts.claim(owner, limit=3):
            mine += [row.id for row in rows]
        return mine

    with ThreadPoolExecutor(4) as pool:
        shares = list(pool.map(take, "abcd"))

    claimed = [text for share in shares for text in share]
    assert sorted(claimed) == sorted(promised)


def test_an_attempt_is_written_before_its_call(texts: Texts) -> None:
    text = texts.promise()
    texts.claim("a")
    with writing(texts.engine) as db:
        number = _begin(db, text, "a")

    assert number == 1
    [entry] = texts.attempts(text)
    assert (entry.number, entry.carrier, entry.outcome) == (1, "kave", None)
    row = texts.row(text)
    assert (row.attempts, row.carrier) == (1, "kave")


def test_an_attempt_begins_only_while_the_lease_is_ours(texts: Texts) -> None:
    text = texts.promise()
    texts.claim("a")
    with writing(texts.engine) as db:
        assert _begin(db, text, "b") is None
    assert texts.attempts(text) == []


def test_finishing_writes_the_outcome_and_gives_the_text_back(texts: Texts) -> None:
    text = texts.promise()
    texts.claim("a")
    with writing(texts.engine) as db:
        _begin(db, text, "a")
        assert _finish(db, text, "a", "accepted", State.SENT, carrier_id="8792343")

    [entry] = texts.attempts(text)
    assert (entry.outcome, entry.carrier_id, entry.parts) == ("accepted", "8792343", 1)
    row = texts.row(text)
    assert (row.state, row.lease_owner, row.lease_until) == ("sent", None, None)


def test_a_retry_is_due_later_and_remembers_who_was_tried(texts: Texts) -> None:
    text = texts.promise()
    texts.claim("a")
    with writing(texts.engine) as db:
        _begin(db, text, "a")
        _finish(
            db,
            text,
            "a",
            "retryable",
            State.QUEUED,
            due_at=NOON + timedelta(seconds=2),
        )
    assert texts.claim() == []
    texts.wait(2)
    [row] = texts.claim()
    assert (row.attempts, row.tried, row.carrier) == (1, ("kave",), "kave")
    assert row.attempted_at == NOON


def test_who_lost_the_lease_can_still_say_that_it_was_taken(texts: Texts) -> None:
    text = texts.promise()
    texts.claim("slow", lease_seconds=10)
    with writing(texts.engine) as db:
        _begin(db, text, "slow")
    texts.wait(31)
    with writing(texts.engine) as db:
        assert claims.reclaim(db, at=texts.at) == 1
    assert texts.state(text) == "unclear"

    with writing(texts.engine) as db:
        assert not _finish(db, text, "slow", "accepted", State.SENT, carrier_id="1")

    assert texts.state(text) == "sent"
    assert texts.outcomes(text) == ["accepted"]


def test_who_lost_the_lease_cannot_queue_the_text_again(texts: Texts) -> None:
    text = texts.promise()
    texts.claim("slow")
    with writing(texts.engine) as db:
        _begin(db, text, "slow")
    texts.wait(31)
    with writing(texts.engine) as db:
        claims.reclaim(db, at=texts.at)
    texts.claim("quick")
    with writing(texts.engine) as db:
        assert not _finish(db, text, "slow", "retryable", State.QUEUED)
    assert texts.state(text) == "sending"
    assert texts.row(text).lease_owner == "quick"


def test_a_death_during_the_call_leaves_the_text_unclear(texts: Texts) -> None:
    text = texts.promise()
    texts.claim("a", lease_seconds=30)
    with writing(texts.engine) as db:
        _begin(db, text, "a")
    texts.wait(29)
    with writing(texts.engine) as db:
        assert claims.reclaim(db, at=texts.at) == 0
    texts.wait(1)
    with writing(texts.engine) as db:
        assert claims.reclaim(db, at=texts.at) == 1

    assert texts.state(text) == "unclear"
    assert texts.outcomes(text) == ["ambiguous"]
    [row] = texts.claim("b")
    assert row.doubtful
    assert row.carrier == "kave"


def test_a_death_before_the_call_leaves_the_text_queued(texts: Texts) -> None:
    text = texts.promise()
    texts.claim("a", lease_seconds=30)
    texts.wait(31)
    with writing(texts.engine) as db:
        assert claims.reclaim(db, at=texts.at) == 1
    assert texts.state(text) == "queued"


def test_a_death_while_asking_leaves_the_text_unclear(texts: Texts) -> None:
    text = texts.promise()
    texts.claim("a")
    with writing(texts.engine) as db:
        _begin(db, text, "a")
        _finish(db, text, "a", "ambiguous", State.UNCLEAR)
    [row] = texts.claim("b")
    assert row.doubtful
    texts.wait(31)
    with writing(texts.engine) as db:
        claims.reclaim(db, at=texts.at)
    assert texts.state(text) == "unclear"


def test_an_owner_known_to_be_gone_need_not_be_waited_for(texts: Texts) -> None:
    mine, other = texts.promise(), texts.promise()
    texts.claim("dead", limit=1)
    texts.claim("alive", limit=1)
    with writing(texts.engine) as db:
        freed = claims.reclaim(db, at=texts.at, is_gone=lambda owner: owner == "dead")
    assert freed == 1
    assert texts.state(mine) == "queued"
    assert texts.state(other) == "sending"


def test_a_lease_can_be_renewed_during_a_slow_call(texts: Texts) -> None:
    texts.promise()
    texts.claim("a", lease_seconds=30)
    texts.wait(29)
    with writing(texts.engine) as db:
        claims.renew(db, owner="a", at=texts.at, lease_seconds=30)
    texts.wait(29)
    with writing(texts.engine) as db:
        assert claims.reclaim(db, at=texts.at) == 0


def test_a_sure_outcome_is_not_overwritten(texts: Texts) -> None:
    text = texts.promise()
    texts.claim("a")
    with writing(texts.engine) as db:
        _begin(db, text, "a")
        _finish(db, text, "a", "accepted", State.SENT, carrier_id="1")
        attempts.note_outcome(
            db, outbox_id=text, number=1, outcome="ambiguous", at=NOON
        )
    assert texts.outcomes(text) == ["accepted"]


def test_a_withdrawn_text_is_not_claimed(texts: Texts) -> None:
    text = texts.promise()
    with writing(texts.engine) as db:
        outbox.withdraw(db, event_id=texts.row(text).event_id, at=NOON)
    assert texts.claim() == []


def _begin(db, text, owner):  # type: ignore[no-untyped-def]  # a shorthand
    return attempts.begin_attempt(
        db, outbox_id=text, owner=owner, carrier="kave", at=NOON, lease_seconds=30
    )


def _finish(db, text, owner, outcome, state, **more):  # type: ignore[no-untyped-def]  # a shorthand
    return attempts.finish(
        db,
        outbox_id=text,
        number=1,
        owner=owner,
        outcome=outcome,
        state=state,
        at=NOON,
        parts=1,
        **more,
    )
