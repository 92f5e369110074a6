"""The chart of accounts: every code of an account is made here, and nowhere by hand.

    A  what we own or are owed     L  what we owe          N  what was given
    X  what was spent              Q  where a purchase changes from one unit to another
    I  goods, and where they are   V  vouchers             T  time, in minutes

An account holds one unit. Money is in rial and goods are parcels; an account of the
same name in another unit has that unit as its last part.
"""

from __future__ import annotations

__all__ = [
    "MINT",
    "PARCEL",
    "RIAL",
    "VOUCHERS_ISSUED",
    "bank",
    "clearing",
    "community_time",
    "delivered",
    "donation",
    "fee",
    "package",
    "person_time",
    "receivable",
    "refund",
    "returned",
    "settle",
    "stock",
    "suspense",
    "transit",
    "vouchers_redeemed",
]

RIAL = "rial"
PARCEL = "parcel"
PART_CHARS_MAX = 40

VOUCHERS_ISSUED = "V:Issued"
MINT = "T:Mint"


def receivable(campaign: str, unit: str = RIAL) -> str:
    """What was promised to a campaign and has not come."""
    return _code("A:Receivable:Pledge", campaign, *_unless(RIAL, unit))


def donation(campaign: str, purpose: str, unit: str = RIAL) -> str:
    """What was given to a campaign for a purpose."""
    return _code("N:Donation", campaign, purpose, *_unless(RIAL, unit))


def settle(source: str) -> str:
    """Money that a payment service has for us and has not sent to our bank."""
    return _code("A:Settle", source)


def bank(name: str) -> str:
    """Money that our bank says we have."""
    return _code("A:Bank", name)


def fee(source: str) -> str:
    """What a payment service kept for its work."""
    return _code("X:Fee", source)


def suspense(source: str) -> str:
    """Money that came, and nobody knows for what."""
    return _code("L:Suspense", source)


def refund(campaign: str) -> str:
    """What we agreed to pay back to donors and have not paid back yet."""
    return _code("L:Refund", campaign)


def package(campaign: str, purpose: str) -> str:
    """Rial spent on goods for a purpose."""
    return _code("X:Package", campaign, purpose)


def clearing(unit: str) -> str:
    """The other side of goods that were bought."""
    return _code("Q", unit, "Clearing")


def stock(campaign: str, purpose: str, unit: str = PARCEL) -> str:
    """Goods that wait to be sent."""
    return _code("I:Stock", campaign, purpose, *_unless(PARCEL, unit))


def transit(campaign: str, partner: str, unit: str = PARCEL) -> str:
    """Goods that a partner is carrying."""
    return _code("I:Transit", campaign, partner, *_unless(PARCEL, unit))


def delivered(district: str | None, unit: str = PARCEL) -> str:
    """Goods given out in a district."""
    return _code("I:Delivered", district or "unknown", *_unless(PARCEL, unit))


def returned(campaign: str, purpose: str, unit: str = PARCEL) -> str:
    """Goods that came back and cannot be sent again."""
    return _code("I:Returned", campaign, purpose, *_unless(PARCEL, unit))


def vouchers_redeemed(partner: str) -> str:
    return _code("V:Redeemed", partner)


def person_time(person_id: int) -> str:
    """The minutes that a person gave and may ask for."""
    return _code("T:Person", str(person_id))


def community_time(of: str) -> str:
    """Minutes that people gave to everybody, for a centre or a campaign to spend."""
    return _code("T:Community", of)


def _unless(usual: str, unit: str) -> tuple[str, ...]:
    return () if unit == usual else (unit,)


def _code(root: str, *parts: str) -> str:
    for part in parts:
        assert 0 < len(part) <= PART_CHARS_MAX
        # A colon would make one campaign's account look like another's.
        assert ":" not in part
    return ":".join((root, *parts))
