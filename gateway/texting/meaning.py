"""What a text can be to the screens that wait for an answer.

A keyword is one only where it is whole: with something behind it that it does not take,
the text was written to a person. Everything else is an answer if a screen that waits
can take it; and what no screen takes is read at the help desk.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.pushing import flow_of
from phone.amounts import NotAnAmount, read_amount
from phone.digits import fold, fold_digits
from phone.private import is_none_of_ours
from sms.keywords import RESERVED, answer, find
from ussd.deeds import BY_TEXT
from ussd.keywords import Opened, opened
from ussd.machine import Session
from ussd.menus import Kind, Menus, Resume, Screen
from ussd.telling import spoken

__all__ = [
    "Begins",
    "Waiting",
    "answered",
    "begins",
    "candidates",
    "flow_of",
    "is_answer",
    "is_kept",
    "key_of",
    "language_of",
    "private_screen",
    "session_at",
    "title_of",
    "with_campaigns_of",
]

# A figure or a name is not longer; a free text may be as long as answers can be.
ANSWER_CHARS_MAX = 40
# What a no is read as where no key is called so.
NO_KEY = "0"
# Not the letter o of 5o000.
_LATIN_WORD = re.compile("[A-Za-z]{3}")


@dataclass(frozen=True, slots=True)
class Begins:
    """The keyword a text begins with: a conversation, or the text that it says."""

    opened: Opened | None
    says: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A question that is open, with its menus and where its conversation stands."""

    id: int
    flow: str
    menus: Menus
    session: Session
    # Who sent the text that is being answered cannot have read it.
    is_unread: bool = False

    @property
    def screen(self) -> Screen:
        return self.menus.screens[self.session.at]


def begins(menus: Menus, text: str, language: str) -> Begins | None:
    """What the keyword at the beginning of a text leads to; None without one."""
    found = find(text, menus.words)
    if found is None:
        return None
    says = menus.keywords[found.name].says
    if says:
        return None if found.rest else Begins(None, says)
    conversation = opened(menus, found.name, found.rest, language)
    return None if conversation is None else Begins(conversation, "")


def private_screen(menus: Menus, text: str, waiting: Sequence[Waiting]) -> str:
    """The screen to answer a text with whose number is not taken; "" for any other.

    It is none of ours where the text is about a flow that is `private`: it begins with
    one of its keywords, names the flow, or the last question that waits is of it.
    """
    if not is_none_of_ours(text):
        return ""
    folded, found = fold(text), find(text, menus.words)
    begun = menus.flow_of(menus.keywords[found.name].to) if found is not None else ""
    for flow in menus.flows.values():
        named = any(fold(title) in folded for title in flow.title.values())
        if flow.private and (named or flow.name == begun):
            return flow.private
    if not waiting:
        return ""
    asked = waiting[0]
    about = asked.menus.flows.get(asked.menus.flow_of(asked.session.at))
    return about.private if about is not None and about.private in menus.screens else ""


def session_at(menus: Menus, screen: str, language: str) -> Session:
    """A conversation by text that begins at a screen."""
    campaign = menus.campaign_at(screen, menus.campaign.id)
    return Session(screen, campaign, spoken(menus, language), {"dialled": BY_TEXT})


def language_of(menus: Menus, text: str, remembered: str | None) -> str:
    """The language to answer in: the person's own, else the one a text is written in.

    A text without a word is answered in the first language.
    """
    if remembered in menus.languages:
        assert remembered is not None
        return remembered
    foreign = any(char.isalpha() and not char.isascii() for char in text)
    if _LATIN_WORD.search(text) and not foreign:
        for language in menus.languages:
            if menus.figures.get(language, language) == "en":
                return language
    return menus.languages[0]


def answered(waiting: Waiting, text: str) -> str:
    """A text as the screen that waits reads it: «بله» is the key 1 where keys are.

    «خیر» is the key that says no, where one is called so, and else 0.
    """
    screen = waiting.screen
    asks = screen.ask is not None or bool(screen.listed)
    key = answer(text, asks=asks).strip()
    if asks or key != NO_KEY or any(char.isdecimal() for char in text):
        return key
    for choice in screen.choices:
        if any(_says_no(label.source) for label in choice.label.values()):
            return choice.key
    return key


def _says_no(label: str) -> bool:
    return answer(label).strip() == NO_KEY and not any(map(str.isdecimal, label))


def candidates(open_now: Sequence[Waiting], text: str) -> list[Waiting]:
    """The questions that a text may be the answer to.

    Where several take it, those are left out that it would be a wrong key to.
    """
    taking = [one for one in open_now if _takes(one, text)]
    offering = [one for one in taking if _offers(one, answered(one, text))]
    return offering or taking


def _takes(waiting: Waiting, text: str) -> bool:
    """Whether somebody who reads this screen may mean it with this text."""
    screen, typed = waiting.screen, answered(waiting, text)
    if screen.ask is not None and screen.ask.kind is Kind.TEXT:
        return len(typed) <= waiting.menus.limits.answer_chars_max
    if len(typed) > ANSWER_CHARS_MAX:
        return False
    if is_answer(typed):
        return True
    if screen.ask is not None:
        return _has_figure(typed) or _is_amount(typed)
    # The lists of the menu file are chosen from by name too.
    return bool(screen.listed) and not screen.item


def _offers(waiting: Waiting, typed: str) -> bool:
    screen = waiting.screen
    if screen.ask is not None or screen.listed or waiting.session.more:
        return True
    return any(choice.key == answer(typed) for choice in screen.choices)


def _has_figure(text: str) -> bool:
    return any(char in "0123456789" for char in fold_digits(text))


def _is_amount(text: str) -> bool:
    """Whether it is an amount in words alone: «یک میلیون»."""
    try:
        read_amount(text)
    except NotAnAmount:
        return False
    return True


def is_answer(text: str) -> bool:
    """Whether a text can be nothing but an answer: a figure, a yes or a no."""
    bare = answer(text).strip()
    return (bare.isascii() and bare.isdecimal()) or fold(text) in RESERVED


def key_of(text: str, most: int) -> int | None:
    """The number that a text chooses among so many, from 1."""
    key = answer(text)
    if key.isascii() and key.isdecimal() and len(key) <= 2 and 1 <= int(key) <= most:
        return int(key)
    return None


def is_kept(waiting: Waiting) -> bool:
    """Whether a question stays open when its phone begins something else.

    What can be gone on with does, and so does what only waits to be agreed to. Whoever
    was reading a menu has turned away from it.
    """
    flow = waiting.menus.flows.get(waiting.flow)
    resumable = flow is not None and flow.resume is not Resume.OFF
    return resumable or waiting.screen.confirm


def title_of(waiting: Waiting, language: str) -> str:
    """What a conversation is called, where a person is asked which they mean."""
    flow = waiting.menus.flows.get(waiting.flow)
    if flow is not None and language in flow.title:
        return flow.title[language]
    return waiting.flow


def with_campaigns_of(menus: Menus, current: Menus) -> Menus:
    """The menus a question was asked by, whose campaigns are open as they are today.

    It waits for a day, and whoever paused a campaign meanwhile, or wrote another code
    to pay with, meant this question too. A campaign that is gone takes nothing.
    """
    if menus.hash == current.hash:
        return menus
    campaigns = {}
    for name, campaign in menus.campaigns.items():
        today = current.campaigns.get(name)
        campaigns[name] = (
            replace(campaign, paused=True)
            if today is None
            else replace(
                campaign,
                window=today.window,
                paused=today.paused,
                pay=today.pay,
            )
        )
    return replace(menus, campaigns=campaigns)
