"""Places files: what is read, and what is refused with its line."""

from __future__ import annotations

from importlib import resources

import pytest

from ledger.places.kinds import Kind
from ledger.places.near import one_slip_away
from ledger.places.reading import (
    CELL_CHARS_MAX,
    LINES_MAX,
    ROWS_MAX,
    BadPlaces,
    read_places,
    written,
)
from ledger.places.tree import Tree
from phone.codes import damm

HEADER = "code,kind,parent,fa,en,aliases,prefixes,dial\n"
IRAN = "ir,country,,ایران,Iran,,,\n"
TEHRAN = "23,province,ir,تهران,Tehran,استان تهران|Teheran,1,\n"
CENTRE = "c1,centre,23,مرکز یک,Centre one,,,11023\n"


def places(*lines: str, header: str = HEADER) -> bytes:
    return (header + IRAN + "".join(lines)).encode()


def faults(raw: bytes) -> list[str]:
    with pytest.raises(BadPlaces) as refused:
        read_places(raw)
    return str(refused.value).splitlines()


def test_a_file_is_read_parents_first() -> None:
    found = read_places(places(CENTRE, TEHRAN))
    assert [place.code for place in found] == ["ir", "23", "c1"]
    assert found[1].aliases == ("استان تهران", "Teheran")
    assert found[1].prefixes == ("1",)
    assert found[2].dial == "11023"


def test_a_byte_order_mark_and_columns_in_another_order_do_no_harm() -> None:
    lines = [line.split(",") for line in places(TEHRAN).decode().splitlines()]
    turned = "\n".join(",".join(reversed(line)) for line in lines)
    assert read_places(turned.encode("utf-8-sig")) == read_places(places(TEHRAN))


def test_semicolons_part_cells_where_a_comma_is_for_decimals() -> None:
    parted = places(TEHRAN).replace(b",", b";")
    assert read_places(parted) == read_places(places(TEHRAN))


def test_letters_of_an_arabic_keyboard_become_persian() -> None:
    line = "03,province,ir,آذربايجان شرقي,East Azerbaijan,,,\n"
    assert read_places(places(line))[1].titles["fa"] == "آذربایجان شرقی"


def test_every_fault_is_told_at_once_with_its_line() -> None:
    told = faults(
        places(
            TEHRAN,
            "A!,province,ir,الف,A,,,\n",
            "24,state,ir,الف,A,,,\n",
            "25,province,,الف,A,,,\n",
            "26,province,nowhere,الف,A,,,\n",
            "23,province,ir,الف,A,,,\n",
            "c9,centre,23,,A,,x1,11024\n",
        )
    )
    assert told == [
        "line 4: 'A!' is no code: small letters, digits and hyphens, 16 at most",
        f"line 5: 'state' is no kind of place: {', '.join(Kind)}",
        "line 6: 25 lies nowhere: only a country has no parent",
        "line 7: 26 lies in nowhere, which is not there",
        "line 8: the code 23 stands in line 3 already",
        "line 9: the place has no name in fa",
        "line 9: 'x1' is not how a postal code begins",
        "line 9: the dial 11024 has a wrong check digit: 11023 is right",
    ]


def test_places_that_lie_in_one_another_are_named() -> None:
    told = faults(
        places(
            "a,town,b,الف,A,,,\n",
            "b,district,c,ب,B,,,\n",
            "c,nahiyeh,a,پ,C,,,\n",
            "d,centre,c,ت,D,,,\n",
        )
    )
    assert [line for line in told if "lies in itself" in line] == [
        "line 3: a lies in itself, by way of b",
        "line 4: b lies in itself, by way of c",
        "line 5: c lies in itself, by way of a",
    ]


def test_a_level_may_be_missing_and_none_inverted() -> None:
    assert len(read_places(places(CENTRE.replace(",23,", ",ir,")))) == 2
    told = faults(places(TEHRAN, "x,country,23,الف,A,,,\n", "y,province,23,ب,B,,,\n"))
    assert told == [
        "line 4: x lies in 23: a country cannot lie in a province",
        "line 5: y lies in 23: a province cannot lie in a province",
    ]


