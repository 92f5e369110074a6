"""Events counted by place: the runs of ids that are full, once, and the rest as it is.

What a board shows of millions of events is the sum of few rows. A run is counted once
nothing can come to it any more, in a transaction of the scheduler's; nobody counts on
the way in, and a run that is not counted yet is read where it stands.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, insert, literal_column, select

from ledger import schema
from ledger.engine import Engine, reading, writing

__all__ = ["RUN_EVENTS", "Key", "Sum", "count_run", "miscounted", "sums"]

RUN_EVENTS = 65_536
# An id is drawn a moment before its row is written, and no transaction that writes
# lives for so long.
SETTLED = timedelta(hours=1)

_event = schema.event.c
_transfer = schema.transfer.c
_tally = schema.tally.c
_run = schema.tally_run.c


@dataclass(frozen=True, slots=True)
class Key:
    """What was counted; `place` is the district, a centre of none, or "".

    `unit` is that of the event's first transfer, "" for one that moved nothing.
    """

    place: str
    campaign: str
    kind: str
    unit: str


@dataclass(frozen=True, slots=True)
class Sum:
    """How many events, and the minor units of their first transfers."""

    number: int
    amount: int


def count_run(engine: Engine, at: datetime) -> bool:
    """Count the next run if it is full; False where there is none to count."""
    # Counted before the transaction that writes: on SQLite nobody pledges during it.
    with reading(engine, snapshot=True) as db:
        run = _next_run(db)
        if not _is_full(db, run, at):
            return False
        rows = [
            dict(zip(_COLUMNS, (run, *row), strict=True))
            for row in db.execute(_of_run(run))
        ]
        of_run = _event.id.between(run * RUN_EVENTS, (run + 1) * RUN_EVENTS - 1)
        events = db.scalar(
            select(func.count()).select_from(_event.id.table).where(of_run)
        )
    with writing(engine) as db:
        if _next_run(db) != run:
            return True
        db.execute(insert(schema.tally_run), {"run": run, "events": events, "at": at})
        if rows:
            db.execute(insert(schema.tally), rows)
    return True


def sums(
    db: Connection, *, kinds: Iterable[str], campaign: str | None = None
) -> Mapping[Key, Sum]:
    """All real events of these kinds, by place. `db` is from reading(snapshot=True)."""
    wanted = tuple(kinds)
    held = select(
        _tally.place,
        _tally.campaign,
        _tally.kind,
        _tally.unit,
        func.sum(_tally.number),
        func.sum(_tally.amount),
    ).where(_tally.kind.in_(wanted))
    if campaign is not None:
        held = held.where(_tally.campaign == campaign)
    held = held.group_by(_tally.place, _tally.campaign, _tally.kind, _tally.unit)
    rest = _counted(_next_run(db) * RUN_EVENTS).where(_event.kind.in_(wanted))
    if campaign is not None:
        rest = rest.where(_event.campaign == campaign)
    found: defaultdict[Key, list[int]] = defaultdict(lambda: [0, 0])
    for query in (held, rest):
        for place, of, kind, unit, number, amount in db.execute(query):
            of_key = found[Key(place, of, kind, unit)]
            of_key[0] += int(number)
            of_key[1] += int(amount)
    return {key: Sum(number, amount) for key, (number, amount) in found.items()}


def miscounted(db: Connection) -> list[int]:
    """The runs whose counts are not what their events come to."""
    wrong = []
    for run in db.scalars(select(_run.run).order_by(_run.run)):
        query = select(
            _tally.place,
            _tally.campaign,
            _tally.kind,
            _tally.unit,
            _tally.number,
            _tally.amount,
        ).where(_tally.run == run)
        held = {tuple(row) for row in db.execute(query)}
        if held != {tuple(row) for row in db.execute(_of_run(run))}:
            wrong.append(run)
    return wrong


_COLUMNS = ("run", "place", "campaign", "kind", "unit", "number", "amount")


def _next_run(db: Connection) -> int:
    last = db.scalar(select(func.max(_run.run)))
    return 0 if last is None else last + 1


def _is_full(db: Connection, run: int, at: datetime) -> bool:
    """Whether nothing can come to a run any more.

    The first event behind it is old, and no transaction is open that began before that
    one ended: whoever drew an id of the run did so before.
    """
    end = (run + 1) * RUN_EVENTS
    behind = (
        select(_event.id, _event.at)
        .where(_event.id >= end)
        .order_by(_event.id)
        .limit(1)
    )
    first = db.execute(behind).first()
    if first is None or first.at > at - SETTLED:
        return False
    if db.dialect.name == "sqlite":
        return True
    # What an open transaction wrote is not to be seen, so its neighbours are asked; the
    # one behind too, as the last id of a run has none in it that came later.
    unsettled = select(_event.id).where(
        _event.id.between(run * RUN_EVENTS, first.id),
        literal_column(
            "event.cluster = (SELECT system_identifier FROM pg_control_system())"
        ),
        literal_column("event.xid >= pg_snapshot_xmin(pg_current_snapshot())"),
    )
    return db.execute(unsettled.limit(1)).first() is None


def _of_run(run: int) -> Select[Any]:
    return _counted(run * RUN_EVENTS, (run + 1) * RUN_EVENTS)


def _counted(first: int, end: int | None = None) -> Select[Any]:
    """Real events from an id on, by the district, or by the centre of none."""
    # Said of both tables: else a planner may read every transfer there is.
    own, moved = _event.id >= first, _transfer.event_id >= first
    if end is not None:
        own, moved = own & (_event.id < end), moved & (_transfer.event_id < end)
    place = func.coalesce(_event.district, _event.centre, "")
    campaign = func.coalesce(_event.campaign, "")
    unit = func.coalesce(_transfer.unit, "")
    return (
        select(
            place.label("place"),
            campaign.label("campaign"),
            _event.kind,
            unit.label("unit"),
            func.count(),
            func.coalesce(func.sum(_transfer.amount), 0),
        )
        .select_from(
            schema.event.outerjoin(
                schema.transfer,
                (_transfer.event_id == _event.id) & (_transfer.number == 1) & moved,
            )
        )
        .where(own, _event.test.is_(False))
        .group_by(place, campaign, _event.kind, unit)
    )
