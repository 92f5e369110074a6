"""What the ledger's tests say often: keys, a moment, a caller, a pledge."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, Table, func, select

from ledger import people, pledges
from ledger.events import Recorded
from ledger.vault import Keys

KEYS = Keys(vault=b"v" * 32, index=b"i" * 32, code=b"c" * 32)
AT = datetime(2026, 11, 22, 8, 30, 15, 123456, tzinfo=UTC)
PHONE = "+989121234567"
OTHER_PHONE = "+989351234567"


def caller(db: Connection, phone: str = PHONE) -> int:
    return people.remember(db, KEYS, phone, at=AT).id


def pledge(
    db: Connection,
    key: str = "at:1",
    *,
    person_id: int | None = None,
    amount: int = 500_000,
    purpose: str = "meals",
    unit: str = "rial",
    donor_kind: pledges.DonorKind | None = None,
    cohort: str | None = None,
    test: bool = False,
    at: datetime = AT,
) -> Recorded:
    return pledges.record_pledge(
        db,
        KEYS,
        key=key,
        person_id=caller(db) if person_id is None else person_id,
        campaign="winter",
        purpose=purpose,
        unit=unit,
        amount=amount,
        channel="at",
        donor_kind=donor_kind,
        cohort=cohort,
        test=test,
        at=at,
    )


def count(db: Connection, table: Table) -> int:
    found: int = db.execute(select(func.count()).select_from(table)).scalar_one()
    return found
