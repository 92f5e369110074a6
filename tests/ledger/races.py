"""Acts that begin in the same moment, each over a connection of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sqlalchemy import Connection, Engine, select, text

from ledger import schema
from ledger.engine import connect, reading, writing
from ledger.erasing import erase
from ledger.requests import Refused
from tests.ledger.facts import AT, KEYS, caller


def at_once(url: str, *acts: Callable[[Connection], object]) -> list[object]:
    """What each act came to, in their order: its result, or the refusal it met."""
    results: list[object] = [None] * len(acts)
    engine = connect(url, pool_size=len(acts))
    barrier = threading.Barrier(len(acts))

    def run(place: int) -> None:
        barrier.wait()
        try:
            with writing(engine) as db:
                results[place] = acts[place](db)
        except Refused as refused:
            results[place] = refused

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine.dispose()
    return results


def while_erased(url: str, phone: str, act: Callable[[Connection], object]) -> object:
    """What an act comes to that begins while somebody is being erased, and waits."""
    results: list[object] = []
    engine = connect(url, pool_size=3)

    def run() -> None:
        try:
            with writing(engine) as db:
                results.append(act(db))
        except Refused as refused:
            results.append(refused)

    thread = threading.Thread(target=run)
    with writing(engine) as db:
        person_id = caller(db, phone)
        person = schema.person.c
        db.execute(
            select(person.id).where(person.id == person_id).with_for_update()
        ).close()
        thread.start()
        _until_it_waits(engine)
        erase(
            db,
            KEYS,
            person_id=person_id,
            key=f"erase:{person_id}",
            channel="desk",
            by="sara",
            test=False,
            at=AT,
        )
    thread.join()
    engine.dispose()
    (result,) = results
    return result


def _until_it_waits(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        # There whoever wants to write waits from its first moment.
        return
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    for _ in range(200):
        with reading(engine) as db:
            if db.scalar(waiting):
                return
        time.sleep(0.02)
    raise AssertionError("nobody waits for the erasure")
