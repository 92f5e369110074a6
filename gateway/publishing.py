"""Prove a menu file and make it the current menus, for every process and machine."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import structlog

from gateway.proving import MenusRefused, prove_file
from gateway.service import build, now, prove_keys
from gateway.settings import Settings
from ledger import menus as published
from ledger.engine import Engine, reading, writing
from ussd.menus import Menus
from ussd.sessions import Sessions

__all__ = ["MenusRefused", "check", "publish", "publish_file"]

log = structlog.get_logger()


def publish_file(settings: Settings) -> str:
    """Publish the file the settings name, at a start; return what is current then.

    A file with faults is named in the log and the menus that are current stay so; on a
    first start there are none, and MenusRefused is raised. Raises WrongKeys for a
    ledger that was written with other keys.
    """
    service = build(settings)
    try:
        prove_keys(service)
        return publish(
            settings, service.engine, service.sessions, settings.menus, at=now()
        )
    except MenusRefused as refused:
        with reading(service.engine) as db:
            current = published.current_hash(db)
        if current is None:
            raise
        faults = str(refused).splitlines()
        log.error("menus_refused", file=str(settings.menus), faults=faults)
        return current
    finally:
        service.engine.dispose()
        service.redis.close()


def publish(
    settings: Settings, engine: Engine, sessions: Sessions, path: Path, *, at: datetime
) -> str:
    """Check `path`, keep it as a version, and point everybody to it."""
    menus, source = check(settings, path)
    with writing(engine) as db:
        published.publish(db, hash=menus.hash, source=source, at=at)
    sessions.announce(menus.hash)
    return menus.hash


def check(settings: Settings, path: Path) -> tuple[Menus, str]:
    """The menus in `path` and their source; raises MenusRefused with every fault."""
    proved = prove_file(settings, path)
    return proved.menus, proved.source
