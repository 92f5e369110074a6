"""Balances that do not read all of the books: what was sealed, summed, and the rest.

The sealer adds what it seals to a row for each account, in the transaction of the
leaves; nobody writes these rows on the way in. What stands is that row and the few
transfers that are not sealed yet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite

from ledger import schema
from ledger.balances import Balance
from ledger.engine import LedgerError
from ledger.prepared import Prepared
from ledger.sealing.floor import floor
from ledger.sealing.rows import is_sealable

__all__ = ["Flow", "TooMuch", "add", "flows", "rolled_up"]

SUM_MAX = 2**63 - 1
_POSTED = frozenset({"single", "post", "reversal"})
_RELEASED = frozenset({"post", "void", "expire"})

# Debit, credit and phase, of so much in all.
Flow = Mapping[tuple[int, int, str], int]

_event = schema.event.c
_transfer = schema.transfer.c
_leaf = schema.leaf.c
_rollup = schema.rollup.c
_known = (
    select(
        schema.account.c.id,
        schema.account.c.code,
        schema.account.c.unit,
        func.coalesce(_rollup.pending, 0),
        func.coalesce(_rollup.posted, 0),
        _rollup.account_id,
    )
    .select_from(schema.account.outerjoin(schema.rollup))
    .order_by(schema.account.c.unit, schema.account.c.code)
)
_inserts: dict[str, Any] = {
    "postgresql": postgresql.insert(schema.rollup),
    "sqlite": sqlite.insert(schema.rollup),
}
_put = Prepared(
    {
        name: insert.on_conflict_do_update(
            index_elements=[_rollup.account_id],
            set_={
                "pending": insert.excluded.pending,
                "posted": insert.excluded.posted,
            },
        )
        for name, insert in _inserts.items()
    }
)


class TooMuch(LedgerError):
    """What stands on an account is more than 64 bits hold."""


def rolled_up(db: Connection) -> list[Balance]:
    """What stands on every account that ever moved, rehearsals apart.

    The same as `ledger.balances.balances`, without reading what is sealed. `db` is
    from reading(snapshot=True), so that no seal falls between the two parts.
    """
    tail = _tail(db)
    return [
        Balance(code, unit, pending + new[0], posted + new[1])
        for id, code, unit, pending, posted, known in db.execute(_known)
        for new in [tail.get(id, (0, 0))]
        if known is not None or id in tail
    ]


def add(db: Connection, moved: Flow) -> None:
    """Add what was just sealed. Raises TooMuch."""
    new = flows(moved)
    query = select(_rollup.account_id, _rollup.pending, _rollup.posted)
    query = query.where(_rollup.account_id.in_(new))
    held = {id: (pending, posted) for id, pending, posted in db.execute(query)}
    rows = []
    for id, (pending, posted) in sorted(new.items()):
        before = held.get(id, (0, 0))
        row = {"pending": before[0] + pending, "posted": before[1] + posted}
        if max(map(abs, row.values())) > SUM_MAX:
            raise TooMuch(f"account {id} holds more than 64 bits do")
        rows.append({"account_id": id, **row})
    _put.many(db, rows)


def flows(moved: Flow) -> dict[int, tuple[int, int]]:
    """What each account has pending and posted by these transfers; debit counts up."""
    sums: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0])
    for (debit, credit, phase), amount in moved.items():
        for id, signed in ((debit, amount), (credit, -amount)):
            if phase == "pending":
                sums[id][0] += signed
            elif phase in _RELEASED:
                sums[id][0] -= signed
            if phase in _POSTED:
                sums[id][1] += signed
    return {id: (pending, posted) for id, (pending, posted) in sums.items()}


def _tail(db: Connection) -> dict[int, tuple[int, int]]:
    sealed = select(_leaf.number).where(_leaf.event_id == _event.id).exists()
    query = (
        select(
            _transfer.debit_id,
            _transfer.credit_id,
            _transfer.phase,
            func.sum(_transfer.amount),
        )
        .join(schema.event, _event.id == _transfer.event_id)
        .where(_event.id > floor(db), is_sealable, ~sealed)
        .group_by(_transfer.debit_id, _transfer.credit_id, _transfer.phase)
    )
    return flows({(d, c, phase): int(sum) for d, c, phase, sum in db.execute(query)})
