from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import Engine

from ledger.export import PLEDGES, SIGNUPS, Headers, Selection, export_csv
from tests.ledger.books import KEYS, Books

TEHRAN = Selection("Asia/Tehran")


def test_a_file_begins_with_the_mark_and_its_lines_end_as_excel_wants(
    ledger_engine: Engine,
) -> None:
    Books(ledger_engine).pledge()
    file = b"".join(export_csv(ledger_engine, PLEDGES, TEHRAN, keys=KEYS))
    assert file.startswith(b"\xef\xbb\xbfcode,recorded_at,")
    assert file.count(b"\xef\xbb\xbf") == 1
    assert file.endswith(b"\r\n")
    assert file.count(b"\n") == file.count(b"\r\n") == 2


def test_an_empty_selection_is_a_row_of_headers(ledger_engine: Engine) -> None:
    (only,) = export_csv(ledger_engine, SIGNUPS, TEHRAN, keys=KEYS)
    assert only.decode("utf-8-sig") == ",".join(
        ["code", "recorded_at", "recorded_at_jalali", "campaign", "place_kind"]
        + ["place", "province", "district", "skill", "time", "channel", "volunteer"]
        + ["text_state", "consent", "round", "booth", "state", "place_code", "centre"]
        + ["changed_at\r\n"]
    )


def test_headers_are_persian_where_asked_and_values_stay(ledger_engine: Engine) -> None:
    _, code = Books(ledger_engine).pledge()
    pieces = export_csv(ledger_engine, PLEDGES, TEHRAN, keys=KEYS, headers=Headers.FA)
    titles, row = read(b"".join(pieces))
    assert titles[0] == "کد پیگیری"
    assert row[0] == code
    assert "open" in row


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_a_spreadsheet_would_run_is_quoted(
    ledger_engine: Engine, start: str
) -> None:
    hostile = start + "HYPERLINK(1)"
    Books(ledger_engine).sign_up(place=hostile)
    _, row = read(b"".join(export_csv(ledger_engine, SIGNUPS, TEHRAN, keys=KEYS)))
    assert row[5] == "'" + hostile


def test_a_cell_with_quotes_commas_and_lines_is_one_cell(ledger_engine: Engine) -> None:
    Books(ledger_engine).sign_up(place='ری، "شهر", \n1=1')
    _, row = read(b"".join(export_csv(ledger_engine, SIGNUPS, TEHRAN, keys=KEYS)))
    assert row[5] == 'ری، "شهر", \n1=1'


def test_progress_tells_of_every_row(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    for _ in range(3):
        books.pledge()
    told: list[int] = []
    pieces = export_csv(ledger_engine, PLEDGES, TEHRAN, keys=KEYS, progress=told.append)
    assert len(list(pieces)) == 2
    assert sum(told) == PLEDGES.count(ledger_engine, TEHRAN) == 3


def read(file: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(file.decode("utf-8-sig"), newline="")))
