"""What falls due by itself: done once, said once, and to nobody who wants it not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway import sweeping
from gateway.library import NoMenus
from gateway.schedule import _Turns
from gateway.sweeping import sweep
from ledger import payments, people, plans, pledges, stops
from ledger.engine import reading, writing
from ledger.payments import Kind, Payment
from ledger.pledges import Pledge
from ledger.stops import EVERY_LINE
from ledger.vault import look_up
from phone.dates import jalali
from tests.gateway.house import OTHER_PHONE, PHONE, ROOT, Gateway

CAMPAIGN = "one-plus-one"
TEHRAN = ZoneInfo("Asia/Tehran")


@pytest.fixture(params=["sqlite", "postgresql"])
def gateway_database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Donor:
    """Pledges in the books of a gateway, made at the gateway's own time."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._number = 0

    def pledge(self, phone: str = PHONE, **more: Any) -> Pledge:
        service, at = self._gateway.service, self._gateway.clock()
        self._number += 1
        told = {
            "campaign": CAMPAIGN,
            "purpose": "nowruz",
            "unit": "rial",
            "amount": 750_000,
            "channel": "at",
            "test": False,
        } | more
        with writing(service.engine) as db:
            person = people.remember(db, service.keys, phone, at=at)
            made = pledges.record_pledge(
                db,
                service.keys,
                key=f"at:{self._number}",
                person_id=person.id,
                at=at,
                **told,
            )
        return self.stands(made.event_id)

    def stands(self, event_id: int) -> Pledge:
        with reading(self._gateway.service.engine) as db:
            found = pledges.pledge_by_id(db, event_id)
        assert found is not None
        return found

    def pay(self, code: str, amount: int) -> None:
        service, at = self._gateway.service, self._gateway.clock()
        self._number += 1
        told = Payment("psp", f"p{self._number}", Kind.PAYMENT, amount, at, code=code)
        with writing(service.engine) as db:
            payments.pay(db, service.keys, told, channel="psp", test=False, at=at)

    def stop(self, line: str = EVERY_LINE, *, test: bool = False) -> None:
        service, at = self._gateway.service, self._gateway.clock()
        with writing(service.engine) as db:
            stops.stop(
                db,
                key=f"stop:{line}:{test}",
                look_up=look_up(service.keys, PHONE),
                line=line,
                channel="at",
                test=test,
                at=at,
            )

    def stand(self, **more: Any) -> None:
        service, at = self._gateway.service, self._gateway.clock()
        with writing(service.engine) as db:
            person = people.remember(db, service.keys, PHONE, at=at)
            told = {
                "key": "at:standing",
                "campaign": CAMPAIGN,
                "purpose": "nowruz",
                "unit": "rial",
                "amount": 500_000,
                "channel": "at",
                "language": "fa",
                "test": False,
            } | more
            plans.stand(
                db, service.keys, person_id=person.id, zone=TEHRAN, at=at, **told
            )


@pytest.fixture
def donor(gateway: Gateway) -> Donor:
    return Donor(gateway)


def _sweep(gateway: Gateway, **time: float) -> list[str]:
    """Sweep so much later, and give the texts that are promised since then."""
    before = len(gateway.promised)
    gateway.clock.wait(**time)
    sweep(gateway.service, gateway.clock())
    return gateway.promised[before:]


def _refuse_to_post(gateway: Gateway, pending_id: int) -> None:
    """Have the database refuse whatever resolves this pledge."""
    sqlite = gateway.service.engine.dialect.name == "sqlite"
    name = f"stuck_{pending_id}"
    here = f"new.pending_id = {pending_id}"
    refused = (
        [
            f"CREATE TRIGGER {name} BEFORE INSERT ON resolution WHEN {here} "
            "BEGIN SELECT RAISE(ABORT, 'stuck'); END"
        ]
        if sqlite
        else [
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'stuck'; END $$",
            f"CREATE TRIGGER {name} BEFORE INSERT ON resolution FOR EACH ROW "
            f"WHEN ({here}) EXECUTE FUNCTION {name}()",
        ]
    )
    with writing(gateway.service.engine) as db:
        for statement in refused:
            db.exec_driver_sql(statement)


def _load(gateway: Gateway, folder: Path, old: str, new: str) -> None:
    source = (ROOT / "menus.yaml").read_text(encoding="utf-8")
    assert old in source
    path = folder / "menus.yaml"
    path.write_text(source.replace(old, new, 1), encoding="utf-8")
    gateway.load_menus(path)


# --- expiry ---


