"""The menus as boxes and links, for whoever draws them.

A box is a screen; a link is a key, an answer or a condition that leads from it. What
is drawn is what the file says: slots stay as `{amount}`, and only what the campaign
itself fixes, such as the words of a preset, is filled in.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from phone.dialcode import parts
from ussd.menus import RESERVED, Choice, Kind, Menus, Screen
from ussd.templates import Template

__all__ = [
    "MAIN",
    "Box",
    "Graph",
    "Link",
    "Shape",
    "How",
    "graph_of",
    "is_right_to_left",
]

# The part of the menus that belongs to no flow.
MAIN = "main"
# Names before the first dot that so many screens share are a flow of the drawing,
# even where the file declares none.
FLOW_SCREENS_MIN = 3

_SLOT = re.compile(r"\{([^{}]*)\}")
_ISOLATE = re.compile("\u2066[^\u2069]*\u2069")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_NAME = re.compile(r"[A-Za-z_]\w*")


class Shape(StrEnum):
    """What a screen is, by what its caller can do there."""

    MENU = "menu"
    QUESTION = "question"
    LIST = "list"
    CONFIRM = "confirm"
    END = "end"


class How(StrEnum):
    """How a link is gone: by a key, by an answer, or by what is so."""

    KEY = "key"
    ANSWER = "answer"
    REFUSED = "refused"
    OTHERWISE = "otherwise"
    EMPTY = "empty"
    INSTEAD = "instead"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Link:
    """One way out of a screen. `when` is the condition it hangs on, `do` its effect.

    `via` is the screen it leads to first, if it goes on to `to` only afterwards.
    """

    to: str
    how: How
    key: str = ""
    label: str = ""
    when: str = ""
    do: str = ""
    via: str = ""

    @property
    def target(self) -> str:
        """The screen the caller sees next."""
        return self.via or self.to

    @property
    def said(self) -> str:
        """What is pressed, typed, or so, for the link to be gone."""
        match self.how:
            case How.KEY:
                return f"{self.key} {self.label}".strip()
            case How.OTHERWISE:
                return f"{self.do}: {self.label}"
            case How.EMPTY:
                return "nothing to list"
            case How.INSTEAD:
                return f"if {self.when}"
            case How.WRONG:
                return self.label
        return f"{self.how}: {self.label}"

    @property
    def leads(self) -> str:
        """The screen it leads to, and the one after that if it goes `via` another."""
        return f"→ {self.via} › {self.to}" if self.via else f"→ {self.to}"

    @property
    def is_main(self) -> bool:
        """Whether it leads on; the rest leads back, or aside if something is amiss."""
        leads = self.how in (How.KEY, How.ANSWER) and self.key != "0"
        return leads and self.target not in RESERVED


@dataclass(frozen=True, slots=True)
class Box:
    name: str
    flow: str
    shape: Shape
    text: str
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """Every screen in file order, and the codes that open them."""

    language: str
    start: str
    boxes: Mapping[str, Box]
    # (code, screen)
    dialled: tuple[tuple[str, str], ...]
    # In the order in which a caller can come to them.
    flows: tuple[str, ...]
    # Flow -> what the file calls it, where it does.
    titles: Mapping[str, str]

    def of_flow(self, flow: str) -> tuple[Box, ...]:
        return tuple(box for box in self.boxes.values() if box.flow == flow)

    def lacks(self, link: Link) -> bool:
        """Whether a link leads to a screen that is missing."""
        return link.target not in self.boxes and link.target not in RESERVED

    def flow_of(self, screen: str) -> str:
        """The flow of a screen; "" for what is no screen."""
        return self.boxes[screen].flow if screen in self.boxes else ""


def graph_of(menus: Menus, language: str) -> Graph:
    """The graph of `menus`, with its words in one of their languages."""
    words = _words(menus, language)
    belongs = _flows(menus)
    boxes = {
        name: Box(
            name,
            belongs[name],
            _shape(screen),
            _said(screen.variants[0].text[language], words),
            tuple(_links(menus, screen, language, words)),
        )
        for name, screen in menus.screens.items()
    }
    dialled = tuple((code, led.to) for code, led in menus.dialled.items())
    flows = _ordered(boxes, menus.start)
    titles = {name: flow.title.get(language, "") for name, flow in menus.flows.items()}
    return Graph(language, menus.start, boxes, dialled, flows, titles)


def is_right_to_left(text: str) -> bool:
    """Whether a text is read from the right, as its first letter outside slots is."""
    for char in _ISOLATE.sub("", text):
        kind = unicodedata.bidirectional(char)
        if kind in ("L", "R", "AL"):
            return kind != "L"
    return False


def _shape(screen: Screen) -> Shape:
    if screen.ends:
        return Shape.END
    if screen.confirm:
        return Shape.CONFIRM
    if screen.listed:
        return Shape.LIST
    return Shape.QUESTION if screen.ask is not None else Shape.MENU


def _flows(menus: Menus) -> dict[str, str]:
    """Screen -> flow: the declared one, or what stands before its first dot."""
    declared = {name: menus.flow_of(name) for name in menus.screens}
    prefixes = {name: name.partition(".")[0] for name in menus.screens}
    shared = Counter(prefixes.values())
    home = menus.start.partition(".")[0]
    return {
        name: declared[name]
        or (prefix if prefix != home and shared[prefix] >= FLOW_SCREENS_MIN else MAIN)
        for name, prefix in prefixes.items()
    }


def _ordered(boxes: Mapping[str, Box], start: str) -> tuple[str, ...]:
    """Flows as they are met from the start, then those that are never met."""
    queue = [start] if start in boxes else []
    seen = set(queue)
    for name in queue:
        for link in boxes[name].links:
            if link.target in boxes and link.target not in seen:
                seen.add(link.target)
                queue.append(link.target)
    names = [*queue, *boxes]
    return tuple(dict.fromkeys(boxes[name].flow for name in names))


def _links(
    menus: Menus, screen: Screen, language: str, words: Mapping[str, str]
) -> Iterator[Link]:
    for choice in screen.choices:
        yield from _of_choice(choice, language, words)
    if screen.listed:
        yield Link(screen.then, How.ANSWER, label=screen.listed, via=screen.via)
    if screen.ask is not None and screen.ask.kind is Kind.DIAL:
        yield from _dialled_on(menus, screen.name)
    elif screen.ask is not None:
        yield Link(screen.then, How.ANSWER, label=screen.ask.kind, via=screen.via)
    if screen.ask is not None:
        for reason, to in screen.ask.refused.items():
            yield Link(to, How.REFUSED, label=reason)
    if screen.empty:
        yield Link(screen.empty, How.EMPTY)
    for condition, to in screen.instead:
        yield Link(to, How.INSTEAD, when=condition.source)
    if screen.wrong_to:
        yield Link(screen.wrong_to, How.WRONG, label=f"{screen.wrong_max} wrong keys")


def _of_choice(
    choice: Choice, language: str, words: Mapping[str, str]
) -> Iterator[Link]:
    label = _said(choice.label[language], words) if choice.label else ""
    when = choice.when.source
    yield Link(choice.to, How.KEY, choice.key, label, when, choice.do, choice.via)
    for outcome, to in choice.otherwise.items():
        yield Link(to, How.OTHERWISE, choice.key, outcome, do=choice.do)


def _dialled_on(menus: Menus, screen: str) -> Iterator[Link]:
    """Where the rest of a dial code leads, typed on the screen of its beginning."""
    opened = [parts(code) for code, led in menus.dialled.items() if led.to == screen]
    for code, led in menus.dialled.items():
        rest = [
            parts(code)[len(begun) :]
            for begun in opened
            if parts(code)[: len(begun)] == begun and parts(code) != begun
        ]
        if rest:
            yield Link(led.to, How.ANSWER, label=min(map("*".join, rest), key=len))


def _words(menus: Menus, language: str) -> Mapping[str, str]:
    """What the first campaign fixes, by the slots that say it."""
    campaign = menus.campaign
    words = {
        "campaign_title": campaign.title.get(language, ""),
        "organiser": campaign.organiser.get(language, ""),
    }
    for number, (_, said) in enumerate(campaign.presets, start=1):
        words[f"preset{number}"] = said.get(language, "")
    return words


def _said(template: Template, words: Mapping[str, str]) -> str:
    """A text with its slots by name; the isolates keep `{amount}` whole in Persian."""
    right_to_left = is_right_to_left(_SLOT.sub("", template.source))

    def named(match: re.Match[str]) -> str:
        inside = match[1].strip()
        if words.get(inside):
            return words[inside]
        names = _NAME.findall(_QUOTED.sub("", inside))
        slot = "{" + (names[0] if names else "…") + "}"
        return f"\u2066{slot}\u2069" if right_to_left else slot

    return _SLOT.sub(named, template.source)
