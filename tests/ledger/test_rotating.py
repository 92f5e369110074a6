"""The vault's key is changed under a running service; on both databases."""

from __future__ import annotations

import contextlib
import json
import threading
from dataclasses import asdict, replace
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, update

from ledger import (
    entries,
    people,
    questions,
    renumbering,
    schema,
    sensitive,
    signups,
)
from ledger.assemblies import benefactors
from ledger.engine import reading, writing
from ledger.entries import Answers
from ledger.erasing import erase
from ledger.inbox import store_inbound, store_receipt
from ledger.rotating import NoOldKey, StillSealing, Unopened, rotate
from ledger.signups import NOWHERE, Said, Where
from ledger.vault import (
    WrongKeys,
    check_key,
    claim_key,
    look_up,
    seal_raw,
    seal_slots,
    unseal_raw,
    unseal_slots,
)
from tests.ledger.books import NOON, Books
from tests.ledger.facts import KEYS, OTHER_PHONE, PHONE

GROUP = sensitive.What.GROUP

NEW = replace(KEYS, vault=b"n" * 32)
BOTH = replace(NEW, vault_old=KEYS.vault)


@pytest.fixture(autouse=True)
def _claimed(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        claim_key(db, KEYS)


def test_after_a_rotation_the_new_key_alone_opens_everything(
    ledger_engine: Engine,
) -> None:
    _fill(ledger_engine)
    heard: list[tuple[int, int]] = []

    done = rotate(ledger_engine, BOTH, progress=lambda *now: heard.append(now))

    assert done.changed == 9
    assert heard[-1] == (done.seen, done.seen)
    with reading(ledger_engine) as db:
        check_key(db, NEW)
        with pytest.raises(WrongKeys):
            check_key(db, KEYS)
        assert people.phone_of(db, NEW, person_id=1) == PHONE
        with pytest.raises(WrongKeys):
            people.phone_of(db, KEYS, person_id=1)
        assert (
            sensitive.answer_of(db, NEW, person_id=1, what=GROUP, centre="rey")
            == "کم‌بینا"
        )
        slots = db.scalars(select(schema.outbox.c.slots).order_by(schema.outbox.c.id))
        assert [unseal_slots(NEW, one) for one in slots] == [
            {"words": "سلام"},
            {"amount": 5},
        ]
        for sealed in (
            schema.enquiry.c.words,
            schema.question.c.session,
            schema.inbound.c.raw,
            schema.inbound.c.words,
            schema.fragment.c.raw,
            schema.receipt.c.raw,
            schema.unreadable.c.raw,
        ):
            assert unseal_raw(NEW, db.scalars(select(sealed)).one())


def test_what_is_under_a_persons_own_key_opens_after_a_rotation(
    ledger_engine: Engine,
) -> None:
    """A name, an entry, a benefactor, a number that is to come: none is sealed anew."""
    said = Said("centre", "11023", None, None, "teaching", "mornings", "m")
    common: dict[str, Any] = {"channel": "at", "test": False, "at": NOON}
    with writing(ledger_engine) as db:
        who = people.remember(db, KEYS, PHONE, at=NOON).id
        signed = signups.sign_up(
            db,
            KEYS,
            key="signup",
            person_id=who,
            campaign="salam-mahalle",
            name="شیرین",
            **asdict(said),
            **common,
        )
        entries.enter(
            db,
            KEYS,
            key="entry",
            person_id=who,
            by_id=None,
            campaign="one-plus-one",
            answers=Answers(said, NOWHERE, Where(None, None, None)),
            source="helper",
            place=None,
            **common,
        )
        benefactors.join(
            db,
            KEYS,
            key="join",
            person_id=who,
            district="23-t11",
            said=benefactors.Said(benefactors.Kind.PERSON, "food", 20, 35),
            name="بنیاد",
            **common,
        )
        renumbering.ask(
            db,
            KEYS,
            person_id=who,
            phone=OTHER_PHONE,
            way="phones",
            by=None,
            test=False,
            at=NOON,
        )

    rotate(ledger_engine, BOTH)

    with reading(ledger_engine) as db:
        event_id = signed.recorded.event_id
        assert signups.name_of(db, NEW, event_id=event_id) == "شیرین"
        (waits,) = entries.due(db, campaigns=["one-plus-one"], limit=2)
        assert entries.answers_of(db, NEW, waits).said == said
        (helps,) = benefactors.benefactors_of(db, person_id=who, test=False)
        assert benefactors.name_of(db, NEW, event_id=helps.event_id) == "بنیاد"
        change = renumbering.find(db, 1)
        assert change is not None
        with pytest.raises(WrongKeys):
            signups.name_of(db, KEYS, event_id=event_id)
    with writing(ledger_engine) as db:
        assert renumbering.phone_of(db, NEW, change) == OTHER_PHONE


def test_a_second_rotation_finds_nothing_to_do(ledger_engine: Engine) -> None:
    _fill(ledger_engine)
    first = rotate(ledger_engine, BOTH)
    assert rotate(ledger_engine, BOTH) == replace(first, changed=0)


def test_both_keys_are_good_until_it_is_done_and_one_is_after(
    ledger_engine: Engine,
) -> None:
    _fill(ledger_engine)
    with writing(ledger_engine) as db:
        # A process that was started with both, before anything is rotated.
        claim_key(db, BOTH)
        people.remember(db, BOTH, OTHER_PHONE, at=NOON)
        # One that waits for its restart still works.
        check_key(db, KEYS)
        assert people.phones_of(db, BOTH, person_ids=[1, 2]) == {
            1: PHONE,
            2: OTHER_PHONE,
        }
    with reading(ledger_engine) as db, pytest.raises(WrongKeys):
        check_key(db, NEW)


def test_a_rotation_that_broke_off_is_taken_up(
    ledger_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = Books(ledger_engine)
    for n in range(7):
        books.pledge(f"+98912000000{n}")
    monkeypatch.setattr("ledger.rotating.ROWS_AT_ONCE", 2)

    def die(done: int, of: int) -> None:
        if done >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotate(ledger_engine, BOTH, progress=die)
    with reading(ledger_engine) as db:
        check_key(db, KEYS)
    assert rotate(ledger_engine, BOTH).changed == 3
    with reading(ledger_engine) as db:
        assert len(people.phones_of(db, NEW, person_ids=range(1, 8))) == 7


def test_what_neither_key_opens_is_named_and_the_old_key_stays(
    ledger_engine: Engine,
) -> None:
    _fill(ledger_engine)
    strange = seal_raw(replace(KEYS, vault=b"z" * 32), b"x")
    with writing(ledger_engine) as db:
        db.execute(update(schema.receipt).values(raw=strange))
    with pytest.raises(Unopened, match="1 values .* receipt 1"):
        rotate(ledger_engine, BOTH)
    with reading(ledger_engine) as db:
        check_key(db, KEYS)
        assert people.phone_of(db, NEW, person_id=1) == PHONE


def test_while_somebody_seals_with_the_old_key_it_is_not_given_up(
    ledger_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(ledger_engine)
    monkeypatch.setattr("ledger.rotating.PASSES_MAX", 0)
    with pytest.raises(StillSealing):
        rotate(ledger_engine, BOTH)
    with reading(ledger_engine) as db:
        check_key(db, KEYS)


def test_without_an_old_key_there_is_nothing_to_rotate(ledger_engine: Engine) -> None:
    with pytest.raises(NoOldKey):
        rotate(ledger_engine, KEYS)


def test_with_strange_keys_nothing_is_touched(ledger_engine: Engine) -> None:
    _fill(ledger_engine)
    strange = replace(NEW, vault_old=b"z" * 32)
    with pytest.raises(WrongKeys):
        rotate(ledger_engine, strange)
    with reading(ledger_engine) as db:
        assert people.phone_of(db, KEYS, person_id=1) == PHONE


def _fill(engine: Engine) -> None:
    """One sealed value of each kind, all under the old key."""
    books = Books(engine)
    event_id, _ = books.pledge(PHONE)
    books.promise(event_id, "queued")
    books.promise(event_id, "queued", "sms.other")
    hashed = look_up(KEYS, PHONE)
    said = json.dumps({"from": PHONE, "text": "سلام"}).encode()
    with writing(engine) as db:
        first = schema.outbox.c.template == "sms.pledge"
        db.execute(
            update(schema.outbox)
            .where(first)
            .values(slots=seal_slots(KEYS, {"words": "سلام"}))
        )
        db.execute(update(schema.outbox).where(~first).values(slots={"amount": 5}))
        sensitive.keep(
            db,
            KEYS,
            what=GROUP,
            person_id=1,
            answer="کم‌بینا",
            centre="rey",
            menus="m",
            at=NOON,
        )
        inbound_id = store_inbound(
            db,
            KEYS,
            carrier="kave",
            carrier_id="1",
            look_up=hashed,
            line="1",
            raw=said,
            keyword=None,
            at=NOON,
            words={"from": PHONE, "text": "سلام"},
        )
        assert inbound_id is not None
        questions.ask(
            db,
            KEYS,
            look_up=hashed,
            person_id=1,
            channel="kave",
            line="1",
            flow="give",
            session={"a": 1},
            menus="m",
            language="fa",
            began_by=inbound_id,
            at=NOON,
            expires_at=NOON.replace(year=2027),
        )
        store_receipt(
            db, KEYS, carrier="kave", carrier_id="2", status="sent", raw=said, at=NOON
        )
        raw = seal_raw(KEYS, said)
        for table, values in (
            (schema.unreadable, {"way": "inbound", "why": "", "raw": raw, "at": NOON}),
            (
                schema.fragment,
                {
                    "look_up": hashed,
                    "line": "1",
                    "reference": "16:1",
                    "total": 2,
                    "part": 1,
                    "raw": raw,
                    "at": NOON,
                },
            ),
        ):
            db.execute(insert(table).values(carrier="kave", **values))
        db.execute(
            insert(schema.enquiry).values(
                person_id=1,
                channel="kave",
                line="1",
                words=raw,
                state="open",
                at=NOON,
                changed_at=NOON,
            )
        )


def test_the_key_is_changed_while_people_give_text_and_are_forgotten(
    ledger_engine: Engine,
) -> None:
    _fill(ledger_engine)
    done = threading.Event()
    faults: list[BaseException] = []

    def live(first: int) -> None:
        keys = BOTH if first else replace(KEYS, vault_old=NEW.vault)
        try:
            for number in range(first, 10_000, 2):
                if done.is_set():
                    break
                phone = f"+98912{number:07}"
                with writing(ledger_engine) as db:
                    person = people.remember(db, keys, phone, at=NOON)
                    store_inbound(
                        db,
                        keys,
                        carrier="at",
                        carrier_id=f"live{number}",
                        look_up=look_up(keys, phone),
                        line="1",
                        raw=phone.encode(),
                        keyword=None,
                        at=NOON,
                    )
                if number % 3 == 0:
                    with writing(ledger_engine) as db:
                        erase(
                            db,
                            keys,
                            person_id=person.id,
                            key=f"erase:{number}",
                            channel="desk",
                            by="sara",
                            test=False,
                            at=NOON,
                        )
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=live, args=(n,)) for n in (0, 1)]
    for thread in threads:
        thread.start()
    try:
        # One of the two still seals with the old key: it is not given up.
        with contextlib.suppress(StillSealing):
            rotate(ledger_engine, BOTH)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert faults == []
    rotate(ledger_engine, BOTH)
    with reading(ledger_engine) as db:
        for row in db.execute(select(schema.inbound)):
            unseal_raw(NEW, row.raw)
        held = db.scalars(select(schema.vault.c.person_id)).all()
        for start in range(0, len(held), 500):
            some = held[start : start + 500]
            assert len(people.phones_of(db, NEW, person_ids=some)) == len(some)
