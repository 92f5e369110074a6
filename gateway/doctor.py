"""Look at everything the service stands on, and say what is well and what is not."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from gateway import installation, redis_server
from gateway.faults import Unready
from gateway.settings import Settings, load, told_of_rehearsal
from ledger import menus, migrate
from ledger.engine import LedgerError, connect, reading


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what it says when well, or what is wrong."""

    what: str
    is_well: bool
    says: str


def examine(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Look at each thing in the order in which they need each other."""
    yield Finding("python", True, platform.python_version())
    try:
        settings = load(environ)
    except Unready as fault:
        yield Finding("settings", False, str(fault))
        return
    yield Finding("settings", True, f"complete, with data in {settings.data_dir}")
    if settings.rehearsal:
        yield Finding("rehearsal", True, told_of_rehearsal(settings))
    examinations: dict[str, Callable[[Settings], str]] = {
        "keys": lambda _: _keys(environ),
        "redis": lambda settings: redis_server.check(installation.redis_url(settings)),
        "database": _database,
        "menus": _menus,
    }
    for what, look in examinations.items():
        try:
            yield Finding(what, True, look(settings))
        except Unready as fault:
            yield Finding(what, False, str(fault))
        except LedgerError as fault:
            says = f"the database cannot be opened ({fault}): see database_url"
            yield Finding(what, False, says)


def _keys(environ: Mapping[str, str]) -> str:
    installation.find_without_redis(environ)
    return "complete"


def _database(settings: Settings) -> str:
    engine = connect(settings.database_url, pool_size=1)
    try:
        if not migrate.is_current(engine):
            raise Unready("needs `yarigar migrate`")
    finally:
        engine.dispose()
    return f"{engine.dialect.name}, up to date"


def _menus(settings: Settings) -> str:
    engine = connect(settings.database_url, pool_size=1)
    try:
        with reading(engine) as db:
            current = menus.current(db)
    finally:
        engine.dispose()
    if current is None:
        raise Unready("none are published: `yarigar menus load menus.yaml`")
    return f"version {current[0][:12]}"
