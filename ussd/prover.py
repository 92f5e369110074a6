"""What could go wrong in a menu file, found before anyone dials.

Every screen that a caller can come to is walked in every language, with the longest
values its slots can hold, on every channel's screen. What is found is a `Fault` with
the line it stands on and what to do about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from phone.encoding import Limits
from ussd.faults import Fault
from ussd.machine import begin
from ussd.menus import EFFECT_TEXTS, Choice, Kind, Menus, Screen
from ussd.paths import Paths
from ussd.wording import Line, wording_faults

__all__ = ["Line", "prove"]

# Replies that stop and restart campaign texts, on every line.
RESERVED_KEYS = ("11", "12")
# The group of facts that is a list.
LISTED_FACTS = ("pledges",)


def prove(
    menus: Menus, *, channels: Mapping[str, Limits], lines: Sequence[Line]
) -> list[Fault]:
    """Every fault of `menus` on these channels and sender lines, in file order."""
    faults = list(_names(menus))
    if faults:
        # A name that leads nowhere would only be found again by what follows.
        return sorted(faults)
    faults += _dial_codes(menus)
    faults += _shapes(menus)
    paths = Paths(menus)
    faults += paths.ways()
    missing = list(paths.supplies())
    faults += missing
    # Where a slot is missing, what it would read like says nothing new.
    missed = {fault.line for fault in missing}
    worded = wording_faults(menus, channels, lines)
    faults += (fault for fault in worded if fault.line not in missed)
    return sorted(set(faults))


def _names(menus: Menus) -> Iterator[Fault]:
    """Names that nothing in the file answers to."""
    known = set(menus.screens)
    if menus.start not in known:
        line = menus.lines["start", ""]
        yield Fault(line, 1, f"there is no start screen {menus.start!r}", _NAME)
    if not menus.dialled:
        line = menus.lines["dialled", ""]
        yield Fault(line, 1, "nothing can be dialled", "Add a code under `dialled:`")
    for code, (to, campaign) in menus.dialled.items():
        line = menus.lines["dialled", code]
        if to not in known:
            yield Fault(line, 1, f"{code} leads to {to!r}, which is no screen", _NAME)
        if campaign and campaign not in menus.campaigns:
            yield Fault(line, 1, f"{code} is of no campaign {campaign!r}", _NAME)
    for screen in menus.screens.values():
        for choice in screen.choices:
            for target in dict.fromkeys([choice.to, *choice.otherwise.values()]):
                if target not in known:
                    what = f"{screen.name} leads to {target!r}, which is no screen"
                    yield Fault(choice.line, 1, what, _NAME)
            if choice.campaign and choice.campaign not in menus.campaigns:
                what = f"there is no campaign {choice.campaign!r}"
                yield Fault(choice.line, 1, what, _NAME)
            for text in EFFECT_TEXTS.get(choice.do, ()):
                if text not in menus.texts:
                    what = f"{choice.do} sends {text!r}, which is no text"
                    yield Fault(choice.line, 1, what, f"Write {text} under `texts:`")
        for target in replace(screen, choices=()).targets():
            if target not in known:
                what = f"{screen.name} leads to {target!r}, which is no screen"
                yield Fault(screen.line, 1, what, _NAME)
        if screen.listed and screen.listed not in {*menus.lists, *LISTED_FACTS}:
            what = f"{screen.name} lists {screen.listed!r}, which is no list"
            yield Fault(screen.line, 1, what, "Name a list of this file, or pledges")


_NAME = "Correct the name, or add what it names"


def _dial_codes(menus: Menus) -> Iterator[Fault]:
    for campaign in menus.campaigns.values():
        line = menus.lines["campaigns", campaign.id]
        if campaign.pay and begin(menus, campaign.pay, menus.languages[0]) is not None:
            what = f"the pay code of {campaign.id} leads into these menus"
            remedy = "Write the licensed code of the payment company as `pay`"
            yield Fault(line, 1, what, remedy)
        if campaign.call and begin(menus, campaign.call, menus.languages[0]) is None:
            what = f"the call code of {campaign.id} leads to no menu"
            yield Fault(line, 1, what, "Write a code of `dialled:` as `call`")
    for code, (to, _) in menus.dialled.items():
        if any(to == done for done in _after_deeds(menus)):
            what = f"{code} leads to {to}, which only a deed leads to"
            remedy = "Lead it to the screen that asks"
            yield Fault(menus.lines["dialled", code], 1, what, remedy)


def _after_deeds(menus: Menus) -> set[str]:
    """Screens that say what was done: nothing but an effect leads to them."""
    done: set[str] = set()
    others: set[str] = set()
    for screen in menus.screens.values():
        for choice in screen.choices:
            (done if choice.do else others).add(choice.to)
        others.update(replace(screen, choices=()).targets())
    return done - others


# -- each screen by itself ----------------------------------------------------


def _shapes(menus: Menus) -> Iterator[Fault]:
    for screen in menus.screens.values():
        yield from _shape(screen)
        for choice in screen.choices:
            yield from _choice(screen, choice)


def _shape(screen: Screen) -> Iterator[Fault]:
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
    bounded = asks is not None and asks.kind in (Kind.NUMBER, Kind.DIGITS, Kind.TEXT)
    if asks and bounded and asks.max < max(asks.min, 1):
        what = f"the question of {screen.name} has no upper bound"
        yield Fault(screen.line, 1, what, "Add `max:` to `ask:`")
    if screen.listed in LISTED_FACTS and not screen.item:
        what = f"{screen.name} does not say how an item reads"
        yield Fault(screen.line, 1, what, "Add `item:` with a text per language")


def _choice(screen: Screen, choice: Choice) -> Iterator[Fault]:
    if choice.key in RESERVED_KEYS:
        what = f"key {choice.key} is reserved for stopping and restarting texts"
        yield Fault(choice.line, 1, what, "Use another key")
    if screen.listed and choice.key in tuple("123456789"):
        what = f"key {choice.key} of {screen.name} is taken by its list"
        yield Fault(choice.line, 1, what, "Use 0, or a key of two digits")
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
