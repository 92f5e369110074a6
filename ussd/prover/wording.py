"""The longest each screen can become, and whether it still fits and reads right.

Every wording is read with every value that a condition asks for, and with the values
that make it longest in either encoding. A text without `if` is its pieces one after
another, so the longest of each piece together are the longest text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

from phone.encoding import (
    GSM7_BASIC,
    GSM7_EXTENSION,
    Limits,
    excess,
    gsm7_septets,
    ucs2_units,
)
from ussd.faults import Fault
from ussd.menus import Campaign, Menus, Screen
from ussd.paging import ITEMS_A_PAGE_MAX, words_of
from ussd.prover.legible import LIKE_A_KEY, illegible, label_illegible
from ussd.prover.paths import openings
from ussd.prover.worst import Bundle, TooMany, Worst
from ussd.screen import MORE, titles, worded
from ussd.templates import Condition, Slots, Template, Unrendered

__all__ = ["screen_faults"]

# So many combinations of values are read each by itself: what reads wrong only where
# two values meet is found then, too.
EACH_MAX = 500
SHAPES_MAX = 2_000

Axis = Sequence[Bundle]


@dataclass(frozen=True, slots=True)
class _Said:
    """A screen as one caller gets it: its text, the items of its list, its keys."""

    text: str
    items: list[str]
    keys: list[str]
    more: str
    slots: Slots
    # The list is written in the file, so that no item is more or fewer.
    fixed: bool = False

    @property
    def whole(self) -> str:
        return "\n".join([self.text, *self.items, *self.keys])


def screen_faults(
    menus: Menus,
    screen: Screen,
    worst: Worst,
    channels: Mapping[str, Limits],
    *,
    gsm7_only: bool = False,
) -> tuple[list[Fault], int]:
    """What is wrong with a screen, and how many characters one page of it can have.

    It is read in every language and on every channel; with `gsm7_only`, a letter that
    is not GSM-7 is wrong too.
    """
    longest = [0]
    faults = _faults(menus, screen, worst, channels, gsm7_only, longest)
    most = max((room.gsm7_septets for room in channels.values()), default=0)
    return list(faults), min(max(longest), most)


def _faults(
    menus: Menus,
    screen: Screen,
    worst: Worst,
    channels: Mapping[str, Limits],
    gsm7_only: bool,
    longest: list[int],
) -> Iterator[Fault]:
    if screen.listed and screen.listed not in menus.lists and not screen.item:
        return  # that it lacks `item` is a fault of its shape
    rooms = set(channels.values())
    for language in menus.languages:
        over: dict[Limits, int] = {}
        wrong: set[Fault] = set()
        for campaign in _campaigns(menus, screen):
            try:
                for said in _cases(menus, screen, worst, language, campaign):
                    wrong.update(_reads_wrong(screen, language, said, menus.blank))
                    if gsm7_only and gsm7_septets(said.whole) is None:
                        wrong.add(_foreign(screen, language))
                    longest.append(len(said.whole))
                    for room in rooms:
                        units = _over(screen, said, room)
                        over[room] = max(over.get(room, 0), units)
            except Unrendered as reason:
                what = f"{screen.name} ({language}) in {campaign.id}: {reason}"
                remedy = "Supply it in that campaign, or correct the slot"
                yield Fault(screen.line, screen.column, what, remedy)
                break
            except TooMany:
                what = f"{screen.name} has more wordings than can be proved"
                remedy = "Ask about fewer answers on one screen"
                yield Fault(screen.line, screen.column, what, remedy)
                return
        yield from wrong
        for channel, room in channels.items():
            if units := over.get(room, 0):
                what = f"{screen.name} ({language}) can be {units} over on {channel}"
                remedy = f"Cut {units} characters, or the longest value of a slot"
                yield Fault(screen.line, screen.column, what, remedy)


def _campaigns(menus: Menus, screen: Screen) -> Sequence[Campaign]:
    """The campaigns that a conversation can be in when it comes to a screen."""
    if not screen.names() and screen.listed in {"", *menus.lists}:
        return [menus.campaign]
    named = {opening.campaign for opening in openings(menus)}
    return [c for c in menus.campaigns.values() if c is menus.campaign or c.id in named]


def _cases(
    menus: Menus, screen: Screen, worst: Worst, language: str, campaign: Campaign
) -> Iterator[_Said]:
    """The screen with every set of values that decides how it reads.

    Raises Unrendered and TooMany.
    """
    whole = worst.base(language, campaign)
    items = worst.items(screen, language, campaign)
    more = f"{MORE} {menus.notices['more'][language].render(whole)}"
    names = screen.names()
    base = {name: whole[name] for name in whole.keys() & (names | _ALWAYS)}

    def say(bundles: Sequence[Bundle]) -> _Said:
        slots: Slots = {k: v for given in (base, *bundles) for k, v in given.items()}
        text, keys = worded(screen, slots, language)
        listed = titles(screen, items, slots, language) if screen.listed else []
        return _Said(text, listed, keys, more, slots, screen.listed in menus.lists)

    if not names:
        yield say(())
        return
    asked, spoken = _asked(screen), _spoken(screen)
    axes = []
    for axis in worst.axes(names, asked, language, campaign):
        given = {name for bundle in axis for name in bundle}
        # An answer that is only asked about may not have been given yet.
        unsure = given <= menus.blank.keys() and not given & spoken
        axes.append([*axis, {}] if unsure else axis)
    if prod(map(len, axes)) <= EACH_MAX:
        yield from map(say, product(*axes))
        return
    classes = [_classes(axis, asked, {}) for axis in axes]
    if prod(map(len, classes)) > EACH_MAX:
        told = _told(screen)
        classes = [_classes(axis, asked, told) for axis in axes]
    if prod(map(len, classes)) > SHAPES_MAX:
        raise TooMany
    for shape in product(*classes):
        yield from _worst_of(shape, say)


def _worst_of(shape: Sequence[Axis], say: Say) -> Iterator[_Said]:
    """Screens of one shape: every value once, then the longest values together.

    Units, septets and foreign letters of a text are sums over its pieces, so each axis
    has its own longest values, whatever the others are.
    """
    usual = [axis[0] for axis in shape]
    first = say(usual)
    yield first
    longest, latin, foreign = list(usual), list(usual), dict[int, Bundle]()
    for place, axis in enumerate(shape):
        if len(axis) == 1:
            continue
        sized: list[tuple[int, int, int, Bundle]] = []
        for bundle in axis:
            said = first
            if bundle is not usual[place]:
                said = say([*usual[:place], bundle, *usual[place + 1 :]])
                yield said
            sized.append((*_sizes(said.whole), bundle))
        longest[place] = max(sized, key=lambda size: size[0])[3]
        least = min(strange for _, _, strange, _ in sized)
        known = [size for size in sized if size[2] == least]
        latin[place] = max(known, key=lambda size: size[1])[3]
        if others := [size for size in sized if size[2] > least]:
            foreign[place] = max(others, key=lambda size: size[0])[3]
    if sum(len(axis) > 1 for axis in shape) < 2:
        return
    # As GSM-7 where all can be; as UCS-2 with one value at least that needs it.
    yield say(latin)
    yield say(longest)
    for place, bundle in foreign.items():
        if bundle is not longest[place]:
            yield say([*longest[:place], bundle, *longest[place + 1 :]])


def _sizes(text: str) -> tuple[int, int, int]:
    """UCS-2 units, septets, and how many letters are not GSM-7."""
    unusual = _UNUSUAL.findall(text)
    extended = sum(letter in GSM7_EXTENSION for letter in unusual)
    return ucs2_units(text), len(text) + extended, len(unusual) - extended


def _classes(
    axis: Axis, asked: frozenset[str], told: Mapping[str, frozenset[Any]]
) -> list[Axis]:
    """The values of an axis, apart by what conditions can tell of them."""
    apart: dict[frozenset[tuple[str, Any]], list[Bundle]] = {}
    for bundle in axis:
        can = frozenset(
            # Whatever equals no constant is all one to who compares with constants.
            (name, value if name not in told or value in told[name] else _ANOTHER)
            for name, value in bundle.items()
            if name in asked
        )
        apart.setdefault(can, []).append(bundle)
    return list(apart.values())


def _asked(screen: Screen) -> frozenset[str]:
    """Names that some condition asks about, in a `when` or within a text."""
    return frozenset().union(*(asks.names for asks in _asking(screen)))


def _told(screen: Screen) -> dict[str, frozenset[Any]]:
    """Names that are only compared with constants, each with those constants.

    What is empty reads unlike all else, and counts as one of them.
    """
    told: dict[str, set[Any]] = {}
    for asks in _asking(screen):
        for name, constant in asks.compares:
            told.setdefault(name, {""}).add(constant)
    weighed: set[str] = set().union(*(asks.weighs for asks in _asking(screen)))
    return {n: frozenset(of) for n, of in told.items() if n not in weighed}


def _asking(screen: Screen) -> Iterator[Condition | Template]:
    for variant in screen.variants:
        yield variant.when
    for choice in screen.choices:
        yield choice.when
    for text in _texts(screen):
        # Whatever is more than a slot and its filters.
        if " " in "".join(_SLOT.findall(text.source)):
            yield text


def _spoken(screen: Screen) -> frozenset[str]:
    return frozenset().union(*(text.names for text in _texts(screen)))


def _texts(screen: Screen) -> Iterator[Template]:
    for variant in screen.variants:
        yield from variant.text.values()
    for choice in screen.choices:
        yield from choice.label.values()
    yield from screen.item.values()


# -- one screen as it reads ---------------------------------------------------------


def _reads_wrong(
    screen: Screen, language: str, said: _Said, answers: Collection[str]
) -> Iterator[Fault]:
    """What reads wrong on a screen: in its text, its keys, and the items it lists."""
    place = (screen.line, screen.column)
    yield from illegible(screen.name, language, said.text, place)
    if not screen.ends and LIKE_A_KEY.search(said.text):
        what = f"a line of {screen.name} begins like a key"
        yield Fault(*place, what, "Begin it with a word, not with a figure")
    for name in _bare(screen.wording(said.slots).text[language]):
        if name in answers and said.slots.get(name) == "":
            what = f"{screen.name} ({language}) speaks of {name!r}, which can be empty"
            yield Fault(*place, what, "Give that case a wording of its own")
    shown = set()
    for choice in screen.choices:
        if not choice.label or not choice.when.holds(said.slots):
            continue
        name, at = f"key {choice.key} of {screen.name}", (choice.line, choice.column)
        label = choice.label[language].render(said.slots)
        yield from label_illegible(name, language, label, at)
        if choice.key in shown:
            what = f"key {choice.key} stands twice on {screen.name}"
            yield Fault(*at, what, "Give each its own `when`, or key")
        shown.add(choice.key)
    for item in said.items:
        yield from label_illegible(f"an item of {screen.name}", language, item, place)


def _foreign(screen: Screen, language: str) -> Fault:
    what = f"{screen.name} ({language}) has no form in GSM-7"
    remedy = f"Add `{language}-gsm7:` in Latin letters, to its text, keys and slots"
    return Fault(screen.line, screen.column, what, remedy)


def _over(screen: Screen, said: _Said, room: Limits) -> int:
    """By how many units a screen passes what a handset shows at once.

    A list goes on with key 9, under its text and with all its keys on every page; a
    long text goes on between words.
    """
    if not screen.listed and not screen.long:
        return excess(said.whole, room)
    numbered = [f"{n} {item}" for n, item in enumerate(said.items, start=1)]
    one_page = len(numbered) <= ITEMS_A_PAGE_MAX and (said.fixed or not numbered)
    if one_page and not excess("\n".join([said.text, *numbered, *said.keys]), room):
        return 0
    if not screen.long:
        head, tail = [said.text], [said.more, *said.keys]
        lines = [[*head, f"1 {item}", *tail] for item in set(said.items)]
    else:
        variant = screen.wording(said.slots)
        language = str(said.slots["language"])
        words = words_of(variant.text[language].pieces(said.slots))
        lines = [[word.text, said.more] for word in words]
        lines += [[line, said.more] for line in (*numbered, *said.keys)]
    return max((excess("\n".join(line), room) for line in lines), default=0)


Say = Callable[[Sequence[Bundle]], _Said]
# What filters need to know of who reads.
_ALWAYS = {"language", "figures", "titles"}
# A value that is none of those a condition names.
_ANOTHER = object()
# Letters of two septets, and those of none.
_UNUSUAL = re.compile(f"[^{re.escape(''.join(sorted(GSM7_BASIC)))}]")
# What stands in braces, and of it a name with nothing but filters.
_SLOT = re.compile(r"\{([^}]*)\}")
_BARE = re.compile(r"\s*([a-z_][a-z_0-9]*)\s*(\|.*)?", re.IGNORECASE)


def _bare(text: Template) -> Iterator[str]:
    for slot in _SLOT.findall(text.source):
        if found := _BARE.fullmatch(slot):
            yield found[1]
