"""The journal as hledger and beancount take it, tried by those programs."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest
from beancount import loader
from beancount.core import account, data, inventory
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from ledger.balances import balances
from ledger.engine import reading
from ledger.events import Moved
from ledger.export import (
    FORMATS,
    JOURNAL,
    PLEDGES,
    BadSelection,
    Selection,
    export_beancount,
    export_hledger,
    export_stream,
)
from ledger.export import beancount as bean
from ledger.export import hledger as hl
from ledger.export.entries import Units
from tests.ledger.books import CAMPAIGN, KEYS, NOON, Books
from tests.services import missing

TEHRAN = Selection("Asia/Tehran")
CODES = st.lists(
    st.text(st.characters(exclude_characters=":", exclude_categories=["Cs"])),
    min_size=1,
    max_size=4,
).map(":".join)


@pytest.fixture
def books(ledger_engine: Engine) -> Books:
    """Rial and parcels, promised, paid, refunded, sent and come back."""
    books = Books(ledger_engine)
    paid, _ = books.pledge(amount=750_000)
    books.pay(paid, 500_000)
    late, _ = books.pledge(amount=300_000)
    books.expire(late, 300_000)
    _, code = books.pledge(amount=100)
    books.cancel(code)
    books.pledge(amount=3, unit="parcel", campaign="parcels")
    for debit, credit, unit, amount, phase in (
        ("A:Settle:psp", "L:Suspense:psp", "rial", 900_000, "single"),
        (
            "L:Suspense:psp",
            f"A:Receivable:Pledge:{CAMPAIGN}",
            "rial",
            500_000,
            "single",
        ),
        (f"N:Donation:{CAMPAIGN}:nowruz", "A:Settle:psp", "rial", 10_000, "reversal"),
        ("I:Stock:c:Zahra", "Q:parcel:Clearing", "parcel", 40, "single"),
        ('I:Transit:c:خیریهٔ "مهر"; x', "I:Stock:c:Zahra", "parcel", 15, "single"),
        ("I:Delivered:05", 'I:Transit:c:خیریهٔ "مهر"; x', "parcel", 14, "single"),
        ("T:Person:1", "T:Mint", "minute", 90, "single"),
        ("A:Bank", "A:Bank:main", "rial", 7, "single"),
    ):
        books.move(Moved(debit, credit, unit, amount, phase))
    books.move(Moved("A:Bank:main", "A:Settle:psp", "rial", 5, "single"), test=True)
    return books


def test_hledger_accepts_the_journal_and_reports_our_balances(
    books: Books, tmp_path: Path
) -> None:
    path = tmp_path / "books.journal"
    path.write_bytes(b"".join(export_hledger(books.engine, JOURNAL, TEHRAN, keys=KEYS)))
    assert hledger(path, "check", "--strict", "ordereddates") == ""
    told = hledger(path, "bal", "--flat", "--empty", "--no-total", "-O", "csv")
    found = {}
    for name, balance in list(csv.reader(io.StringIO(told)))[1:]:
        amount, _, commodity = balance.partition(" ")
        found[hl.account_code(name), commodity.lower()] = int(amount)
    # A sum of nothing has no commodity there.
    assert {place: sum_ for place, sum_ in found.items() if sum_} == posted(books)


def test_hledger_sees_a_file_whose_middle_is_gone(books: Books, tmp_path: Path) -> None:
    path = tmp_path / "books.journal"
    whole = b"".join(export_hledger(books.engine, JOURNAL, TEHRAN, keys=KEYS)).decode()
    entry = whole.index("900000 RIAL")
    path.write_text(whole[:entry] + "900001 RIAL" + whole[entry + 11 :])
    refused = subprocess.run(
        [program("hledger"), "-f", str(path), "check"],
        capture_output=True,
        text=True,
    )
    assert refused.returncode != 0


def test_beancount_accepts_the_journal_and_reports_our_balances(
    books: Books, tmp_path: Path
) -> None:
    path = tmp_path / "books.beancount"
    path.write_bytes(
        b"".join(export_beancount(books.engine, JOURNAL, TEHRAN, keys=KEYS))
    )
    entries, errors, _ = loader.load_file(str(path))
    assert errors == []
    sums: dict[str, inventory.Inventory] = {}
    for entry in entries:
        if isinstance(entry, data.Transaction):
            for posting in entry.postings:
                sums.setdefault(posting.account, inventory.Inventory()).add_position(
                    posting
                )
    found = {
        (bean.account_code(name), position.units.currency.lower()): int(
            position.units.number
        )
        for name, held in sums.items()
        for position in held
    }
    assert found == posted(books)
    asserted = [one for one in entries if isinstance(one, data.Balance)]
    assert len(asserted) == len(sums)


def test_beancount_sees_an_entry_that_was_changed(books: Books, tmp_path: Path) -> None:
    whole = b"".join(export_beancount(books.engine, JOURNAL, TEHRAN, keys=KEYS))
    path = tmp_path / "books.beancount"
    path.write_bytes(
        whole.replace(b" 14 PARCEL", b" 13 PARCEL").replace(
            b"-14 PARCEL", b"-13 PARCEL"
        )
    )
    _, errors, _ = loader.load_file(str(path))
    assert any("Balance failed" in error.message for error in errors)


@pytest.mark.parametrize("form", ["hledger", "beancount"])
def test_what_is_promised_only_is_a_comment(ledger_engine: Engine, form: str) -> None:
    _, code = Books(ledger_engine).pledge(amount=750_000)
    told = whole(ledger_engine, form)
    (line,) = [line for line in told.splitlines() if "750000 RIAL" in line]
    assert line.lstrip().startswith("; pending 750000 RIAL")
    assert code in told
    assert " * " not in told


@pytest.mark.parametrize("form", ["hledger", "beancount"])
def test_an_empty_journal_is_accepted(
    ledger_engine: Engine, form: str, tmp_path: Path
) -> None:
    path = tmp_path / f"books.{form}"
    path.write_text(whole(ledger_engine, form))
    if form == "hledger":
        assert hledger(path, "check", "--strict") == ""
    else:
        assert loader.load_file(str(path))[1] == []


def test_a_day_is_that_of_the_campaign(ledger_engine: Engine) -> None:
    late = NOON.replace(hour=21)
    Books(ledger_engine, late).move(
        Moved("A:Bank:b", "L:Suspense:s", "rial", 5, "single")
    )
    assert "2026-11-23 * delivery" in whole(ledger_engine, "hledger")
    day = Selection("Asia/Tehran", since=date(2026, 11, 23))
    assert "5 RIAL" in whole(ledger_engine, "hledger", day)
    assert '2026-11-23 * "" "delivery"' in whole(ledger_engine, "beancount", day)
    before = Selection("Asia/Tehran", until=date(2026, 11, 22))
    assert "5 RIAL" not in whole(ledger_engine, "hledger", before)


def test_only_the_journal_goes_into_an_accountants_file(ledger_engine: Engine) -> None:
    pieces = export_stream(
        ledger_engine,
        PLEDGES,
        TEHRAN,
        FORMATS["hledger"],
        keys=KEYS,
        at=NOON,
        ended=lambda manifest: None,
    )
    with pytest.raises(BadSelection, match="journal only, not pledges"):
        next(pieces)


@given(CODES)
def test_a_code_can_be_read_back_from_its_name_in_beancount(code: str) -> None:
    name = bean.account_name(code)
    assert bean.account_code(name) == code
    assert account.is_valid(name)


@given(CODES)
def test_a_code_can_be_read_back_from_its_name_in_hledger(code: str) -> None:
    name = hl.account_name(code)
    assert hl.account_code(name) == code
    assert not set(name) & set(" \t\n\r;()[]\"'|")


def test_names_stay_readable() -> None:
    receivable = "A:Receivable:Pledge:one-plus-one"
    assert hl.account_name(receivable) == receivable
    assert bean.account_name(receivable) == "Assets:A:Receivable:Pledge:0one-plus-one"
    assert bean.account_name("I:Delivered:05") == "Assets:I:Delivered:005"
    assert bean.account_name("L:Suspense:a_b") == "Liabilities:L:Suspense:0aZ5Fb"


@given(st.integers(-(2**63), 2**63), st.integers(0, 4))
def test_minor_units_are_written_with_their_decimal_places(
    amount: int, scale: int
) -> None:
    written = Units({"toman": scale}).number("toman", amount)
    whole, _, places = written.partition(".")
    assert len(places) == scale
    assert int(whole + places) == amount


def posted(books: Books) -> dict[tuple[str, str], int]:
    with reading(books.engine) as db:
        found = balances(db)
    return {(one.account, one.unit): one.posted for one in found if one.posted}


def whole(engine: Engine, form: str, selection: Selection = TEHRAN) -> str:
    stream = {"hledger": export_hledger, "beancount": export_beancount}[form]
    return b"".join(stream(engine, JOURNAL, selection, keys=KEYS)).decode()


def hledger(path: Path, *command: str) -> str:
    done = subprocess.run(
        [program("hledger"), "-f", str(path), *command],
        capture_output=True,
        text=True,
        env={"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def program(name: str) -> str:
    found = shutil.which(name)
    return found or missing(f"no {name}: apt-get install {name}")
