"""Whether the menus know what a gift without a pledge is for."""

from __future__ import annotations

from gateway.faults import Unready
from ussd.menus import Menus

__all__ = ["insist"]

SHOWN_CHARS_MAX = 40


def insist(menus: Menus, campaign: str, purpose: str) -> None:
    """Raise Unready for a campaign or a purpose that the menus do not have.

    Money given for a misspelt purpose would be spent on nothing.
    """
    if campaign not in menus.campaigns:
        known = ", ".join(menus.campaigns)
        raise Unready(f"no campaign {campaign[:SHOWN_CHARS_MAX]!r}; there are {known}")
    listed = {value for values in menus.lists.values() for value, _ in values}
    if purpose not in listed:
        raise Unready(
            f"no purpose {purpose[:SHOWN_CHARS_MAX]!r} stands in a list of the menus"
        )
