"""The ways that lead out of one screen: its keys, answers, refusals and redirects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ussd.menus import Choice, Kind, Menus, Screen

__all__ = ["OUTCOMES", "REASONS", "Way", "ways_out"]

# What each effect can come to, and the answers that it leaves for the screens after
# it; "" is what was asked for. `gateway.effects` comes to no other.
_SHUT: Mapping[str, frozenset[str]] = dict.fromkeys(
    ("closed", "early", "paused"), frozenset()
)
OUTCOMES: Mapping[str, Mapping[str, frozenset[str]]] = {
    "pledge": {"": frozenset({"code"}), **_SHUT},
    "pledge_in_kind": {"": frozenset({"code"}), **_SHUT},
    "instalments": {"": frozenset({"code"}), **_SHUT},
    "standing": {"": frozenset(), "already": frozenset(), **_SHUT},
    "stop_standing": {"": frozenset(), "not_yours": frozenset()},
    "cancel": {
        "cancelled": frozenset(),
        "already_cancelled": frozenset(),
        "paid": frozenset(),
        "not_yours": frozenset(),
    },
    "sign_up": {"": frozenset({"code"}), "already": frozenset({"code"})},
    "change_sign_up": {"": frozenset({"code"}), "none": frozenset()},
    "leave": {"": frozenset(), "none": frozenset()},
    "come_back": {"": frozenset({"code"}), "none": frozenset()},
    # What it comes to tells nobody whether that phone is known.
    "enter_for": {
        "": frozenset(),
        "own": frozenset(),
        "many": frozenset(),
    },
    "confirm_entry": {
        "": frozenset({"code"}),
        "already": frozenset({"code"}),
        "none": frozenset(),
    },
    "refuse_entry": {"": frozenset(), "none": frozenset()},
    "change_number": {"": frozenset(), "own": frozenset(), "many": frozenset()},
    "take_number": {"": frozenset(), "none": frozenset(), "known": frozenset()},
    "refuse_number": {"": frozenset(), "none": frozenset()},
    "join_assembly": {"": frozenset()},
    "leave_assembly": {"": frozenset(), "none": frozenset()},
    "register_premises": {"": frozenset(), "many": frozenset()},
    "close_premises": {"": frozenset(), "none": frozenset()},
    "match_premises": {"": frozenset(), "none": frozenset()},
    "attend_meeting": {
        "": frozenset(),
        "over": frozenset(),
        "not_yours": frozenset(),
    },
    "claim_decision": {
        "": frozenset(),
        "settled": frozenset(),
        "not_yours": frozenset(),
    },
    "settle_decision": {
        "": frozenset(),
        "settled": frozenset(),
        "not_yours": frozenset(),
    },
    "favour": {
        "": frozenset({"code"}),
        **dict.fromkeys(("many", "floor", "ceiling"), frozenset()),
    },
    "close_favour": {"": frozenset(), "late": frozenset()},
    "accept_help": {"": frozenset(), "late": frozenset()},
    "decline_help": {"": frozenset(), "late": frozenset()},
    "tell_hours": {"": frozenset({"code"}), "late": frozenset()},
    "confirm_hours": {
        "": frozenset(),
        **dict.fromkeys(
            ("already", "late", "not_yours", "floor", "ceiling"), frozenset()
        ),
    },
    "dispute_hours": {"": frozenset(), "late": frozenset()},
    "give_hours": {"": frozenset(), "few": frozenset()},
    "request_delivery": {
        "": frozenset({"code"}),
        "already": frozenset({"code"}),
        "many": frozenset(),
    },
    "confirm_delivery": dict.fromkeys(("", "already", "over", "unknown"), frozenset()),
    "withdraw_delivery": dict.fromkeys(("", "already", "over", "unknown"), frozenset()),
    # Nobody is kept anything for whose centre is not known.
    "keep_group": {"": frozenset(), "nowhere": frozenset()},
    "drop_group": {"": frozenset()},
    "language": {"": frozenset()},
    "tell_me": {"": frozenset()},
    "stop_texts": {"": frozenset()},
    "start_texts": {"": frozenset()},
    "text_report": {"": frozenset()},
    # In a rehearsal, somebody whom the real books know is kept.
    "erase": {"": frozenset(), "kept": frozenset()},
    "accept_invite": dict.fromkeys(("", "full", "over", "not_yours"), frozenset()),
    "decline_invite": dict.fromkeys(("", "over", "not_yours"), frozenset()),
    "queue_done": {"": frozenset(), "gone": frozenset()},
    "queue_confirm": {"": frozenset(), "gone": frozenset()},
    "show_number": {"": frozenset(), "gone": frozenset()},
    "show_reason": {"": frozenset()},
    "raise_need": {"": frozenset(), "gone": frozenset(), "past": frozenset()},
}

# Why an answer to a question of each kind can be refused, as `refused` names it.
REASONS: Mapping[Kind, tuple[str, ...]] = {
    Kind.AMOUNT: ("bad", "small", "range"),
    Kind.NUMBER: ("bad", "range"),
    Kind.DIGITS: ("bad",),
    Kind.TEXT: ("bad",),
    Kind.POSTCODE: ("bad",),
    Kind.CODE: ("bad",),
    Kind.PLACE_CODE: ("bad",),
    Kind.COHORT: ("bad",),
    Kind.PHONE: ("bad",),
    Kind.YES_NO: ("bad",),
    Kind.DIAL: (),
}

NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Way:
    """One way out of a screen, and the answers that whoever takes it has given.

    `to` and `via` are screens, or one of the words back, home and return. A redirect
    takes no turn.
    """

    to: str
    line: int
    column: int
    turns: int = 1
    via: str = ""
    gains: frozenset[str] = NOTHING
    # The effect that is done on this way, and whether it came to what was asked for.
    deed: str = ""
    done: bool = False
    consent: bool = False
    # An answer is typed on it, where the others press a key; `dialled` is the rest of
    # a dial code.
    typed: bool = False
    dialled: bool = False
    refused: bool = False


def ways_out(menus: Menus, screen: Screen) -> Iterator[Way]:
    """Every way out of `screen`, the words that name no screen included."""
    place = (screen.line, screen.column)
    for choice in screen.choices:
        yield from _of_choice(choice)
    for _, to in screen.instead:
        yield Way(to, *place, turns=0)
    if screen.empty:
        yield Way(screen.empty, *place, turns=0)
    if screen.wrong_to:
        yield Way(screen.wrong_to, *place, turns=screen.wrong_max, refused=True)
    flow = menus.flows.get(menus.flow_of(screen.name))
    if flow is not None and flow.private and not screen.ends:
        yield Way(flow.private, *place, typed=True, refused=True)
    ask = screen.ask
    if screen.then:
        gains = {screen.pick} if screen.pick else set()
        if ask is not None:
            gains |= {ask.answer, *ask.set}
        yield Way(
            screen.then,
            *place,
            via=screen.via,
            gains=frozenset(gains),
            typed=ask is not None,
        )
    if ask is None:
        return
    for reason, to in ask.refused.items():
        gains = {"meant"} if reason == "small" else set()
        yield Way(to, *place, gains=frozenset(gains), typed=True, refused=True)
    if ask.kind is Kind.DIAL:
        for opening in menus.dialled.values():
            gained = frozenset(opening.set)
            yield Way(opening.to, *place, gains=gained, typed=True, dialled=True)


def _of_choice(choice: Choice) -> Iterator[Way]:
    gains = frozenset(choice.set)
    place = (choice.line, choice.column)
    if not choice.do:
        yield Way(
            choice.to, *place, via=choice.via, gains=gains, consent=choice.consent
        )
        return
    for outcome, left in OUTCOMES[choice.do].items():
        to = choice.otherwise.get(outcome, choice.to)
        yield Way(
            to,
            *place,
            via=choice.via if to == choice.to else "",
            gains=gains | left,
            deed=choice.do,
            done=outcome not in choice.otherwise,
            consent=choice.consent,
        )
