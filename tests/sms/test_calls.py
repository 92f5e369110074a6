"""The reference of a text: what carriers are told that it is called."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from ledger.vault import Keys
from sms.calls import reference
from sms.carrier import Outcome, Result
from sms.delivery import Rendered, deliver
from sms.owner import this_process
from sms.routes import Channel, Routes
from tests.fake_carrier import FakeCarrier
from tests.texts import KEYS, NOON, Promise, Texts

ROW = Promise(41, NOON)


@given(st.integers(1, 2**63 - 1), st.datetimes(timezones=st.just(UTC)))
def test_a_reference_is_a_positive_number_of_63_bits(id: int, at: datetime) -> None:
    written = reference(KEYS, Promise(id, at))
    assert written.isascii()
    assert written.isdecimal()
    assert 0 < int(written) < 2**63
    assert str(int(written)) == written


def test_a_reference_outlives_a_version() -> None:
    """A text that is unclear is asked about by whatever version runs then."""
    assert reference(KEYS, ROW) == "1538109134239213509"


def test_a_reference_is_of_the_moment_and_not_of_its_zone() -> None:
    tehran = NOON.astimezone(timezone(timedelta(hours=3, minutes=30)))
    assert reference(KEYS, replace(ROW, promised_at=tehran)) == reference(KEYS, ROW)


def test_another_installation_and_a_wiped_database_have_other_references() -> None:
    elsewhere = Keys(vault=KEYS.vault, index=b"j" * 32, code=KEYS.code)
    later = replace(ROW, promised_at=NOON + timedelta(microseconds=1))
    assert len(
        {
            reference(KEYS, ROW),
            reference(elsewhere, ROW),
            reference(KEYS, later),
            reference(KEYS, replace(ROW, id=42)),
        }
    ) == len(("ours", "elsewhere", "wiped", "the next"))


def test_a_carrier_that_knows_our_row_id_from_elsewhere_loses_no_text(
    ledger_engine: Engine,
) -> None:
    texts = Texts(ledger_engine)
    text = texts.promise()
    carrier = FakeCarrier(Result(Outcome.AMBIGUOUS))
    # What another installation sent under the id that this row happens to have.
    carrier.found[str(text)] = Result(Outcome.ACCEPTED, carrier_id="theirs")
    for _ in range(2):
        deliver(
            texts.engine,
            KEYS,
            routes=Routes([Channel("kave", carrier, sender="10001")]),
            render=lambda row: Rendered("سلام"),
            owner=this_process(),
            now=texts.now,
        )
        texts.wait(5)
    ours = texts.reference(text)
    assert [message.id for message in carrier.sent] == [ours, ours]
    assert set(carrier.asked) == {ours}
    assert texts.outcomes(text) == ["retryable", "accepted"]
