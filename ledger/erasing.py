"""Forgetting a person: their key goes, and with it everything that was under it.

What happened stays, as the acts of somebody without a name: every sum, every seal and
every root is as it was. What they asked us to stop stays too, as a keyed hash.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    delete,
    exists,
    or_,
    select,
    union,
    update,
)

from ledger import (
    deliveries,
    enquiries,
    events,
    forgetting_signups,
    inviting,
    schema,
    staff,
)
from ledger.assemblies import leaving as assemblies
from ledger.outbox import Kind, State
from ledger.sealing import proofs
from ledger.timebank import leaving
from ledger.vault import Keys, seal_raw

__all__ = [
    "KEPT",
    "KIND",
    "Erased",
    "erase",
    "erased_since",
    "forget_phone",
    "is_erased",
    "is_real",
    "ledger_id",
]

KIND = "person.erased"
# The outcome of a rehearsal that met somebody of the real books.
KEPT = "kept"
BY_CHARS_MAX = 40
_AT_ONCE = 500
_WHY = "erased"

_event = schema.event.c
_outbox = schema.outbox.c
_person = schema.person.c


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did; `first` is False where it was done before.

    `whole` is False for a rehearsal that met somebody of the real books: then only
    their rehearsed texts are withdrawn.
    """

    event_id: int
    first: bool
    texts: int = 0
    whole: bool = True


# It waits for whoever is recording something of this person.
_LOCK = (
    select(_person.look_up)
    .where(_person.id == bindparam("of_person"))
    .with_for_update()
)
_BEFORE = (
    select(_event.id)
    .where(_event.person_id == bindparam("of_person"), _event.kind == KIND)
    .order_by(_event.id)
    .limit(1)
)
_SINCE = (
    select(_event.person_id, _event.at)
    .join(schema.person, _person.id == _event.person_id)
    .where(
        _event.kind == KIND,
        _event.at >= bindparam("since", type_=schema.Utc),
        _person.look_up.is_(None),
    )
    .order_by(_event.at, _event.id)
)


def erase(
    db: Connection,
    keys: Keys,
    *,
    person_id: int,
    key: str,
    channel: str,
    by: str,
    test: bool,
    at: datetime,
) -> Erased:
    """Erase a person, once: whoever asks again is told of the first time.

    `by` is the name of who does it, or "self". A confirmation cannot be a text, whose
    phone is gone: it is a screen, or a reply to what is being answered. Raises
    LookupError if there is no such person.
    """
    assert 0 < len(by) <= BY_CHARS_MAX
    row = db.execute(_LOCK, {"of_person": person_id}).first()
    if row is None:
        raise LookupError(f"there is no person {person_id}")
    if row.look_up is None:
        before = db.scalar(_BEFORE, {"of_person": person_id})
        if before is not None:
            return Erased(before, first=False)
    whole = not (test and is_real(db, person_id))
    recorded = events.record(
        db,
        key=key,
        kind=KIND,
        # Whoever asks again by the same key is told the same.
        body={"by": by} if whole else {"by": by, "outcome": KEPT},
        person_id=person_id,
        channel=channel,
        test=test,
        at=at,
    )
    if not recorded.first:
        return Erased(recorded.event_id, first=False, whole=whole)
    if not whole:
        texts = _end_texts(db, _texts(db, person_id, test=True), at)
        return Erased(recorded.event_id, first=True, texts=texts, whole=False)
    texts = _forget(db, keys, person_id, row.look_up, by=by, at=at)
    return Erased(recorded.event_id, first=True, texts=texts)


def forget_phone(db: Connection, keys: Keys, *, look_up: bytes) -> None:
    """Empty what stands under the hash of a phone whose person the books never knew:
    one that only a payment or a receipt named."""
    _empty_posts(db, look_up, seal_raw(keys, b""))


def is_erased(db: Connection, *, person_id: int) -> bool:
    """Whether this is nobody's row any more."""
    found = select(_person.id).where(_person.id == person_id, _person.look_up.is_(None))
    return db.execute(found).first() is not None


def erased_since(db: Connection, *, since: datetime) -> Iterator[tuple[int, datetime]]:
    """Who was erased at `since` or later, and when, the earliest first."""
    for row in db.execute(_SINCE, {"since": since}):
        yield row.person_id, row.at


def ledger_id(db: Connection) -> str:
    """Which ledger this is: a restored copy has the same, another one another."""
    meta = schema.meta.c
    return str(db.scalar(select(meta.value).where(meta.name == "system")))


def is_real(db: Connection, person_id: int) -> bool:
    """Whether the real books know a person: a rehearsal can dial as anybody."""
    found = select(
        or_(
            exists().where(_event.person_id == person_id, _event.test.is_(False)),
            exists().where(schema.enquiry.c.person_id == person_id),
            exists().where(
                schema.consent.c.person_id == person_id,
                schema.consent.c.what == "campaign",
            ),
        )
    )
    return bool(db.scalar(found))


def _forget(
    db: Connection,
    keys: Keys,
    person_id: int,
    look_up: bytes | None,
    *,
    by: str,
    at: datetime,
) -> int:
    """Delete or empty what holds the person, table by table; how many texts ended."""
    for table in (
        *(schema.vault, schema.sensitive, schema.consent, schema.question),
        schema.awaiting,
    ):
        db.execute(delete(table).where(table.c.person_id == person_id))
    nothing = seal_raw(keys, b"")
    texts = _texts(db, person_id, test=None)
    ended = _end_texts(db, texts, at)
    for some in _pieces(texts):
        _empty_journal(db, some, nothing)
    if look_up is not None:
        _empty_posts(db, look_up, nothing)
    _close_enquiries(db, person_id, by, at)
    _end_promises(db, person_id, at)
    _withdraw_deliveries(db, person_id, at)
    inviting.withdraw_all(db, person_id=person_id, at=at)
    staff.end_all(db, person_id=person_id, at=at)
    forgetting_signups.forget(db, person_id=person_id, at=at)
    leaving.leave(db, person_id=person_id, at=at)
    assemblies.leave(db, person_id=person_id, at=at)
    db.execute(
        update(schema.person)
        .where(_person.id == person_id)
        .values(look_up=None, language=None, long_texts=0)
    )
    # Last, because a leaf that is sealed from now on sees that the person is gone.
    proofs.forget(db, person_id)
    return ended


