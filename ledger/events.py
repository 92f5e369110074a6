"""What happened, once per key for ever, and the transfers it owns.

`record` is the only way in for money, hours and parcels. A key that comes again is
never an error: the first event answers, and says which fields were asked differently.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Insert,
    bindparam,
    func,
    insert,
    select,
)
from sqlalchemy.dialects import postgresql

from ledger import schema
from ledger.accounts import account_id
from ledger.once import Once
from ledger.prepared import Prepared

__all__ = [
    "Earlier",
    "Moved",
    "Recorded",
    "count_since",
    "did_since",
    "differing",
    "earlier",
    "find",
    "record",
    "repeated",
]

KEY_CHARS_MAX = 200
TRANSFERS_MAX = 32
EARLIER_MAX = 64
AMOUNT_MAX = 2**63 - 1
LAST_CHARACTER = "\U0010ffff"

_event = schema.event.c
_transfer = schema.transfer.c
_resolution = schema.resolution.c
_debit = schema.account.alias("debit")
_credit = schema.account.alias("credit")

_insert_event = Once(schema.event, _event.key, returning=_event.id)
_FIELDS = (
    *("key", "kind", "body", "about_id", "person_id", "campaign", "purpose"),
    *("district", "centre", "channel", "partner", "donor_kind", "cohort", "test"),
    *("transfers", "at"),
)


def _transfer_of(event_id: ColumnElement[int], *tables: FromClause) -> Insert:
    """One transfer of an event; none where an account of it is not there yet.

    The accounts are looked up where they are used: see ledger.accounts.
    """
    accounts = _debit.join(_credit, _debit.c.unit == _credit.c.unit)
    return insert(schema.transfer).from_select(
        [
            _transfer.debit_id,
            _transfer.credit_id,
            _transfer.event_id,
            _transfer.number,
            _transfer.unit,
            _transfer.amount,
            _transfer.phase,
            _transfer.pending_id,
        ],
        select(
            _debit.c.id,
            _credit.c.id,
            event_id,
            bindparam("nth", type_=_transfer.number.type),
            bindparam("in_unit", type_=_transfer.unit.type),
            bindparam("moved", type_=_transfer.amount.type),
            bindparam("in_phase", type_=_transfer.phase.type),
            bindparam("resolves", type_=_transfer.pending_id.type),
        )
        .select_from(*tables, accounts)
        .where(
            _debit.c.code == bindparam("from_account"),
            _credit.c.code == bindparam("to_account"),
        ),
    )


def _with_first() -> Prepared:
    """An event and its first transfer at once, which spares a way to the server.

    Answers with both ids, the second None where an account is not there yet; with
    nothing if the key has happened before. The guard of transfers sees the event,
    because a trigger's function sees what its own statement has done so far.
    """
    made = (
        postgresql.insert(schema.event)
        .values(
            {name: bindparam(f"of_{name}", type_=_event[name].type) for name in _FIELDS}
        )
        .on_conflict_do_nothing(index_elements=[_event.key])
        .returning(_event.id)
        .cte("made")
    )
    first = _transfer_of(made.c.id, made).returning(_transfer.id).cte("first")
    return Prepared(select(made.c.id, select(first.c.id).scalar_subquery()))


_insert_transfer = Prepared(
    _transfer_of(bindparam("of_event", type_=_transfer.event_id.type)).returning(
        _transfer.id
    )
)
_insert_both = _with_first()
_insert_resolution = insert(schema.resolution).from_select(
    [_resolution.pending_id, _resolution.transfer_id, _resolution.number],
    select(
        bindparam("resolved", type_=_resolution.pending_id.type),
        bindparam("by_transfer", type_=_resolution.transfer_id.type),
        func.coalesce(func.max(_resolution.number), 0) + 1,
    ).where(_resolution.pending_id == bindparam("resolved")),
)
_events = select(
    _event.id,
    _event.key,
    _event.kind,
    _event.body,
    schema.code.c.code,
    _event.at,
).select_from(schema.event.outerjoin(schema.code))
_by_key = Prepared(_events.where(_event.key == bindparam("wanted")))
_by_prefix = Prepared(
    _events.where(
        _event.key >= bindparam("first_key"), _event.key < bindparam("last_key")
    )
    .order_by(_event.id.desc())
    .limit(EARLIER_MAX)
)


@dataclass(frozen=True, slots=True)
class Moved:
    """An amount in minor units that goes from one account to another.

    `phase` is single or pending; or post, void or expire with the `pending_id` of the
    transfer that it resolves; or reversal.
    """

    debit: str
    credit: str
    unit: str
    amount: int
    phase: str
    pending_id: int | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What stands under a key: whether this call was first, else what differed."""

    event_id: int
    first: bool
    differs: tuple[str, ...] = ()
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Earlier:
    """An event that was recorded before, with its tracking code if it has one."""

    event_id: int
    key: str
    kind: str
    body: Mapping[str, str | int]
    code: str | None
    at: datetime


