"""The values a menu file holds.

A `Menus` is immutable and named by the hash of its source, so a conversation can
stay on the version it began with while operators publish the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from phone.amounts import Unit
from ussd.campaign import Campaign, CampaignState
from ussd.deeds import CUT_OFF_SLOTS, EFFECT_TAKES, EFFECT_TEXTS, EFFECTS
from ussd.templates import Condition, Slots, Template

__all__ = [
    "BACK",
    "COHORTS",
    "CUT_OFF_SLOTS",
    "EFFECTS",
    "EFFECT_TAKES",
    "EFFECT_TEXTS",
    "HOME",
    "RESERVED",
    "RETURN",
    "Ask",
    "Campaign",
    "CampaignState",
    "Choice",
    "Flow",
    "Keyword",
    "Kind",
    "Limits",
    "Menus",
    "Opening",
    "Resume",
    "Screen",
    "Shortcut",
    "TextMessage",
    "Variant",
]

# Words that lead somewhere without naming a screen: to where the caller came from, to
# where the dialled code led, and to where a `via` goes on.
BACK = "back"
HOME = "home"
RETURN = "return"
RESERVED = frozenset({BACK, HOME, RETURN})

# The list that the cohorts of all campaigns make.
COHORTS = "cohorts"


class Kind(StrEnum):
    """What a question takes for an answer."""

    AMOUNT = "amount"
    NUMBER = "number"
    DIGITS = "digits"
    TEXT = "text"
    POSTCODE = "postcode"
    CODE = "code"
    PLACE_CODE = "place_code"
    PHONE = "phone"
    COHORT = "cohort"
    YES_NO = "yes_no"
    DIAL = "dial"


class Resume(StrEnum):
    """What the next dial does with a call that broke off: forget, ask, or go on."""

    OFF = "off"
    ASK = "ask"
    AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Limits:
    """What may not be exceeded, each with its unit in its name."""

    turns_max: int = 40
    answer_chars_max: int = 160
    wrong_keys_max: int = 8


@dataclass(frozen=True, slots=True)
class Variant:
    """One wording of a screen, in every language, and when it is the right one."""

    when: Condition
    text: Mapping[str, Template]


@dataclass(frozen=True, slots=True)
class Choice:
    """A key to press. `do` names an effect; its outcome may lead elsewhere.

    With `via` it leads there first, and on to `to` when a screen leads to `return`.
    `consent` marks the key that allows sensitive questions to be asked.
    """

    key: str
    label: Mapping[str, Template]
    to: str
    when: Condition
    set: Mapping[str, Template]
    do: str = ""
    campaign: str = ""
    otherwise: Mapping[str, str] = field(default_factory=dict)
    via: str = ""
    consent: bool = False
    line: int = 0
    column: int = 1


@dataclass(frozen=True, slots=True)
class Ask:
    """A question. The screens in `refused` are shown, by the reason, for a bad one."""

    answer: str
    kind: Kind
    min: int = 0
    max: int = 0
    # Answers that go with it, as `place_kind` goes with a postal code.
    set: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    # What a figure of an amount is in, where the caller does not say it.
    unit: Unit = Unit.TOMAN
    # The answer needs a consent before it, and is forgotten when its flow is left.
    sensitive: bool = False
    line: int = 0
    column: int = 1


@dataclass(frozen=True, slots=True)
class Screen:
    """One screen: a wording, and a menu, a question, a list, or an end.

    `confirm` marks a screen that nobody may pass without having seen it. `instead`
    leads to another screen while its condition holds. After `wrong_max` wrong keys in
    a row it leads to `wrong_to`; a `long` text may need several pages. What is picked
    from a `sensitive` list is as an answer to a sensitive question.
    """

    name: str
    variants: tuple[Variant, ...]
    choices: tuple[Choice, ...] = ()
    ask: Ask | None = None
    then: str = ""
    via: str = ""
    listed: str = ""
    item: Mapping[str, Template] = field(default_factory=dict)
    pick: str = ""
    empty: str = ""
    instead: tuple[tuple[Condition, str], ...] = ()
    confirm: bool = False
    ends: bool = False
    wrong_max: int = 0
    wrong_to: str = ""
    long: bool = False
    sensitive: bool = False
    # Groups of facts it speaks of.
    needs: tuple[str, ...] = ()
    line: int = 0
    column: int = 1

    def wording(self, slots: Slots) -> Variant:
        """The first wording whose condition holds; the last one otherwise."""
        for variant in self.variants:
            if variant.when.holds(slots):
                return variant
        return self.variants[-1]

    def names(self) -> frozenset[str]:
        """Every name its texts, choices and conditions use."""
        names: set[str] = set()
        for variant in self.variants:
            names |= variant.when.names
            for text in variant.text.values():
                names |= text.names
        for choice in self.choices:
            names |= choice.when.names
            for text in [*choice.label.values(), *choice.set.values()]:
                names |= text.names
        for condition, _ in self.instead:
            names |= condition.names
        for text in self.item.values():
            names |= text.names
        return frozenset(names)

    @property
    def asks_sensitive(self) -> str:
        """The name of the sensitive answer that it asks for, or nothing."""
        if self.sensitive and self.pick:
            return self.pick
        return self.ask.answer if self.ask is not None and self.ask.sensitive else ""

    def targets(self) -> tuple[str, ...]:
        """Every screen it can lead to by its name, at once or after a `via`."""
        named = [way for choice in self.choices for way in (choice.via, choice.to)]
        named += [to for choice in self.choices for to in choice.otherwise.values()]
        named += [to for _, to in self.instead]
        named += [self.via, self.then, self.empty, self.wrong_to]
        if self.ask is not None:
            named += self.ask.refused.values()
        return tuple(dict.fromkeys(n for n in named if n and n not in RESERVED))


@dataclass(frozen=True, slots=True)
class TextMessage:
    """A text that is sent by SMS. `kind` is receipt, service or campaign."""

    name: str
    kind: str
    text: Mapping[str, Template]
    stop_line: bool
    expires_hours: int
    # How many parts it may be, with all that its slots can hold.
    parts_max: int = 1
    line: int = 0
    column: int = 1


@dataclass(frozen=True, slots=True)
class Flow:
    """Screens that belong together by the first part of their names.

    They are about `campaign`, "" for the one that was dialled. A call that breaks off
    in it can go on within `resume_minutes`; `cut_off` is the
    text promised when the carrier says so ("" for none). `turns_max` counts turns
    spent in it since it was entered. In one with a `private` screen, an identity or a
    purchase number that is typed leads there, and is kept nowhere.
    """

    name: str
    title: Mapping[str, str]
    resume: Resume
    resume_minutes: int
    turns_max: int
    cut_off: str = ""
    campaign: str = ""
    private: str = ""
    line: int = 0
    column: int = 1


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A way into the middle of the menus, with answers given beforehand."""

    name: str
    to: str
    set: Mapping[str, str]
    campaign: str = ""
    line: int = 0
    column: int = 1


