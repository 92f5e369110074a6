"""The `campaigns:` of a menu file, read: who asks, when, how much, and how it is paid.

A campaign's card is the charity's own, and has to be a whole one; a link is opened by
phones with a screen, and is https only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from phone.private import CARD_DIGITS, looks_like_card
from ussd.menus import COHORTS, Campaign
from ussd.nodes import Node
from ussd.pieces import Pieces, flag, string, whole
from ussd.window_reading import read_window

__all__ = ["PARTNER_NAME", "Appeals", "cohorts_of"]

PLEDGE_DAYS = 30
PLEDGE_DAYS_MAX = 366
REMIND_DAYS = 7
DELIVERY_HOURS = 72
DELIVERY_HOURS_MAX = 720
LINK_CHARS_MAX = 60
COHORTS_MAX = 500
# 11 and 12 stop and start texts, so a code is longer than they are.
_COHORT = re.compile(r"[0-9]{3,8}")
_LINK = re.compile(r"[!-~]+")
# A queue is named partner:<name>.
PARTNER_NAME = re.compile(r"[a-z][a-z0-9-]{0,23}")


class Appeals(Pieces):
    """Reads campaigns; a fault is named at its node, and comes back empty."""

    def __init__(self, languages: tuple[str, ...], time_zone: str) -> None:
        super().__init__(languages, time_zone)
        # What `Menus.places` says, found while reading.
        self.places: dict[tuple[str, str], tuple[int, int]] = {}

    def campaign(self, key: str, node: Node) -> Campaign:
        self.places["campaigns", key] = node.named, node.named_column
        entry = node.mapping(
            f"campaign {key}",
            needs=("title", "organiser", "permit", "contact", "call", "pay"),
            takes=(
                *("window", "paused", "unit", "min", "max", "presets"),
                *("pledge_days", "remind_days", "card", "link"),
                *("bring_to", "cohorts", "parcel_price", "recipient"),
                *("delivery_hours", "delivery_partner", "enquiry"),
            ),
        )
        for code in ("call", "pay"):
            if code in entry:
                at = entry[code]
                self.places[code, key] = at.named, at.named_column
        low, high = whole(entry, "min", 1), whole(entry, "max")
        if high < low and "max" in entry:
            entry["max"].fault("max is below min", "Write the larger amount here")
        pledge_days, remind_days = _days(entry)
        return Campaign(
            id=key,
            title=self.words(entry.get("title")),
            organiser=self.words(entry.get("organiser")),
            permit=string(entry, "permit"),
            contact=string(entry, "contact"),
            window=read_window(entry.get("window"), key, self.time_zone),
            paused=flag(entry, "paused"),
            unit=string(entry, "unit") or "rial",
            min=low,
            max=high,
            presets=tuple(
                self._preset(part)
                for part in (
                    entry["presets"].sequence("presets") if "presets" in entry else ()
                )
            ),
            call=self.dial_code(entry.get("call")),
            pay=self.dial_code(entry.get("pay")),
            pledge_days=pledge_days,
            remind_days=remind_days,
            card=_card(entry),
            link=_link(entry),
            bring_to=self.words(entry.get("bring_to")),
            recipient=self.words(entry.get("recipient")),
            cohorts=self._cohorts(entry.get("cohorts")),
            parcel_price=whole(entry, "parcel_price"),
            delivery_hours=_delivery_hours(entry),
            delivery_partner=_partner(entry),
            enquiry=self._enquiry(entry.get("enquiry")),
        )

    def _enquiry(self, node: Node | None) -> str:
        """The code, if somebody says that it is the right one; "" until then."""
        if node is None:
            return ""
        entry = node.mapping("enquiry", needs=("code",), takes=("verified",))
        code = self.dial_code(entry.get("code"))
        return code if flag(entry, "verified") else ""

    def _preset(self, node: Node) -> tuple[int, Mapping[str, str]]:
        entry = node.mapping("a preset", needs=("amount", "words"))
        amount = entry["amount"].whole("amount") if "amount" in entry else 0
        return amount, self.words(entry.get("words"))

    def _cohorts(self, node: Node | None) -> dict[str, Mapping[str, str]]:
        if node is None:
            return {}
        entries = node.mapping("cohorts")
        self.places.setdefault(("lists", COHORTS), (node.named, node.named_column))
        if len(entries) > COHORTS_MAX:
            node.fault(f"there are more than {COHORTS_MAX} cohorts", "Leave some out")
        for code, words in entries.items():
            if not _COHORT.fullmatch(code):
                what = f"{code!r} is no code of a cohort"
                words.fault_of_name(what, 'Write three to eight digits, as "1001"')
        return {code: self.words(words) for code, words in entries.items()}


def cohorts_of(
    campaigns: Iterable[Campaign], lists: Mapping[str, Node], node: Node
) -> tuple[tuple[str, Mapping[str, str]], ...]:
    """The cohorts of all campaigns as one list.

    A code stands for one cohort only, whichever campaign it is typed in; a list of
    the file that has their name is a fault.
    """
    found: dict[str, Mapping[str, str]] = {}
    for campaign in campaigns:
        for code, words in campaign.cohorts.items():
            if found.setdefault(code, words) != words:
                what = f"the cohort {code} has two titles"
                node.fault_of_name(what, "Give one of them another code")
    if found and COHORTS in lists:
        what = f"the list {COHORTS} is made of what campaigns say"
        lists[COHORTS].fault_of_name(what, "Give the list another name")
    return tuple(found.items())


def _days(entry: Mapping[str, Node]) -> tuple[int, int]:
    """After how many days a pledge expires, and is reminded of before that."""
    expires = whole(entry, "pledge_days", PLEDGE_DAYS)
    if not 1 <= expires <= PLEDGE_DAYS_MAX:
        what = "pledge_days is out of bounds"
        entry["pledge_days"].fault(what, f"Write 1 to {PLEDGE_DAYS_MAX}")
        return PLEDGE_DAYS, REMIND_DAYS
    reminded = whole(entry, "remind_days", min(REMIND_DAYS, expires - 1))
    if reminded >= expires:
        what = "a pledge expires before it is reminded of"
        entry["remind_days"].fault(
            what, "Write fewer days than pledge_days, 0 for none"
        )
    return expires, reminded


def _delivery_hours(entry: Mapping[str, Node]) -> int:
    hours = whole(entry, "delivery_hours", DELIVERY_HOURS)
    if not 1 <= hours <= DELIVERY_HOURS_MAX:
        what = "delivery_hours is out of bounds"
        entry["delivery_hours"].fault(what, f"Write 1 to {DELIVERY_HOURS_MAX}")
        return DELIVERY_HOURS
    return hours


def _partner(entry: Mapping[str, Node]) -> str:
    written = string(entry, "delivery_partner")
    if written and not PARTNER_NAME.fullmatch(written):
        what = "delivery_partner is no short name"
        entry["delivery_partner"].fault(what, "Write small letters, as snapp-market")
        return ""
    return written


def _card(entry: Mapping[str, Node]) -> str:
    written = string(entry, "card")
    if not written:
        return ""
    whole_one = (
        written.isascii() and written.isdecimal() and len(written) == CARD_DIGITS
    )
    if not (whole_one and looks_like_card(written)):
        # The fault does not repeat it: somebody may have written their own.
        what = "the card's number is mistyped"
        entry["card"].fault(what, f"Write its {CARD_DIGITS} digits without spaces")
        return ""
    return written


def _link(entry: Mapping[str, Node]) -> str:
    written = string(entry, "link")
    if not written:
        return ""
    try:
        parts = urlsplit(written)
        is_one = parts.scheme == "https" and bool(parts.hostname) and not parts.username
    except ValueError:
        is_one = False
    if not (is_one and _LINK.fullmatch(written) and len(written) <= LINK_CHARS_MAX):
        what = "the link is no https address"
        remedy = f"Write it as https://..., {LINK_CHARS_MAX} characters at most"
        entry["link"].fault(what, remedy)
        return ""
    return written
