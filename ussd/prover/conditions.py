"""Conditions that can never hold, or that lead a caller round in a circle."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from typing import Any

from ussd.faults import Fault
from ussd.menus import Menus, Screen
from ussd.prover.worst import Worst
from ussd.templates import Condition, Template, Unrendered

__all__ = ["condition_faults"]

# Beyond so many combinations of values a condition is not judged: it is unlikely to be
# a slip of the pen.
TRIED_MAX = 5_000
SHOWN_MAX = 8

_WORD = re.compile(r"'([^']*)'")
# No caller types it, and no file compares with it.
_NO_WORD = "\x00"

Place = tuple[int, int]


def condition_faults(menus: Menus, worst: Worst) -> Iterator[Fault]:
    """Comparisons with what never is, and redirects that always or never happen."""
    for screen in menus.screens.values():
        place = (screen.line, screen.column)
        said: list[tuple[Place, str, Condition | Template]] = []
        whens: list[tuple[Place, str, Condition]] = []
        for variant in screen.variants:
            whens.append((place, f"a wording of {screen.name}", variant.when))
            said += [(place, screen.name, text) for text in variant.text.values()]
        for choice in screen.choices:
            at, name = (
                (choice.line, choice.column),
                f"key {choice.key} of {screen.name}",
            )
            whens.append((at, name, choice.when))
            texts = [*choice.label.values(), *choice.set.values()]
            said += [(at, name, text) for text in texts]
        for when, to in screen.instead:
            whens.append((place, f"the way from {screen.name} to {to}", when))
        unlike = [
            fault
            for at, name, text in [*said, *whens]
            for fault in _compared(worst, at, name, text)
        ]
        yield from unlike
        if unlike:
            continue  # whether such a condition holds says nothing new
        for at, name, when in whens:
            if _outcomes(menus, worst, [when]) == {False}:
                what = f"the condition of {name} never holds"
                yield Fault(*at, what, "Correct the condition, or take it out")
        yield from _passed_over(menus, screen, worst)
        yield from _shut(menus, screen, worst)
    yield from _circles(menus, worst)


def _compared(
    worst: Worst, place: Place, name: str, text: Condition | Template
) -> Iterator[Fault]:
    for compared, value in sorted(text.compares, key=str):
        known = worst.closed(compared)
        if known is not None and value not in known:
            words = sorted(map(repr, filter(None, known)))
            shown = ", ".join(words[:SHOWN_MAX])
            what = f"{name} compares {compared} with {value!r}, which it never is"
            yield Fault(*place, what, f"It can be {shown}")


def _passed_over(menus: Menus, screen: Screen, worst: Worst) -> Iterator[Fault]:
    """Wordings and redirects behind others that hold whenever they do."""
    place = (screen.line, screen.column)
    wordings = [variant.when for variant in screen.variants]
    redirects = [when for when, _ in screen.instead]
    for what, whens in (("wording", wordings), ("`instead`", redirects)):
        for number, when in enumerate(whens):
            before = whens[:number]
            if not all(one.source for one in before):
                break
            if number and _outcomes(menus, worst, [when], unless=before) == {False}:
                said = f"a {what} of {screen.name} is never come to: those before it "
                yield Fault(*place, said + "hold first", "Correct their conditions")
    if redirects and _outcomes(menus, worst, [], unless=redirects) == {False}:
        said = f"{screen.name} is never shown: some `instead` always holds"
        yield Fault(*place, said, "Correct the conditions, or take the screen out")


def _shut(menus: Menus, screen: Screen, worst: Worst) -> Iterator[Fault]:
    """Screens that pledge, and that nobody is shown while a campaign is open."""
    redirects = [when for when, _ in screen.instead]
    if not redirects or all(choice.do != "pledge" for choice in screen.choices):
        return
    is_open = Condition("campaign_state == 'open'")
    shown = _outcomes(menus, worst, [is_open], unless=redirects)
    if shown == {False} and True in _outcomes(menus, worst, [], unless=redirects):
        what = f"{screen.name} is not shown while the campaign is open"
        remedy = "Correct the conditions of `instead`"
        yield Fault(screen.line, screen.column, what, remedy)


def _outcomes(
    menus: Menus,
    worst: Worst,
    whens: Sequence[Condition],
    unless: Sequence[Condition] = (),
) -> set[bool]:
    """Whether all of `whens` and none of `unless` can be so, and can fail to be.

    Empty where the names they use can have any value.
    """
    sources = " ".join(when.source for when in (*whens, *unless))
    names = sorted(frozenset().union(*(when.names for when in (*whens, *unless))))
    # Of what is only held against words, it matters which of them it is, or none.
    told = frozenset([*_WORD.findall(sources), "", _NO_WORD])
    domains = [worst.closed(name) or told for name in names]
    if not names or "<" in sources or ">" in sources:
        return set()
    if prod(map(len, domains)) > TRIED_MAX:
        return set()
    base = worst.base(menus.languages[0], menus.campaign)
    found = set()
    for values in product(*(sorted(domain, key=str) for domain in domains)):
        given: dict[str, Any] = dict(zip(names, values, strict=True))
        try:
            slots = ChainMap(given, base)  # type: ignore[arg-type]  # only read
            found.add(
                all(when.holds(slots) for when in whens)
                and not any(when.holds(slots) for when in unless)
            )
        except Unrendered:
            return set()  # that it cannot be worked out is found where it is read
        if len(found) == 2:
            break
    return found


def _circles(menus: Menus, worst: Worst) -> Iterator[Fault]:
    """Redirects that lead back to where they began, all at the same moment."""
    for screen in menus.screens.values():
        if not screen.instead:
            continue
        stack: list[tuple[str, tuple[Condition, ...]]] = [(screen.name, ())]
        seen = set[str]()
        while stack:
            name, whens = stack.pop()
            for when, to in menus.screens[name].instead:
                so_far = (*whens, when)
                if to == screen.name:
                    if True in (_outcomes(menus, worst, so_far) or {True}):
                        what = f"{screen.name} can be led back to by its own `instead`"
                        remedy = "Let one of the conditions exclude the other"
                        yield Fault(screen.line, screen.column, what, remedy)
                        return
                elif to not in seen and to in menus.screens:
                    seen.add(to)
                    stack.append((to, so_far))
