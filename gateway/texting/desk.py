"""The help desk: somebody answers what no keyword understands, or is done with it."""

from __future__ import annotations

from datetime import datetime, timedelta

from gateway.library import Library
from gateway.texting.meaning import language_of
from ledger import enquiries
from ledger.engine import Engine, writing
from ledger.outbox import Kind
from ledger.vault import Keys
from phone.encoding import ucs2_units
from phone.private import long_digits, looks_like_card
from sms.routes import Routes
from ussd.deeds import ANSWER_UNITS_MAX

__all__ = ["NoAnswer", "answer", "close"]

TEMPLATE = "sms.answer"
# A tracking code has nine.
PHONE_DIGITS = 10


class NoAnswer(ValueError):
    """These words cannot be sent; says what to change."""


def answer(
    engine: Engine,
    keys: Keys,
    library: Library,
    routes: Routes,
    *,
    enquiry_id: int,
    words: str,
    by: str,
    at: datetime,
) -> int:
    """Promise `words` as a text to who asked; returns the outbox id.

    Raises NoAnswer, `enquiries.NotOpen`, NoMenus, or LedgerError for nothing recorded.
    """
    words = words.strip()
    if not words:
        raise NoAnswer("an answer has words")
    if ucs2_units(words) > ANSWER_UNITS_MAX:
        over = ucs2_units(words) - ANSWER_UNITS_MAX
        raise NoAnswer(f"an answer is {over} letters too long")
    if looks_like_card(words):
        raise NoAnswer("a card number is never sent")
    menus = library.current(None)
    text = menus.texts.get(TEMPLATE)
    if text is None:
        raise NoAnswer(f"the menus have no {TEMPLATE}")
    with writing(engine) as db:
        return enquiries.answer(
            db,
            keys,
            enquiry_id=enquiry_id,
            words=words,
            by=by,
            template=TEMPLATE,
            kind=Kind(text.kind),
            language=language_of(menus, words, None),
            menus=menus.hash,
            tests=_rehearsals(routes),
            at=at,
            expires_at=at + timedelta(hours=text.expires_hours),
        )


def close(
    engine: Engine, routes: Routes, *, enquiry_id: int, by: str, why: str, at: datetime
) -> None:
    """Be done with an enquiry without an answer.

    Raises NoAnswer for a reason that the books cannot hold, NotOpen or LedgerError.
    """
    if long_digits(why, PHONE_DIGITS):
        raise NoAnswer("a reason stays in the books: no phone or card number in it")
    with writing(engine) as db:
        enquiries.close(
            db,
            enquiry_id=enquiry_id,
            by=by,
            why=why,
            tests=_rehearsals(routes),
            at=at,
        )


def _rehearsals(routes: Routes) -> frozenset[str]:
    return frozenset(channel.name for channel in routes if channel.test)
