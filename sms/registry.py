"""The carriers that are installed, and how one is built from a channel's settings.

An adapter is an entry point in the group `yarigar.sms`; ours are there too, so a
stranger's adapter is a peer of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points

from sms.carrier import Carrier, Tools

__all__ = ["Unbuildable", "adapter", "build", "names"]

GROUP = "yarigar.sms"
# What every channel may set, whether its carrier wants it or not.
EVERYWHERE = ("api_key", "base_url", "sender", "username")


class Unbuildable(ValueError):
    """A channel's settings do not make a carrier; each fault has a line."""


def names() -> tuple[str, ...]:
    """The adapters that can be named in a setting, sorted."""
    return tuple(sorted(_installed()))


def adapter(name: str) -> type[Carrier]:
    """The class behind a name; raises Unbuildable for a name that is not installed."""
    installed = _installed()
    if name not in installed:
        known = ", ".join(sorted(installed)) or "none"
        raise Unbuildable(f"no SMS adapter is called {name!r}; installed: {known}")
    found = installed[name].load()
    assert isinstance(found, type), f"the entry point {name} is no class"
    return found


def build(name: str, options: Mapping[str, str], tools: Tools) -> Carrier:
    """Build a carrier from its channel's settings.

    Raises Unbuildable with every option that is missing or unknown, or with the
    adapter's own complaint; never with the value of an option, which may be a secret.
    """
    carrier = adapter(name)
    faults = [
        f"{option} is missing: {name} needs it"
        for option in carrier.needs
        if not options.get(option)
    ]
    known = {*EVERYWHERE, *carrier.needs, *carrier.knows}
    faults += [
        f"{option[:40]} is no option of {name}"
        for option in options
        if option not in known
    ]
    if faults:
        raise Unbuildable("\n".join(faults))
    try:
        return carrier.build(options, tools)
    except ValueError as error:
        raise Unbuildable(f"{name} refuses its settings: {error}") from error


def _installed() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}