def test_a_pledge_expires_when_its_days_are_over_and_its_donor_is_told(
    gateway: Gateway, donor: Donor
):
    made = donor.pledge()
    donor.pay(made.code, 250_000)
    assert "sms.expired" not in _sweep(gateway, days=29)
    assert _sweep(gateway, days=1) == ["sms.expired"]
    stands = donor.stands(made.event_id)
    assert (stands.paid, stands.expired) == (250_000, 500_000)
    text = gateway.rows("outbox", template="sms.expired")[0]
    assert text.slots["code"] == made.code
    assert _sweep(gateway, days=1) == []


def test_pledges_before_and_after_the_place_are_found(gateway: Gateway, donor: Donor):
    made = []
    for _ in range(3):
        made.append(donor.pledge(purpose="children"))
        gateway.clock.wait(days=1)
    gateway.clock.wait(days=26)
    for days in range(4):
        sweep(gateway.service, gateway.clock())
        closed = [donor.stands(one.event_id).expired > 0 for one in made]
        assert closed == [days > n for n in range(3)]
        gateway.clock.wait(days=1)


def test_more_pledges_than_one_look_holds_all_expire(
    gateway: Gateway, donor: Donor, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sweeping, "LOOK_MAX", 3)
    monkeypatch.setattr(sweeping, "HELD_MAX", 2)
    made = [donor.pledge() for _ in range(8)]
    donor.pay(made[3].code, 750_000)
    _sweep(gateway, days=40)
    states = [str(donor.stands(one.event_id).state) for one in made]
    assert states == ["expired"] * 3 + ["paid"] + ["expired"] * 4


def test_who_pledged_long_ago_is_not_told_of_an_expiry_of_today(
    gateway: Gateway, donor: Donor
):
    made = donor.pledge()
    assert _sweep(gateway, days=34) == []
    assert donor.stands(made.event_id).state == "expired"


def test_a_paused_campaign_keeps_its_pledges(
    gateway: Gateway, donor: Donor, tmp_path: Path
):
    made = donor.pledge()
    _load(gateway, tmp_path, "paused: false", "paused: true")
    assert _sweep(gateway, days=31) == []
    assert donor.stands(made.event_id).state == "open"
    _load(gateway, tmp_path, "paused: false", "paused: false")
    assert _sweep(gateway, hours=1) == ["sms.expired"]


def test_a_campaign_that_is_not_in_the_menus_keeps_its_pledges(
    gateway: Gateway, donor: Donor
):
    made = donor.pledge(campaign="last-year")
    _sweep(gateway, days=400)
    assert donor.stands(made.event_id).state == "open"


def test_goods_expire_without_a_text_about_money(gateway: Gateway, donor: Donor):
    made = donor.pledge(unit="parcel", amount=3)
    assert _sweep(gateway, days=8) == []
    assert _sweep(gateway, days=22) == []
    assert donor.stands(made.event_id).state == "expired"


def test_a_pledge_in_parts_expires_after_its_last_part(gateway: Gateway, donor: Donor):
    made = donor.pledge()
    with writing(gateway.service.engine) as db:
        parts = plans.instal(
            db,
            pledge_id=made.event_id,
            number=3,
            zone=TEHRAN,
            at=gateway.clock(),
        )
    _sweep(gateway, days=45)
    assert donor.stands(made.event_id).state == "open"
    gateway.clock.at = parts[-1].due_at + timedelta(days=29)
    _sweep(gateway)
    assert donor.stands(made.event_id).state == "open"
    assert _sweep(gateway, days=1) == ["sms.expired"]
    assert donor.stands(made.event_id).state == "expired"


def test_a_long_plan_keeps_no_shorter_one_open(gateway: Gateway, donor: Donor):
    ends = {}
    for number in (12, 2):
        made = donor.pledge(phone=PHONE if number == 12 else OTHER_PHONE)
        with writing(gateway.service.engine) as db:
            parts = plans.instal(
                db,
                pledge_id=made.event_id,
                number=number,
                zone=TEHRAN,
                at=gateway.clock(),
            )
        ends[number] = made.event_id, parts[-1].due_at
        gateway.clock.wait(minutes=1)
    pledge_id, last = ends[2]
    gateway.clock.at = last + timedelta(days=30)
    _sweep(gateway)
    assert donor.stands(pledge_id).state == "expired"
    pledge_id, last = ends[12]
    assert donor.stands(pledge_id).state == "open"
    gateway.clock.at = last + timedelta(days=30)
    _sweep(gateway)
    assert donor.stands(pledge_id).state == "expired"


# --- reminders ---


