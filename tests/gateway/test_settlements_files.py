"""What a settlement file may be, and how it is refused."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from gateway.payments.form import Kind, Unreadable
from gateway.settlements.columns import NEEDED, find_columns
from gateway.settlements.files import BadFile, Row, opened, rows
from gateway.settlements.lines import Line, Reader
from gateway.settlements.spool import Parked, spooled
from tests.gateway.house import NOON

HEAD = "id,amount,paid_at"
ROW = "a,1000,1405/09/01 11:00"
AT = datetime(2026, 11, 22, 7, 30, tzinfo=UTC)
# A spreadsheet has no zones.
ELEVEN = datetime(2026, 11, 22, 11)  # noqa: DTZ001
PERSIAN = {"id": "شناسه پرداخت", "amount": "مبلغ", "paid_at": "تاریخ"}

Found = tuple[list[Line], list[Parked]]


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Found]:
    """What a file is read as: its lines, and the rows that are none."""

    def read_file(
        content: str | bytes,
        *,
        columns: dict[str, str] | None = None,
        encoding: str = "",
        in_toman: bool = False,
        kinds: dict[str, Kind] | None = None,
    ) -> Found:
        path = tmp_path / "file"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with opened(path) as file, spooled() as spool:
            found = rows(file, encoding)
            place = find_columns(found, columns or {})
            zone = ZoneInfo("Asia/Tehran")
            spool.take(found, Reader(place, zone, "IR", in_toman, kinds or {}, NOON))
            pages = [line for page in spool.pages(2) for line in page]
            return pages, list(spool.parked_rows())

    return read_file


def refusal(read: Callable[..., Found], content: str | bytes, **how: Any) -> str:
    with pytest.raises(BadFile) as refused:
        read(content, **how)
    said = str(refused.value)
    assert "\n" not in said
    return said


def workbook(*cells: list[Any], **options: Any) -> bytes:
    """A workbook with these rows, made by another library."""
    made = io.BytesIO()
    book = xlsxwriter.Workbook(made, options)
    sheet = book.add_worksheet()
    day = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    for number, row in enumerate(cells):
        for place, cell in enumerate(row):
            if isinstance(cell, datetime):
                sheet.write_datetime(number, place, cell, day)
            elif isinstance(cell, str):
                sheet.write_string(number, place, cell)
            elif cell is not None:
                sheet.write_number(number, place, cell)
    book.close()
    return made.getvalue()


def altered(content: bytes, change: Callable[[str, bytes], bytes | None]) -> bytes:
    """The same archive with its parts as `change` gives them; None leaves one out."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            part = change(name, old.read(name))
            if part is not None:
                new.writestr(name, part)
    return made.getvalue()


SIMPLE = workbook(HEAD.split(","), ["a", 1000, "1405/09/01 11:00"])


# --- the same line, however it is written ---


@pytest.mark.parametrize(
    "content",
    [
        f"{HEAD}\n{ROW}\n",
        f"\ufeff{HEAD}\r\n{ROW}\r\n",
        f"{HEAD}\n{ROW}".replace(",", ";"),
        f"{HEAD}\n{ROW}".replace(",", "\t"),
        f"the week\n\n{HEAD}\n{ROW}\n,,\ntotal,1000,\n",
        f"{HEAD}\n{ROW}\n{ROW}\n",
        f'{HEAD},note\n{ROW},"two\nlines"\n',
        f"{HEAD}\na,۱٬۰۰۰,۱۴۰۵/۹/۱ ۱۱:۰۰\n",
        f"{HEAD}\na,١٠٠٠,14050901 1100\n",
        f'{HEAD}\na,"1,000.00",2026-11-22 11:00\n',
        f"{HEAD}\n{ROW}".encode("utf-16"),
        SIMPLE,
        workbook(HEAD.split(","), ["a", 1e3, ELEVEN]),
        workbook([], ["the week"], [None, *HEAD.split(",")], [None, *ROW.split(",")]),
    ],
)
def test_a_line_is_the_same_however_it_is_written(
    read: Callable[..., Found], content: str | bytes
):
    lines, parked = read(content)
    assert parked == []
    (line,) = lines
    assert (line.kind, line.id, line.amount) == (Kind.PAYMENT, "a", 1000)
    assert line.paid_at == AT
    assert line.is_settled


