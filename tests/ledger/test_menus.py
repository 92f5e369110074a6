from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import Engine

from ledger import menus, schema
from ledger.engine import reading, writing
from tests.ledger.facts import AT, count


def test_there_are_no_menus_before_the_first(ledger_engine: Engine) -> None:
    with reading(ledger_engine) as db:
        assert menus.current(db) is None
        assert menus.current_hash(db) is None
        assert menus.version(db, "a") is None


def test_the_last_published_is_current_and_the_others_are_kept(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        menus.publish(db, hash="a", source="خانه: یک", at=AT)
        menus.publish(db, hash="b", source="home: two", at=AT + timedelta(1))
        assert menus.current(db) == ("b", "home: two")
        assert menus.version(db, "a") == "خانه: یک"
        menus.publish(db, hash="a", source="خانه: یک", at=AT + timedelta(2))
        assert menus.current_hash(db) == "a"
        assert count(db, schema.menus_version) == 2
        assert count(db, schema.menus_current) == 1


def test_two_first_publishings_at_once_leave_one_current(
    ledger_engine: Engine,
) -> None:
    def publish(name: str) -> None:
        with writing(ledger_engine) as db:
            menus.publish(db, hash=name, source=name, at=AT)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(publish, ["a", "b"]))
    with reading(ledger_engine) as db:
        assert menus.current_hash(db) in ("a", "b")
        assert count(db, schema.menus_version) == 2
