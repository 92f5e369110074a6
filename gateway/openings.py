"""How a conversation opens: a new call, one that Redis has lost, another under its id.

What a lost one had done is found by its keys in the ledger and counts as answered.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from gateway.effects import Results, results_of
from gateway.library import Library
from ledger import dials, people, pledges
from ledger.engine import Connection, Engine, reading
from ledger.events import Earlier, did_since, earlier
from ledger.vault import Keys
from phone.dialcode import CHARS_MAX
from ussd.machine import Session, begin
from ussd.menus import Menus
from ussd.sessions import Conversation
from ussd.trail import answers_in
from ussd.turn import Turn

__all__ = [
    "DIAL_BYTES",
    "Opening",
    "Openings",
    "UnknownCode",
    "new_dial",
    "untold",
    "warn_if_changed",
]

DIAL_BYTES = 16
KEY_REMEMBERED = timedelta(hours=24)
REDIAL_WINDOW = timedelta(minutes=10)
# ussd, the channel, the dial, its generation, the deed and its number.
_DEED_COLONS = 5

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
        After a day a carrier may use a session id again: a new generation. Where only
        the latest answer comes, a lost call cannot be walked again: it begins anew.
        Raises UnknownCode, NoMenus and NotRead.
        """
        menus = self._library.current(announced)
        with reading(self._engine) as db:
            facts = earlier(db, prefix=f"ussd:{channel}:{dial}:")
            person = people.find(db, self._keys, turn.phone)
            generation = max(map(_generation, facts), default=0)
            done = [
                fact
                for fact in facts
                if _generation(fact) == generation and _is_deed(fact)
            ]
            is_old = done and now - min(fact.at for fact in done) > KEY_REMEMBERED
            if is_old or (done and not turn.cumulative):
                generation, done = generation + 1, []
            stands = None
            if person is not None and not done:
                stands = self._stands(db, person.id, now, test=test)
        language = person.language if person is not None and person.language else None
        session, answers = _begun(menus, turn, language or menus.languages[0])
        return Opening(
            Conversation(0, menus.hash, generation, session, dial=dial),
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
        fresh = replace(
            conversation,
            menus=menus.hash,
            generation=conversation.generation + 1,
            session=session,
            trail=(),
            offered=None,
            resumes="",
        )
        return Opening(fresh, answers, now)

    def did_lately(self, phone: str, now: datetime) -> bool:
        """Whether a caller had anything recorded in the last minutes; raises NotRead.

        By whichever call it was.
        """
        with reading(self._engine) as db:
            person = people.find(db, self._keys, phone)
            since = now - REDIAL_WINDOW
            return person is not None and did_since(db, person.id, since)

    def _stands(
        self, db: Connection, person_id: int, now: datetime, *, test: bool
    ) -> Mapping[str, str] | None:
        """A pledge of the last minutes whose last screen may not have been seen."""
        latest = pledges.latest_since(
            db, person_id=person_id, since=now - REDIAL_WINDOW, test=test
        )
        if latest is None or latest.state != "open" or latest.unit != "rial":
            # The notice tells an amount of money.
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


def _is_deed(fact: Earlier) -> bool:
    """Whether this is what a deed came to, and not what it did besides, which has a
    key that goes on behind the deed's number."""
    return fact.key.count(":") == _DEED_COLONS


def _generation(fact: Earlier) -> int:
    return int(fact.key.split(":")[3])


def _begun(menus: Menus, turn: Turn, language: str) -> tuple[Session, tuple[str, ...]]:
    if language not in menus.languages:
        language = menus.languages[0]
    if not turn.dialled:
        # The carrier said it once, and what remembered it is gone.
        return Session(menus.start, menus.campaign.id, language, {"dialled": ""}), ()
    typed = answers_in(turn.typed) if turn.cumulative else ()
    code = turn.dialled
    while (begun := begin(menus, code, language)) is None:
        # Some carriers know a short code only, and send the rest of what was dialled
        # as if it had been typed.
        if not (typed and typed[0].isascii() and typed[0].isdecimal()):
            raise UnknownCode(turn.dialled)
        code, typed = f"{code.rstrip('#')}*{typed[0]}#", typed[1:]
        if len(code) > CHARS_MAX:
            raise UnknownCode(turn.dialled)
    session, ahead = begun
    if turn.cumulative:
        return session, (*ahead, *typed)
    # An answer to a screen that nobody knows any more is no answer to the first one.
    return session, tuple(ahead) if turn.starts else ()


def untold(opening: Opening, session: Session) -> Mapping[str, str] | None:
    """A pledge of a lost call that walking the call again did not come to.

    What was typed may have been typed at screens that are gone, a resumed call's say.
    """
    for fact in opening.done:
        name, number = fact.key.rsplit(":", 2)[-2:]
        if (
            name in ("pledge", "instalments")
            and session.done.get(name, 0) <= int(number)
            and fact.code
        ):
            return {"code": fact.code, "amount": str(fact.body["amount"])}
    return None


def new_dial() -> str:
    """The name of a call whose carrier gives it none."""
    return secrets.token_hex(DIAL_BYTES)
