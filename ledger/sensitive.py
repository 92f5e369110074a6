"""Answers that the law protects more than others: apart, with their own consent.

One answer of a person, under the person's own key, for one centre alone. It stands in
no event, no text, no log and no export.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from ledger import schema
from ledger.prepared import Prepared
from ledger.vault import Keys, seal_answer, unseal_answer

__all__ = ["ANSWER_CHARS_MAX", "answer_of", "keep", "take_back"]

ANSWER_CHARS_MAX = 200
_USE = "sensitive"

_sensitive = schema.sensitive.c
_vault = schema.vault.c

_own_key = Prepared(
    select(_vault.wrapped_key)
    .where(_vault.person_id == bindparam("of_person"))
    # The key is not changed, nor taken away, before the answer stands under it.
    .with_for_update(read=True)
)
_KEEP = {
    name: new.on_conflict_do_update(
        index_elements=[_sensitive.person_id],
        set_={
            column: new.excluded[column]
            for column in ("answer", "centre", "menus", "given_at")
        },
    )
    for name, new in (
        ("postgresql", postgresql.insert(schema.sensitive)),
        ("sqlite", sqlite.insert(schema.sensitive)),
    )
}
_ANSWER = (
    select(_vault.wrapped_key, _sensitive.answer)
    .join_from(schema.sensitive, schema.vault, _vault.person_id == _sensitive.person_id)
    .where(
        _sensitive.person_id == bindparam("of_person"),
        _sensitive.centre == bindparam("for_centre"),
    )
)


def keep(
    db: Connection,
    keys: Keys,
    *,
    person_id: int,
    answer: str,
    centre: str | None,
    menus: str,
    at: datetime,
) -> bool:
    """Keep an answer whose consent was read in `menus`; False for who was erased.

    Another answer of the same person replaces it. Without a `centre` nobody sees it
    until a later answer names one.
    """
    assert 0 < len(answer) <= ANSWER_CHARS_MAX
    wrapped_key = _own_key.scalar(db, of_person=person_id)
    if wrapped_key is None:
        return False
    values = {
        "person_id": person_id,
        "answer": seal_answer(keys, person_id, wrapped_key, answer, use=_USE),
        "centre": centre,
        "menus": menus,
        "given_at": at,
    }
    db.execute(_KEEP[db.dialect.name], values)
    return True


def answer_of(db: Connection, keys: Keys, *, person_id: int, centre: str) -> str | None:
    """What a person answered, for the one centre that may see it. Raises WrongKeys."""
    row = db.execute(_ANSWER, {"of_person": person_id, "for_centre": centre}).first()
    if row is None:
        return None
    return unseal_answer(keys, person_id, row.wrapped_key, row.answer, use=_USE)


def take_back(db: Connection, *, person_id: int) -> bool:
    """Delete a person's answer, with the consent to it; False if there was none."""
    gone = delete(schema.sensitive).where(_sensitive.person_id == person_id)
    return db.execute(gone).rowcount == 1
