"""The values a menu file holds.

A `Menus` is immutable and named by the hash of its source, so a conversation can
stay on the version it began with while operators publish the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from ussd.templates import Condition, Slots, Template

__all__ = [
    "EFFECTS",
    "EFFECT_TEXTS",
    "FACTS",
    "Ask",
    "Campaign",
    "CampaignState",
    "Choice",
    "Kind",
    "Limits",
    "Menus",
    "Screen",
    "TextMessage",
    "Variant",
]

# What a screen can have done, and the answers each needs. `gateway.effects` does
# them; a name that is not here is refused when the menus are read.
EFFECTS: Mapping[str, tuple[str, ...]] = {
    "pledge": ("amount", "purpose"),
    "cancel": ("pledge",),
    "sign_up": ("place_kind", "skill", "time"),
    "language": ("language_chosen",),
    "stop_texts": (),
    "start_texts": (),
    "text_report": (),
}

# The texts that an effect promises, by the names they have under `texts:`, and the
# slots each is given.
EFFECT_TEXTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "pledge": {"sms.pledge": ("amount", "code", "pay")},
    "cancel": {"sms.cancelled": ("code",)},
    "sign_up": {"sms.vol": ("code",), "sms.vol.again": ("code",)},
    "stop_texts": {"sms.out": ()},
    "start_texts": {"sms.in": ()},
    "text_report": {"sms.report": ("pledged", "paid")},
}

# Facts that come from the ledger, by the group they are fetched in. A screen that
# uses a name costs its caller one bounded read of that group.
FACTS: Mapping[str, tuple[str, ...]] = {
    "caller": ("texts_stopped", "line"),
    "report": ("report_pledged", "report_paid", "report_donors"),
    "pledge": ("one_amount", "one_state", "one_code"),
    "pledges": (),
}


class Kind(StrEnum):
    """What a question takes for an answer."""

    AMOUNT = "amount"
    NUMBER = "number"
    DIGITS = "digits"
    TEXT = "text"
    POSTCODE = "postcode"
    DIAL = "dial"


class CampaignState(StrEnum):
    OPEN = "open"
    EARLY = "early"
    CLOSED = "closed"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Limits:
    """What may not be exceeded, each with its unit in its name."""

    turns_max: int = 40
    answer_chars_max: int = 160
    wrong_keys_max: int = 8


@dataclass(frozen=True, slots=True)
class Campaign:
    """One appeal: who makes it, when it takes gifts, and of what size.

    Amounts are minor units of `unit` (rial). `call` opens our menus; `pay` is the
    licensed code that takes money, and never leads to us.
    """

    id: str
    title: Mapping[str, str]
    organiser: Mapping[str, str]
    permit: str
    contact: str
    opens: datetime | None
    opens_text: str
    closes: datetime | None
    paused: bool
    unit: str
    min: int
    max: int
    presets: tuple[tuple[int, Mapping[str, str]], ...]
    call: str
    pay: str

    def state(self, now: datetime) -> CampaignState:
        if self.paused:
            return CampaignState.PAUSED
        if self.opens is not None and now < self.opens:
            return CampaignState.EARLY
        if self.closes is not None and now >= self.closes:
            return CampaignState.CLOSED
        return CampaignState.OPEN

    def slots(self, language: str, now: datetime) -> dict[str, str | int]:
        """What texts may say of the campaign, by the names they say it with."""
        slots: dict[str, str | int] = {
            "campaign_title": self.title.get(language, ""),
            "campaign_state": str(self.state(now)),
            "organiser": self.organiser.get(language, ""),
            "permit": self.permit,
            "contact": self.contact,
            "opens": self.opens_text,
            "min": self.min,
            "max": self.max,
            "call": self.call,
            "pay": self.pay,
        }
        for number, (amount, words) in enumerate(self.presets, start=1):
            slots[f"preset{number}"] = words.get(language, "")
            slots[f"preset{number}_amount"] = amount
        return slots


@dataclass(frozen=True, slots=True)
class Variant:
    """One wording of a screen, in every language, and when it is the right one."""

    when: Condition
    text: Mapping[str, Template]


@dataclass(frozen=True, slots=True)
class Choice:
    """A key to press. `do` names an effect; its outcome may lead elsewhere."""

    key: str
    label: Mapping[str, Template]
    to: str
    when: Condition
    set: Mapping[str, Template]
    do: str = ""
    campaign: str = ""
    otherwise: Mapping[str, str] = field(default_factory=dict)
    line: int = 0


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


@dataclass(frozen=True, slots=True)
class Screen:
    """One screen: a wording, and a menu, a question, a list, or an end.

    `confirm` marks a screen that nobody may pass without having seen it. `instead`
    leads to another screen while its condition holds.
    """

    name: str
    variants: tuple[Variant, ...]
    choices: tuple[Choice, ...] = ()
    ask: Ask | None = None
    then: str = ""
    listed: str = ""
    item: Mapping[str, Template] = field(default_factory=dict)
    pick: str = ""
    empty: str = ""
    instead: tuple[tuple[Condition, str], ...] = ()
    confirm: bool = False
    ends: bool = False
    # Groups of facts it speaks of.
    needs: tuple[str, ...] = ()
    line: int = 0

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

    def targets(self) -> tuple[str, ...]:
        """Every screen it can lead to."""
        named = [choice.to for choice in self.choices]
        named += [to for choice in self.choices for to in choice.otherwise.values()]
        named += [to for _, to in self.instead]
        named += [self.then, self.empty]
        if self.ask is not None:
            named += self.ask.refused.values()
        return tuple(dict.fromkeys(name for name in named if name))


@dataclass(frozen=True, slots=True)
class TextMessage:
    """A text that an effect promises. `kind` is receipt, service or campaign."""

    name: str
    kind: str
    text: Mapping[str, Template]
    stop_line: bool
    expires_hours: int
    line: int = 0


@dataclass(frozen=True, slots=True)
class Menus:
    """A whole menu file."""

    hash: str
    languages: tuple[str, ...]
    start: str
    limits: Limits
    dialled: Mapping[str, tuple[str, str]]
    campaigns: Mapping[str, Campaign]
    screens: Mapping[str, Screen]
    texts: Mapping[str, TextMessage]
    notices: Mapping[str, Mapping[str, Template]]
    # name -> ((value, {language: title}), ...)
    lists: Mapping[str, tuple[tuple[str, Mapping[str, str]], ...]]
    # language -> list -> value -> title, for the `title` filter
    titles: Mapping[str, Mapping[str, Mapping[str, str]]]
    # (section, name) -> the line it stands on, for what is no value of its own.
    lines: Mapping[tuple[str, str], int]
    # Every answer's name with nothing in it, so that a condition may ask for it.
    blank: Mapping[str, str]

    @property
    def campaign(self) -> Campaign:
        """The first campaign: the one a dial without another belongs to."""
        return next(iter(self.campaigns.values()))
