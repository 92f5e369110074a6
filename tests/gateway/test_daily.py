"""Yesterday's books as files, each night at three."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from structlog.typing import EventDict

from gateway.daily import Daily, forget_old, missing_days, write_day
from tests.gateway.house import Gateway

DAY = date(2026, 11, 22)
# Half past three in Tehran, the night after.
NIGHT = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
FILES = {
    f"{what}.xlsx{end}"
    for what in ("pledges", "signups", "payments", "journal", "messages")
    for end in ("", ".manifest.json")
}


@pytest.mark.parametrize("gateway_database", ["sqlite", "postgresql"])
def test_a_day_is_written_once_with_its_manifests(gateway: Gateway) -> None:
    code = gateway.pledge().code
    folder = gateway.service.settings.data_dir / "exports"
    daily = Daily(gateway.service)
    daily.step(NIGHT - timedelta(minutes=31))
    daily.wait()
    assert [one.name for one in folder.iterdir()] == ["2026-11-21"]
    daily.step(NIGHT + timedelta(hours=1))
    daily.wait()
    place = folder / "2026-11-22"
    assert {one.name for one in place.iterdir()} == FILES
    sheet = openpyxl.load_workbook(place / "pledges.xlsx").worksheets[0]
    assert sheet["A2"].value == code
    assert sheet.sheet_view.rightToLeft
    told = json.loads((place / "pledges.xlsx.manifest.json").read_text())
    assert told["filter"]["from"] == told["filter"]["to"] == "2026-11-22"
    assert told["rows"] == 1
    written = (place / "pledges.xlsx").stat().st_mtime_ns
    daily.step(NIGHT + timedelta(hours=5))
    daily.wait()
    assert (place / "pledges.xlsx").stat().st_mtime_ns == written


def test_nothing_is_due_before_three_in_campaign_time(tmp_path: Path) -> None:
    (tmp_path / "2026-11-21").mkdir()
    assert missing_days(tmp_path, datetime(2026, 11, 23, 2, 59)) == []  # noqa: DTZ001
    assert missing_days(tmp_path, datetime(2026, 11, 23, 3)) == [DAY]  # noqa: DTZ001


def test_days_of_an_absence_are_written_but_for_a_long_one(tmp_path: Path) -> None:
    night = datetime(2026, 11, 23, 4, tzinfo=UTC)
    assert missing_days(tmp_path, night) == [DAY]
    assert missing_days(tmp_path / "none", night) == [DAY]
    (tmp_path / "2026-11-20").mkdir()
    (tmp_path / "notes").mkdir()
    assert missing_days(tmp_path, night) == [date(2026, 11, 21), DAY]
    later = missing_days(tmp_path, night + timedelta(days=60))
    assert (later[0], later[-1]) == (date(2027, 1, 15), date(2027, 1, 21))


def test_a_clock_that_went_back_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "2026-12-01").mkdir()
    assert missing_days(tmp_path, datetime(2026, 11, 23, 4, tzinfo=UTC)) == []


def test_folders_are_kept_for_35_days_and_nothing_else_is_touched(
    tmp_path: Path,
) -> None:
    for name in ("2026-10-17", "2026-10-18", "2026-11-22", "20261001", "report"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_text("")
    half = tmp_path / ".day-left"
    half.mkdir()
    os.utime(half, (0, 0))
    fresh = tmp_path / ".day-now"
    fresh.mkdir()
    night = datetime(2026, 11, 22, 4, tzinfo=UTC)
    os.utime(fresh, (night.timestamp() - 3600,) * 2)
    forget_old(tmp_path, night)
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        ".day-now",
        "2026-10-18",
        "2026-11-22",
        "20261001",
        "report",
    ]


def test_a_day_that_fails_leaves_no_folder_and_is_tried_again_in_an_hour(
    gateway: Gateway, logs: list[EventDict]
) -> None:
    with gateway.service.engine.connect() as db:
        db.exec_driver_sql("ALTER TABLE code RENAME TO gone")
        db.commit()
    daily = Daily(gateway.service)
    folder = gateway.service.settings.data_dir / "exports"
    daily.step(NIGHT)
    daily.wait()
    assert list(folder.iterdir()) == []
    assert [one["event"] for one in logs] == ["daily_not_written"]
    with gateway.service.engine.connect() as db:
        db.exec_driver_sql("ALTER TABLE gone RENAME TO code")
        db.commit()
    daily.step(NIGHT + timedelta(minutes=59))
    daily.wait()
    assert list(folder.iterdir()) == []
    daily.step(NIGHT + timedelta(minutes=60))
    daily.wait()
    assert [one.name for one in folder.iterdir()] == ["2026-11-22"]


def test_a_day_that_another_wrote_meanwhile_is_left_as_it_is(gateway: Gateway) -> None:
    folder = gateway.service.settings.data_dir / "exports"
    place = folder / "2026-11-22"
    place.mkdir(parents=True)
    (place / "pledges.xlsx").write_text("another's")
    write_day(gateway.service, folder, DAY, NIGHT)
    assert (place / "pledges.xlsx").read_text() == "another's"
    assert [one.name for one in folder.iterdir()] == ["2026-11-22"]