def _mine(person_id: int) -> Select[Any]:
    """The events of a person, and those about one of them."""
    own = select(_event.id).where(_event.person_id == person_id)
    about = schema.event.alias("about")
    mine = union(own, select(about.c.id).where(about.c.about_id.in_(own))).subquery(
        "mine"
    )
    return select(mine.c.id)


def _texts(db: Connection, person_id: int, *, test: bool | None) -> Sequence[int]:
    """The ids of a person's texts. Campaign texts are about nobody's event."""
    of = [_outbox.person_id == person_id]
    if test is not None:
        of.append(_outbox.test == test)
    found = union(
        select(_outbox.id).where(*of, _outbox.kind == Kind.CAMPAIGN),
        select(_outbox.id).where(*of, _outbox.event_id.in_(_mine(person_id))),
    )
    return db.execute(found).scalars().all()


def _end_texts(db: Connection, texts: Sequence[int], at: datetime) -> int:
    """Withdraw what has not left; empty what all of them say. How many withdrawn.

    One that is being handed over at this moment leaves, and is not sent a second time:
    without a number, nobody can.
    """
    ended = 0
    for some in _pieces(texts):
        of: ColumnElement[bool] = _outbox.id.in_(some)
        unsent = _outbox.state.in_([State.QUEUED, State.UNCLEAR])
        withdrawn = {"state": State.WITHDRAWN, "changed_at": at}
        ended += db.execute(
            update(schema.outbox).where(of, unsent).values(withdrawn)
        ).rowcount
        db.execute(update(schema.outbox).where(of).values(slots={}))
        db.execute(
            update(schema.outbox)
            .where(of, _outbox.closed_at.is_(None))
            .values(closed_at=at, closed_why=_WHY)
        )
    return ended


def _empty_journal(db: Connection, texts: Sequence[int], nothing: bytes) -> None:
    """Empty what carriers said of these texts, and the forms of their receipts."""
    receipt, attempt = schema.receipt.c, schema.attempt.c
    for table in (schema.attempt, schema.part):
        of = table.c.outbox_id.in_(texts)
        for carrier, carrier_id in db.execute(
            select(table.c.carrier, table.c.carrier_id)
            .where(of, table.c.carrier_id.is_not(None))
            .distinct()
        ).all():
            db.execute(
                update(schema.receipt)
                .where(receipt.carrier == carrier, receipt.carrier_id == carrier_id)
                .values(raw=nothing, look_up=None)
            )
    db.execute(
        update(schema.attempt)
        .where(attempt.outbox_id.in_(texts), attempt.detail.is_not(None))
        .values(detail=None)
    )


def _empty_posts(db: Connection, look_up: bytes, nothing: bytes) -> None:
    """Empty what came from this phone or is about it.

    The rows stay, because their ids are what makes a carrier's repetition harmless.
    """
    inbound, fragment = schema.inbound.c, schema.fragment.c
    payment, receipt = schema.payment.c, schema.receipt.c
    db.execute(
        update(schema.inbound)
        .where(inbound.look_up == look_up)
        .values(look_up=b"", raw=nothing, words=None)
    )
    db.execute(delete(schema.fragment).where(fragment.look_up == look_up))
    db.execute(
        update(schema.receipt)
        .where(receipt.look_up == look_up)
        .values(look_up=None, raw=nothing)
    )
    db.execute(
        update(schema.payment).where(payment.look_up == look_up).values(look_up=None)
    )


def _close_enquiries(db: Connection, person_id: int, by: str, at: datetime) -> None:
    enquiry = schema.enquiry.c
    of = enquiry.person_id == person_id
    db.execute(update(schema.enquiry).where(of).values(words=b""))
    db.execute(
        update(schema.enquiry)
        .where(of, enquiry.state == enquiries.State.OPEN)
        .values(state=enquiries.State.CLOSED, done_by=by, done_why=_WHY, changed_at=at)
    )


def _end_promises(db: Connection, person_id: int, at: datetime) -> None:
    """Let nothing more fall due: nobody could be told of it."""
    standing, due = schema.standing.c, schema.due.c
    db.execute(
        update(schema.standing)
        .where(standing.person_id == person_id, standing.ended_at.is_(None))
        .values(ended_at=at)
    )
    own = select(_event.id).where(_event.person_id == person_id)
    db.execute(
        update(schema.due)
        .where(due.pledge_id.in_(own), due.reminded_at.is_(None))
        .values(reminded_at=at)
    )


def _withdraw_deliveries(db: Connection, person_id: int, at: datetime) -> None:
    """Let nobody bring anything to, or call, somebody whom nobody knows any more."""
    delivery = schema.delivery.c
    of = delivery.person_id == person_id
    db.execute(update(schema.delivery).where(of).values(call_back=False))
    db.execute(
        update(schema.delivery)
        .where(of, delivery.state.in_(deliveries.LIVE))
        .values(state=deliveries.State.WITHDRAWN, changed_at=at)
    )


def _pieces(texts: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(texts), _AT_ONCE):
        yield texts[start : start + _AT_ONCE]
