"""What the menus say to one caller, with the facts and results there are so far.

What a screen speaks of and nobody has fetched yet is `Lacking`: whoever asked gets it
and asks again.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from phone.encoding import Limits
from ussd.facts import FACT_OF, FACTS, REDIRECTS
from ussd.menus import (
    Menus,
    Screen,
)
from ussd.screen import Page, page
from ussd.steps import Effect, Facts, Need, Results, Session

__all__ = ["Lacking", "Teller", "notice", "spoken"]


def notice(menus: Menus, name: str, language: str) -> str:
    """One of the texts that are no screen of their own: busy, bye, unsure..."""
    said = spoken(menus, language)
    return menus.notices[name][said].render({"language": said})


def spoken(menus: Menus, language: str) -> str:
    """The language, where these menus speak it; the first that they do otherwise."""
    return language if language in menus.languages else menus.languages[0]


class Lacking(Exception):
    """A fact that nobody fetched, or an effect that nobody did."""

    def __init__(self, what: Need | Effect) -> None:
        self.what = what


@dataclass(slots=True)
class Teller:
    """Words the screens of a conversation; it changes nothing in it."""

    menus: Menus
    now: datetime
    limits: Limits
    facts: Facts
    results: Results
    # What campaigns say of themselves, by id and language: asked for on every screen.
    _said: dict[tuple[str, str], tuple[dict[str, Any], dict[str, Any]]] = field(
        default_factory=dict
    )

    def at(self, session: Session) -> Screen:
        return self.menus.screens[session.at]

    def language(self, session: Session) -> str:
        return spoken(self.menus, session.language)

    def known(self, session: Session, screen: Screen) -> bool:
        """Whether the ledger already holds what this screen would have done."""
        return any(
            (choice.do, session.done.get(choice.do, 0)) in self.results
            for choice in screen.choices
            if choice.do
        )

    def slots(self, session: Session, screen: Screen) -> Mapping[str, Any]:
        """Every name the screen's texts and conditions may use."""
        language = self.language(session)
        about = self.menus.campaign_at(session.at, session.campaign), language
        if about not in self._said:
            campaign = self.menus.campaigns[about[0]]
            said = {**self.menus.blank, **campaign.slots(language, self.now)}
            top = {
                "language": language,
                "figures": self.menus.figures.get(language, language),
                "titles": self.menus.titles[language],
            }
            self._said[about] = top, said
        # Laid over each other, not copied: a text asks for a few of them.
        top, said = self._said[about]
        facts = [self.fetched(session, group) for group in screen.needs]
        return ChainMap[str, Any](top, *facts, session.answers, said)  # type: ignore[arg-type]  # only read

    def fetched(self, session: Session, group: str) -> Mapping[str, Any]:
        argument = session.answers.get(FACT_OF.get(group, ""), "")
        need = Need(group, argument, self.menus.campaign_at(session.at, ""))
        if need not in self.facts:
            raise Lacking(need)
        return self.facts[need]

    def told_after(self, session: Session) -> frozenset[str]:
        """Facts that are so because of a deed which is still ahead in a rebuild."""
        groups = [
            REDIRECTS[name]
            for name, number in self.results
            if name in REDIRECTS and number >= session.done.get(name, 0)
        ]
        return frozenset(fact for group in groups for fact in FACTS[group])

    def items(self, session: Session, screen: Screen) -> Sequence[Mapping[str, Any]]:
        if screen.listed in self.menus.lists:
            titles = self.menus.titles[self.language(session)][screen.listed]
            return [{"value": v, "title": title} for v, title in titles.items()]
        items: Sequence[Mapping[str, Any]] = self.fetched(session, screen.listed)[
            "items"
        ]
        return items

    def page(self, session: Session, screen: Screen, slots: Mapping[str, Any]) -> Page:
        return page(
            self.menus,
            screen,
            slots,
            self.language(session),
            items=self.items(session, screen) if screen.listed else (),
            number=session.page,
            limits=self.limits,
        )
