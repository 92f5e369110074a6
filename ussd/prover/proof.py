"""What could go wrong in a menu file, found before anyone dials.

Every state that a caller can come to is walked in every language, with the longest
values its slots can hold, on every channel's screen. What is found is a `Fault` with
its place and what to do about it. Each kind of fault has a module of its own:

names       nothing answers to a name
taken       two things answer to one
shapes      a screen by itself: keys, questions, lists
exits       screens nobody comes to, or cannot leave in time
supplies    answers that were not given by then
values      answers that the file gives, out of bounds or for nothing
conditions  what never holds, or always
consents    sensitive answers
wording     screens too long, or that read wrong
notices     and
messages    the texts that are no screens, likewise
keywords    what a text may begin with
estimates   ways that take longer than a carrier waits
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from phone.dialcode import parts
from phone.encoding import Limits
from ussd.faults import Fault
from ussd.machine import begin
from ussd.menus import Menus
from ussd.prover.behind import behind_deeds
from ussd.prover.conditions import condition_faults
from ussd.prover.consents import consent_faults
from ussd.prover.costs import TextCost, text_costs
from ussd.prover.estimates import Reach, Timers, reaches, timer_faults
from ussd.prover.exits import exit_faults
from ussd.prover.keywords import keyword_faults
from ussd.prover.messages import message_faults
from ussd.prover.names import name_faults
from ussd.prover.notices import notice_faults
from ussd.prover.paths import Paths
from ussd.prover.shapes import shape_faults
from ussd.prover.short_forms import short_form_faults
from ussd.prover.supplies import Supplies
from ussd.prover.values import value_faults
from ussd.prover.wording import screen_faults
from ussd.prover.worst import Line, Worst

__all__ = ["Line", "Proof", "Timers", "examine", "prove"]

# A code as it is dialled, written out in a text.
_CODE = re.compile(r"\*[0-9]+(?:\*[0-9]+)*#")
_ASKS = "Lead it to the screen that asks"


@dataclass(frozen=True, slots=True)
class Proof:
    """The faults of a menu file in its order, the ways to what it does, and its texts.

    Where there is a fault, nothing is said of what texts cost.
    """

    faults: list[Fault]
    reaches: list[Reach] = field(default_factory=list)
    costs: list[TextCost] = field(default_factory=list)


def prove(
    menus: Menus,
    *,
    channels: Mapping[str, Limits],
    lines: Sequence[Line],
    gsm7_only: Collection[str] = (),
    timers: Mapping[str, Timers] = MappingProxyType({}),
    reserved: Mapping[str, str] = MappingProxyType({}),
) -> list[Fault]:
    """Every fault of `menus` on these channels and sender lines, in file order.

    `gsm7_only` are the names of those channels that show no Persian letters; `timers`
    are those of channels that do not keep a call for as long as most do. `reserved`
    are folded words that a text is read as before any keyword, and what each does.
    """
    proof = examine(
        menus,
        channels=channels,
        lines=lines,
        gsm7_only=gsm7_only,
        timers=timers,
        reserved=reserved,
    )
    return proof.faults


def examine(
    menus: Menus,
    *,
    channels: Mapping[str, Limits],
    lines: Sequence[Line],
    gsm7_only: Collection[str] = (),
    timers: Mapping[str, Timers] = MappingProxyType({}),
    reserved: Mapping[str, str] = MappingProxyType({}),
) -> Proof:
    """As `prove`, with what each deed of a file without a fault takes to come to."""
    faults = list(name_faults(menus))
    if faults:
        # A name that leads nowhere would only be found again by what follows.
        return Proof(sorted(set(faults)))
    paths = Paths(menus)
    supplies = Supplies(paths)
    missing = list(supplies.faults())
    faults += [*paths.faults, *missing]
    faults += _dial_codes(paths)
    faults += shape_faults(menus)
    faults += exit_faults(paths)
    faults += value_faults(paths)
    faults += consent_faults(supplies)
    faults += keyword_faults(menus, reserved)
    worst = Worst(menus, lines)
    faults += condition_faults(menus, worst)
    # Where a slot is missing, what it would read like says nothing new.
    missed = {fault.line for fault in missing}
    full = {name: c for name, c in channels.items() if name not in gsm7_only}
    units = max((room.ucs2_units for room in channels.values()), default=0)
    worded = [*notice_faults(menus, full), *message_faults(menus, lines, units)]
    chars = {}
    for screen in menus.screens.values():
        found, chars[screen.name] = screen_faults(menus, screen, worst, full)
        worded += found
    short = {name: c for name, c in channels.items() if name in gsm7_only}
    worded += short_form_faults(menus, lines, short)
    faults += (fault for fault in worded if fault.line not in missed)
    faults += timer_faults(paths, chars, channels, timers)
    costs = [] if faults else text_costs(menus, lines, units)
    return Proof(sorted(set(faults)), reaches(paths, chars), costs)


def _dial_codes(paths: Paths) -> Iterator[Fault]:
    menus = paths.menus
    for campaign in menus.campaigns.values():
        if campaign.pay and begin(menus, campaign.pay, menus.languages[0]) is not None:
            what = f"the pay code of {campaign.id} leads into these menus"
            remedy = "Write the licensed code of the payment company as `pay`"
            yield Fault(*menus.places["pay", campaign.id], what, remedy)
        if campaign.call and begin(menus, campaign.call, menus.languages[0]) is None:
            what = f"the call code of {campaign.id} leads to no menu"
            remedy = "Write a code of `dialled:` as `call`"
            yield Fault(*menus.places["call", campaign.id], what, remedy)
    yield from _codes_told(menus)
    behind = behind_deeds(paths)
    for code, opening in menus.dialled.items():
        if opening.to not in behind:
            continue
        place, who = menus.places["dialled", code], code
        if opening.shortcut:
            shortcut = menus.shortcuts[opening.shortcut]
            place, who = (shortcut.line, shortcut.column), shortcut.name
        what = f"{who} leads to {opening.to}, which only a deed or a confirm leads to"
        yield Fault(*place, what, _ASKS)
    for keyword in menus.keywords.values():
        for to in {keyword.to, keyword.rest} & behind:
            what = f"keyword {keyword.name} leads to {to}, which only a deed or a "
            yield Fault(keyword.line, keyword.column, what + "confirm leads to", _ASKS)


def _codes_told(menus: Menus) -> Iterator[Fault]:
    """Texts that tell a code of ours which opens nothing."""
    ours = {parts(code)[0] for code in menus.dialled}
    pays = {campaign.pay for campaign in menus.campaigns.values()}
    for name, place, text in _texts(menus):
        for code in _CODE.findall(text):
            ahead = parts(code)
            opens = begin(menus, code, menus.languages[0]) is not None
            if ahead[0] in ours and not opens and code not in pays:
                what = f"{name} tells the code {code}, which opens nothing"
                yield Fault(*place, what, "Write it as a slot: {call|dialled}")


def _texts(menus: Menus) -> Iterator[tuple[str, tuple[int, int], str]]:
    for screen in menus.screens.values():
        spoken = [variant.text for variant in screen.variants]
        spoken += [choice.label for choice in screen.choices]
        for texts in spoken:
            for text in texts.values():
                yield screen.name, (screen.line, screen.column), text.source
    for name, values in menus.lists.items():
        for _, words in values:
            for said in words.values():
                yield f"list {name}", menus.places["lists", name], said
    for campaign in menus.campaigns.values():
        for words in (
            campaign.title,
            campaign.organiser,
            *dict(campaign.presets).values(),
        ):
            for said in words.values():
                yield campaign.id, menus.places["campaigns", campaign.id], said
    for name, notice in menus.notices.items():
        for text in notice.values():
            yield f"notice {name}", menus.places["notices", name], text.source
    for message in menus.texts.values():
        for text in message.text.values():
            yield message.name, (message.line, message.column), text.source
