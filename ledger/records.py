"""The rows beside facts say what the facts say.

A payment, a purchase, a request, an approval, a report and a sign-up have a row of
their own for what is looked for; what was asked for stands in the event, which is
sealed. Here they are laid side by side; `ledger.assemblies.records` does so for the
registers of assemblies.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, or_, select

from ledger import schema
from ledger.rules import Fault, Rule
from ledger.signup_changes import CHANGE, LEAVE
from ledger.signups import BACK

__all__ = ["RECORD_RULES", "ROWS_AT_ONCE", "Said", "untrue_records", "without_row"]

ROWS_AT_ONCE = 2_000
# As the first migration made them: an amount means nothing without its unit's places.
UNITS = {
    "rial": (0, "Iranian rial"),
    "minute": (0, "Minute of work"),
    "parcel": (0, "Parcel"),
    "voucher": (0, "Voucher"),
}
# What the event of a request says besides what was asked for.
_ABOUT_REQUESTS = ("act", "by", "why", "needs", "alone")

_event = schema.event
_batch, _later = schema.batch, schema.batch.alias("later")
_fund, _request = schema.fund, schema.request
_end = schema.event.alias("ending")
Said = Mapping[str, Any]


def untrue_records(db: Connection) -> Iterator[Fault]:
    """Name every row that says something else than its event."""
    for code, scale, title in db.execute(
        select(schema.unit.c.code, schema.unit.c.scale, schema.unit.c.title)
    ).all():
        if (scale, title) != UNITS.get(code, (scale, title)):
            yield Fault("unit", code, "is not as it was made")
    for table, expected in _EXPECTED.items():
        for row in _stream(db, table):
            said = dict(row._mapping)
            body = said["fact_body"]
            told = expected(said, body if isinstance(body, dict) else {})
            for name, value in told.items():
                if said[name] != value:
                    place = "/".join(str(said[key.name]) for key in table.primary_key)
                    what = f"has another {name} than its event"
                    yield Fault(table.name, place, what)


def _payment(row: Said, body: Said) -> Said:
    told = {name: body.get(name) for name in ("code", "reference")}
    # Of a phone the fact says that there was one; who was erased has none any more.
    if "phone" not in body:
        told["look_up"] = None
    # What is left of the key is the service's own name of the payment.
    source, _, outside = row["fact_key"].removeprefix("pay:").partition(":payment:")
    return told | {"source": source, "outside_id": outside}


def _purchase(row: Said, body: Said) -> Said:
    names = ("campaign", "purpose", "title", "unit", "quantity", "cost")
    told = {name: body.get(name) for name in names}
    return told | {"test": row["fact_test"], "at": row["fact_at"]}


def _made(row: Said, body: Said) -> Said:
    asked = {name: one for name, one in body.items() if name not in _ABOUT_REQUESTS}
    told = {name: body.get(name) for name in ("why", "needs")}
    told |= {"kind": body.get("act"), "made_by": body.get("by"), "body": asked}
    return told | {"about_id": row["fact_about_id"], "at": row["fact_at"]}


def _approved(row: Said, body: Said) -> Said:
    return {"who": body.get("by"), "at": row["fact_at"]}


def _published(row: Said, body: Said) -> Said:
    names = ("campaign", "number", "size")
    told = {name: body.get(name) for name in names} | {"at": row["fact_at"]}
    written = json.dumps(
        row["figures"], sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    digest = hashlib.sha256(written.encode("utf-8", "replace")).digest()
    if digest.hex() != body.get("digest"):
        told["figures"] = None
    try:
        return told | {"digest": bytes.fromhex(str(body.get("digest")))}
    except ValueError:
        return told | {"digest": None}


def _signed_up(row: Said, body: Said) -> Said:
    names = "campaign place_kind place province district skill time consent "
    names += "place_code round booth"
    told = {name: body.get(name) for name in names.split()}
    return told | {"state": "left" if row["fact_kind"] == LEAVE else "active"}


_EXPECTED: dict[Table, Callable[[Said, Said], Said]] = {
    schema.payment: _payment,
    schema.batch: _purchase,
    schema.request: _made,
    schema.request_approval: _approved,
    schema.report: _published,
    schema.signup: _signed_up,
}


_said = schema.event.alias("said")
_last_said = (
    select(func.max(_said.c.id))
    .where(
        _said.c.about_id == schema.signup.c.event_id,
        _said.c.kind.in_((CHANGE, LEAVE, BACK)),
    )
    .correlate(schema.signup)
    .scalar_subquery()
)


def _stream(db: Connection, table: Table) -> Iterator[Any]:
    names = ("key", "kind", "body", "about_id", "test", "at")
    fact = [_event.c[name].label(f"fact_{name}") for name in names]
    of: ColumnElement[int] = table.c.event_id
    if table is schema.signup:
        # It says what the last of its events says.
        of = func.coalesce(_last_said, of)
    query = select(*table.columns, *fact).select_from(
        table.join(_event, _event.c.id == of)
    )
    with db.execute(query, execution_options={"yield_per": ROWS_AT_ONCE}) as rows:
        yield from rows


def without_row(kind: str, table: Table, what: str) -> Rule:
    """A rule that an event of this kind has its row in the table."""
    lone: Select[Any] = (
        select(_event.c.id)
        .outerjoin(table, table.c.event_id == _event.c.id)
        .where(_event.c.kind == kind, table.c.event_id.is_(None))
    )
    return Rule("event", what, lone)


_of_purpose = and_(
    _later.c.campaign == _batch.c.campaign,
    _later.c.purpose == _batch.c.purpose,
    _later.c.test == _batch.c.test,
    _later.c.number > _batch.c.number,
)
_counted = (
    select(
        _batch.c.campaign,
        _batch.c.test,
        func.count().label("rows"),
        func.max(_batch.c.number).label("last"),
    )
    .group_by(_batch.c.campaign, _batch.c.test)
    .subquery("counted")
)

RECORD_RULES = (
    without_row("batch.buy", schema.batch, "is a purchase without its batch"),
    without_row("request.made", schema.request, "is a request without its row"),
    without_row(
        "request.approved", schema.request_approval, "is an approval without its row"
    ),
    without_row("report.published", schema.report, "is a report without its row"),
    Rule(
        "batch",
        "begins with gifts that a batch after it begins with, or ends after it",
        select(_batch.c.event_id)
        .join(_later, _of_purpose)
        .where(
            or_(
                _later.c.first_id < _batch.c.last_id,
                and_(
                    _later.c.first_id == _batch.c.last_id,
                    _later.c.first_after < _batch.c.last_after,
                ),
            )
        ),
    ),
    Rule(
        "batch",
        "is the last, and not as far as its purpose is spent",
        select(_batch.c.event_id)
        .outerjoin(_later, _of_purpose)
        .outerjoin(
            _fund,
            and_(
                _fund.c.campaign == _batch.c.campaign,
                _fund.c.purpose == _batch.c.purpose,
                _fund.c.test == _batch.c.test,
                _fund.c.transfer_id == _batch.c.last_id,
                _fund.c.amount == _batch.c.last_after,
            ),
        )
        .where(_later.c.event_id.is_(None), _fund.c.campaign.is_(None)),
    ),
    Rule(
        "batch",
        "is not numbered among its campaign's from one",
        select(_batch.c.event_id)
        .join(
            _counted,
            and_(
                _counted.c.campaign == _batch.c.campaign,
                _counted.c.test == _batch.c.test,
                _counted.c.last == _batch.c.number,
            ),
        )
        .where(_counted.c.last != _counted.c.rows),
    ),
    Rule(
        "request",
        "is decided otherwise than its events say",
        select(_request.c.id)
        .outerjoin(
            _end,
            and_(
                _end.c.about_id == _request.c.event_id,
                _end.c.kind.in_(("request.refused", "request.withdrawn")),
            ),
        )
        .where(
            or_(
                and_(
                    _end.c.id.is_(None), _request.c.state.in_(("refused", "withdrawn"))
                ),
                _end.c.kind != "request." + _request.c.state,
            )
        ),
    ),
    Rule(
        "report",
        "stands on a seal that is not there",
        select(schema.report.c.id)
        .outerjoin(schema.checkpoint, schema.checkpoint.c.size == schema.report.c.size)
        .where(schema.checkpoint.c.size.is_(None)),
    ),
)
