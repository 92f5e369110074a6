"""Read a menu file into `Menus`, or name every fault in it with its line.

The keys understood here are the menu language; `docs/write-menus.md` teaches it.
What needs the whole file at once (targets, reachability, lengths) is the prover's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping

from ussd.campaigns import Appeals, cohorts_of
from ussd.entrances import Entrances, words_of
from ussd.faults import BadMenus
from ussd.latin import apart, titles_of
from ussd.menus import (
    COHORTS,
    Flow,
    Keyword,
    Limits,
    Menus,
    Opening,
    Resume,
    Screen,
    Shortcut,
    TextMessage,
)
from ussd.nodes import Node, parse
from ussd.pieces import flag, string, whole
from ussd.templates import Template

__all__ = ["hash_of", "read"]

LANGUAGES_MAX = 8
LIMIT_MAX = 1_000
RESUME_MINUTES = 15
RESUME_MINUTES_MAX = 1_440
EXPIRES_HOURS = 24
# A desk that answers in more parts than this should ring.
PARTS_MAX = 6
TEXT_KINDS = ("receipt", "service", "campaign")
NOTICES = (
    *("wrong", "err", "busy", "unsure", "bye", "card", "unknown"),
    *("stands", "go_on", "more", "stop", "yes", "no"),
    *("resume", "afresh", "leave"),
)


def read(source: str, *, time_zone: str, name: str = "menus.yaml") -> Menus:
    """The menus that `source` (YAML text) holds; raises BadMenus with every fault.

    Campaign days are days of `time_zone`.
    """
    root, faults = parse(source, name)
    top = root.mapping(
        "the file",
        needs=("languages", "start", "dialled", "campaigns", "screens", "texts"),
        takes=("limits", "lists", "notices", "flows", "shortcuts", "keywords"),
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
    notices = reader.notices(top.get("notices", missing))
    screens = reader.screens(top.get("screens", missing), notices)
    limits = reader.limits(top.get("limits", missing))
    shortcuts = reader.shortcuts(top.get("shortcuts", missing))
    keywords = reader.keywords(top.get("keywords", missing))
    flows = reader.flows(top.get("flows", missing), limits)
    flow_names = {
        name: flow
        for name in screens
        if (flow := name.partition(".")[0]) in flows and "." in name
    }
    listed = top.get("lists", missing).mapping("lists")
    lists = {key: reader.listed(key, node) for key, node in listed.items()}
    appeals = top.get("campaigns", missing)
    campaigns = {
        key: reader.campaign(key, node)
        for key, node in appeals.mapping("campaigns").items()
    }
    if cohorts := cohorts_of(campaigns.values(), listed, appeals):
        lists[COHORTS] = cohorts
    menus = Menus(
        hash=hash_of(source),
        languages=languages,
        start=top["start"].string("start") if "start" in top else "",
        limits=limits,
        dialled=reader.dialled(top.get("dialled", missing), shortcuts),
        campaigns=campaigns,
        screens=screens,
        texts={
            key: reader.text_message(key, node)
            for key, node in top.get("texts", missing).mapping("texts").items()
        },
        notices=notices,
        lists=lists,
        titles=titles_of(lists, languages),
        places={
            **reader.places,
            **{(key, ""): _place(node) for key, node in top.items()},
        },
        blank=dict.fromkeys(
            _answers(screens.values(), [*shortcuts.values(), *keywords.values()]), ""
        ),
        flows=flows,
        shortcuts=shortcuts,
        flow_names=flow_names,
        sensitive=_sensitive(screens, flow_names),
        figures={key: "fa" if key == "fa" else "en" for key in languages},
        keywords=keywords,
        words=words_of(keywords.values()),
        time_zone=time_zone,
    )
    if not menus.campaigns:
        root.fault("there is no campaign", "Add one under `campaigns:`")
    if faults:
        raise BadMenus(faults, name)
    return apart(menus, reader.shortened)


def hash_of(source: str) -> str:
    """The name of a version: SHA-256 of its UTF-8 text, in hex."""
    return hashlib.sha256(source.encode()).hexdigest()


class _Reader(Appeals, Entrances):
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

    def dialled(
        self, node: Node, shortcuts: Mapping[str, Shortcut]
    ) -> dict[str, Opening]:
        """Dial code to what it opens: a screen, or a shortcut by its name."""
        led: dict[str, Opening] = {}
        for key, value in node.mapping("dialled").items():
            code = self.dial_code(value, key)
            self.places["dialled", code] = _place(value)
            if code in led:
                value.fault(f"{code} is dialled twice", "Take one of them out")
            if value.items is None:
                to = value.string("a screen")
                led[code] = _opening(shortcuts[to]) if to in shortcuts else Opening(to)
                continue
            entry = value.mapping(key, needs=("to",), takes=("campaign",))
            led[code] = Opening(string(entry, "to"), string(entry, "campaign"))
        return led

    def flows(self, node: Node, limits: Limits) -> dict[str, Flow]:
        """The flows that are declared, each with its own limits."""
        flows = {}
        for key, value in node.mapping("flows").items():
            entry = value.mapping(
                f"flow {key}",
                needs=("title",),
                takes=("resume", "resume_minutes", "turns_max", "cut_off", "campaign")
                + ("private",),
            )
            resume = string(entry, "resume") or Resume.OFF
            if resume not in list(Resume):
                words = ", ".join(Resume)
                entry["resume"].fault(f"nothing resumes {resume!r}", f"Use {words}")
                resume = Resume.OFF
            flows[key] = Flow(
                name=key,
                title=self.words(entry.get("title")),
                resume=Resume(resume),
                resume_minutes=_bounded(
                    entry, "resume_minutes", RESUME_MINUTES, RESUME_MINUTES_MAX
                ),
                turns_max=_bounded(entry, "turns_max", limits.turns_max, LIMIT_MAX),
                cut_off=string(entry, "cut_off"),
                campaign=string(entry, "campaign"),
                private=string(entry, "private"),
                line=value.named,
                column=value.named_column,
            )
        return flows

    def text_message(self, key: str, node: Node) -> TextMessage:
        entry = node.mapping(
            f"text {key}",
            needs=("kind", "text"),
            takes=("stop_line", "expires_hours", "parts_max"),
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
            stop_line=flag(entry, "stop_line"),
            expires_hours=whole(entry, "expires_hours", EXPIRES_HOURS),
            parts_max=_bounded(entry, "parts_max", 1, PARTS_MAX),
            line=node.named,
            column=node.named_column,
        )

    def notices(self, node: Node) -> dict[str, Mapping[str, Template]]:
        entries = node.mapping("notices", needs=NOTICES)
        self.places |= {("notices", k): _place(value) for k, value in entries.items()}
        return {key: self.texts(value) for key, value in entries.items()}

    def listed(self, key: str, node: Node) -> tuple[tuple[str, Mapping[str, str]], ...]:
        self.places["lists", key] = _place(node)
        entries = node.mapping(f"list {key}")
        return tuple((value, self.words(words)) for value, words in entries.items())


def _place(node: Node) -> tuple[int, int]:
    return node.named, node.named_column


def _opening(shortcut: Shortcut) -> Opening:
    return Opening(shortcut.to, shortcut.campaign, shortcut.set, shortcut.name)


def _bounded(entry: Mapping[str, Node], key: str, default: int, most: int) -> int:
    value = whole(entry, key, default)
    if key in entry and not 1 <= value <= most:
        entry[key].fault(f"{key} is out of bounds", f"Write 1 to {most}")
    return value


def _answers(
    screens: Iterable[Screen], opened: Iterable[Shortcut | Keyword]
) -> Iterator[str]:
    """The names of all answers that a screen, a shortcut or a keyword can give."""
    yield from ("dialled", "meant", "code")
    for one in opened:
        yield from one.set
    for screen in screens:
        if screen.ask is not None:
            yield screen.ask.answer
            yield from screen.ask.set
        if screen.pick:
            yield screen.pick
        for choice in screen.choices:
            yield from choice.set


def _sensitive(
    screens: Mapping[str, Screen], flow_names: Mapping[str, str]
) -> dict[str, frozenset[str]]:
    """The answers that are forgotten when a flow is left, by the flow."""
    named: dict[str, set[str]] = {}
    for name, screen in screens.items():
        if screen.asks_sensitive:
            named.setdefault(flow_names.get(name, ""), set()).add(screen.asks_sensitive)
    return {flow: frozenset(names) for flow, names in named.items()}
