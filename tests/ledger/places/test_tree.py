"""The tree: places by dial, postal code and name, and how near they are."""

from __future__ import annotations

from ledger.places.near import FAR
from ledger.places.tree import EMPTY, Place, Tree
from phone.codes import damm


def place(
    code: str, kind: str, parent: str | None, fa: str = "", **more: object
) -> Place:
    titles = {"fa": fa or code, "en": code}
    return Place(code, kind, parent, titles, **more)  # type: ignore[arg-type]


ONE = "110" + damm("110")
OTHER = "115" + damm("115")
TREE = Tree(
    [
        place("ir", "country", None, "ایران"),
        place("23", "province", "ir", "تهران", prefixes=("1",)),
        place("16", "province", "ir", "ایلام"),
        place("23-tehran", "town", "23", "تهران", aliases=("Teheran",)),
        place("23-naj", "town", "23", "نجف‌آباد"),
        place("23-t11", "district", "23-tehran", "منطقه ۱۱", prefixes=("113",)),
        place("n1", "neighbourhood", "23-t11"),
        place("n2", "neighbourhood", "23-t11"),
        place("c1", "centre", "n1", dial=ONE),
        place("c2", "centre", "n2", dial=OTHER),
        place("c3", "centre", "n2", "بسته", dial="4444" + damm("4444"), closed=True),
        place("16-ilam", "town", "16", "ایلام"),
    ]
)


def test_a_dial_is_found_in_any_digits() -> None:
    found = TREE.by_dial(" ۱۱۰" + damm("110") + " ")
    assert found.place == TREE.place("c1")
    assert found.meant is None


def test_a_wrong_digit_says_which_centre_was_meant() -> None:
    wrong = ONE[:-1] + str((int(ONE[-1]) + 1) % 10)
    assert TREE.by_dial(wrong).place is None
    assert TREE.by_dial(wrong).meant == TREE.place("c1")
    swapped = ONE[0] + ONE[2] + ONE[1] + ONE[3]
    assert TREE.by_dial(swapped).meant == TREE.place("c1")


def test_a_digit_that_could_be_of_two_centres_is_of_neither() -> None:
    tree = Tree(
        [
            place("a", "centre", None, dial="1110"),
            place("b", "centre", None, dial="1112"),
        ]
    )
    found = tree.by_dial("1111")
    assert found.meant is None
    assert {one.code for one in found.near} == {"a", "b"}


def test_what_is_no_dial_is_none() -> None:
    for typed in ("", "0", "abc", "99999", "1" * 10_000, "²²²²", "123456789"):
        assert TREE.by_dial(typed).place is None
        assert TREE.by_dial(typed).meant is None


def test_a_closed_centre_is_known_by_its_code_only() -> None:
    closed = TREE.place("c3")
    assert closed is not None
    assert TREE.by_dial(closed.dial).place is None
    assert TREE.by_name("بسته") == ()
    assert [one.code for one in TREE.chain("c3")][:2] == ["c3", "n2"]


def test_the_longest_prefix_of_a_postal_code_wins() -> None:
    assert TREE.by_postcode("11316") == TREE.place("23-t11")
    assert TREE.by_postcode("۱۱۴۱۶۱۲۳۴۵") == TREE.place("23")
    assert TREE.by_postcode("69315") is None
    assert TREE.by_postcode("") is None


def test_a_name_is_found_however_it_is_spelled() -> None:
    for written in ("نجف‌آباد", "نجف آباد", "نجفاباد", "نجف  اباد"):
        assert TREE.by_name(written) == (TREE.place("23-naj"),)
    assert TREE.by_name("TEHERAN") == (TREE.place("23-tehran"),)
    # The province stands before the town, and a place above parts them.
    assert [one.code for one in TREE.by_name("تهران")] == ["23", "23-tehran"]
    assert TREE.by_name("ایلام", within="23") == ()
    assert TREE.by_name("x" * 10_000) == ()


def test_what_lies_below_is_found_by_kind() -> None:
    assert [one.code for one in TREE.under("23", "centre")] == ["c1", "c2"]
    assert [one.code for one in TREE.under("n2", closed=True)] == ["c2", "c3"]
    assert [one.code for one in TREE.children("23-t11")] == ["n1", "n2"]
    assert TREE.above("c1", "district") == TREE.place("23-t11")
    assert TREE.above("16-ilam", "district") is None


def test_nearness_grows_with_the_lowest_place_that_both_lie_in() -> None:
    near = TREE.near("c1")
    order = ["c1", "n1", "c2", "23-naj", "16-ilam"]
    ranks = [near.rank(code) for code in order]
    assert ranks == sorted(set(ranks))
    assert near.rank("unknown") == FAR
    assert near.rank(None) == FAR
    assert TREE.near("unknown").rank("c1") == FAR
    assert TREE.near(None).rank("c1") == FAR


def test_an_empty_tree_finds_nothing() -> None:
    assert EMPTY.by_dial("1234").place is None
    assert EMPTY.by_name("تهران") == ()
    assert EMPTY.chain("23") == ()
    assert len(EMPTY) == 0
