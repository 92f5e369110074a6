"""Payments, the journal, people and messages as tables."""

from __future__ import annotations

import csv
import io
import json
from datetime import date

import pytest
from sqlalchemy import Engine, insert, text

from ledger import consents, people
from ledger.assemblies.districts import CAMPAIGN as ASSEMBLIES
from ledger.balances import balances
from ledger.engine import reading, writing
from ledger.export import (
    JOURNAL,
    MESSAGES,
    PAYMENTS,
    PEOPLE,
    PEOPLE_IN_FULL,
    TABLES,
    BadSelection,
    Selection,
    Table,
    export_csv,
)
from ledger.export.jsonl import export_jsonl
from ledger.schema import attempt, leaf
from tests.ledger.books import CAMPAIGN, KEYS, NOON, Books, unguarded
from tests.ledger.every_table import OTHER, filled
from tests.ledger.helping import CAMPAIGN as MAHALLE

TEHRAN = Selection("Asia/Tehran")
# The registers of assemblies are of no campaign that people give to.
OWN = dict.fromkeys(("benefactors", "decisions", "meetings", "premises"), ASSEMBLIES)
OWN |= dict.fromkeys(("hours", "favours", "needs"), MAHALLE)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_column_has_a_name_and_a_persian_title_of_its_own(table: Table) -> None:
    assert len(set(table.names)) == len(table.columns)
    titles = {column.title_fa for column in table.columns}
    assert len(titles) == len(table.columns)
    assert not any(letter in "".join(titles) for letter in "يك")
    assert all(
        column.whole or column.name == "amount_toman" or not column.summed
        for column in table.columns
    )


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_no_table_shows_a_whole_number_or_a_rehearsal(
    ledger_engine: Engine, table: Table
) -> None:
    books = filled(ledger_engine)
    told = b"".join(export_csv(ledger_engine, table, TEHRAN, keys=KEYS)).decode()
    assert "9121234567" not in told
    assert "9351112233" not in told
    before = told
    books.pledge(phone="+989120000000", test=True)
    rehearsed, _ = books.pledge(test=True)
    books.pay(rehearsed, 10)
    books.give(70, "+989120000000", test=True)
    books.ask_delivery("+989120000000", test=True)
    after = b"".join(export_csv(ledger_engine, table, TEHRAN, keys=KEYS)).decode()
    assert after == before


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_table_can_be_cut_by_day_and_campaign(
    ledger_engine: Engine, table: Table
) -> None:
    filled(ledger_engine)
    everything = rows(ledger_engine, table)
    assert everything
    day = date(2026, 11, 22)
    campaign = OWN.get(table.name, CAMPAIGN)
    today = Selection("Asia/Tehran", since=day, until=day, campaign=campaign)
    assert 0 < len(rows(ledger_engine, table, today)) <= len(everything)
    for nothing in (
        Selection("Asia/Tehran", until=date(2026, 11, 21)),
        Selection("Asia/Tehran", since=date(2026, 11, 23)),
        Selection("Asia/Tehran", campaign="no-such"),
    ):
        assert rows(ledger_engine, table, nothing) == []
        assert table.count(ledger_engine, nothing) == 0


def test_a_campaign_longer_than_any_is_refused() -> None:
    with pytest.raises(BadSelection, match="at most 40"):
        Selection("Asia/Tehran", campaign="a" * 41)


