"""In which language a phone is greeted, and how a rehearsal chooses another."""

from __future__ import annotations

from datetime import datetime

from gateway.service import Service
from ledger import people
from ledger.engine import reading, writing

__all__ = ["NotSpoken", "choose_language", "language_of"]


class NotSpoken(ValueError):
    """A language that the menus do not speak; the sentence names those they do."""


def language_of(service: Service, phone: str) -> str:
    """What was remembered for this E.164 number, else the first of the menus.

    Raises NoMenus and LedgerError, as `choose_language` does.
    """
    menus = service.library.current(None)
    with reading(service.engine) as db:
        person = people.find(db, service.keys, phone)
    return (person and person.language) or menus.languages[0]


def choose_language(
    service: Service, phone: str, language: str, *, at: datetime
) -> None:
    """Remember a language for a number, as its caller could by dialling.

    Raises NotSpoken.
    """
    spoken = service.library.current(None).languages
    if language not in spoken:
        raise NotSpoken(f"the menus speak {', '.join(spoken)} only")
    with writing(service.engine) as db:
        person = people.remember(db, service.keys, phone, at=at)
        people.set_language(db, person_id=person.id, language=language)
