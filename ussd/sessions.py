"""Where a caller stands, kept in Redis between turns.

One round trip loads a conversation together with the name of the current menus, and
one script saves it: by compare-and-set on its version, so that of two requests at
once one wins and the other is handed what the winner saved. No lock is held.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, cast

from ussd.line import Line, NoScriptError
from ussd.machine import Session
from ussd.trail import Mark, Trail

__all__ = ["Aftermath", "Conversation", "Kept", "Sessions"]

CURRENT = "ussd:menus"

LIVE = "ussd:live"
COUNTS = "ussd:counts"
SWEPT_AT_ONCE_MAX = 100
SWEEPS_MAX = 1000

# KEYS: the conversation, what its caller left unfinished, the calls that go on, the
# counts. ARGV: the version it was loaded at, what to save, and for how many seconds;
# what to keep as unfinished and for how many seconds, nothing for what is over; the
# call's name among those that go on and until when, 0 for one that ended; then what
# to count, by how much. Answers nothing when saved, else what stands there now.
SAVE = """
local stands = redis.call('GET', KEYS[1])
if stands and string.match(stands, '^%d+') ~= ARGV[1] then return stands end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
if ARGV[4] == '' then redis.call('DEL', KEYS[2])
else redis.call('SET', KEYS[2], ARGV[4], 'EX', ARGV[5]) end
if ARGV[7] == '0' then redis.call('ZREM', KEYS[3], ARGV[6])
else redis.call('ZADD', KEYS[3], ARGV[7], ARGV[6]) end
for i = 8, #ARGV, 2 do redis.call('HINCRBY', KEYS[4], ARGV[i], ARGV[i + 1]) end
return false
"""
SAVE_SHA = hashlib.sha1(SAVE.encode(), usedforsecurity=False).hexdigest()

# Found and taken in one: a call that goes on meanwhile is not taken for a silent one.
SWEEP = """
local found = redis.call(
  'ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[2])
if #found > 0 then redis.call('ZREM', KEYS[1], unpack(found)) end
return found
"""

# What reading another form than ours comes to.
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError)

# A session holds nothing but text, numbers and maps of them: no need for the deep copy
# of dataclasses.asdict, which costs more than writing the JSON.
_NAMES = tuple(one.name for one in fields(Session))
_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Kept:
    """A conversation that was not finished, its menus, and the name of its deeds."""

    menus: str
    session: Session
    deeds: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """A caller's session, the menus it began on, and what was consumed so far.

    `version` counts saves; `generation` counts conversations under one session id;
    `dial` names the call. `offered` is what the caller left unfinished, while the
    question whether to go on with it stands; `resumes` are the deeds of the call that
    it went on with.
    """

    version: int
    menus: str
    generation: int
    session: Session
    trail: Trail = field(default_factory=tuple)
    dial: str = ""
    offered: Kept | None = None
    resumes: str = ""

    @property
    def deeds(self) -> str:
        """What names this conversation's deeds in the keys of the ledger.

        A call that goes on with another does that one's deeds, so that none is done by
        both.
        """
        return self.resumes or f"{self.dial}:{self.generation}"


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What is written with a conversation, by whoever saves it first.

    `caller` is the keyed hash of a phone on a channel; what it leaves unfinished is
    kept for `kept_seconds`, 0 for nothing. `live` names the call among those that go
    on, until `silent_at` (seconds since 1970), 0 for one that ended.
    """

    caller: str
    kept_seconds: int = 0
    live: str = ""
    silent_at: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)


