"""Bringing places in: what changes, what stays, and that it is all or nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select

from ledger import schema
from ledger.engine import connect, reading, writing
from ledger.places.importing import Difference, bring_in, difference
from ledger.places.kinds import LEVELS, Kind
from ledger.places.reading import read_places, written
from ledger.places.stored import hold, read_tree, version
from ledger.places.sums import signups_at
from ledger.places.tree import EMPTY, Place, Tree
from phone.codes import damm
from tests.ledger.facts import AT
from tests.ledger.test_signups import volunteer

IRAN = Place("ir", Kind.COUNTRY, None, {"fa": "ایران", "en": "Iran"})
TEHRAN = Place("23", Kind.PROVINCE, "ir", {"fa": "تهران", "en": "Tehran"})
ILAM = Place("16", Kind.PROVINCE, "ir", {"fa": "ایلام", "en": "Ilam"})
TOWN = Place("23-tehran", Kind.TOWN, "23", {"fa": "تهران", "en": "Tehran"})
CENTRE = Place(
    "c1", Kind.CENTRE, "23-tehran", {"fa": "مرکز", "en": "Centre"}, dial="11023"
)
ALL = (IRAN, TEHRAN, ILAM, TOWN, CENTRE)


def take_in(db: Connection, places: Sequence[Place]) -> Difference:
    hold(db)
    return bring_in(db, read_tree(db), places, by="olya", at=AT)


def above(db: Connection, code: str) -> list[str]:
    rows = select(schema.place_above.c.above).where(schema.place_above.c.place == code)
    return list(db.scalars(rows.order_by(schema.place_above.c.steps)))


def test_a_first_file_is_brought_in_whole(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        found = take_in(db, ALL)
        assert found.counts()["added"] == 5
    with reading(ledger_engine) as db:
        assert set(read_tree(db)) == set(ALL)
        assert version(db) == 1
        assert above(db, "c1") == ["c1", "23-tehran", "23", "ir"]
        event = db.execute(select(schema.event)).one()
        assert (event.kind, event.key) == ("places.imported", "places:1")
        assert event.body["added"] == 5


def test_the_same_file_again_changes_nothing(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        take_in(db, ALL)
        assert not take_in(db, ALL)
        assert version(db) == 1
        assert len(db.execute(select(schema.event)).all()) == 1


def test_what_the_file_lacks_is_closed_and_keeps_who_signed_up(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        take_in(db, ALL)
        volunteer(db)
        db.execute(schema.signup.update().values(place_code="c1"))
        found = take_in(db, (IRAN, TEHRAN, ILAM, TOWN))
        assert [one.code for one in found.closed] == ["c1"]
        tree = read_tree(db)
        closed = tree.place("c1")
        assert closed is not None
        assert closed.closed
        assert tree.by_dial("11023").place is None
        counted = signups_at(db, campaign="winter", test=False)
        assert counted == {"c1": 1, "23-tehran": 1, "23": 1, "ir": 1}
        again = take_in(db, ALL)
        assert [one.code for one in again.reopened] == ["c1"]
        assert set(read_tree(db)) == set(ALL)


def test_a_place_that_moved_takes_all_below_it_along(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        take_in(db, ALL)
        # Its closed centre goes with it too.
        take_in(db, (IRAN, TEHRAN, ILAM, TOWN))
        found = take_in(db, (IRAN, TEHRAN, ILAM, replace(TOWN, parent="16")))
        assert [change.what for change in found.moved] == [("parent",)]
        assert above(db, "c1") == ["c1", "23-tehran", "16", "ir"]
        assert above(db, "23") == ["23", "ir"]


def test_two_centres_may_change_dials_with_each_other(ledger_engine: Engine) -> None:
    other = replace(CENTRE, code="c2", dial="11102")
    swapped = (replace(CENTRE, dial="11102"), replace(other, dial="11023"))
    with writing(ledger_engine) as db:
        take_in(db, (*ALL, other))
        found = take_in(db, (*ALL[:4], *swapped))
        assert len(found.changed) == 2
        place = read_tree(db).by_dial("11023").place
        assert place is not None
        assert place.code == "c2"


def test_the_dial_of_a_closed_centre_can_be_given_to_another(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        take_in(db, ALL)
        found = take_in(db, (*ALL[:4], replace(CENTRE, code="c2")))
        assert ([one.code for one in found.added], len(found.closed)) == (["c2"], 1)
        # It comes back when there is a dial for it.
        again = take_in(db, (*ALL[:4], replace(CENTRE, dial="11102")))
        assert [one.code for one in again.reopened] == ["c1"]
        assert [change.what for change in again.changed] == [("dial",)]


def test_an_import_that_fails_leaves_everything_as_it_was(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        take_in(db, ALL)

    def fail() -> None:
        with writing(ledger_engine) as db:
            take_in(db, ALL[:3])
            raise ZeroDivisionError

    pytest.raises(ZeroDivisionError, fail)
    with reading(ledger_engine) as db:
        assert set(read_tree(db)) == set(ALL)
        assert version(db) == 1


def test_who_gave_no_known_place_is_counted_nowhere(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        take_in(db, ALL)
        volunteer(db)
        assert signups_at(db, campaign="winter", test=False) == {}
        db.execute(schema.signup.update().values(place_code="23", state="left"))
        assert signups_at(db, campaign="winter", test=False) == {}


_words = st.text("ابپتسگچژکیabcdefg ۱۲۳", min_size=1, max_size=12).map(str.strip)
_titles = st.builds(
    lambda fa, en: {"fa": f"م{fa}".strip(), "en": f"P{en}".strip()},
    _words,
    st.text("abcdefg 123", max_size=12),
)


@st.composite
def trees(draw: st.DrawFn) -> tuple[Place, ...]:
    """Places of a whole file: any shape that the levels allow."""
    places = [IRAN]
    count = draw(st.integers(0, 12))
    for number in range(count):
        parent = draw(st.sampled_from(places))
        lower = [kind for kind in Kind if LEVELS[kind] > LEVELS[parent.kind]]
        if not lower:
            continue
        payload = str(100 + number)
        dial = draw(st.sampled_from(["", payload + damm(payload)]))
        places.append(
            Place(
                code=f"p{draw(st.integers(0, 30))}",
                kind=draw(st.sampled_from(lower)),
                parent=parent.code,
                titles=draw(_titles),
                aliases=tuple(
                    draw(st.lists(_words.filter(bool), max_size=2, unique=True))
                ),
                prefixes=(str(1000 + number),) if draw(st.booleans()) else (),
                dial=dial,
            )
        )
    once = {place.code: place for place in reversed(places)}
    kept = tuple(sorted(once.values(), key=lambda one: LEVELS[one.kind]))
    return tuple(one for one in kept if _fits(one, once))


def _fits(one: Place, once: dict[str, Place]) -> bool:
    """Whether its way up is whole: a code that came twice may have broken it."""
    while one.parent is not None:
        parent = once[one.parent]
        if LEVELS[parent.kind] >= LEVELS[one.kind]:
            return False
        one = parent
    return True


@given(trees())
def test_any_tree_comes_back_from_its_file(places: tuple[Place, ...]) -> None:
    found = read_places(written(places))
    assert set(found) == set(places)
    assert written(found) == written(read_places(written(found)))


@given(trees(), trees())
def test_a_difference_is_nothing_only_where_nothing_differs(
    places: tuple[Place, ...], later: tuple[Place, ...]
) -> None:
    assert not difference(Tree(places), places)
    found = difference(Tree(places), later)
    assert bool(found) == (set(places) != set(later))
    assert not difference(EMPTY, ()) or not places


@settings(max_examples=25, deadline=None)
@given(files=st.lists(trees(), min_size=2, max_size=4))
def test_whatever_stood_before_the_tables_reach_the_file(
    _migrated_sqlite: Path,  # noqa: PT019  # a fixture of the session, beside Hypothesis
    files: list[tuple[Place, ...]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(_migrated_sqlite, folder)
        engine = connect(f"sqlite:///{folder}/{_migrated_sqlite.name}")
        try:
            _reach(engine, files)
        finally:
            engine.dispose()


def _reach(engine: Engine, files: list[tuple[Place, ...]]) -> None:
    for places in files:
        with writing(engine) as db:
            take_in(db, places)
            tree = read_tree(db)
            assert {one for one in tree if not one.closed} == set(places)
            assert not take_in(db, places)
            joined = db.execute(
                select(schema.place_above.c.place, schema.place_above.c.above)
            ).all()
            wanted = {
                (one.code, up.code) for one in tree for up in tree.chain(one.code)
            }
            assert {tuple(row) for row in joined} == wanted
