"""The way of one dial: a turn comes in, the next screen goes out.

Load where the caller stands (one round trip), say what the text says anew, step the
pure machine, do in one transaction what the caller agreed to, save the reply (one
round trip). Whatever the carrier repeats gets the same reply and does nothing again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import structlog
from redis.exceptions import RedisError

from gateway import resuming
from gateway.aftermath import aftermath, counted, resumable
from gateway.doors import Channel, Dial, Reply, caller_hash, dial_hash
from gateway.figures import CampaignFigures
from gateway.last_words import LAST_WORDS, closing
from gateway.library import Library, NoMenus
from gateway.openings import (
    Opening,
    Openings,
    UnknownCode,
    new_dial,
    warn_if_changed,
)
from gateway.stepping import Stepping
from ledger.engine import (
    Engine,
    LedgerError,
    NothingRecorded,
    NotRead,
    OutcomeUnknown,
)
from ledger.places.tree import Tree
from ledger.timebank import standing
from ledger.vault import Keys
from ussd.machine import Session, Step
from ussd.sessions import Aftermath, Conversation, Sessions
from ussd.trail import (
    Anew,
    Onward,
    Repeat,
    digest_with,
    extended,
    lost,
    reconcile,
)
from ussd.turn import Turn

__all__ = ["LAST_WORDS", "Channel", "Conversations", "Reply"]

RACES_MAX = 5

log = structlog.get_logger()


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
        places: Callable[[], Tree],
        hours: standing.Limits,
        wake: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._keys = keys
        self._sessions = sessions
        self._library = library
        self._clock = clock
        self._stepping = Stepping(
            engine,
            keys,
            library,
            figures=figures,
            places=places,
            hours=hours,
            wake=wake,
        )
        self._digest = digest_with(keys.index)
        self._openings = Openings(engine, keys, library)

    def answer(self, channel: Channel, turn: Turn, now: datetime) -> Reply:
        """The screen that answers one turn. Never raises for what a carrier sent."""
        name = dial_hash(self._keys, channel, turn.session, turn.phone)
        caller = caller_hash(self._keys, channel, turn.phone)
        dial = Dial(channel, turn, name, caller, None, now)
        try:
            conversation, announced = self._sessions.load(name)
        except RedisError as failure:
            log.error("sessions_gone", why=type(failure).__name__)
            return self._without_sessions(dial)
        dial = replace(dial, announced=announced)
        before = conversation.session if conversation is not None else None
        try:
            return self._turned(dial, conversation)
        except UnknownCode:
            word = "unknown"
        except (NothingRecorded, NotRead, NoMenus) as failure:
            log.error("turn_failed", why=str(failure))
            # Not this time; but what the call did before stands.
            word = "unsure" if before is not None and before.done else "busy"
        except LedgerError as failure:
            log.error("outcome_unknown", why=str(failure))
            word = "unsure"
        language = before.language if before is not None else ""
        return closing(
            self._library, channel, word, announced=announced, language=language
        )

    # -- one turn -------------------------------------------------------------------

    def _turned(self, dial: Dial, conversation: Conversation | None) -> Reply:
        said: Repeat | Onward | Anew = Anew()
        if conversation is not None:
            at = dial.now.timestamp()
            said = reconcile(conversation.trail, dial.turn, self._digest, at)
        races = 0
        while not isinstance(said, Repeat):
            if conversation is None or isinstance(said, Anew):
                opening, shown = self._begun(dial, conversation), False
            else:
                # Who lost a race was on the way before the winner's screen was shown:
                # nothing is done on it, and a lone answer is not for it.
                shown = races == 0
                answers = said.answers if shown or dial.turn.cumulative else ()
                opening = Opening(conversation, answers, window_at=dial.now)
            reply, winner, recorded = self._replied(dial, opening, shown)
            if winner is None:
                return reply
            conversation, said = winner, self._lost(dial, opening, winner)
            if recorded and not isinstance(said, Repeat):
                return reply
            races += 1
            if races == RACES_MAX and not isinstance(said, Repeat):
                raise NothingRecorded("too many requests at once for one dial")
        return Reply(said.reply, said.ends)

    def _lost(
        self, dial: Dial, opening: Opening, winner: Conversation
    ) -> Repeat | Onward | Anew:
        """What this request is to the conversation that was saved before it."""
        if not dial.turn.cumulative:
            loaded = opening.conversation.trail
            repeat = lost(loaded, winner.trail, dial.turn, self._digest)
            if repeat is not None:
                return repeat
        return reconcile(winner.trail, dial.turn, self._digest, dial.now.timestamp())

    def _opened(self, dial: Dial) -> Opening:
        try:
            return self._openings.of(
                dial.turn,
                dial.announced,
                dial.now,
                channel=dial.channel.name,
                dial=dial.name if dial.turn.session else new_dial(),
                test=dial.channel.test,
            )
        except NotRead as failure:
            if not dial.turn.typed:
                raise
            # Something may stand from before that cannot be asked about now.
            raise OutcomeUnknown(str(failure)) from failure

    def _begun(self, dial: Dial, conversation: Conversation | None) -> Opening:
        """A call, or another one under the name of `conversation`.

        One without an id of the carrier is wholly a new one.
        """
        if conversation is not None and dial.turn.session:
            opening = self._openings.anew(
                dial.turn, conversation, dial.announced, dial.now
            )
        else:
            opening = self._opened(dial)
            version = conversation.version if conversation is not None else 0
            fresh = replace(opening.conversation, version=version)
            opening = replace(opening, conversation=fresh)
        if opening.answers or opening.done or opening.stands:
            return opening
        return self._offered(dial, opening)

    def _offered(self, dial: Dial, opening: Opening) -> Opening:
        """A new call as it begins where the one before broke off."""
        try:
            kept = self._sessions.unfinished(dial.caller)
        except RedisError:
            # Whether the call can be remembered is seen when it is saved.
            return opening
        if kept is None:
            return opening
        menus = self._library.version(opening.conversation.menus)
        found = resuming.offer(self._library, menus, opening.conversation, kept)
        return opening if found is None else replace(opening, conversation=found)

    def _replied(
        self, dial: Dial, opening: Opening, shown: bool
    ) -> tuple[Reply, Conversation | None, bool]:
        """The reply, saved; or who saved another before; and whether it did a deed."""
        asked = opening.conversation.session if shown else None
        stepped: Step | None = None
        deeds: tuple[str, ...] = ()
        if opening.conversation.offered is not None:
            opening, stepped = resuming.decided(
                self._library, dial.channel, opening, shown
            )
            asked, shown = None, False
        if stepped is None:
            stepped, deeds = self._stepping.step(dial, opening, shown)
            warn_if_changed(opening, stepped.session)
        reply = Reply(stepped.text, stepped.ends)
        answered_at = self._clock().timestamp()
        conversation = opening.conversation
        saved = replace(
            conversation,
            version=conversation.version + 1,
            session=stepped.session,
            trail=extended(
                conversation.trail,
                dial.turn,
                self._digest,
                reply=reply.text,
                ends=reply.ends,
                at=answered_at,
            ),
        )
        try:
            winner = self._sessions.save(
                dial.name,
                saved,
                self._aftermath(dial, opening, asked, stepped, deeds, answered_at),
            )
        except RedisError as failure:
            log.error("session_not_saved", why=type(failure).__name__)
            if deeds or opening.results:
                return reply, None, True
            raise NothingRecorded("the session could not be saved") from None
        return reply, winner, bool(deeds)

    def _aftermath(
        self,
        dial: Dial,
        opening: Opening,
        asked: Session | None,
        stepped: Step,
        deeds: tuple[str, ...],
        answered_at: float,
    ) -> Aftermath:
        conversation = opening.conversation
        since = conversation.trail[-1].at if conversation.trail else 0.0
        name, offered = dial.channel.name, conversation.offered
        left = offered.session if offered is not None else stepped.session
        menus = self._library.version((offered or conversation).menus)
        return aftermath(
            name,
            resuming.SCREEN if offered is not None else stepped.session.at,
            caller=dial.caller,
            kept=None if stepped.ends else resumable(menus, left),
            live=f"{name}:{dial.name}",
            ends=stepped.ends,
            at=answered_at,
            counts=counted(
                name,
                asked if opening.answers else None,
                stepped,
                seconds=dial.now.timestamp() - since,
                deeds=deeds,
            ),
        )

    # -- when something is gone -------------------------------------------------------

    def _without_sessions(self, dial: Dial) -> Reply:
        """Redis is gone: what was already recorded is still told; nothing is begun."""
        try:
            opening = self._opened(dial)
            if opening.results or (opening.stands and not dial.turn.cumulative):
                menus = self._library.version(opening.conversation.menus)
                stepped, _ = self._stepping.step(dial, opening, False)
                if not menus.screens[stepped.session.at].confirm:
                    return Reply(stepped.text, stepped.ends)
                # Nobody would remember that it was shown.
                name = "unsure"
            elif dial.turn.typed and self._openings.did_lately(
                dial.turn.phone, dial.now
            ):
                # This call may have done it: by the keys of one that it went on with,
                # or under a name that nobody remembers.
                name = "unsure"
            else:
                name = "busy"
        except UnknownCode:
            name = "unknown"
        except (LedgerError, NoMenus, RedisError) as failure:
            log.error("turn_failed", why=type(failure).__name__)
            name = "unsure" if dial.turn.typed else "busy"
        return closing(self._library, dial.channel, name)
