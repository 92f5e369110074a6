"""Whether each screen, taken by itself, can be read and answered."""

from __future__ import annotations

from collections.abc import Iterator

from ussd.faults import Fault
from ussd.menus import Ask, Choice, Kind, Menus, Screen
from ussd.prover.names import LISTED_FACTS
from ussd.screen import MORE

__all__ = ["shape_faults"]

# Replies that stop and restart campaign texts, on every line.
RESERVED_KEYS = ("11", "12")
# What is recorded for good, or decides what a phone gets: nobody passes it unread.
WEIGHTY = (
    *("pledge", "pledge_in_kind", "instalments", "standing", "stop_standing"),
    *("cancel", "sign_up", "stop_texts", "start_texts", "erase"),
)
ITEM_KEYS = tuple("123456789")
BOUNDED = (Kind.NUMBER, Kind.DIGITS, Kind.TEXT, Kind.PLACE_CODE)


def shape_faults(menus: Menus) -> Iterator[Fault]:
    """Screens without a way on, keys that clash, questions without a bound."""
    for screen in menus.screens.values():
        yield from _screen(screen, menus)
        if screen.ask is not None:
            yield from _ask(screen, screen.ask, menus)
        yield from _keys(screen)
        for choice in screen.choices:
            yield from _choice(screen, choice)


def _screen(screen: Screen, menus: Menus) -> Iterator[Fault]:
    place, name = (screen.line, screen.column), screen.name
    moves = screen.choices or screen.ask or screen.listed
    if screen.ends and moves:
        what = f"{name} ends, and yet has keys, a question or a list"
        yield Fault(*place, what, "Take out `end: true`, or the others")
    if not screen.ends and not moves:
        yield Fault(
            *place, f"{name} offers nothing to do", "Add choices, or `end: true`"
        )
    if not screen.ends and all(c.key != "0" for c in screen.choices):
        what = f"{name} has no key 0"
        yield Fault(*place, what, "Add a choice with key 0: back or leave")
    if screen.ask is not None and screen.listed:
        what = f"{name} has a question and a list"
        yield Fault(*place, what, "Ask on a screen of its own")
    asks = screen.ask is not None and screen.ask.kind is not Kind.DIAL
    if (asks or screen.listed) and not screen.then:
        what = f"{name} takes an answer and leads nowhere"
        yield Fault(*place, what, "Add `then:` with the next screen")
    if screen.then and not (asks or screen.listed):
        what = f"{name} has `then` without a question or a list"
        yield Fault(*place, what, "Lead on by a choice, or add what is asked")
    for word, said in (("pick", screen.pick), ("empty", screen.empty)):
        if said and not screen.listed:
            what = f"{name} has `{word}` without a list"
            yield Fault(*place, what, f"Add `list:`, or take out `{word}:`")
    if screen.listed in LISTED_FACTS and not screen.item:
        what = f"{name} does not say how an item reads"
        yield Fault(*place, what, "Add `item:` with a text per language")
    for number, variant in enumerate(screen.variants, start=1):
        if not variant.when.source and number < len(screen.variants):
            what = f"{name} has a wording that is never read"
            yield Fault(*place, what, "Give a `when` to all wordings but the last")
            break
    most = menus.limits.wrong_keys_max
    if screen.wrong_to and screen.wrong_max > most:
        what = f"{name} leads on after {screen.wrong_max} wrong keys, but the call "
        what += f"ends after {most}"
        yield Fault(*place, what, f"Write at most {most}, or raise wrong_keys_max")


def _ask(screen: Screen, ask: Ask, menus: Menus) -> Iterator[Fault]:
    place = (screen.line, screen.column)
    if ask.kind in BOUNDED and ask.max < max(ask.min, 1):
        what = f"the question of {screen.name} has no upper bound"
        yield Fault(*place, what, "Add `max:` to `ask:`")
    most = menus.limits.answer_chars_max
    chars = len(str(ask.max)) if ask.kind is Kind.NUMBER else ask.max
    if ask.kind in BOUNDED and chars > most:
        what = f"{screen.name} asks for {chars} characters, and an answer has {most}"
        yield Fault(*place, what, "Lower `max:`, or raise answer_chars_max")


def _keys(screen: Screen) -> Iterator[Fault]:
    """Keys that stand twice, whatever their conditions are."""
    seen: dict[str, set[str]] = {}
    for choice in screen.choices:
        whens = seen.setdefault(choice.key, set())
        when = choice.when.source
        if whens and (not when or "" in whens or when in whens):
            what = f"key {choice.key} stands twice on {screen.name}"
            remedy = "Give each its own `when`, or key"
            yield Fault(choice.line, choice.column, what, remedy)
        whens.add(when)


def _choice(screen: Screen, choice: Choice) -> Iterator[Fault]:
    place = (choice.line, choice.column)
    if choice.key in RESERVED_KEYS:
        what = f"key {choice.key} is reserved for stopping and restarting texts"
        yield Fault(*place, what, "Use another key")
    if screen.listed and choice.key in ITEM_KEYS:
        what = f"key {choice.key} of {screen.name} is taken by its list"
        yield Fault(*place, what, "Use 0, or a key of two digits")
    elif screen.long and choice.key == MORE:
        what = f"key {MORE} of {screen.name} turns its pages"
        yield Fault(*place, what, "Use another key, or take out `long: true`")
    if not choice.label and choice.key != "0":
        what = f"key {choice.key} of {screen.name} is not in the text"
        yield Fault(*place, what, "Add a `label:` to it")
    if choice.do in WEIGHTY and not screen.confirm:
        what = f"{screen.name} does {choice.do} and is no confirm screen"
        yield Fault(*place, what, "Add `confirm: true` to the screen")
    if choice.campaign and not choice.do:
        what = f"key {choice.key} of {screen.name} names a campaign and does nothing"
        yield Fault(*place, what, "Take out `campaign:`, or add `do:`")
