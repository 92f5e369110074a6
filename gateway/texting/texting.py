"""Takes each stored text once, and answers it in one transaction.

Whoever has stored a text hands it over here after its commit; what a death leaves
between the two is swept up by the scheduler. Nothing is raised: the carrier has had its
answer, and a text that cannot be handled is tried again and then read by a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import structlog

from gateway.figures import CampaignFigures
from gateway.library import Library, NoMenus
from gateway.texting.exchange import Exchange
from gateway.texting.walking import Setting
from ledger import enquiries, hearing, people, questions
from ledger.engine import (
    Connection,
    Engine,
    LedgerError,
    OutcomeUnknown,
    reading,
    writing,
)
from ledger.hearing import Heard
from ledger.places.tree import Tree
from ledger.timebank import standing
from ledger.vault import Keys
from phone.numbers import is_mobile
from phone.private import looks_like_card
from sms.routes import Channel, Routes

__all__ = ["Texting"]

# Whoever stored a text younger than that is still at it.
SWEPT_AFTER = timedelta(seconds=30)
SWEPT_AT_ONCE_MAX = 300
# After so many failures a text that fails once more is a person's to read. Each is
# waited for longer: the sixth is twelve minutes after the text.
TRIES_MAX = 5

log = structlog.get_logger()


class Texting:
    """Every conversation by text of one service; it keeps nothing itself."""

    def __init__(
        self,
        engine: Engine,
        keys: Keys,
        library: Library,
        routes: Routes,
        *,
        figures: CampaignFigures,
        places: Callable[[], Tree],
        hours: standing.Limits,
        wake: Callable[[], None],
        answer_seconds: int,
    ) -> None:
        self._engine = engine
        self._keys = keys
        self._library = library
        self._routes = routes
        self._figures = figures
        self._places = places
        self._hours = hours
        self._wake = wake
        self._answer_time = timedelta(seconds=answer_seconds)

    def handle(self, inbound_ids: Iterable[int], at: datetime) -> None:
        """Answer texts that are stored. Never raises; what fails is swept up later."""
        for inbound_id in inbound_ids:
            self._try(inbound_id, at)

    def sweep(self, at: datetime) -> int:
        """Handle what nobody has handled, and close what nobody answered; how many.

        Never raises: what cannot be done now is found again.
        """
        try:
            with reading(self._engine) as db:
                found = hearing.waiting(
                    db, before=at - SWEPT_AFTER, limit=SWEPT_AT_ONCE_MAX
                )
            left = [
                (inbound_id, tries)
                for inbound_id, tries, came_at in found
                if at - came_at >= SWEPT_AFTER * tries**2
            ]
            for inbound_id, tries in left:
                if not self._try(inbound_id, at) and tries >= TRIES_MAX:
                    self._try(inbound_id, at, give_up=True)
            with writing(self._engine) as db:
                questions.expire(db, at=at)
        except LedgerError as failure:
            log.error("texts_not_swept", why=str(failure))
            return 0
        return len(left)

    def _try(self, inbound_id: int, at: datetime, *, give_up: bool = False) -> bool:
        """Handle a text; False where that failed."""
        try:
            what, channel = self._handled(inbound_id, at, give_up)
        except OutcomeUnknown as failure:
            # Whether it was handled stands with the text: the sweep sees it.
            log.error("text_outcome_unknown", why=str(failure))
        except (LedgerError, NoMenus) as failure:
            log.error("text_not_handled", inbound=inbound_id, why=str(failure))
            self._failed(inbound_id)
        except Exception:
            # The edge: a text that breaks us is tried again, then read by a person.
            log.exception("text_broke", inbound=inbound_id)
            self._failed(inbound_id)
        else:
            if what:
                log.info("text_heard", channel=channel, what=what)
                self._wake()
            return True
        return False

    def _handled(self, inbound_id: int, at: datetime, give_up: bool) -> tuple[str, str]:
        """What the text was, and the channel it came by; "" for one done before."""
        menus = None if give_up else self._library.current(None)
        places = self._places()
        with writing(self._engine) as db:
            heard = hearing.take(db, self._keys, inbound_id=inbound_id, at=at)
            if heard is None:
                return "", ""
            holds_card = looks_like_card(heard.text)
            if holds_card:
                hearing.blank(db, self._keys, inbound_id=inbound_id)
            if not is_mobile(heard.phone):
                # Kept as it came; nobody could read an answer.
                return "no mobile", heard.carrier
            channel = self._routes.named(heard.carrier)
            if menus is None or channel is None or not menus.keywords:
                if not holds_card:
                    self._to_the_desk(db, heard, at)
                return "given up", heard.carrier
            setting = Setting(
                keys=self._keys,
                channel=channel,
                same_kind=self._same_kind(channel),
                menus=menus,
                version=self._library.version,
                figures=self._figures,
                places=places,
                hours=self._hours,
                answer_time=self._answer_time,
            )
            what = Exchange(db, setting, heard, at).answer(holds_card=holds_card)
            return what, heard.carrier

    def _same_kind(self, channel: Channel) -> frozenset[str]:
        return frozenset(one.name for one in self._routes if one.test == channel.test)

    def _to_the_desk(self, db: Connection, heard: Heard, at: datetime) -> None:
        person = people.remember(db, self._keys, heard.phone, at=at)
        enquiries.add(
            db,
            self._keys,
            inbound_id=heard.id,
            person_id=person.id,
            channel=heard.carrier,
            line=heard.line,
            words=heard.text,
            at=at,
        )

    def _failed(self, inbound_id: int) -> None:
        try:
            with writing(self._engine) as db:
                hearing.fail(db, inbound_id=inbound_id)
        except LedgerError as failure:
            # It is still unhandled, and the sweep finds it.
            log.error("text_failure_not_counted", why=str(failure))
