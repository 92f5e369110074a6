#!/usr/bin/env python3
"""Check the public folder of a ledger with nothing but Python's own library.

    python3 verify.py                         this folder: roots, signatures, totals
    python3 verify.py --key our.pem           and who signed, by a key got another way
    python3 verify.py --proof proof.json      and that a gift is in it
    python3 verify.py --checkpoint old.txt    and that it still holds an old checkpoint
    python3 verify.py --fingerprint 2026-11-22=1a2b3c4d    and what a phone was told

Every leaf is hashed again from the columns that are published, the root of every
checkpoint in checkpoints/ is worked out from the leaves alone (RFC 9162), and its
signature checked (Ed25519, RFC 8032). Exit status 0 says that all of it holds, 1 that
something does not, 2 that something cannot be read or not be told yet.
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
from typing import Any, NamedTuple

FILE_BYTES_MAX = 16_000_000
LEAVES_BYTES_MAX = 80_000_000  # 65,536, each as long as its names can be
LINES_MAX = 100  # of signatures: each takes some milliseconds
COLUMNS = "number day campaign kind unit amount commitment facts"
# How an Ed25519 key begins in a file of OpenSSL's.
KEY_HEAD = bytes.fromhex("302a300506032b6570032100")


class Unreadable(Exception):
    """What cannot be read at all, or not be told yet."""


# What a file that somebody wrote to spoil this can raise.
BAD: tuple[type[BaseException], ...] = (Unreadable, ValueError, LookupError, TypeError)
BAD += (AttributeError, ArithmeticError, OSError, csv.Error, MemoryError)
BAD += (RecursionError,)


class Checkpoint(NamedTuple):
    """What a note says, and who signed it."""

    name: str
    size: int
    root: bytes
    body: str
    lines: list[str]


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
    reader.add_argument("--key", type=Path)
    reader.add_argument("--proof", type=Path)
    reader.add_argument("--checkpoint", type=Path, action="append", default=[])
    reader.add_argument("--fingerprint", action="append", default=[], metavar="DAY=HEX")
    given = reader.parse_args()
    try:
        wrong = check(given)
    except BAD as fault:
        say(f"UNREADABLE {type(fault).__name__}: {fault}", sys.stderr)
        return 2
    for line in wrong:
        say(f"WRONG {line}", sys.stderr)
    if wrong:
        return 1
    print("All of it holds.")
    return 0


def check(given: argparse.Namespace) -> list[str]:
    """Everything that is wrong, in words."""
    folder = given.folder
    key = read_key(given.key or folder / "key.pem")
    paths = files(folder, "checkpoints", "*.txt")
    kept = [read_note(small(path), path.name) for path in paths]
    kept.sort(key=lambda note: note.size)
    old = [read_note(small(path), path.name) for path in given.checkpoint]
    proof = None if given.proof is None else json.loads(small(given.proof))
    under = []
    if proof is not None:
        under.append(read_note(proof["checkpoint"], "the proof's checkpoint"))
    notes = [*kept, *old, *under]
    wrong = [
        f"{note.name}: is not signed with the key {key.hex()}"
        for note in notes
        if not is_signed(note, key)
    ]
    days = [note.name[:10] for note in kept]
    if days != sorted(days):
        wrong.append("checkpoints: a later day has fewer leaves than one before it")
    wanted = set() if proof is None else {leaf["number"] for leaf in proof["leaves"]}
    size, found, more = check_folder(folder, kept, [*old, *under], wanted)
    wrong += more
    for told in given.fingerprint:
        day, _, digits = told.partition("=")
        roots = [note.root.hex() for note in kept if note.name == f"{day}.txt"]
        if not roots:
            wrong.append(f"{day}: there is no checkpoint of this day")
        elif len(digits) < 8 or not roots[0].startswith(digits.lower()):
            wrong.append(f"{day}: the fingerprint {digits} is of another tree")
    for note in old:
        if note.size > size:
            wrong.append(f"{note.name}: of {note.size} leaves only {size} are here")
    if proof is not None:
        wrong += check_proof(proof, under[0], size, found)
        if not wrong and under[0].size > size:
            raise Unreadable("the proof: its checkpoint is newer than this folder")
    return wrong


def check_folder(
    folder: Path, kept: list[Checkpoint], others: list[Checkpoint], wanted: set[int]
) -> tuple[int, dict[int, bytes], list[str]]:
    """Work the tree out: its size, the bytes of the wanted leaves, what is wrong."""
    tree, published = Tree(), json.loads(small(folder / "totals.json"))
    totals: dict[tuple[str, str, str], list[int]] = {}
    found: dict[int, bytes] = {}
    wrong: list[str] = []
    roots = {0: tree.root()}
    sizes = {note.size for note in [*kept, *others]}
    for row in leaves(folder):
        data = leaf_bytes(row)
        if tree.size in wanted:
            found[tree.size] = data
        sum = totals.setdefault((row["campaign"], row["kind"], row["unit"]), [0, 0])
        sum[0], sum[1] = sum[0] + 1, sum[1] + int(row["amount"])
        tree.append(sha256(b"\x00" + data))
        if tree.size in sizes:
            roots[tree.size] = tree.root()
    for name, size, root, *_ in [*kept, *others]:
        if size <= tree.size and roots[size] != root:
            wrong.append(f"{name}: the first {size} leaves have another root")
        elif size <= tree.size:
            say(f"{name}: {size} leaves have the root {root.hex()}")
    last = kept[-1] if kept else Checkpoint("", 0, roots[0], "", [])
    if last.size > tree.size:
        wrong.append(f"{last.name}: of {last.size} leaves only {tree.size} are here")
    elif last.size < tree.size:
        wrong.append(f"leaves: those from {last.size} on stand under no checkpoint")
    said = {
        (one["campaign"], one["kind"], one["unit"]): [one["leaves"], one["amount"]]
        for one in published["totals"]
    }
    names = sorted(note.name for note in kept)
    root_said = last.root.hex() if kept else None
    day_said = last.name[:10] if kept else None
    if said != totals or published["size"] != tree.size:
        wrong.append("totals.json: the leaves have other sums")
    elif (published["root"], published["day"]) != (root_said, day_said):
        wrong.append("totals.json: the last checkpoint is another one")
    elif published["checkpoints"] != names:
        wrong.append("totals.json: names other checkpoints than are here")
    else:
        print(f"totals.json: {len(said)} sums of {tree.size} leaves are right")
    return tree.size, found, wrong


def check_proof(
    proof: Any, note: Checkpoint, size: int, found: dict[int, bytes]
) -> Iterator[str]:
    """What is wrong with a donor's proof, whose checkpoint was compared before."""
    for leaf in proof["leaves"]:
        number, data = leaf["number"], base64.b64decode(leaf["data"], validate=True)
        nonce = base64.b64decode(leaf["nonce"], validate=True)
        path = [base64.b64decode(step, validate=True) for step in leaf["path"]]
        parts = parts_of(data)
        if parts[5] != sha256(nonce + proof["code"].encode()):
            yield f"leaf {number} does not open with the code {proof['code']}"
        elif not includes(note.root, note.size, number, sha256(b"\x00" + data), path):
            yield f"leaf {number} is not under the proof's root"
        elif number < size and found.get(number) != data:
            yield f"leaf {number} is another one in this folder"
        else:
            day, campaign, kind, unit, amount = (part.decode() for part in parts[:5])
            say(f"leaf {number}: {kind} of {amount} {unit}, {campaign}, {day}")
    if not proof["leaves"]:
        yield "the proof has no leaves"


