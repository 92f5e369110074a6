"""The rows that leaves bind, as the database writes them: the same on both.

A row is its table's name and its columns in the order below, each ended by `;`. A
number stands as itself, text as the length of its UTF-8, a colon and the text, so no
two rows are written alike. NULL is a number or a length that is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, NamedTuple

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
    type_coerce,
)

from ledger import schema
from ledger.prepared import Prepared, Row
from ledger.schema.base import Utc

__all__ = [
    "COLUMNS",
    "SEALED_KINDS",
    "Found",
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

_DIALECTS = ("postgresql", "sqlite")
_END = literal_column("';'", String)
_COLON = literal_column("':'", String)
_event = schema.event.c
_transfer = schema.transfer.c
_nth = schema.resolution.c
_code = schema.code.c
_leaf = schema.leaf.c
is_sealable = ~_event.test & or_(
    _event.transfers > 0, *(_event.kind == kind for kind in SEALED_KINDS)
)


class Found(NamedTuple):
    """Rows of some events, for ledger.sealing.leaves; rows of others stand between.

    events: id, moment, campaign, kind, its row, the code of what it is about, and 1 if
    its person was erased; by id. codes: event, code, row. moved: event, unit, amount,
    phase, debit, credit, id and row of each transfer; by event and number. resolved:
    the id of a transfer, and the row of its resolution.
    """

    events: list[Row]
    codes: list[Row]
    moved: list[Row]
    resolved: list[Row]


def _written(table: FromClause, name: str, dialect: str) -> ColumnElement[str]:
    columns = [table.c[column] for column in COLUMNS[name]]
    if dialect == "sqlite":
        return _printed(columns, name)
    pieces: list[ColumnElement[Any]] = [literal_column(f"'{name};'", String)]
    for column in columns:
        value = _text(column, dialect)
        if value is not None:
            pieces += [func.octet_length(value), _COLON, value]
        elif isinstance(column.type, Boolean):
            pieces.append(cast(column, Integer))
        else:
            pieces.append(column)
        pieces.append(_END)
    # It takes NULL for nothing, and numbers as they are.
    return func.concat(*pieces)


def _printed(columns: Iterable[ColumnElement[Any]], name: str) -> ColumnElement[str]:
    """The same in SQLite, where it is twice as quick as joining the pieces.

    It stops at a NUL, which PostgreSQL keeps in no text and ledger.legible names.
    """
    form, given = f"{name};", []
    for column in columns:
        value = _text(column, "sqlite")
        if value is None:
            form += "%s;"
            given.append(column)
        else:
            form += "%s:%s;"
            given += [func.length(cast(value, LargeBinary)), value]
    return func.printf(literal_column(f"'{form}'", String), *given, type_=String)


def _text(column: ColumnElement[Any], dialect: str) -> ColumnElement[Any] | None:
    """A column as text, None for a number."""
    if isinstance(column.type, Utc):
        return _moment(column, dialect)
    if isinstance(column.type, JSON):
        return cast(column, Text)
    return column if isinstance(column.type, String) else None


def _moment(column: ColumnElement[Any], dialect: str) -> ColumnElement[str]:
    if dialect == "sqlite":
        return type_coerce(column, String)
    return func.to_char(
        func.timezone(literal_column("'UTC'"), column),
        literal_column("'YYYY-MM-DD HH24:MI:SS.US'"),
    )


def _events(dialect: str, *chosen: ColumnElement[bool]) -> Select[Any]:
    promise = schema.event.alias("promise")
    other = schema.code.alias("other")
    person = schema.person
    is_erased = person.c.id.is_not(None) & person.c.look_up.is_(None)
    # Who has a person needs no promise, which is then not looked for.
    nobodys = case((_event.person_id.is_(None), _event.about_id))
    return (
        select(
            _event.id,
            _moment(_event.at, dialect),
            _event.campaign,
            _event.kind,
            _written(schema.event, "event", dialect),
            other.c.code,
            case((is_erased, 1), else_=0),
        )
        .select_from(schema.event)
        .outerjoin(other, other.c.event_id == _event.about_id)
        .outerjoin(promise, promise.c.id == nobodys)
        .outerjoin(
            person, person.c.id == func.coalesce(_event.person_id, promise.c.person_id)
        )
        .where(*chosen)
        .order_by(_event.id)
    )


def _codes(dialect: str, chosen: ColumnElement[bool]) -> Select[Any]:
    written = _written(schema.code, "code", dialect)
    return select(_code.event_id, _code.code, written).where(chosen)


def _moved(dialect: str, chosen: ColumnElement[bool]) -> Select[Any]:
    return (
        select(
            _transfer.event_id,
            _transfer.unit,
            _transfer.amount,
            _transfer.phase,
            _transfer.debit_id,
            _transfer.credit_id,
            _transfer.id,
            _written(schema.transfer, "transfer", dialect),
        )
        .where(chosen)
        .order_by(_transfer.event_id, _transfer.number)
    )


def _resolved(dialect: str, chosen: ColumnElement[bool]) -> Select[Any]:
    # Not by pending_id, whose index PostgreSQL would read from end to end.
    resolves = or_(*(_transfer.phase == one for one in ("post", "void", "expire")))
    return (
        select(_nth.transfer_id, _written(schema.resolution, "resolution", dialect))
        .select_from(schema.transfer)
        .join(schema.resolution, _nth.transfer_id == _transfer.id)
        .where(chosen, resolves)
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


def _near(column: ColumnElement[int]) -> ColumnElement[bool]:
    above, until = (
        bindparam(name, type_=schema.event.c.id.type) for name in ("after", "until")
    )
    return (column > above) & (column <= until)


_between = (
    _leaf.number >= bindparam("first_number", type_=_leaf.number.type),
    _leaf.number < bindparam("end_number", type_=_leaf.number.type),
)


def _chosen(column: ColumnElement[int]) -> ColumnElement[bool]:
    return column.in_(select(_leaf.event_id).where(*_between))


Where = Callable[[ColumnElement[int]], ColumnElement[bool]]


def _questions(where: Where, *, fresh: bool) -> tuple[Prepared, ...]:
    """What is asked of a batch, in the order of Found."""

    def events(dialect: str) -> Select[Any]:
        more = (is_sealable, _cut(dialect)) if fresh else ()
        return _events(dialect, where(_event.id), *more)

    return (
        Prepared({name: events(name) for name in _DIALECTS}),
        Prepared({name: _codes(name, where(_code.event_id)) for name in _DIALECTS}),
        Prepared({name: _moved(name, where(_transfer.event_id)) for name in _DIALECTS}),
        Prepared(
            {name: _resolved(name, where(_transfer.event_id)) for name in _DIALECTS}
        ),
    )


def _accounts(dialect: str) -> Select[Any]:
    account = schema.account
    return select(account.c.id, account.c.unit, _written(account, "account", dialect))


# Not NOT EXISTS, out of which PostgreSQL may make one comparison with all leaves.
_leaf_of = (
    select(_leaf.number).where(_leaf.event_id == _event.id).limit(1).scalar_subquery()
)
_first = Prepared(
    {
        name: select(_event.id)
        .where(
            _event.id > bindparam("after"),
            is_sealable,
            _cut(name),
            _leaf_of.is_(None),
        )
        .order_by(_event.id)
        .limit(1)
        for name in _DIALECTS
    }
)
_near_by = _questions(_near, fresh=True)
_sealed_near_by = Prepared(select(_leaf.event_id).where(_near(_leaf.event_id)))
_of_leaves = _questions(_chosen, fresh=False)


def first_unsealed(db: Connection, *, after: int) -> int | None:
    """The first event without a leaf that may have one, whose id is above `after`."""
    found: int | None = _first.scalar(db, after=after)
    return found


def of_events(db: Connection, *, after: int, until: int) -> Found:
    """The events without a leaf whose ids are above `after` and up to `until`."""
    given = {"after": after, "until": until}
    sealed = {id for (id,) in _sealed_near_by.all(db, **given)}
    events, *more = (one.all(db, **given) for one in _near_by)
    if sealed:
        events = [row for row in events if row[0] not in sealed]
    return Found(events, *more)


def of_leaves(db: Connection, first: int, end: int) -> Found:
    """The events that leaves `first` up to `end` seal."""
    given = {"first_number": first, "end_number": end}
    return Found(*(one.all(db, **given) for one in _of_leaves))


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
