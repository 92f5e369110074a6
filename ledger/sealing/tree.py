"""The Merkle tree of RFC 9162, section 2.1, over SHA-256. Nothing is stored here.

A span is the leaves from one number up to, not including, another. Proofs are lists of
spans: who keeps the hashes gives the hash of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

__all__ = [
    "EMPTY",
    "HASH_BYTES",
    "Frontier",
    "bridge",
    "extends",
    "includes",
    "leaf_hash",
    "node_hash",
    "path",
    "root_of",
    "split",
]

HASH_BYTES = 32
EMPTY = sha256(b"").digest()

Span = tuple[int, int]


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf's bytes."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees."""
    return sha256(b"\x01" + left + right).digest()


def split(width: int) -> int:
    """How many leaves the left subtree has: the largest power of two below `width`."""
    assert width > 1
    return 1 << ((width - 1).bit_length() - 1)


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, or over the roots of complete subtrees of one size."""
    if not hashes:
        return EMPTY
    level = list(hashes)
    while len(level) > 1:
        # What has no neighbour goes up as it is, which is RFC 9162's uneven split.
        odd = level[-1:] if len(level) % 2 else []
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
        level += odd
    return level[0]


class Frontier:
    """A tree that only grows: the roots of its complete subtrees, largest first."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def copy(self) -> Frontier:
        """The same tree, which grows by itself."""
        other = Frontier()
        other.size, other._peaks = self.size, list(self._peaks)
        return other

    def append(self, hash: bytes) -> None:
        """Add the hash of the next leaf."""
        rest = self.size
        while rest & 1:
            hash = node_hash(self._peaks.pop(), hash)
            rest >>= 1
        self._peaks.append(hash)
        self.size += 1

    def root(self) -> bytes:
        """The root of the tree as it stands."""
        if not self._peaks:
            return EMPTY
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = node_hash(peak, root)
        return root


def path(number: int, size: int) -> list[Span]:
    """The spans whose hashes lead from a leaf to the root, the nearest first.

    PATH of RFC 9162, section 2.1.3.1.
    """
    assert 0 <= number < size
    spans: list[Span] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + split(end - start)
        if number < middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start = middle
    return spans[::-1]


def bridge(old: int, new: int) -> list[Span]:
    """The spans that show a tree of `new` leaves to begin with the `old` ones.

    PROOF of RFC 9162, section 2.1.4.1; nothing where the sizes are the same.
    """
    assert 0 < old <= new
    spans: list[Span] = []
    start, end = 0, new
    while end != old:
        middle = start + split(end - start)
        if old <= middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start = middle
    # The verifier has the old root, unless it is only a part of what is left.
    if start:
        spans.append((start, end))
    return spans[::-1]


def includes(
    root: bytes, size: int, number: int, hash: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether `hash` is the leaf of this number: RFC 9162, section 2.1.3.2."""
    if not 0 <= number < size:
        return False
    place, last = number, size - 1
    for step in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            hash = node_hash(step, hash)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            hash = node_hash(hash, step)
        place, last = place >> 1, last >> 1
    return last == 0 and hash == root


def extends(
    old_root: bytes, old: int, new_root: bytes, new: int, proof: Sequence[bytes]
) -> bool:
    """Whether the new tree begins with the old one: RFC 9162, section 2.1.4.2."""
    if old == new:
        return not proof and old_root == new_root
    if not 0 < old < new:
        return False
    steps = list(proof)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    before = after = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            before, after = node_hash(step, before), node_hash(step, after)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            after = node_hash(after, step)
        place, last = place >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root
