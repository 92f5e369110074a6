"""The rows that leaves bind, as the database writes them: the same on both.

A row is its table's name and its columns in the order below, each ended by `;`. A
number stands as itself, text as the length of its UTF-8, a colon and the text, so no
two rows are written alike. NULL is a number or a length that is not there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import reduce
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    LargeBinary,
    Select,
    String,
    Text,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    text,
)

from ledger import schema
from ledger.prepared import Prepared, Row
from ledger.schema.base import Utc

__all__ = [
    "COLUMNS",
    "SEALED_KINDS",
    "first_unsealed",
    "is_sealable",
    "named",
    "new_accounts",
    "of_accounts",
    "of_events",
    "of_leaves",
    "plan_as_ever",
    "plan_for_few",
]

# Which columns a leaf binds, in which order: for ever. A column that a later step of
# the tables adds is bound by a later version of the leaf.
COLUMNS = {
    "event": (
        *("id", "key", "kind", "body", "about_id", "person_id"),
        *("campaign", "purpose", "district", "centre", "channel", "partner"),
        *("donor_kind", "cohort", "test", "transfers", "at"),
    ),
    "transfer": (
        *("id", "event_id", "number", "debit_id", "credit_id", "unit", "amount"),
        *("phase", "pending_id"),
    ),
    "resolution": ("pending_id", "number", "transfer_id"),
    "code": ("code", "event_id"),
    "account": ("id", "code", "unit"),
}

# Facts that move nothing and are sealed all the same.
SEALED_KINDS = (
    "request.made",
    "request.approved",
    "request.refused",
    "report.published",
    "person.erased",
)

# How many ids a batch looks through.
LOOKED_MAX = 50_000

_DIALECTS = ("postgresql", "sqlite")
_END = literal_column("';'", String)
_COLON = literal_column("':'", String)
_NOTHING = literal_column("''", String)
_event = schema.event.c
_leaf = schema.leaf.c
is_sealable = ~_event.test & or_(
    _event.transfers > 0, *(_event.kind == kind for kind in SEALED_KINDS)
)


def _written(table: FromClause, name: str, dialect: str) -> ColumnElement[str]:
    pieces: list[ColumnElement[Any]] = [literal_column(f"'{name};'")]
    for column in COLUMNS[name]:
        of = _for_postgresql if dialect == "postgresql" else _for_sqlite
        pieces += [*of(table.c[column]), _END]
    if dialect == "postgresql":
        # It takes NULL for nothing, and numbers as they are.
        return func.concat(*pieces)
    return _joined(pieces)


def _for_postgresql(column: ColumnElement[Any]) -> Iterator[ColumnElement[Any]]:
    value = _text(column, "postgresql")
    if value is None:
        yield cast(column, Integer) if isinstance(column.type, Boolean) else column
    else:
        yield from (func.octet_length(value), _COLON, value)


def _for_sqlite(column: ColumnElement[Any]) -> Iterator[ColumnElement[Any]]:
    value = _text(column, "sqlite")
    may_be_null = getattr(column, "nullable", True)
    if value is None:
        yield func.coalesce(column, _NOTHING) if may_be_null else column
        return
    size = func.length(cast(value, LargeBinary))
    told = _joined([size, _COLON, value])
    yield func.coalesce(told, _COLON) if may_be_null else told


def _text(column: ColumnElement[Any], dialect: str) -> ColumnElement[Any] | None:
    """A column as text, None for a number."""
    if isinstance(column.type, Utc):
        return _moment(column, dialect)
    if isinstance(column.type, JSON):
        return cast(column, Text)
    return column if isinstance(column.type, String) else None


def _joined(pieces: list[ColumnElement[Any]]) -> ColumnElement[str]:
    return reduce(lambda left, right: left.op("||")(right), pieces)


def _moment(column: ColumnElement[Any], dialect: str) -> ColumnElement[str]:
    if dialect == "sqlite":
        return cast(column, String)
    return func.to_char(
        func.timezone(literal_column("'UTC'"), column),
        literal_column("'YYYY-MM-DD HH24:MI:SS.US'"),
    )


def _bound(events: FromClause, dialect: str) -> Select[Any]:
    """The events of `events`, one row for each transfer, or one alone.

    In any order; where a column stands is told in ledger.sealing.leaves.
    """
    own = schema.code.alias("own")
    promise = schema.event.alias("promise")
    other = schema.code.alias("other")
    person, moved, nth = schema.person, schema.transfer, schema.resolution
    has_own = own.c.event_id.is_not(None)
    return (
        select(
            events.c.id,
            _moment(events.c.at, dialect).label("moment"),
            events.c.campaign,
            events.c.kind,
            _written(events, "event", dialect).label("event_row"),
            case((has_own, _written(own, "code", dialect))).label("code_row"),
            func.coalesce(own.c.code, other.c.code).label("code"),
            (person.c.id.is_not(None) & person.c.look_up.is_(None)).label("erased"),
            moved.c.unit,
            moved.c.amount,
            moved.c.phase,
            moved.c.debit_id,
            moved.c.credit_id,
            moved.c.number,
            case((moved.c.id.is_not(None), _written(moved, "transfer", dialect))).label(
                "transfer_row"
            ),
            case(
                (nth.c.number.is_not(None), _written(nth, "resolution", dialect))
            ).label("resolution_row"),
        )
        .select_from(events)
        .outerjoin(own, own.c.event_id == events.c.id)
        .outerjoin(promise, promise.c.id == events.c.about_id)
        .outerjoin(other, other.c.event_id == events.c.about_id)
        .outerjoin(
            person,
            person.c.id == func.coalesce(events.c.person_id, promise.c.person_id),
        )
        .outerjoin(moved, moved.c.event_id == events.c.id)
        .outerjoin(nth, nth.c.transfer_id == moved.c.id)
    )


def _cut(dialect: str) -> ColumnElement[bool]:
    """Which rows no transaction that is still open could precede.

    SQLite has one writer, so there it is every row that is seen. A transaction's id
    means nothing outside the cluster that gave it: what a restore brought is old.
    """
    if dialect == "sqlite":
        return literal_column("1 = 1")
    return literal_column(
        "(event.cluster <> (SELECT system_identifier FROM pg_control_system())"
        " OR event.xid < pg_snapshot_xmin(pg_current_snapshot()))"
    )


def _fresh(dialect: str, *wanted: Any) -> Select[Any]:
    sealed = select(_leaf.number).where(_leaf.event_id == _event.id).exists()
    return (
        select(*wanted)
        .where(_event.id > bindparam("after"), is_sealable, _cut(dialect), ~sealed)
        .order_by(_event.id)
        .limit(bindparam("rows_max"))
    )


def _unsealed(dialect: str) -> Select[Any]:
    # A batch ends where a search for more would keep writers waiting.
    near = _event.id <= bindparam("until")
    fresh = _fresh(dialect, schema.event).where(near)
    return _bound(fresh.subquery("fresh"), dialect)


_between = (
    _leaf.number >= bindparam("first_number", type_=_leaf.number.type),
    _leaf.number < bindparam("end_number", type_=_leaf.number.type),
)


def _of_leaves(dialect: str) -> Select[Any]:
    chosen = select(schema.event).where(
        _event.id.in_(select(_leaf.event_id).where(*_between))
    )
    return _bound(chosen.subquery("chosen"), dialect)


def _accounts(dialect: str) -> Select[Any]:
    account = schema.account
    return select(account.c.id, account.c.unit, _written(account, "account", dialect))


_first = Prepared({name: _fresh(name, _event.id) for name in _DIALECTS})
_events = Prepared({name: _unsealed(name) for name in _DIALECTS})
_sealed = Prepared({name: _of_leaves(name) for name in _DIALECTS})


def first_unsealed(db: Connection, *, after: int) -> int | None:
    """The first event without a leaf that may have one, whose id is above `after`."""
    found: int | None = _first.scalar(db, after=after, rows_max=1)
    return found


# The event's id and the transfer's number. Rows come nearly in order, which costs
# nothing here and a second copy of all of them in SQLite.
_place = itemgetter(0, 13)


def of_events(db: Connection, *, after: int, rows_max: int) -> list[Row]:
    """The rows of the next events without a leaf, whose ids come soon after `after`."""
    until = after + LOOKED_MAX
    found = _events.all(db, after=after, rows_max=rows_max, until=until)
    return sorted(found, key=_place)


def of_leaves(db: Connection, first: int, end: int) -> list[Row]:
    """The rows of the events that leaves `first` up to `end` seal, event by event."""
    return sorted(_sealed.all(db, first_number=first, end_number=end), key=_place)


def new_accounts(db: Connection, ids: Collection[int]) -> list[Row]:
    """Those of these accounts that have no leaf: id, unit, row."""
    account = schema.account.c
    sealed = select(_leaf.number).where(_leaf.account_id == account.id).exists()
    query = _accounts(db.dialect.name).where(account.id.in_(ids), ~sealed)
    return [tuple(row) for row in db.execute(query.order_by(account.id))]


def of_accounts(db: Connection, first: int, end: int) -> list[Row]:
    """The accounts that leaves `first` up to `end` seal: id, unit, row."""
    chosen = select(_leaf.account_id).where(*_between)
    query = _accounts(db.dialect.name).where(schema.account.c.id.in_(chosen))
    given = {"first_number": first, "end_number": end}
    return [tuple(row) for row in db.execute(query, given)]


def named(row: str) -> tuple[str, str]:
    """The table and the primary key of a row as it is written here."""
    table, first, second, *_ = row.split(";")
    if table == "code":
        return table, second
    return table, f"{first}/{second}" if table == "resolution" else first


def plan_for_few(db: Connection) -> None:
    """Have PostgreSQL look few rows up one by one, until the transaction ends.

    Without statistics, as in a table that was just filled, it would read all leaves
    for each batch; and it would compile a statement that runs for milliseconds.
    """
    _plan(db, "off")


def plan_as_ever(db: Connection) -> None:
    """Undo plan_for_few before a question that reads everything."""
    _plan(db, "DEFAULT")


def _plan(db: Connection, value: str) -> None:
    if db.dialect.name == "postgresql":
        for name in ("hashjoin", "mergejoin", "seqscan", "bitmapscan"):
            db.execute(text(f"SET LOCAL enable_{name} = {value}"))
        db.execute(text(f"SET LOCAL jit = {value}"))