@dataclass(frozen=True, slots=True)
class Opening:
    """Where a dialled code leads; `campaign` is "" for the first one of the file."""

    to: str
    campaign: str = ""
    set: Mapping[str, str] = field(default_factory=dict)
    # The shortcut it was named by, "" where a screen was named.
    shortcut: str = ""


@dataclass(frozen=True, slots=True)
class Keyword:
    """What a text message may begin with, and where it leads.

    It leads to the screen `to`, or is answered by the text `says`. What follows the
    word is the first answer at the screen `rest`; where that is "", nothing may follow.
    `press` is a key that is pressed at `to` at once. `ussd.keywords` opens it.
    """

    name: str
    # language -> words, as the file has them; any of them is understood from anybody.
    words: Mapping[str, tuple[str, ...]]
    to: str = ""
    says: str = ""
    rest: str = ""
    press: str = ""
    set: Mapping[str, str] = field(default_factory=dict)
    campaign: str = ""
    line: int = 0
    column: int = 1


@dataclass(frozen=True, slots=True)
class Menus:
    """A whole menu file.

    `latin` is the same file for a channel that shows GSM-7 only, None where it has no
    language for one; a session can go on in either.
    """

    hash: str
    languages: tuple[str, ...]
    start: str
    limits: Limits
    dialled: Mapping[str, Opening]
    campaigns: Mapping[str, Campaign]
    screens: Mapping[str, Screen]
    texts: Mapping[str, TextMessage]
    notices: Mapping[str, Mapping[str, Template]]
    # name -> ((value, {language: title}), ...)
    lists: Mapping[str, tuple[tuple[str, Mapping[str, str]], ...]]
    # language -> list -> value -> title, for the `title` filter
    titles: Mapping[str, Mapping[str, Mapping[str, str]]]
    # (section, name) -> line and column, for what is no value of its own.
    places: Mapping[tuple[str, str], tuple[int, int]]
    # Every answer's name with nothing in it, so that a condition may ask for it.
    blank: Mapping[str, str]
    flows: Mapping[str, Flow] = field(default_factory=dict)
    shortcuts: Mapping[str, Shortcut] = field(default_factory=dict)
    # screen -> the flow it belongs to, where that is declared.
    flow_names: Mapping[str, str] = field(default_factory=dict)
    # flow -> the answers that are forgotten when it is left.
    sensitive: Mapping[str, frozenset[str]] = field(default_factory=dict)
    # language -> the language whose digits it is written with, "fa" or "en".
    figures: Mapping[str, str] = field(default_factory=dict)
    keywords: Mapping[str, Keyword] = field(default_factory=dict)
    # What a text may begin with, as `phone.digits.fold` leaves it -> its keyword.
    words: Mapping[str, str] = field(default_factory=dict)
    time_zone: str = "UTC"
    latin: Menus | None = None

    def flow_of(self, screen: str) -> str:
        """The declared flow of a screen, "" where it belongs to none."""
        return self.flow_names.get(screen, "")

    def campaign_at(self, screen: str, dialled: str) -> str:
        """The campaign that a screen is about: its flow's own, or the one dialled."""
        flow = self.flows.get(self.flow_of(screen))
        return (flow.campaign if flow is not None else "") or dialled

    @property
    def campaign(self) -> Campaign:
        """The first campaign: the one a dial without another belongs to."""
        return next(iter(self.campaigns.values()))
