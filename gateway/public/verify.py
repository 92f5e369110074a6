#!/usr/bin/env python3
"""Check the public folder of a ledger with nothing but Python's own library.

    python3 verify.py                         this folder: roots and totals
    python3 verify.py --proof proof.json      and that a gift is in it
    python3 verify.py --checkpoint old.txt    and that it still holds an old checkpoint
    python3 verify.py --fingerprint 2026-11-22=1a2b3c4d    and what a phone was told

Every leaf is hashed again from the columns that are published, and the root of every
checkpoint in checkpoints/ worked out from the leaves alone (RFC 9162). Exit status 0
says that all of it holds, 1 that something does not, 2 that something cannot be read.
Whose signature stands below a checkpoint is told by signature.sh.
"""

from __future__ import annotations

import argparse
import base64
import csv
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FILE_BYTES_MAX = 16_000_000
COLUMNS = "number day campaign kind unit amount commitment facts"

# A name, a size and a root.
Checkpoint = tuple[str, int, bytes]


class Unreadable(Exception):
    """What cannot be read at all."""


class Tree:
    """A tree that grows: the roots of its complete subtrees, the largest first."""

    def __init__(self) -> None:
        self.size = 0
        self.peaks: list[bytes] = []

    def append(self, hash: bytes) -> None:
        rest = self.size
        while rest & 1:
            hash = sha256(b"\x01" + self.peaks.pop() + hash)
            rest >>= 1
        self.peaks.append(hash)
        self.size += 1

    def root(self) -> bytes:
        if not self.peaks:
            return sha256(b"")
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = sha256(b"\x01" + peak + root)
        return root


def main() -> int:
    reader = argparse.ArgumentParser(description="Check a public folder.")
    reader.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent)
    reader.add_argument("--proof", type=Path)
    reader.add_argument("--checkpoint", type=Path, action="append", default=[])
    reader.add_argument("--fingerprint", action="append", default=[], metavar="DAY=HEX")
    given = reader.parse_args()
    try:
        wrong = check(given.folder, given.proof, given.checkpoint, given.fingerprint)
    except Unreadable as fault:
        print(f"UNREADABLE {fault}", file=sys.stderr)
        return 2
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as fault:
        print(f"UNREADABLE {type(fault).__name__}: {fault}", file=sys.stderr)
        return 2
    for line in wrong:
        print(f"WRONG {line}", file=sys.stderr)
    if wrong:
        return 1
    print("All of it holds.")
    return 0


def check(
    folder: Path, proof_at: Path | None, old: list[Path], fingerprints: list[str]
) -> list[str]:
    """Everything that is wrong, in words."""
    kept = sorted((folder / "checkpoints").glob("*.txt"))
    notes = [read_note(small(path), path.name) for path in [*kept, *old]]
    proof = None if proof_at is None else json.loads(small(proof_at))
    wanted: set[int] = set()
    if proof is not None:
        notes.append(read_note(proof["checkpoint"], "the proof's checkpoint"))
        wanted = {leaf["number"] for leaf in proof["leaves"]}
    size, found, wrong = check_folder(folder, notes, wanted, proof is not None)
    if proof is not None:
        wrong += check_proof(proof, notes[-1], size, found)
    roots = {path.stem: note[2] for path, note in zip(kept, notes, strict=False)}
    for told in fingerprints:
        day, _, digits = told.partition("=")
        if day not in roots:
            wrong.append(f"{day}: there is no checkpoint of this day")
        elif len(digits) < 8 or not roots[day].hex().startswith(digits.lower()):
            wrong.append(f"{day}: the fingerprint {digits} is of another tree")
    return wrong


