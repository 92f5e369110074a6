from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from ledger.engine import connect, reading
from ledger.verify import Sum, Verdict, verify
from tests.ledger.books import Books, unguarded


def test_books_kept_by_the_service_are_sound(ledger_engine: Engine) -> None:
    kept(ledger_engine)
    steps: list[tuple[int, int]] = []
    with reading(ledger_engine, snapshot=True) as db:
        verdict = verify(db, progress=lambda done, all_of: steps.append((done, all_of)))

    assert verdict.is_sound, verdict.faults
    assert {count.table: count.rows for count in verdict.counts} == {
        "event": 7,
        "transfer": 8,
        "code": 4,
        "signup": 1,
        "outbox": 1,
        "leaf": 0,
    }
    assert verdict.sums == (
        Sum("rial", "expire", test=False, transfers=1, amount=10),
        Sum("rial", "pending", test=False, transfers=2, amount=300),
        Sum("rial", "pending", test=True, transfers=1, amount=900),
        Sum("rial", "post", test=False, transfers=1, amount=60),
        Sum("rial", "single", test=False, transfers=2, amount=120),
        Sum("rial", "void", test=False, transfers=1, amount=200),
    )
    assert [done for done, _ in steps] == list(range(steps[-1][1] + 1))


def test_empty_books_are_sound(ledger_engine: Engine) -> None:
    with reading(ledger_engine, snapshot=True) as db:
        assert verify(db).is_sound


DAMAGES: list[tuple[str, str]] = [
    (
        "UPDATE event SET transfers = 2 WHERE id = {pledge}",
        "event {pledge}: does not have the transfers it declares",
    ),
    (
        "DELETE FROM transfer WHERE event_id = {pledge}",
        "event {pledge}: does not have the transfers it declares",
    ),
    (
        "UPDATE transfer SET number = 2 WHERE event_id = {pledge}",
        "event {pledge}: does not have the transfers it declares",
    ),
    (
        "DELETE FROM event WHERE id = {pledge}",
        "transfer {pending}: event_id names what is not in event",
    ),
    (
        "UPDATE transfer SET amount = 0 WHERE id = {pending}",
        "transfer {pending}: moves nothing, or from an account to itself",
    ),
    (
        "UPDATE transfer SET credit_id = debit_id WHERE id = {pending}",
        "transfer {pending}: moves nothing, or from an account to itself",
    ),
    (
        "UPDATE transfer SET phase = 'void' WHERE id = {pending}",
        "transfer {pending}: has a phase and a pending transfer that do not go"
        " together",
    ),
    (
        "UPDATE transfer SET unit = 'parcel' WHERE id = {pending}",
        "transfer {pending}: is in another unit than its accounts",
    ),
    (
        "UPDATE transfer SET amount = 50 WHERE id = {pending}",
        "transfer {pending}: is resolved for more than its amount",
    ),
    (
        "UPDATE transfer SET amount = 99 WHERE id = {pending}",
        "event {pledge}: was asked for another amount than its transfer has",
    ),
    (
        "UPDATE event SET purpose = 'school' WHERE id = {pledge}",
        "event {pledge}: stands on other accounts than its campaign's and purpose's",
    ),
    (
        "UPDATE transfer SET debit_id = credit_id, credit_id = debit_id"
        " WHERE id = {post}",
        "transfer {post}: resolves what is not a pending transfer of its accounts"
        " and unit before it",
    ),
    (
        "UPDATE event SET test = true WHERE id = {pledge}",
        "transfer {post}: resolves a real promise in a rehearsal, or a rehearsed one"
        " in earnest",
    ),
    (
        "DELETE FROM resolution WHERE transfer_id = {post}",
        "transfer {post}: resolves a pending transfer and is not numbered among its"
        " resolutions",
    ),
    (
        "UPDATE resolution SET number = 7 WHERE transfer_id = {post}",
        "transfer {pending}: has resolutions whose numbers do not run from one",
    ),
    (
        "UPDATE resolution SET transfer_id = {pending} WHERE transfer_id = {post}",
        "resolution {pending}/1: numbers a transfer that does not resolve this"
        " pending one",
    ),
    (
        "DELETE FROM code WHERE event_id = {pledge}",
        "event {pledge}: is a pledge without a tracking code",
    ),
    (
        "UPDATE code SET code = '123456789' WHERE event_id = {pledge}",
        "code {pledge}: has a wrong check digit",
    ),
    (
        "UPDATE event SET about_id = {pledge} WHERE kind = 'pledge.void'",
        "event {void}: takes back another pledge than the one it is about",
    ),
    (
        "DELETE FROM signup",
        "event {signup}: is a sign-up without its own row or a tracking code",
    ),
    (
        "UPDATE signup SET campaign = 'another'",
        "signup {signup}: does not say what its event says",
    ),
    (
        "UPDATE outbox SET test = true",
        "outbox 1: rehearses a fact, or sends a rehearsed one in earnest",
    ),
    (
        "UPDATE outbox SET event_id = 4000",
        "outbox 1: event_id names what is not in event",
    ),
]


