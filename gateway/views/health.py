"""Whether the service is alive, and whether it can do its work."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, current_app
from redis.exceptions import RedisError

from gateway.library import NoMenus
from gateway.service import Service
from ledger.engine import LedgerError, reading
from ledger.migrate import is_current

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def alive() -> Response:
    return Response("alive\n", content_type="text/plain; charset=utf-8")


@bp.get("/readyz")
def ready() -> Response:
    """200 if database, Redis, migrations and menus are there; 503 says what is not.

    In a rehearsal it says so, lest anybody takes it for the service itself.
    """
    service: Service = current_app.extensions["yarigar"]
    checks: dict[str, Callable[[], bool]] = {
        "database": lambda: _database(service),
        "redis": lambda: bool(service.redis.ping()),
        "migrations": lambda: is_current(service.engine),
        "menus": lambda: bool(service.library.current(None).hash),
    }
    missing = [name for name, holds in checks.items() if not _holds(holds)]
    text = f"not ready: {', '.join(missing)}" if missing else "ready"
    if service.settings.rehearsal:
        text += " (rehearsal)"
    return Response(
        f"{text}\n",
        status=503 if missing else 200,
        content_type="text/plain; charset=utf-8",
    )


def _database(service: Service) -> bool:
    with reading(service.engine) as db:
        db.exec_driver_sql("SELECT 1")
    return True


def _holds(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except (LedgerError, RedisError, NoMenus):
        return False