def record(
    db: Connection,
    *,
    key: str,
    kind: str,
    body: Mapping[str, str | int],
    moved: Sequence[Moved] = (),
    person_id: int | None = None,
    about_id: int | None = None,
    campaign: str | None = None,
    purpose: str | None = None,
    district: str | None = None,
    centre: str | None = None,
    channel: str,
    partner: str | None = None,
    donor_kind: str | None = None,
    cohort: str | None = None,
    test: bool,
    at: datetime,
) -> Recorded:
    """Record an event and its transfers, unless its key has happened before.

    `body` is what was asked for, without a name, a number or a time: on a repeat it is
    compared field by field with the first, and the names that differ come back sorted.
    """
    assert 0 < len(key) <= KEY_CHARS_MAX
    assert len(moved) <= TRANSFERS_MAX
    fields = {
        "key": key,
        "kind": kind,
        "body": dict(body),
        "about_id": about_id,
        "person_id": person_id,
        "campaign": campaign,
        "purpose": purpose,
        "district": district,
        "centre": centre,
        "channel": channel,
        "partner": partner,
        "donor_kind": donor_kind,
        "cohort": cohort,
        "test": test,
        "transfers": len(moved),
        "at": at,
    }
    event_id = _insert(db, fields, moved)
    if event_id is None:
        again = repeated(db, key=key, kind=kind, body=body)
        assert again is not None
        return again
    return Recorded(event_id, first=True)


def repeated(
    db: Connection, *, key: str, kind: str, body: Mapping[str, str | int]
) -> Recorded | None:
    """What stands under this key, compared with what is asked now; None if new."""
    first = find(db, key=key)
    if first is None:
        return None
    differs = differing(first.body, body)
    if first.kind != kind:
        differs.add("kind")
    return Recorded(first.event_id, False, tuple(sorted(differs)), first.code)


def differing(
    first: Mapping[str, str | int], again: Mapping[str, str | int]
) -> set[str]:
    """The names of the fields in which two bodies are not the same."""
    names = again.keys() | first.keys()
    return {name for name in names if again.get(name) != first.get(name)}


def find(db: Connection, *, key: str) -> Earlier | None:
    """The event with this key: what is asked after an unknown outcome."""
    row = _by_key.first(db, wanted=key)
    return None if row is None else Earlier(*row)


def earlier(db: Connection, *, prefix: str) -> list[Earlier]:
    """The last 64 events whose key begins so, in the order of their keys."""
    assert prefix
    rows = _by_prefix.all(db, first_key=prefix, last_key=prefix + LAST_CHARACTER)
    return sorted((Earlier(*row) for row in rows), key=lambda event: event.key)


def count_since(db: Connection, *, person_id: int, kind: str, since: datetime) -> int:
    """How many events of a kind were recorded of a person at `since` or later."""
    found = select(func.count()).where(
        _event.person_id == person_id, _event.kind == kind, _event.at >= since
    )
    return db.scalar(found) or 0


def did_since(db: Connection, person_id: int, since: datetime) -> bool:
    """Whether anything of a person was recorded at `since` or later."""
    found = select(_event.id).where(_event.person_id == person_id, _event.at >= since)
    return db.execute(found.limit(1)).first() is not None


def _insert(
    db: Connection, fields: Mapping[str, object], moved: Sequence[Moved]
) -> int | None:
    """Write an event with its transfers; its id, None if its key has happened."""
    if not moved or db.dialect.name == "sqlite":
        event_id: int | None = _insert_event(db, **fields)
        transfer_id = None
    else:
        named = {f"of_{name}": value for name, value in fields.items()}
        both = _insert_both.first(db, **named, **_values(1, moved[0]))
        event_id, transfer_id = both or (None, None)
    if event_id is not None:
        for number, move in enumerate(moved, start=1):
            _transfer_once(db, event_id, number, move, transfer_id)
            transfer_id = None
    return event_id


def _transfer_once(
    db: Connection, event_id: int, number: int, move: Moved, transfer_id: int | None
) -> None:
    """Write a transfer, unless it has its id already, and what it resolves."""
    if transfer_id is None:
        values = {"of_event": event_id, **_values(number, move)}
        transfer_id = _insert_transfer.scalar(db, **values)
        if transfer_id is None:
            account_id(db, move.debit, move.unit)
            account_id(db, move.credit, move.unit)
            transfer_id = _insert_transfer.scalar(db, **values)
            assert transfer_id is not None
    if move.pending_id is not None:
        db.execute(
            _insert_resolution,
            {"resolved": move.pending_id, "by_transfer": transfer_id},
        )


def _values(number: int, move: Moved) -> dict[str, object]:
    assert 0 < move.amount <= AMOUNT_MAX
    assert move.debit != move.credit
    return {
        "nth": number,
        "in_unit": move.unit,
        "moved": move.amount,
        "in_phase": move.phase,
        "resolves": move.pending_id,
        "from_account": move.debit,
        "to_account": move.credit,
    }
