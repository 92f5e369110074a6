"""The places as each process needs them: one tree in memory, read anew once it changed.

An import raises a number in the database; it is looked at every few seconds and not on
every turn, so that a place is found without a query.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

import structlog

from ledger.engine import Engine, LedgerError, reading
from ledger.places.stored import read_tree, version
from ledger.places.tree import EMPTY, Tree

__all__ = ["Places"]

LOOK_EVERY_SECONDS = 5.0

log = structlog.get_logger()


class Places:
    """The current tree of one process."""

    def __init__(
        self, engine: Engine, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._lock = Lock()
        self._tree = EMPTY
        self._version = -1
        self._looked: float | None = None

    def current(self) -> Tree:
        """The tree as it was a few seconds ago at the most.

        A database that is away leaves the tree that was read last; raises nothing.
        """
        if self._is_time() and self._lock.acquire(blocking=self._version < 0):
            # One thread looks; the others go on with what there is.
            try:
                if self._is_time():
                    self._look()
            finally:
                self._lock.release()
        return self._tree

    def _is_time(self) -> bool:
        looked = self._looked
        return looked is None or self._clock() - looked >= LOOK_EVERY_SECONDS

    def _look(self) -> None:
        try:
            with reading(self._engine, snapshot=True) as db:
                now = version(db)
                if now != self._version:
                    self._tree = read_tree(db)
                    self._version = now
        except LedgerError as failure:
            log.warning("places_not_read", why=str(failure))
        self._looked = self._clock()
