"""What an office says of its decision, and a secretary's word on it.

An answer by text is a claim: it changes nothing that is counted. A decision is done
once a secretary of its district says so, and of two who say it at once one is first.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, or_

from ledger import events, people, schema
from ledger.assemblies.decisions import Decision, Kind, State, chosen, locked, put
from ledger.assemblies.noting import note
from ledger.events import Recorded

__all__ = [
    "Claim",
    "Outcome",
    "Settled",
    "claim",
    "confirm",
    "remind",
    "send_back",
    "to_remind",
    "waiting",
]

CLAIMED, CONFIRMED = "decision.claimed", "decision.confirmed"
RETURNED, REMINDED = "decision.returned", "decision.reminded"
# An office is reminded two weeks before the day, and once more in its last days.
REMIND_AHEAD = timedelta(days=14)
SOON = timedelta(days=3)
APART = timedelta(days=5)
# What nobody could be reminded of before is still brought up for a week.
LATE_MAX = timedelta(days=7)


class Claim(StrEnum):
    DONE = "done"
    GOING = "going"


class Outcome(StrEnum):
    """What a word on a decision came to."""

    NOTED = "noted"
    # It is done or given up already.
    SETTLED = "settled"
    NOT_YOURS = "not_yours"


@dataclass(frozen=True, slots=True)
class Settled:
    recorded: Recorded | None
    outcome: Outcome


_row = schema.decision.c


def claim(
    db: Connection,
    *,
    key: str,
    decision: Decision,
    person_id: int,
    said: Claim,
    channel: str,
    at: datetime,
) -> Settled:
    """Keep what the office says; nobody else's phone answers for it."""
    body = {"claim": str(said)}
    again = events.repeated(db, key=key, kind=CLAIMED, body=body)
    if again is not None:
        return Settled(again, Outcome.NOTED)
    found = locked(db, decision.event_id)
    if found.owner_id != person_id:
        return Settled(None, Outcome.NOT_YOURS)
    if found.state is not State.OPEN:
        return Settled(None, Outcome.SETTLED)
    recorded = note(
        db, key, CLAIMED, body, found, person_id=person_id, channel=channel, at=at
    )
    if recorded.first:
        put(db, found.event_id, at, claim=said, claimed_at=at)
    return Settled(recorded, Outcome.NOTED)


def confirm(
    db: Connection,
    *,
    key: str,
    decision: Decision,
    by: str,
    person_id: int | None = None,
    channel: str,
    at: datetime,
) -> Settled:
    """Say for a district that its decision is done, claimed or not.

    `by` is an operator's name, or the office of the secretary with that `person_id`.
    """
    return _settle(
        db,
        CONFIRMED,
        {"state": str(State.DONE), "by": by},
        {"state": State.DONE},
        key=key,
        decision=decision,
        person_id=person_id,
        channel=channel,
        at=at,
    )


def send_back(
    db: Connection,
    *,
    key: str,
    decision: Decision,
    by: str,
    person_id: int | None = None,
    channel: str,
    at: datetime,
) -> Settled:
    """Take a claim for not yet true: the decision is open as before."""
    return _settle(
        db,
        RETURNED,
        {"claim": "", "by": by},
        {"claim": None, "claimed_at": None},
        key=key,
        decision=decision,
        person_id=person_id,
        channel=channel,
        at=at,
    )


def waiting(
    db: Connection, *, districts: Collection[str], test: bool, limit: int
) -> Sequence[Decision]:
    """The open decisions of these districts that are claimed to be done."""
    return chosen(
        db,
        _row.district.in_(sorted(districts)),
        _row.test.is_(test),
        _row.state == State.OPEN,
        _row.claim == Claim.DONE,
        order=(_row.claimed_at, _row.event_id),
        limit=limit,
    )


def to_remind(
    db: Connection,
    *,
    without: Collection[int] = (),
    test: bool,
    today: date,
    at: datetime,
    limit: int,
) -> Sequence[Decision]:
    """Decisions whose office is to be asked now, the most urgent first.

    None of the owners `without`: they have a question before them.
    """
    return chosen(
        db,
        _row.state == State.OPEN,
        _row.kind != Kind.PROPOSAL,
        _row.owner_id.is_not(None),
        _row.owner_id.not_in(sorted(without)),
        _row.test.is_(test),
        _row.due_on >= today - LATE_MAX,
        _row.due_on <= today + REMIND_AHEAD,
        or_(_row.claim.is_(None), _row.claim != Claim.DONE),
        or_(
            _row.reminded_at.is_(None),
            # Once: what is within this window is closer together than APART.
            _row.due_on.between(today, today + SOON) & (_row.reminded_at < at - APART),
        ),
        order=(_row.due_on, _row.event_id),
        limit=limit,
    )


def remind(
    db: Connection, decision: Decision, *, today: date, channel: str, at: datetime
) -> Recorded | None:
    """Note that the office is asked today; not `first` if it was.

    None where there is nothing to ask any more: it is settled, claimed to be done, or
    another's, or its owner was erased.
    """
    people.hold_all(db, person_ids=_owner_of(decision))
    found = locked(db, decision.event_id)
    if (
        found.state is not State.OPEN
        or found.claim == Claim.DONE
        or found.owner_id is None
        or found.owner_id != decision.owner_id
    ):
        return None
    key = f"decision:{decision.event_id}:reminded:{today.isoformat()}"
    recorded = note(
        db,
        key,
        REMINDED,
        {},
        decision,
        person_id=decision.owner_id,
        channel=channel,
        at=at,
    )
    put(db, decision.event_id, at, reminded_at=at)
    return recorded


def _owner_of(decision: Decision) -> tuple[int, ...]:
    return () if decision.owner_id is None else (decision.owner_id,)


def _settle(
    db: Connection,
    kind: str,
    body: dict[str, str],
    values: dict[str, object],
    *,
    key: str,
    decision: Decision,
    person_id: int | None,
    channel: str,
    at: datetime,
) -> Settled:
    again = events.repeated(db, key=key, kind=kind, body=body)
    if again is not None:
        return Settled(again, Outcome.NOTED)
    # Whoever is erased comes to their decisions last, and the office is told of this.
    people.hold_all(db, person_ids=_owner_of(decision))
    found = locked(db, decision.event_id)
    if found.state is not State.OPEN:
        return Settled(None, Outcome.SETTLED)
    recorded = note(
        db, key, kind, body, found, person_id=person_id, channel=channel, at=at
    )
    if recorded.first:
        put(db, found.event_id, at, **values)
    return Settled(recorded, Outcome.NOTED)
