"""What an export says of itself, and what two of them say differently."""

from __future__ import annotations

import hashlib
import json
import resource
import tempfile
import tracemalloc
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow.parquet import read_table
from sqlalchemy import Engine, insert

from ledger.engine import connect
from ledger.export import (
    FORMATS,
    JOURNAL,
    PLEDGES,
    TABLES,
    BadManifest,
    BadSelection,
    Headers,
    Manifest,
    Selection,
    Table,
    compare,
    export_file,
    export_stream,
    fits,
    read_manifest,
)
from ledger.export.manifests import Seal, Tally
from ledger.schema import checkpoint
from tests.ledger.books import CAMPAIGN, KEYS, NOON, Books, unguarded
from tests.ledger.every_table import filled

TEHRAN = Selection("Asia/Tehran")
GOOD = Manifest(
    what="pledges",
    format="csv",
    headers="en",
    filter=TEHRAN.said(),
    seal=Seal(8, "ab" * 32),
    rows=2,
    sums=({"unit": "rial", "state": "open", "rows": 2, "amount": 7},),
    bytes=100,
    sha256="cd" * 32,
    made_at="2026-11-22T08:30:00Z",
)
PAIRS = [
    (table, form)
    for table in TABLES.values()
    for form in FORMATS
    if fits(table, FORMATS[form])
]


@pytest.mark.parametrize(
    ("table", "form"), PAIRS, ids=[f"{table.name}.{form}" for table, form in PAIRS]
)
def test_every_table_in_every_format_has_a_manifest_that_tells_the_truth(
    sqlite_ledger_url: str, tmp_path: Path, table: Table, form: str
) -> None:
    engine = connect(sqlite_ledger_url)
    filled(engine)
    path = tmp_path / f"a.{form}"
    told = write(engine, table, path, form)
    raw = path.read_bytes()
    assert told.sha256 == hashlib.sha256(raw).hexdigest()
    assert told.bytes == len(raw)
    records = [record for page in table.pages(engine, TEHRAN, KEYS) for record in page]
    assert told.rows == len(records) > 0
    assert sum(int(line["rows"]) for line in told.sums) == told.rows
    beside = tmp_path / f"a.{form}.manifest.json"
    assert read_manifest(beside) == told
    assert sorted(tmp_path.glob("a.*")) == [path, beside]
    engine.dispose()


