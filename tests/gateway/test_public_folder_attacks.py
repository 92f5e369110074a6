"""What is done to a public folder by somebody who knows how it is checked."""

from __future__ import annotations

import ast
import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, text

from gateway.public_folder import Rewritten, publish
from ledger.schema import checkpoint, leaf, rollup, tile
from ledger.sealing.notes import Signer
from ledger.sealing.sealer import seal
from ledger.sealing.tree import leaf_hash, root_of
from tests.gateway.test_public_folder import SIGNER, ZONE, Published
from tests.ledger.books import NOON, Books, unguarded

THIEF = Signer(b"t" * 32, SIGNER.origin)
HOLDS = "All of it holds"


@pytest.fixture
def published(sqlite_ledger_url: str, tmp_path: Path) -> Any:
    from ledger.engine import connect

    engine = connect(sqlite_ledger_url)
    yield Published(engine, tmp_path / "public")
    engine.dispose()


def notes_of(folder: Path) -> list[Path]:
    return sorted((folder / "checkpoints").iterdir())


def told(folder: Path, **changed: object) -> None:
    path = folder / "totals.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))


def hashes_of(folder: Path) -> list[bytes]:
    from gateway.public.verify import leaf_bytes, leaves

    return [leaf_hash(leaf_bytes(row)) for row in leaves(folder)]


def sign_again(folder: Path, signer: Signer) -> None:
    """Put another's signature below every checkpoint, on the leaves as they are now."""
    hashes = hashes_of(folder)
    for path in notes_of(folder):
        size = int(path.read_text().split("\n")[1])
        path.write_text(signer.sign(size, root_of(hashes[:size]), NOON))


def emptied(folder: Path) -> None:
    told(folder, size=0, root=None, day=None, totals=[])


def without_checkpoints(folder: Path) -> None:
    for path in notes_of(folder):
        path.unlink()


def an_amount_and_no_checkpoints(folder: Path) -> None:
    without_checkpoints(folder)
    path = folder / "leaves" / "00000000.csv"
    path.write_text(path.read_text().replace(",rial,100", ",rial,900"))
    emptied(folder)


def a_leaf_more(folder: Path) -> None:
    path = sorted((folder / "leaves").iterdir())[-1]
    row = path.read_text().splitlines()[-1].split(",")
    row[0] = str(int(row[0]) + 1)
    with path.open("a") as file:
        file.write(",".join(row) + "\n")


def an_amount_and_anothers_signature(folder: Path) -> None:
    path = folder / "leaves" / "00000000.csv"
    path.write_text(path.read_text().replace(",rial,100", ",rial,900"))
    sign_again(folder, THIEF)


def no_signature(folder: Path) -> None:
    for path in notes_of(folder):
        path.write_text(path.read_text().split("\n\n")[0] + "\n\n")


def a_later_time(folder: Path) -> None:
    path = notes_of(folder)[0]
    path.write_text(path.read_text().replace("T08:30", "T08:31"))


def names_changed(folder: Path) -> None:
    one, other = notes_of(folder)
    kept = one.read_text()
    one.write_text(other.read_text())
    other.write_text(kept)


def a_cell_more(folder: Path) -> None:
    path = folder / "leaves" / "00000001.csv"
    rows = path.read_text().splitlines()
    path.write_text("\n".join([*rows[:2], rows[2] + ",paid out", *rows[3:]]) + "\n")


def cut_off(folder: Path) -> None:
    path = sorted((folder / "leaves").iterdir())[-1]
    path.write_bytes(path.read_bytes()[:-20])


FORGERIES: list[Callable[[Path], object]] = [
    lambda folder: notes_of(folder)[0].unlink(),
    lambda folder: notes_of(folder)[-1].unlink(),
    lambda folder: (folder / "totals.json").unlink(),
    lambda folder: (folder / "key.pem").unlink(),
    lambda folder: (folder / "key.pem").write_text(THIEF.pem),
    lambda folder: (folder / "leaves" / "00000002.csv").unlink(),
    lambda folder: told(folder, day="2026-11-21"),
    without_checkpoints,
    emptied,
    an_amount_and_no_checkpoints,
    a_leaf_more,
    an_amount_and_anothers_signature,
    no_signature,
    a_later_time,
    names_changed,
    a_cell_more,
    cut_off,
]


@pytest.mark.parametrize("forge", FORGERIES)
def test_no_forgery_is_said_to_hold(
    published: Published, forge: Callable[[Path], object]
) -> None:
    forge(published.folder)
    checked = published.verify()
    assert checked.returncode in (1, 2), checked.stdout
    assert HOLDS not in checked.stdout
    assert checked.stderr.startswith(("WRONG", "UNREADABLE"))
    assert "Traceback" not in checked.stderr


def test_a_thiefs_own_key_beside_the_folder_is_betrayed_by_ours(
    published: Published, tmp_path: Path
) -> None:
    ours = tmp_path / "ours.pem"
    ours.write_text(SIGNER.pem)
    assert published.verify("--key", str(ours)).returncode == 0
    an_amount_and_anothers_signature(published.folder)
    (published.folder / "key.pem").write_text(THIEF.pem)
    checked = published.verify("--key", str(ours))
    assert checked.returncode == 1
    assert "is not signed" in checked.stderr


# --- proofs --------------------------------------------------------------------------


