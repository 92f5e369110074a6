"""What two exports say differently, from their manifests alone."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.export.manifests import Manifest, Seal

__all__ = ["compare"]

Cells = dict[tuple[str, str, str], int]


def compare(one: Manifest, other: Manifest) -> list[str]:
    """Say in lines how `other` differs from `one`; none, and they hold the same.

    When each was made is no difference, nor is its seal while the rows are the same.
    """
    said = list(_asked(one, other))
    counted = list(_counted(one, other))
    said += counted
    if one.seal and other.seal and one.seal.size == other.seal.size:
        if one.seal.root != other.seal.root:
            said.append(
                f"seal: the books of {one.seal.size} leaves have two roots:"
                " they are not the same books"
            )
    elif counted and one.seal != other.seal:
        said.append(f"seal: {_seal(one.seal)}, then {_seal(other.seal)}")
    if not said and one.sha256 != other.sha256:
        said.append("contents: rows and sums are the same, some cell is not")
    return said


def _asked(one: Manifest, other: Manifest) -> Iterator[str]:
    for name in ("what", "format", "headers"):
        before, after = getattr(one, name), getattr(other, name)
        if before != after:
            yield f"{name}: {before}, then {after}"
    for name in sorted(one.filter.keys() | other.filter.keys()):
        before, after = one.filter.get(name), other.filter.get(name)
        if before != after:
            yield f"{name}: {before or 'any'}, then {after or 'any'}"


def _counted(one: Manifest, other: Manifest) -> Iterator[str]:
    if one.rows != other.rows:
        yield _step("rows", one.rows, other.rows)
    before, after = _cells(one), _cells(other)
    for place in sorted(before.keys() | after.keys()):
        first, second = before.get(place, 0), after.get(place, 0)
        if first != second:
            yield _step(" ".join(word for word in place if word), first, second)


def _cells(manifest: Manifest) -> Cells:
    return {
        (str(line.get("unit", "")), str(line.get("state", "")), name): amount
        for line in manifest.sums
        for name, amount in line.items()
        if isinstance(amount, int)
    }


def _step(what: str, first: int, second: int) -> str:
    return f"{what}: {first}, then {second} ({second - first:+})"


def _seal(seal: Seal | None) -> str:
    return f"{seal.size} leaves {seal.root[:8]}" if seal else "none"
