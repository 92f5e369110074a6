"""Hours given to everybody: a person's own, for a centre to spend on somebody else."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, bindparam, case, func, or_, select

from ledger import chart, events, people
from ledger.events import Moved
from ledger.requests import Refused
from ledger.schema import account, event, transfer
from ledger.timebank.standing import HOUR, MINUTE, Limits, lock, standing_of

__all__ = ["Outcome", "balance", "give", "grant"]

_debit = account.alias("debit")
_credit = account.alias("credit")
_of: ColumnElement[str] = bindparam("of_account")
_BALANCE = (
    select(
        func.sum(
            case((_credit.c.code == _of, transfer.c.amount), else_=-transfer.c.amount)
        )
    )
    .select_from(event)
    .join(transfer, transfer.c.event_id == event.c.id)
    .join(_debit, _debit.c.id == transfer.c.debit_id)
    .join(_credit, _credit.c.id == transfer.c.credit_id)
    .where(
        # By their kinds, which have an index; accounts have none.
        event.c.kind.in_(("hours.given", "hours.granted")),
        event.c.test == bindparam("in_test"),
        or_(_debit.c.code == _of, _credit.c.code == _of),
    )
)


class Outcome(StrEnum):
    DONE = "done"
    FEW = "few"


def give(
    db: Connection,
    *,
    key: str,
    person_id: int,
    to: str,
    minutes: int,
    campaign: str,
    district: str | None,
    centre: str | None,
    channel: str,
    test: bool,
    at: datetime,
) -> Outcome:
    """Give hours of one's own to the community of `to`, a centre or a campaign.

    Only what somebody has and has not arranged to spend can be given, and nothing of
    who is erased.
    """
    assert minutes > 0
    if events.find(db, key=key) is not None:
        return Outcome.DONE
    if people.hold(db, person_id=person_id) is None:
        return Outcome.FEW
    person = chart.person_time(person_id)
    lock(db, person)
    own = standing_of(db, person_id=person_id, test=test)
    if own.balance - own.to_receive < minutes:
        return Outcome.FEW
    events.record(
        db,
        key=key,
        kind="hours.given",
        body={"to": to, "minutes": minutes},
        moved=[Moved(person, chart.community_time(to), MINUTE, minutes, "single")],
        person_id=person_id,
        campaign=campaign,
        district=district,
        centre=centre,
        channel=channel,
        test=test,
        at=at,
    )
    return Outcome.DONE


def grant(
    db: Connection,
    *,
    key: str,
    person_id: int,
    of: str,
    minutes: int,
    by: str,
    limits: Limits,
    campaign: str,
    district: str | None,
    centre: str | None,
    test: bool,
    at: datetime,
) -> bool:
    """Spend the community's hours on somebody who can ask for none; False if done.

    Raises Refused where the community has too few, or the person can still ask, or is
    erased.
    """
    assert minutes > 0
    if events.find(db, key=key) is not None:
        return False
    if people.hold(db, person_id=person_id) is None:
        raise Refused("they are erased")
    person, community = chart.person_time(person_id), chart.community_time(of)
    lock(db, person, community)
    own = standing_of(db, person_id=person_id, test=test)
    if own.may_receive(limits) >= HOUR:
        raise Refused("they can still ask for an hour: their balance allows it")
    if own.balance + minutes > limits.ceiling:
        raise Refused("a balance would go past its ceiling")
    has = balance(db, of=of, test=test)
    if has < minutes:
        raise Refused(f"the community of {of} has {has} minutes")
    events.record(
        db,
        key=key,
        kind="hours.granted",
        body={"of": of, "minutes": minutes, "by": by},
        moved=[Moved(community, person, MINUTE, minutes, "single")],
        person_id=person_id,
        campaign=campaign,
        district=district,
        centre=centre,
        channel="operator",
        test=test,
        at=at,
    )
    return True


def balance(db: Connection, *, of: str, test: bool) -> int:
    """The minutes that the community of a centre or a campaign has to spend."""
    asked = {"of_account": chart.community_time(of), "in_test": test}
    return int(db.scalar(_BALANCE, asked) or 0)
