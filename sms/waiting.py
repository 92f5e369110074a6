"""Claimed texts that wait for their calls: receipts first, each at its channel.

A channel that takes nothing for now holds up only what waits for it, and whatever is
sent to many holds up nothing else.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import count

from ledger.outbox import Kind
from sms.calls import Job

__all__ = ["Waiting"]

_RANKS: Mapping[Kind, int] = {kind: rank for rank, kind in enumerate(Kind)}

# Questions about texts do not wait for a channel to take new ones.
_Place = tuple[str, bool]
_Entry = tuple[int, int, Job]


class Waiting:
    """The texts that wait, in the order in which they leave."""

    def __init__(self) -> None:
        self._places: dict[_Place, list[_Entry]] = {}
        self._numbers = count()
        # How many wait of each kind.
        self.by_kind: Counter[Kind] = Counter()

    def __len__(self) -> int:
        return self.by_kind.total()

    def add(self, job: Job) -> None:
        """Put a text behind those of its kind."""
        entry = (_RANKS[job.row.kind], next(self._numbers), job)
        heapq.heappush(self._places.setdefault(_place(job), []), entry)
        self.by_kind[job.row.kind] += 1

    def take(self, room: int, may_go: Callable[[Job], bool]) -> list[Job]:
        """Take up to `room` texts that may go now.

        The first text of a channel that may not go holds up the others behind it, so
        that a long one is not overtaken by short ones for ever.
        """
        taken: list[Job] = []
        open_places = [entries for entries in self._places.values() if entries]
        while open_places and len(taken) < room:
            entries = min(open_places, key=lambda waiting: waiting[0][:2])
            if may_go(entries[0][2]):
                taken.append(heapq.heappop(entries)[2])
                if entries:
                    continue
            open_places = [place for place in open_places if place is not entries]
        self.by_kind.subtract(job.row.kind for job in taken)
        return taken

    def leave(self, channel: str) -> list[Job]:
        """Take away every text that waits to be sent over this channel, in order."""
        entries = self._places.pop((channel, False), [])
        jobs = [job for *_, job in sorted(entries, key=lambda entry: entry[:2])]
        self.by_kind.subtract(job.row.kind for job in jobs)
        return jobs

    def count(self, channel: str) -> int:
        """How many texts wait to be sent over this channel."""
        return len(self._places.get((channel, False), ()))

    def channels(self) -> set[str]:
        """The channels for which texts wait to be sent."""
        return {
            name
            for (name, asks), entries in self._places.items()
            if not asks and entries
        }

    def clear(self) -> list[Job]:
        """Take everything away."""
        jobs = [job for entries in self._places.values() for *_, job in entries]
        self._places.clear()
        self.by_kind.clear()
        return jobs


def _place(job: Job) -> _Place:
    return job.channel.name, job.asks
