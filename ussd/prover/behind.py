"""What is opened from outside, and may only be come to past a deed or a confirm."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ussd.prover.paths import Paths, openings

__all__ = ["behind_deeds"]


def behind_deeds(paths: Paths) -> set[str]:
    """Opened screens that are else read after a deed or a confirm, and never before."""
    menus = paths.menus
    # A confirm that does nothing by itself stands before all that it leads to.
    unanswered = {
        screen.name
        for screen in menus.screens.values()
        if screen.confirm and not any(choice.do for choice in screen.choices)
    }
    opened = {opening.to for opening in openings(menus)} - {menus.start}
    led = _led_to(paths)
    # Screens that something leads to without a deed, from whatever else is opened.
    free = _reached(paths, {menus.start, *(opened - led)}, unanswered)
    for to in sorted(opened - free):
        # Screens that are all come to through it lead back to it, and no way round it.
        begins = {menus.start, *opened} - {to}
        around = _reached(paths, begins, past_deeds=True, without=to)
        if not any(to in _targets(paths, name) for name in around):
            free |= _reached(paths, {to}, unanswered)
    return opened - free


def _reached(
    paths: Paths,
    begins: Iterable[str],
    unanswered: Collection[str] = (),
    *,
    past_deeds: bool = False,
    without: str = "",
) -> set[str]:
    """The screens that are come to from some, or past their deeds too."""
    found = set(begins)
    edge = list(found)
    while edge:
        name = edge.pop()
        if name in unanswered:
            continue
        for to in _targets(paths, name, past_deeds=past_deeds):
            if to in paths.menus.screens and to not in found and to != without:
                found.add(to)
                edge.append(to)
    return found


def _targets(paths: Paths, name: str, *, past_deeds: bool = True) -> set[str]:
    return {
        to
        for way in paths.ways[name]
        if not way.dialled and (past_deeds or not way.deed)
        for to in (way.via, way.to)
    }


def _led_to(paths: Paths) -> set[str]:
    """Screens that another screen leads to, by more than dialling their codes."""
    return {to for name in paths.ways for to in _targets(paths, name) - {name}}
