"""Which screens a caller can come to, by how many turns, and what was asked by then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ussd.faults import Fault
from ussd.menus import EFFECTS, FACTS, Kind, Menus, Screen

__all__ = ["Paths"]

# What every screen can say without having asked for it.
GIVEN = frozenset({"dialled", "language"})
# What an effect leaves behind for the screens after it.
RESULTS: Mapping[str, frozenset[str]] = {
    "pledge": frozenset({"code"}),
    "sign_up": frozenset({"code"}),
}


class Paths:
    """Every way through a menu file, from each code that can be dialled."""

    def __init__(self, menus: Menus) -> None:
        self.menus = menus
        led = [to for to, _ in menus.dialled.values()]
        self.entries = tuple(dict.fromkeys([menus.start, *led]))
        self.reached = self._distances(self.entries)

    def ways(self) -> Iterator[Fault]:
        """Screens nobody comes to, with no way out, or too far away."""
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
