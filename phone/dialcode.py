"""Dial codes such as *780*5588*1#, in the order the keys are pressed.

Persian text stores them backwards: an author turns the code around until it looks
right between right-to-left words, so #۱*۵۵۸۸*۷۸۰* is what a web page or a spreadsheet
holds. Inside ours a code has one form: ASCII, dial order, both ends present.
"""

from __future__ import annotations

import re

from phone.digits import fold_digits, visible

CHARS_MAX = 64
BARE_DIGITS_MAX = 6  # the longest code that Iranian carriers let

LRM = "\u200e"

_STARS = str.maketrans("٭＊∗＃", "***#")
_BODY = r"\d+(?:\*\d+)*"
_DIALLED = re.compile(rf"\*({_BODY})#?|({_BODY})#|(\d+(?:\*\d+)+)", re.ASCII)
_REVERSED = re.compile(rf"#({_BODY})\*", re.ASCII)
# The whole line right-to-left: the last group and its # come first, the rest turned.
_SEEN_ALONE = re.compile(rf"(\d+)#\*(?:({_BODY})\*)?", re.ASCII)
_BARE = re.compile(rf"\d{{1,{BARE_DIGITS_MAX}}}", re.ASCII)


class NotADialCode(ValueError):
    """This cannot be read as one dial code."""


def normalise(text: str) -> str:
    """Bring a dial code into dial order: *780*5588*1#.

    Takes Persian and Arabic digits, bidi marks, spaces, a missing first * or last #,
    the bare digits of a short code, the reversed #1*5588*780*, and 1#*5588*780* as a
    right-to-left line shows it. Raises NotADialCode, also for what could be read
    both ways, such as 780*5588*.
    """
    if len(text) > CHARS_MAX:
        raise NotADialCode(f"a dial code has at most {CHARS_MAX} characters")
    folded = "".join(fold_digits(visible(text)).translate(_STARS).split())
    code = f"*{'*'.join(_groups(folded))}#"
    if len(code) > CHARS_MAX:
        raise NotADialCode(f"a dial code has at most {CHARS_MAX} characters")
    return code


def parts(code: str) -> tuple[str, ...]:
    """Take a dial code apart: ("780", "5588", "1"). Raises NotADialCode."""
    return tuple(normalise(code)[1:-1].split("*"))


def wrapped(code: str) -> str:
    """Put U+200E on both sides, so that a code keeps its order in Persian text.

    The mark is the oldest that handsets obey; isolates came with Unicode 6.3.
    """
    return f"{LRM}{code}{LRM}"


def _groups(folded: str) -> list[str]:
    if dialled := _DIALLED.fullmatch(folded):
        body = dialled[1] or dialled[2] or dialled[3]
        return body.split("*")
    if backwards := _REVERSED.fullmatch(folded):
        return backwards[1].split("*")[::-1]
    if alone := _SEEN_ALONE.fullmatch(folded):
        rest = alone[2].split("*")[::-1] if alone[2] else []
        return [*rest, alone[1]]
    if _BARE.fullmatch(folded):
        return [folded]
    raise NotADialCode("a dial code looks like *780*5588*1#")
