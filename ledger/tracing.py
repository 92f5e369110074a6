"""All that is known of one text, for the operator who is asked where it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, or_, select

from ledger.outbox import Kind, State
from ledger.schema import attempt, outbox, part, receipt

__all__ = ["Attempt", "Part", "Report", "Trace", "trace"]

REPORTS_MAX = 200


@dataclass(frozen=True, slots=True)
class Attempt:
    """A call to a carrier, as the journal has it; without an outcome it is open."""

    number: int
    carrier: str
    began_at: datetime
    ended_at: datetime | None
    outcome: str | None
    detail: str | None
    parts: int | None
    estimate: str | None
    cost: str | None


@dataclass(frozen=True, slots=True)
class Part:
    """A part that was handed over by itself in the attempt of that number."""

    number: int
    part: int
    total: int
    carrier: str
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """A receipt as it came; part 0 is the whole text."""

    carrier: str
    status: str
    part: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Trace:
    """A promised text, its attempts, their parts, and what was reported of it."""

    id: int
    person_id: int
    template: str
    language: str
    kind: Kind
    campaign: str | None
    test: bool
    state: State
    promised_at: datetime
    due_at: datetime
    expires_at: datetime
    changed_at: datetime
    closed_at: datetime | None
    closed_why: str | None
    attempts: tuple[Attempt, ...]
    parts: tuple[Part, ...]
    reports: tuple[Report, ...]


def trace(db: Connection, outbox_id: int) -> Trace | None:
    """What became of a text; None if there is none of that id."""
    row = db.execute(select(outbox).where(outbox.c.id == outbox_id)).first()
    if row is None:
        return None
    tried = db.execute(
        select(attempt)
        .where(attempt.c.outbox_id == outbox_id)
        .order_by(attempt.c.number)
    ).all()
    pieces = db.execute(
        select(part)
        .where(part.c.outbox_id == outbox_id)
        .order_by(part.c.number, part.c.part)
    ).all()
    names = {
        (one.carrier, one.carrier_id) for one in [*tried, *pieces] if one.carrier_id
    }
    return Trace(
        id=row.id,
        person_id=row.person_id,
        template=row.template,
        language=row.language,
        kind=Kind(row.kind),
        campaign=row.campaign,
        test=row.test,
        state=State(row.state),
        promised_at=row.promised_at,
        due_at=row.due_at,
        expires_at=row.expires_at,
        changed_at=row.changed_at,
        closed_at=row.closed_at,
        closed_why=row.closed_why,
        attempts=tuple(
            Attempt(
                number=one.number,
                carrier=one.carrier,
                began_at=one.began_at,
                ended_at=one.ended_at,
                outcome=one.outcome,
                detail=one.detail,
                parts=one.parts,
                estimate=one.estimate,
                cost=one.cost,
            )
            for one in tried
        ),
        parts=tuple(
            Part(one.number, one.part, one.total, one.carrier, one.outcome)
            for one in pieces
        ),
        reports=_reports(db, names),
    )


def _reports(db: Connection, names: set[tuple[str, str]]) -> tuple[Report, ...]:
    if not names:
        return ()
    named = (
        and_(receipt.c.carrier == carrier, receipt.c.carrier_id == carrier_id)
        for carrier, carrier_id in sorted(names)
    )
    rows = db.execute(
        select(receipt.c.carrier, receipt.c.status, receipt.c.part, receipt.c.at)
        .where(or_(*named))
        .order_by(receipt.c.id)
        .limit(REPORTS_MAX)
    )
    return tuple(Report(*row) for row in rows)
