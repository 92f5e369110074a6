"""Answers that the law protects more than others: apart, with their own consent.

One answer of a person to each kind of question, under the person's own key, for one
centre alone. It stands in no event, no text, no log and no export.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from ledger import schema
from ledger.prepared import Prepared
from ledger.vault import Keys, seal_answer, unseal_answer

__all__ = [
    "ANSWER_CHARS_MAX",
    "What",
    "answer_of",
    "answers_at",
    "keep",
    "take_back",
]

ANSWER_CHARS_MAX = 200


class What(StrEnum):
    """What was asked: a person's group, or why they want something delivered."""

    GROUP = "group"
    DELIVERY = "delivery"


_USE = {What.GROUP: "sensitive", What.DELIVERY: "sensitive.delivery"}

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
        index_elements=[_sensitive.person_id, _sensitive.what],
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
        _sensitive.what == bindparam("of_kind"),
        _sensitive.centre == bindparam("for_centre"),
    )
)
_AT = (
    select(_sensitive.person_id, _vault.wrapped_key, _sensitive.answer)
    .join_from(schema.sensitive, schema.vault, _vault.person_id == _sensitive.person_id)
    .where(
        _sensitive.what == bindparam("of_kind"),
        _sensitive.centre == bindparam("for_centre"),
    )
)


def keep(
    db: Connection,
    keys: Keys,
    *,
    person_id: int,
    what: What,
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
        "what": what,
        "answer": seal_answer(keys, person_id, wrapped_key, answer, use=_USE[what]),
        "centre": centre,
        "menus": menus,
        "given_at": at,
    }
    db.execute(_KEEP[db.dialect.name], values)
    return True


def answer_of(
    db: Connection, keys: Keys, *, person_id: int, what: What, centre: str
) -> str | None:
    """What a person answered, for the one centre that may see it. Raises WrongKeys."""
    of = {"of_person": person_id, "of_kind": what, "for_centre": centre}
    row = db.execute(_ANSWER, of).first()
    if row is None:
        return None
    return unseal_answer(keys, person_id, row.wrapped_key, row.answer, use=_USE[what])


def answers_at(db: Connection, keys: Keys, *, what: What, centre: str) -> Iterator[str]:
    """What all people answered whom one centre may see. Raises WrongKeys."""
    for row in db.execute(_AT, {"of_kind": what, "for_centre": centre}):
        yield unseal_answer(
            keys, row.person_id, row.wrapped_key, row.answer, use=_USE[what]
        )


def take_back(db: Connection, *, person_id: int, what: What) -> bool:
    """Delete a person's answer, with the consent to it; False if there was none."""
    gone = delete(schema.sensitive).where(
        _sensitive.person_id == person_id, _sensitive.what == what
    )
    return db.execute(gone).rowcount == 1
