"""The menus as a channel without Persian letters shows them, proved like the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from phone.encoding import Limits, gsm7_septets
from ussd.faults import Fault
from ussd.menus import Menus
from ussd.prover.messages import message_faults
from ussd.prover.notices import notice_faults
from ussd.prover.wording import screen_faults
from ussd.prover.worst import Line, Worst
from ussd.templates import Template

__all__ = ["short_form_faults"]


def short_form_faults(
    menus: Menus, lines: Sequence[Line], channels: Mapping[str, Limits]
) -> Iterator[Fault]:
    """What is missing in a file that begins to have short forms, or too long in them.

    `channels` are those that show GSM-7 only.
    """
    latin = menus.latin
    if latin is None:
        for channel in channels:
            what = f"no language of this file can be shown on {channel}"
            remedy = (
                "Write a short form in Latin letters, as `fa-gsm7:`, for every text"
            )
            yield Fault(*menus.places["languages", ""], what, remedy)
        return
    if not channels and not _has_forms(menus, latin):
        return
    for name, words in latin.notices.items():
        yield from _foreign(f"notice {name}", words, menus.places["notices", name])
    for message in latin.texts.values():
        place = (message.line, message.column)
        yield from _foreign(message.name, message.text, place)
    yield from notice_faults(latin, channels)
    units = max((room.ucs2_units for room in channels.values()), default=0)
    yield from message_faults(latin, lines, units)
    worst = Worst(latin, lines, gsm7_only=True)
    for screen in latin.screens.values():
        faults, _ = screen_faults(latin, screen, worst, channels, gsm7_only=True)
        yield from faults


def _foreign(
    name: str, words: Mapping[str, Template], place: tuple[int, int]
) -> Iterator[Fault]:
    for language, text in words.items():
        if gsm7_septets(text.source) is None:
            what = f"{name} ({language}) has no form in GSM-7"
            yield Fault(*place, what, f"Add `{language}-gsm7:` in Latin letters")


def _has_forms(menus: Menus, latin: Menus) -> bool:
    """Whether some text has a short form, so that the others must have one too."""
    return any(
        said is not menus.screens[screen.name].variants[number].text[language]
        for screen in latin.screens.values()
        for number, variant in enumerate(screen.variants)
        for language, said in variant.text.items()
    )
