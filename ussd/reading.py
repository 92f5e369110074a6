"""Read a menu file into `Menus`, or name every fault in it with its line.

The keys understood here are the menu language; `docs/write-menus.md` teaches it.
What needs the whole file at once (targets, reachability, lengths) is the prover's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ussd.faults import BadMenus
from ussd.menus import (
    EFFECTS,
    FACTS,
    Ask,
    Campaign,
    Choice,
    Kind,
    Limits,
    Menus,
    Screen,
    TextMessage,
    Variant,
)
from ussd.nodes import Node, parse
from ussd.pieces import Pieces, string, strings
from ussd.templates import Condition, Template

__all__ = ["hash_of", "read"]

LANGUAGES_MAX = 8
LIMIT_MAX = 1_000
TEXT_KINDS = ("receipt", "service", "campaign")
NOTICES = (
    *("wrong", "err", "busy", "unsure", "bye", "card", "unknown"),
    *("stands", "go_on", "more", "stop"),
)


def read(source: str, *, time_zone: str, name: str = "menus.yaml") -> Menus:
    """The menus that `source` (YAML text) holds; raises BadMenus with every fault.

    Campaign days are days of `time_zone`.
    """
    root, faults = parse(source, name)
    top = root.mapping(
        "the file",
        needs=("languages", "start", "dialled", "campaigns", "screens", "texts"),
        takes=("limits", "lists", "notices"),
    )
    languages = tuple(
        node.string("a language")
        for node in (
            top["languages"].sequence("languages") if "languages" in top else ()
        )
    )
    if not 0 < len(languages) <= LANGUAGES_MAX:
        root.fault("no language is named", f"Name 1 to {LANGUAGES_MAX} languages")
        raise BadMenus(faults, name)
    reader = _Reader(languages, time_zone)
    missing = Node(root.line, root.column, faults, items={})
    screens = reader.screens(top.get("screens", missing))
    lists = {
        key: reader.listed(key, node)
        for key, node in top.get("lists", missing).mapping("lists").items()
    }
    menus = Menus(
        hash=hash_of(source),
        languages=languages,
        start=top["start"].string("start") if "start" in top else "",
        limits=reader.limits(top.get("limits", missing)),
        dialled=reader.dialled(top.get("dialled", missing)),
        campaigns={
            key: reader.campaign(key, node)
            for key, node in top.get("campaigns", missing).mapping("campaigns").items()
        },
        screens=screens,
        texts={
            key: reader.text_message(key, node)
            for key, node in top.get("texts", missing).mapping("texts").items()
        },
        notices=reader.notices(top.get("notices", missing)),
        lists=lists,
        titles={
            language: {
                name: {value: words.get(language, value) for value, words in values}
                for name, values in lists.items()
            }
            for language in languages
        },
        lines={**reader.lines, **{(key, ""): node.named for key, node in top.items()}},
        blank=dict.fromkeys(_answers(screens.values()), ""),
    )
    if not menus.campaigns:
        root.fault("there is no campaign", "Add one under `campaigns:`")
    if faults:
        raise BadMenus(faults, name)
    return menus


def hash_of(source: str) -> str:
    """The name of a version: SHA-256 of its UTF-8 text, in hex."""
    return hashlib.sha256(source.encode()).hexdigest()


class _Reader(Pieces):
    def __init__(self, languages: tuple[str, ...], time_zone: str) -> None:
        super().__init__(languages, time_zone)
        # What `Menus.lines` says, found while reading.
        self.lines: dict[tuple[str, str], int] = {}

    # -- parts of the file, in its order ---------------------------------------

    def limits(self, node: Node) -> Limits:
        """Each from 1 to LIMIT_MAX."""
        names = tuple(Limits.__dataclass_fields__)
        given = {}
        for key, value in node.mapping("limits", takes=names).items():
            limit = value.whole(key)
            if not 1 <= limit <= LIMIT_MAX:
                value.fault(f"{key} is out of bounds", f"Write 1 to {LIMIT_MAX}")
            if key in names:
                given[key] = limit
        return Limits(**given)

    def dialled(self, node: Node) -> dict[str, tuple[str, str]]:
        """Dial code to (screen, campaign), the campaign "" where none is named."""
        led: dict[str, tuple[str, str]] = {}
        for key, value in node.mapping("dialled").items():
            code = self.dial_code(value, key)
            self.lines["dialled", code] = value.named
            if code in led:
                value.fault(f"{code} is dialled twice", "Take one of them out")
            if value.items is None:
                led[code] = (value.string("a screen"), "")
                continue
            entry = value.mapping(key, needs=("to",), takes=("campaign",))
            led[code] = (string(entry, "to"), string(entry, "campaign"))
        return led

    def campaign(self, key: str, node: Node) -> Campaign:
        self.lines["campaigns", key] = node.named
        entry = node.mapping(
            f"campaign {key}",
            needs=("title", "organiser", "permit", "contact", "call", "pay"),
            takes=("window", "paused", "unit", "min", "max", "presets"),
        )
        window = (
            entry["window"].mapping("window", takes=("from", "to"))
            if "window" in entry
            else {}
        )
        opens, opens_text = self.day(window.get("from"), last=False)
        closes, _ = self.day(window.get("to"), last=True)
        if opens and closes and closes <= opens:
            node.fault(f"campaign {key} closes before it opens", "Swap the two days")
        low = entry["min"].whole("min") if "min" in entry else 1
        high = entry["max"].whole("max") if "max" in entry else 0
        if high < low and "max" in entry:
            entry["max"].fault("max is below min", "Write the larger amount here")
        return Campaign(
            id=key,
            title=self.words(entry.get("title")),
            organiser=self.words(entry.get("organiser")),
            permit=string(entry, "permit"),
            contact=string(entry, "contact"),
            opens=opens,
            opens_text=opens_text,
            closes=closes,
            paused=entry["paused"].flag("paused") if "paused" in entry else False,
            unit=string(entry, "unit") or "rial",
            min=low,
            max=high,
            presets=tuple(
                self._preset(part)
                for part in (
                    entry["presets"].sequence("presets") if "presets" in entry else ()
                )
            ),
            call=self.dial_code(entry.get("call")),
            pay=self.dial_code(entry.get("pay")),
        )

    def screens(self, node: Node) -> dict[str, Screen]:
        """Every screen; `same` lends a screen what it does not say itself."""
        entries = node.mapping("screens")
        screens = {key: self.screen(key, value) for key, value in entries.items()}
        for key, value in entries.items():
            if value.items is None or "same" not in value.items:
                continue
            lender = screens.get(value.items["same"].string("same"))
            if lender is None:
                value.items["same"].fault(
                    "no such screen", "Name a screen of this file"
                )
                continue
            own = screens[key]
            screens[key] = replace(
                own,
                choices=own.choices or lender.choices,
                ask=own.ask or lender.ask,
                then=own.then or lender.then,
                instead=own.instead or lender.instead,
            )
        return {key: replace(s, needs=_needs(s)) for key, s in screens.items()}

    def screen(self, key: str, node: Node) -> Screen:
        entry = node.mapping(
            f"screen {key}",
            takes=(
                *("text", "choices", "ask", "then", "list", "item"),
                *("pick", "empty", "instead", "confirm", "end", "same"),
            ),
        )
        return Screen(
            name=key,
            variants=self._variants(entry.get("text"), node, key),
            choices=self._choices(entry.get("choices")),
            ask=self._ask(entry["ask"]) if "ask" in entry else None,
            then=string(entry, "then"),
            listed=string(entry, "list"),
            item=self.texts(entry["item"]) if "item" in entry else {},
            pick=string(entry, "pick"),
            empty=string(entry, "empty"),
            instead=self._instead(entry.get("instead")),
            confirm=entry["confirm"].flag("confirm") if "confirm" in entry else False,
            ends=entry["end"].flag("end") if "end" in entry else False,
            line=node.named,
        )

    def text_message(self, key: str, node: Node) -> TextMessage:
        entry = node.mapping(
            f"text {key}",
            needs=("kind", "text"),
            takes=("stop_line", "expires_hours"),
        )
        kind = string(entry, "kind")
        if kind not in TEXT_KINDS:
            node.fault(
                f"text {key} is of no known kind", f"Use {', '.join(TEXT_KINDS)}"
            )
        return TextMessage(
            name=key,
            kind=kind,
            text=self.texts(entry["text"]) if "text" in entry else {},
            stop_line=(
                entry["stop_line"].flag("stop_line") if "stop_line" in entry else False
            ),
            expires_hours=(
                entry["expires_hours"].whole("expires_hours")
                if "expires_hours" in entry
                else 24
            ),
            line=node.named,
        )

    def notices(self, node: Node) -> dict[str, Mapping[str, Template]]:
        entries = node.mapping("notices", needs=NOTICES)
        self.lines |= {("notices", key): value.named for key, value in entries.items()}
        return {key: self.texts(value) for key, value in entries.items()}

    def listed(self, key: str, node: Node) -> tuple[tuple[str, Mapping[str, str]], ...]:
        self.lines["lists", key] = node.named
        entries = node.mapping(f"list {key}")
        return tuple((value, self.words(words)) for value, words in entries.items())

    # -- smaller pieces ---------------------------------------------------------

    def _variants(
        self, node: Node | None, screen: Node, name: str
    ) -> tuple[Variant, ...]:
        if node is None:
            screen.fault(f"screen {name} has no text", "Add `text:` to it")
            return ()
        if node.parts is None:
            return (Variant(Condition(""), self.texts(node)),)
        variants = []
        for part in node.parts:
            entry = part.mapping("a wording", takes=("when", *self.languages))
            words = {key: value for key, value in entry.items() if key != "when"}
            bare = Node(part.line, part.column, part.faults, items=words)
            when = self.condition(entry.get("when"))
            variants.append(Variant(when, self.texts(bare)))
        return tuple(variants)

    def _choices(self, node: Node | None) -> tuple[Choice, ...]:
        return tuple(
            self._choice(part)
            for part in (node.sequence("choices") if node is not None else ())
        )

    def _choice(self, node: Node) -> Choice:
        entry = node.mapping(
            "a choice",
            needs=("key", "to"),
            takes=("label", "when", "set", "do", "campaign", "otherwise"),
        )
        do = string(entry, "do")
        if do and do not in EFFECTS:
            entry["do"].fault(f"nothing does {do!r}", f"Use {', '.join(EFFECTS)}")
        key = string(entry, "key")
        if not (key.isascii() and key.isdecimal() and len(key) <= 2):
            node.fault(f"{key!r} is no key", 'Write one or two digits, as key: "1"')
        return Choice(
            key=key,
            label=self.texts(entry["label"]) if "label" in entry else {},
            to=string(entry, "to"),
            when=self.condition(entry.get("when")),
            set=(
                {
                    name: self.template(value)
                    for name, value in entry["set"].mapping("set").items()
                }
                if "set" in entry
                else {}
            ),
            do=do,
            campaign=string(entry, "campaign"),
            otherwise=strings(entry, "otherwise"),
            line=node.line,
        )

    def _ask(self, node: Node) -> Ask:
        entry = node.mapping(
            "ask", needs=("answer", "kind"), takes=("min", "max", "set", "refused")
        )
        kind = string(entry, "kind")
        if kind not in list(Kind):
            node.fault(f"no question is of kind {kind!r}", f"Use {', '.join(Kind)}")
            kind = Kind.TEXT
        return Ask(
            answer=string(entry, "answer"),
            kind=Kind(kind),
            min=entry["min"].whole("min") if "min" in entry else 0,
            max=entry["max"].whole("max") if "max" in entry else 0,
            set=strings(entry, "set"),
            refused=strings(entry, "refused"),
        )

    def _instead(self, node: Node | None) -> tuple[tuple[Condition, str], ...]:
        led = []
        for part in node.sequence("instead") if node is not None else ():
            entry = part.mapping("instead", needs=("when", "to"))
            led.append((self.condition(entry.get("when")), string(entry, "to")))
        return tuple(led)

    def _preset(self, node: Node) -> tuple[int, Mapping[str, str]]:
        entry = node.mapping("a preset", needs=("amount", "words"))
        amount = entry["amount"].whole("amount") if "amount" in entry else 0
        return amount, self.words(entry.get("words"))


def _answers(screens: Iterable[Screen]) -> Iterator[str]:
    """The names of all answers that some screen can give."""
    yield from ("dialled", "meant", "code")
    for screen in screens:
        if screen.ask is not None:
            yield screen.ask.answer
            yield from screen.ask.set
        if screen.pick:
            yield screen.pick
        for choice in screen.choices:
            yield from choice.set


def _needs(screen: Screen) -> tuple[str, ...]:
    names = screen.names()
    return tuple(group for group, facts in FACTS.items() if names & set(facts))
