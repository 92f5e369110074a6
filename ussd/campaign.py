"""One campaign of a menu file: who asks, when and how much, and how it is paid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from ussd.windows import Window

__all__ = ["Campaign", "CampaignState"]


class CampaignState(StrEnum):
    OPEN = "open"
    EARLY = "early"
    CLOSED = "closed"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Campaign:
    """One appeal: who makes it, when it takes gifts, and of what size.

    Amounts are minor units of `unit` (rial). `call` opens our menus; `pay` is the
    licensed code that takes money, and never leads to us; `card` is the charity's own.
    Goods are handed in at `bring_to`, if it takes any; 0 is a price that nobody said.
    """

    id: str
    title: Mapping[str, str]
    organiser: Mapping[str, str]
    permit: str
    contact: str
    window: Window
    paused: bool
    unit: str
    min: int
    max: int
    presets: tuple[tuple[int, Mapping[str, str]], ...]
    call: str
    pay: str
    # Days until it expires, and until it is reminded of once; 0 for never.
    pledge_days: int = 30
    remind_days: int = 7
    card: str = ""
    link: str = ""
    bring_to: Mapping[str, str] = field(default_factory=dict)
    # Who gets what volunteers say, as their consent names them.
    recipient: Mapping[str, str] = field(default_factory=dict)
    cohorts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    parcel_price: int = 0
    # Within how many hours somebody has to take a request for delivery, and the partner
    # that gets those of no centre.
    delivery_hours: int = 72
    delivery_partner: str = ""
    # An official code to ask for one's own balance, once somebody has tried it.
    enquiry: str = ""

    def state(self, now: datetime) -> CampaignState:
        if self.paused:
            return CampaignState.PAUSED
        if self.window.is_open(now):
            return CampaignState.OPEN
        # Between two rounds it is early for the next.
        if self.window.next(now) is not None:
            return CampaignState.EARLY
        return CampaignState.CLOSED

    def round_id(self, now: datetime) -> str:
        """The round that is going on; "" between two, and where it is always open."""
        found = self.window.round(now)
        return found.id if found is not None else ""

    def opens_text(self, now: datetime) -> str:
        """The day it opens next, or opened; "" where there is none."""
        found = self.window.round(now) or self.window.next(now)
        return found.opens_text if found is not None else ""

    def slots(self, language: str, now: datetime) -> dict[str, str | int]:
        """What texts may say of the campaign, by the names they say it with."""
        slots: dict[str, str | int] = {
            "campaign_title": self.title.get(language, ""),
            "campaign_state": str(self.state(now)),
            "organiser": self.organiser.get(language, ""),
            "permit": self.permit,
            "contact": self.contact,
            "opens": self.opens_text(now),
            "min": self.min,
            "max": self.max,
            "call": self.call,
            "pay": self.pay,
            "card": self.card,
            "link": self.link,
            "bring_to": self.bring_to.get(language, ""),
            "recipient": self.recipient.get(language, ""),
            "parcel_price": self.parcel_price,
            "enquiry": self.enquiry,
        }
        for number, (amount, words) in enumerate(self.presets, start=1):
            slots[f"preset{number}"] = words.get(language, "")
            slots[f"preset{number}_amount"] = amount
        return slots
