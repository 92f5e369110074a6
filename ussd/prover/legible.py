"""Whether a text reads as it was meant, on a telephone and from right to left."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ussd.faults import Fault

__all__ = ["LIKE_A_KEY", "illegible", "label_illegible"]

# A line that a caller takes for a key and what stands behind it.
LIKE_A_KEY = re.compile(r"^[0-9۰-۹]{1,2} ", re.MULTILINE)

# Bare if either mark that keeps its order is missing.
_BARE_CODE = re.compile(
    "(?<![\u200e0-9۰-۹])\\*[0-9۰-۹]+(\\*[0-9۰-۹]+)*#"
    "|\\*[0-9۰-۹]+(\\*[0-9۰-۹]+)*#(?!\u200e)"
)
# The code as right-to-left text shows it, when somebody typed what they saw.
_REVERSED_CODE = re.compile(r"#[0-9۰-۹]+(\*[0-9۰-۹]+)*\*")
_WHOLE_CODE = re.compile(r"\*[0-9]+(\*[0-9]+)*#")
# What stands between the marks that keep it in order.
_KEPT = re.compile("\u200e([^\u200e]*)\u200e")
_SPLIT_DIGITS = re.compile(r"[0-9۰-۹][- ][0-9۰-۹]")
_ARABIC = re.compile("[يىك]")
_ARABIC_DIGIT = re.compile("[٠-٩]")
_DIGITS_TOGETHER = "Write the digits together, or «تا» between them"

Place = tuple[int, int]


def illegible(name: str, language: str, text: str, place: Place) -> Iterator[Fault]:
    """What reads wrong in a text as a caller gets it, line ends and all."""
    if not text.strip():
        yield Fault(*place, f"{name} ({language}) is empty", "Write its text")
    if language != "fa":
        return
    if _ARABIC.search(text):
        what = f"{name} has an Arabic ي or ك"
        yield Fault(*place, what, "Write the Persian ی and ک")
    if _ARABIC_DIGIT.search(text):
        what = f"{name} has an Arabic digit"
        yield Fault(*place, what, "Write the Persian ۰ to ۹")
    if _BARE_CODE.search(text) or _REVERSED_CODE.search(text):
        what = f"{name} has a dial code that right-to-left text turns around"
        yield Fault(*place, what, "Write it as a slot: {pay|dialled}")
    if any(not _WHOLE_CODE.fullmatch(said) for said in _KEPT.findall(text)):
        what = f"{name} writes as a dial code what is none"
        yield Fault(*place, what, "Take out `|dialled`, or name call or pay")
    if _SPLIT_DIGITS.search(text.replace("\n", "|")):
        what = f"{name} splits a number by a hyphen or a space"
        yield Fault(*place, what, _DIGITS_TOGETHER)


def label_illegible(
    name: str, language: str, label: str, place: Place
) -> Iterator[Fault]:
    """What reads wrong in what stands behind a key."""
    yield from illegible(name, language, label, place)
    if label[:1].isdecimal():
        what = f"{name} begins with a figure, and both read as one number"
        yield Fault(*place, what, "Begin it with a word")