@pytest.mark.parametrize("letters", ["utf-8", "windows-1256"])
@pytest.mark.parametrize("told", [True, False])
def test_persian_names_are_read_in_both_encodings(
    read: Callable[..., Found], letters: str, told: bool
):
    # Windows-1256 has the Arabic yeh and kaf only.
    text = "شناسه پرداخت,مبلغ,تاريخ\na,1000,1405/09/01 11:00:07\n"
    lines, _ = read(
        text.encode(letters), columns=PERSIAN, encoding=letters if told else ""
    )
    assert lines[0].paid_at == AT + timedelta(seconds=7)
    assert lines[0].within == timedelta(seconds=1)


def test_toman_fees_kinds_and_days_are_read(read: Callable[..., Found]):
    (one, two), parked = read(
        "id,amount,paid_at,paid_time,kind,fee,net,settled_at,phone,code,reference\n"
        "a,1000,1405/09/01,11:00:07,ok,10,990,1405/09/02,9121234567,۸۵۳۰۴۱۹۴۸,ref ۱\n"
        "b,5,1405/09/01,-,عودت,,-5,,,-,\n",
        in_toman=True,
        kinds={"OK": Kind.PAYMENT},
    )
    assert parked == []
    assert (one.amount, one.fee, one.code) == (10_000, 100, "853041948")
    assert (one.phone, one.reference) == ("+989121234567", "ref ۱")
    assert one.settled_on == date(2026, 11, 23)
    assert (two.kind, two.within) == (Kind.REFUND, timedelta(days=1))
    assert (two.is_settled, two.fee, two.reference) == (False, 0, None)


# --- rows that are no lines ---


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("a,0,1405/09/01", "amount: should be from 1 to 1000000000000000 rial"),
        ("a,-5,1405/09/01", "amount: is negative"),
        ("a,(5),1405/09/01", "amount: is negative"),
        (f"a,{2**63},1405/09/01", "amount: should be from 1"),
        ("a,1.5,1405/09/01", "amount: should be a whole number"),
        ('a,"1,00",1405/09/01', "amount: should be a whole number"),
        ("a,1e3,1405/09/01", "amount: should be a whole number"),
        ("a,5 rial,1405/09/01", "amount: should be a whole number"),
        ("a,,1405/09/01", "amount: should be a whole number"),
        ("a,5,1405/13/01", "paid_at: is no day"),
        ("a,5,tomorrow", "paid_at: should be as"),
        ("a,5,1405/09/01 25:00", "paid_at: is on no calendar or clock"),
        ("a,5,1405/09/09", "paid_at: is more than a day from now"),
        ("a,5,", "paid_at: is missing"),
        (",5,1405/09/01", "id: is missing"),
        ("a b,5,1405/09/01", "id: should be printable ASCII"),
        (f"{'a' * 81},5,1405/09/01", "id: should have 1 to 80"),
        ("a,5,1405/09/01,6037 9970 1234 5675", "reference: a card number"),
        ("a,5,1405/09/01,09121234567", "reference: a phone number"),
        ("a,5,1405/09/01,,12", "code: should be nine digits"),
        ("a,5,1405/09/01,,,12", "phone: should be a mobile number"),
        ("a,5,1405/09/01,,,,6", "fee: is more than the amount"),
        ("a,#REF!,1405/09/01", "amount: the cell holds an error"),
    ],
)
def test_a_row_that_cannot_be_money_is_named_with_its_reason(
    read: Callable[..., Found], row: str, why: str
):
    head = f"{HEAD},reference,code,phone,fee"
    lines, parked = read(f"{head}\ngood,1,1405/09/01\n{row}\n")
    assert [line.id for line in lines] == ["good"]
    assert [one.row for one in parked] == [3]
    assert parked[0].why.startswith(why)


