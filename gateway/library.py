"""Every published version of the menus, as each process needs them.

The database holds the versions and says which is current; Redis repeats the latter so
that a turn costs no query. A process keeps the few versions in use, read once: a live
conversation stays on the one it began with.
"""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress

from redis.exceptions import RedisError

from ledger import menus as published
from ledger.engine import Engine, reading
from ussd.menus import Menus
from ussd.reading import read
from ussd.sessions import Sessions

__all__ = ["Library", "NoMenus"]

VERSIONS_KEPT_MAX = 8


class NoMenus(LookupError):
    """No menus were published yet, or that version is not to be had."""


class Library:
    def __init__(self, engine: Engine, sessions: Sessions, time_zone: str) -> None:
        self._engine = engine
        self._sessions = sessions
        self._time_zone = time_zone
        self._kept: OrderedDict[str, Menus] = OrderedDict()

    def version(self, name: str) -> Menus:
        """The menus of that hash; raises NoMenus."""
        kept = self._kept.get(name)
        if kept is not None:
            return kept
        with reading(self._engine) as db:
            source = published.version(db, name)
        if source is None:
            raise NoMenus(f"no menus {name[:12]} are published")
        return self._keep(name, source)

    def current(self, announced: str | None) -> Menus:
        """The current menus; `announced` is what Redis says of them, if it does.

        Raises NoMenus. A Redis that is gone, or that speaks of another ledger's menus,
        keeps nobody from them.
        """
        if announced is not None:
            with suppress(NoMenus):
                return self.version(announced)
        with reading(self._engine) as db:
            found = published.current(db)
        if found is None:
            raise NoMenus("no menus are published: run `yarigar menus load menus.yaml`")
        with suppress(RedisError):
            self._sessions.announce(found[0])
        return self._kept.get(found[0]) or self._keep(*found)

    def newest(self) -> Menus | None:
        """The menus this process used last, for when nothing else can be asked."""
        return next(reversed(self._kept.values()), None)

    def _keep(self, name: str, source: str) -> Menus:
        menus = read(source, time_zone=self._time_zone)
        self._kept[name] = menus
        while len(self._kept) > VERSIONS_KEPT_MAX:
            self._kept.popitem(last=False)
        return menus
