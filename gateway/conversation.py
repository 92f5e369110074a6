"""The way of one dial: a turn comes in, the next screen goes out.

Load where the caller stands (one round trip), say what the text says anew, step the
pure machine, do in one transaction what the caller agreed to, save the reply (one
round trip). Whatever the carrier repeats gets the same reply and does nothing again.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog
from redis.exceptions import RedisError

from gateway.effects import Order, carry_out
from gateway.facts import Asker, fetch
from gateway.figures import CampaignFigures
from gateway.library import Library, NoMenus
from gateway.openings import Opening, Openings, UnknownCode, warn_if_changed
from ledger import dials
from ledger.engine import (
    Engine,
    LedgerError,
    NothingRecorded,
    NotRead,
    OutcomeUnknown,
    reading,
    writing,
)
from ledger.vault import Keys
from phone.encoding import Limits
from ussd.machine import Effect, Need, Step, notice, step
from ussd.menus import Menus
from ussd.sessions import Conversation, Sessions
from ussd.trail import Anew, Repeat, digest_with, extended, reconcile
from ussd.turn import DialEnd, Turn

__all__ = ["Channel", "Conversations", "Reply"]

RACES_MAX = 5
ROUNDS_MAX = 60
DIAL_BYTES = 16

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Channel:
    """One carrier's door: its name, its screen, and whether it is a rehearsal."""

    name: str
    limits: Limits
    test: bool
    # The line campaign texts come from, for those who want to rejoin by text.
    line: str


@dataclass(frozen=True, slots=True)
class Reply:
    text: str
    ends: bool


