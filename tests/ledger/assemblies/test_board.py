"""The board of all districts, and that it is what the exports come to."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import timedelta

from sqlalchemy import Engine

from ledger import erasing
from ledger.assemblies import benefactors, decisions, meetings
from ledger.assemblies.board import board
from ledger.assemblies.decisions import Kind
from ledger.assemblies.districts import number_of
from ledger.assemblies.premises import Side
from ledger.engine import Connection, reading, writing
from ledger.export import TABLES, Selection, export_csv
from tests.ledger.assemblies.registers import ELEVEN, SOON, TODAY, TWELVE, Registers
from tests.ledger.facts import AT, KEYS, OTHER_PHONE, PHONE, caller

TEHRAN = Selection("Asia/Tehran")
PHONES = [f"+98912000{number:04}" for number in range(30)]


def filled(db: Connection) -> None:
    """Two districts, in which everything is once in every state, and a rehearsal."""
    for district, first in ((ELEVEN, 0), (TWELVE, 15)):
        of = Registers(db, district)
        for number, phone in enumerate(PHONES[first : first + 12]):
            capacity = "goods" if number % 3 else "jobs"
            of.join(phone, capacity=capacity, amount=number + 1, covers=10 * number)
        benefactors.leave(
            db,
            key=of.key(),
            person_id=caller(db, PHONES[first]),
            district=district,
            channel="at",
            test=False,
            at=AT,
        )
        of.confirm(of.decide())
        for kind, days in (
            (Kind.RESOLUTION, 0),
            (Kind.STUDY, 0),
            (Kind.STUDY, 1),
            (Kind.PROPOSAL, 0),
        ):
            of.decide(kind=kind, days=days)
        decisions.drop(
            db, key=of.key(), decision=of.decide(), by="s", channel="o", at=AT
        )
        for held in (True, False):
            made = of.plan()
            if held:
                meetings.hold(
                    db,
                    key=of.key(),
                    meeting_id=made.event_id,
                    came=9,
                    by="sara",
                    channel="operator",
                    at=SOON,
                )
        of.room(Side.OFFER, PHONES[first + 1])
        of.room(Side.NEED, PHONES[first + 2])
        of.room(Side.NEED, PHONES[first + 3])
    rehearsal = Registers(db, ELEVEN, test=True, name="rehearsal")
    rehearsal.join(OTHER_PHONE)
    rehearsal.decide()
    rehearsal.room(Side.OFFER)


def test_the_board_is_the_sum_of_the_exports(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        filled(db)
    tomorrow = TODAY + timedelta(days=1)
    with reading(ledger_engine, snapshot=True) as db:
        found = board(db, today=tomorrow)
    assert len(found) == 22
    exported = {name: rows(ledger_engine, name) for name in TABLES}
    for one in found:
        district = str(number_of(one.code))
        of = {
            name: [row for row in exported[name] if row["district"] == district]
            for name in ("benefactors", "decisions", "meetings", "premises")
        }
        active = [row for row in of["benefactors"] if row["state"] == "active"]
        assert one.benefactors == len(active)
        assert one.covers == sum(int(row["covers"]) for row in active)
        able: Counter[str] = Counter()
        for row in active:
            able[row["capacity"]] += int(row["amount"])
        assert dict(one.capacity) == dict(able)
        states = Counter(row["state"] for row in of["decisions"])
        still = [row for row in of["decisions"] if row["state"] == "open"]
        asked = [row for row in still if row["kind"] != "proposal"]
        assert (one.done, one.dropped) == (states["done"], states["dropped"])
        assert (one.open, one.proposals) == (len(asked), len(still) - len(asked))
        assert one.study == sum(row["kind"] == "study" for row in asked)
        late = [row for row in asked if row["due_on"] < tomorrow.isoformat()]
        assert one.overdue == len(late)
        held = [row for row in of["meetings"] if row["state"] == "held"]
        assert one.meetings_held == len(held)
        open_now = [row for row in of["premises"] if row["state"] == "open"]
        sides = Counter(row["side"] for row in open_now)
        assert (one.offers, one.needs) == (sides["offer"], sides["need"])
    eleven = next(one for one in found if one.code == ELEVEN)
    assert (eleven.benefactors, eleven.overdue, eleven.meetings_held) == (11, 2, 1)
    assert (eleven.offers, eleven.needs, eleven.done) == (1, 2, 1)


def test_who_is_forgotten_leaves_every_register(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        of, person_id = Registers(db), caller(db)
        of.join(name="شیرین")
        of.join(OTHER_PHONE)
        of.room(Side.OFFER)
        made = of.decide(owner_id=person_id)
        erasing.erase(
            db,
            KEYS,
            person_id=person_id,
            key="erase",
            channel="at",
            by="self",
            test=False,
            at=AT,
        )
        (left,) = benefactors.listed(db, district=ELEVEN, test=False)
        assert left.person_id == caller(db, OTHER_PHONE)
        after = decisions.locked(db, made.event_id)
        assert (after.owner, after.owner_id) == ("معاونت اجتماعی", None)
    with reading(ledger_engine) as db:
        (eleven,) = [one for one in board(db, today=TODAY) if one.code == ELEVEN]
        assert (eleven.benefactors, eleven.offers, eleven.open) == (1, 0, 1)
        assert benefactors.name_of(db, KEYS, event_id=left.event_id) == ""


def test_no_export_has_a_name_or_a_whole_number(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        of = Registers(db)
        of.join(name="شیرین")
        of.room(Side.OFFER)
        of.decide(owner_id=caller(db))
    for name in ("benefactors", "decisions", "meetings", "premises"):
        told = b"".join(export_csv(ledger_engine, TABLES[name], TEHRAN, keys=KEYS))
        assert "شیرین" not in told.decode()
        assert PHONE[3:] not in told.decode()
    (row,) = rows(ledger_engine, "benefactors")
    assert row["benefactor"] == "***" + PHONE[-4:]


def rows(engine: Engine, name: str) -> list[dict[str, str]]:
    told = b"".join(export_csv(engine, TABLES[name], TEHRAN, keys=KEYS)).decode()
    return list(csv.DictReader(io.StringIO(told.removeprefix("\ufeff"))))
