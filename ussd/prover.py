"""What could go wrong in a menu file, found before anyone dials.

Every screen that a caller can come to is walked in every language, with the longest
values its slots can hold, on every channel's screen. What is found is a `Fault` with
the line it stands on and what to do about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from phone.encoding import Limits
from ussd.faults import Fault
from ussd.machine import begin
from ussd.menus import EFFECT_TEXTS, EFFECTS, FACTS, Choice, Kind, Menus, Screen
from ussd.wording import Line, wording_faults

__all__ = ["Line", "prove"]

# Replies that stop and restart campaign texts, on every line.
RESERVED_KEYS = ("11", "12")
# What every screen can say without having asked for it.
GIVEN = frozenset({"dialled", "language"})
# What an effect leaves behind for the screens after it.
RESULTS: Mapping[str, frozenset[str]] = {
    "pledge": frozenset({"code"}),
    "sign_up": frozenset({"code"}),
}


def prove(
    menus: Menus, *, channels: Mapping[str, Limits], lines: Sequence[Line]
) -> list[Fault]:
    """Every fault of `menus` on these channels and sender lines, in file order."""
    faults = list(_names(menus))
    if faults:
        # A name that leads nowhere would only be found again by what follows.
        return sorted(faults)
    proof = _Proof(menus)
    faults += proof.shapes()
    faults += proof.ways()
    faults += proof.supplies()
    faults += wording_faults(menus, channels, lines)
    return sorted(set(faults))


def _names(menus: Menus) -> Iterator[Fault]:
    """Names that nothing in the file answers to."""
    known = set(menus.screens)
    if menus.start not in known:
        yield Fault(1, 1, f"there is no start screen {menus.start!r}", _NAME)
    for code, (to, campaign) in menus.dialled.items():
        if to not in known:
            yield Fault(1, 1, f"{code} leads to {to!r}, which is no screen", _NAME)
        if campaign and campaign not in menus.campaigns:
            yield Fault(1, 1, f"{code} is of no campaign {campaign!r}", _NAME)
    for screen in menus.screens.values():
        for target in screen.targets():
            if target not in known:
                what = f"{screen.name} leads to {target!r}, which is no screen"
                yield Fault(screen.line, 1, what, _NAME)
        for choice in screen.choices:
            if choice.campaign and choice.campaign not in menus.campaigns:
                what = f"there is no campaign {choice.campaign!r}"
                yield Fault(choice.line, 1, what, _NAME)
            for text in EFFECT_TEXTS.get(choice.do, ()):
                if text not in menus.texts:
                    what = f"{choice.do} sends {text!r}, which is no text"
                    yield Fault(choice.line, 1, what, f"Write {text} under `texts:`")
        if screen.listed and screen.listed not in {*menus.lists, *FACTS}:
            what = f"{screen.name} lists {screen.listed!r}, which is no list"
            yield Fault(screen.line, 1, what, "Name a list of this file, or pledges")
    if not menus.dialled:
        yield Fault(1, 1, "nothing can be dialled", "Add a code under `dialled:`")
    yield from _dial_codes(menus)


def _dial_codes(menus: Menus) -> Iterator[Fault]:
    if any(to not in menus.screens for to, _ in menus.dialled.values()):
        return
    for campaign in menus.campaigns.values():
        if campaign.pay and begin(menus, campaign.pay, menus.languages[0]) is not None:
            what = f"the pay code of {campaign.id} leads into these menus"
            remedy = "Write the licensed code of the payment company as `pay`"
            yield Fault(1, 1, what, remedy)
        if campaign.call and begin(menus, campaign.call, menus.languages[0]) is None:
            what = f"the call code of {campaign.id} leads to no menu"
            yield Fault(1, 1, what, "Write a code of `dialled:` as `call`")


_NAME = "Correct the name, or add what it names"


@dataclass(slots=True)
class _Proof:
    menus: Menus
    entries: tuple[str, ...] = ()
    reached: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        led = [to for to, _ in self.menus.dialled.values()]
        self.entries = tuple(dict.fromkeys([self.menus.start, *led]))
        self.reached = self._distances(self.entries)

    # -- each screen by itself ----------------------------------------------------

    def shapes(self) -> Iterator[Fault]:
        for screen in self.menus.screens.values():
            yield from self._shape(screen)
            for choice in screen.choices:
                yield from self._choice(screen, choice)

    def _shape(self, screen: Screen) -> Iterator[Fault]:
        moves = screen.choices or screen.ask or screen.listed
        if screen.ends and moves:
            what = f"{screen.name} ends, and yet has keys, a question or a list"
            yield Fault(screen.line, 1, what, "Take out `end: true`, or the others")
        if not screen.ends and not moves:
            what = f"{screen.name} offers nothing to do"
            yield Fault(screen.line, 1, what, "Add choices, or `end: true`")
        if not screen.ends and all(c.key != "0" for c in screen.choices):
            what = f"{screen.name} has no key 0"
            yield Fault(screen.line, 1, what, "Add a choice with key 0: back or leave")
        asks = screen.ask
        needs_then = screen.listed or (asks and asks.kind is not Kind.DIAL)
        if needs_then and not screen.then:
            what = f"{screen.name} takes an answer and leads nowhere"
            yield Fault(screen.line, 1, what, "Add `then:` with the next screen")
        if asks and asks.kind in (Kind.NUMBER, Kind.DIGITS, Kind.TEXT):
            if asks.max < max(asks.min, 1):
                what = f"the question of {screen.name} has no upper bound"
                yield Fault(screen.line, 1, what, "Add `max:` to `ask:`")
        if screen.listed in FACTS and not screen.item:
            what = f"{screen.name} does not say how an item reads"
            yield Fault(screen.line, 1, what, "Add `item:` with a text per language")

    def _choice(self, screen: Screen, choice: Choice) -> Iterator[Fault]:
        if choice.key in RESERVED_KEYS:
            what = f"key {choice.key} is reserved for stopping and restarting texts"
            yield Fault(choice.line, 1, what, "Use another key")
        twins = [c for c in screen.choices if c.key == choice.key and c is not choice]
        for twin in twins:
            if twin.line < choice.line and (
                not choice.when.source
                or not twin.when.source
                or choice.when.source == twin.when.source
            ):
                what = f"key {choice.key} stands twice on {screen.name}"
                yield Fault(choice.line, 1, what, "Give each its own `when`, or key")
        if not choice.label and choice.key != "0":
            what = f"key {choice.key} of {screen.name} is not in the text"
            yield Fault(choice.line, 1, what, "Add a `label:` to it")

    # -- the ways between them --------------------------------------------------------

    def ways(self) -> Iterator[Fault]:
        screens = self.menus.screens
        ends = {name for name, screen in screens.items() if screen.ends}
        leaving = self._leaving(ends)
        for screen in screens.values():
            if screen.name not in self.reached:
                what = f"nobody can come to {screen.name}"
                yield Fault(screen.line, 1, what, "Lead to it, or take it out")
            elif screen.name not in leaving:
                what = f"from {screen.name} there is no way to an end"
                yield Fault(screen.line, 1, what, "Lead one of its keys to an end")
            elif screen.ends and self.reached[screen.name] > self._turns_max():
                what = f"{screen.name} is farther than {self._turns_max()} turns away"
                yield Fault(screen.line, 1, what, "Shorten the way, or raise turns_max")

    def _turns_max(self) -> int:
        return self.menus.limits.turns_max

    def _distances(self, entries: Sequence[str]) -> dict[str, int]:
        """Turns to each screen that can be come to, by the shortest way."""
        found = dict.fromkeys(entries, 1)
        edge = list(entries)
        while edge:
            following = []
            for name in edge:
                for target in self._targets(name):
                    if target not in found:
                        found[target] = found[name] + 1
                        following.append(target)
            edge = following
        return found

    def _leaving(self, ends: set[str]) -> set[str]:
        """The screens from which an end can be come to."""
        leads: dict[str, list[str]] = {}
        for name in self.menus.screens:
            for target in self._targets(name):
                leads.setdefault(target, []).append(name)
        leaving, edge = set(ends), list(ends)
        while edge:
            for name in leads.get(edge.pop(), ()):
                if name not in leaving:
                    leaving.add(name)
                    edge.append(name)
        return leaving

    def _targets(self, name: str) -> tuple[str, ...]:
        screen = self.menus.screens[name]
        if screen.ask is not None and screen.ask.kind is Kind.DIAL:
            led = tuple(to for to, _ in self.menus.dialled.values())
            return (*screen.targets(), *led)
        return screen.targets()

    # -- what each screen may speak of -------------------------------------------------

    def supplies(self) -> Iterator[Fault]:
        """Slots and effects that use an answer which some way does not ask for."""
        supplied = self._supplied()
        answers = set(self.menus.blank)
        facts = {name for group in FACTS.values() for name in group}
        campaign = self._campaign_names()
        known = answers | facts | campaign | GIVEN | {"titles"}
        for name, has in supplied.items():
            screen = self.menus.screens[name]
            item = {"state", "amount", "value", "title"} if screen.listed else set()
            for slot in sorted(screen.names() - known - item):
                what = f"{name} speaks of {slot!r}, which nothing supplies"
                yield Fault(screen.line, 1, what, "Correct the name, or ask for it")
            unsure = self._spoken(screen) & answers
            for slot in sorted(unsure - has - GIVEN - item):
                what = f"{name} speaks of {slot!r}, which not every way to it asks for"
                yield Fault(screen.line, 1, what, "Ask for it on every way here")
            for group in screen.needs:
                if group in answers and group not in has:
                    what = f"{name} speaks of a {group} that was not picked"
                    yield Fault(screen.line, 1, what, "Lead to it from the list only")
            for choice in screen.choices:
                for slot in EFFECTS.get(choice.do, ()):
                    if slot not in has and slot not in choice.set:
                        what = f"{choice.do} needs {slot!r}, which is not asked for"
                        yield Fault(
                            choice.line, 1, what, "Ask for it on every way here"
                        )

    def _campaign_names(self) -> set[str]:
        names = {f"preset{n}" for n in range(1, self._presets() + 1)}
        names |= {f"preset{n}_amount" for n in range(1, self._presets() + 1)}
        return names | {
            *("campaign_title", "campaign_state", "organiser", "permit", "contact"),
            *("opens", "min", "max", "call", "pay"),
        }

    def _presets(self) -> int:
        return max(len(c.presets) for c in self.menus.campaigns.values())

    def _spoken(self, screen: Screen) -> set[str]:
        """Names in its texts; those only asked about in a condition may be missing."""
        names: set[str] = set()
        for variant in screen.variants:
            for text in variant.text.values():
                names |= text.names
        for choice in screen.choices:
            for text in [*choice.label.values(), *choice.set.values()]:
                names |= text.names
        return names

    def _supplied(self) -> dict[str, set[str]]:
        """Answers surely given on every way to each screen: a fixed point."""
        everything = set(self.menus.blank)
        has = {name: set(everything) for name in self.reached}
        for name in self.entries:
            has[name] = set()
        changed = True
        while changed:
            changed = False
            for name in self.reached:
                for target, gains in self._gains(self.menus.screens[name]):
                    kept = has[target] & (has[name] | gains)
                    if kept != has[target]:
                        has[target], changed = kept, True
        return has

    def _gains(self, screen: Screen) -> Iterator[tuple[str, set[str]]]:
        """Each way out of a screen, with the answers it adds."""
        for choice in screen.choices:
            gains = set(choice.set) | set(RESULTS.get(choice.do, ()))
            yield choice.to, gains
            for outcome, to in choice.otherwise.items():
                yield to, gains if outcome == "already" else set(choice.set)
        for _, to in screen.instead:
            yield to, set()
        if screen.empty:
            yield screen.empty, set()
        if screen.then:
            gains = {screen.pick} if screen.pick else set()
            if screen.ask is not None:
                gains |= {screen.ask.answer, *screen.ask.set}
            yield screen.then, gains
        if screen.ask is not None:
            for reason, to in screen.ask.refused.items():
                yield to, {"meant"} if reason == "small" else set()
            if screen.ask.kind is Kind.DIAL:
                for to, _ in self.menus.dialled.values():
                    yield to, set()
