"""Where a caller stands, kept in Redis between turns.

One round trip loads a conversation together with the name of the current menus, and
one script saves it: by compare-and-set on its version, so that of two requests at
once one wins and the other is handed what the winner saved. No lock is held.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, fields
from typing import Any, cast

from ussd.line import Line, NoScriptError
from ussd.machine import Session
from ussd.trail import Mark, Trail

__all__ = ["Conversation", "Sessions"]

CURRENT = "ussd:menus"

# KEYS[1] the conversation; ARGV the version it was loaded at, what to save, and for
# how many seconds. Answers nothing when saved, else what stands there now.
SAVE = """
local stands = redis.call('GET', KEYS[1])
if stands and string.match(stands, '^%d+') ~= ARGV[1] then return stands end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return false
"""
SAVE_SHA = hashlib.sha1(SAVE.encode(), usedforsecurity=False).hexdigest()

# A session holds nothing but text, numbers and maps of them: no need for the deep copy
# of dataclasses.asdict, which costs more than writing the JSON.
_NAMES = tuple(one.name for one in fields(Session))
_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Conversation:
    """A caller's session, the menus it began on, and what was consumed so far.

    `version` counts saves; `generation` counts conversations under one session id.
    """

    version: int
    menus: str
    generation: int
    session: Session
    trail: Trail = field(default_factory=tuple)

    def dumped(self) -> str:
        marks = [[m.length, m.digest, m.reply, m.ends] for m in self.trail]
        session = {name: getattr(self.session, name) for name in _NAMES}
        held = [self.menus, self.generation, session, marks]
        return f"{self.version}\n{_encoded(held)}"


def _loaded(text: str) -> Conversation:
    version, _, rest = text.partition("\n")
    menus, generation, session, marks = cast(
        tuple[str, int, dict[str, Any], list[list[Any]]], json.loads(rest)
    )
    session["items"] = tuple(session["items"])
    return Conversation(
        int(version),
        menus,
        generation,
        Session(**session),
        tuple(Mark(*mark) for mark in marks),
    )


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
        conversation = _loaded(held.decode()) if held is not None else None
        return conversation, current.decode() if current is not None else None

    def save(self, dial: str, conversation: Conversation) -> Conversation | None:
        """Save if nobody saved since it was loaded; else what stands there instead.

        `conversation.version` is one more than the version that was loaded.
        """
        said = (
            1,
            f"ussd:dial:{dial}",
            conversation.version - 1,
            conversation.dumped(),
            self._seconds,
        )
        try:
            stands = self._line.ask("EVALSHA", SAVE_SHA, *said)
        except NoScriptError:
            stands = self._line.ask("EVAL", SAVE, *said)
        return _loaded(cast(bytes, stands).decode()) if stands is not None else None

    def announce(self, menus: str) -> None:
        """Remember which menus are current, for every process that shares Redis."""
        self._line.ask("SET", CURRENT, menus)
