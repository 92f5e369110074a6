"""Who was erased, kept beside the database: a restored backup must not bring them back.

One line for each in <data_dir>/erased.txt: the ledger's own id, the person's, and
when. No name and no number.
"""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from gateway.faults import Unready
from ledger.engine import Engine, reading
from ledger.erasing import erased_since, ledger_id

__all__ = ["FILE", "keep_noting", "note", "noted"]

FILE = "erased.txt"
FILE_BYTES_MAX = 100_000_000
_EVER = datetime(2000, 1, 1, tzinfo=UTC)
LOOKED_BACK = timedelta(days=30)

log = structlog.get_logger()


def note(engine: Engine, data_dir: Path, *, since: datetime = _EVER) -> int:
    """Add whoever was erased at `since` or later and is not noted yet; how many.

    Raises Unready if the file cannot be read or written.
    """
    with reading(engine, snapshot=True) as db:
        system = ledger_id(db)
        gone = list(erased_since(db, since=since))
    if not gone:
        return 0
    # With the time: a restored ledger gives its latest ids a second time.
    known = set(noted(data_dir))
    new = {who: at for who, at in gone if (system, who, at) not in known}
    if not new:
        return 0
    path = data_dir / FILE
    lines = [
        f"{system} {who} {at.astimezone(UTC).isoformat()}\n" for who, at in new.items()
    ]
    try:
        opened = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(opened, "ab", buffering=0) as file:
            length = os.fstat(opened).st_size
            added = "".join(lines).encode("ascii")
            # In one write: a line that is cut short would hide those behind it.
            if file.write(added) != len(added):
                os.ftruncate(opened, length)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(opened)
    except OSError as fault:
        raise Unready(f"{path} cannot be written: {fault.strerror}") from None
    return len(new)


def keep_noting(engine: Engine, data_dir: Path, at: datetime) -> None:
    """Do as `note` does for the last month; a file in the way is logged, no more."""
    try:
        note(engine, data_dir, since=at - LOOKED_BACK)
    except Unready as fault:
        log.error("erased_not_noted", why=str(fault))


def noted(data_dir: Path) -> list[tuple[str, int, datetime]]:
    """Everybody in the file: the ledger's id, the person's, and when.

    Raises Unready for a line that is none of ours.
    """
    path = data_dir / FILE
    try:
        with path.open(encoding="ascii") as file:
            lines = file.read(FILE_BYTES_MAX).splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError):
        raise Unready(f"{path} cannot be read") from None
    return [_read(path, number, line) for number, line in enumerate(lines, start=1)]


def _read(path: Path, number: int, line: str) -> tuple[str, int, datetime]:
    try:
        system, who, at = line.split(" ")
        when = datetime.fromisoformat(at)
        if when.tzinfo is None:
            raise ValueError("a time without a zone")
        return system, int(who), when
    except ValueError:
        raise Unready(
            f"{path}, line {number}: not a ledger's id, a person's and a time"
        ) from None
