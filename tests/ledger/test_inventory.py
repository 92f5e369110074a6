"""No table and no column holds something of a person without being listed."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import (
    JSON,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from ledger import inventory
from ledger.inventory import IMPERSONAL, INVENTORY
from ledger.schema import metadata

TABLES = metadata.sorted_tables
# What has less room than this is a name or a word of our own.
OWN_WORDS_CHARS_MAX = 80
# Ids that come from outside and may be somebody's.
TELLING = frozenset({"person_id", "look_up", "pledge_id", "place", "carrier_id"})
# What makes an outside's repetition harmless: no name, and a phone at most as a hash
# together with a call's own id.
KEYS = frozenset({"key", "outside_id"})
PAGE = Path("docs/privacy.md")


def _may_tell(table: Table) -> set[str]:
    """The columns that could hold something of a person, by what fits into them."""
    found = set()
    for column in table.columns:
        kind = column.type
        long = isinstance(kind, String) and (kind.length or 0) > OWN_WORDS_CHARS_MAX
        roomy = isinstance(kind, (LargeBinary, JSON, Text)) or long
        names = any(key.column.table.name == "person" for key in column.foreign_keys)
        if (roomy or names or column.name in TELLING) and column.name not in KEYS:
            found.add(column.name)
    return found


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_table_is_listed_with_all_that_could_tell(table: Table) -> None:
    entries = [entry for entry in INVENTORY if entry.table == table.name]
    listed = set(entries[0].holds) if entries else IMPERSONAL.get(table.name)
    assert len(entries) + (table.name in IMPERSONAL) == 1
    assert listed is not None
    assert _may_tell(table) - listed == set()
    assert listed <= set(table.columns.keys())


def test_no_table_that_is_gone_is_listed() -> None:
    listed = [entry.table for entry in INVENTORY] + [*IMPERSONAL]
    assert sorted(listed) == sorted(table.name for table in TABLES)


def test_a_new_column_that_could_tell_is_found() -> None:
    new = Table(
        "new",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("state", String(10)),
        Column("note", Text),
        Column("why", String(200)),
        Column("seen", LargeBinary),
        Column("person_id", Integer),
    )
    assert _may_tell(new) == {"note", "why", "seen", "person_id"}


def test_the_page_has_the_inventory_as_it_is() -> None:
    assert inventory.table() in PAGE.read_text(encoding="utf-8")
