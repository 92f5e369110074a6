"""How times, people and amounts are written in a cell."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from ledger.export.pages import Cell
from ledger.vault import Keys, Sealed, unseal_phone
from phone import dates
from phone.numbers import mask

__all__ = ["jalali", "masked", "phone_in_full", "toman", "utc"]

RIAL_PER_TOMAN = 10


def utc(at: datetime | None) -> str:
    """Write a moment as ISO 8601 in UTC to the second, 2026-11-22T10:35:00Z."""
    if at is None:
        return ""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def jalali(at: datetime, time_zone: str) -> str:
    """Write a moment in campaign time, 1405/09/01 14:05."""
    return _jalali_minute(at.replace(second=0, microsecond=0), time_zone)


def toman(unit: str, amount: int) -> Cell:
    """Say a rial amount in toman, one decimal where it is none; else nothing."""
    if unit != "rial":
        return ""
    whole, rest = divmod(amount, RIAL_PER_TOMAN)
    return f"{whole}.{rest}" if rest else whole


def masked(keys: Keys, row: Any) -> str:
    """Show a person's last four digits, or nothing once the person is erased.

    The row has person_id, and wrapped_key and phone where the vault has them.
    """
    phone = phone_in_full(keys, row)
    return mask(phone) if phone else ""


def phone_in_full(keys: Keys, row: Any) -> str:
    """Write a person's number out; nothing once the person is erased."""
    if row.wrapped_key is None:
        return ""
    return unseal_phone(keys, row.person_id, Sealed(row.wrapped_key, row.phone))


# Rows come in the order of time, so most share their minute with the one before.
@lru_cache(maxsize=1_440)
def _jalali_minute(minute: datetime, time_zone: str) -> str:
    return dates.jalali(minute, time_zone)
