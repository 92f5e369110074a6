from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ledger.small_cells import CELL_MIN, is_small, merged


def _counter(cells: dict[str, set[int]]):  # type: ignore[no-untyped-def]
    def count(names: frozenset[str]) -> tuple[int, ...]:
        return (len(set().union(*(cells[name] for name in names))),)

    return count


def _counts(cells: dict[str, set[int]]) -> dict[str, tuple[int, ...]]:
    return {name: (len(people),) for name, people in cells.items()}


def _merged(cells: dict[str, set[int]]) -> frozenset[str]:
    return merged(_counts(cells), _counter(cells))


def test_large_cells_stand_alone() -> None:
    cells = {"a": set(range(5)), "b": set(range(9))}
    assert _merged(cells) == frozenset()


def test_one_small_cell_takes_the_next_smallest_with_it() -> None:
    """Else it could be had by taking the others from the total."""
    cells = {"a": set(range(2)), "b": set(range(10, 19)), "c": set(range(20, 26))}
    assert _merged(cells) == {"a", "c"}


def test_people_who_are_in_both_cells_are_counted_once() -> None:
    four = {1, 2, 3, 4}
    cells = {"a": four, "b": {2, 3, 4}, "c": set(range(10, 17))}
    assert _merged(cells) == {"a", "b", "c"}


def test_two_small_cells_that_are_enough_together_leave_the_rest_alone() -> None:
    cells = {"a": {1, 2, 3}, "b": {4, 5, 6}, "c": set(range(10, 17))}
    assert _merged(cells) == {"a", "b"}


def test_few_parcels_are_small_however_many_people_gave() -> None:
    cells = {"a": (50, 3), "b": (60, 0), "c": (70, 40)}

    def count(names: frozenset[str]) -> tuple[int, ...]:
        return tuple(sum(cells[name][place] for name in names) for place in (0, 1))

    assert merged(cells, count) == {"a", "b", "c"}


_people = st.sets(st.integers(0, 30), max_size=12)


@given(st.dictionaries(st.sampled_from("abcdefgh"), _people, max_size=8))
def test_no_few_people_can_be_had_by_taking_one_sum_from_another(
    cells: dict[str, set[int]],
) -> None:
    together = _merged(cells)
    alone = cells.keys() - together
    assert not any(0 < len(cells[name]) < CELL_MIN for name in alone)
    if together and (rest := _counter(cells)(together)) and is_small(rest):
        # Even all of them are few: then there is no table at all.
        assert not alone
    elif together:
        givers = [name for name in together if cells[name]]
        assert len(givers) >= 2
