"""Whom to ask for what, on numbers alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ledger.waves import ANYTHING, Volunteers, Wanted, select_waves
from tests.ledger.helping import TREE

PLACES = st.sampled_from(["c11023", "c11449", "23-t11", "23", "16-ilam"])
SKILLS = st.sampled_from(["teaching", "repairs", ANYTHING])


def _volunteers(*rows: tuple[str, str]) -> Volunteers:
    found = Volunteers(TREE)
    for number, (place, skill) in enumerate(rows):
        found.add(100 + number, 1000 + number, place, skill)
    return found


def _asked(volunteers: Volunteers, *needs: Wanted) -> dict[int, list[int]]:
    chosen = select_waves(volunteers, needs)
    return {
        need_id: [volunteers.people[number] for number in numbers]
        for need_id, numbers in chosen.items()
    }


def test_the_very_skill_comes_before_one_who_helps_with_anything() -> None:
    there = _volunteers(("c11023", ANYTHING), ("c11023", "teaching"))
    need = Wanted(1, "c11023", "teaching", 2)
    assert _asked(there, need) == {1: [101, 100]}


def test_another_skill_is_not_asked_for_one_that_it_is_not() -> None:
    there = _volunteers(("c11023", "repairs"))
    assert _asked(there, Wanted(1, "c11023", "teaching", 3)) == {}


def test_a_need_for_anything_asks_every_skill_and_those_for_anything_first() -> None:
    there = _volunteers(("c11023", "repairs"), ("23", ANYTHING), ("23", "teaching"))
    assert _asked(there, Wanted(1, "c11023", ANYTHING, 3)) == {1: [101, 100, 102]}


def test_who_is_nearer_is_asked_first_and_nobody_of_another_province() -> None:
    there = _volunteers(
        ("16-ilam", "teaching"),
        ("23", "teaching"),
        ("c11449", "teaching"),
        ("23-t11", "teaching"),
        ("c11023", "teaching"),
    )
    need = Wanted(1, "c11023", "teaching", 9)
    assert _asked(there, need) == {1: [104, 103, 102, 101]}


def test_of_two_alike_the_one_who_stands_first_is_asked() -> None:
    there = _volunteers(("c11023", "teaching"), ("c11023", "teaching"))
    assert _asked(there, Wanted(1, "c11023", "teaching", 1)) == {1: [100]}


def test_the_need_that_stands_first_takes_whom_both_want() -> None:
    there = _volunteers(("c11023", "teaching"), ("c11023", "teaching"))
    urgent = Wanted(7, "c11449", "teaching", 1)
    other = Wanted(3, "c11023", "teaching", 2)
    assert _asked(there, urgent, other) == {7: [100], 3: [101]}


def test_who_was_asked_for_a_need_before_is_left_for_another() -> None:
    there = _volunteers(("c11023", "teaching"))
    known = Wanted(1, "c11023", "teaching", 1, frozenset({100}))
    assert _asked(there, known, Wanted(2, "c11023", "teaching", 1)) == {2: [100]}


@given(
    st.lists(st.tuples(PLACES, SKILLS), max_size=30),
    st.lists(st.tuples(PLACES, SKILLS, st.integers(0, 6)), max_size=8),
    st.frozensets(st.integers(100, 130)),
)
def test_nobody_is_asked_twice_and_nobody_beyond_what_is_wanted(
    rows: list[tuple[str, str]],
    wanted: list[tuple[str, str, int]],
    known: frozenset[int],
) -> None:
    needs = [Wanted(n, *one, known) for n, one in enumerate(wanted)]
    asked = _asked(_volunteers(*rows), *needs)
    everybody = [person for people in asked.values() for person in people]
    assert len(everybody) == len(set(everybody))
    assert not known & set(everybody)
    for need in needs:
        people = asked.get(need.need_id, [])
        assert len(people) <= need.number
        for person in people:
            place, skill = rows[person - 100]
            assert need.skill in (ANYTHING, skill) or skill == ANYTHING
            assert TREE.above(place, "province") == TREE.above(need.place, "province")
    assert asked == _asked(_volunteers(*rows), *needs)
