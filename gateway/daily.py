"""Yesterday's books as files, for operators without a shell.

Each night at three, in campaign time, the folder <data_dir>/exports/<day> gets the
tables of the day before, with their manifests; it is there whole or not at all, and is
kept for 35 days. A thread writes it, so that texts go out meanwhile.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import date, datetime, time, timedelta
from pathlib import Path
from threading import Thread
from zoneinfo import ZoneInfo

import structlog

from gateway.service import Service
from ledger.engine import LedgerError
from ledger.export import FORMATS, TABLES, Headers, Selection, XlsxMissing, export_file

__all__ = ["Daily", "forget_old", "missing_days", "write_day"]

FOLDER = "exports"
HOUR = time(3)
KEPT_DAYS = 35
# After a longer absence the operators know that days are missing.
CATCH_UP_DAYS = 7
AGAIN_AFTER = timedelta(hours=1)
# People leave the house only when somebody takes them out.
WHAT = ("pledges", "signups", "payments", "journal", "messages")

_UNFINISHED = ".day-"

log = structlog.get_logger()


class Daily:
    """Writes what is missing each time it is called, one run at a time."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._folder = service.settings.data_dir / FOLDER
        self._zone = ZoneInfo(service.settings.time_zone)
        self._writing: Thread | None = None
        self._not_before: datetime | None = None

    def step(self, at: datetime) -> None:
        """Begin to write the days that have no folder yet, after three at night."""
        if self._writing is not None and self._writing.is_alive():
            return
        if self._not_before is not None and at < self._not_before:
            return
        days = missing_days(self._folder, at.astimezone(self._zone))
        if days:
            self._not_before = at + AGAIN_AFTER
            self._writing = Thread(target=self._write, args=(days, at), daemon=True)
            self._writing.start()

    def wait(self) -> None:
        """Wait until nothing is being written."""
        if self._writing is not None:
            self._writing.join()

    def _write(self, days: list[date], at: datetime) -> None:
        try:
            for day in days:
                rows = write_day(self._service, self._folder, day, at)
                log.info("daily_written", day=day.isoformat(), rows=rows)
            forget_old(self._folder, at.astimezone(self._zone))
        except (LedgerError, OSError) as failure:
            log.error("daily_not_written", why=type(failure).__name__)


def missing_days(folder: Path, local: datetime) -> list[date]:
    """The days since the last folder, yesterday the last; the first time it alone."""
    yesterday = local.date() - timedelta(days=1)
    if local.time() < HOUR:
        yesterday -= timedelta(days=1)
    written = _written(folder)
    if not written:
        return [yesterday]
    first = max(max(written) + timedelta(days=1), _back(yesterday, CATCH_UP_DAYS - 1))
    count = (yesterday - first).days + 1
    return [first + timedelta(days=nth) for nth in range(count)]


def write_day(service: Service, folder: Path, day: date, at: datetime) -> int:
    """Write the folder of a day, and give the rows in it.

    Raises OSError where the disk is full and LedgerError where the database fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / day.isoformat()
    selection = Selection(service.settings.time_zone, since=day, until=day)
    rows = 0
    with tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=folder) as scratch:
        unfinished = Path(scratch) / place.name
        unfinished.mkdir()
        for what in WHAT:
            rows += _write_table(service, what, selection, unfinished, at)
        if not place.exists():
            os.rename(unfinished, place)
    return rows


def forget_old(folder: Path, local: datetime) -> None:
    """Remove the folders of days that are older than 35 days.

    What a process that was killed left half written goes the day after.
    """
    for day in _written(folder):
        if day < _back(local.date(), KEPT_DAYS):
            shutil.rmtree(folder / day.isoformat())
    for left in folder.glob(f"{_UNFINISHED}*"):
        if left.stat().st_mtime < (local - timedelta(days=1)).timestamp():
            shutil.rmtree(left)


def _write_table(
    service: Service, what: str, selection: Selection, folder: Path, at: datetime
) -> int:
    for name in ("xlsx", "csv"):
        try:
            return export_file(
                service.engine,
                TABLES[what],
                selection,
                FORMATS[name],
                folder / f"{what}.{name}",
                keys=service.keys,
                at=at,
                headers=Headers.FA,
            ).rows
        except XlsxMissing:
            # A small installation has no workbooks: a CSV opens in Excel too.
            continue
    raise AssertionError("a CSV needs no extra")


def _written(folder: Path) -> list[date]:
    days: list[date] = []
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return days
    for name in names:
        try:
            day = date.fromisoformat(name)
        except ValueError:
            continue
        if day.isoformat() == name:
            days.append(day)
    return days


def _back(day: date, days: int) -> date:
    return day - timedelta(days=days)
