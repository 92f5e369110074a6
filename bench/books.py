"""What callers read, what the ledger holds and what the carrier booked, compared."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from ledger import people, schema
from ledger.engine import Engine, reading
from ledger.vault import Keys
from ledger.verify import verify
from phone.digits import fold_digits
from sms.calls import reference

__all__ = ["Books", "Caller", "compare", "read_books", "untrue"]

# What the shipped menus' notice `busy` promises.
NOTHING_RECORDED = "چیزی ثبت نشد"
CODE = re.compile(r"(?<!\d)[1-9]\d{8}(?!\d)")


@dataclass(slots=True)
class Caller:
    """Somebody who dials, and the last word they read.

    `end` is one with a code. `told` is one without: while its Redis or its ledger dies
    a service may still say that nothing was recorded, and that has to be true.
    """

    phone: str
    session: str
    end: str = ""
    told: str = ""

    @property
    def code(self) -> str:
        return _code(self.end)

    def reads(self, reply: str | None) -> None:
        """Keep a reply that is a last word."""
        if reply is not None and reply.startswith("END "):
            if _code(reply):
                self.end = reply
            else:
                self.told = reply


@dataclass(slots=True)
class Books:
    """Pledges by their codes: whose, and the references of the texts that tell of them.

    A reference is what the carrier's log calls a text.
    """

    phones: dict[str, str] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)
    # How each attempt to send a text ended, by the text's reference.
    attempts: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    rial: int = 0
    faults: tuple[str, ...] = ()


def _code(text: str) -> str:
    found = CODE.search(fold_digits(text))
    return found[0] if found else ""


def untrue(callers: Sequence[Caller], books: Books) -> Iterator[str]:
    """Say who was told that nothing was recorded when something was."""
    made = set(books.phones.values())
    for caller in callers:
        if NOTHING_RECORDED in caller.told and caller.phone in made:
            yield f"{caller.session} has a pledge and was told {caller.told!r}"


def read_books(engine: Engine, keys: Keys) -> Books:
    """Read everything at one moment."""
    event, code, outbox = schema.event.c, schema.code.c, schema.outbox.c
    attempt, transfer = schema.attempt.c, schema.transfer.c
    pledges = (
        select(event.person_id, code.code, transfer.amount)
        .select_from(schema.event.join(schema.code).join(schema.transfer))
        .where(event.kind == "pledge")
    )
    texts = select(code.code, outbox.id, outbox.promised_at).select_from(
        schema.outbox.join(schema.code, code.event_id == outbox.event_id)
    )
    attempts = (
        select(attempt.outcome, outbox.id, outbox.promised_at)
        .select_from(schema.attempt.join(schema.outbox))
        .order_by(attempt.id)
    )
    books = Books()
    with reading(engine, snapshot=True) as db:
        for person_id, name, amount in db.execute(pledges).all():
            phone = people.phone_of(db, keys, person_id=person_id)
            books.phones[name] = phone or ""
            books.texts[name] = []
            books.rial += amount
        row: Any
        for row in db.execute(texts):
            books.texts.setdefault(row.code, []).append(reference(keys, row))
        for row in db.execute(attempts):
            books.attempts[reference(keys, row)].append(row.outcome or "none")
        books.faults = tuple(map(str, verify(db).faults))
    return books


def compare(
    callers: Sequence[Caller], books: Books, booked: Counter[str], rial_each: int
) -> Iterator[str]:
    """Say what does not agree, a line each."""
    yield from books.faults
    made = Counter(books.phones.values())
    for caller in callers:
        if not caller.code:
            yield f"caller {caller.session} never read a code: {caller.end!r}"
        elif books.phones.get(caller.code) != caller.phone:
            yield f"code {caller.code} was read and is not that caller's in the ledger"
        if made[caller.phone] != 1:
            yield f"caller {caller.session} has {made[caller.phone]} pledges"
    if len(books.phones) != len(callers):
        yield f"{len(callers)} callers and {len(books.phones)} pledges"
    if books.rial != len(callers) * rial_each:
        yield f"{books.rial} rial instead of {len(callers) * rial_each}"
    for code, texts in books.texts.items():
        if len(texts) != 1:
            yield f"pledge {code} has {len(texts)} texts in the outbox"
        for text_id in texts:
            if not booked[text_id]:
                yield f"text {text_id} never arrived: {books.attempts[text_id]}"
    promised = {text_id for texts in books.texts.values() for text_id in texts}
    for text_id in booked.keys() - promised:
        yield f"the carrier was sent {text_id}, which the outbox does not know"
