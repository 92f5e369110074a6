"""The command finds its parts, and tells what an operator can mend in a line."""

from __future__ import annotations

import importlib

import click
import pytest
from click.testing import CliRunner

from gateway.cli import COMMANDS, FAULTS, cli


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_where_the_list_says(name: str):
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.help


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_every_fault_that_is_told_in_a_line_exists(name: str):
    module, _, kind = name.rpartition(".")
    assert issubclass(getattr(importlib.import_module(module), kind), Exception)


def test_help_lists_every_command():
    printed = CliRunner().invoke(cli, ["--help"])
    assert printed.exit_code == 0
    assert all(name in printed.output for name in COMMANDS)


def test_the_page_of_settings_is_compared(tmp_path):
    page = tmp_path / "settings.md"
    written = CliRunner().invoke(cli, ["settings-doc", "--write", str(page)])
    assert written.exit_code == 0
    same = CliRunner().invoke(cli, ["settings-doc", "--check", str(page)])
    assert (same.exit_code, same.output) == (0, "")
    page.write_text("old")
    other = CliRunner().invoke(cli, ["settings-doc", "--check", str(page)])
    assert other.exit_code == 2
    assert "is not up to date: make docs" in other.output
