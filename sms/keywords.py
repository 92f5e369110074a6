"""The words that stop and start texts, however they are spelled.

11 and 12 are what the operators themselves taught people to answer, so they are obeyed
on every line, before anything else reads the text. A whole text is a keyword or it is
none: «۱۱۰» and a sentence that has «لغو» in it are not.
"""

from __future__ import annotations

from enum import StrEnum

from phone.digits import fold

__all__ = ["Keyword", "read"]

TEXT_CHARS_MAX = 40


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
            "توقف",
            "stop",
            "stop11",
            "stopall",
            "unsubscribe",
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


def read(text: str) -> Keyword | None:
    """Say which keyword a whole text is, if any; quotes and dots around it are dust."""
    if len(text) > TEXT_CHARS_MAX:
        return None
    folded = fold(text)
    while folded and not folded[0].isalnum():
        folded = folded[1:]
    while folded and not folded[-1].isalnum():
        folded = folded[:-1]
    return _WORDS.get(folded)
