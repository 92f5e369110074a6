"""Leases on texts: claimed once, freed after a death, never doubled."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert, update

from ledger import attempts, claims, outbox
from ledger.engine import writing
from ledger.outbox import Kind, State
from ledger.prepared import run
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
    assert texts.begin(text, "a") == 1
    [entry] = texts.attempts(text)
    assert (entry.number, entry.carrier, entry.outcome) == (1, "kave", None)
    row = texts.row(text)
    assert (row.attempts, row.carrier) == (1, "kave")


def test_an_attempt_begins_only_while_the_lease_is_ours(texts: Texts) -> None:
    text = texts.promise()
    texts.claim("a")
    assert texts.begin(text, "b") is None
    assert texts.attempts(text) == []


def test_finishing_writes_the_outcome_and_gives_the_text_back(texts: Texts) -> None:
    text = texts.promise()
    texts.claim("a")
    texts.begin(text, "a", parts=1)
    texts.end(text, "accepted", State.SENT, carrier_id="8792343", cost="1150 rial")

    [entry] = texts.attempts(text)
    assert (entry.outcome, entry.carrier_id, entry.parts) == ("accepted", "8792343", 1)
    assert entry.cost == "1150 rial"
    row = texts.row(text)
    assert (row.state, row.lease_owner, row.lease_until) == ("sent", None, None)


def test_a_retry_is_due_later_and_remembers_who_was_tried(texts: Texts) -> None:
    text = texts.promise()
    texts.claim("a")
    texts.begin(text, "a")
    due_at = NOON + timedelta(seconds=2)
    texts.end(text, "retryable", State.QUEUED, due_at=due_at)
    assert texts.claim() == []
    texts.wait(2)
    [row] = texts.claim()
    assert (row.attempts, row.tried, row.carrier) == (1, ("kave",), "kave")
    assert (row.failures, row.via) == (1, "*")
    assert row.attempted_at == NOON


def test_who_lost_the_lease_can_still_say_that_it_was_taken(texts: Texts) -> None:
    text = texts.promise()
    texts.claim("slow", lease_seconds=10)
    texts.begin(text, "slow")
    texts.wait(31)
    with writing(texts.engine) as db:
        assert claims.reclaim(db, at=texts.at) == 1
    assert texts.state(text) == "unclear"

    texts.end(text, "accepted", State.SENT, owner="slow", carrier_id="1")

    assert texts.state(text) == "sent"
    assert texts.outcomes(text) == ["accepted"]


def test_who_lost_the_lease_cannot_queue_the_text_again(texts: Texts) -> None:
    text = texts.promise()
    texts.claim("slow")
    texts.begin(text, "slow")
    texts.wait(31)
    with writing(texts.engine) as db:
        claims.reclaim(db, at=texts.at)
    texts.claim("quick")
    texts.end(text, "retryable", State.QUEUED, owner="slow")
    assert texts.state(text) == "sending"
    assert texts.row(text).lease_owner == "quick"


def test_a_death_during_the_call_leaves_the_text_unclear(texts: Texts) -> None:
    text = texts.promise()
    texts.claim("a", lease_seconds=30)
    texts.begin(text, "a")
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
    texts.begin(text, "a")
    texts.end(text, "ambiguous", State.UNCLEAR)
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
    texts.begin(text, "a")
    texts.end(text, "accepted", State.SENT, carrier_id="1")
    texts.end(text, "ambiguous", State.UNCLEAR)
    assert texts.state(text) == "sent"
    assert texts.outcomes(text) == ["accepted"]


def test_a_withdrawn_text_is_not_claimed(texts: Texts) -> None:
    text = texts.promise()
    with writing(texts.engine) as db:
        outbox.withdraw(db, event_id=texts.row(text).event_id, at=NOON)
    assert texts.claim() == []


# --- whose texts they are ---


def test_a_claim_takes_what_is_ours_and_what_is_nobodys(texts: Texts) -> None:
    by_via = {via: texts.promise() for via in ("", "*", "smsc", "other")}
    with writing(texts.engine) as db:
        for via, text in by_via.items():
            db.execute(
                update(outbox_table).where(outbox_table.c.id == text).values(via=via)
            )
    smsc = {row.id: row.via for row in texts.claim("s", via="smsc", limit=1)}
    smsc |= {row.id: row.via for row in texts.claim("s", via="smsc")}
    assert smsc == {by_via["smsc"]: "smsc", by_via[""]: ""}
    assert [row.id for row in texts.claim("w")] == [by_via["*"]]


def test_neither_ours_nor_nobodys_crowds_out_the_other(texts: Texts) -> None:
    ours = [texts.promise() for _ in range(8)]
    with writing(texts.engine) as db:
        db.execute(update(outbox_table).values(via="*"))
    nobodys = [texts.promise() for _ in range(8)]
    claimed = {row.id for row in texts.claim(limit=8)}
    assert claimed == {*ours[:4], *nobodys[:4]}


def test_what_is_held_already_leaves_less_room_but_not_for_a_receipt(
    texts: Texts,
) -> None:
    for _ in range(4):
        texts.promise(Kind.CAMPAIGN)
    receipts = [texts.promise(Kind.RECEIPT) for _ in range(4)]
    held = {Kind.CAMPAIGN: 5}
    claimed = texts.claim(limit=6, held=held)
    assert [row.id for row in claimed] == receipts
    assert texts.claim(limit=6, held={Kind.RECEIPT: 4, Kind.CAMPAIGN: 2}) == []
    assert len(texts.claim(limit=6, held={Kind.RECEIPT: 3})) == 3


def test_who_begins_an_attempt_is_asked_about_it(texts: Texts) -> None:
    text = texts.promise()
    texts.claim("s", via="smsc")
    with writing(texts.engine) as db:
        attempts.begin(
            db,
            [attempts.Begun(text, "smsc")],
            owner="s",
            via="smsc",
            at=texts.at,
            lease_seconds=30,
        )
    texts.wait(31)
    with writing(texts.engine) as db:
        claims.reclaim(db, at=texts.at)
    assert texts.claim("w") == []
    [row] = texts.claim("s", via="smsc")
    assert row.doubtful


def test_texts_of_one_who_is_gone_are_freed_in_steps(texts: Texts) -> None:
    mine = [texts.promise() for _ in range(3)]
    with writing(texts.engine) as db:
        db.execute(update(outbox_table).values(via="smsc"))
        assert claims.free(db, via="smsc", limit=2) == 2
        assert claims.free(db, via="smsc", limit=2) == 1
        assert claims.free(db, via="smsc") == 0
    assert {texts.row(text).via for text in mine} == {""}


# --- a million texts that wait ---


def test_a_claim_looks_at_one_end_of_an_index_whatever_else_waits(
    texts: Texts,
) -> None:
    event_id = texts.row(texts.promise()).event_id
    row = dict(texts.row(1)._mapping) | {"kind": "campaign"}
    del row["id"]
    with writing(texts.engine) as db:
        db.execute(
            insert(outbox_table),
            [
                row | {"event_id": event_id, "template": f"t{number}"}
                for number in range(20_000)
            ],
        )
    if texts.engine.dialect.name == "postgresql":
        with texts.engine.connect() as db:
            db.exec_driver_sql("ANALYZE outbox")
    for statement, values in _asked_of_the_outbox(texts):
        plan = _plan(texts, statement, values)
        assert "ix_outbox_state_kind_via_due_at" in plan, plan
        assert "Seq Scan on outbox" not in plan, plan
        assert not re.search(r"SCAN (outbox|candidate)(?! USING)", plan), plan


def _asked_of_the_outbox(texts: Texts) -> list[tuple[Any, dict[str, object]]]:
    of = {"of_kind": "receipt", "of_via": "*", "now": texts.at}
    leased = {"to_owner": "a", "until": texts.at}
    return [
        (claims._WAITING, {"now": texts.at, "own": "*", "anybodys": ""}),
        (claims._CLAIM, {"from_state": "queued", "room": 100, **of, **leased}),
        (outbox._EXPIRE, {"room": 100, **of}),
        (outbox._NEXT, {"own": "*", "anybodys": ""}),
    ]


def _plan(texts: Texts, statement: Any, values: dict[str, object]) -> str:
    with writing(texts.engine) as db:
        compiled = statement._compile(db, values)
        explain = "EXPLAIN QUERY PLAN" if db.dialect.name == "sqlite" else "EXPLAIN"
        text = f"{explain} {compiled.text}"
        rows = run(db, text, compiled.parameters(values)).fetchall()
    return "\n".join(str(row[-1]) for row in rows)
