"""What carriers really send, read from tests/ussd/carriers/*.yaml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.channels import UssdChannel
from ussd.turn import GROUP, Answer, Dialect, Request, Unreadable, dialect

HERE = Path(__file__).parent
CARRIERS = HERE / "carriers"
MAPPED = HERE / "mapped"

# Not dialects of HTTP: their turns come another way and have tests of their own.
NOT_HTTP = {"smpp": "its turns come over a bind, read by `yarigar smpp`"}

REASON_CHARS_MAX = 300

# What every channel has; the rest of a channel's table is the dialect's.
_CHANNEL = set(UssdChannel.model_fields)


@dataclass(frozen=True)
class Subject:
    """A dialect with its options, and the recorded cases it is held to."""

    name: str
    adapter: str
    options: Mapping[str, Any] = field(hash=False)
    cases: Mapping[str, Any] = field(hash=False, repr=False)

    @property
    def region(self) -> str:
        return str(self.cases.get("region", "IR"))

    @property
    def is_mapped_twin(self) -> bool:
        """Whether this is another dialect's wire in configuration alone."""
        return self.adapter == "mapped" and self.name != "mapped"

    def part(self, name: str) -> list[Mapping[str, Any]]:
        """The cases of one part that this subject is held to."""
        return [case for case in self.cases.get(name, []) if self._is_held_to(case)]

    def _is_held_to(self, case: Mapping[str, Any]) -> bool:
        if not self.is_mapped_twin:
            return True
        # A configuration has one method; that it refuses the others is a case too.
        method = self.request(case).method
        is_its_own = method == self.options.get("method", "POST")
        return case.get("only") != "hand-written" and (
            is_its_own or case.get("status") == 405
        )

    @cached_property
    def carrier(self) -> Dialect:
        return self.build()

    def build(self) -> Dialect:
        return dialect(self.adapter)(region=self.region, options=self.options)

    def request(self, case: Mapping[str, Any]) -> Request:
        """The request of a case; what it does not say is as in `defaults`."""
        said = {**self.cases.get("defaults", {}), **case}
        headers = said.get("headers", {})
        return Request(
            method=said.get("method", "POST"),
            path=said.get("path", ""),
            query=_octets(said.get("query", "")),
            headers={name.lower(): value for name, value in headers.items()},
            body=_octets(said.get("body", "")),
        )


def answer(case: Mapping[str, Any]) -> Answer:
    """The answer of a case, every part of it."""
    return Answer(
        body=case["body"],
        status=case.get("status", 200),
        content_type=case["content_type"],
        headers=case.get("headers", {}),
    )


def registered() -> list[str]:
    """The names of all dialects that are spoken over HTTP."""
    names = {entry.name for entry in entry_points(group=GROUP)}
    return sorted(names - set(NOT_HTTP))


def is_built(name: str) -> bool:
    """Whether a registered dialect can be loaded at all."""
    try:
        dialect(name)
    except ModuleNotFoundError:
        return False
    return True


@cache
def subjects() -> tuple[Subject, ...]:
    """Every dialect with cases, then every configuration in tests/ussd/mapped."""
    found = []
    for path in sorted(CARRIERS.glob("*.yaml")):
        if path.stem in registered() and is_built(path.stem):
            try:
                cases = yaml.safe_load(path.read_text("utf-8"))
            except yaml.YAMLError:
                # One broken file is the failure of one test, and not of all.
                continue
            options = cases.get("options", {})
            found.append(Subject(path.stem, path.stem, options, cases))
    by_name = {subject.name: subject for subject in found}
    for path in sorted(MAPPED.glob("*.toml")):
        if path.stem in by_name:
            table = tomllib.loads(path.read_text("utf-8"))["ussd"][path.stem]
            options = {k: v for k, v in table.items() if k not in _CHANNEL}
            cases = by_name[path.stem].cases
            name = f"{path.stem} (mapped)"
            found.append(Subject(name, table["adapter"], options, cases))
    return tuple(found)


def assert_is_one_clear_line(refused: Unreadable) -> None:
    """Hold a refusal to what a log and a small screen can show."""
    said = str(refused)
    assert said
    assert said.isprintable(), said
    assert len(said) <= REASON_CHARS_MAX
    assert 400 <= refused.status < 500


def _octets(written: str | bytes) -> bytes:
    return written if isinstance(written, bytes) else written.encode()


each = pytest.mark.parametrize("subject", subjects(), ids=lambda subject: subject.name)
