"""The public folder, checked by nothing but its own two scripts."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, delete, select, update

from gateway.cli import cli
from gateway.public_folder import Rewritten, publish
from gateway.sealing import SEAL_EVERY, Sealing, signer
from gateway.settings import KEYS, Settings, load
from ledger import leases
from ledger.engine import reading, writing
from ledger.schema import checkpoint, event, leaf, rollup, tile
from ledger.sealing.notes import Signer
from ledger.sealing.proofs import prove
from ledger.sealing.sealer import seal
from tests.ledger.books import NOON, Books, unguarded

SIGNER = Signer(b"s" * 32, "give.example.org/yarigar")
ZONE = "Asia/Tehran"


class Published:
    """Two days of gifts, published each day, in files of four leaves."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder = engine, folder
        self.books = Books(engine)
        self.pledge, self.code = self.books.pledge(amount=100)
        for number in range(5):
            self.books.pledge("+989121234568", amount=1_000 + number)
        self.publish()
        self.books.pay(self.pledge, 60)
        self.books.pledge("+989121234569", amount=7, purpose="school")
        self.publish(days=1)

    def publish(self, days: int = 0) -> int:
        seal(self.engine, SIGNER, ZONE, NOON + timedelta(days=days))
        return publish(self.engine, SIGNER, self.folder, leaves_per_file=4)

    def verify(self, *more: str) -> subprocess.CompletedProcess[str]:
        # Isolated: nothing but Python's own library can be imported.
        return subprocess.run(
            [sys.executable, "-I", "-S", self.folder / "verify.py", *more],
            capture_output=True,
            text=True,
        )

    def proof(self) -> Path:
        with reading(self.engine, snapshot=True) as db:
            proof = prove(db, self.pledge)
        path = self.folder.parent / "proof.json"
        path.write_text(json.dumps(proof.as_json()))
        return path


@pytest.fixture
def published(ledger_engine: Engine, tmp_path: Path) -> Published:
    return Published(ledger_engine, tmp_path / "public")


def test_the_folder_holds_by_itself(published: Published) -> None:
    names = sorted(
        str(path.relative_to(published.folder))
        for path in published.folder.rglob("*")
        if path.is_file()
    )
    assert names == [
        "README.txt",
        "checkpoints/2026-11-22.txt",
        "checkpoints/2026-11-23.txt",
        "key.pem",
        "leaves/00000000.csv",
        "leaves/00000001.csv",
        "leaves/00000002.csv",
        "leaves/00000003.csv",
        "signature.sh",
        "totals.json",
        "verify.py",
    ]
    checked = published.verify()
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "All of it holds." in checked.stdout
    totals = json.loads((published.folder / "totals.json").read_text())
    sums = {(one["kind"], one["unit"]): one["amount"] for one in totals["totals"]}
    assert sums["pledge", "rial"] == 100 + 5 * 1_000 + 10 + 7
    assert sums["payment", "rial"] == 60


def test_nothing_in_it_leads_to_a_donor(published: Published) -> None:
    with reading(published.engine) as db:
        keys = set(db.scalars(select(event.c.key)))
    for path in published.folder.rglob("*"):
        if path.is_file():
            text = path.read_text()
            for secret in (published.code, "912123", *keys):
                assert secret not in text, path.name


def lines(path: Path, change: Callable[[list[str]], list[str]]) -> None:
    path.write_text("".join(change(path.read_text().splitlines(keepends=True))))


def replaced(old: str, new: str) -> Callable[[list[str]], list[str]]:
    return lambda rows: [row.replace(old, new) for row in rows]


