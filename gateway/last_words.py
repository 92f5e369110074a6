"""What a caller reads when a call cannot go on, with what menus can still be had."""

from __future__ import annotations

from redis.exceptions import RedisError

from gateway.doors import Channel, Reply
from gateway.library import Library, NoMenus
from ledger.engine import LedgerError
from ussd.machine import notice
from ussd.menus import Menus

__all__ = ["LAST_WORDS", "closing"]

# Said only when there are no menus to say it with.
LAST_WORDS = {
    "busy": "The service is busy; nothing was recorded. Please dial again shortly.",
    "unsure": "We are not sure whether it was recorded. Please dial again shortly.",
    "unknown": "This code is not known here.",
}


def closing(
    library: Library,
    channel: Channel,
    name: str,
    *,
    announced: str | None = None,
    language: str = "",
) -> Reply:
    """A notice that ends a call; by default in the first language.

    `announced` is what Redis says of the current menus.
    """
    menus: Menus | None
    try:
        menus = library.current(announced)
    except (NoMenus, LedgerError, RedisError):
        menus = library.newest()
    if menus is None:
        return Reply(LAST_WORDS[name], ends=True)
    return Reply(notice(channel.spoken(menus), name, language), ends=True)
