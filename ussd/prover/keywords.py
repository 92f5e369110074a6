"""The words that a text may begin with: that each is understood, and leads somewhere.

No keyword comes past a confirm screen: where it leads is proved with all that can be
dialled (`proof`), with the answers it gives beforehand (`supplies`, `values`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from phone.digits import fold
from ussd.deeds import CONVERSATION_TEXTS
from ussd.faults import Fault
from ussd.menus import Keyword, Kind, Menus, Screen

__all__ = ["keyword_faults", "keyword_name_faults"]

_NAME = "Correct the name, or add what it names"


def keyword_name_faults(menus: Menus) -> Iterator[Fault]:
    """Screens, texts and campaigns that keywords name and that do not exist."""
    for keyword in menus.keywords.values():
        place, who = (keyword.line, keyword.column), f"the keyword {keyword.name}"
        for to in dict.fromkeys((keyword.to, keyword.rest)):
            if to and to not in menus.screens:
                yield Fault(*place, f"{who} leads to {to!r}, which is no screen", _NAME)
        if keyword.says and keyword.says not in menus.texts:
            what = f"{who} says {keyword.says!r}, which is no text"
            yield Fault(*place, what, f"Write {keyword.says} under `texts:`")
        if keyword.campaign and keyword.campaign not in menus.campaigns:
            what = f"{who} is of no campaign {keyword.campaign!r}"
            yield Fault(*place, what, _NAME)
    for text in CONVERSATION_TEXTS if menus.keywords else ():
        if text not in menus.texts:
            place = menus.places["keywords", ""]
            what = f"there are keywords, and no text {text!r} to answer with"
            yield Fault(*place, what, f"Write {text} under `texts:`")


def keyword_faults(menus: Menus, reserved: Mapping[str, str]) -> Iterator[Fault]:
    """Words that are never read as this keyword, and answers that go nowhere.

    `reserved` are folded words that are read before any keyword, and what each does.
    """
    owners: dict[str, str] = {}
    for keyword in menus.keywords.values():
        place = (keyword.line, keyword.column)
        for what, remedy in _unread(keyword, owners, reserved):
            yield Fault(*place, f"keyword {keyword.name}: {what}", remedy)
        if keyword.rest and not _asks(menus, menus.screens[keyword.rest]):
            what = f"keyword {keyword.name}: {keyword.rest} asks nothing, so that what "
            what += "follows the word is lost"
            yield Fault(*place, what, "Name a screen with a question, or no `rest:`")
        if keyword.says and menus.texts[keyword.says].kind == "campaign":
            what = f"keyword {keyword.name} is answered by a campaign text"
            yield Fault(*place, what, f"Make {keyword.says} a service text")
        if keyword.press:
            yield from _pressed(menus, keyword)


def _unread(
    keyword: Keyword, owners: dict[str, str], reserved: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """What is wrong with its words, and what to do; `owners` are those seen so far."""
    another = "Choose another word, or take it out"
    for language, words in keyword.words.items():
        seen = set[str]()
        for word in words:
            folded = fold(word)
            if not folded or not (folded[0].isalnum() and folded[-1].isalnum()):
                yield (
                    f"the word {word!r} begins or ends with no letter or figure",
                    "Write it as people type it, without signs around it",
                )
            elif folded in reserved:
                yield f"the word {word!r} {reserved[folded]} before all else", another
            elif folded.isdecimal():
                yield f"the word {word!r} is a number, which is an answer", another
            elif folded in seen:
                yield f"the word {word!r} stands twice in {language}", another
            elif owners.setdefault(folded, keyword.name) != keyword.name:
                owner = owners[folded]
                yield f"the word {word!r} is also one of keyword {owner}", another
            seen.add(folded)


def _asks(menus: Menus, screen: Screen) -> bool:
    """Whether what follows a word can be an answer there."""
    asks = screen.ask is not None and screen.ask.kind is not Kind.DIAL
    return (asks or screen.listed in menus.lists) and not screen.confirm


def _pressed(menus: Menus, keyword: Keyword) -> Iterator[Fault]:
    """A key that is pressed unread may do something light, and agree to nothing."""
    place, who = (keyword.line, keyword.column), f"keyword {keyword.name}"
    screen = menus.screens.get(keyword.to)
    if screen is None:
        what = f"{who} presses key {keyword.press} on no screen"
        yield Fault(*place, what, "Name the screen by `to:`")
        return
    found = [choice for choice in screen.choices if choice.key == keyword.press]
    if not found:
        what = f"{who} presses key {keyword.press}, which {screen.name} does not have"
        yield Fault(*place, what, "Use one of its keys")
    elif screen.confirm or any(choice.consent for choice in found):
        what = f"{who} agrees on {screen.name}, which nobody has read by then"
        yield Fault(*place, what, "Take out `press:`: let people answer it themselves")
    elif not all(choice.do for choice in found):
        what = f"{who} presses key {keyword.press} of {screen.name}, which does nothing"
        yield Fault(*place, what, "Name the screen that it leads to by `to:`")
