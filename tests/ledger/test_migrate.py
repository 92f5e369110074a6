from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, insert, select, text

from ledger import migrate, schema
from ledger.engine import LedgerError, connect, reading, writing
from ledger.schema import facts


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest) -> str:
    wanted = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}
    url: str = request.getfixturevalue(wanted[request.param])
    return url


def test_an_empty_database_is_not_current_until_it_is_migrated(empty_url: str) -> None:
    engine = connect(empty_url)
    assert not migrate.is_current(engine)
    migrate.upgrade(empty_url)
    assert migrate.is_current(engine)
    engine.dispose()


def test_two_migrations_at_once_make_one_database(empty_url: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(migrate.upgrade, [empty_url] * 2))
    engine = connect(empty_url)
    assert migrate.is_current(engine)
    engine.dispose()


# SQLAlchemy has no name for the one column that only PostgreSQL has.
@pytest.mark.filterwarnings("ignore:Did not recognize type 'xid8'")
def test_the_migrated_tables_are_the_ones_of_the_schema(ledger_engine: Engine) -> None:
    with reading(ledger_engine, snapshot=True) as db:
        context = MigrationContext.configure(
            db, opts={"compare_type": True, "compare_server_default": True}
        )
        differences: list[Any] = [
            difference
            for difference in compare_metadata(context, schema.metadata)
            # Only PostgreSQL has the transaction and the cluster that made an event.
            if difference[0] != "remove_column"
            or difference[3].name not in ("xid", "cluster")
        ]
    unlocked = {
        ("add_fk", f"fk_{key.parent.table.name}_{key.parent.name}")
        for table in schema.metadata.tables.values()
        for key in table.foreign_keys
        if ledger_engine.dialect.name == "postgresql" and key.info == facts.WITHOUT_LOCK
    }
    found = {(difference[0], difference[1].name) for difference in differences}
    assert found == unlocked


def test_the_units_of_account_are_there_from_the_start(ledger_engine: Engine) -> None:
    with reading(ledger_engine) as db:
        codes = db.execute(select(schema.unit.c.code)).scalars().all()
    assert sorted(codes) == ["minute", "parcel", "rial", "voucher"]


def test_every_ledger_has_an_identity_of_its_own(
    sqlite_url: str, postgres_url: str
) -> None:
    found = []
    for url in (sqlite_url, postgres_url):
        migrate.upgrade(url)
        engine = connect(url)
        with reading(engine) as db:
            found.append(
                db.execute(
                    select(schema.meta.c.value).where(schema.meta.c.name == "system")
                ).scalar_one()
            )
        engine.dispose()
    assert len(set(found)) == 2
    assert all(len(system) == 32 for system in found)


def test_a_database_from_a_newer_program_is_refused_in_one_line(
    ledger_engine: Engine, ledger_url: str
) -> None:
    with writing(ledger_engine) as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(LedgerError, match="cannot be migrated") as caught:
        migrate.upgrade(ledger_url)
    assert "\n" not in str(caught.value)
    assert not migrate.is_current(ledger_engine)


def test_a_failed_migration_leaves_nothing_behind(empty_url: str) -> None:
    engine = connect(empty_url)
    with writing(engine) as db:
        db.execute(text("CREATE TABLE vault (in_the_way INTEGER)"))
    with pytest.raises(LedgerError):
        migrate.upgrade(empty_url)
    assert not migrate.is_current(engine)
    with writing(engine) as db:
        db.execute(text("DROP TABLE vault"))
    migrate.upgrade(empty_url)
    assert migrate.is_current(engine)
    engine.dispose()


def test_a_key_is_ordered_by_its_bytes(ledger_engine: Engine) -> None:
    keys = ["a-b", "a:b", "aB", "ab", "Z", "é"]
    with writing(ledger_engine) as db:
        for key in keys:
            db.execute(
                insert(schema.event).values(
                    key=key,
                    kind="test",
                    body={},
                    channel="at",
                    test=True,
                    transfers=0,
                    at=text("CURRENT_TIMESTAMP"),
                )
            )
        found = db.execute(
            select(schema.event.c.key).order_by(schema.event.c.key)
        ).scalars()
        assert list(found) == sorted(keys, key=str.encode)
