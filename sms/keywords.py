"""What a text that came in means, however it is spelled.

11 and 12 are what the operators themselves taught people to answer, so they are obeyed
on every line, before anything else reads the text. A whole text is such a word or it is
none: «۱۱۰» and a sentence that has «لغو» in it are not. Only then may a text begin with
a keyword of the menus, or be an answer.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from phone.digits import fold, fold_digits

__all__ = ["RESERVED", "Found", "Keyword", "answer", "find", "read"]

TEXT_CHARS_MAX = 40
# A text that is longer was written to a person, whatever it begins with.
FIND_CHARS_MAX = 160


class Keyword(StrEnum):
    """What the sender wants of the line it was sent to."""

    STOP = "stop"
    START = "start"


# As `fold` leaves them: Persian letters, ASCII digits, no space, lower case.
_WORDS = {
    fold(word): keyword
    for keyword, words in {
        Keyword.STOP: (
            "11",
            "لغو",
            "لغو11",
            "11لغو",
            "لغو پیامک",
            "لغو عضویت",
            "لغو اشتراک",
            "لغو پیامک ها",
            "لغو کن",
            "لغو کنید",
            "لغو شود",
            # As the operators' notice says it: «عدد ۱۱ را بفرستید».
            "عدد ۱۱",
            "توقف",
            "نفرست",
            "نفرستید",
            "دیگر نفرستید",
            "stop",
            "stop11",
            "stopall",
            "unsubscribe",
            # 47 CFR 64.1200(a)(10): each of these is a revocation by itself.
            "quit",
            "end",
            "revoke",
            "opt out",
            "opt-out",
            "cancel",
        ),
        Keyword.START: (
            "12",
            "وصل",
            "وصل12",
            "12وصل",
            "وصل پیامک",
            "شروع",
            "start",
            "start12",
            "unstop",
        ),
    }.items()
    for word in words
}


_YES = frozenset(
    map(fold, ("بله", "بلی", "آره", "تایید", "yes", "y", "ok", "okay", "confirm"))
)
_NO = frozenset(map(fold, ("خیر", "نه", "no", "n")))

# Words that a text is read as before any keyword, folded, and why.
RESERVED: Mapping[str, str] = {
    **dict.fromkeys(_YES | _NO, "answers a question"),
    **{word: f"{keyword}s texts" for word, keyword in _WORDS.items()},
}


@dataclass(frozen=True, slots=True)
class Found:
    """The keyword that a text begins with, and what follows it, as it was written."""

    name: str
    rest: str


def read(text: str) -> Keyword | None:
    """Say whether a whole text stops or starts; quotes and dots around it are dust."""
    return _WORDS.get(_bare(text)) if len(text) <= TEXT_CHARS_MAX else None


def find(text: str, words: Mapping[str, str]) -> Found | None:
    """Say which keyword a text begins with: the longest, up to the end of a word.

    `words` are folded words and the name of the keyword each is. A figure that runs on
    from another is not understood: `1+150000` and `1+1.5` have two readings. None for
    what stops or starts texts, and for more than 160 characters.
    """
    if len(text) > FIND_CHARS_MAX or read(text) is not None:
        return None
    longest = max(map(len, words), default=0)
    folded, found = "", None
    for at, char in enumerate(text):
        # Folding goes letter by letter, so what is folded so far is the fold of it all.
        folded += fold(char)
        if not folded or not folded[0].isalnum():
            folded = ""
        elif len(folded) > longest:
            break
        elif folded in words and _ends_word(folded[-1], text[at + 1 :]):
            found = Found(words[folded], _rest(text[at + 1 :]))
    return found


def answer(text: str, *, asks: bool = False) -> str:
    """Fold an answer to a key: «۱.» and «بله» are 1, «خیر» is 0; else it is as written.

    At a screen that `asks` a question words stay words: «نه» may be a town, and a
    question of yes and no reads them by itself. What stops or starts texts is no answer
    and stays as it is.
    """
    if len(text) > TEXT_CHARS_MAX or read(text) is not None:
        return text
    figures = _rest(fold_digits(text))
    if figures.isascii() and figures.isdecimal():
        return figures
    bare = _bare(text)
    if not asks and bare in _YES:
        return "1"
    if not asks and bare in _NO:
        return "0"
    return text


def _bare(text: str) -> str:
    """A text as it is compared, without the dust around it."""
    folded = fold(text)
    while folded and not folded[0].isalnum():
        folded = folded[1:]
    while folded and not folded[-1].isalnum():
        folded = folded[:-1]
    return folded


# What may stand between a keyword and what follows it, beside spaces.
_BETWEEN = ":;,.،؛=-–—_/!?؟«»\"'()[]"
# Between two figures these belong to a number.
_IN_NUMBERS = ",.،/"
_BEFORE_REST = ":;,.،؛=«»\"'()[]!?؟"
_ZWNJ = "\u200c"


def _ends_word(last: str, after: str) -> bool:
    """Whether a word whose last letter or figure is `last` ends before `after`."""
    unseen = 0
    while unseen < len(after) and _is_unseen(after[unseen]):
        unseen += 1
    joined, after = after[:unseen], after[unseen:]
    if not after or after[0].isspace():
        return True
    if after[0] in _BETWEEN:
        runs_on = last.isdecimal() and after[1:2].isdecimal()
        return not (runs_on and after[0] in _IN_NUMBERS)
    if not after[0].isalnum():
        return False
    if after[0].isdecimal() == last.isdecimal():
        # Within a word ZWNJ joins; between figures somebody meant a space.
        return last.isdecimal() and _ZWNJ in joined
    return True


def _is_unseen(char: str) -> bool:
    """Marks, joiners and tatweel, which belong to the letter before them."""
    return not char.isspace() and fold(char) == ""


def _rest(text: str) -> str:
    """A text without the dust before it and behind: what follows a keyword, say."""
    kept = "".join(c for c in text if unicodedata.category(c) != "Cf" or c == _ZWNJ)
    kept = kept.lstrip(_BEFORE_REST + _ZWNJ + " \t\r\n\xa0")
    return kept.rstrip(".!?؟،؛;:»\"'" + _ZWNJ + " \t\r\n\xa0")