ATTACKS: list[tuple[str, str, Callable[[list[str]], list[str]]]] = [
    ("a row is deleted", "leaves/00000001.csv", lambda rows: [rows[0], *rows[2:]]),
    ("the last row is deleted", "leaves/00000003.csv", lambda rows: rows[:-1]),
    (
        "two rows change places",
        "leaves/00000001.csv",
        lambda rows: [rows[0], rows[2], rows[1], *rows[3:]],
    ),
    ("an amount is changed", "leaves/00000001.csv", replaced(",rial,1", ",rial,2")),
    ("a day is changed", "leaves/00000000.csv", replaced("11-22", "11-21")),
    ("a kind is changed", "leaves/00000000.csv", replaced("pledge", "payment")),
    ("totals are changed", "totals.json", replaced('"amount": 60', '"amount": 61')),
    (
        "a checkpoint is of fewer leaves",
        "checkpoints/2026-11-22.txt",
        lambda rows: [rows[0], "5\n", *rows[2:]],
    ),
]


@pytest.mark.parametrize(("what", "name", "change"), ATTACKS)
def test_what_was_altered_in_the_folder_is_found(
    published: Published,
    what: str,
    name: str,
    change: Callable[[list[str]], list[str]],
) -> None:
    path = published.folder / name
    before = path.read_text()
    lines(path, change)
    assert path.read_text() != before, what
    checked = published.verify()
    assert checked.returncode in (1, 2), what
    assert "All of it holds" not in checked.stdout
    assert checked.stderr.startswith(("WRONG", "UNREADABLE"))


def test_renumbered_rows_do_not_hide_a_deleted_one(published: Published) -> None:
    path = published.folder / "leaves" / "00000003.csv"

    def drop_and_renumber(rows: list[str]) -> list[str]:
        kept = rows[:1] + rows[2:]
        first = int(rows[1].split(",")[0])
        return kept[:1] + [
            f"{first + n},{row.split(',', 1)[1]}" for n, row in enumerate(kept[1:])
        ]

    lines(path, drop_and_renumber)
    checked = published.verify()
    assert checked.returncode == 1
    assert "2026-11-23.txt" in checked.stderr


def test_a_whole_folder_made_anew_is_betrayed_by_an_old_checkpoint(
    published: Published, tmp_path: Path, ledger_engine: Engine
) -> None:
    old = tmp_path / "kept.txt"
    old.write_text((published.folder / "checkpoints" / "2026-11-22.txt").read_text())
    # Other books, sealed with the same key.
    with unguarded(ledger_engine) as db:
        for table in (leaf, tile, checkpoint, rollup):
            db.execute(delete(table))
    published.folder.rename(tmp_path / "before")
    published.publish()

    assert published.verify().returncode == 0
    checked = published.verify("--checkpoint", str(old))
    assert checked.returncode == 1
    assert "kept.txt: the first" in checked.stderr
    told = json.loads((tmp_path / "before" / "totals.json").read_text())["root"][:8]
    assert published.verify("--fingerprint", f"2026-11-22={told}").returncode == 1


def test_a_fingerprint_that_was_told_by_phone_is_found(published: Published) -> None:
    root = json.loads((published.folder / "totals.json").read_text())["root"]
    for told, status in ((root[:8], 0), (root[:7], 1), ("0" * 8, 1)):
        checked = published.verify("--fingerprint", f"2026-11-23={told}")
        assert checked.returncode == status, checked.stderr
    assert published.verify("--fingerprint", f"2020-01-01={root[:8]}").returncode == 1


def test_a_donor_checks_a_proof_without_us(published: Published) -> None:
    checked = published.verify("--proof", str(published.proof()))
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "pledge of 100 rial, one-plus-one, 2026-11-22" in checked.stdout
    assert "payment of 60 rial" in checked.stdout


def flipped(encoded: str) -> str:
    data = base64.b64decode(encoded)
    return base64.b64encode(bytes([data[0] ^ 1]) + data[1:]).decode()


PROOFS: list[Callable[[Any], object]] = [
    lambda proof: proof.update(code="123456789"),
    lambda proof: proof["leaves"][0].update(number=1_000),
    lambda proof: proof["leaves"][0].update(number=-1),
    lambda proof: proof["leaves"][0].update(nonce=flipped(proof["leaves"][0]["nonce"])),
    lambda proof: proof["leaves"][0].update(data=flipped(proof["leaves"][0]["data"])),
    lambda proof: proof["leaves"][0]["path"].append(proof["leaves"][0]["path"][0]),
    lambda proof: proof["leaves"][0].update(path=[]),
    lambda proof: proof.update(leaves=[]),
    lambda proof: proof.update(leaves=None),
    lambda proof: proof.update(checkpoint="no\ncheckpoint"),
    lambda proof: proof.update(
        checkpoint=proof["checkpoint"].replace(
            proof["checkpoint"].split("\n")[2], base64.b64encode(b"x" * 32).decode()
        )
    ),
]


