"""The schema that editors complete by knows the words that the reader takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from ussd.faults import BadMenus
from ussd.reading import read
from ussd.schema import schema

MADE = schema()
VALIDATOR = Draft202012Validator(MADE)
PATCHES = Path(__file__).parents[1] / "menus" / "patches"
UNKNOWN = "zzz"

# Where each mapping of the language stands in a file, and in the schema.
PLACES: Mapping[str, tuple[str | int, ...]] = {
    "": (),
    "limits": ("limits",),
    "notices": ("notices",),
    "opening": ("dialled", "*1#"),
    "shortcut": ("shortcuts", "one"),
    "keyword": ("keywords", "one"),
    "campaign": ("campaigns", "one"),
    "campaign/window": ("campaigns", "one", "window"),
    "campaign/presets": ("campaigns", "one", "presets", 0),
    "flow": ("flows", "one"),
    "screen": ("screens", "one"),
    "screen/instead": ("screens", "one", "instead", 0),
    "screen/wrong": ("screens", "one", "wrong"),
    "choice": ("screens", "one", "choices", 0),
    "ask": ("screens", "one", "ask"),
    "message": ("texts", "one"),
}


def _of_schema(name: str) -> dict[str, Any]:
    """The part of the schema that a mapping is checked by."""
    first, _, rest = name.partition("/")
    if first in ("limits", "notices"):
        return MADE["properties"][first]
    made: dict[str, Any] = MADE["$defs"][first] if first else MADE
    if rest:
        made = made["properties"][rest]
        made = made.get("items", made)
    return made


def _broken(place: tuple[str | int, ...]) -> str:
    """A file with a mapping at `place` that holds one unknown word, and no other."""
    value: Any = {UNKNOWN: "1"}
    for step in reversed(place):
        value = [value] if isinstance(step, int) else {step: value}
    return yaml.safe_dump({"languages": ["en"], **value})


def _faults(source: str) -> list[Any]:
    with pytest.raises(BadMenus) as refused:
        read(source, time_zone="Asia/Tehran")
    return list(refused.value.faults)


@pytest.mark.parametrize("name", PLACES)
def test_the_schema_has_the_words_that_the_reader_takes(name: str) -> None:
    faults = _faults(_broken(PLACES[name]))
    (unknown,) = [f for f in faults if f.what.endswith(f"has no {UNKNOWN!r}")]
    taken = unknown.remedy.removeprefix("Use one of: ").split(", ")
    made = _of_schema(name)
    assert sorted(made["properties"]) == sorted(taken)
    what = unknown.what.removesuffix(f"has no {UNKNOWN!r}")
    lacks = [f.what for f in faults if f.what.startswith(f"{what}lacks ")]
    needed = [re.findall(r"'(\w+)'", fault)[-1] for fault in lacks]
    # The broken file has its languages, so that it is read at all.
    needed += ["languages"] if not name else []
    assert sorted(made.get("required", [])) == sorted(needed)


def test_every_mapping_of_the_schema_is_looked_at() -> None:
    looked_at = {name.partition("/")[0] for name in PLACES} - {"", "limits", "notices"}
    free = {"words", "wording"}  # their words are the file's own languages
    assert looked_at == set(MADE["$defs"]) - free


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(MADE)


@pytest.mark.parametrize("loader", [yaml.BaseLoader, yaml.SafeLoader])
def test_the_shipped_file_is_valid(source: str, loader: type) -> None:
    held = yaml.load(source, Loader=loader)  # noqa: S506  both build plain values
    # YAML 1.1 takes the names `yes` and `no` for true and false; editors read 1.2.
    words = {True: "yes", False: "no"}
    notices = {words.get(k, k): v for k, v in held["notices"].items()}
    held["notices"] = notices
    assert [error.message for error in VALIDATOR.iter_errors(held)] == []


@pytest.mark.parametrize(
    "name",
    ["word-unknown", "effect-unknown", "notice-missing", "key-that-is-none"],
)
def test_a_word_that_is_unknown_is_not_valid(source: str, name: str) -> None:
    case = yaml.safe_load((PATCHES / f"{name}.yaml").read_text(encoding="utf-8"))
    changed = source.replace(case["replace"], case["by"])
    held = yaml.load(changed, Loader=yaml.BaseLoader)  # noqa: S506  plain values
    assert list(VALIDATOR.iter_errors(held))


def test_every_word_is_described() -> None:
    for made in MADE["$defs"].values():
        for name, part in made.get("properties", {}).items():
            described = "description" in part or "$ref" in part or "anyOf" in part
            assert described or part.get("type") == "array", name
