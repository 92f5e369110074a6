"""A places file brought in: at a start, when it changes, or by an operator's hand.

The table never stands half way: a file with one fault changes nothing.
"""

from __future__ import annotations

from datetime import datetime
from importlib import resources
from pathlib import Path

import structlog

from gateway.faults import Unready
from gateway.settings import Settings
from ledger.engine import Engine, reading, writing
from ledger.places.importing import Difference, bring_in, difference
from ledger.places.reading import BYTES_MAX, BadPlaces, read_places
from ledger.places.stored import hold, read_tree, version
from ledger.places.tree import Place

__all__ = ["at_start", "compared", "read_file", "take_in", "take_in_changed"]

# Who brought the places in that a start or a change of the file did.
BY = "serve"

log = structlog.get_logger()


def at_start(settings: Settings, engine: Engine, at: datetime) -> None:
    """Bring in the file of the settings; without one, what ships, into an empty table.

    A file that is refused is named in the log: the service runs without it, because
    nobody has to say where they are.
    """
    if settings.places is not None:
        take_in_changed(engine, settings.places, at)
        return
    with reading(engine) as db:
        is_new = not version(db)
    if is_new:
        take_in(engine, shipped(), by=BY, at=at)


def take_in_changed(engine: Engine, path: Path, at: datetime) -> None:
    """Bring in a file that nobody stands beside; a fault is named in the log."""
    try:
        found = take_in(engine, read_file(path), by=BY, at=at)
    except Unready as refused:
        faults = str(refused).splitlines()
        log.error("places_refused", file=str(path), faults=faults)
    else:
        if found:
            log.info("places_imported", file=str(path), **found.counts())


def read_file(path: Path) -> tuple[Place, ...]:
    """The places of a file; raises Unready with every fault."""
    try:
        with path.open("rb") as file:
            raw = file.read(BYTES_MAX + 1)
    except OSError as fault:
        raise Unready(f"{path} cannot be read: {fault.strerror}") from None
    try:
        return read_places(raw)
    except BadPlaces as refused:
        lines = [f"{path}: {line}" for line in str(refused).splitlines()]
        raise Unready("\n".join(lines)) from None


def shipped() -> tuple[Place, ...]:
    """The places that come with Yarigar: Iran, with samples of centres."""
    return read_places((resources.files("ledger.places") / "iran.csv").read_bytes())


def compared(engine: Engine, places: tuple[Place, ...]) -> Difference:
    """What bringing these in would change."""
    with reading(engine, snapshot=True) as db:
        return difference(read_tree(db), places)


def take_in(
    engine: Engine, places: tuple[Place, ...], *, by: str, at: datetime
) -> Difference:
    """Bring the places of a whole file in; raises LedgerError, and nothing stands.

    The tables are read before, so that nobody waits for it who records a gift.
    """
    with reading(engine, snapshot=True) as db:
        seen, tree = version(db), read_tree(db)
    if not difference(tree, places):
        return Difference()
    with writing(engine) as db:
        hold(db)
        if version(db) != seen:
            tree = read_tree(db)
        return bring_in(db, tree, places, by=by, at=at)