@pytest.mark.parametrize(("damage", "told"), DAMAGES)
def test_damage_is_named(ledger_engine: Engine, damage: str, told: str) -> None:
    ids = kept(ledger_engine)
    with unguarded(ledger_engine) as db:
        changed = db.execute(text(damage.format(**ids))).rowcount
    assert changed, "the test damaged nothing"
    assert told.format(**ids) in lines(audited(ledger_engine))


def test_a_torn_index_is_named(sqlite_ledger_url: str) -> None:
    page, size = kept_in_a_file(sqlite_ledger_url, "ix_event_kind_at")
    # An index whose page says that it holds nothing.
    empty = b"\x0a\x00\x00\x00\x00" + size.to_bytes(2, "big") + b"\x00"
    overwrite(sqlite_ledger_url, page, empty)
    whats = [fault.what for fault in torn(sqlite_ledger_url).faults]
    assert whats.count("row 1 missing from index ix_event_kind_at") == 1


def test_a_torn_table_is_named_though_it_cannot_be_read(sqlite_ledger_url: str) -> None:
    page, size = kept_in_a_file(sqlite_ledger_url, "transfer")
    overwrite(sqlite_ledger_url, page, b"\xff" * size)
    verdict = torn(sqlite_ledger_url)
    assert verdict.cut
    assert {fault.table for fault in verdict.faults} == {"database"}


def test_no_more_faults_are_told_than_asked_for(ledger_engine: Engine) -> None:
    kept(ledger_engine)
    with unguarded(ledger_engine) as db:
        db.execute(text("DELETE FROM code"))
    with reading(ledger_engine, snapshot=True) as db:
        few, all_of_them = verify(db, faults_max=2), verify(db, faults_max=4)
    assert (len(few.faults), few.cut) == (2, True)
    assert (len(all_of_them.faults), all_of_them.cut) == (4, False)


def kept(engine: Engine) -> dict[str, int]:
    """Keep some books, and name the rows that a test may damage."""
    books = Books(engine)
    pledge, _ = books.pledge(amount=100)
    books.promise(pledge, "queued")
    books.pay(pledge, 60)
    other, code = books.pledge("+989121234568", 200)
    books.cancel(code, "+989121234568")
    books.pledge(amount=900, test=True)
    books.expire(pledge, 10)
    signup, _ = books.sign_up()
    with reading(engine) as db:
        ids = {
            name: db.execute(text(query), {"id": pledge}).scalar_one()
            for name, query in {
                "pending": "SELECT id FROM transfer WHERE event_id = :id",
                "post": "SELECT id FROM transfer WHERE phase = 'post'",
                "void": "SELECT id FROM event WHERE kind = 'pledge.void'",
            }.items()
        }
    return {"pledge": pledge, "other": other, "signup": signup, **ids}


def kept_in_a_file(url: str, name: str) -> tuple[int, int]:
    """Keep some books, and say where a table or an index begins, and a page's size."""
    engine = connect(url)
    kept(engine)
    with reading(engine) as db:
        root = text("SELECT rootpage FROM sqlite_master WHERE name = :name")
        page = db.execute(root, {"name": name}).scalar_one()
        size = db.execute(text("PRAGMA page_size")).scalar_one()
    engine.dispose()
    return (page - 1) * size, size


def overwrite(url: str, place: int, written: bytes) -> None:
    with Path(url.removeprefix("sqlite:///")).open("r+b") as file:
        file.seek(place)
        file.write(written)


def torn(url: str) -> Verdict:
    engine = connect(url)
    try:
        return audited(engine)
    finally:
        engine.dispose()


def audited(engine: Engine) -> Verdict:
    with reading(engine, snapshot=True) as db:
        return verify(db)


def lines(verdict: Verdict) -> list[str]:
    return [f"{fault.table} {fault.id}: {fault.what}" for fault in verdict.faults]


def test_what_is_hidden_behind_a_nul_is_found(sqlite_ledger_url: str) -> None:
    engine = connect(sqlite_ledger_url)
    pledge, _ = Books(engine).pledge()
    with unguarded(engine) as db:
        hidden = "UPDATE event SET channel = channel || char(0) || 'x' WHERE id = :id"
        db.execute(text(hidden), {"id": pledge})
        db.commit()
    with reading(engine, snapshot=True) as db:
        faults = [f"{one.table} {one.id}: {one.what}" for one in verify(db).faults]
    assert f"event {pledge}: has a value that cannot be read" in faults
    engine.dispose()