class Conversations:
    """Every conversation of one service. It keeps nothing between turns itself."""

    def __init__(
        self,
        engine: Engine,
        keys: Keys,
        sessions: Sessions,
        library: Library,
        *,
        figures: CampaignFigures,
        wake: Callable[[], None],
    ) -> None:
        self._figures = figures
        self._engine = engine
        self._keys = keys
        self._sessions = sessions
        self._library = library
        self._wake = wake
        self._digest = digest_with(keys.index)
        self._openings = Openings(engine, keys, library)

    def answer(self, channel: Channel, turn: Turn, now: datetime) -> Reply:
        """The screen that answers one turn. Never raises for what a carrier sent."""
        dial = self._dial(channel, turn.session, turn.phone)
        try:
            conversation, announced = self._sessions.load(dial)
        except RedisError as failure:
            log.error("sessions_gone", why=type(failure).__name__)
            return self._without_sessions(channel, turn, dial, now)
        language = conversation.session.language if conversation is not None else ""
        try:
            return self._turned(channel, turn, dial, conversation, announced, now)
        except UnknownCode:
            return self._closing(announced, "unknown")
        except (NothingRecorded, NotRead, NoMenus) as failure:
            log.error("turn_failed", why=str(failure))
            return self._closing(announced, "busy", language)
        except LedgerError as failure:
            log.error("outcome_unknown", why=str(failure))
            return self._closing(announced, "unsure", language)

    def ended(self, channel: Channel, end: DialEnd, now: datetime) -> None:
        """Keep the carrier's word on whether the last screen was seen."""
        dial = self._dial(channel, end.session, end.phone)
        with writing(self._engine) as db:
            dials.ended(db, dial=f"{channel.name}:{dial}", reached=end.reached, at=now)

    # -- one turn -------------------------------------------------------------------

    def _turned(
        self,
        channel: Channel,
        turn: Turn,
        dial: str,
        conversation: Conversation | None,
        announced: str | None,
        now: datetime,
    ) -> Reply:
        for _ in range(RACES_MAX):
            if conversation is None:
                try:
                    opening = self._opened(channel, turn, dial, announced, now)
                except NotRead as failure:
                    if not turn.typed:
                        raise
                    # Something may stand from before that cannot be asked about now.
                    raise OutcomeUnknown(str(failure)) from failure
                shown = False
            else:
                said = reconcile(conversation.trail, turn.typed, self._digest)
                if isinstance(said, Repeat):
                    return Reply(said.reply, said.ends)
                if isinstance(said, Anew):
                    opening = self._openings.anew(turn, conversation, announced, now)
                    shown = False
                else:
                    opening = Opening(conversation, said.answers, window_at=now)
                    shown = True
            menus = self._library.version(opening.conversation.menus)
            stepped, recorded = self._step(
                channel, turn, dial, menus, opening, shown, now
            )
            warn_if_changed(opening, stepped.session)
            reply = Reply(stepped.text, stepped.ends)
            saved = replace(
                opening.conversation,
                version=opening.conversation.version + 1,
                session=stepped.session,
                trail=extended(
                    opening.conversation.trail,
                    turn.typed,
                    self._digest,
                    reply=reply.text,
                    ends=reply.ends,
                ),
            )
            try:
                winner = self._sessions.save(dial, saved)
            except RedisError as failure:
                log.error("session_not_saved", why=type(failure).__name__)
                if recorded or opening.results:
                    return reply
                raise NothingRecorded("the session could not be saved") from None
            if winner is None:
                return reply
            said = reconcile(winner.trail, turn.typed, self._digest)
            if isinstance(said, Repeat):
                return Reply(said.reply, said.ends)
            if recorded:
                return reply
            conversation = winner
        raise NothingRecorded("too many requests at once for one dial")

    def _opened(
        self,
        channel: Channel,
        turn: Turn,
        dial: str,
        announced: str | None,
        now: datetime,
    ) -> Opening:
        return self._openings.of(
            turn,
            announced,
            now,
            channel=channel.name,
            dial=dial,
            test=channel.test,
        )

    def _step(
        self,
        channel: Channel,
        turn: Turn,
        dial: str,
        menus: Menus,
        opening: Opening,
        shown: bool,
        now: datetime,
    ) -> tuple[Step, bool]:
        """Step the machine, fetching and doing what it lacks; and whether it did."""
        facts: dict[Need, Mapping[str, Any]] = {}
        results = dict(opening.results)
        recorded = False
        for _ in range(ROUNDS_MAX):
            stepped = step(
                menus,
                opening.conversation.session,
                opening.answers,
                now=opening.window_at,
                limits=channel.limits,
                facts=facts,
                results=results,
                shown=shown,
                stands=opening.stands,
            )
            lacks = stepped.lacks
            if lacks is None:
                return stepped, recorded
            if isinstance(lacks, Effect):
                order = self._order(channel, turn, dial, menus, opening, lacks, now)
                results[lacks.name, lacks.number] = carry_out(
                    self._engine, self._keys, order
                )
                recorded = True
                # What was read before the deed may no longer be so.
                facts.clear()
                self._wake()
            else:
                asker = Asker(
                    turn.phone,
                    opening.conversation.session.campaign,
                    channel.test,
                    channel.line,
                    self._figures,
                )
                try:
                    with reading(self._engine) as db:
                        facts[lacks] = fetch(db, self._keys, lacks, asker)
                except NotRead as failure:
                    if not results:
                        raise
                    # It was done; only the screen that tells it is not to be had.
                    raise OutcomeUnknown(str(failure)) from failure
        raise OutcomeUnknown("a screen lacked facts without end")

    def _order(
        self,
        channel: Channel,
        turn: Turn,
        dial: str,
        menus: Menus,
        opening: Opening,
        effect: Effect,
        now: datetime,
    ) -> Order:
        generation = opening.conversation.generation
        prefix = f"ussd:{channel.name}:{dial}:{generation}"
        return Order(
            effect=effect,
            key=f"{prefix}:{effect.name}:{effect.number}",
            phone=turn.phone,
            language=opening.conversation.session.language,
            menus=menus,
            channel=channel.name,
            test=channel.test,
            at=now,
            figures=self._figures,
        )

    # -- when something is gone -------------------------------------------------------

    def _without_sessions(
        self, channel: Channel, turn: Turn, dial: str, now: datetime
    ) -> Reply:
        """Redis is gone: what was already recorded is still told; nothing is begun."""
        try:
            opening = self._opened(channel, turn, dial, None, now)
            if opening.results:
                menus = self._library.version(opening.conversation.menus)
                stepped, _ = self._step(channel, turn, dial, menus, opening, False, now)
                if menus.screens[stepped.session.at].confirm:
                    # Nobody would remember that it was shown.
                    return self._closing(None, "unsure")
                return Reply(stepped.text, stepped.ends)
        except UnknownCode:
            return self._closing(None, "unknown")
        except (LedgerError, NoMenus, RedisError) as failure:
            log.error("turn_failed", why=type(failure).__name__)
            return self._closing(None, "unsure" if turn.typed else "busy")
        return self._closing(None, "busy")

    def _closing(self, announced: str | None, name: str, language: str = "") -> Reply:
        """A last word, with what menus can still be had; by default in the first
        language."""
        menus: Menus | None
        try:
            menus = self._library.current(announced)
        except (NoMenus, LedgerError, RedisError):
            menus = self._library.newest()
        if menus is None:
            return Reply(LAST_WORDS[name], ends=True)
        if language not in menus.languages:
            language = menus.languages[0]
        return Reply(notice(menus, name, language), ends=True)

    def _dial(self, channel: Channel, session: str, phone: str) -> str:
        """The keyed hash that stands for one carrier's session of one phone."""
        named = f"{channel.name}\n{session}\n{phone}".encode()
        return hmac.digest(self._keys.index, named, "sha256")[:DIAL_BYTES].hex()


# Said only when there are no menus to say it with.
LAST_WORDS = {
    "busy": "The service is busy; nothing was recorded. Please dial again shortly.",
    "unsure": "We are not sure whether it was recorded. Please dial again shortly.",
    "unknown": "This code is not known here.",
}
