"""Which answers have surely been given when a screen is read, and which have not.

What is true on every way to a state is worked out as a fixed point over `Paths`; a
set of names is kept as the bits of one number, so that ten thousand screens with as
many answers take a moment.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain

from ussd.facts import FACT_OF, FACTS
from ussd.faults import Fault
from ussd.menus import (
    EFFECTS,
    Menus,
    Screen,
)
from ussd.prover.paths import Paths, openings
from ussd.prover.ways import Way

__all__ = ["GIVEN", "Supplies", "campaign_slots"]

# What every screen can say without having asked for it.
GIVEN = frozenset({"dialled", "language"})
CAMPAIGN_SLOTS = frozenset(
    {"campaign_title", "campaign_state", "organiser", "permit", "contact"}
    | {"opens", "min", "max", "call", "pay"}
    | {"card", "link", "bring_to", "parcel_price", "recipient"}
    | {"enquiry"}
)
ITEM_SLOTS = frozenset(
    {"state", "amount", "count", "unit", "purpose", "value", "title", "when"}
    | {"kind", "side", "metres"}
)


class Supplies:
    """The answers surely given at each screen, over every way to it.

    `consented[n]` holds the flows whose sensitive questions state n may ask.
    """

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self.menus = paths.menus
        names = [*self.menus.blank, *map(_consent, ["", *self.menus.flows])]
        self._bits = {name: 1 << n for n, name in enumerate(names)}
        self._forgotten = {
            flow: ~self._mask(answers) for flow, answers in self.menus.sensitive.items()
        }
        self._masks: dict[frozenset[str], int] = {}
        self._has = self._fixed_point()
        by_screen: dict[str, int] = {}
        for state, name in enumerate(paths.screens):
            by_screen[name] = by_screen.get(name, -1) & self._has[state]
        self._by_screen = by_screen

    def given(self, screen: str, name: str) -> bool:
        """Whether every way to `screen` has given the answer `name`."""
        return bool(self._by_screen[screen] & self._bits[name])

    def consented(self, state: int) -> bool:
        """Whether every way to a state went by a consent for the state's flow."""
        flow = self.menus.flow_of(self.paths.screens[state])
        return bool(self._has[state] & self._bits[_consent(flow)])

    def _mask(self, names: Iterable[str]) -> int:
        mask = 0
        for name in names:
            mask |= self._bits.get(name, 0)
        return mask

    def _gained(self, state: int, way: Way) -> int:
        mask = self._masks.get(way.gains)
        if mask is None:
            mask = self._masks[way.gains] = self._mask(way.gains)
        if way.consent:
            # A consent is given to the flow it is asked in, to the one that it leads
            # into, and to those that called the sub-flow it is asked in.
            flow_of = self.menus.flow_of
            asking = (self.paths.screens[state], *self.paths.returns[state])
            asking = (*asking, way.to, way.via)
            mask |= self._mask(_consent(flow_of(name)) for name in asking)
        return mask

    def _fixed_point(self) -> list[int]:
        paths, flow_of = self.paths, self.menus.flow_of
        has = [(1 << len(self._bits)) - 1] * len(paths.screens)
        for state in paths.entries:
            has[state] = 0
        for state, given in self._opened().items():
            has[state] = given
        flows = [flow_of(name) for name in paths.screens]
        left = deque(paths.entries)
        queued = [False] * len(has)
        first = [True] * len(has)
        while left:
            state = left.popleft()
            queued[state] = False
            for edge in paths.edges[state]:
                gains = has[state] | self._gained(state, edge.way)
                if flows[edge.end] != flows[state]:
                    gains &= self._forgotten.get(flows[state], -1)
                kept = has[edge.end] & gains
                if kept != has[edge.end] or first[edge.end]:
                    has[edge.end], first[edge.end] = kept, False
                    if not queued[edge.end]:
                        queued[edge.end] = True
                        left.append(edge.end)
        return has

    def _opened(self) -> dict[int, int]:
        """What every code and keyword that opens a state has set by then."""
        opened: dict[str, int] = {self.menus.start: 0}
        for opening in openings(self.menus):
            given = self._mask(opening.set)
            opened[opening.to] = opened.get(opening.to, -1) & given
        return {
            state: opened[self.paths.screens[state]] for state in self.paths.entries
        }

    # -- what a screen says without having it ---------------------------------------

    def faults(self) -> Iterator[Fault]:
        """Slots and effects that use an answer which some way does not ask for."""
        menus = self.menus
        answers = frozenset(menus.blank)
        known = answers | campaign_slots(menus) | GIVEN | {"titles"}
        known |= frozenset(chain.from_iterable(FACTS.values()))
        typed = {
            screen.then
            for screen in menus.screens.values()
            if screen.ask is not None and screen.ask.answer == FACT_OF["pledge"]
        }
        for name in self.paths.reached:
            screen = menus.screens[name]
            place = (screen.line, screen.column)
            item = ITEM_SLOTS if screen.listed else frozenset()
            for slot in sorted(screen.names() - known - item):
                what = f"{name} speaks of {slot!r}, which nothing supplies"
                yield Fault(*place, what, "Correct the name, or ask for it")
            for slot in sorted((_spoken(screen) & answers) - GIVEN - item):
                if not self.given(name, slot):
                    what = f"{name} speaks of {slot!r}, which not every way to it "
                    remedy = "Ask for it on every way here"
                    yield Fault(*place, what + "asks for", remedy)
            for one in sorted({FACT_OF[g] for g in screen.needs if g in FACT_OF}):
                if one in answers and not self.given(name, one):
                    what = f"{name} speaks of a {one} that was not picked"
                    yield Fault(*place, what, "Lead to it from the list only")
            if name in typed and screen.needs and not _excepts_strangers(screen):
                what = f"{name} speaks of a pledge whose code was typed, and which may "
                remedy = "Add `instead:` with {when: one_state == '', to: ...}"
                yield Fault(*place, what + "be somebody else's", remedy)
            for choice in screen.choices:
                for slot in EFFECTS.get(choice.do, ()):
                    has = slot in answers and self.given(name, slot)
                    if not has and slot not in choice.set:
                        what = f"{choice.do} needs {slot!r}, which is not asked for"
                        remedy = "Ask for it on every way here"
                        yield Fault(choice.line, choice.column, what, remedy)


def campaign_slots(menus: Menus) -> frozenset[str]:
    """The names of what campaigns say of themselves, their presets among it."""
    most = max(len(campaign.presets) for campaign in menus.campaigns.values())
    numbered = [f"preset{n}" for n in range(1, most + 1)]
    return CAMPAIGN_SLOTS.union(numbered, (f"{name}_amount" for name in numbered))


def _consent(flow: str) -> str:
    # No answer can have this name: a bracket is no part of one.
    return f"(consent {flow})"


def _excepts_strangers(screen: Screen) -> bool:
    """Whether it leads elsewhere where a code is of no pledge of the caller."""
    return any(("one_state", "") in when.compares for when, _ in screen.instead)


def _spoken(screen: Screen) -> set[str]:
    """Names in its texts; those only asked about in a condition may be missing."""
    names: set[str] = set()
    for variant in screen.variants:
        for text in variant.text.values():
            names |= text.names
    for choice in screen.choices:
        for text in [*choice.label.values(), *choice.set.values()]:
            names |= text.names
    return names