def test_a_number_that_a_spreadsheet_rounded_is_no_amount(read: Callable[..., Found]):
    book = workbook(
        HEAD.split(","),
        [2**53, 5, "1405/09/01"],
        [2**60, 5, "1405/09/01"],
        ["c", 0.5, "1405/09/01"],
    )
    lines, parked = read(book)
    assert [line.id for line in lines] == [str(2**53)]
    assert [one.row for one in parked] == [3, 4]


PIECES = st.sampled_from(
    [*"0123456789۱٢,٬.:/- +()e#T", "1405/09/01", "2026-11-22", "ی"]
)
CELLS = st.one_of(st.text(max_size=90), st.lists(PIECES, max_size=12).map("".join))
EVERY = (*NEEDED, "paid_time", "code", "phone", "reference", "kind", "fee", "net")


@given(st.lists(CELLS, max_size=len(EVERY)))
def test_whatever_the_cells_are_a_row_is_a_line_or_has_a_reason(cells: list[str]):
    place = {name: number for number, name in enumerate(EVERY)}
    reader = Reader(place, ZoneInfo("Asia/Tehran"), "IR", True, {}, NOON)
    try:
        line = reader.read(Row(1, cells))
    except Unreadable as reason:
        assert "\n" not in str(reason)  # noqa: PT017
    else:
        assert 0 < line.amount <= 10**15
        assert 0 <= (line.fee or 0) <= 10**15
        assert line.paid_at <= NOON + timedelta(days=1)


@given(st.one_of(st.binary(max_size=300), st.binary().map(lambda b: SIMPLE[:300] + b)))
def test_whatever_the_bytes_are_they_are_rows_or_refused(content: bytes):
    try:
        numbers = [row.number for row in rows(io.BytesIO(content), "")]
    except BadFile as reason:
        assert str(reason)  # noqa: PT017
    else:
        assert numbers == sorted(set(numbers))


# --- files that are refused whole ---


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "should have 1 to 200 million bytes"),
        ("id,amount\na,1\n", "'paid_at' is missing"),
        (f"{HEAD},id\n{ROW}\n", "two columns are called as the id is"),
        (f"{HEAD}\n", "no rows below"),
        (f"{HEAD}\n{ROW}\na,1001,1405/09/01 11:00\n", "row 3: row 2 has the same id"),
        (f"{HEAD}\n{ROW}\ntotal,1001,\n", "row 3: the total is 1001 rial"),
        (f"{HEAD}\n{ROW}\n,1001,جمع کل:\n", "row 3: the total is 1001 rial"),
        (f"{HEAD}\n{ROW}\ntotal,,\n", "row 3: there is no total"),
        (f"{HEAD}\n{ROW}\ntotal,1000,\nb{ROW}\n", "row 4: stands below the row of"),
        (f"{HEAD},x\n{ROW},=1+1\n", "row 2: there is a formula in column 4"),
        (f"{HEAD},x\n{ROW},@SUM(A1)\n", "row 2: there is a formula in column 4"),
        (f"{HEAD},x\n{ROW},-1+cmd|x\n", "row 2: there is a formula in column 4"),
        (f"=1,{HEAD}\n1,{ROW}\n", "row 1: there is a formula in column 1"),
        (f'{HEAD}\n"a,1000\n', "row 2: unexpected end of data"),
        (f'{HEAD}\n"{"x" * 200_000}",5,1\n', "a line of more than 100000"),
        (f"{HEAD}\n{'x' * 3_000},5,1\n", "row 2: a cell of more than 2000"),
        (f"{HEAD}\n{',' * 300}\n", "row 2: more than 200 columns"),
        (f"{HEAD}\nاول{ROW}\n".encode() + b"\xff,5,1\n", "row 3: these are no letters"),
        (f"{HEAD}\n{ROW}\n\0".encode(), "the file is no text"),
        ("6037997012345675".join((f"{HEAD}\n", ",5,1405/09/01\n")), "card numbers"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"x" * 600, "has a password or is an old"),
        (b"PK\x03\x04" + b"x" * 600, "the workbook is a damaged archive"),
        (SIMPLE[:2_000], "the workbook is a damaged archive"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_is_refused_in_one_line(
    read: Callable[..., Found], content: str | bytes, why: str
):
    assert why in refusal(read, content)


def test_utf_8_that_was_promised_and_is_not_there_is_refused(
    read: Callable[..., Found],
):
    content = f"{HEAD},x\n{ROW},سلام\n".encode("windows-1256")
    assert "row 2: these are no letters in utf-8" in refusal(
        read, content, encoding="utf-8"
    )


@pytest.mark.parametrize("made", ["folder", "pipe", "missing", "long"])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, made: str):
    path = tmp_path / "it"
    if made == "folder":
        path.mkdir()
    elif made == "pipe":
        os.mkfifo(path)
    elif made == "long":
        with path.open("wb") as file:
            file.truncate(200_000_001)
    with pytest.raises(BadFile), opened(path):
        pass


