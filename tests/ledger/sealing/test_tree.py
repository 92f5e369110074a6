"""The tree against a second one, written from the definitions of RFC 9162 alone."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.sealing.tree import (
    EMPTY,
    Frontier,
    bridge,
    extends,
    includes,
    leaf_hash,
    path,
    root_of,
)

# The entries and the roots of the well-known test tree of Certificate Transparency.
ENTRIES = [
    bytes.fromhex(entry)
    for entry in (
        *("", "00", "10", "2021", "3031", "40414243"),
        *("5051525354555657", "606162636465666768696a6b6c6d6e6f"),
    )
]
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)

sizes = st.integers(min_value=1, max_value=300)


def mth(data: list[bytes]) -> bytes:
    """Merkle Tree Hash, section 2.1.1."""
    if not data:
        return sha256(b"").digest()
    if len(data) == 1:
        return sha256(b"\x00" + data[0]).digest()
    k = largest_power(len(data))
    return sha256(b"\x01" + mth(data[:k]) + mth(data[k:])).digest()


def inclusion(m: int, data: list[bytes]) -> list[bytes]:
    """PATH(m, D[n]), section 2.1.3.1."""
    if len(data) == 1:
        return []
    k = largest_power(len(data))
    if m < k:
        return [*inclusion(m, data[:k]), mth(data[k:])]
    return [*inclusion(m - k, data[k:]), mth(data[:k])]


def subproof(m: int, data: list[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF(m, D[n], b), section 2.1.4.1."""
    if m == len(data):
        return [] if whole else [mth(data)]
    k = largest_power(len(data))
    if m <= k:
        return [*subproof(m, data[:k], whole), mth(data[k:])]
    return [*subproof(m - k, data[k:], False), mth(data[:k])]


def largest_power(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def entries(size: int) -> list[bytes]:
    return [b"leaf %d" % number for number in range(size)]


def proof_of(data: list[bytes], spans: list[tuple[int, int]]) -> list[bytes]:
    return [mth(data[start:end]) for start, end in spans]


def test_the_known_tree_has_the_known_roots() -> None:
    tree = Frontier()
    assert tree.root() == EMPTY == sha256(b"").digest() == root_of([])
    for entry, root in zip(ENTRIES, ROOTS, strict=True):
        tree.append(leaf_hash(entry))
        assert tree.root().hex() == root


@given(sizes)
def test_a_tree_has_the_root_that_the_rfc_defines(size: int) -> None:
    data = entries(size)
    hashes = [leaf_hash(one) for one in data]
    tree = Frontier()
    for hash in hashes:
        tree.append(hash)
    assert tree.root() == root_of(hashes) == mth(data)


@given(sizes, st.data())
def test_a_leaf_is_proved_as_the_rfc_defines(size: int, draw: st.DataObject) -> None:
    data = entries(size)
    number = draw.draw(st.integers(0, size - 1))
    proof = proof_of(data, path(number, size))
    root = mth(data)
    assert proof == inclusion(number, data)
    assert includes(root, size, number, leaf_hash(data[number]), proof)


@given(sizes, st.data())
def test_a_false_leaf_is_not_proved(size: int, draw: st.DataObject) -> None:
    data = entries(size)
    number = draw.draw(st.integers(0, size - 1))
    proof, root = proof_of(data, path(number, size)), mth(data)
    hash = leaf_hash(data[number])
    other = draw.draw(st.integers(0, size).filter(lambda n: n != number))
    assert not includes(root, size, number, leaf_hash(b"another"), proof)
    assert not includes(root, size, other, hash, proof)
    assert not includes(root, size, number, hash, [*proof, hash])
    assert not includes(mth(data[1:]), size, number, hash, proof)
    if proof:
        assert not includes(root, size, number, hash, proof[:-1])
        assert not includes(root, size, number, hash, [*proof[:-1], hash])
    assert not includes(root, size, -1, hash, proof)


@given(sizes, st.data())
def test_a_tree_is_proved_to_begin_with_an_older_one(
    new: int, draw: st.DataObject
) -> None:
    data = entries(new)
    old = draw.draw(st.integers(1, new))
    proof = proof_of(data, bridge(old, new))
    assert proof == subproof(old, data, True)
    assert extends(mth(data[:old]), old, mth(data), new, proof)


@given(st.integers(2, 300), st.data())
def test_a_rewritten_tree_does_not_begin_with_the_old_one(
    new: int, draw: st.DataObject
) -> None:
    data = entries(new)
    old = draw.draw(st.integers(1, new - 1))
    changed = draw.draw(st.integers(0, old - 1))
    rewritten = [*data[:changed], b"another", *data[changed + 1 :]]
    proof = proof_of(rewritten, bridge(old, new))
    assert not extends(mth(data[:old]), old, mth(rewritten), new, proof)
    assert not extends(mth(data[:old]), old, mth(rewritten), new, [])
    honest = proof_of(data, bridge(old, new))
    assert not extends(mth(data[:old]), old, mth(data), new, [*honest, EMPTY])
    assert not extends(mth(data[:old]), old, mth(data), new, honest[:-1])


@pytest.mark.parametrize(("old", "new"), [(0, 5), (6, 5), (-1, 5)])
def test_no_tree_begins_with_one_that_is_larger_or_empty(old: int, new: int) -> None:
    assert not extends(EMPTY, old, EMPTY, new, [EMPTY])
