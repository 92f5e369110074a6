"""`texts` and `desk`, as an operator runs them beside the service."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from ledger import channels, enquiries, inbox, people, schema
from ledger.engine import writing
from ledger.outbox import NEVER, State
from ledger.vault import look_up
from tests.gateway.house import PHONE, Gateway
from tests.gateway.operator import Operator


@pytest.fixture(params=["sqlite", "postgresql"])
def gateway_database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _ends(gateway: Gateway, state: State) -> int:
    """A pledge's text that ended so; returns its id."""
    gateway.pledge()
    text_id = int(gateway.rows("outbox")[-1].id)
    due_at = NEVER if state is State.UNCLEAR else gateway.clock()
    with writing(gateway.service.engine) as db:
        db.execute(
            update(schema.outbox)
            .where(schema.outbox.c.id == text_id)
            .values(state=state, attempts=1, carrier="kave", due_at=due_at)
        )
        db.execute(
            schema.attempt.insert().values(
                outbox_id=text_id,
                number=1,
                carrier="kave",
                began_at=gateway.clock(),
                ended_at=gateway.clock(),
                outcome="refused" if state is State.FAILED else "ambiguous",
                carrier_id="abc",
                detail="HTTP 411",
                parts=1,
                estimate="1150 rial",
            )
        )
        inbox.store_receipt(
            db,
            gateway.service.keys,
            carrier="kave",
            carrier_id="abc",
            status="failed",
            part=0,
            raw=b"{}",
            at=gateway.clock(),
        )
    return text_id


def _asked(gateway: Gateway, words: str) -> int:
    """Somebody wrote what nobody understands; returns the enquiry's id."""
    keys, at = gateway.service.keys, gateway.clock()
    with writing(gateway.service.engine) as db:
        person = people.remember(db, keys, PHONE, at=at)
        inbound = inbox.store_inbound(
            db,
            keys,
            carrier="kave",
            carrier_id="in-1",
            look_up=look_up(keys, PHONE),
            line="10001",
            raw=b"{}",
            keyword=None,
            at=at,
            words={"from": PHONE, "text": words},
        )
        assert inbound is not None
        enquiries.add(
            db,
            keys,
            inbound_id=inbound,
            person_id=person.id,
            channel="kave",
            line="10001",
            words=words,
            at=at,
        )
    return int(gateway.rows("enquiry")[-1].id)


# --- texts ---


def test_a_dead_text_is_listed_and_shown_without_its_number(operator: Operator):
    text_id = _ends(operator.gateway, State.FAILED)
    listed = operator.run("texts", "dead")
    assert f"{text_id}  1405/09/01" in listed.output
    assert "failed" in listed.output
    shown = operator.run("texts", "show", str(text_id))
    assert "to ***4567" in shown.output
    assert "refused HTTP 411  about 1150 rial" in shown.output
    assert "reported 1405/09/01" in shown.output
    assert PHONE[-7:] not in listed.output + shown.output


def test_a_dead_text_is_sent_again_once_and_the_books_say_by_whom(operator: Operator):
    text_id = _ends(operator.gateway, State.FAILED)
    told = operator.run("texts", "resend", str(text_id), "--by", "sara")
    assert told.exit_code == 0, told.output
    [old, new] = operator.gateway.rows("outbox")
    assert (new.state, old.closed_at is not None) == ("queued", True)
    [event] = operator.gateway.rows("event", kind="text.resent")
    assert event.body["by"] == "sara"
    assert "dead" not in operator.run("texts", "dead").output


def test_a_text_that_may_have_arrived_is_sent_again_only_on_purpose(operator: Operator):
    text_id = _ends(operator.gateway, State.UNCLEAR)
    told = operator.run("texts", "resend", str(text_id))
    assert told.exit_code == 2
    assert "--even-if-doubled" in told.output
    told = operator.run("texts", "resend", str(text_id), "--even-if-doubled")
    assert told.exit_code == 0
    assert len(operator.gateway.rows("outbox")) == 2


def test_a_dead_text_is_closed_for_a_reason(operator: Operator):
    text_id = _ends(operator.gateway, State.FAILED)
    assert operator.run("texts", "close", str(text_id)).exit_code == 2
    told = operator.run("texts", "close", str(text_id), "--reason", "called back")
    assert told.exit_code == 0
    shown = operator.run("texts", "show", str(text_id))
    assert "closed 1405/09/01" in shown.output
    assert "called back" in shown.output
    again = operator.run("texts", "close", str(text_id), "--reason", "again")
    assert (again.exit_code, "not dead" in again.output) == (2, True)


def test_a_withdrawn_text_says_why(operator: Operator):
    text_id = _ends(operator.gateway, State.WITHDRAWN)
    with writing(operator.gateway.service.engine) as db:
        db.execute(update(schema.outbox).values(closed_why="not a guest"))
    shown = operator.run("texts", "show", str(text_id))
    assert "because: not a guest" in shown.output


def test_a_text_that_does_not_exist_is_told_in_a_line(operator: Operator):
    assert "there is no text 7" in operator.run("texts", "show", "7").output
    assert "there is no text 7" in operator.run("texts", "resend", "7").output


def test_channels_are_shown_with_the_history_of_why(operator: Operator):
    at = operator.gateway.clock()
    with writing(operator.gateway.service.engine) as db:
        channels.change(
            db,
            channel="kave",
            what="opened",
            why="no_credit",
            share=0,
            rests_until=at + timedelta(seconds=30),
            rests=1,
            at=at,
        )
    told = operator.run("texts", "channels")
    assert "kave                 rests until 1405/09/01 12:00  no_credit" in told.output
    assert "opened     0%  no_credit" in told.output
    assert "there is no channel x" in operator.run("texts", "channels", "x").output


# --- the desk ---


def test_an_enquiry_is_listed_shown_and_answered(operator: Operator):
    enquiry = _asked(operator.gateway, "کمک من رسید؟\x1b[31m")
    listed = operator.run("desk", "list")
    assert "***4567" in listed.output
    assert "کمک من رسید؟" in listed.output
    assert "\x1b" not in listed.output
    told = operator.run("desk", "answer", str(enquiry), "بله، رسید.", "--by", "omid")
    assert told.exit_code == 0, told.output
    [text] = operator.gateway.rows("outbox")
    assert (text.template, text.state) == ("sms.answer", "queued")
    shown = operator.run("desk", "show", str(enquiry))
    assert "answered by omid" in shown.output
    assert operator.run("desk", "list").output == ""


def test_an_enquiry_is_closed_for_a_reason_and_only_once(operator: Operator):
    enquiry = _asked(operator.gateway, "سلام")
    close = ("desk", "close", str(enquiry), "--reason", "a greeting", "--by", "omid")
    assert operator.run(*close).exit_code == 0
    again = operator.run(*close)
    assert (again.exit_code, "no open enquiry" in again.output) == (2, True)
    assert "a greeting" in operator.run("desk", "show", str(enquiry)).output


def test_an_answer_without_words_is_refused_in_a_line(operator: Operator):
    enquiry = _asked(operator.gateway, "سلام")
    told = operator.run("desk", "answer", str(enquiry), "  ")
    assert (told.exit_code, "an answer has words" in told.output) == (2, True)


def test_who_acts_is_asked_for_a_name_that_can_be_kept(operator: Operator):
    told = operator.run("texts", "close", "1", "--reason", "x", "--by", "a" * 41)
    assert "a name has 1 to 40 letters" in told.output
