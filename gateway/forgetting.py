"""Deletes or empties what nobody needs any more, a little at a time."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from ledger.engine import Engine, empty_log, writing
from ledger.forgetting import KEPT, TEXTS_KEPT, forget, forget_texts

__all__ = ["Forgetting"]

EVERY = timedelta(days=1)
EMPTIED_EVERY = timedelta(hours=1)

log = structlog.get_logger()


class Forgetting:
    """One step each time it is called, while there is something to forget."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._done_at: datetime | None = None
        self._gone = 0
        self._emptied_at: datetime | None = None

    def step(self, at: datetime) -> None:
        """Forget a little of what is old, unless all of it was forgotten today.

        Each hour the database's log goes: who was erased can be read there till then.
        """
        due = self._emptied_at is None or at - self._emptied_at >= EMPTIED_EVERY
        if due and empty_log(self._engine):
            self._emptied_at = at
        if self._done_at is not None and at - self._done_at < EVERY:
            return
        with writing(self._engine) as db:
            gone = forget(db, before=at - KEPT)
            gone += forget_texts(db, before=at - TEXTS_KEPT)
        self._gone += gone
        if gone:
            return
        if self._gone:
            log.info("forgotten", rows=self._gone)
        self._done_at, self._gone = at, 0
