"""What the time bank should come to, in plain numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ledger.timebank.hours import CONFIRM_WITHIN
from ledger.timebank.introductions import MEET_WITHIN
from ledger.timebank.standing import Limits

ANSWER_WITHIN = timedelta(days=1)
LIVE = ("asked", "accepted", "introduced", "told", "disputed")


@dataclass
class Entry:
    """An hour offered or needed."""

    who: int
    side: str
    minutes: int
    state: str = "open"


@dataclass
class Two:
    """A giver and a receiver."""

    offer: int
    need: int
    giver: int
    receiver: int
    minutes: int
    expires: datetime
    state: str = "asked"


@dataclass
class Model:
    limits: Limits
    entries: dict[int, Entry] = field(default_factory=dict)
    twos: dict[int, Two] = field(default_factory=dict)
    balance: Counter[int] = field(default_factory=Counter)
    community: int = 0
    # What each key came to: a repeat comes to the same, and does nothing.
    keys: dict[str, str] = field(default_factory=dict)
    # How often hours were credited for each introduction.
    credited: Counter[int] = field(default_factory=Counter)
    erased: set[int] = field(default_factory=set)

    def arranged(self, who: int, side: str) -> int:
        return sum(
            one.minutes
            for one in self.twos.values()
            if one.state in LIVE and getattr(one, side) == who
        )

    def may_add(self, who: int, side: str) -> str:
        mine = [e for e in self.entries.values() if e.who == who and e.side == side]
        if sum(entry.state == "open" for entry in mine) >= 5:
            return "many"
        if side == "need":
            room = self.balance[who] - self.arranged(who, "receiver")
            return "floor" if room - self.limits.floor < 60 else "done"
        room = self.limits.ceiling - self.balance[who] - self.arranged(who, "giver")
        return "ceiling" if room < 60 else "done"

    def may_ask(self, offer: int, need: int) -> bool:
        gives, needs = self.entries[offer], self.entries[need]
        if gives.state != "open" or needs.state != "open" or gives.who == needs.who:
            return False
        return not any(
            (one.offer, one.need) == (offer, need)
            or one.state == "asked"
            and (one.need == need or one.giver == gives.who)
            for one in self.twos.values()
        )

    def answer(self, key: str, number: int, who: int, yes: bool, at: datetime) -> str:
        one = self.twos[number]
        if one.giver != who:
            return "late"
        if key in self.keys:
            return "done"
        if one.state != "asked":
            return "late"
        if yes:
            sides = self.entries[one.offer], self.entries[one.need]
            if at >= one.expires or any(side.state != "open" for side in sides):
                return "late"
            for side in sides:
                side.state = "matched"
            one.state, one.expires = "accepted", at + MEET_WITHIN
        else:
            one.state = "declined"
        self.keys[key] = "done"
        return "done"

    def withdraw(self, key: str, number: int) -> str:
        one = self.twos[number]
        if key in self.keys:
            return "done"
        if one.state not in ("accepted", "introduced"):
            return "late"
        one.state = "withdrawn"
        self._reopen(one)
        self.keys[key] = "done"
        return "done"

    def tell(
        self, key: str, number: int, who: int | None, minutes: int, at: datetime
    ) -> str:
        one = self.twos[number]
        if who not in (None, one.giver):
            return "not_yours"
        if key in self.keys:
            return "done"
        if one.state in ("told", "disputed", "confirmed"):
            return "already"
        if one.state not in ("accepted", "introduced"):
            # Void hours of an introduction are not told a second time either.
            return "late"
        one.state, one.minutes, one.expires = "told", minutes, at + CONFIRM_WITHIN
        self.keys[key] = "done"
        return "done"

    def confirm(self, key: str, number: int, who: int, at: datetime) -> str:
        one = self.twos[number]
        if who != one.receiver:
            return "not_yours"
        if key in self.keys:
            return "done"
        if one.state == "confirmed":
            return "already"
        if one.state not in ("told", "disputed") or at >= one.expires:
            return "late"
        if full := self._beyond(one):
            return full
        self._post(number)
        self.keys[key] = "done"
        return "done"

    def dispute(self, key: str, number: int, who: int, at: datetime) -> str:
        one = self.twos[number]
        if who != one.receiver:
            return "not_yours"
        if key in self.keys:
            return "done"
        if one.state != "told" or at >= one.expires:
            return "late"
        one.state = "disputed"
        self.keys[key] = "done"
        return "done"

    def settle(self, number: int, posts: bool) -> str:
        one = self.twos[number]
        if one.state not in ("told", "disputed") or (posts and self._beyond(one)):
            return "refused"
        if posts:
            self._post(number)
        else:
            self._void(one)
        return "done"

    def reverse(self, number: int) -> str:
        one = self.twos[number]
        if one.state != "confirmed":
            return "refused"
        if self.balance[one.giver] - one.minutes < self.limits.floor:
            return "refused"
        self.balance[one.giver] -= one.minutes
        self.balance[one.receiver] += one.minutes
        one.state = "void"
        return "done"

    def lapse(self, number: int, at: datetime) -> str:
        one = self.twos[number]
        if at < one.expires:
            return "no"
        if one.state == "asked":
            one.state = "silent"
        elif one.state == "told":
            self._void(one)
        else:
            return "no"
        return "done"

    def give(self, key: str, who: int, minutes: int) -> str:
        if key in self.keys:
            return "done"
        if who in self.erased:
            return "few"
        if self.balance[who] - self.arranged(who, "receiver") < minutes:
            return "few"
        self.balance[who] -= minutes
        self.community += minutes
        self.keys[key] = "done"
        return "done"

    def grant(self, key: str, who: int, minutes: int) -> str:
        if key in self.keys:
            return "done"
        room = self.balance[who] - self.arranged(who, "receiver") - self.limits.floor
        beyond = self.balance[who] + minutes > self.limits.ceiling
        if room >= 60 or beyond or self.community < minutes:
            return "refused"
        self.balance[who] += minutes
        self.community -= minutes
        self.keys[key] = "done"
        return "done"

    def erase(self, who: int) -> None:
        self.erased.add(who)
        for one in self.twos.values():
            if who not in (one.giver, one.receiver):
                continue
            if one.state in ("told", "disputed"):
                self._void(one)
            elif one.state in LIVE:
                one.state = "withdrawn"
                self._reopen(one)
        for entry in self.entries.values():
            if entry.who == who and entry.state in ("open", "matched"):
                entry.state = "closed"

    def _beyond(self, one: Two) -> str:
        if self.balance[one.receiver] - one.minutes < self.limits.floor:
            return "floor"
        if self.balance[one.giver] + one.minutes > self.limits.ceiling:
            return "ceiling"
        return ""

    def _post(self, number: int) -> None:
        one = self.twos[number]
        self.balance[one.giver] += one.minutes
        self.balance[one.receiver] -= one.minutes
        self.credited[number] += 1
        one.state = "confirmed"
        self._done(one)

    def _void(self, one: Two) -> None:
        one.state = "void"
        self._done(one)

    def _done(self, one: Two) -> None:
        for entry in (self.entries[one.offer], self.entries[one.need]):
            if entry.state == "matched":
                entry.state = "done"

    def _reopen(self, one: Two) -> None:
        for entry in (self.entries[one.offer], self.entries[one.need]):
            if entry.state == "matched":
                entry.state = "open"
