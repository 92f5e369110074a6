"""What the settings say of when texts may leave and to whom; and of hours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from zoneinfo import ZoneInfo

from gateway.settings import Settings
from ledger.timebank.standing import HOUR, Limits
from ledger.vault import Keys
from phone.numbers import from_person
from sms.rehearsal import Rehearsal, rehearse
from sms.rehearsal import channel as rehearsing
from sms.routes import Channel
from sms.rules import Rules

__all__ = ["hours_of", "rules_of", "with_rehearsal"]


def rules_of(settings: Settings, keys: Keys) -> Rules:
    """The rules that `sms.rules` holds texts to."""
    return Rules(
        time_zone=ZoneInfo(settings.time_zone),
        quiet_from=time.fromisoformat(settings.quiet_from),
        quiet_to=time.fromisoformat(settings.quiet_to),
        day_max=settings.campaign_texts_per_day,
        month_max=settings.campaign_texts_per_month,
        rehearsal=_rehearsal(settings, keys) if settings.rehearsal else None,
    )


def hours_of(settings: Settings) -> Limits:
    """How far the hours of one person may go, in minutes."""
    return Limits(
        floor=settings.time_bank_floor_hours * HOUR,
        ceiling=settings.time_bank_ceiling_hours * HOUR,
    )


def with_rehearsal(settings: Settings, channels: Sequence[Channel]) -> list[Channel]:
    """The channels, with that of the three numbers in a rehearsal of real ones."""
    real = [channel for channel in channels if not channel.test]
    if not settings.rehearsal or not real:
        return list(channels)
    return [*channels, rehearsing(real)]


def _rehearsal(settings: Settings, keys: Keys) -> Rehearsal:
    return rehearse(
        keys,
        channels=[name for name, channel in settings.sms.items() if not channel.test],
        guests=[from_person(guest, settings.region) for guest in settings.guests],
        day_max=settings.rehearsal_texts_per_day,
    )
