"""Bring a database up to date.

Every step runs in one transaction, on both databases: a step that fails leaves the
database as it was. Two processes that try at once wait for each other.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    String,
    Table,
    func,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError

from ledger.engine import LedgerError, connect, reading, writing

__all__ = ["head", "is_current", "upgrade"]

# Alembic's own table, named here so that readiness costs one small query.
_version = Table("alembic_version", MetaData(), Column("version_num", String(32)))
_reached = select(_version.c.version_num)

# Any number serves that no other program on the same PostgreSQL uses as a lock.
_LOCK = 5_588_780

_CLUSTER = text(
    "SELECT system_identifier, pg_get_expr(adbin, adrelid) FROM pg_control_system(),"
    " pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum"
    " WHERE adrelid = 'event'::regclass AND attname = 'cluster'"
)


def upgrade(url: str) -> None:
    """Run every step that the database at `url` has not had yet.

    Raises LedgerError if it cannot be reached or is newer than this program.
    """
    engine = connect(url, pool_size=1)
    try:
        with writing(engine) as db:
            _wait_for_others(db)
            config = _config()
            config.attributes["connection"] = db
            command.upgrade(config, "head")
            _name_cluster(db)
    except CommandError as error:
        raise LedgerError(f"the database cannot be migrated: {error}") from error
    finally:
        engine.dispose()


def is_current(engine: Engine) -> bool:
    """Tell whether the database has had every step this program knows.

    An empty database has not. Raises LedgerError if it cannot be reached.
    """
    try:
        with reading(engine) as db:
            return db.execute(_reached).scalars().all() == [head()]
    except LedgerError as error:
        if _is_about_a_missing_table(error.__cause__):
            return False
        raise


@cache
def head() -> str:
    """The name of the newest step, like "0001"."""
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    assert newest is not None
    return newest


def _config() -> Config:
    config = Config()
    steps = str(Path(__file__).parent / "migrations")
    # A configuration file would read a percent sign as its own.
    config.set_main_option("script_location", steps.replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    return config


def _name_cluster(db: Connection) -> None:
    """Have new events carry the cluster that they are made in.

    A restore brings the name of the cluster that it came from: see the cut of
    ledger.sealing.rows.
    """
    if db.dialect.name != "postgresql":
        return
    here, said = db.execute(_CLUSTER).one()
    if str(here) not in said:
        # The number is the server's own.
        db.execute(text(f"ALTER TABLE event ALTER COLUMN cluster SET DEFAULT {here}"))


def _wait_for_others(db: Connection) -> None:
    if db.dialect.name == "postgresql":
        db.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _is_about_a_missing_table(error: BaseException | None) -> bool:
    return isinstance(error, DBAPIError) and (
        getattr(error.orig, "sqlstate", None) == "42P01"
        or "no such table" in str(error.orig)
    )