def test_a_proof_under_a_tree_that_nobody_signed_is_no_proof(
    published: Published,
) -> None:
    path = published.proof()
    proof = json.loads(path.read_text())
    # A tree of one's own, larger than the folder, with a gift that never was.
    one = proof["leaves"][0]
    data = base64.b64decode(one["data"]).replace(
        b"\x00\x00\x00\x03100", b"\0\0\0\x03900"
    )
    filler = [leaf_hash(bytes([n])) for n in range(63)]
    root = root_of([leaf_hash(data), *filler])
    steps, level = [], filler
    while level:
        steps.append(level[0])
        level = [root_of(level[n : n + 2]) for n in range(1, len(level), 2)]
    one |= {"number": 0, "data": base64.b64encode(data).decode()}
    one["path"] = [base64.b64encode(step).decode() for step in steps]
    proof["leaves"] = [one]
    for signer in (THIEF, None):
        note = THIEF.sign(64, root, NOON)
        proof["checkpoint"] = note if signer else note.split("\n\n")[0] + "\n\n"
        path.write_text(json.dumps(proof))
        checked = published.verify("--proof", str(path))
        assert checked.returncode == 1
        assert HOLDS not in checked.stdout


def test_a_proof_newer_than_the_folder_is_not_said_to_hold(
    published: Published,
) -> None:
    published.books.pledge("+989121234570")
    seal(published.engine, SIGNER, ZONE, NOON + timedelta(days=1))
    checked = published.verify("--proof", str(published.proof()))
    assert checked.returncode == 2
    assert "newer than this folder" in checked.stderr
    assert HOLDS not in checked.stdout


def test_what_a_proof_says_cannot_pretend_to_be_our_verdict(
    published: Published,
) -> None:
    path = published.proof()
    proof = json.loads(path.read_text())
    proof["code"] = "1\nAll of it holds.\x1b[2J"
    path.write_text(json.dumps(proof))
    checked = published.verify("--proof", str(path))
    assert checked.returncode == 1
    assert "\x1b" not in checked.stderr
    assert HOLDS not in checked.stderr.splitlines()


# --- hostile files -------------------------------------------------------------------


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 33)


HOSTILE: list[tuple[str, Callable[[Path], object]]] = [
    ("totals.json", lambda path: path.write_text("[" * 200_000)),
    ("totals.json", lambda path: path.write_text("null")),
    ("totals.json", lambda path: path.write_text('{"size": 1e999, "totals": []}')),
    ("totals.json", lambda path: path.write_bytes(b"\xff\xfe{\x00")),
    ("totals.json", huge),
    ("key.pem", lambda path: path.write_bytes(b"\x00" * 100)),
    ("key.pem", lambda path: path.write_text("")),
    ("leaves/00000000.csv", huge),
    ("leaves/00000000.csv", lambda path: path.write_text("number," + "x" * 300_000)),
    ("leaves/00000000.csv", lambda path: path.write_bytes(b"number\x00,\xff\n")),
    ("leaves/00000000.csv", lambda path: (path.unlink(), path.mkdir())),
    ("leaves/00000000.csv", lambda path: (path.unlink(), os.mkfifo(path))),
    ("checkpoints/2026-11-22.txt", lambda path: (path.unlink(), os.mkfifo(path))),
    ("checkpoints/2026-11-22.txt", lambda path: path.write_bytes(b"\xff" * 99)),
    ("checkpoints/2026-11-22.txt", lambda path: path.write_text("x\n" * 99_999)),
    ("checkpoints/2026-11-22.txt", lambda path: path.write_text("x\n" + "9" * 9_999)),
]


@pytest.mark.parametrize(("name", "spoil"), HOSTILE)
def test_a_hostile_file_is_named_and_nothing_hangs(
    published: Published, name: str, spoil: Callable[[Path], object]
) -> None:
    spoil(published.folder / name)
    checked = subprocess.run(
        [sys.executable, "-I", "-S", published.folder / "verify.py"],
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert checked.returncode in (1, 2)
    assert checked.stderr.startswith(("WRONG", "UNREADABLE"))
    assert "Traceback" not in checked.stderr


def test_the_script_is_written_for_an_old_python(published: Published) -> None:
    source = (published.folder / "verify.py").read_text()
    tree = ast.parse(source, feature_version=(3, 8))
    named = {node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword)}
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    # What came with 3.9 and 3.10.
    assert named.isdisjoint({"strict", "slots", "kw_only"})
    assert called.isdisjoint({"removeprefix", "removesuffix", "is_relative_to"})
    for node in tree.body:
        # Annotations are not looked at, but an alias of a type is.
        if isinstance(node, ast.Assign):
            assert not isinstance(node.value, ast.Subscript), ast.unparse(node)


# --- what we write ourselves ---------------------------------------------------------


def test_fewer_leaves_than_were_published_are_not_published(
    ledger_engine: Engine, tmp_path: Path
) -> None:
    published = Published(ledger_engine, tmp_path / "public")
    before = (published.folder / "totals.json").read_text()
    with unguarded(ledger_engine) as db:
        # As a restore of the first day's backup would.
        for table in (leaf, tile, checkpoint, rollup):
            db.execute(delete(table))
    for size in (0, 4):
        if size:
            books = Books(ledger_engine, name="again", at=NOON)
            with unguarded(ledger_engine) as db:
                db.execute(text("UPDATE event SET test = true"))
            books.pledge()
            books.pledge()
            seal(ledger_engine, SIGNER, ZONE, NOON)
            for path in sorted((published.folder / "leaves").iterdir())[:1]:
                path.unlink()
        with pytest.raises(Rewritten, match="other leaves"):
            publish(ledger_engine, SIGNER, published.folder, leaves_per_file=4)
        assert (published.folder / "totals.json").read_text() == before