def test_a_pledge_is_brought_up_once_and_never_again(gateway: Gateway, donor: Donor):
    made = donor.pledge()
    donor.pay(made.code, 250_000)
    assert _sweep(gateway, days=6) == []
    assert _sweep(gateway, days=1) == ["sms.reminder"]
    (text,) = gateway.rows("outbox", template="sms.reminder")
    assert text.slots["amount"] == 500_000
    assert (text.kind, text.test) == ("service", False)
    for _ in range(20):
        assert _sweep(gateway, days=1) == []


def test_a_place_that_was_lost_brings_nothing_up_twice(gateway: Gateway, donor: Donor):
    donor.pledge()
    assert _sweep(gateway, days=7) == ["sms.reminder"]
    with writing(gateway.service.engine) as db:
        db.exec_driver_sql("DELETE FROM meta WHERE name = 'reminders'")
    assert _sweep(gateway, minutes=1) == []


@pytest.mark.parametrize("end", ["paid", "old"])
def test_what_is_paid_or_too_old_is_not_brought_up(
    gateway: Gateway, donor: Donor, end: str
):
    made = donor.pledge()
    if end == "paid":
        donor.pay(made.code, 750_000)
    assert _sweep(gateway, days=7 if end == "paid" else 11) == []


@pytest.mark.parametrize("line", [EVERY_LINE, "10001", "YARIGAR"])
def test_who_stopped_texts_is_reminded_of_nothing(
    gateway: Gateway, donor: Donor, line: str
):
    donor.pledge()
    donor.stand(purpose="children")
    donor.stop(line)
    donor.pledge(OTHER_PHONE)
    assert _sweep(gateway, days=7) == ["sms.reminder"]
    (text,) = gateway.rows("outbox", template="sms.reminder")
    with reading(gateway.service.engine) as db:
        other = people.find(db, gateway.service.keys, OTHER_PHONE)
    assert other is not None
    assert text.person_id == other.id
    assert _sweep(gateway, days=23) == ["sms.expired"]


def test_what_was_stopped_in_a_rehearsal_counts_in_rehearsals_alone(
    gateway: Gateway, donor: Donor
):
    donor.pledge()
    donor.pledge(test=True)
    donor.stop(test=True)
    assert _sweep(gateway, days=7) == ["sms.reminder"]
    assert [text.test for text in gateway.rows("outbox")] == [False]


def test_a_rehearsed_pledge_is_brought_up_in_rehearsals_alone(
    gateway: Gateway, donor: Donor
):
    donor.pledge(test=True)
    assert _sweep(gateway, days=7) == ["sms.reminder"]
    assert [text.test for text in gateway.rows("outbox")] == [True]


def test_a_paused_campaign_brings_nothing_up(
    gateway: Gateway, donor: Donor, tmp_path: Path
):
    donor.pledge()
    _load(gateway, tmp_path, "paused: false", "paused: true")
    assert _sweep(gateway, days=7) == []


def test_nobody_is_written_to_at_night(gateway: Gateway, donor: Donor):
    made = donor.pledge()
    donor.stand(purpose="children")
    # From noon to eleven in the evening.
    assert _sweep(gateway, days=30, hours=11) == []
    assert donor.stands(made.event_id).state == "open"
    assert _sweep(gateway, hours=9) == ["sms.expired", "sms.standing"]


# --- instalments and gifts of each month ---


def test_each_part_is_brought_up_once_before_it_is_due(gateway: Gateway, donor: Donor):
    made = donor.pledge(amount=1_000_000)
    with writing(gateway.service.engine) as db:
        parts = plans.instal(
            db,
            pledge_id=made.event_id,
            number=3,
            zone=TEHRAN,
            at=gateway.clock(),
        )
    assert _sweep(gateway, days=7) == []
    said = []
    for part in parts[1:]:
        gateway.clock.at = part.due_at - timedelta(days=3)
        assert _sweep(gateway) == ["sms.due"]
        assert _sweep(gateway, days=1) == []
        said.append(gateway.rows("outbox", template="sms.due")[-1].slots)
    assert [(one["number"], one["amount"]) for one in said] == [
        (2, 330_000),
        (3, 340_000),
    ]
    assert said[0]["due"] == jalali(parts[1].due_at, "Asia/Tehran").split()[0]


def test_a_gift_of_each_month_is_pledged_and_said_once(gateway: Gateway, donor: Donor):
    donor.stand()
    assert _sweep(gateway, seconds=5) == ["sms.standing"]
    assert gateway.pledged == [500_000]
    assert "sms.standing" not in _sweep(gateway, days=20)
    assert _sweep(gateway, days=10) == ["sms.expired", "sms.standing"]
    assert gateway.pledged == [500_000, 500_000]
    first, second = gateway.rows("outbox", template="sms.standing")
    assert first.slots["code"] != second.slots["code"]


