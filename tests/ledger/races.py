"""Acts that begin in the same moment, each over a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sqlalchemy import Connection

from ledger.engine import connect, writing
from ledger.requests import Refused


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
