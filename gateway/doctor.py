"""Look at everything the service stands on, and say what is well and what is not."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from gateway import installation, redis_server
from gateway.faults import KeysUnavailable, Unready
from gateway.keys import check
from gateway.payments.purposes import insist
from gateway.settings import Settings, load, told_of_rehearsal
from ledger import menus, migrate
from ledger.engine import LedgerError, connect, reading
from ledger.vault import WrongKeys
from ussd.reading import read


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
        "database": lambda settings: _database(settings, environ),
        "menus": _menus,
    }
    if any(channel.campaign for channel in settings.payments.values()):
        examinations["tills"] = _tills
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


def _database(settings: Settings, environ: Mapping[str, str]) -> str:
    engine = connect(settings.database_url, pool_size=1)
    try:
        if not migrate.is_current(engine):
            raise Unready("needs `yarigar migrate`")
        # Keys that are missing are told of above.
        with suppress(KeysUnavailable):
            check(engine, installation.find_without_redis(environ))
    except WrongKeys as fault:
        raise Unready(f"{fault}: put back your copy of them") from None
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


def _tills(settings: Settings) -> str:
    """Whether the menus know what each till's gifts are for."""
    tills = {name: one for name, one in settings.payments.items() if one.campaign}
    engine = connect(settings.database_url, pool_size=1)
    try:
        with reading(engine) as db:
            current = menus.current(db)
    finally:
        engine.dispose()
    if current is None:
        raise Unready("nothing says what their gifts are for: there are no menus")
    known = read(current[1], time_zone=settings.time_zone)
    faults = []
    for name, till in tills.items():
        try:
            insist(known, till.campaign, till.purpose)
        except Unready as fault:
            faults.append(f"payments.{name}: {fault}")
    if faults:
        raise Unready("; ".join(faults))
    return f"the menus know what {', '.join(tills)} collects for"