def test_sums_are_told_for_each_unit_and_state(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    pledge, _ = books.pledge(amount=100)
    books.pay(pledge, 40)
    books.pledge(amount=7)
    books.pledge(amount=5)
    books.pledge(amount=3, unit="parcel", campaign="parcels")
    tally = Tally(PLEDGES)
    for _ in tally.watch().pages(ledger_engine, TEHRAN, KEYS):
        pass
    assert [
        (line["unit"], line["state"], line["rows"], line["amount"], line["paid"])
        for line in tally.sums()
    ] == [
        ("parcel", "open", 1, 3, 0),
        ("rial", "open", 2, 12, 0),
        ("rial", "part_paid", 1, 100, 40),
    ]


def test_a_manifest_says_the_filter_and_the_seal_of_the_books(
    ledger_engine: Engine, tmp_path: Path
) -> None:
    day = date(2026, 11, 22)
    chosen = Selection("Asia/Tehran", since=day, campaign=CAMPAIGN)
    path = tmp_path / "a.csv"
    assert write(ledger_engine, PLEDGES, path, selection=chosen).seal is None
    with unguarded(ledger_engine) as db:
        for size in (3, 12):
            db.execute(
                insert(checkpoint).values(
                    size=size, root=bytes([size]) * 32, day="d", note="", at=NOON
                )
            )
    told = write(ledger_engine, PLEDGES, path, selection=chosen)
    assert told.seal == Seal(12, "0c" * 32)
    assert told.filter == {
        "from": "2026-11-22",
        "to": None,
        "campaign": CAMPAIGN,
        "time_zone": "Asia/Tehran",
    }
    assert told.made_at == "2026-11-22T08:30:00Z"


def test_the_same_books_give_two_exports_without_a_difference(
    ledger_engine: Engine, tmp_path: Path
) -> None:
    Books(ledger_engine).pledge()
    for form in ("csv", "xlsx", "parquet"):
        first = write(ledger_engine, PLEDGES, tmp_path / "a", form)
        second = write(ledger_engine, PLEDGES, tmp_path / "b", form, hours=5)
        assert first.made_at != second.made_at
        assert compare(first, second) == []


def test_what_came_in_between_is_named(ledger_engine: Engine, tmp_path: Path) -> None:
    books = Books(ledger_engine)
    pledge, _ = books.pledge(amount=100)
    first = write(ledger_engine, PLEDGES, tmp_path / "a.csv")
    books.pay(pledge, 100)
    books.pledge(amount=5)
    second = write(ledger_engine, PLEDGES, tmp_path / "b.csv")
    assert compare(first, second) == [
        "rows: 1, then 2 (+1)",
        "rial open amount: 100, then 5 (-95)",
        "rial open outstanding: 100, then 5 (-95)",
        "rial paid amount: 0, then 100 (+100)",
        "rial paid paid: 0, then 100 (+100)",
        "rial paid rows: 0, then 1 (+1)",
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"what": "journal"}, ["what: pledges, then journal"]),
        ({"headers": "fa"}, ["headers: en, then fa"]),
        (
            {"filter": TEHRAN.said() | {"from": "2026-11-22"}},
            ["from: any, then 2026-11-22"],
        ),
        ({"made_at": "later", "seal": Seal(9, "ff" * 32)}, []),
        (
            {"sha256": "ee" * 32},
            ["contents: rows and sums are the same, some cell is not"],
        ),
        (
            {"seal": Seal(8, "ff" * 32)},
            ["seal: the books of 8 leaves have two roots: they are not the same books"],
        ),
        (
            {"rows": 3, "seal": None},
            ["rows: 2, then 3 (+1)", "seal: 8 leaves abababab, then none"],
        ),
    ],
)
def test_a_difference_is_one_line(change: dict[str, object], said: list[str]) -> None:
    assert compare(GOOD, replace(GOOD, **change)) == said  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        (b"", "no manifest"),
        (b"\xff\xfe", "no manifest: it is not JSON"),
        (b"[" * 100_000, "no manifest"),
        (b"[]", "no object"),
        (b"{}", "version is missing"),
        (b" " * 1_000_001, "more than 1000000 bytes"),
        (b'{"rows": 1e999}', "version is missing"),
    ],
)
def test_what_is_no_manifest_is_refused_in_a_line(
    tmp_path: Path, raw: bytes, named: str
) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(raw)
    with pytest.raises(BadManifest, match=named) as refused:
        read_manifest(path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"version": 2}, "version 2"),
        ({"rows": "2"}, "rows is missing or of another type"),
        ({"seal": {"size": "8"}}, "seal has no size and root"),
        ({"sums": [[]]}, "a line of sums"),
        ({"sums": [{"rows": 0.5}]}, "a line of sums"),
        ({"more": 1}, "not known"),
    ],
)
def test_a_manifest_with_another_shape_is_refused(
    tmp_path: Path, change: dict[str, object], named: str
) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(json.loads(GOOD.written()) | change))
    with pytest.raises(BadManifest, match=named):
        read_manifest(path)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.sampled_from(sorted(json.loads(GOOD.written()))),
)
def test_no_manifest_makes_a_comparison_fall_over(value: object, field: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.json"
        path.write_text(json.dumps(json.loads(GOOD.written()) | {field: value}))
        try:
            said = compare(GOOD, read_manifest(path))
        except BadManifest:
            return
    assert all(isinstance(line, str) for line in said)


@pytest.mark.parametrize("form", ["csv", "jsonl", "hledger", "xlsx", "parquet"])
def test_a_full_disk_leaves_the_last_good_file_and_its_manifest(
    sqlite_ledger_url: str, tmp_path: Path, form: str
) -> None:
    engine = connect(sqlite_ledger_url)
    books = Books(engine)
    for _ in range(60):
        books.pledge()
    folder = tmp_path / "exports"
    folder.mkdir()
    path, beside = folder / "j", folder / "j.manifest.json"
    for file in (path, beside):
        file.write_text("the last good one")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_048, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            write(engine, JOURNAL, path, form)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        engine.dispose()
    assert sorted(folder.iterdir()) == [path, beside]
    assert path.read_text() == beside.read_text() == "the last good one"


def test_a_format_that_a_table_does_not_fit_is_refused(
    sqlite_ledger_url: str, tmp_path: Path
) -> None:
    engine = connect(sqlite_ledger_url)
    with pytest.raises(BadSelection, match="journal only"):
        write(engine, PLEDGES, tmp_path / "a", "beancount")
    assert list(tmp_path.glob("a*")) == []
    engine.dispose()


@pytest.mark.parametrize("form", ["csv", "jsonl", "hledger", "beancount"])
def test_memory_does_not_grow_with_the_rows(sqlite_ledger_url: str, form: str) -> None:
    engine = connect(sqlite_ledger_url)
    page = [
        (number, 1, "2026-11-22T08:30:01Z", "1405/09/01 12:00", "payment")
        + ("A:Settle:psp", "L:Suspense:psp", "rial", 100, "single", "", "123456789")
        + ("c", "p", "", "", "at", "", "", "", "")
        for number in range(500)
    ]
    assert len(page[0]) == len(JOURNAL.columns)
    peaks = []
    for pages in (2, 40):
        endless = replace(JOURNAL, pages=lambda *_, n=pages: iter([page] * n))
        tracemalloc.start()
        rows: list[Manifest] = []
        for _ in export_stream(
            engine,
            endless,
            TEHRAN,
            FORMATS[form],
            keys=KEYS,
            at=NOON,
            ended=rows.append,
        ):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert rows[0].rows == pages * 500
    assert peaks[1] < peaks[0] * 1.2
    engine.dispose()


def test_parquet_is_read_by_its_own_library_with_whole_numbers(
    sqlite_ledger_url: str, tmp_path: Path
) -> None:
    engine = connect(sqlite_ledger_url)
    books = Books(engine)
    _, code = books.pledge(amount=9_007_199_254_740_993)
    pledge, _ = books.pledge(amount=3, unit="parcel", campaign="parcels")
    write(engine, PLEDGES, tmp_path / "a.parquet", "parquet")
    table = read_table(tmp_path / "a.parquet")
    assert table.column_names == PLEDGES.names
    assert table["amount"].to_pylist() == [9_007_199_254_740_993, 3]
    assert table["code"].to_pylist()[0] == code
    assert table["amount_toman"].to_pylist()[1] is None
    assert str(table.schema.field("amount").type) == "int64"
    engine.dispose()


def write(
    engine: Engine,
    table: Table,
    path: Path,
    form: str = "csv",
    *,
    selection: Selection = TEHRAN,
    hours: int = 0,
) -> Manifest:
    return export_file(
        engine,
        table,
        selection,
        FORMATS[form],
        path,
        keys=KEYS,
        at=NOON + timedelta(hours=hours),
        headers=Headers.EN,
    )
