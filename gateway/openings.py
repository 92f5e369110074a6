"""How a conversation opens: a new call, one that Redis has lost, another under its id.

What a lost one had done is found by its keys in the ledger and counts as answered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from gateway.effects import Results, results_of
from gateway.library import Library
from ledger import dials, people, pledges
from ledger.engine import Connection, Engine, reading
from ledger.events import Earlier, earlier
from ledger.vault import Keys
from ussd.machine import Session, begin
from ussd.menus import Menus
from ussd.sessions import Conversation
from ussd.trail import answers_in
from ussd.turn import Turn

__all__ = ["Opening", "Openings", "UnknownCode", "warn_if_changed"]

KEY_REMEMBERED = timedelta(hours=24)
REDIAL_WINDOW = timedelta(minutes=10)

log = structlog.get_logger()


class UnknownCode(LookupError):
    """A dialled code that leads nowhere here."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Where a turn starts from: the conversation so far, and what is to be answered."""

    conversation: Conversation
    answers: Sequence[str]
    # When it is for the campaign's window.
    window_at: datetime
    # What this call did before it was lost.
    done: Sequence[Earlier] = ()
    # A pledge of another call whose last screen may not have been seen.
    stands: Mapping[str, str] | None = None
    results: Results = field(default_factory=dict)


class Openings:
    """Opens conversations of one service; it keeps nothing itself."""

    def __init__(self, engine: Engine, keys: Keys, library: Library) -> None:
        self._engine = engine
        self._keys = keys
        self._library = library

    def of(
        self,
        turn: Turn,
        announced: str | None,
        now: datetime,
        *,
        channel: str,
        dial: str,
        test: bool,
    ) -> Opening:
        """A dial that Redis does not know: a new one, or one it has lost.

        Keys that this dial already used tell which; their effects count as answered.
        After a day a carrier may use a session id again: a new generation. Raises
        UnknownCode, NoMenus and NotRead.
        """
        menus = self._library.current(announced)
        with reading(self._engine) as db:
            facts = earlier(db, prefix=f"ussd:{channel}:{dial}:")
            person = people.find(db, self._keys, turn.phone)
            generation = max(map(_generation, facts), default=0)
            done = [fact for fact in facts if _generation(fact) == generation]
            if done and now - min(fact.at for fact in done) > KEY_REMEMBERED:
                generation, done = generation + 1, []
            stands = None
            if person is not None and not done:
                stands = self._stands(db, person.id, now, test=test)
        language = person.language if person is not None and person.language else None
        session, answers = _begun(menus, turn, language or menus.languages[0])
        return Opening(
            Conversation(0, menus.hash, generation, session),
            answers,
            # A campaign that closed since is still open for what was given in time.
            min((fact.at for fact in done), default=now),
            done,
            stands,
            results_of(done),
        )

    def anew(
        self,
        turn: Turn,
        conversation: Conversation,
        announced: str | None,
        now: datetime,
    ) -> Opening:
        """Another conversation under the same session id: the next generation."""
        menus = self._library.current(announced)
        session, answers = _begun(menus, turn, conversation.session.language)
        fresh = Conversation(
            conversation.version, menus.hash, conversation.generation + 1, session
        )
        return Opening(fresh, answers, now)

    def _stands(
        self, db: Connection, person_id: int, now: datetime, *, test: bool
    ) -> Mapping[str, str] | None:
        """A pledge of the last minutes whose last screen may not have been seen."""
        latest = pledges.latest_since(
            db, person_id=person_id, since=now - REDIAL_WINDOW, test=test
        )
        if latest is None or latest.state != "open":
            return None
        way, name, dial, *_ = latest.key.split(":")
        if way != "ussd":
            return None
        if dials.reached(db, f"{name}:{dial}"):
            return None
        return {"code": latest.code, "amount": str(latest.amount)}


def warn_if_changed(opening: Opening, session: Session) -> None:
    """Log an alert where what was done is not what this call asks for now.

    A lost call is replayed to what it did; an answer typed differently since then
    changes nothing, and somebody should know.
    """
    for fact in opening.done:
        name, number = fact.key.rsplit(":", 2)[-2:]
        if session.done.get(name, 0) <= int(number):
            continue
        differs = sorted(
            asked
            for asked, value in fact.body.items()
            if session.answers.get(asked, str(value)) != str(value)
        )
        if differs:
            log.error("key_reused", effect=name, differs=differs)


def _generation(fact: Earlier) -> int:
    return int(fact.key.split(":")[3])


def _begun(menus: Menus, turn: Turn, language: str) -> tuple[Session, tuple[str, ...]]:
    if language not in menus.languages:
        language = menus.languages[0]
    begun = begin(menus, turn.dialled, language)
    if begun is None:
        raise UnknownCode(turn.dialled)
    session, ahead = begun
    return session, (*ahead, *answers_in(turn.typed))
