"""The ways into a menu file that are no screens: shortcuts and keywords, read."""

from __future__ import annotations

from collections.abc import Iterable

from phone.digits import fold
from ussd.entries import Entries
from ussd.menus import Keyword, Shortcut
from ussd.nodes import Node
from ussd.pieces import string, strings

__all__ = ["Entrances", "words_of"]

KEYWORDS_MAX = 60
# The words that a keyword may have in a language, and the characters of each.
WORDS_MAX = 30
WORD_CHARS_MAX = 40


class Entrances(Entries):
    """Reads them; a fault is named at its node, and comes back empty."""

    def shortcuts(self, node: Node) -> dict[str, Shortcut]:
        """Named ways into the middle, with what they answer beforehand."""
        shortcuts = {}
        for key, value in node.mapping("shortcuts").items():
            entry = value.mapping(
                f"shortcut {key}", needs=("to",), takes=("set", "campaign")
            )
            shortcuts[key] = Shortcut(
                name=key,
                to=string(entry, "to"),
                set=strings(entry, "set"),
                campaign=string(entry, "campaign"),
                line=value.named,
                column=value.named_column,
            )
        return shortcuts

    def keywords(self, node: Node) -> dict[str, Keyword]:
        """What a text may begin with, and where each leads."""
        entries = node.mapping("keywords")
        if len(entries) > KEYWORDS_MAX:
            what = f"there are more than {KEYWORDS_MAX} keywords"
            node.fault(what, "Let people choose on a screen")
        return {key: self._keyword(key, value) for key, value in entries.items()}

    def _keyword(self, key: str, node: Node) -> Keyword:
        entry = node.mapping(
            f"keyword {key}",
            needs=("words",),
            takes=("to", "says", "rest", "press", "set", "campaign"),
        )
        if ("to" in entry) == ("says" in entry):
            what = f"keyword {key} leads nowhere"
            if "to" in entry:
                what = f"keyword {key} leads to a screen and says a text"
            node.fault_of_name(what, "Write either `to:`, a screen, or `says:`, a text")
        return Keyword(
            name=key,
            words=self._spellings(key, entry["words"]) if "words" in entry else {},
            to=string(entry, "to"),
            says=string(entry, "says"),
            rest=string(entry, "rest"),
            press=string(entry, "press"),
            set=strings(entry, "set"),
            campaign=string(entry, "campaign"),
            line=node.named,
            column=node.named_column,
        )

    def _spellings(self, key: str, node: Node) -> dict[str, tuple[str, ...]]:
        spelled = {}
        entries = node.mapping(f"words of {key}", needs=self.languages)
        for language, value in entries.items():
            words = [part.string("a word") for part in value.sequence("words")]
            if value.parts is not None and not 0 < len(words) <= WORDS_MAX:
                what = f"keyword {key} ({language}) has {len(words)} words"
                value.fault(what, f"Write 1 to {WORDS_MAX}")
            if any(len(word) > WORD_CHARS_MAX for word in words):
                what = f"a word of keyword {key} is longer than {WORD_CHARS_MAX}"
                value.fault(what, "Nobody types as much: shorten it")
            spelled[language] = tuple(words)
        return spelled


def words_of(keywords: Iterable[Keyword]) -> dict[str, str]:
    """Every word of theirs as it is compared, with the first keyword that has it."""
    words: dict[str, str] = {}
    for keyword in keywords:
        for spellings in keyword.words.values():
            for word in spellings:
                words.setdefault(fold(word), keyword.name)
    return words
