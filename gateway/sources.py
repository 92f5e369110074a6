"""Where settings come from, and by which name each was given.

A fault is told by the name that the operator wrote: the variable of the environment,
or the file and the key in it.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from gateway.processes import SUPERVISED_BY

PREFIX = "YARIGAR_"
CONFIG = "YARIGAR_CONFIG"
# Variables of ours that are no settings.
RESERVED = (CONFIG, SUPERVISED_BY)
DEFAULT_FILE = "yarigar.toml"
FILE_BYTES_MAX = 1_000_000

Where = tuple[str, ...]


@dataclass
class Given:
    """What was set, where, and what could not be read at all."""

    values: dict[str, Any] = field(default_factory=dict)
    file: str = DEFAULT_FILE
    in_file: dict[str, Any] = field(default_factory=dict)
    variables: dict[Where, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def name(self, where: Where) -> str:
        """Say what the operator calls the setting at `where`."""
        if where in self.variables:
            return self.variables[where]
        if self._holds(where[:-1]) and not self._is_above_a_variable(where[:-1]):
            return f"{self.file}: {'.'.join(where)}"
        if self._holds(where):
            return f"{self.file}: {'.'.join(where)}"
        return PREFIX + "__".join(where).upper()

    def describe(self, fault: ErrorDetails, model: type[BaseModel]) -> str:
        """Put one fault that pydantic found into a line, without the value."""
        # [key] marks a wrong channel name, and a number the place in a list.
        where = tuple(
            step for step in fault["loc"] if isinstance(step, str) and step != "[key]"
        )
        name = self.name(where)
        if "[key]" in fault["loc"]:
            return f"{name}: a channel's name is a-z, then a-z, 0-9 and _"
        if fault["type"] == "extra_forbidden":
            return f"{name}: no such setting{_hint(where[-1], model, likeness=0.7)}"
        if fault["type"] == "missing":
            return f"{name}: is missing"
        message = fault["msg"].removeprefix("Value error, ").removeprefix("Input ")
        return f"{name}: {message[0].lower()}{message[1:]}"

    def misspelt(self, group: str, model: type[BaseModel]) -> Iterator[str]:
        """Find options of channels that are nearly, but not quite, one of ours."""
        channels = self.values.get(group)
        for channel, options in channels.items() if isinstance(channels, dict) else ():
            for option in options if isinstance(options, dict) else ():
                hint = _hint(option, model)
                if option not in model.model_fields and hint:
                    name = self.name((group, channel, option))
                    yield f"{name}: no such setting{hint}"

    def _holds(self, where: Where) -> bool:
        here: Any = self.in_file
        for step in where:
            if not isinstance(here, dict) or step not in here:
                return False
            here = here[step]
        return True

    def _is_above_a_variable(self, where: Where) -> bool:
        return bool(where) and any(
            known[: len(where)] == where for known in self.variables
        )


def read(environ: Mapping[str, str]) -> Given:
    """Read the file that `environ` names, and `environ` over it."""
    given = Given(file=environ.get(CONFIG, DEFAULT_FILE))
    _read_file(given, is_named=CONFIG in environ)
    given.values = _copy(given.in_file)
    for variable, value in sorted(environ.items()):
        if variable.startswith(PREFIX) and variable not in RESERVED:
            _read_variable(given, variable, value)
    return given


def _read_file(given: Given, *, is_named: bool) -> None:
    path = Path(given.file)
    if not is_named and not path.exists():
        return
    try:
        with path.open("rb") as file:
            source = file.read(FILE_BYTES_MAX + 1)
        if len(source) > FILE_BYTES_MAX:
            raise ValueError(f"is longer than {FILE_BYTES_MAX} bytes")
        given.in_file = tomllib.loads(source.decode())
    except OSError as fault:
        given.faults.append(f"{given.file}: cannot be read: {fault.strerror}")
    except UnicodeDecodeError:
        given.faults.append(f"{given.file}: is not UTF-8")
    except ValueError as fault:
        given.faults.append(f"{given.file}: {fault}")


def _read_variable(given: Given, variable: str, value: str) -> None:
    where = tuple(variable.removeprefix(PREFIX).lower().split("__"))
    here = given.values
    for step in where[:-1]:
        here = here.setdefault(step, {})
        if not isinstance(here, dict):
            given.faults.append(f"{variable}: no such setting")
            return
    here[where[-1]] = value
    given.variables[where] = variable


def _copy(table: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _copy(value) if isinstance(value, dict) else value
        for name, value in table.items()
    }


def _hint(option: str, model: type[BaseModel], likeness: float = 0.8) -> str:
    near = difflib.get_close_matches(option, model.model_fields, 1, likeness)
    return f" (is it {near[0]}?)" if near else ""
