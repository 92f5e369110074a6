"""The short texts that stand on screens and are none: notices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from phone.encoding import Limits, excess
from ussd.faults import Fault
from ussd.menus import Menus
from ussd.prover.legible import LIKE_A_KEY, illegible
from ussd.prover.longest import SUM_MAX
from ussd.prover.marked import CODE, Rial
from ussd.screen import MORE
from ussd.templates import Template, Unrendered

__all__ = ["notice_faults"]

# What notices may speak of, beside the language.
NOTICE_SLOTS: Mapping[str, Mapping[str, Any]] = {
    "stands": {"amount": Rial(SUM_MAX // 1000), "code": CODE},
}
# A notice that stands on a screen of its own, and the notices that are its keys.
NOTICE_KEYS: Mapping[str, tuple[tuple[str, str], ...]] = {
    # It stands alone where it does not fit above a screen, then with a key to go on.
    "stands": ((MORE, "go_on"),),
    "resume": (("1", "go_on"), ("2", "afresh"), ("0", "leave")),
}
# A notice that writes its key itself.
KEYED = ("err",)


def notice_faults(menus: Menus, channels: Mapping[str, Limits]) -> Iterator[Fault]:
    """Notices that a screen cannot hold, or that read wrong."""
    for name, texts in menus.notices.items():
        for language, text in texts.items():
            yield from _notice(menus, name, language, text, channels)


def _notice(
    menus: Menus,
    name: str,
    language: str,
    text: Template,
    channels: Mapping[str, Limits],
) -> Iterator[Fault]:
    place = menus.places["notices", name]
    slots = {**NOTICE_SLOTS.get(name, {}), "language": language}
    slots["figures"] = menus.figures.get(language, language)
    if not text.source.strip():
        yield Fault(*place, f"notice {name} ({language}) is empty", "Write its text")
    if unknown := sorted(text.names - set(slots)):
        what = f"notice {name} speaks of {unknown[0]!r}, which nothing supplies"
        yield Fault(*place, what, "Take the slot out")
        return
    try:
        said = text.render(slots)
    except Unrendered as reason:
        what = f"notice {name} ({language}): {reason}"
        yield Fault(*place, what, "Correct the slot")
        return
    for key, label in NOTICE_KEYS.get(name, ()):
        said += f"\n{key} {menus.notices[label][language].source}"
    for channel, limits in channels.items():
        if over := excess(said, limits):
            what = f"notice {name} ({language}) is {over} over on {channel}"
            yield Fault(*place, what, f"Cut {over} characters")
    yield from illegible(f"notice {name}", language, said, place)
    if LIKE_A_KEY.search(text.source):
        what = f"a line of notice {name} begins like a key"
        if name not in KEYED:
            yield Fault(*place, what, "Begin it with a word, not with a figure")
