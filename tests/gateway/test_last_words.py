"""How a call is ended that cannot go on, in letters that its handset shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.last_words import LAST_WORDS, closing
from gateway.library import Library
from tests.gateway.house import (
    BUSY,
    KEY,
    UNKNOWN,
    Gateway,
    close_gateway,
    open_gateway,
    settings,
)

LATIN = {"adapter": "africastalking", "key": KEY, "gsm7_only": True}


@pytest.fixture
def latin(sqlite_ledger_url: str, redis_url: str, tmp_path: Path) -> Iterator[Gateway]:
    """A service whose one carrier reaches handsets without Persian letters."""
    given = settings(sqlite_ledger_url, redis_url, tmp_path, ussd={"at": LATIN})
    opened = open_gateway(given)
    yield opened
    close_gateway(opened)


def test_a_handset_without_persian_reads_last_words_it_can_show(latin: Gateway) -> None:
    for screen in (
        latin.dial("", code="*780*99#"),
        latin.dial("", session="first"),
        latin.walk("3", "75000", "1", session="dropped"),
        latin.dial("", session="next"),
        latin.walk(*"77777777777", session="last"),
    ):
        assert screen.text.isascii()
    assert screen.ends


def test_last_words_are_in_the_language_of_the_call(gateway: Gateway) -> None:
    library, door = gateway.service.library, gateway.service.doors["at"].channel
    assert closing(library, door, "busy").text == BUSY
    english = closing(library, door, "busy", language="en")
    assert english.text.startswith("The system is busy; nothing was recorded.")
    assert closing(library, door, "busy", language="xx").text == BUSY
    assert closing(library, door, "unknown", announced="none").text == UNKNOWN
    spoken = closing(library, replace(door, gsm7_only=True), "busy", language="fa")
    assert spoken == english


@pytest.mark.parametrize("typed", ["1*" * 1_999 + "1", "9" * 3_999])
def test_a_code_without_end_is_unknown(gateway: Gateway, typed: str) -> None:
    assert gateway.dial(typed, code="*999#") == ("END", UNKNOWN)


@pytest.mark.parametrize("name", LAST_WORDS)
def test_without_menus_there_are_still_last_words(gateway: Gateway, name: str) -> None:
    service = gateway.service
    empty = Library(service.engine, service.sessions, "Asia/Tehran")
    with service.engine.connect() as db:
        db.exec_driver_sql("ALTER TABLE menus_current RENAME TO gone")
        db.commit()
    reply = closing(empty, service.doors["at"].channel, name)
    assert (reply.text, reply.ends) == (LAST_WORDS[name], True)
