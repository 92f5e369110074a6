"""Who is calling: the address of a request, and whether it may."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

__all__ = ["Networks", "caller", "household", "is_allowed"]

Networks = Sequence[IPv4Network | IPv6Network]
HOPS_MAX = 10
# What one customer of a provider has to choose addresses from: RFC 6177.
_HOUSEHOLD_BITS = 64


def caller(peer: str, forwarded: str, trusted: Networks) -> str:
    """The address a request came from.

    `forwarded` is X-Forwarded-For. It is believed from the right, as long as who added
    the entry is a proxy of ours: what a stranger wrote there counts for nothing.
    """
    address = peer
    hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
    for hop in reversed(hops[-HOPS_MAX:]):
        if not _within(address, trusted):
            break
        address = hop
    return address


def is_allowed(address: str, networks: Networks) -> bool:
    """Whether a channel takes requests from there; an empty list lets everybody in."""
    return not networks or _within(address, networks)


def household(address: str) -> str:
    """An address as strangers are counted by it: of IPv6, the network it is in."""
    at = _read(address)
    if isinstance(at, IPv6Address):
        return str(ip_network((at, _HOUSEHOLD_BITS), strict=False))
    return str(at or "")


def _within(address: str, networks: Networks) -> bool:
    at = _read(address)
    return at is not None and any(at in network for network in networks)


def _read(address: str) -> IPv4Address | IPv6Address | None:
    try:
        at = ip_address(address)
    except ValueError:
        return None
    # What a socket that listens on :: calls a caller of IPv4.
    mapped = at.ipv4_mapped if isinstance(at, IPv6Address) else None
    return mapped or at