def check_folder(
    folder: Path, notes: list[Checkpoint], wanted: set[int], last_may_be_newer: bool
) -> tuple[int, dict[int, bytes], list[str]]:
    """Work the tree out: its size, the bytes of the wanted leaves, what is wrong."""
    tree, published = Tree(), json.loads(small(folder / "totals.json"))
    waiting = sorted(notes, key=lambda note: note[1], reverse=True)
    totals: dict[tuple[str, str, str], list[int]] = {}
    found: dict[int, bytes] = {}
    wrong: list[str] = []
    roots = {0: tree.root()}
    sizes = {note[1] for note in notes} | {published["size"]}
    for row in leaves(folder):
        data = leaf_bytes(row)
        if tree.size in wanted:
            found[tree.size] = data
        if tree.size < published["size"]:
            place = row["campaign"], row["kind"], row["unit"]
            sum = totals.setdefault(place, [0, 0])
            sum[0], sum[1] = sum[0] + 1, sum[1] + int(row["amount"])
        tree.append(sha256(b"\x00" + data))
        if tree.size in sizes:
            roots[tree.size] = tree.root()
    for note in reversed(waiting):
        name, size, root = note
        if size > tree.size:
            if not (last_may_be_newer and note is notes[-1]):
                wrong.append(f"{name}: of {size} leaves only {tree.size} are here")
        elif roots[size] != root:
            wrong.append(f"{name}: the first {size} leaves have another root")
        else:
            print(f"{name}: {size} leaves have the root {root.hex()}")
    told = {
        (one["campaign"], one["kind"], one["unit"]): [one["leaves"], one["amount"]]
        for one in published["totals"]
    }
    if published["size"] > tree.size or told != totals:
        wrong.append("totals.json: the leaves have other sums")
    elif published["size"] and published["root"] != roots[published["size"]].hex():
        wrong.append("totals.json: the leaves have another root")
    else:
        print(f"totals.json: {len(told)} sums of {published['size']} leaves are right")
    return tree.size, found, wrong


def check_proof(
    proof: Any, note: Checkpoint, size: int, found: dict[int, bytes]
) -> Iterator[str]:
    """What is wrong with a donor's proof, whose checkpoint was compared before."""
    _, under, root = note
    for leaf in proof["leaves"]:
        number, data = leaf["number"], base64.b64decode(leaf["data"], validate=True)
        nonce = base64.b64decode(leaf["nonce"], validate=True)
        path = [base64.b64decode(step, validate=True) for step in leaf["path"]]
        parts = parts_of(data)
        if parts[5] != sha256(nonce + proof["code"].encode()):
            yield f"leaf {number} does not open with the code {proof['code']}"
        elif not includes(root, under, number, sha256(b"\x00" + data), path):
            yield f"leaf {number} is not under the proof's root"
        elif number < size and found.get(number) != data:
            yield f"leaf {number} is another one in this folder"
        else:
            day, campaign, kind, unit, amount = (part.decode() for part in parts[:5])
            print(f"leaf {number}: {kind} of {amount} {unit}, {campaign}, {day}")
            if under > size:
                print(f"leaf {number}: its checkpoint is newer than this folder")
    if not proof["leaves"]:
        yield "the proof has no leaves"


def leaves(folder: Path) -> Iterator[dict[str, str]]:
    """Every published leaf, in the order of the tree."""
    number = 0
    for path in sorted((folder / "leaves").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            if rows.fieldnames != COLUMNS.split():
                raise Unreadable(f"{path.name} has not the columns of leaves")
            for row in rows:
                if row["number"] != str(number):
                    raise Unreadable(f"{path.name}: leaf {number} is not in its place")
                number += 1
                yield row


def leaf_bytes(row: dict[str, str]) -> bytes:
    """The bytes of a leaf: version 1, then seven parts, each after its length."""
    parts = [row[name].encode() for name in COLUMNS.split()[1:6]]
    parts += [bytes.fromhex(row["commitment"]), bytes.fromhex(row["facts"])]
    return b"\x01" + b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def parts_of(data: bytes) -> list[bytes]:
    """The seven parts of a leaf's bytes."""
    parts, at = [], 1
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4], "big")
        parts.append(data[at + 4 : end])
        at = end
    if len(parts) != 7 or at != len(data):
        raise Unreadable("a leaf of the proof has not seven parts")
    return parts


def includes(
    root: bytes, size: int, number: int, hash: bytes, path: list[bytes]
) -> bool:
    """Whether a path leads from a leaf to the root: RFC 9162, section 2.1.3.2."""
    if not 0 <= number < size:
        return False
    place, last = number, size - 1
    for step in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            hash = sha256(b"\x01" + step + hash)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            hash = sha256(b"\x01" + hash + step)
        place, last = place >> 1, last >> 1
    return last == 0 and hash == root


def read_note(text: str, name: str) -> Checkpoint:
    """The size and the root that a checkpoint names."""
    lines = text.split("\n")
    try:
        size, root = int(lines[1]), base64.b64decode(lines[2], validate=True)
    except (ValueError, IndexError):
        raise Unreadable(f"{name} is no checkpoint") from None
    if size < 0 or len(root) != 32:
        raise Unreadable(f"{name} is no checkpoint")
    return name, size, root


def small(path: Path) -> str:
    """A file's text, if it is not larger than such a file can be."""
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise Unreadable(f"{path} is too large")
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise Unreadable(f"{path} cannot be read") from None


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


if __name__ == "__main__":
    sys.exit(main())
