"""The boards that were counted last: many may ask, and the books are read rarely."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from threading import Lock

from ledger.board import Row, board
from ledger.engine import Engine, reading

__all__ = ["Boards", "Counted"]

KEPT = timedelta(seconds=60)
KEPT_MAX = 64


@dataclass(frozen=True, slots=True)
class Counted:
    """A board and when it was counted."""

    at: datetime
    rows: tuple[Row, ...]


class Boards:
    """The boards of one process, a minute old at the most."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = Lock()
        self._counted: dict[tuple[str, str], Counted] = {}

    def of(self, *, level: str, within: str, today: date, at: datetime) -> Counted:
        """The board of a level within a place; raises LedgerError.

        One thread counts at a time, and the others wait for it: however many ask, the
        books are read once a minute for each board.
        """
        with self._lock:
            held = self._counted.pop((level, within), None)
            if held is None or at - held.at >= KEPT:
                with reading(self._engine, snapshot=True) as db:
                    rows = board(db, level=level, within=within, today=today, at=at)
                held = Counted(at, tuple(rows))
            self._counted[level, within] = held
            while len(self._counted) > KEPT_MAX:
                # The one that was asked for longest ago.
                del self._counted[next(iter(self._counted))]
            return held
