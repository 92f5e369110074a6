"""Many small transactions, of which one that fails does not stop the others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from ledger.engine import NothingRecorded

__all__ = ["Apart"]

# So many can fail for reasons of their own; after that it is the database.
FAILED_MAX = 3

log = structlog.get_logger()


class Apart:
    """What one sweep does, each thing apart from the others."""

    def __init__(self) -> None:
        self._failed = 0

    @contextmanager
    def __call__(self, what: str, which: int | str) -> Iterator[None]:
        """Do one thing. Raises NothingRecorded only of the third that fails."""
        try:
            yield
        except NothingRecorded as failure:
            log.error("sweep_failed", what=what, which=which, why=str(failure))
            self._failed += 1
            if self._failed == FAILED_MAX:
                raise
