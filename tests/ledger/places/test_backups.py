"""Places in a backup: a tree refers to itself, whatever order its rows are in."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from ledger.backups import restore, take
from ledger.engine import reading, writing
from ledger.places.stored import read_tree, version
from ledger.vault import claim_key
from tests.ledger.facts import AT, KEYS
from tests.ledger.places.test_importing import ALL, take_in
from tests.ledger.test_backups import empty

__all__ = ["empty"]  # a fixture, for pytest to find here


def test_places_come_back_from_a_backup(
    ledger_engine: Engine,
    empty: Engine,  # noqa: F811  # the fixture
    tmp_path: Path,
) -> None:
    with writing(ledger_engine) as db:
        claim_key(db, KEYS)
        take_in(db, ALL)
        take_in(db, ALL[:4])
    take(ledger_engine, tmp_path / "b.zip", at=AT)
    restore(empty, KEYS, tmp_path / "b.zip", at=AT)
    with reading(ledger_engine) as before, reading(empty) as after:
        assert set(read_tree(before)) == set(read_tree(after))
        assert version(after) == 2
