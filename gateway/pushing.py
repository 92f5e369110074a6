"""Questions that we begin: a text, and the screen that its answer walks.

The answer goes the way of every other: `gateway.texting` finds the question open, the
machine walks the screen's keys, and an effect does what was agreed to, under the key of
the text that agreed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

import structlog

from gateway.receipts import promise_text
from ledger import people, questions, stops
from ledger.engine import Connection
from ledger.outbox import Kind
from ledger.vault import Keys
from ussd.deeds import BY_TEXT
from ussd.machine import Session
from ussd.menus import Menus
from ussd.telling import spoken

__all__ = ["ask_person", "flow_of", "is_asked"]

log = structlog.get_logger()


def ask_person(
    db: Connection,
    keys: Keys,
    menus: Menus,
    *,
    person_id: int,
    event_id: int,
    template: str,
    slots: Mapping[str, str | int],
    screen: str,
    answers: Mapping[str, str],
    campaign: str,
    test: bool,
    at: datetime,
    expires_at: datetime,
) -> bool:
    """Promise the text `template` of an event, and wait at `screen` for its answer.

    `answers` are what the screen stands for: which invitation, whose hours. Several
    questions may be open at once; whoever asks again of the same flow looks with
    `is_asked` first. The answer may come by any of our lines. False, and nothing is
    promised, where the person is unknown, erased, or has stopped campaign texts and
    the text is one; and where the menus in force lack the text or the screen.
    """
    person = people.known(db, person_id=person_id)
    look_up = questions.look_up_of(db, person_id=person_id)
    text = menus.texts.get(template)
    if person is None or look_up is None:
        return False
    if text is None or screen not in menus.screens:
        log.warning("question_missing", template=template, screen=screen)
        return False
    if text.kind == Kind.CAMPAIGN and stops.wants_none(
        db, person_id=person_id, test=test
    ):
        return False
    promised = promise_text(
        db,
        menus,
        template=template,
        event_id=event_id,
        person_id=person_id,
        campaign=campaign,
        slots=slots,
        test=test,
        at=at,
        until=expires_at,
    )
    language = spoken(menus, person.language or menus.languages[0])
    session = Session(screen, campaign, language, {"dialled": BY_TEXT, **answers})
    questions.ask(
        db,
        keys,
        look_up=look_up,
        person_id=person_id,
        channel=questions.ours(test=test),
        line="",
        flow=flow_of(menus, screen),
        session=asdict(session),
        menus=menus.hash,
        language=language,
        began_by=None,
        at=at,
        expires_at=expires_at,
    )
    return promised


def is_asked(
    db: Connection, menus: Menus, *, person_id: int, screen: str, test: bool
) -> bool:
    """Whether a question of ours about the same is open to somebody now."""
    return questions.is_asked(
        db, person_id=person_id, flow=flow_of(menus, screen), test=test
    )


def flow_of(menus: Menus, screen: str) -> str:
    """What a conversation is about: of two about the same, the older is replaced."""
    return menus.flow_of(screen) or screen.partition(".")[0]
