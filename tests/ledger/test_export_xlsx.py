from __future__ import annotations

import resource
from pathlib import Path

import openpyxl
import pytest
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet
from sqlalchemy import Engine

from ledger.engine import connect
from ledger.export import PLEDGES, SIGNUPS, Headers, Selection, Table, export_xlsx
from tests.ledger.books import KEYS, Books

TEHRAN = Selection("Asia/Tehran")


def test_a_second_library_reads_what_was_pledged(
    ledger_engine: Engine, tmp_path: Path
) -> None:
    books = Books(ledger_engine)
    pledge, code = books.pledge(amount=750_000)
    books.pledge(amount=250_000)
    books.pay(pledge, 500_000)
    sheet = only_sheet(written(ledger_engine, PLEDGES, tmp_path))

    assert sheet.title == "pledges"
    assert not sheet.sheet_view.rightToLeft
    first, second = records(sheet)[:2]
    assert first["code"] == code
    assert (first["amount"], first["amount_toman"]) == (750_000, 75_000)
    assert (first["paid"], first["outstanding"]) == (500_000, 250_000)
    assert (second["state"], second["paid_at"]) == ("open", None)


def test_a_code_is_a_text(ledger_engine: Engine, tmp_path: Path) -> None:
    Books(ledger_engine).pledge()
    sheet = only_sheet(written(ledger_engine, PLEDGES, tmp_path))
    assert sheet["A2"].data_type in ("s", "inlineStr")
    assert sheet["A2"].number_format == "@"
    assert sheet["G2"].data_type == "n"


def test_a_persian_sheet_runs_from_right_to_left(
    ledger_engine: Engine, tmp_path: Path
) -> None:
    Books(ledger_engine).pledge()
    sheet = only_sheet(written(ledger_engine, PLEDGES, tmp_path, Headers.FA))
    assert sheet.sheet_view.rightToLeft
    assert sheet.title == "کمک‌ها"
    assert (sheet["A1"].value, sheet["A3"].value) == ("کد پیگیری", "جمع")


def test_totals_stand_below_the_last_row_for_each_unit(
    ledger_engine: Engine, tmp_path: Path
) -> None:
    books = Books(ledger_engine)
    pledge, _ = books.pledge(amount=1_000_005)
    books.pledge(amount=2_000_000)
    books.pledge(amount=4, unit="parcel", campaign="parcels")
    books.pay(pledge, 400_000)
    sheet = only_sheet(written(ledger_engine, PLEDGES, tmp_path))
    parcel, rial = records(sheet)[3:]
    assert (parcel["code"], parcel["unit"], parcel["amount"]) == ("total", "parcel", 4)
    assert parcel["amount_toman"] is None
    assert (rial["unit"], rial["amount"]) == ("rial", 3_000_005)
    assert (rial["paid"], rial["outstanding"]) == (400_000, 2_600_005)
    assert rial["amount_toman"] == "300000.5"


def test_the_last_sheet_sums_up_each_unit_and_state(
    ledger_engine: Engine, tmp_path: Path
) -> None:
    books = Books(ledger_engine)
    for amount in (100, 200):
        pledge, _ = books.pledge(amount=amount)
        books.pay(pledge, 50)
    books.pledge(amount=7)
    books.pledge(amount=4, unit="parcel", campaign="parcels")
    sheet = written(ledger_engine, PLEDGES, tmp_path)["totals"]
    found = [
        (row["unit"], row["state"], row["rows"], row["amount"], row["outstanding"])
        for row in records(sheet)
    ]
    assert found == [
        ("parcel", "open", 1, 4, 4),
        ("rial", "open", 1, 7, 7),
        ("rial", "part_paid", 2, 300, 200),
    ]


def test_the_sheet_of_sums_reads_from_right_to_left_too(
    ledger_engine: Engine, tmp_path: Path
) -> None:
    Books(ledger_engine).pledge()
    sheet = written(ledger_engine, PLEDGES, tmp_path, Headers.FA)["جمع‌ها"]
    assert sheet.sheet_view.rightToLeft
    titles = [cell.value for cell in sheet[1]]
    assert titles[:4] == ["واحد", "وضعیت", "تعداد", "مقدار"]


def test_the_same_rows_are_the_same_file(ledger_engine: Engine, tmp_path: Path) -> None:
    Books(ledger_engine).pledge()
    written(ledger_engine, PLEDGES, tmp_path)
    first = (tmp_path / "export.xlsx").read_bytes()
    written(ledger_engine, PLEDGES, tmp_path)
    assert (tmp_path / "export.xlsx").read_bytes() == first