def test_a_closed_campaign_pledges_no_gift_of_a_month(
    gateway: Gateway, donor: Donor, tmp_path: Path
):
    donor.stand()
    _load(gateway, tmp_path, "paused: false", "paused: true")
    assert _sweep(gateway, seconds=5) == []
    _load(gateway, tmp_path, "paused: false", "paused: false")
    assert _sweep(gateway, seconds=5) == []
    assert _sweep(gateway, days=30) == ["sms.standing"]
    assert gateway.pledged == [500_000]


# --- money that waits ---


def test_money_that_came_before_its_pledge_is_matched_and_its_donor_told(
    gateway: Gateway, donor: Donor
):
    service = gateway.service
    real = donor.pledge(amount=500_000)
    told = Payment("psp", "early", Kind.PAYMENT, 500_000, gateway.clock(), phone=PHONE)
    with writing(service.engine) as db:
        paid = payments.pay(
            db, service.keys, told, channel="psp", test=True, at=gateway.clock()
        )
    assert paid.unmatched == 500_000
    rehearsed = donor.pledge(amount=500_000, test=True)
    assert _sweep(gateway, minutes=11) == ["sms.paid"]
    assert donor.stands(rehearsed.event_id).state == "paid"
    assert donor.stands(real.event_id).state == "open"
    assert [text.test for text in gateway.rows("outbox")] == [True]
    assert _sweep(gateway, minutes=11) == []


def test_a_payment_that_cannot_be_matched_holds_nothing_else_up(
    gateway: Gateway, donor: Donor, monkeypatch: pytest.MonkeyPatch
):
    service, at = gateway.service, gateway.clock()
    donor.stand(purpose="children")
    old = donor.pledge(amount=10)
    with writing(service.engine) as db:
        for phone, amount in ((OTHER_PHONE, 300_000), (PHONE, 500_000)):
            name = f"early-{amount}"
            told = Payment("psp", name, Kind.PAYMENT, amount, at, phone=phone)
            payments.pay(db, service.keys, told, channel="psp", test=False, at=at)
    stuck = donor.pledge(phone=OTHER_PHONE, amount=300_000)
    free = donor.pledge(amount=500_000)
    _refuse_to_post(gateway, stuck.pending_id)
    said = _sweep(gateway, minutes=11)
    assert said == ["sms.paid", "sms.standing"]
    assert donor.stands(free.event_id).state == "paid"
    assert donor.stands(stuck.event_id).state == "open"
    _refuse_to_post(gateway, old.pending_id)
    _sweep(gateway, days=30)
    assert donor.stands(old.event_id).state == "open"
    assert gateway.promised.count("sms.standing") == 2


# --- the scheduler ---


def test_the_scheduler_sweeps_every_few_seconds(gateway: Gateway, donor: Donor):
    donor.pledge()
    turns = _Turns(gateway.service)
    gateway.clock.wait(days=7)
    turns.turn(gateway.clock())
    assert gateway.promised == ["sms.reminder"]
    donor.stand(purpose="children")
    gateway.clock.wait(seconds=1)
    turns.turn(gateway.clock())
    assert gateway.promised == ["sms.reminder"]
    gateway.clock.wait(seconds=5)
    turns.turn(gateway.clock())
    assert gateway.promised == ["sms.reminder", "sms.standing"]
    turns.wait()


def test_a_sweep_that_died_is_taken_up_where_it_ended(
    gateway: Gateway, donor: Donor, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sweeping, "HELD_MAX", 1)
    made = [donor.pledge() for _ in range(3)]
    gateway.clock.wait(days=30)
    calls: Iterator[bool] = iter([False, True])
    expire = sweeping.expiring.expire

    def dying(*given: Any, **named: Any) -> Any:
        if next(calls, False):
            raise KeyboardInterrupt
        return expire(*given, **named)

    monkeypatch.setattr(sweeping.expiring, "expire", dying)
    with pytest.raises(KeyboardInterrupt):
        sweep(gateway.service, gateway.clock())
    states = [str(donor.stands(one.event_id).state) for one in made]
    assert states == ["expired", "open", "open"]
    assert _sweep(gateway, seconds=5) == ["sms.expired", "sms.expired"]
    assert gateway.promised.count("sms.expired") == 3


def test_without_menus_nothing_is_swept(gateway: Gateway, donor: Donor):
    donor.pledge()
    with writing(gateway.service.engine) as db:
        db.exec_driver_sql("DELETE FROM menus_current")
    with pytest.raises(NoMenus):
        gateway.service.library.current(None)
    assert _sweep(gateway, days=30) == []
