from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete

from ledger import schema
from ledger.engine import reading, writing
from ledger.sealing.tiles import ROW_HASHES, Tiles, append
from ledger.sealing.tree import leaf_hash, path, root_of

SIZE_MAX = 70_000
HASHES = [leaf_hash(b"%d" % number) for number in range(SIZE_MAX)]


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.integers(1, 1_500), min_size=1, max_size=6))
def test_a_tree_that_grew_in_steps_is_the_tree(
    ledger_engine: Engine, steps: list[int]
) -> None:
    with writing(ledger_engine) as db:
        db.execute(delete(schema.tile))
        size = 0
        for step in steps:
            append(db, size, HASHES[size : size + step])
            size += step
            assert Tiles(db).root(size) == root_of(HASHES[:size])


def test_a_proof_is_read_from_three_levels(ledger_engine: Engine) -> None:
    size = ROW_HASHES * ROW_HASHES + 300
    with writing(ledger_engine) as db:
        append(db, 0, HASHES[:size])
    with reading(ledger_engine) as db:
        tiles = Tiles(db)
        assert len(tiles.row(2, 0)) == 32
        assert tiles.root(size) == root_of(HASHES[:size])
        for number in (0, 255, 256, 65_535, 65_536, size - 1):
            for start, end in path(number, size):
                assert tiles.hash(start, end) == root_of(HASHES[start:end])