def test_sign_ups_are_counted_below(ledger_engine: Engine, tmp_path: Path) -> None:
    books = Books(ledger_engine)
    books.sign_up("+989121234561")
    books.sign_up("+989121234562")
    total = records(only_sheet(written(ledger_engine, SIGNUPS, tmp_path)))[-1]
    assert (total["code"], total["recorded_at"]) == ("total", 2)


def test_a_full_sheet_is_followed_by_another(
    ledger_engine: Engine, tmp_path: Path
) -> None:
    books = Books(ledger_engine)
    codes = [books.pledge(amount=10)[1] for _ in range(5)]
    workbook = written(ledger_engine, PLEDGES, tmp_path, sheet_rows_max=2)
    assert workbook.sheetnames == ["pledges", "pledges 2", "pledges 3", "totals"]
    each = [records(workbook[name]) for name in workbook.sheetnames[:3]]
    assert [row["code"] for sheet in each for row in sheet] == [*codes, "total"]
    assert each[2][-1]["amount"] == 50


def test_an_empty_selection_has_headers_and_a_total(
    ledger_engine: Engine, tmp_path: Path
) -> None:
    sheet = only_sheet(written(ledger_engine, PLEDGES, tmp_path))
    assert [row["code"] for row in records(sheet)] == ["total"]


def test_no_text_is_run_as_a_formula_or_a_link(
    ledger_engine: Engine, tmp_path: Path
) -> None:
    books = Books(ledger_engine)
    hostile = ["=1+1", "@SUM(1)", "https://example.org", "0912\x01"]
    for last, place in enumerate(hostile):
        books.sign_up(f"+98912123456{last}", place=place)
    sheet = only_sheet(written(ledger_engine, SIGNUPS, tmp_path))
    cells = [sheet.cell(row=row, column=6) for row in range(2, 6)]
    assert [cell.value for cell in cells[:3]] == hostile[:3]
    assert {cell.data_type for cell in cells} <= {"s", "inlineStr"}
    assert not any(cell.hyperlink for cell in cells)


def test_a_number_too_long_for_excel_keeps_all_its_digits(
    ledger_engine: Engine, tmp_path: Path
) -> None:
    Books(ledger_engine).pledge(amount=9_007_199_254_740_993)
    row = records(only_sheet(written(ledger_engine, PLEDGES, tmp_path)))[0]
    assert row["amount"] == "9007199254740993"
    assert row["amount_toman"] == "900719925474099.3"


def test_a_failed_export_leaves_the_last_good_file_and_nothing_else(
    ledger_engine: Engine, tmp_path: Path
) -> None:
    Books(ledger_engine).pledge()
    folder = tmp_path / "exports"
    folder.mkdir()
    path = folder / "pledges.xlsx"
    path.write_bytes(b"the last good file")

    def interrupt(rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_xlsx(ledger_engine, PLEDGES, TEHRAN, path, keys=KEYS, progress=interrupt)
    assert list(folder.iterdir()) == [path]
    assert path.read_bytes() == b"the last good file"


@pytest.mark.parametrize("rows", [1, 30], ids=["while packing", "while writing"])
def test_a_full_disk_is_an_os_error_and_leaves_nothing(
    sqlite_ledger_url: str, tmp_path: Path, rows: int
) -> None:
    engine = connect(sqlite_ledger_url)
    books = Books(engine)
    for _ in range(rows):
        books.pledge()
    folder = tmp_path / "exports"
    folder.mkdir()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            written(engine, PLEDGES, folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        engine.dispose()
    assert list(folder.iterdir()) == []


def written(
    engine: Engine,
    table: Table,
    folder: Path,
    headers: Headers = Headers.EN,
    sheet_rows_max: int = 1_000,
) -> Workbook:
    path = folder / "export.xlsx"
    export_xlsx(
        engine,
        table,
        TEHRAN,
        path,
        keys=KEYS,
        headers=headers,
        sheet_rows_max=sheet_rows_max,
    )
    return openpyxl.load_workbook(path)


def only_sheet(workbook: Workbook) -> Worksheet:
    sheet, _ = workbook.worksheets
    return sheet


def records(sheet: Worksheet) -> list[dict[str, object]]:
    titles, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(map(str, titles), row, strict=True)) for row in rows]