@pytest.mark.parametrize("change", PROOFS)
def test_a_false_proof_is_refused(
    published: Published, change: Callable[[Any], object]
) -> None:
    path = published.proof()
    proof = json.loads(path.read_text())
    change(proof)
    path.write_text(json.dumps(proof))
    checked = published.verify("--proof", str(path))
    assert checked.returncode in (1, 2)
    assert "Traceback" not in checked.stderr


def test_openssl_says_whose_signature_it_is(published: Published) -> None:
    note = published.folder / "checkpoints" / "2026-11-23.txt"

    def signature() -> int:
        script = published.folder / "signature.sh"
        return subprocess.run(["sh", script, note], capture_output=True).returncode

    assert signature() == 0
    said = note.read_text()
    note.write_text(said.replace("T08:30", "T08:31"))
    assert signature() != 0
    note.write_text(said)
    (published.folder / "key.pem").write_text(Signer(b"x" * 32, "x").pem)
    assert signature() != 0


def test_what_was_published_is_not_written_over(published: Published) -> None:
    before = (published.folder / "leaves" / "00000000.csv").read_text()
    with unguarded(published.engine) as db:
        data = db.scalars(select(leaf.c.data).where(leaf.c.number == 2)).one()
        changed = (
            data.replace(b"11-22", b"11-21") if b"11-22" in data else data[:-1] + b"x"
        )
        db.execute(update(leaf).where(leaf.c.number == 2).values(data=changed))
    with pytest.raises(Rewritten, match="other leaves"):
        publish(published.engine, SIGNER, published.folder, leaves_per_file=4)
    assert (published.folder / "leaves" / "00000000.csv").read_text() == before


def test_an_empty_ledger_has_an_empty_folder(
    ledger_engine: Engine, tmp_path: Path
) -> None:
    folder = tmp_path / "public"
    assert publish(ledger_engine, SIGNER, folder) == 0
    checked = subprocess.run(
        [sys.executable, folder / "verify.py"], capture_output=True
    )
    assert checked.returncode == 0


# --- as an operator and a witness use it --------------------------------------------


class Desk:
    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        keys = {name: (name[0] * 32).encode().hex() for name in KEYS}
        keys |= {"vault_key": b"v".hex() * 32, "index_key": b"i".hex() * 32}
        keys |= {"code_key": b"c".hex() * 32}
        lines = [f'{name} = "{key}"' for name, key in keys.items()]
        lines += [f'database_url = "{url}"', f'data_dir = "{folder}"']
        lines += ['public_url = "https://give.example.org"']
        self.config = folder / "yarigar.toml"
        self.config.write_text("\n".join(lines))

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(
            cli, arguments, env={"YARIGAR_CONFIG": str(self.config)}
        )

    @property
    def settings(self) -> Settings:
        return load({"YARIGAR_CONFIG": str(self.config)})


@pytest.fixture
def desk(ledger_url: str, tmp_path: Path) -> Desk:
    return Desk(ledger_url, tmp_path)


