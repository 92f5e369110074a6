"""A person is forgotten and every sum stays; on both databases."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, func, insert, select, update

from ledger import (
    consents,
    enquiries,
    erasing,
    events,
    outbox,
    payments,
    people,
    questions,
    schema,
    sensitive,
    stops,
)
from ledger.balances import balances
from ledger.engine import reading, writing
from ledger.erasing import Erased, erase
from ledger.inbox import store_inbound, store_receipt
from ledger.incoming import Payment
from ledger.outbox import Kind, State
from ledger.sealing import proofs
from ledger.sealing.notes import Signer
from ledger.sealing.sealer import seal
from ledger.sealing.tiles import Tiles
from ledger.vault import (
    Sealed,
    WrongKeys,
    look_up,
    seal_raw,
    seal_slots,
    unseal_phone,
    unseal_raw,
    unseal_slots,
)
from ledger.verify import verify
from tests.ledger.books import NOON, Books
from tests.ledger.facts import KEYS, OTHER_PHONE, PHONE

GROUP = sensitive.What.GROUP

SIGNER = Signer(b"s" * 32, "give.example.org/yarigar")
ZONE = "Asia/Tehran"
HASH = look_up(KEYS, PHONE)
WORDS = "نام من شیرین است"


def test_nothing_of_an_erased_person_is_left_but_the_stop(
    ledger_engine: Engine,
) -> None:
    person_id = _live(ledger_engine)
    with reading(ledger_engine) as db:
        before = sorted(table for table, _ in _traces(db))
    # What the test is about was there, in every table that can hold it.
    assert {*before} == {
        *("person", "stop", "inbound", "fragment", "receipt", "question", "payment"),
        *("enquiry", "outbox", "attempt", "vault"),
    }

    done = _erase(ledger_engine, person_id)

    assert (done.first, done.whole) == (True, True)
    with reading(ledger_engine) as db:
        assert list(_traces(db)) == [("stop", "look_up")]
        assert people.find(db, KEYS, PHONE) is None
        assert people.phone_of(db, KEYS, person_id=person_id) is None
        for table in (schema.vault, schema.consent, schema.sensitive, schema.question):
            assert not db.execute(select(table)).all()
        assert not db.execute(
            select(schema.leaf.c.nonce).where(schema.leaf.c.nonce.is_not(None))
        ).all()


def test_every_sum_stays_and_the_books_are_whole(ledger_engine: Engine) -> None:
    person_id = _live(ledger_engine)
    with reading(ledger_engine, snapshot=True) as db:
        sums, leaves = balances(db, test=False), _leaves(db)
    _erase(ledger_engine, person_id)
    with reading(ledger_engine, snapshot=True) as db:
        assert balances(db, test=False) == sums
        assert _leaves(db) == leaves
        assert verify(db).faults == ()


def test_no_leaf_and_no_root_is_another_and_none_opens_a_gift_again(
    ledger_engine: Engine,
) -> None:
    person_id = _live(ledger_engine)
    with reading(ledger_engine) as db:
        pledge_id = db.scalar(
            select(schema.event.c.id).where(schema.event.c.kind == "pledge")
        )
        assert pledge_id is not None
        before = proofs.prove(db, pledge_id).root
        size = db.scalar(select(func.count()).select_from(schema.leaf))
        assert size is not None
    # What is sealed after the erasure opens nothing either.
    Books(ledger_engine, name="later").pledge(PHONE)
    _erase(ledger_engine, person_id)
    run = seal(ledger_engine, SIGNER, ZONE, NOON + timedelta(hours=2))
    assert run.leaves
    with reading(ledger_engine, snapshot=True) as db:
        assert Tiles(db).root(size) == before
        opens = select(schema.leaf.c.number).where(schema.leaf.c.nonce.is_not(None))
        assert db.execute(opens).all() == []
        with pytest.raises(proofs.Erased):
            proofs.prove(db, pledge_id)
        assert verify(db).faults == ()


def test_another_person_keeps_everything(ledger_engine: Engine) -> None:
    person_id = _live(ledger_engine)
    other = _live(ledger_engine, OTHER_PHONE)
    with reading(ledger_engine) as db:
        before = list(_traces(db, OTHER_PHONE))
    _erase(ledger_engine, person_id)
    with reading(ledger_engine) as db:
        assert list(_traces(db, OTHER_PHONE)) == before
        assert people.phone_of(db, KEYS, person_id=other) == OTHER_PHONE


def test_to_erase_again_is_told_of_the_first_time(ledger_engine: Engine) -> None:
    person_id = _live(ledger_engine)
    first = _erase(ledger_engine, person_id)
    assert _erase(ledger_engine, person_id) == Erased(first.event_id, first=False)
    again = _erase(ledger_engine, person_id, key="another")
    assert again == Erased(first.event_id, first=False)
    with pytest.raises(LookupError), writing(ledger_engine) as db:
        erase(
            db,
            KEYS,
            person_id=999,
            key="k",
            channel="at",
            by="sara",
            test=False,
            at=NOON,
        )


def test_texts_that_have_not_left_are_withdrawn_and_say_nothing(
    ledger_engine: Engine,
) -> None:
    person_id = _live(ledger_engine)
    done = _erase(ledger_engine, person_id)
    assert done.texts == 2
    with reading(ledger_engine) as db:
        rows = db.execute(
            select(schema.outbox.c.state, schema.outbox.c.slots).order_by(
                schema.outbox.c.id
            )
        ).all()
    assert [tuple(row) for row in rows] == [("withdrawn", {}), ("withdrawn", {})]


def test_a_text_on_its_way_keeps_its_lease_and_its_end(ledger_engine: Engine) -> None:
    person_id = _live(ledger_engine)
    with writing(ledger_engine) as db:
        db.execute(update(schema.outbox).values(state=State.SENDING, lease_owner="w"))
    assert _erase(ledger_engine, person_id).texts == 0
    with writing(ledger_engine) as db:
        text_id = db.scalar(select(schema.outbox.c.id).limit(1))
        assert text_id is not None
        assert outbox.raise_state(db, outbox_id=text_id, state=State.SENT, at=NOON)


def test_a_payment_that_comes_again_is_the_one_that_was_there(
    ledger_engine: Engine,
) -> None:
    person_id = _live(ledger_engine)
    _erase(ledger_engine, person_id)
    with writing(ledger_engine) as db:
        again = payments.pay(db, KEYS, _paid(PHONE), channel="psp", test=False, at=NOON)
    assert not again.first
    assert again.differs == ()


def test_a_number_that_comes_again_is_somebody_new(ledger_engine: Engine) -> None:
    person_id = _live(ledger_engine)
    _erase(ledger_engine, person_id)
    with writing(ledger_engine) as db:
        assert people.remember(db, KEYS, PHONE, at=NOON).id != person_id
        # What they asked us to stop still holds.
        assert stops.is_stopped(db, look_up=HASH, line="10001")


def test_a_late_choice_of_language_finds_nobody(ledger_engine: Engine) -> None:
    person_id = _live(ledger_engine)
    _erase(ledger_engine, person_id)
    with writing(ledger_engine) as db:
        people.set_language(db, person_id=person_id, language="en")
        assert not sensitive.keep(
            db,
            KEYS,
            what=GROUP,
            person_id=person_id,
            answer="ضعف بینایی",
            centre="rey",
            menus="m",
            at=NOON,
        )
        assert db.scalar(select(schema.person.c.language)) is None


def test_a_rehearsal_cannot_erase_somebody_of_the_real_books(
    ledger_engine: Engine,
) -> None:
    person_id = _live(ledger_engine)
    done = _erase(ledger_engine, person_id, test=True)
    assert not done.whole
    with reading(ledger_engine) as db:
        assert people.phone_of(db, KEYS, person_id=person_id) == PHONE
    assert _erase(ledger_engine, person_id, key="real").whole


def test_a_rehearsed_person_is_erased_in_a_rehearsal(ledger_engine: Engine) -> None:
    Books(ledger_engine).pledge(PHONE, test=True)
    done = _erase(ledger_engine, 1, test=True)
    assert done.whole
    with reading(ledger_engine) as db:
        assert erasing.is_erased(db, person_id=1)


def test_who_was_erased_is_told_in_order(ledger_engine: Engine) -> None:
    for phone in (PHONE, OTHER_PHONE):
        Books(ledger_engine, name=phone).pledge(phone)
    _erase(ledger_engine, 2, key="b", after=1)
    _erase(ledger_engine, 1, key="a", after=2)
    with reading(ledger_engine) as db:
        assert [who for who, _ in erasing.erased_since(db, since=NOON)] == [2, 1]
        late = erasing.erased_since(db, since=NOON + timedelta(seconds=2))
        assert [who for who, _ in late] == [1]


def test_a_pledge_at_that_moment_is_withdrawn_with_the_rest_or_somebody_new(
    ledger_engine: Engine,
) -> None:
    books = Books(ledger_engine)
    books.pledge(PHONE)
    results: list[Any] = []

    def pledge_slowly() -> None:
        with writing(ledger_engine) as db:
            person = people.remember(db, KEYS, PHONE, at=NOON)
            held.set()
            time.sleep(0.3)
            made = events.record(
                db,
                key="slow",
                kind="test",
                body={},
                person_id=person.id,
                channel="at",
                test=False,
                at=NOON,
            )
            _promise(db, made.event_id, person.id, "sms.pledge")

    held = threading.Event()
    slow = threading.Thread(target=pledge_slowly)
    slow.start()
    held.wait(5)
    results.append(_erase(ledger_engine, 1))
    slow.join()
    assert results[0].texts == 1

    with writing(ledger_engine) as db:
        assert people.remember(db, KEYS, PHONE, at=NOON).id == 2


def test_who_dials_while_they_are_erased_is_somebody_new(ledger_engine: Engine) -> None:
    Books(ledger_engine).pledge(PHONE)
    found: list[int] = []

    def dial() -> None:
        with writing(ledger_engine) as db:
            found.append(people.remember(db, KEYS, PHONE, at=NOON).id)

    late = threading.Thread(target=dial)
    with writing(ledger_engine) as db:
        erase(db, KEYS, person_id=1, **_ACT)
        late.start()
        time.sleep(0.2)
    late.join()
    assert found == [2]


_ACT: dict[str, Any] = {
    "key": "erase:1",
    "channel": "desk",
    "by": "sara",
    "test": False,
    "at": NOON + timedelta(hours=1),
}


def _erase(
    engine: Engine, person_id: int, *, after: float = 3600, **changed: Any
) -> Erased:
    with writing(engine) as db:
        at = NOON + timedelta(seconds=after)
        return erase(db, KEYS, person_id=person_id, **{**_ACT, "at": at, **changed})


def _live(engine: Engine, phone: str = PHONE) -> int:
    """Somebody of whom every table holds something; returns the person's id."""
    books = Books(engine, name=phone)
    event_id, _ = books.pledge(phone)
    books.sign_up(phone)
    said = json.dumps({"from": phone, "text": WORDS}).encode()
    hashed = look_up(KEYS, phone)
    with writing(engine) as db:
        person = people.remember(db, KEYS, phone, at=NOON)
        people.set_language(db, person_id=person.id, language="fa")
        consents.give(db, person_id=person.id, menus="m", test=False, at=NOON)
        sensitive.keep(
            db,
            KEYS,
            what=GROUP,
            person_id=person.id,
            answer="کم‌شنوا",
            centre="rey",
            menus="m",
            at=NOON,
        )
        stops.stop(
            db,
            key=f"stop:{phone}",
            look_up=hashed,
            line="10001",
            channel="kave",
            test=False,
            at=NOON,
        )
        inbound_id = store_inbound(
            db,
            KEYS,
            carrier="kave",
            carrier_id=f"in-{phone}",
            look_up=hashed,
            line="10001",
            raw=said,
            keyword=None,
            at=NOON,
            words={"from": phone, "text": WORDS},
        )
        assert inbound_id is not None
        enquiries.add(
            db,
            KEYS,
            inbound_id=inbound_id,
            person_id=person.id,
            channel="kave",
            line="10001",
            words=f"{WORDS} {phone}",
            at=NOON,
        )
        questions.ask(
            db,
            KEYS,
            look_up=hashed,
            person_id=person.id,
            channel="kave",
            line="10001",
            flow="give",
            session={"phone": phone},
            menus="m",
            language="fa",
            began_by=inbound_id,
            at=NOON,
            expires_at=NOON + timedelta(days=1),
        )
        text_id = _promise(db, event_id, person.id, "sms.pledge", phone=phone)
        _promise(db, event_id, person.id, "sms.news", kind=Kind.CAMPAIGN)
        db.execute(
            insert(schema.attempt).values(
                outbox_id=text_id,
                number=1,
                carrier="kave",
                began_at=NOON,
                carrier_id=f"out-{phone}",
                outcome="ambiguous",
                detail=f"refused {phone}",
            )
        )
        for carrier_id, whose in ((f"out-{phone}", None), (f"stray-{phone}", hashed)):
            store_receipt(
                db,
                KEYS,
                carrier="kave",
                carrier_id=carrier_id,
                status="sent",
                raw=said,
                at=NOON,
                look_up=whose,
            )
        db.execute(
            insert(schema.fragment).values(
                carrier="kave",
                look_up=hashed,
                line="10001",
                reference="16:1",
                total=2,
                part=1,
                raw=seal_raw(KEYS, said),
                at=NOON,
            )
        )
        assert payments.pay(db, KEYS, _paid(phone), channel="psp", test=False, at=NOON)
    seal(engine, SIGNER, ZONE, books.at)
    return person.id