def test_what_leads_to_one_place_leads_to_no_other() -> None:
    told = faults(
        places(TEHRAN, CENTRE, CENTRE.replace("c1", "c2").replace(",,1", ",1,1"))
    )
    assert told == [
        "line 5: the dial 11023 is that of line 4",
        "line 5: the prefix 1 is that of line 3",
    ]


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (places(TEHRAN).decode().encode("cp1256", "replace"), "Windows-1256"),
        (places(TEHRAN).decode().encode("utf-16"), "UTF-16"),
        (b"\xff" + places(TEHRAN), "this is not UTF-8"),
        (places("23,province,ir,\0,Tehran,,,\n"), "line 3: there is a NUL"),
        (b"", "line 1: the first line has to be"),
        (HEADER.replace(",", "\t").encode(), "line 1: the first line"),
        (places('23,province,ir,"x,Tehran,,,\n'), "this is no CSV"),
        (places("23,province,ir,x\n"), "line 3: 4 cells, where the header has 8"),
        (places(f"23,province,ir,{'x' * (CELL_CHARS_MAX + 1)},T,,,\n"), "fa is longer"),
        (places(f"23,province,ir,{'x' * 31},T,,,\n"), "fa is longer than 30"),
        (places("23,province,ir,x,تهران,,,\n"), "en has letters that an English"),
        (places("23,province,ir,x\u202e,T,,,\n"), "fa has a character that nobody"),
        (places('23,province,ir,"x\ny",T,,,\n'), "fa has a character that nobody"),
        (places("23,province,ir,x\u061c,T,,,\n"), "fa has a character that nobody"),
        (places("23,province,ir,x,T,\u2028a,,\n"), "aliases has a character"),
        (places("23,province,ir,x\u2060,T,,,\n"), "fa has a character that nobody"),
        (places("23,province,ir,x\u3164,T,,,\n"), "fa has a character that nobody"),
        (places("23,province,i\ufeffr,x,T,,,\n"), "parent has a character"),
        (HEADER.encode(), "there is no place in the file"),
        ((HEADER + ",,,,,,,\n").encode(), "there is no place in the file"),
        (places("\n" * (LINES_MAX + 1)), "more than 1,048,576 lines"),
        (places("23,province,ir,x,T,,,012\n"), "'012' is no dial: 4 to 6 digits"),
        (places("23,province,ir,x,T,,,1234567\n"), "'1234567' is no dial"),
    ],
    ids=range(23),
)
def test_what_is_no_places_file_is_refused_by_name(raw: bytes, what: str) -> None:
    assert any(what in line for line in faults(raw))


def test_too_many_places_are_refused_and_not_counted_to_the_end() -> None:
    line = "23,province,ir,x,T,,,\n"
    told = faults(places(line * (ROWS_MAX + 2)))
    assert any(f"more than {ROWS_MAX:,} places" in one for one in told) or (
        told[-1].startswith("and ")
    )
    assert len(told) <= 51


def test_a_file_of_faults_says_how_many_more_there_are() -> None:
    told = faults(places(*(f"x{n},moon,ir,x,T,,,\n" for n in range(80))))
    assert len(told) == 51
    assert told[-1] == "and 30 more"


def test_the_shipped_places_are_whole() -> None:
    raw = (resources.files("ledger.places") / "iran.csv").read_bytes()
    found = read_places(raw)
    tree = Tree(found)
    kinds = [place.kind for place in found]
    assert kinds.count(Kind.PROVINCE) == 31
    districts = tree.under("23-tehran", Kind.DISTRICT)
    assert {one.code for one in districts} == {f"23-t{n}" for n in range(1, 23)}
    assert len(tree.under("23-t11", Kind.NAHIYEH)) == 4
    assert len(tree.under("23-t11", Kind.NEIGHBOURHOOD)) == 17
    samples = [one for one in found if one.dial]
    assert {tree.above(one.code, Kind.PROVINCE) for one in samples} == {
        tree.place("16"),
        tree.place("23"),
    }
    assert all("نمونه" in one.titles["fa"] for one in samples)
    assert all("Sample" in one.titles["en"] for one in samples)
    assert read_places(written(found)) == found


def test_every_slip_in_a_shipped_dial_is_understood() -> None:
    raw = (resources.files("ledger.places") / "iran.csv").read_bytes()
    tree = Tree(read_places(raw))
    for place in tree:
        for slip in one_slip_away(place.dial):
            assert damm(slip) != "0"
            assert tree.by_dial(slip).place is None
            assert tree.by_dial(slip).meant == place
