"""Step the pure machine: fetch the facts it lacks, have its deeds done, step again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from gateway.doors import Dial
from gateway.effects import Order, carry_out
from gateway.facts import Asker, fetch
from gateway.figures import CampaignFigures
from gateway.library import Library
from gateway.openings import Opening, untold
from ledger.engine import Engine, NotRead, OutcomeUnknown, reading
from ledger.vault import Keys
from ussd.machine import Effect, Need, Step, step
from ussd.sessions import Conversation

__all__ = ["Stepping"]

ROUNDS_MAX = 60


class Stepping:
    """Steps the conversations of one service; it keeps nothing itself."""

    def __init__(
        self,
        engine: Engine,
        keys: Keys,
        library: Library,
        *,
        figures: CampaignFigures,
        wake: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._keys = keys
        self._library = library
        self._figures = figures
        self._wake = wake

    def step(
        self, dial: Dial, opening: Opening, shown: bool
    ) -> tuple[Step, tuple[str, ...]]:
        """The step, and the deeds that were done for it.

        A pledge of a lost call that was walked again otherwise is told first. Raises
        NothingRecorded, NotRead, OutcomeUnknown and NoMenus.
        """
        stepped, deeds = self._stepped(dial, opening, shown)
        if stands := untold(opening, stepped.session):
            stepped, _ = self._stepped(dial, replace(opening, stands=stands), shown)
        return stepped, deeds

    def _stepped(
        self, dial: Dial, opening: Opening, shown: bool
    ) -> tuple[Step, tuple[str, ...]]:
        channel, session = dial.channel, opening.conversation.session
        menus = channel.spoken(self._library.version(opening.conversation.menus))
        facts: dict[Need, Mapping[str, Any]] = {}
        results = dict(opening.results)
        deeds: list[str] = []
        for _ in range(ROUNDS_MAX):
            stepped = step(
                menus,
                session,
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
                return stepped, tuple(deeds)
            if isinstance(lacks, Effect):
                order = self._order(dial, opening.conversation, lacks)
                results[lacks.name, lacks.number] = carry_out(
                    self._engine, self._keys, order
                )
                deeds.append(lacks.name)
                # What was read before the deed may no longer be so.
                facts.clear()
                self._wake()
            else:
                asker = Asker(
                    dial.turn.phone,
                    session.campaign,
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

    def _order(self, dial: Dial, conversation: Conversation, effect: Effect) -> Order:
        channel = dial.channel
        deed = f"{conversation.deeds}:{effect.name}:{effect.number}"
        return Order(
            effect=effect,
            key=f"ussd:{channel.name}:{deed}",
            phone=dial.turn.phone,
            language=conversation.session.language,
            menus=self._library.version(conversation.menus),
            channel=channel.name,
            test=channel.test,
            at=dial.now,
            figures=self._figures,
        )
