"""Who is calling: the address of a request, and whether it may."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
)

__all__ = ["Networks", "caller", "is_allowed"]

Networks = Sequence[IPv4Network | IPv6Network]
HOPS_MAX = 10


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


def _within(address: str, networks: Networks) -> bool:
    try:
        at: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return False
    if isinstance(at, IPv6Address) and at.ipv4_mapped:
        # What a socket that listens on :: calls a caller of IPv4.
        at = at.ipv4_mapped
    return any(at in network for network in networks)
