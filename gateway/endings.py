"""What a carrier says of a call beside its turns: that it is over, and how.

A call that broke off in the middle of a flow is worth one text, where the flow says so:
dial again, and go on.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog
from redis.exceptions import RedisError

from gateway.doors import Channel, caller_hash, dial_hash
from gateway.effects import Order, carry_out
from gateway.figures import CampaignFigures
from gateway.library import Library, NoMenus
from gateway.resuming import SCREEN, way_back
from ledger import dials
from ledger.engine import Engine, LedgerError, writing
from ledger.vault import Keys
from ussd.machine import Effect
from ussd.sessions import Conversation, Sessions
from ussd.turn import DialEnd, Ending, Inquiry

__all__ = ["Endings", "count_silent"]

log = structlog.get_logger()


class Endings:
    """Hears how the calls of one service end."""

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
        self._engine = engine
        self._keys = keys
        self._sessions = sessions
        self._library = library
        self._figures = figures
        self._wake = wake

    def is_active(self, channel: Channel, inquiry: Inquiry) -> bool:
        """Whether a call is going on; no where Redis cannot be asked."""
        name = dial_hash(self._keys, channel, inquiry.session, inquiry.phone)
        try:
            conversation, _ = self._sessions.load(name)
        except RedisError as failure:
            log.error("sessions_gone", why=type(failure).__name__)
            return False
        return conversation is not None and not conversation.trail[-1].ends

    def heard(self, channel: Channel, end: DialEnd, now: datetime) -> None:
        """Keep the carrier's word on how a call ended. Raises nothing.

        What it cannot keep is not worth a retry: without it the next dial only says
        once more that a pledge stands.
        """
        name = dial = dial_hash(self._keys, channel, end.session, end.phone)
        try:
            conversation, _ = self._sessions.load(name)
            if conversation is not None:
                # As the keys of its deeds name it.
                dial = conversation.deeds.partition(":")[0]
                if not conversation.trail[-1].ends:
                    self._broke_off(channel, end, name, conversation, now)
        except (RedisError, NoMenus, LedgerError) as failure:
            log.warning("break_not_kept", why=type(failure).__name__)
        try:
            with writing(self._engine) as db:
                reached = end.how is Ending.REACHED
                dials.ended(db, dial=f"{channel.name}:{dial}", reached=reached, at=now)
        except LedgerError as failure:
            log.warning("end_not_kept", why=str(failure))

    def _broke_off(
        self,
        channel: Channel,
        end: DialEnd,
        name: str,
        conversation: Conversation,
        now: datetime,
    ) -> None:
        """Count a call that was not finished, and tell its caller once."""
        if self._sessions.is_over(f"{channel.name}:{name}"):
            screen = _screen(conversation)
            self._sessions.count(f"abandoned|{channel.name}|{screen}")
        menus = self._library.version(conversation.menus)
        flow = menus.flows.get(menus.flow_of(conversation.session.at))
        if flow is None or not flow.cut_off or end.how is not Ending.CUT:
            return
        if not end.phone or conversation.offered is not None:
            return
        if not conversation.session.answers.keys() - {"dialled"}:
            # Who answered nothing has nothing to go on with.
            return
        caller = caller_hash(self._keys, channel, end.phone)
        if not self._sessions.once(f"ussd:told:{caller}", flow.resume_minutes * 60):
            return
        session = conversation.session
        call = way_back(menus, session)
        order = Order(
            effect=Effect(
                "cut_off", 0, session.campaign, {"text": flow.cut_off, "call": call}
            ),
            key=f"cut:{channel.name}:{conversation.deeds}",
            phone=end.phone,
            language=session.language,
            menus=menus,
            channel=channel.name,
            test=channel.test,
            at=now,
            figures=self._figures,
        )
        carry_out(self._engine, self._keys, order)
        self._wake()


def count_silent(sessions: Sessions, at: datetime) -> None:
    """Count the calls that broke off without a word from their carrier."""
    for live in sessions.silent(int(at.timestamp())):
        channel, _, name = live.partition(":")
        conversation, _ = sessions.load(name)
        screen = _screen(conversation) if conversation is not None else "unknown"
        sessions.count(f"abandoned|{channel}|{screen}")


def _screen(conversation: Conversation) -> str:
    """What a call has come to, as screens are counted."""
    return SCREEN if conversation.offered is not None else conversation.session.at