def _paid(phone: str) -> Payment:
    return Payment(
        "psp", phone[1:], payments.Kind.PAYMENT, 10, paid_at=NOON, phone=phone
    )


def _promise(
    db: Connection,
    event_id: int,
    person_id: int,
    template: str,
    *,
    kind: Kind = Kind.RECEIPT,
    phone: str = "",
) -> int:
    return outbox.promise(
        db,
        event_id=event_id,
        person_id=person_id,
        template=template,
        slots=seal_slots(KEYS, {"words": f"{WORDS} {phone}"}),
        language="fa",
        menus="m",
        kind=kind,
        campaign=None,
        test=False,
        at=NOON,
        expires_at=NOON + timedelta(days=1),
    )


def _traces(db: Connection, phone: str = PHONE) -> Iterator[tuple[str, str]]:
    """Every table and column where a phone stands, in the clear, hashed or sealed."""
    for table in schema.metadata.sorted_tables:
        seen: set[str] = set()
        for row in db.execute(select(table)).mappings():
            seen |= {name for name, value in row.items() if _tells(value, phone)}
            if table is schema.vault and phone == unseal_phone(
                KEYS, row["person_id"], Sealed(row["wrapped_key"], row["phone"])
            ):
                seen.add("phone")
        # Ids and keys are the carriers' and this test's own.
        seen -= {"key", "carrier_id", "outside_id"}
        yield from ((table.name, name) for name in sorted(seen))


def _tells(value: Any, phone: str) -> bool:
    if isinstance(value, dict):
        value = unseal_slots(KEYS, value)
    if not isinstance(value, bytes):
        return phone[1:] in str(value)
    try:
        return phone.encode() in unseal_raw(KEYS, value)
    except WrongKeys:
        return value == look_up(KEYS, phone)


def _leaves(db: Connection) -> list[Any]:
    leaf = schema.leaf.c
    found = select(leaf.number, leaf.data, leaf.salt, leaf.digests)
    return list(db.execute(found.order_by(leaf.number)))
