"""The values that decide how long a text can become.

Slots take every value they can have where these are few, and their longest where
there are many. What is given together, as a place and its kind are, varies together;
an answer given later lies over an earlier one.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from typing import Any

from ussd.deeds import BY_TEXT
from ussd.menus import Campaign, CampaignState, Kind, Menus, Screen
from ussd.prover.longest import NO_MAX, UNITS, facts_of, items_of, longest_answers
from ussd.prover.marked import (
    CODE,
    DAY,
    Constant,
    Name,
    Rial,
    RialAnswer,
    constants,
    titles_of,
)
from ussd.templates import Slots, Template, Unrendered

__all__ = ["Bundle", "Line", "TooMany", "Worst"]

Bundle = Mapping[str, Any]

VALUES_MAX = 4_000
SENDER_CHARS = 14
ENQUIRY = "*999*9999#"
# Any day will do: the state of a campaign takes every value by itself.
_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)
# What campaigns say that has digits and is no figure.
_NAMES = ("permit", "contact", "call", "pay", "card")


@dataclass(frozen=True, slots=True)
class Line:
    """A sender line, and the words that texts from it end with."""

    sender: str
    stop_line: str


class TooMany(ValueError):
    """There are more combinations of values than can be tried."""


class Worst:
    """The values that the slots of one menu file can take."""

    def __init__(
        self, menus: Menus, lines: Sequence[Line], *, gsm7_only: bool = False
    ) -> None:
        self._menus = menus
        senders = [line.sender for line in lines if line.sender]
        self._sender = max(senders, key=len, default="9" * SENDER_CHARS)
        self._amounts = {
            screen.ask.answer
            for screen in menus.screens.values()
            if screen.ask is not None and screen.ask.kind is Kind.AMOUNT
        } | {"meant"}
        self._bundles: dict[str, list[Bundle]] = {}
        # Many screens ask alike: what says nothing new is left out.
        alike = {
            frozenset((n, getattr(v, "source", v)) for n, v in bundle.items()): bundle
            for bundle in _bundles(menus, gsm7_only)
        }
        for bundle in alike.values():
            for name in bundle:
                self._bundles.setdefault(name, []).append(bundle)
        self._titles = {
            language: titles_of(menus, language) for language in menus.languages
        }
        self._bases: dict[tuple[str, str], Slots] = {}
        self._known: dict[str, Mapping[str, Sequence[Any]]] = {}

    def base(self, language: str, campaign: Campaign) -> Slots:
        """What every screen can say, with nothing answered yet."""
        about = (language, campaign.id)
        if about not in self._bases:
            said = campaign.slots(language, _SOME_DAY)
            amounts = {"min", "max", "parcel_price"} | {
                name for name in said if "_amount" in name
            }
            self._bases[about] = {
                **self._menus.blank,
                **{n: Rial(v) if n in amounts else v for n, v in said.items()},
                **{name: Name(said[name]) for name in _NAMES},
                # Nobody reads it before it is verified, and it fits then too.
                "enquiry": Name(said["enquiry"] or ENQUIRY),
                # Every day is as long as another.
                "opens": Name(DAY if not campaign.window.is_always else ""),
                "max": Rial(campaign.max or NO_MAX),
                "language": language,
                "figures": self._menus.figures.get(language, language),
                "titles": self._titles[language],
            }
        return self._bases[about]

    def axes(
        self,
        names: Iterable[str],
        asked: frozenset[str],
        language: str,
        campaign: Campaign,
    ) -> list[Sequence[Bundle]]:
        """What varies independently: each fact, and answers that are linked.

        Where too many are, only those that some condition has `asked` about stay
        linked: the others are measured one by one. Raises TooMany.
        """
        facts = self._facts(campaign)
        spoken = set(names)
        axes: list[Sequence[Bundle]] = [
            [{name: value} for value in facts[name]]
            for name in sorted(spoken & set(facts))
        ]
        for linked in self._linked(spoken - set(facts)):
            try:
                axes.append(self._laid(linked, language, campaign))
            except TooMany:
                if linked & asked:
                    axes.append(self._laid(linked & asked, language, campaign))
                for name in sorted(linked - asked):
                    given = self._laid(frozenset({name}), language, campaign)
                    axes.append([one for one in given if one[name]] or given)
        return axes

    def items(self, screen: Screen, language: str, campaign: Campaign) -> list[Bundle]:
        """The items of its list; of a list of facts, the longest in every state."""
        if not screen.listed:
            return []
        if screen.listed in self._menus.lists:
            titles = self._menus.titles[language][screen.listed]
            return [{"value": v, "title": t} for v, t in titles.items()]
        return items_of(self._menus, screen.listed, campaign)

    def closed(self, name: str) -> frozenset[Any] | None:
        """Every value that a name can have, None where there is no end of them."""
        if name == "campaign_state":
            return frozenset(str(state) for state in CampaignState)
        if name == "language":
            return frozenset(self._menus.languages)
        if name == "texts_stopped":
            return frozenset({False, True})
        if name == "one_unit":
            return frozenset(UNITS)
        if name == "one_state":
            states = self._menus.lists.get("states", ())
            named = frozenset(value for value, _ in states)
            # A code that was typed may be of no pledge of this caller.
            return (named | {""} if self._code_is_typed() else named) or None
        if name == "dialled":
            return frozenset(self._dialled())
        facts = self._facts(self._menus.campaign)
        if name in facts:
            return _constant(facts[name])
        if name not in self._bundles or name in self._amounts:
            return None
        return _constant([bundle[name] for bundle in self._bundles[name]])

    # -- answers ---------------------------------------------------------------------

    def _facts(self, campaign: Campaign) -> Mapping[str, Sequence[Any]]:
        """What each fact can be, worked out once for a campaign."""
        if campaign.id not in self._known:
            self._known[campaign.id] = {
                "campaign_state": [str(state) for state in CampaignState],
                "line": [Name(self._sender)],
                "dialled": self._dialled(),
                **facts_of(self._menus, campaign),
            }
        return self._known[campaign.id]

    def _dialled(self) -> list[str]:
        """What stands for the dialled code, in calls and in texts."""
        return [*self._menus.dialled, *([BY_TEXT] if self._menus.keywords else ())]

    def _code_is_typed(self) -> bool:
        asks = (screen.ask for screen in self._menus.screens.values())
        return any(ask is not None and ask.answer == "pledge" for ask in asks)

    def _linked(self, names: set[str]) -> Iterator[frozenset[str]]:
        """`names` in groups that share a bundle."""
        left = {name for name in names if name in self._bundles}
        while left:
            group, edge = set[str](), [left.pop()]
            while edge:
                name = edge.pop()
                group.add(name)
                for bundle in self._bundles[name]:
                    for other in left & bundle.keys():
                        left.discard(other)
                        edge.append(other)
            yield frozenset(group)

    def _laid(
        self, names: frozenset[str], language: str, campaign: Campaign
    ) -> Sequence[Bundle]:
        """Every way to give `names` their values, later answers over earlier ones."""
        bundles: dict[tuple[tuple[str, Any], ...], Bundle] = {}
        for name in names:
            for bundle in self._bundles[name]:
                cut = {n: v for n, v in bundle.items() if n in names}
                for given in self._resolved(cut, language, campaign):
                    bundles[_same(given)] = given
                if len(bundles) > VALUES_MAX:
                    raise TooMany
        known: dict[frozenset[str], list[Bundle]] = {frozenset(): [{}]}

        def laid(left: frozenset[str]) -> list[Bundle]:
            if left not in known:
                found: dict[tuple[tuple[str, Any], ...], Bundle] = {}
                for bundle in bundles.values():
                    over = {n: v for n, v in bundle.items() if n in left}
                    if over:
                        for under in laid(left.difference(over)):
                            given = {**under, **over}
                            found[_same(given)] = given
                    if len(found) > VALUES_MAX:
                        raise TooMany
                known[left] = list(found.values())
            return known[left]

        # An answer that nothing gives is empty.
        return laid(names) or [dict.fromkeys(names, "")]

    def _resolved(
        self, bundle: Bundle, language: str, campaign: Campaign
    ) -> Iterator[Bundle]:
        """A bundle with what it works out, and with amounts of this campaign."""
        names = list(bundle)
        values = [self._values(n, bundle[n], language, campaign) for n in names]
        for combination in product(*values):
            yield dict(zip(names, combination, strict=True))

    def _values(
        self, name: str, value: Any, language: str, campaign: Campaign
    ) -> Sequence[Any]:
        most = campaign.max or NO_MAX
        if value is None:
            return [RialAnswer(most), RialAnswer(most - 1)]
        if isinstance(value, Template):
            base = self.base(language, campaign)
            answers = value.names & (self._bundles.keys() | {"meant"})
            if not value.names - base.keys() and not answers:
                try:
                    value = value.render(_plain(base))
                except Unrendered:
                    return []
            elif name in self._amounts:
                return [RialAnswer(most), RialAnswer(most - 1)]
            else:
                return self._worked_out(value, language, campaign)
        if name not in self._amounts:
            return [value]
        # One that is no number is a fault of the key that sets it.
        return [RialAnswer(value if value.isdecimal() else most)]

    def _worked_out(
        self, text: Template, language: str, campaign: Campaign
    ) -> Sequence[Any]:
        """What a text comes to that is made of other answers, one step deep."""
        axes: list[list[Bundle]] = []
        for name in sorted(text.names & self._bundles.keys()):
            given = [bundle[name] for bundle in self._bundles[name]]
            axes.append([{name: v} for v in given if not isinstance(v, Template)])
        found: dict[str, None] = {}
        base = _plain(self.base(language, campaign))
        for count, combination in enumerate(product(*axes)):
            if count >= VALUES_MAX:
                raise TooMany
            slots = {
                n: campaign.max if v is None else v
                for bundle in combination
                for n, v in bundle.items()
            }
            try:
                found[text.render(ChainMap(slots, base))] = None
            except Unrendered:
                continue
        return list(found)


def _constant(values: Iterable[Any]) -> frozenset[str] | None:
    """The values, and none at all; None where one of them stands for others too."""
    known = {""}
    for value in values:
        if value != "" and not isinstance(value, Constant):
            return None
        known.add(str.__str__(value))
    return frozenset(known)


def _plain(slots: Slots) -> dict[str, Any]:
    """The slots as an answer is made of them, where an amount is plain digits."""
    return {n: int(v) if isinstance(v, Rial) else v for n, v in slots.items()}


def _same(bundle: Bundle) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(bundle.items(), key=lambda item: item[0]))


def _bundles(menus: Menus, gsm7_only: bool) -> Iterator[Bundle]:
    """What each key or answer gives at once; None in it stands for an amount.

    Where only GSM-7 is shown, no other letters are typed either.
    """
    constant = constants(menus)
    beforehand = [shortcut.set for shortcut in menus.shortcuts.values()]
    beforehand += [keyword.set for keyword in menus.keywords.values()]
    for given in filter(None, beforehand):
        yield {name: constant(value) for name, value in given.items()}
    for screen in menus.screens.values():
        for choice in screen.choices:
            if choice.set:
                yield {
                    name: text if text.names else constant(text.source)
                    for name, text in choice.set.items()
                }
        if screen.pick and screen.listed in menus.lists:
            for value, _ in menus.lists[screen.listed]:
                yield {screen.pick: constant(value)}
        elif screen.pick and screen.listed:
            yield {screen.pick: CODE}
        if screen.ask is not None:
            others = {name: constant(value) for name, value in screen.ask.set.items()}
            most = max(1, min(screen.ask.max, menus.limits.answer_chars_max))
            for value in longest_answers(menus, screen.ask, most, gsm7_only):
                yield {**others, screen.ask.answer: value}