def test_an_operator_seals_proves_and_publishes(
    desk: Desk, ledger_engine: Engine
) -> None:
    pledge, code = Books(ledger_engine).pledge()
    out = desk.folder / "proof.json"
    early = desk.run("ledger", "prove", code, "--out", str(out), "--by", "sara")
    assert early.exit_code == 2
    assert "not sealed yet" in early.output

    sealed = desk.run("ledger", "seal", "--all")
    assert (sealed.exit_code, sealed.output[:12]) == (0, "3 new leaves")
    assert desk.run("ledger", "verify").output.endswith("The books are whole.\n")
    proved = desk.run("ledger", "prove", code, "--out", str(out), "--by", "sara")
    assert proved.exit_code == 0, proved.output
    with reading(ledger_engine) as db:
        made = db.execute(select(event).where(event.c.kind == "proof.made")).one()
    assert (made.about_id, made.body["by"]) == (pledge, "sara")

    assert desk.run("ledger", "publish").exit_code == 0
    public = desk.folder / "public"
    script = [sys.executable, public / "verify.py", "--proof", out]
    assert subprocess.run(script, capture_output=True).returncode == 0
    assert (
        "nothing has this code"
        in desk.run("ledger", "prove", "123", "--out", str(out)).output
    )

    with unguarded(ledger_engine) as db:
        db.execute(update(event).where(event.c.id == pledge).values(district="x"))
    red = desk.run("ledger", "verify")
    assert red.exit_code == 1
    assert f"FAULT event {pledge}: is not as it was sealed" in red.output


def test_a_witness_signs_what_the_folder_holds(
    desk: Desk, ledger_engine: Engine
) -> None:
    Books(ledger_engine).pledge()
    desk.run("ledger", "seal")
    desk.run("ledger", "publish")
    key = desk.folder / "witness.key"
    public = desk.run("witness", "key", str(key)).output.strip()
    assert key.stat().st_mode & 0o077 == 0
    assert desk.run("witness", "key", str(key)).exit_code == 2
    assert desk.run("witness", "add", "district-6", public).exit_code == 0
    note = next((desk.folder / "public" / "checkpoints").glob("*.txt"))
    copy = desk.folder / "copy.txt"
    copy.write_text(note.read_text())

    signed = desk.run(
        "witness", "sign", str(copy), "--name", "district-6", "--key", str(key)
    )
    assert signed.output.startswith("— district-6 ")
    assert "district-6 signed" in desk.run("ledger", "cosign", str(copy)).output
    assert "nothing new" in desk.run("ledger", "cosign", str(copy)).output
    desk.run("ledger", "publish")
    assert signed.output in note.read_text()
    assert public in desk.run("witness", "list").output

    assert desk.run("witness", "revoke", "district-6").exit_code == 0
    assert " until " in desk.run("witness", "list").output
    assert desk.run("ledger", "cosign", str(copy)).exit_code == 2
    assert desk.run("ledger", "cosign", str(key)).exit_code == 2
    assert desk.run("ledger", "cosign", str(desk.folder / "none")).exit_code == 2
    assert desk.run("ledger", "verify").exit_code == 0


def test_the_scheduler_seals_and_publishes(desk: Desk, ledger_engine: Engine) -> None:
    settings = desk.settings
    books = Books(ledger_engine)
    books.pledge()
    one = Sealing(ledger_engine, settings)
    one.step(NOON)
    one.wait()
    assert signer(settings).origin == "give.example.org/yarigar"
    totals = desk.folder / "public" / "totals.json"
    assert json.loads(totals.read_text())["size"] == 3

    books.pledge()
    one.step(NOON + SEAL_EVERY / 2)
    assert leaves_of(ledger_engine) == 3
    one.step(NOON + SEAL_EVERY)
    assert leaves_of(ledger_engine) == 4
    one.wait()
    assert json.loads(totals.read_text())["size"] == 3
    one.step(NOON + timedelta(days=1))
    one.wait()
    assert json.loads(totals.read_text())["size"] == 4


def test_of_two_schedulers_one_seals(desk: Desk, ledger_engine: Engine) -> None:
    Books(ledger_engine).pledge()
    with writing(ledger_engine) as db:
        leases.take(db, name="seal", holder="another", seconds=60, at=NOON)
    one = Sealing(ledger_engine, desk.settings)
    one.step(NOON + timedelta(seconds=1))
    assert leaves_of(ledger_engine) == 0
    one.step(NOON + timedelta(seconds=61))
    one.wait()
    assert leaves_of(ledger_engine) == 3


def leaves_of(engine: Engine) -> int:
    with reading(engine) as db:
        return len(db.execute(select(leaf.c.number)).all())
