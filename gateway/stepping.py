"""Step the pure machine: fetch the facts it lacks, have its deeds done, step again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.doors import Dial
from gateway.effects import Order, carry_out
from gateway.facts import Asker, fetch
from gateway.figures import CampaignFigures
from gateway.library import Library
from gateway.openings import Opening, untold
from ledger.engine import Engine, NotRead, OutcomeUnknown, reading
from ledger.places.tree import Tree
from ledger.timebank.standing import Limits as HourLimits
from ledger.vault import Keys
from phone.encoding import Limits
from ussd.machine import Effect, Need, Session, Step, step
from ussd.menus import Menus
from ussd.sessions import Conversation
from ussd.steps import Results

__all__ = ["Stepping", "walked"]

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
        places: Callable[[], Tree],
        hours: HourLimits,
        wake: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._keys = keys
        self._library = library
        self._figures = figures
        self._places = places
        self._hours = hours
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
        asker = Asker(
            dial.turn.phone,
            session.campaign,
            channel.test,
            channel.line,
            self._figures,
            dial.now,
            self._library.version(opening.conversation.menus).time_zone,
            self._places(),
            session.language,
        )
        deeds: list[str] = []

        def fetched(need: Need) -> Mapping[str, Any]:
            try:
                with reading(self._engine) as db:
                    return fetch(db, self._keys, need, asker)
            except NotRead as failure:
                if not (deeds or opening.results):
                    raise
                # It was done; only the screen that tells it is not to be had.
                raise OutcomeUnknown(str(failure)) from failure

        def done(effect: Effect) -> Mapping[str, str]:
            order = self._order(dial, opening.conversation, effect)
            result = carry_out(self._engine, self._keys, order)
            deeds.append(effect.name)
            self._wake()
            return result

        stepped = walked(
            channel.spoken(self._library.version(opening.conversation.menus)),
            session,
            opening.answers,
            now=opening.window_at,
            limits=channel.limits,
            results=opening.results,
            shown=shown,
            stands=opening.stands,
            fetched=fetched,
            done=done,
        )
        return stepped, tuple(deeds)

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
            places=self._places(),
            hours=self._hours,
        )


def walked(
    menus: Menus,
    session: Session,
    answers: Sequence[str],
    *,
    now: datetime,
    limits: Limits,
    results: Results,
    shown: bool,
    stands: Mapping[str, str] | None = None,
    fetched: Callable[[Need], Mapping[str, Any]],
    done: Callable[[Effect], Mapping[str, str]],
) -> Step:
    """Step until nothing lacks; `fetched` and `done` say what facts and deeds came to.

    Raises what they raise, and OutcomeUnknown for menus that never have enough.
    """
    facts: dict[Need, Mapping[str, Any]] = {}
    known = dict(results)
    for _ in range(ROUNDS_MAX):
        stepped = step(
            menus,
            session,
            answers,
            now=now,
            limits=limits,
            facts=facts,
            results=known,
            shown=shown,
            stands=stands,
        )
        lacks = stepped.lacks
        if lacks is None:
            return stepped
        if isinstance(lacks, Effect):
            known[lacks.name, lacks.number] = done(lacks)
            # What was read before the deed may no longer be so.
            facts.clear()
        else:
            facts[lacks] = fetched(lacks)
    raise OutcomeUnknown("a screen lacked facts without end")
