"""The sealer's place in the service: whose key, how often, and who may.

Seals are made every few seconds while there is something to seal, so that a donor who
hangs up and dials again finds the gift in the books. Once an hour everything is looked
through again, and once a day the public folder is written.
"""

from __future__ import annotations

import threading
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import structlog

from gateway.public_folder import FOLDER, publish
from gateway.settings import Settings
from ledger import leases
from ledger.engine import Engine, LedgerError, writing
from ledger.sealing.notes import Signer
from ledger.sealing.sealer import seal
from sms.owner import this_process

__all__ = ["Sealing", "signer"]

LEASE = "seal"
LEASE_SECONDS = 60
SEAL_EVERY = timedelta(seconds=3)
LOOK_EVERY = timedelta(hours=1)
# On SQLite a dial that writes waits for the batch: this many take some 50 ms.
BATCH = 2_000
# What one turn of the scheduler has time for: 50,000 events.
BATCHES_MAX = 25

log = structlog.get_logger()


def signer(settings: Settings) -> Signer:
    """Our key, and the tree's name: the host that the world reaches us by."""
    host = urlsplit(settings.public_url).netloc.rpartition("@")[2]
    return Signer(settings.key_bytes("seal_key"), f"{host}/yarigar")


class Sealing:
    """One step each time it is called; of several that run, one holds the lease."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._signer = signer(settings)
        self._zone = settings.time_zone
        self._folder = settings.data_dir / FOLDER
        self._holder = this_process()
        self._sealed: datetime | None = None
        self._looked: datetime | None = None
        self._published: date | None = None
        self._writer: threading.Thread | None = None

    def step(self, at: datetime) -> None:
        """Seal and publish what is due. Raises LedgerError."""
        if self._sealed is not None and at - self._sealed < SEAL_EVERY:
            return
        # Also of one that fails: it is tried again after as long.
        self._sealed = at
        with writing(self._engine) as db:
            held = leases.take(
                db, name=LEASE, holder=self._holder, seconds=LEASE_SECONDS, at=at
            )
        if not held:
            return
        everything = self._looked is None or at - self._looked >= LOOK_EVERY
        run = seal(
            self._engine,
            self._signer,
            self._zone,
            at,
            everything,
            batches_max=BATCHES_MAX,
            batch=BATCH,
        )
        if run.leaves:
            log.info("sealed", leaves=run.leaves, size=run.size)
        if everything and not run.more:
            self._looked = at
        self._publish(at.astimezone(ZoneInfo(self._zone)).date())

    def wait(self) -> None:
        """Let a folder that is being written be finished."""
        if self._writer is not None:
            self._writer.join()

    def _publish(self, today: date) -> None:
        """Write the folder beside the scheduler: of a large ledger it takes long."""
        if self._published == today or (self._writer and self._writer.is_alive()):
            return
        self._published = today
        self._writer = threading.Thread(target=self._write, daemon=True)
        self._writer.start()

    def _write(self) -> None:
        try:
            leaves = publish(self._engine, self._signer, self._folder)
        except (LedgerError, OSError) as failure:
            log.error("public_folder_not_written", why=str(failure))
        else:
            log.info("public_folder_written", leaves=leaves)