# --- workbooks ---


def changed(part: str, old: bytes, new: bytes) -> bytes:
    def change(name: str, data: bytes) -> bytes:
        if name != part:
            return data
        assert old in data
        return data.replace(old, new)

    return altered(SIMPLE, change)


LONG = os.urandom(900_000).hex().encode()
SHEET = "xl/worksheets/sheet1.xml"
BIG = b"<row>" + b"<c/>" * 500 + b"</row>"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (changed(SHEET, b"<v>1000</v>", b"<f>1+1</f><v>1000</v>"), "formula in col"),
        (
            changed(
                SHEET,
                b"</sheetData>",
                b'</sheetData><mergeCells><mergeCell ref="A1:B1"/></mergeCells>',
            ),
            "has merged cells",
        ),
        (
            changed(SHEET, b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "1">]><worksheet'),
            "defines entities",
        ),
        (
            changed("xl/workbook.xml", b"<workbook ", b'<!DOCTYPE x []><workbook '),
            "cannot be read",
        ),
        (changed(SHEET, b"</sheetData>", b""), "the workbook's XML is broken"),
        (changed(SHEET, b'<row r="2"', b'<row r="9999999999"'), "in another row"),
        (changed(SHEET, b'2"', b'2000001"'), "more than 2000000 rows"),
        (changed(SHEET, b'r="A2"', b'r="XFD2"'), "more than 200 columns"),
        (changed(SHEET, b'r="A2"', b'r="A7"'), "stands in another row"),
        (changed(SHEET, b"<v>3</v>", b"<v>77</v>"), "a text that is missing"),
        (changed(SHEET, b"<sheetData>", b"<sheetData>" + BIG), "more than 200 columns"),
        (
            changed(SHEET, b"<sheetData>", b"<sheetData>" + b"<x>" * 99 + b"</x>" * 99),
            "like no spreadsheet's",
        ),
        (
            changed(
                SHEET, b"<sheetData>", b'<sheetData y="' + LONG + b'">'
            ),
            "a tag that is too long",
        ),
        (
            changed(SHEET, b"<sheetData>", b"<sheetData>" + b" " * 30_000_000),
            "unpacks to far more",
        ),
        (
            changed("[Content_Types].xml", b"sheet.main", b"sheet.macroEnabled.main"),
            "has macros",
        ),
        (altered(SIMPLE, lambda n, d: None if n == SHEET else d), "has no 'xl/works"),
        (altered(SIMPLE, lambda n, d: None if n[0] == "[" else d), "has no '[Content"),
    ],
)  # fmt: skip
def test_a_workbook_with_more_than_plain_rows_is_refused(
    read: Callable[..., Found], content: bytes, why: str
):
    assert why in refusal(read, content)


def test_a_workbook_keeps_one_sheet(read: Callable[..., Found]):
    book = openpyxl.Workbook()
    book.create_sheet("more")
    made = io.BytesIO()
    book.save(made)
    assert "has 2 sheets" in refusal(read, made.getvalue())


def test_a_workbook_of_another_maker_is_read_with_its_dates_of_1904(
    read: Callable[..., Found],
):
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.MAC_EPOCH
    sheet = book.active
    assert sheet is not None
    sheet.append(HEAD.split(","))
    sheet.append(["a", 1000, ELEVEN])
    made = io.BytesIO()
    book.save(made)
    lines, parked = read(made.getvalue())
    assert parked == []
    assert [line.paid_at for line in lines] == [AT]
