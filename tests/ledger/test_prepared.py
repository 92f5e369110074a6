from __future__ import annotations

import pytest
from sqlalchemy import Engine, String, bindparam, insert, select, text

from ledger.engine import NothingRecorded, NotRead, connect, reading, writing
from ledger.prepared import Prepared
from ledger.schema import meta

# Nothing is as large as the least of all numbers: the second row cannot be had.
_FAILS_LATE = Prepared(
    text("SELECT abs(x) FROM (SELECT 1 AS x UNION ALL SELECT -9223372036854775808) y")
)


def test_a_row_that_cannot_be_had_is_not_read(ledger_engine: Engine) -> None:
    with pytest.raises(NotRead), reading(ledger_engine) as db:
        _FAILS_LATE.all(db)
    with pytest.raises(NotRead), reading(ledger_engine) as db:
        _FAILS_LATE.first(db)


def test_a_row_that_cannot_be_had_means_that_nothing_was_recorded(
    ledger_engine: Engine,
) -> None:
    with pytest.raises(NothingRecorded), writing(ledger_engine) as db:
        _FAILS_LATE.all(db)


_SEEN = Prepared(
    text("UPDATE meta SET value = :to WHERE name = :of").bindparams(
        bindparam("to", type_=String), bindparam("of", type_=String)
    )
)
_NEW = Prepared(insert(meta))


def test_one_statement_is_run_for_each_of_many_rows(ledger_engine: Engine) -> None:
    rows = [{"name": f"n{number}", "value": "a"} for number in range(3)]
    with writing(ledger_engine) as db:
        assert _NEW.many(db, rows) == 3
        seen = [{"of": name, "to": "b"} for name in ("n0", "n2", "none")]
        assert _SEEN.many(db, seen) == 2
        assert _SEEN.many(db, []) == 0
    with reading(ledger_engine) as db:
        found = db.execute(select(meta.c.name).where(meta.c.value == "b")).scalars()
        assert sorted(found) == ["n0", "n2"]


def test_of_many_rows_all_are_recorded_or_none(ledger_engine: Engine) -> None:
    rows = [{"name": name, "value": "a"} for name in ("n0", "n1", "n0")]
    with pytest.raises(NothingRecorded), writing(ledger_engine) as db:
        _NEW.many(db, rows)
    with reading(ledger_engine) as db:
        found = db.execute(select(meta.c.name).where(meta.c.name.like("n_"))).all()
        assert found == []


_BACKEND = Prepared(text("SELECT pg_backend_pid()"))
_MANY = Prepared(text("SELECT name FROM meta ORDER BY name"))


def test_a_connection_that_was_lost_takes_its_cursor_with_it(
    postgres_ledger_url: str,
) -> None:
    engine = connect(postgres_ledger_url, pool_size=1)
    with reading(engine) as db:
        first = _BACKEND.scalar(db)
    with pytest.raises(NothingRecorded), writing(engine) as db:
        db.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    with writing(engine) as db:
        second = _BACKEND.scalar(db)
        db.execute(insert(meta).values(name="a", value="1"))
    assert first != second
    with reading(engine) as db:
        assert ("a",) in _MANY.all(db)
    engine.dispose()


def test_rows_that_were_read_stay_when_another_statement_runs(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        _NEW.many(db, [{"name": name, "value": "a"} for name in ("a", "b")])
        found = _MANY.all(db)
        for (name,) in found:
            assert _SEEN.run(db, of=name, to="b") == 1
        assert _MANY.all(db) == found


def test_a_statement_that_failed_does_not_spoil_the_next(
    ledger_engine: Engine,
) -> None:
    with pytest.raises(NotRead), reading(ledger_engine) as db:
        _FAILS_LATE.all(db)
    with reading(ledger_engine) as db:
        assert _MANY.first(db) is not None
