"""One id of a message centre in its several forms.

Some centres write an id in hexadecimal in one place and in decimal in another, with or
without leading zeros. An id belongs to its channel, and to one phone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import (
    Connection,
    LargeBinary,
    and_,
    bindparam,
    cast,
    delete,
    exists,
    or_,
    select,
    update,
)

from ledger.prepared import Prepared
from ledger.schema import attempt, outbox, part, person, receipt

__all__ = ["known_form", "rename"]

# PostgreSQL cannot tell what kind of NULL it is otherwise.
_PERSON = cast(bindparam("of_person", type_=LargeBinary), LargeBinary)
_person_is = or_(
    _PERSON.is_(None),
    person.c.look_up.is_(None),
    person.c.look_up == _PERSON,
)
_KNOWN = [
    select(table.c.carrier_id)
    .join(outbox, outbox.c.id == table.c.outbox_id)
    .join(person, person.c.id == outbox.c.person_id)
    .where(
        table.c.carrier == bindparam("of_channel"),
        table.c.carrier_id.in_(bindparam("forms", expanding=True)),
        _person_is,
    )
    for table in (attempt, part)
]


def known_form(
    db: Connection, *, channel: str, forms: Sequence[str], look_up: bytes | None
) -> str | None:
    """The first of an id's forms under which this phone was sent something, or None.

    `forms` in the order in which they are believed; without `look_up` any phone.
    """
    asked = {"of_channel": channel, "forms": list(forms), "of_person": look_up}
    known = {id for statement in _KNOWN for id in db.scalars(statement, asked)}
    return next((form for form in forms if form in known), None)


_other = receipt.alias("other")
_of_forms = and_(
    receipt.c.carrier == bindparam("of_channel"),
    receipt.c.carrier_id.in_(bindparam("forms", expanding=True)),
    receipt.c.matched_at.is_(None),
    or_(
        _PERSON.is_(None),
        receipt.c.look_up.is_(None),
        receipt.c.look_up == _PERSON,
    ),
)
_RENAMED = (
    select(receipt.c.id, receipt.c.status, receipt.c.part)
    .where(_of_forms)
    .order_by(receipt.c.id)
)
_RENAME = Prepared(
    update(receipt)
    .where(
        receipt.c.id == bindparam("of_id"),
        ~exists().where(
            _other.c.carrier == receipt.c.carrier,
            _other.c.carrier_id == bindparam("canonical"),
            _other.c.status == receipt.c.status,
            _other.c.part == receipt.c.part,
        ),
    )
    .values(carrier_id=bindparam("canonical"))
)
_DROP = delete(receipt).where(receipt.c.id == bindparam("of_id"))


def rename(
    db: Connection,
    *,
    channel: str,
    forms: Iterable[str],
    canonical: str,
    look_up: bytes | None = None,
) -> int:
    """Give receipts that came early under another form of an id that id; how many.

    Only what found no text yet, and with `look_up` only of that phone. One that says
    what another says already under the id is that one.
    """
    others = [form for form in forms if form != canonical]
    if not others:
        return 0
    asked = {"of_channel": channel, "forms": others, "of_person": look_up}
    renamed = 0
    for row in db.execute(_RENAMED, asked).all():
        if _RENAME.run(db, of_id=row.id, canonical=canonical):
            renamed += 1
        else:
            db.execute(_DROP, {"of_id": row.id})
    return renamed