def leaves(folder: Path) -> Iterator[dict[str, str]]:
    """Every published leaf, in the order of the tree."""
    number = 0
    for path in files(folder, "leaves", "*.csv"):
        check_size(path, LEAVES_BYTES_MAX)
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            if next(rows, None) != COLUMNS.split():
                raise Unreadable(f"{path.name} has not the columns of leaves")
            for row in rows:
                if len(row) != len(COLUMNS.split()):
                    raise Unreadable(f"{path.name}: leaf {number} is cut off or longer")
                if row[0] != str(number):
                    raise Unreadable(f"{path.name}: leaf {number} is not in its place")
                number += 1
                yield dict(zip(COLUMNS.split(), row))  # noqa: B905  # of Python 3.10


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
    if data[:1] != b"\x01" or len(parts) != 7 or at != len(data):
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
    """What a checkpoint says, above and below its empty line."""
    body, _, below = text.partition("\n\n")
    fields = body.split("\n")
    try:
        size, root = int(fields[1]), base64.b64decode(fields[2], validate=True)
    except (ValueError, IndexError):
        raise Unreadable(f"{name} is no checkpoint") from None
    lines = below.split("\n")
    if len(fields) != 4 or size < 0 or len(root) != 32 or len(lines) > LINES_MAX:
        raise Unreadable(f"{name} is no checkpoint")
    return Checkpoint(name, size, root, f"{body}\n", lines)


