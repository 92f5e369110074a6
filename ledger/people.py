"""Who called, known by a keyed hash; the number itself stays in the vault."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    any_,
    bindparam,
    func,
    insert,
    select,
    update,
)

from ledger import schema
from ledger.once import Once
from ledger.prepared import Prepared
from ledger.vault import Keys, Sealed, look_up, seal_phone, unseal_phone

__all__ = [
    "About",
    "Person",
    "about",
    "find",
    "hold",
    "hold_all",
    "of_event",
    "known",
    "phone_of",
    "phones_of",
    "remember",
    "set_language",
]

BATCH_MAX = 500

_person = schema.person.c
_vault = schema.vault.c
_find = Prepared(
    select(_person.id, _person.language).where(_person.look_up == bindparam("look_up"))
)
_known = Prepared(
    select(_person.id, _person.language).where(
        _person.id == bindparam("person_id"), _person.look_up.is_not(None)
    )
)
# Who is being erased at this moment is waited for, and is then nobody's any more; who
# is held so is not erased before this transaction ends.
_hold = Prepared(
    select(_person.id, _person.language)
    .where(_person.look_up == bindparam("look_up"))
    .with_for_update(read=True, key_share=True)
)
# Who holds a person so has them alone, but for rows that refer to them. Taken at once:
# two that share a hold and both want more would wait for each other.
_hold_alone = Prepared(
    select(_person.id, _person.language)
    .where(_person.look_up == bindparam("look_up"))
    .with_for_update(key_share=True)
)
_hold_known = Prepared(
    select(_person.id, _person.language)
    .where(_person.id == bindparam("person_id"), _person.look_up.is_not(None))
    .with_for_update(read=True, key_share=True)
)
_hold_all = (
    select(_person.id)
    .where(_person.id == any_(bindparam("person_ids", type_=ARRAY(BigInteger))))
    .order_by(_person.id)
    .with_for_update(read=True, key_share=True)
)
_insert_person = Once(schema.person, _person.look_up, returning=_person.id)
_insert_vault = Prepared(insert(schema.vault))
_set_language = (
    update(schema.person)
    .where(_person.id == bindparam("person_id"), _person.look_up.is_not(None))
    .values(language=bindparam("new_language"))
)
_sealed = select(_vault.person_id, _vault.wrapped_key, _vault.phone).where(
    _vault.person_id.in_(bindparam("person_ids", expanding=True))
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody by id; `is_new` if this transaction made them."""

    id: int
    language: str | None
    # How they came to be known, not who they are.
    is_new: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class About:
    """What the books know of a person, without the number: counts, and since when."""

    since: datetime
    language: str | None
    erased: bool
    events: int
    texts: int
    agreed: bool


def find(db: Connection, keys: Keys, phone: str) -> Person | None:
    """The person with this E.164 number, if they ever called."""
    return _found(db, look_up(keys, phone), by=_find)


def known(db: Connection, *, person_id: int) -> Person | None:
    """The person with this id, or None once they are erased."""
    row = _known.first(db, person_id=person_id)
    return None if row is None else Person(*row)


def hold(db: Connection, *, person_id: int) -> Person | None:
    """The same, who is then not erased before the transaction ends."""
    row = _hold_known.first(db, person_id=person_id)
    return None if row is None else Person(*row)


def hold_all(db: Connection, *, person_ids: Collection[int]) -> None:
    """Hold many, in the order of their ids, before rows that refer to them are held.

    SQLite has one writer, who waits for nobody.
    """
    if db.dialect.name != "sqlite":
        db.execute(_hold_all, {"person_ids": sorted(person_ids)}).close()


def remember(
    db: Connection, keys: Keys, phone: str, *, at: datetime, alone: bool = False
) -> Person:
    """The person with this E.164 number, made if new. Two at once make one.

    They are not erased before the transaction ends; one who just was is made anew.
    With `alone` nobody else who says so has them until then.
    """
    hashed, hold = look_up(keys, phone), _hold_alone if alone else _hold
    person = _found(db, hashed, by=hold)
    if person is not None:
        return person
    person_id = _insert_person(db, look_up=hashed, since=at)
    if person_id is None:
        person = _found(db, hashed, by=hold)
        assert person is not None
        return person
    sealed = seal_phone(keys, person_id, phone)
    _insert_vault.run(
        db, person_id=person_id, wrapped_key=sealed.wrapped_key, phone=sealed.phone
    )
    return Person(person_id, None, is_new=True)


def set_language(db: Connection, *, person_id: int, language: str) -> None:
    db.execute(_set_language, {"person_id": person_id, "new_language": language})


def phone_of(db: Connection, keys: Keys, *, person_id: int) -> str | None:
    """The person's E.164 number, or None once they are erased."""
    return phones_of(db, keys, person_ids=[person_id]).get(person_id)


def phones_of(
    db: Connection, keys: Keys, *, person_ids: Sequence[int]
) -> dict[int, str]:
    """The E.164 numbers of up to 500 people by id, without those who are erased."""
    assert len(person_ids) <= BATCH_MAX
    rows = db.execute(_sealed, {"person_ids": list(person_ids)})
    return {
        person_id: unseal_phone(keys, person_id, Sealed(wrapped_key, phone))
        for person_id, wrapped_key, phone in rows
    }


def of_event(db: Connection, *, event_id: int) -> int | None:
    """Whose event it is, if anybody's."""
    event = schema.event.c
    found: int | None = db.scalar(select(event.person_id).where(event.id == event_id))
    return found


def about(db: Connection, *, person_id: int) -> About | None:
    """What the books know of a person; None if there is none of this id."""
    row = db.execute(
        select(_person.since, _person.language, _person.look_up).where(
            _person.id == person_id
        )
    ).first()
    if row is None:
        return None
    events, texts = (
        db.scalar(select(func.count()).where(table.c.person_id == person_id)) or 0
        for table in (schema.event, schema.outbox)
    )
    consent = schema.consent.c
    agreed = select(consent.person_id).where(
        consent.person_id == person_id,
        consent.what == "campaign",
        consent.withdrawn_at.is_(None),
    )
    return About(
        since=row.since,
        language=row.language,
        erased=row.look_up is None,
        events=events,
        texts=texts,
        agreed=db.execute(agreed).first() is not None,
    )


def _found(db: Connection, hashed: bytes, *, by: Prepared) -> Person | None:
    row = by.first(db, look_up=hashed)
    return None if row is None else Person(*row)
