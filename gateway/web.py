"""The web service as a process: granian, with the application of gateway.wsgi."""

from __future__ import annotations

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from gateway.settings import Settings

# A request under way may finish; one that hangs may not keep us from stopping.
STOP_SECONDS_MAX = 5


def serve_http(settings: Settings) -> None:
    """Answer HTTP until told to stop.

    Granian's own workers import gateway.wsgi, which reads the settings again: each
    of them must call processes.die_with_supervisor, a fork does not keep the promise.
    """
    Granian(
        "gateway.wsgi:app",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.web_workers,
        blocking_threads=settings.web_threads,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS_MAX,
        # Its warning is that web_threads are more than the processors: they wait for
        # Redis and the ledger most of the time.
        log_level=LogLevels.error,
    ).serve()
