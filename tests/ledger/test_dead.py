"""Texts that went nowhere, and what an operator does about them; on both databases."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from ledger import dead
from ledger.dead import MayBeDoubled, NotDead
from ledger.engine import reading, writing
from ledger.outbox import NEVER, State
from ledger.schema import event
from tests.texts import NOON, Texts


@pytest.fixture
def texts(ledger_engine: Engine) -> Texts:
    return Texts(ledger_engine)


def _ended(texts: Texts, state: State, *, due_at: datetime | None = None) -> int:
    text = texts.promise(expires_in_seconds=3600)
    texts.claim()
    texts.begin(text)
    outcome = {"failed": "refused", "unclear": "ambiguous"}.get(state, "accepted")
    texts.end(text, outcome, state, due_at=due_at, detail="HTTP 400")
    return text


def _page(texts: Texts, **more: int) -> list[int]:
    with reading(texts.engine) as db:
        return [one.id for one in dead.page(db, **more)]


def _resend(texts: Texts, text: int, **more: bool) -> int:
    with writing(texts.engine) as db:
        return dead.resend(db, outbox_id=text, by="sara", at=texts.at, **more)


def test_the_dead_are_what_failed_expired_or_stays_in_doubt(texts: Texts) -> None:
    failed = _ended(texts, State.FAILED)
    expired = _ended(texts, State.EXPIRED)
    hopeless = _ended(texts, State.UNCLEAR, due_at=NEVER)
    for alive in (State.SENT, State.DELIVERED, State.QUEUED, State.WITHDRAWN):
        _ended(texts, alive)
    _ended(texts, State.UNCLEAR, due_at=NOON + timedelta(hours=1))
    assert _page(texts) == [hopeless, expired, failed]
    assert _page(texts, limit=1) == [hopeless]
    assert _page(texts, before=hopeless) == [expired, failed]
    with reading(texts.engine) as db:
        one = dead.page(db)[-1]
    assert (one.carrier, one.outcome, one.detail) == ("kave", "refused", "HTTP 400")


def test_a_dead_text_is_promised_anew_and_closed(texts: Texts) -> None:
    old = _ended(texts, State.FAILED)
    texts.wait(86_400)
    new = _resend(texts, old)
    row, before = texts.row(new), texts.row(old)
    assert (row.state, row.template, row.slots) == (
        "queued",
        before.template,
        before.slots,
    )
    assert (row.due_at, row.expires_at) == (texts.at, texts.at + timedelta(hours=1))
    assert (before.state, before.closed_at) == ("failed", texts.at)
    assert before.closed_why == "sent again by sara"
    assert _page(texts) == []
    with reading(texts.engine) as db:
        made = db.execute(select(event).where(event.c.id == row.event_id)).one()
    assert (made.kind, made.about_id) == ("text.resent", before.event_id)
    # Twice is once.
    assert _resend(texts, old) == new


def test_what_may_have_arrived_is_sent_again_only_by_who_means_it(
    texts: Texts,
) -> None:
    text = _ended(texts, State.UNCLEAR, due_at=NEVER)
    with pytest.raises(MayBeDoubled):
        _resend(texts, text)
    assert _page(texts) == [text]
    _resend(texts, text, even_if_doubled=True)
    assert _page(texts) == []


@pytest.mark.parametrize("state", [State.SENT, State.DELIVERED, State.QUEUED])
def test_a_text_that_is_not_dead_is_neither_sent_again_nor_closed(
    state: State, texts: Texts
) -> None:
    text = _ended(texts, state)
    with pytest.raises(NotDead):
        _resend(texts, text, even_if_doubled=True)
    with pytest.raises(NotDead), writing(texts.engine) as db:
        dead.close(db, outbox_id=text, by="sara", reason="why", at=texts.at)
    with pytest.raises(NotDead):
        _resend(texts, 10**6)


def test_a_dead_text_is_closed_with_a_reason_once(texts: Texts) -> None:
    text = _ended(texts, State.EXPIRED)
    with writing(texts.engine) as db:
        dead.close(db, outbox_id=text, by="sara", reason="rang her", at=texts.at)
    assert texts.row(text).closed_why == "rang her"
    with pytest.raises(NotDead), writing(texts.engine) as db:
        dead.close(db, outbox_id=text, by="ali", reason="too late", at=texts.at)
    with reading(texts.engine) as db:
        kinds = db.execute(
            select(event.c.body).where(event.c.kind == "text.closed")
        ).scalars()
        assert [body["by"] for body in kinds] == ["sara"]