def is_signed(note: Checkpoint, key: bytes) -> bool:
    """Whether a line below a checkpoint is this key's signature, as C2SP has it."""
    origin = note.body.split("\n")[0]
    known = sha256(f"{origin}\n".encode() + b"\x01" + key)[:4]
    for line in note.lines:
        if line.startswith(f"— {origin} "):
            signed = base64.b64decode(line.split(" ")[2])
            if signed[:4] == known and signs(key, note.body.encode(), signed[4:]):
                return True
    return False


def read_key(path: Path) -> bytes:
    """The 32 bytes of a public key as OpenSSL writes it."""
    lines = small(path).split("\n")
    if not lines[0].startswith("-----BEGIN PUBLIC KEY"):
        raise Unreadable(f"{path} is no public key")
    der = base64.b64decode(lines[1])
    if der[:12] != KEY_HEAD or len(der) != 44:
        raise Unreadable(f"{path} is no Ed25519 key")
    return der[12:]


# --- Ed25519, RFC 8032: x, y, z, t are the point x/z, y/z, and t = xy/z --------------

PRIME = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
CURVE = -121665 * pow(121666, PRIME - 2, PRIME) % PRIME
BASE_POINT = (4 * pow(5, PRIME - 2, PRIME) % PRIME).to_bytes(32, "little")


def signs(key: bytes, message: bytes, signature: bytes) -> Any:
    """Whether this is the signature of a message: section 5.1.7."""
    public, base = point(key), point(BASE_POINT)
    s = int.from_bytes(signature[32:], "little")
    if public is None or base is None or len(signature) != 64 or s >= ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + key + message).digest()
    k = int.from_bytes(digest, "little") % ORDER
    x, y, z, t = public
    # The signature's own point has to be s times the base less k times the key.
    x, y, z, _ = add(times(s, base), times(k, (-x, y, z, -t)))
    over = pow(z, PRIME - 2, PRIME)
    x, y = x * over % PRIME, y * over % PRIME
    return signature[:32] == (y | (x & 1) << 255).to_bytes(32, "little")


def point(data: bytes) -> Any:
    """The point that 32 bytes write, if there is one: section 5.1.3."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if len(data) != 32 or y >= PRIME:
        return None
    square = (y * y - 1) * pow(CURVE * y * y + 1, PRIME - 2, PRIME) % PRIME
    x = pow(square, (PRIME + 3) // 8, PRIME)
    if x * x % PRIME != square:
        x = x * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
    if x * x % PRIME != square or (not x and sign):
        return None
    x = PRIME - x if x & 1 != sign else x
    return x, y, 1, x * y % PRIME


def add(one: Any, other: Any) -> Any:
    """The sum of two points: section 5.1.4."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % PRIME
    b = (one[1] + one[0]) * (other[1] + other[0]) % PRIME
    c = 2 * one[3] * other[3] * CURVE % PRIME
    d = 2 * one[2] * other[2] % PRIME
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % PRIME, g * h % PRIME, f * g % PRIME, e * h % PRIME


def times(n: int, one: Any) -> Any:
    """A point so many times."""
    sum = (0, 1, 1, 0)
    while n:
        sum = add(sum, one) if n & 1 else sum
        one, n = add(one, one), n >> 1
    return sum


# --- files, and the terminal ---------------------------------------------------------


def files(folder: Path, name: str, wanted: str) -> list[Path]:
    """The files of a folder in the order of their names."""
    if not (folder / name).is_dir():
        raise Unreadable(f"{folder / name} is not there")
    return sorted((folder / name).glob(wanted))


def small(path: Path) -> str:
    """A file's text, if it is not larger than such a file can be."""
    try:
        check_size(path, FILE_BYTES_MAX)
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise Unreadable(f"{path} cannot be read") from None


def check_size(path: Path, most: int) -> None:
    if path.stat().st_size > most or not path.is_file():
        raise Unreadable(f"{path} is too large, or no file")


def say(line: str, to: Any = None) -> None:
    """Print a line that stays one line, whatever the folder has put in it."""
    safe = "".join(c if c.isprintable() else "?" for c in line)
    print(safe.encode("ascii", "backslashreplace").decode(), file=to or sys.stdout)


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


if __name__ == "__main__":
    sys.exit(main())
