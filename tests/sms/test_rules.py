"""What may leave now: each rule against real rows, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, event, text, update

from ledger import consents, lately, people, schema, stops
from ledger.claims import Claimed
from ledger.engine import connect, reading, writing
from ledger.outbox import Kind, State
from ledger.vault import look_up
from sms import rehearsal
from sms.routes import Channel
from sms.rules import Later, Rules, Withdrawn, held, hold, is_quiet, morning
from tests.fake_carrier import FakeCarrier
from tests.texts import KEYS, NOON, PHONE, Texts

TEHRAN = ZoneInfo("Asia/Tehran")
RULES = Rules(TEHRAN)
OTHER = "+989351112233"
WEEK = 7 * 24 * 3600


@pytest.fixture
def texts(ledger_engine: Engine) -> Texts:
    return Texts(ledger_engine)


def _channel(name: str = "kave", **more: Any) -> Channel:
    return Channel(name, FakeCarrier(), sender="10001", **more)


def _agree(texts: Texts, phone: str = PHONE, *, test: bool = False) -> int:
    with writing(texts.engine) as db:
        person = people.remember(db, KEYS, phone, at=texts.at)
        consents.give(db, person_id=person.id, menus="m" * 64, test=test, at=texts.at)
    return person.id


def _campaign(texts: Texts, **more: Any) -> Claimed:
    given: dict[str, Any] = {"expires_in_seconds": WEEK, **more}
    wanted = texts.promise(Kind.CAMPAIGN, **given)
    return next(row for row in texts.claim() if row.id == wanted)


def _left(texts: Texts, row: Claimed, at: datetime, state: State = State.SENT) -> None:
    with writing(texts.engine) as db:
        db.execute(
            update(schema.outbox)
            .where(schema.outbox.c.id == row.id)
            .values(state=state, attempts=1, changed_at=at)
        )


def _held(texts: Texts, row: Claimed, rules: Rules = RULES, **more: Any) -> Any:
    with writing(texts.engine) as db:
        return held(db, row, more.get("channel", _channel()), rules, texts.at)


def _local(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=TEHRAN)


# --- consent and stops ---


def test_a_campaign_text_to_somebody_who_never_agreed_does_not_leave(texts: Texts):
    assert _held(texts, _campaign(texts)) == Withdrawn("no consent")


def test_a_campaign_text_to_somebody_who_agreed_leaves(texts: Texts):
    _agree(texts)
    assert _held(texts, _campaign(texts)) is None


def test_a_pledge_is_no_consent_and_needs_none(texts: Texts):
    texts.promise(Kind.RECEIPT)
    texts.promise(Kind.SERVICE, template="sms.report")
    texts.at = _local(22, 23).astimezone(UTC)
    rows = texts.claim()
    assert [row.kind for row in rows] == [Kind.RECEIPT, Kind.SERVICE]
    with writing(texts.engine) as db:
        assert hold(db, [(row, _channel()) for row in rows], RULES, texts.at) == {}


@pytest.mark.parametrize("line", ["10001", stops.EVERY_LINE])
def test_a_stop_on_the_line_keeps_campaign_texts_but_no_receipts(
    texts: Texts, line: str
):
    _agree(texts)
    with writing(texts.engine) as db:
        stops.stop(
            db,
            key="stop",
            look_up=look_up(KEYS, PHONE),
            line=line,
            channel="kave",
            test=False,
            at=texts.at,
        )
    assert _held(texts, _campaign(texts)) == Withdrawn("stopped")
    texts.promise(Kind.RECEIPT)
    [receipt] = texts.claim()
    assert _held(texts, receipt) is None


def test_a_stop_on_one_line_leaves_the_others(texts: Texts):
    _agree(texts)
    with writing(texts.engine) as db:
        stops.stop(
            db,
            key="stop",
            look_up=look_up(KEYS, PHONE),
            line="20002",
            channel="other",
            test=False,
            at=texts.at,
        )
    assert _held(texts, _campaign(texts)) is None


# --- quiet hours ---


def test_a_campaign_text_waits_for_the_morning(texts: Texts):
    _agree(texts)
    texts.at = _local(22, 23).astimezone(UTC)
    later = _held(texts, _campaign(texts))
    assert isinstance(later, Later)
    assert _local(23, 7) <= later.at < _local(23, 7, 30)


def test_the_night_after_midnight_ends_the_same_morning(texts: Texts):
    _agree(texts)
    texts.at = _local(23, 3).astimezone(UTC)
    later = _held(texts, _campaign(texts))
    assert _local(23, 7) <= later.at < _local(23, 7, 30)


def test_a_campaign_text_that_expires_in_the_night_is_due_when_it_does(texts: Texts):
    _agree(texts)
    texts.at = _local(22, 23).astimezone(UTC)
    row = _campaign(texts, expires_in_seconds=3600)
    assert _held(texts, row) == Later(row.expires_at, "quiet hours")


def test_the_same_hour_twice_is_no_night():
    rules = Rules(TEHRAN, quiet_from=time(0), quiet_to=time(0))
    assert not any(is_quiet(rules, _local(22, hour)) for hour in range(24))


def test_a_night_may_lie_within_one_day():
    rules = Rules(TEHRAN, quiet_from=time(12), quiet_to=time(14))
    quiet = [hour for hour in range(24) if is_quiet(rules, _local(22, hour))]
    assert quiet == [12, 13]


@given(
    since_noon=st.timedeltas(timedelta(days=-2000), timedelta(days=2000)),
    zone=st.sampled_from(["Asia/Tehran", "Africa/Nairobi", "Europe/Berlin", "UTC"]),
    outbox_id=st.integers(1, 10**9),
)
def test_a_morning_is_never_in_the_night_and_never_past(
    since_noon: timedelta, zone: str, outbox_id: int
):
    at, rules = NOON + since_noon, Rules(ZoneInfo(zone))
    found = morning(rules, at, outbox_id)
    assert found > at
    assert found - at <= timedelta(hours=25, minutes=30)
    assert not is_quiet(rules, found)


def test_texts_of_one_night_are_spread_over_the_morning():
    minutes = [
        (morning(RULES, _local(22, 23), number) - _local(23, 7)).seconds // 60
        for number in range(1, 3001)
    ]
    each = [minutes.count(minute) for minute in range(30)]
    assert sum(each) == 3000
    assert min(each) > 80


# --- caps ---


def test_a_second_campaign_text_waits_for_the_next_day(texts: Texts):
    _agree(texts)
    first = _campaign(texts)
    _left(texts, first, texts.at)
    later = _held(texts, _campaign(texts))
    assert later.why == "cap"
    assert _local(23, 7) <= later.at < _local(23, 7, 30)


def test_what_somebody_else_got_is_not_counted(texts: Texts):
    _agree(texts)
    _agree(texts, OTHER)
    _left(texts, _campaign(texts, phone=OTHER), texts.at)
    assert _held(texts, _campaign(texts)) is None


@pytest.mark.parametrize(
    "state", [State.SENDING, State.UNCLEAR, State.SENT, State.DELIVERED]
)
def test_a_text_that_may_have_left_counts(texts: Texts, state: State):
    _agree(texts)
    _left(texts, _campaign(texts), texts.at, state)
    assert _held(texts, _campaign(texts)).why == "cap"


@pytest.mark.parametrize("state", [State.FAILED, State.EXPIRED, State.WITHDRAWN])
def test_a_text_that_reached_nobody_does_not_count(texts: Texts, state: State):
    _agree(texts)
    _left(texts, _campaign(texts), texts.at, state)
    assert _held(texts, _campaign(texts)) is None


def test_receipts_do_not_count(texts: Texts):
    _agree(texts)
    texts.promise(Kind.RECEIPT)
    [receipt] = texts.claim()
    _left(texts, receipt, texts.at)
    assert _held(texts, _campaign(texts)) is None


def test_of_two_that_begin_together_the_first_counts_for_the_second(texts: Texts):
    _agree(texts)
    for _ in range(2):
        texts.promise(Kind.CAMPAIGN, expires_in_seconds=WEEK)
    first, second = texts.claim()
    with writing(texts.engine) as db:
        pairs = [(row, _channel()) for row in (first, second)]
        found = hold(db, pairs, RULES, texts.at)
    assert [*found] == [second.id]


def test_two_processes_do_not_both_write_to_one_person(
    postgres_ledger_url: str,
):
    engine = connect(postgres_ledger_url)
    texts = Texts(engine)
    _agree(texts)
    for _ in range(2):
        texts.promise(Kind.CAMPAIGN, expires_in_seconds=WEEK)
    first, second = texts.claim()
    with writing(engine) as one, writing(engine) as other:
        assert held(one, first, _channel(), RULES, texts.at) is None
        later = held(other, second, _channel(), RULES, texts.at)
    engine.dispose()
    assert isinstance(later, Later)
    assert later.why == "busy"
    assert timedelta(0) < later.at - texts.at <= timedelta(seconds=10)


def test_a_fifth_text_in_thirty_days_waits_until_the_first_is_that_old(texts: Texts):
    _agree(texts)
    for days in (20, 15, 10, 5):
        row = _campaign(texts, expires_in_seconds=60 * 24 * 3600)
        _left(texts, row, texts.at - timedelta(days=days))
    row = _campaign(texts, expires_in_seconds=60 * 24 * 3600)
    later = _held(texts, row)
    assert later.at.astimezone(TEHRAN).date() == _local(22, 12).date() + timedelta(10)
    texts.at = later.at - timedelta(days=1)
    assert _held(texts, row) is not None
    texts.at = later.at
    assert _held(texts, row) is None


def test_texts_of_rehearsals_and_real_ones_are_counted_apart(texts: Texts):
    _agree(texts)
    _agree(texts, test=True)
    _left(texts, _campaign(texts), texts.at)
    row = _campaign(texts, test=True)
    assert _held(texts, row, channel=_channel(test=True)) is None


def test_the_cap_is_read_from_its_index(sqlite_ledger_url: str):
    engine = connect(sqlite_ledger_url)
    said: list[tuple[str, Any]] = []
    event.listen(
        engine,
        "before_cursor_execute",
        lambda db, cursor, statement, values, *_: said.append((statement, values)),
    )
    with reading(engine) as db:
        lately.campaign_texts(db, [1, 2], since=NOON, test=False)
        [(statement, values)] = said
        rows = db.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        told = " ".join(str(row) for row in rows)
    engine.dispose()
    assert "ix_outbox_person_id_changed_at" in told


# --- rehearsals ---


def _rehearsing(day_max: int = 100) -> Rules:
    return Rules(
        TEHRAN,
        rehearsal=rehearsal.rehearse(
            KEYS, channels=["kave"], guests=[PHONE], day_max=day_max
        ),
    )


def test_in_a_rehearsal_only_guests_get_texts(texts: Texts):
    texts.promise(Kind.RECEIPT)
    texts.promise(Kind.RECEIPT, phone=OTHER)
    guest, other = texts.claim()
    assert _held(texts, guest, _rehearsing()) is None
    assert _held(texts, other, _rehearsing()) == Withdrawn("not a guest")


def test_a_test_channel_carries_what_it_likes_in_a_rehearsal(texts: Texts):
    texts.promise(Kind.RECEIPT, phone=OTHER, test=True)
    [row] = texts.claim()
    console = _channel("console", test=True)
    assert _held(texts, row, _rehearsing(), channel=console) is None


def test_a_number_that_plays_a_part_never_goes_to_a_real_carrier(texts: Texts):
    texts.promise(Kind.RECEIPT, phone=rehearsal.DELIVERED)
    [row] = texts.claim()
    assert isinstance(_held(texts, row, _rehearsing()), Later)
    own = rehearsal.channel([_channel()])
    assert _held(texts, row, _rehearsing(), channel=own) is None


def test_a_rehearsal_sends_so_many_a_day_and_goes_on_tomorrow(texts: Texts):
    for _ in range(3):
        texts.promise(Kind.RECEIPT)
    rows = texts.claim()
    with writing(texts.engine) as db:
        for number, at in enumerate([texts.at - timedelta(days=1), texts.at], start=1):
            db.execute(
                text(
                    "INSERT INTO attempt (outbox_id, number, carrier, began_at)"
                    " VALUES (:id, :number, 'kave', :at)"
                ).bindparams(id=rows[0].id, number=number, at=_plain(db, at))
            )
        found = hold(db, [(row, _channel()) for row in rows], _rehearsing(2), texts.at)
    assert {*found} == {rows[1].id, rows[2].id}
    later = found[rows[1].id]
    assert isinstance(later, Later)
    assert later.at == min(_local(23, 0), rows[1].expires_at)


def _plain(db: Any, at: datetime) -> Any:
    return str(at.replace(tzinfo=None)) if db.dialect.name == "sqlite" else at


def test_noon_is_no_night():
    assert not is_quiet(RULES, NOON)
