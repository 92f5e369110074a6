"""`people`, `backup` and `restore`, as an operator runs them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway import erased
from gateway.cli import cli
from gateway.faults import Unready
from gateway.service import prove_keys
from ledger import people
from ledger.engine import reading
from tests.gateway.house import PHONE, Gateway
from tests.gateway.operator import Operator


def test_a_person_is_shown_masked_and_erased_once(
    gateway: Gateway, operator: Operator
) -> None:
    gateway.pledge()
    shown = operator.run("people", "show", PHONE)
    assert shown.exit_code == 0, shown.output
    assert f"***{PHONE[-4:]}" in shown.output
    assert PHONE[4:] not in shown.output

    done = operator.run("people", "erase", PHONE, "--yes", "--by", "sara")
    assert "is erased; 1 texts are not sent" in done.output
    (event,) = [row for row in gateway.rows("event") if row.kind == "person.erased"]
    assert event.person_id == 1
    settings = gateway.service.settings
    ((_, who, at),) = erased.noted(settings.data_dir)
    assert (who, at) == (1, gateway.clock())
    mode = (settings.data_dir / erased.FILE).stat().st_mode
    assert stat.S_IMODE(mode) == 0o600

    again = operator.run("people", "erase", PHONE, "--yes")
    assert again.exit_code == 2
    assert "nobody with this number is known" in again.output


def test_a_person_is_found_by_a_code_and_asked_about(
    gateway: Gateway, operator: Operator
) -> None:
    gateway.pledge()
    code = gateway.rows("code")[0].code
    asked = CliRunner().invoke(
        cli,
        ["people", "erase", "--code", code],
        input="n\n",
        env={"YARIGAR_CONFIG": str(operator.config)},
    )
    assert f"Nothing brings ***{PHONE[-4:]} back" in asked.output
    assert "Aborted" in asked.output
    assert gateway.rows("vault")

    assert operator.run("people", "erase", "--code", code, "--yes").exit_code == 0
    assert not gateway.rows("vault")
    shown = operator.run("people", "show", "--code", code)
    assert "person 1: erased" in shown.output
    again = operator.run("people", "erase", "--code", code, "--yes")
    assert "was erased before" in again.output


@pytest.mark.parametrize(
    "asked", [["--code", "123456789"], ["--code", "x" * 5000], ["junk"], ["0" * 5000]]
)
def test_who_is_not_known_is_said_in_a_line(
    operator: Operator, asked: list[str]
) -> None:
    refused = operator.run("people", "show", *asked)
    assert refused.exit_code == 2
    assert refused.output.startswith("yarigar: ")
    assert refused.output.count("\n") == 1


def test_the_vault_key_is_changed_by_settings_and_a_command(
    gateway: Gateway, operator: Operator
) -> None:
    gateway.pledge()
    prove_keys(gateway.service)
    refused = operator.run("people", "rotate")
    assert "vault_key_old is not set" in refused.output

    source = operator.config.read_text(encoding="utf-8")
    old = gateway.service.settings.key_bytes("vault_key").hex()
    new = "ab" * 32
    both = source.replace(old, new)
    operator.config.write_text(f'vault_key_old = "{old}"\n{both}', encoding="utf-8")
    done = operator.run("people", "rotate")
    assert done.exit_code == 0, done.output
    assert "under the new key now" in done.output

    operator.config.write_text(both, encoding="utf-8")
    assert f"***{PHONE[-4:]}" in operator.run("people", "show", PHONE).output
    operator.config.write_text(source, encoding="utf-8")
    assert "vault_key is not the one" in operator.run("people", "show", PHONE).output


@pytest.mark.parametrize(
    "command",
    [
        ["ledger", "verify"],
        ["ledger", "balance"],
        ["texts", "dead"],
        ["desk", "list"],
        ["send", "list"],
        ["people", "rotate"],
    ],
)
def test_no_command_works_with_another_look_up_key(
    operator: Operator, gateway: Gateway, command: list[str]
) -> None:
    prove_keys(gateway.service)
    source = operator.config.read_text(encoding="utf-8")
    index = gateway.service.settings.key_bytes("index_key").hex()
    operator.config.write_text(source.replace(index, "cd" * 32), encoding="utf-8")
    refused = operator.run(*command)
    assert refused.exit_code == 2
    assert "the index_key is not the one" in refused.output


def test_the_doctor_sees_other_keys(operator: Operator, gateway: Gateway) -> None:
    prove_keys(gateway.service)
    source = operator.config.read_text(encoding="utf-8")
    index = gateway.service.settings.key_bytes("index_key").hex()
    operator.config.write_text(source.replace(index, "cd" * 32), encoding="utf-8")
    examined = operator.run("doctor")
    assert examined.exit_code == 1
    assert "FAULT  database: the index_key is not the one" in examined.output


def test_a_backup_with_its_keys_comes_back_elsewhere(
    gateway: Gateway, operator: Operator, tmp_path: Path
) -> None:
    gateway.pledge()
    out, keys = tmp_path / "b.zip", tmp_path / "keys.copy"
    taken = operator.run("backup", "--out", str(out), "--keys", str(keys))
    assert taken.exit_code == 0, taken.output
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    # Who is erased after the backup does not come back with it.
    operator.run("people", "erase", PHONE, "--yes")

    new = tmp_path / "new"
    new.mkdir()
    gone = gateway.service.settings.data_dir / erased.FILE
    (new / erased.FILE).write_bytes(gone.read_bytes())
    back = _at(new, "restore", str(out), "--keys", str(keys))
    assert back.exit_code == 0, back.output
    assert "1 people who were erased since" in back.output
    assert "The books are whole." in back.output
    assert stat.S_IMODE((new / "keys.toml").stat().st_mode) == 0o600

    again = _at(new, "restore", str(out), "--keys", str(keys))
    assert again.exit_code == 2
    assert "a new database alone" in again.output


def test_a_restored_backup_knows_its_people(
    gateway: Gateway, operator: Operator, tmp_path: Path
) -> None:
    gateway.pledge()
    out, keys = tmp_path / "b.zip", tmp_path / "keys.copy"
    operator.run("backup", "--out", str(out), "--keys", str(keys))
    new = tmp_path / "new"
    back = _at(new, "restore", str(out), "--keys", str(keys))
    assert "1 texts may have left since" in back.output
    shown = _at(new, "people", "show", PHONE)
    assert f"***{PHONE[-4:]}" in shown.output


def test_keys_are_not_put_over_others(
    gateway: Gateway, operator: Operator, tmp_path: Path
) -> None:
    out, keys = tmp_path / "b.zip", tmp_path / "keys.copy"
    operator.run("backup", "--out", str(out), "--keys", str(keys))
    new = tmp_path / "new"
    new.mkdir()
    other = keys.read_text(encoding="utf-8").replace('"', '"0', 2)
    lines = [f'{line.split(" = ")[0]} = "{"ef" * 32}"' for line in other.splitlines()]
    (new / "keys.toml").write_text(
        "\n".join(line for line in lines if "#" not in line), encoding="utf-8"
    )
    (new / "keys.toml").chmod(0o600)
    refused = _at(new, "restore", str(out), "--keys", str(keys))
    assert refused.exit_code == 2
    assert "holds other keys already" in refused.output


@pytest.mark.parametrize("what", ["", "PK", "x" * 100])
def test_a_file_that_is_no_backup_is_refused_in_a_line(
    operator: Operator, tmp_path: Path, what: str
) -> None:
    path = tmp_path / "b.zip"
    path.write_text(what, encoding="ascii")
    refused = operator.run("restore", str(path))
    assert refused.exit_code == 2
    assert refused.output.splitlines()[-1].startswith("yarigar: it is torn")
    missing = operator.run("restore", str(tmp_path / "none"))
    assert missing.exit_code == 2
    assert "No such file" in missing.output


@pytest.mark.parametrize("line", ["x", "a 1", "a b c", "a 1 2026-11-22", "a 1 2 3"])
def test_a_strange_line_among_the_erased_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / erased.FILE).write_text(f"{line}\n", encoding="ascii")
    with pytest.raises(Unready, match="line 1"):
        erased.noted(tmp_path)


def test_who_is_noted_is_noted_once(gateway: Gateway, operator: Operator) -> None:
    gateway.pledge()
    operator.run("people", "erase", PHONE, "--yes")
    service = gateway.service
    assert erased.note(service.engine, service.settings.data_dir) == 0
    (service.settings.data_dir / erased.FILE).unlink()
    erased.keep_noting(service.engine, service.settings.data_dir, gateway.clock())
    assert len(erased.noted(service.settings.data_dir)) == 1
    with reading(service.engine) as db:
        assert people.find(db, service.keys, PHONE) is None


def _at(data_dir: Path, *arguments: str) -> Result:
    """A command on another machine, that has nothing but its data folder."""
    return CliRunner().invoke(
        cli,
        arguments,
        env={
            "YARIGAR_CONFIG": os.devnull,
            "YARIGAR_DATA_DIR": str(data_dir),
        },
    )
