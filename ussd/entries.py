"""The `screens:` of a menu file, read: wordings, choices, questions and lists.

A question answered by yes or no gets its two keys here, so that nothing after it
needs to know of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from phone.amounts import Unit
from ussd.facts import FACTS
from ussd.menus import (
    BACK,
    EFFECTS,
    RESERVED,
    Ask,
    Choice,
    Kind,
    Screen,
    Variant,
)
from ussd.nodes import Node
from ussd.pieces import Pieces, flag, string, strings, whole
from ussd.templates import Condition, Template

__all__ = ["WRONG_MAX", "Entries"]

# Wrong keys in a row that a screen may bear before it leads elsewhere.
WRONG_MAX = 100

Texts = Mapping[str, Template]


class Entries(Pieces):
    """Reads screens; a fault is named at its node, and comes back empty."""

    def screens(self, node: Node, notices: Mapping[str, Texts]) -> dict[str, Screen]:
        """Every screen; `same` lends a screen what it does not say itself.

        The notices `yes` and `no` are the labels of a question answered by them.
        """
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
            screens[key] = _lent(screens[key], lender)
        return {
            key: replace(
                screen, choices=_choices(screen, notices), needs=_needs(screen)
            )
            for key, screen in screens.items()
        }

    def screen(self, key: str, node: Node) -> Screen:
        entry = node.mapping(
            f"screen {key}",
            takes=(
                *("text", "choices", "ask", "then", "via", "list", "item", "pick"),
                *("empty", "instead", "confirm", "end", "same", "wrong", "long"),
                "sensitive",
            ),
        )
        if key in RESERVED:
            node.fault_of_name(
                f"{key!r} is a word of the menus", "Give the screen another name"
            )
        wrong_max, wrong_to = self._wrong(entry.get("wrong"))
        return Screen(
            name=key,
            variants=self._variants(entry.get("text"), node, key),
            choices=tuple(
                self._choice(part)
                for part in (
                    entry["choices"].sequence("choices") if "choices" in entry else ()
                )
            ),
            ask=self._ask(entry["ask"]) if "ask" in entry else None,
            then=string(entry, "then"),
            via=_via(entry, "then"),
            listed=string(entry, "list"),
            item=self.texts(entry["item"]) if "item" in entry else {},
            pick=string(entry, "pick"),
            empty=string(entry, "empty"),
            instead=self._instead(entry.get("instead")),
            confirm=flag(entry, "confirm"),
            ends=flag(entry, "end"),
            wrong_max=wrong_max,
            wrong_to=wrong_to,
            long=flag(entry, "long"),
            sensitive=flag(entry, "sensitive"),
            line=node.named,
            column=node.named_column,
        )

    def _variants(
        self, node: Node | None, screen: Node, name: str
    ) -> tuple[Variant, ...]:
        if node is None:
            screen.fault_of_name(f"screen {name} has no text", "Add `text:` to it")
            return ()
        if node.parts is None:
            return (Variant(Condition(""), self.texts(node)),)
        variants = []
        for part in node.parts:
            entry = part.mapping("a wording")
            words = {key: value for key, value in entry.items() if key != "when"}
            bare = Node(part.line, part.column, part.faults, items=words)
            when = self.condition(entry.get("when"))
            variants.append(Variant(when, self.texts(bare)))
        return tuple(variants)

    def _choice(self, node: Node) -> Choice:
        entry = node.mapping(
            "a choice",
            needs=("key", "to"),
            takes=(
                *("label", "when", "set", "do", "campaign", "otherwise"),
                *("via", "consent"),
            ),
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
            via=_via(entry, "to"),
            consent=flag(entry, "consent"),
            line=node.line,
            column=node.column,
        )

    def _ask(self, node: Node) -> Ask:
        entry = node.mapping(
            "ask",
            needs=("answer", "kind"),
            takes=("min", "max", "set", "refused", "in", "sensitive"),
        )
        kind = string(entry, "kind")
        if kind not in list(Kind):
            node.fault(f"no question is of kind {kind!r}", f"Use {', '.join(Kind)}")
            kind = Kind.TEXT
        unit = string(entry, "in") or Unit.TOMAN
        if unit not in list(Unit) or ("in" in entry and kind != Kind.AMOUNT):
            entry["in"].fault(
                f"an amount is not asked for in {unit!r}",
                f"Write {' or '.join(Unit)}, at a question of kind amount",
            )
            unit = Unit.TOMAN
        refused = strings(entry, "refused")
        for reason in refused:
            if refused[reason] in RESERVED:
                entry["refused"].fault(
                    f"{reason} leads to no screen", "Name the screen that says why"
                )
        return Ask(
            answer=string(entry, "answer"),
            kind=Kind(kind),
            min=whole(entry, "min"),
            max=whole(entry, "max"),
            set=strings(entry, "set"),
            refused=refused,
            unit=Unit(unit),
            sensitive=flag(entry, "sensitive"),
            line=node.line,
            column=node.column,
        )

    def _instead(self, node: Node | None) -> tuple[tuple[Condition, str], ...]:
        led = []
        for part in node.sequence("instead") if node is not None else ():
            entry = part.mapping("instead", needs=("when", "to"))
            led.append((self.condition(entry.get("when")), string(entry, "to")))
        return tuple(led)

    def _wrong(self, node: Node | None) -> tuple[int, str]:
        if node is None:
            return 0, ""
        entry = node.mapping("wrong", needs=("max", "to"))
        most = whole(entry, "max")
        if not 1 <= most <= WRONG_MAX:
            node.fault("max is out of bounds", f"Write 1 to {WRONG_MAX}")
        return most, string(entry, "to")


def _via(entry: Mapping[str, Node], then: str) -> str:
    """The screen that is led to first; a sub-flow goes on at a screen after it."""
    via = string(entry, "via")
    if via in RESERVED:
        entry["via"].fault(f"`via` is not {via}", "Name the first screen to go through")
        return ""
    if via and string(entry, then) in ("", BACK):
        what = "`via` without a screen to go on at"
        entry["via"].fault(what, f"Name that screen in `{then}`")
    return via


def _lent(own: Screen, lender: Screen) -> Screen:
    return replace(
        own,
        choices=own.choices or lender.choices,
        ask=own.ask or lender.ask,
        then=own.then or lender.then,
        via=own.via if own.then else lender.via,
        instead=own.instead or lender.instead,
        wrong_max=own.wrong_max if own.wrong_to else lender.wrong_max,
        wrong_to=own.wrong_to or lender.wrong_to,
    )


def _choices(screen: Screen, notices: Mapping[str, Texts]) -> tuple[Choice, ...]:
    """The choices of a screen, with the two keys of a question of yes and no."""
    ask = screen.ask
    if ask is None or ask.kind is not Kind.YES_NO:
        return screen.choices
    others = {name: Template(value) for name, value in ask.set.items()}
    answered = tuple(
        Choice(
            key=key,
            label=notices.get(value, {}),
            to=screen.then,
            when=Condition(""),
            set={**others, ask.answer: Template(value)},
            via=screen.via,
            line=ask.line,
            column=ask.column,
        )
        for key, value in (("1", "yes"), ("2", "no"))
    )
    return (*answered, *screen.choices)


def _needs(screen: Screen) -> tuple[str, ...]:
    names = screen.names()
    return tuple(group for group, facts in FACTS.items() if names & set(facts))
