"""Calls that are about to be made: held back, withdrawn, or written down as attempts.

All of a turn's at once, in one transaction. The numbers are decrypted here, just before
their calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ledger import attempts, parts, people, stops
from ledger.engine import Connection
from ledger.outbox import Kind, State
from ledger.vault import Keys
from sms.calls import Call, Closing, Job, reference
from sms.carrier import Outbound, Question
from sms.lines import line_of
from sms.rules import Held, Rules, Withdrawn, hold

__all__ = ["Beginnings", "begin"]


@dataclass(slots=True)
class Beginnings:
    """The calls that may be made once this stands, and the texts that go back."""

    calls: list[Call] = field(default_factory=list)
    closings: list[Closing] = field(default_factory=list)

    @property
    def ids(self) -> set[int]:
        """The texts of the calls."""
        return {call.row.id for call in self.calls}


def begin(
    db: Connection,
    keys: Keys,
    jobs: Sequence[Job],
    *,
    owner: str,
    via: str,
    rules: Rules | None,
    at: datetime,
    lease_seconds: float,
) -> Beginnings:
    """Begin attempts, or say what becomes of the texts instead.

    A text that is not the owner's any more is in neither list. To ask about a text is
    no attempt of its own; of somebody who was erased since, it has no number.
    """
    begun = Beginnings()
    if not jobs:
        return begun
    phones = people.phones_of(
        db, keys, person_ids=sorted({job.row.person_id for job in jobs})
    )
    for job in jobs:
        if job.asks:
            begun.calls.append(_asking(keys, job, phones, at))
    sends = []
    for job in jobs:
        row = job.row
        if job.asks:
            continue
        if row.person_id not in phones or row.look_up is None:
            begun.closings.append(Closing(row, State.WITHDRAWN, why="erased"))
        elif row.expires_at <= at:
            begun.closings.append(_too_late(job))
        else:
            sends.append(job)
    held = _held(db, sends, rules, at)
    for job in sends:
        if job.row.id in held:
            begun.closings.append(_kept_back(job, held[job.row.id]))
    sends = [job for job in sends if job.row.id not in held]
    begun.calls += _sending(
        db,
        keys,
        sends,
        phones,
        owner=owner,
        via=via,
        at=at,
        lease_seconds=lease_seconds,
    )
    return begun


def _asking(keys: Keys, job: Job, phones: Mapping[int, str], at: datetime) -> Call:
    row = job.row
    question = Question(
        id=reference(keys, row),
        to=phones.get(row.person_id, ""),
        text=job.text,
        sender=job.channel.sender,
        since=row.attempted_at or row.promised_at,
        at=at,
    )
    return Call(row, job.channel, row.attempts, None, question)


def _too_late(job: Job) -> Closing:
    if job.row.doubtful:
        return Closing.back(job.row, job.row.expires_at)
    return Closing(job.row, State.EXPIRED)


def _held(
    db: Connection, jobs: Sequence[Job], rules: Rules | None, at: datetime
) -> Mapping[int, Held]:
    if rules is not None:
        return hold(db, [(job.row, job.channel) for job in jobs], rules, at)
    return {
        job.row.id: Withdrawn("stopped")
        for job in jobs
        if job.row.kind is Kind.CAMPAIGN
        and job.row.look_up is not None
        and stops.is_stopped(
            db,
            look_up=job.row.look_up,
            line=line_of(job.channel),
            test=job.row.test,
        )
    }


def _kept_back(job: Job, held: Held) -> Closing:
    if isinstance(held, Withdrawn):
        return Closing(job.row, State.WITHDRAWN, why=held.why)
    return Closing.back(job.row, held.at)


def _sending(
    db: Connection,
    keys: Keys,
    jobs: Sequence[Job],
    phones: Mapping[int, str],
    *,
    owner: str,
    via: str,
    at: datetime,
    lease_seconds: float,
) -> list[Call]:
    messages = {
        job.row.id: _message(db, keys, job, phones[job.row.person_id], at)
        for job in jobs
    }
    numbers = attempts.begin(
        db,
        [_attempt(job, messages[job.row.id]) for job in jobs],
        owner=owner,
        via=via,
        at=at,
        lease_seconds=lease_seconds,
    )
    sent = [job for job in jobs if job.row.id in numbers]
    parts.begin_parts(
        db,
        [
            parts.Begun(
                outbox_id=job.row.id,
                number=numbers[job.row.id],
                part=part,
                total=job.total,
                reference=messages[job.row.id].reference,
                carrier=job.channel.name,
            )
            for job in sent
            if job.in_parts
            for part in job.parts
        ],
        at=at,
    )
    return [_call(job, numbers[job.row.id], messages[job.row.id], at) for job in sent]


def _message(db: Connection, keys: Keys, job: Job, to: str, at: datetime) -> Outbound:
    number = 0
    if job.in_parts:
        number = (
            parts.next_reference(db, person_id=job.row.person_id)
            if job.reference is None
            else job.reference
        )
    return Outbound(
        id=reference(keys, job.row),
        to=to,
        text=job.text,
        sender=job.channel.sender,
        total=job.total,
        reference=number,
        parts=job.parts,
        valid_seconds=int((job.row.expires_at - at).total_seconds()),
    )


def _attempt(job: Job, message: Outbound) -> attempts.Begun:
    channel = job.channel
    estimate = channel.estimate(message.to, len(job.parts))
    return attempts.Begun(
        outbox_id=job.row.id,
        carrier=channel.name,
        # What a death during the call must not lose.
        carrier_id=message.id if channel.carrier.ids_are_ours else None,
        parts=job.total,
        estimate=None if estimate is None else str(estimate),
    )


def _call(job: Job, number: int, message: Outbound, at: datetime) -> Call:
    question = Question(
        message.id, message.to, message.text, message.sender, since=at, at=at
    )
    return Call(job.row, job.channel, number, message, question)