def test_a_payment_says_how_much_of_it_was_known(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    pledge, code = books.pledge(amount=100)
    books.pay(pledge, 100, "RRN-1")
    _, open_code = books.pledge(amount=50)
    books.pay(None, 80, code=open_code, outside_id="=2", paid_at=NOON)
    books.pay(None, 30, reference="who")
    books.give(70, OTHER)
    found = rows(ledger_engine, PAYMENTS)
    assert [
        (row["kind"], row["amount"], row["matched"], row["unmatched"], row["state"])
        for row in found
    ] == [
        ("payment", "100", "100", "0", "matched"),
        ("payment", "80", "50", "30", "part_matched"),
        ("payment", "30", "0", "30", "unmatched"),
        ("gift", "70", "70", "0", "matched"),
    ]
    first, second, third, gift = found
    assert (first["code"], first["reference"]) == (code, "RRN-1")
    assert first["donor"] == "***4567"
    assert first["source"] == "psp"
    assert second["outside_id"] == "'=2"
    assert second["paid_at"] == "2026-11-22T08:30:00Z"
    assert (third["reference"], third["code"], third["donor"]) == ("who", "", "")
    assert (gift["partner"], gift["donor"]) == ("corner-shop", "***2233")
    with reading(ledger_engine) as db:
        suspense = [b for b in balances(db) if b.account == "L:Suspense:psp"]
    assert sum(int(row["unmatched"]) for row in found) == -suspense[0].posted


def test_the_journal_has_each_transfer_in_its_order(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    pledge, code = books.pledge(amount=100)
    paid = books.pay(pledge, 100)
    found = rows(ledger_engine, JOURNAL)
    receivable = f"A:Receivable:Pledge:{CAMPAIGN}"
    donation = f"N:Donation:{CAMPAIGN}:nowruz"
    assert [(row["phase"], row["debit"], row["credit"]) for row in found] == [
        ("pending", receivable, donation),
        ("single", "A:Settle:psp", "L:Suspense:psp"),
        ("post", receivable, donation),
        ("single", "L:Suspense:psp", receivable),
    ]
    assert {row["amount"] for row in found} == {"100"}
    assert {row["code"] for row in found} == {code}
    assert [row["number"] for row in found] == ["1", "1", "2", "3"]
    assert [row["event"] for row in found[1:]] == [str(paid.event_id)] * 3
    assert [row["about"] for row in found] == ["", *[str(pledge)] * 3]


def test_the_journal_names_the_leaf_that_seals_a_transfer(
    ledger_engine: Engine,
) -> None:
    books = Books(ledger_engine)
    sealed, _ = books.pledge()
    books.pledge()
    with unguarded(ledger_engine) as db:
        db.execute(
            insert(leaf).values(
                number=0, event_id=sealed, unit="rial", data=b"", salt=b"", digests=b""
            )
        )
    assert [row["leaf"] for row in rows(ledger_engine, JOURNAL)] == ["0", ""]


def test_the_journal_adds_up_to_the_balances(ledger_engine: Engine) -> None:
    filled(ledger_engine)
    sums: dict[str, int] = {}
    for row in rows(ledger_engine, JOURNAL):
        if row["phase"] in ("single", "post", "reversal"):
            for account, sign in ((row["debit"], 1), (row["credit"], -1)):
                sums[account] = sums.get(account, 0) + sign * int(row["amount"])
    with reading(ledger_engine) as db:
        books_say = {one.account: one.posted for one in balances(db)}
    assert {name: sum_ for name, sum_ in sums.items() if sum_} == {
        name: sum_ for name, sum_ in books_say.items() if sum_
    }


def test_a_person_is_one_row_with_what_they_did(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    pledge, code = books.pledge(amount=100)
    books.pay(pledge, 60)
    books.pledge(amount=5, campaign="other")
    books.pledge(amount=4, unit="parcel", campaign="parcels")
    books.sign_up()
    books.sign_up(OTHER)
    with writing(ledger_engine) as db:
        person = people.find(db, KEYS, OTHER)
        assert person is not None
        consents.give(db, person_id=person.id, menus="ab" * 32, test=False, at=NOON)
    donor, volunteer = rows(ledger_engine, PEOPLE)
    assert donor["phone"] == "***4567"
    assert (donor["pledges"], donor["signups"]) == ("3", "1")
    assert (donor["pledged"], donor["paid"], donor["unit"]) == ("105", "60", "rial")
    assert (donor["texts"], donor["state"]) == ("no", "known")
    assert (volunteer["pledges"], volunteer["paid"]) == ("0", "0")
    assert volunteer["texts"] == "yes"
    of_other = Selection("Asia/Tehran", campaign="other")
    assert len(rows(ledger_engine, PEOPLE, of_other)) == 1


def test_numbers_in_full_are_another_table_that_no_name_leads_to(
    ledger_engine: Engine,
) -> None:
    Books(ledger_engine).pledge()
    (row,) = rows(ledger_engine, PEOPLE_IN_FULL)
    assert row["phone"] == "'+989121234567"
    assert PEOPLE_IN_FULL not in TABLES.values()


def test_an_erased_person_is_a_row_without_a_number(ledger_engine: Engine) -> None:
    Books(ledger_engine).pledge()
    with unguarded(ledger_engine) as db:
        db.execute(text("DELETE FROM vault"))
        db.execute(text("UPDATE person SET look_up = NULL"))
    (row,) = rows(ledger_engine, PEOPLE_IN_FULL)
    assert (row["phone"], row["state"], row["pledges"]) == ("", "erased", "1")


def test_a_message_says_how_far_it_came_and_not_what_it_said(
    ledger_engine: Engine,
) -> None:
    books = Books(ledger_engine)
    pledge, code = books.pledge()
    books.promise(pledge, "sending")
    books.promise(pledge, "delivered", "sms.paid")
    with unguarded(ledger_engine) as db:
        db.execute(text('UPDATE outbox SET slots = \'{"code": "secret"}\''))
        last = db.scalar(text("SELECT max(id) FROM outbox"))
        for number, carrier_id in enumerate(["a-1", "a-2"], start=1):
            db.execute(
                insert(attempt).values(
                    outbox_id=last,
                    number=number,
                    carrier="kave",
                    began_at=NOON,
                    carrier_id=carrier_id,
                    parts=2,
                    estimate="2300 rial",
                )
            )
    queued, delivered = rows(ledger_engine, MESSAGES)
    assert (queued["state"], queued["parts"], queued["cost"]) == ("queued", "", "")
    assert (delivered["state"], delivered["template"]) == ("delivered", "sms.paid")
    assert (delivered["carrier_id"], delivered["parts"]) == ("a-2", "2")
    assert delivered["cost"] == "2300 rial"
    assert (delivered["code"], delivered["recipient"]) == (code, "***4567")
    assert "secret" not in str([queued, delivered])


def test_json_lines_have_numbers_texts_and_nulls(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    _, code = books.pledge(amount=9_007_199_254_740_993)
    file = b"".join(export_jsonl(ledger_engine, JOURNAL, TEHRAN, keys=KEYS))
    (row,) = [json.loads(line) for line in file.decode().splitlines()]
    assert list(row) == JOURNAL.names
    assert (row["amount"], row["code"]) == (9_007_199_254_740_993, code)
    assert row["about"] is None
    assert file.endswith(b"}\n")


def rows(
    engine: Engine, table: Table, selection: Selection = TEHRAN
) -> list[dict[str, str]]:
    file = b"".join(export_csv(engine, table, selection, keys=KEYS))
    return list(csv.DictReader(io.StringIO(file.decode("utf-8-sig"), newline="")))