class Sessions:
    """The conversations of one Redis, each forgotten `seconds` after its last turn."""

    def __init__(self, line: Line, *, seconds: int) -> None:
        self._line = line
        self._seconds = seconds

    def load(self, dial: str) -> tuple[Conversation | None, str | None]:
        """The conversation of a dial, and the hash of the current menus."""
        held, current = cast(
            list[bytes | None], self._line.ask("MGET", f"ussd:dial:{dial}", CURRENT)
        )
        conversation = _loaded(held) if held is not None else None
        if held is not None and conversation is None:
            self._lose(dial)
        return conversation, current.decode() if current is not None else None

    def unfinished(self, caller: str) -> Kept | None:
        """What a caller left unfinished a short while ago."""
        held = cast(bytes | None, self._line.ask("GET", f"ussd:left:{caller}"))
        if held is None:
            return None
        try:
            return _kept(json.loads(held))
        except UNREADABLE:
            return None

    def save(
        self, dial: str, conversation: Conversation, aftermath: Aftermath
    ) -> Conversation | None:
        """Save if nobody saved since it was loaded; else what stands there instead.

        `conversation.version` is one more than the version that was loaded. Who comes
        too late leaves nothing behind and counts nothing.
        """
        session = _encoded(_mapped(conversation.session))
        kept = ""
        if aftermath.kept_seconds:
            kept = f'["{conversation.menus}",{session},"{conversation.deeds}"]'
            if conversation.offered is not None:
                kept = _encoded(_listed(conversation.offered))
        said: list[str | int] = [
            *(4, f"ussd:dial:{dial}", f"ussd:left:{aftermath.caller}", LIVE, COUNTS),
            *(conversation.version - 1, _dumped(conversation, session), self._seconds),
            *(kept, aftermath.kept_seconds, aftermath.live, aftermath.silent_at),
        ]
        for name, number in aftermath.counts.items():
            said += (name, number)
        stands = self._saved(said)
        if stands is not None and _loaded(stands) is None:
            self._lose(dial)
            stands = self._saved(said)
        return _loaded(stands) if stands is not None else None

    def _saved(self, said: list[str | int]) -> bytes | None:
        try:
            return cast(bytes | None, self._line.ask("EVALSHA", SAVE_SHA, *said))
        except NoScriptError:
            return cast(bytes | None, self._line.ask("EVAL", SAVE, *said))

    def _lose(self, dial: str) -> None:
        """Forget what another version of this program wrote, and this cannot read."""
        self._line.ask("DEL", f"ussd:dial:{dial}")

    def silent(self, at: int) -> Iterator[str]:
        """The calls that nobody answered by then, each named to one asker only."""
        for _ in range(SWEEPS_MAX):
            found = self._line.ask("EVAL", SWEEP, 1, LIVE, at, SWEPT_AT_ONCE_MAX)
            names = cast(list[bytes], found)
            yield from (name.decode() for name in names)
            if len(names) < SWEPT_AT_ONCE_MAX:
                return

    def is_over(self, live: str) -> bool:
        """Take a call from those that go on; False if it was not among them."""
        return bool(self._line.ask("ZREM", LIVE, live))

    def count(self, name: str) -> None:
        """Count one more of what no turn counts."""
        self._line.ask("HINCRBY", COUNTS, name, 1)

    def counts(self) -> dict[str, int]:
        """All that was ever counted."""
        held = self._line.ask("HGETALL", COUNTS)
        if isinstance(held, list):  # as RESP2 has it
            held = dict(zip(held[::2], held[1::2], strict=True))
        counted = cast(Mapping[bytes, bytes], held)
        return {name.decode(): int(number) for name, number in counted.items()}

    def once(self, name: str, seconds: int) -> bool:
        """Whether nobody asked this within the last `seconds`."""
        return self._line.ask("SET", name, 1, "NX", "EX", seconds) is not None

    def announce(self, menus: str) -> None:
        """Remember which menus are current, for every process that shares Redis."""
        self._line.ask("SET", CURRENT, menus)


def _mapped(session: Session) -> dict[str, Any]:
    return {name: getattr(session, name) for name in _NAMES}


def _dumped(conversation: Conversation, session: str) -> str:
    """A conversation as it is kept; `session` is its session, encoded already."""
    offered = conversation.offered
    rest = [
        conversation.menus,
        conversation.generation,
        conversation.dial,
        _listed(offered) if offered is not None else None,
        conversation.resumes,
        [[m.length, m.digest, m.reply, m.ends, m.at] for m in conversation.trail],
    ]
    return f"{conversation.version}\n[{session},{_encoded(rest)}]"


def _listed(kept: Kept) -> list[Any]:
    return [kept.menus, _mapped(kept.session), kept.deeds]


def _loaded(held: bytes) -> Conversation | None:
    """The conversation that was saved; None for one in another form."""
    version, _, rest = held.decode().partition("\n")
    try:
        session, (menus, generation, dial, offered, resumes, marks) = json.loads(rest)
        return Conversation(
            int(version),
            menus,
            generation,
            Session.from_json(session),
            tuple(Mark(*mark) for mark in marks),
            dial,
            _kept(offered) if offered is not None else None,
            resumes,
        )
    except UNREADABLE:
        return None


def _kept(held: list[Any]) -> Kept:
    menus, session, deeds = held
    return Kept(menus, Session.from_json(session), deeds)
