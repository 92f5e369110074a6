"""To be forgotten, at the wrong moment, over the wrong line, or half: on both."""

from __future__ import annotations

import resource
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from structlog.typing import EventDict

from gateway import erased
from gateway.faults import Unready
from ledger import erasing, hearing, people, schema
from ledger.engine import reading, writing
from ledger.expiring import expire
from ledger.inbox import match_receipts, store_receipt
from ledger.vault import look_up
from tests.gateway.conftest import DATABASES
from tests.gateway.correspondence import Phone
from tests.gateway.house import (
    KEY,
    PHONE,
    ROOT_CODE,
    Gateway,
    close_gateway,
    open_gateway,
    settings,
)
from tests.gateway.test_giving import _pay

on_both = pytest.mark.parametrize("gateway_database", DATABASES)
FORGET = ("9", "9", "8", "1")


@on_both
def test_a_rehearsal_does_not_say_that_it_erased_a_real_donor(gateway: Gateway):
    gateway.pledge()
    call = {"session": "s2", "code": ROOT_CODE, "channel": "rehearsal"}
    done = gateway.walk(*FORGET, **call)
    assert len(gateway.rows("vault")) == 1
    assert done.ends
    assert done.text.startswith("این خط آزمایشی است")
    # Nor where the answer was lost and is asked for again.
    gateway.forget()
    assert gateway.dial("*".join(FORGET), **call) == done
    assert len(gateway.rows("event", kind="person.erased")) == 1


def test_a_rehearsed_text_is_told_so_too(
    sqlite_ledger_url: str, redis_url: str, tmp_path: Path
):
    line = {"adapter": "kavenegar", "key": KEY, "api_key": "atsk", "sender": "10001"}
    gateway = open_gateway(
        settings(
            sqlite_ledger_url, redis_url, tmp_path, sms={"kave": {**line, "test": True}}
        )
    )
    gateway.pledge()
    phone = Phone(gateway)
    phone.news()
    phone.says("forget me")
    gateway.clock.wait(minutes=1)
    (told,) = phone.says("1")
    assert "a rehearsal: nothing was erased" in told
    assert len(gateway.rows("vault")) == 1
    close_gateway(gateway)


@on_both
def test_whose_phone_only_a_payment_knows_is_forgotten_too(gateway: Gateway):
    hashed = look_up(gateway.service.keys, PHONE)
    code = gateway.pledge(phone="+989350000000").code
    _pay(gateway, code, 10_000)
    with writing(gateway.service.engine) as db:
        db.execute(update(schema.payment).values(look_up=hashed))
    gateway.clock.wait(hours=1)
    rehearsed = gateway.walk(*FORGET, session="s2", code=ROOT_CODE, channel="rehearsal")
    assert hashed in gateway.everything_kept()
    assert rehearsed.ends
    done = gateway.walk(*FORGET, session="s3", code=ROOT_CODE)
    assert done.text.startswith("پاک شد.")
    assert hashed not in gateway.everything_kept()


@on_both
def test_two_answers_at_once_of_which_one_erases_do_not_block_each_other(
    gateway: Gateway, logs: list[EventDict]
):
    gateway.pledge()
    phone = Phone(gateway)
    phone.says("پاک")
    gateway.clock.wait(minutes=1)
    service, held, go = gateway.service, threading.Event(), threading.Event()

    def hold() -> None:
        # Somebody who writes of this person, so that both texts have to wait.
        with writing(service.engine) as db:
            db.execute(update(schema.person).values(language=schema.person.c.language))
            held.set()
            go.wait(10)

    holder = threading.Thread(target=hold)
    threads = [
        threading.Thread(target=phone.post, args=(text,)) for text in ("بله", "1")
    ]
    if gateway.service.engine.dialect.name == "postgresql":
        holder.start()
        assert held.wait(10)
    for thread in threads:
        thread.start()
    threading.Event().wait(0.5)
    go.set()
    for thread in threads:
        thread.join()
    if holder.ident is not None:
        holder.join()
    assert [entry for entry in logs if entry["log_level"] == "error"] == []
    with reading(service.engine) as db:
        assert erasing.is_erased(db, person_id=1)
        assert (
            hearing.waiting(db, before=gateway.clock() + timedelta(days=1), limit=9)
            == []
        )


@on_both
def test_a_receipt_that_comes_after_an_erasure_keeps_no_number(gateway: Gateway):
    gateway.pledge()
    service, hashed = gateway.service, look_up(gateway.service.keys, PHONE)
    with writing(service.engine) as db:
        row = gateway.rows("outbox")[0]
        db.execute(
            schema.attempt.insert().values(
                outbox_id=row.id,
                number=1,
                carrier="kave",
                carrier_id="m1",
                outcome="accepted",
                began_at=gateway.clock(),
                ended_at=gateway.clock(),
            )
        )
        erasing.erase(
            db,
            service.keys,
            person_id=1,
            key="k",
            channel="desk",
            by="sara",
            test=False,
            at=gateway.clock(),
        )
    with writing(service.engine) as db:
        store_receipt(
            db,
            service.keys,
            carrier="kave",
            carrier_id="m1",
            status="delivered",
            raw=f"to={PHONE}".encode(),
            at=gateway.clock(),
            look_up=hashed,
        )
        assert match_receipts(db, at=gateway.clock(), ids=[("kave", "m1")])
    (receipt,) = gateway.rows("receipt")
    assert (receipt.look_up, receipt.raw) == (None, b"")
    assert hashed not in gateway.everything_kept()


@on_both
def test_a_pledge_that_expired_meanwhile_is_not_called_cancelled(gateway: Gateway):
    gateway.pledge()
    gateway.clock.wait(hours=1)
    asked = gateway.walk("4", "1", "2", session="s2", code=ROOT_CODE)
    assert asked.text.startswith("کمک ۷۵٬۰۰۰ تومانی شما لغو شود؟")
    with writing(gateway.service.engine) as db:
        assert expire(db, pledge_id=1, at=gateway.clock()) is not None
    told = gateway.dial("4*1*2*1", session="s2", code=ROOT_CODE)
    assert "لغو شد" not in told.text
    assert "مهلت گذشته" in told.text


@on_both
def test_who_paid_a_part_and_cancelled_the_rest_is_not_told_that_all_is_paid(
    gateway: Gateway,
):
    code = gateway.pledge().code
    gateway.clock.wait(hours=1)
    _pay(gateway, code, 250_000)
    gateway.walk("4", "1", "2", "1", session="s2", code=ROOT_CODE)
    listed = gateway.walk("4", session="s3", code=ROOT_CODE)
    assert "۲۵٬۰۰۰" in listed.text
    assert "۷۵٬۰۰۰" not in listed.text
    told = gateway.walk("4", "1", session="s4", code=ROOT_CODE)
    assert told.text.startswith("رسید ۲۵٬۰۰۰ از ۷۵٬۰۰۰ تومان")


def test_an_id_that_a_restored_ledger_gives_again_is_noted_again(gateway: Gateway):
    gateway.pledge()
    service = gateway.service
    folder = service.settings.data_dir
    # Somebody had this id after the backup that was restored, and was erased then.
    with reading(service.engine) as db:
        system = erasing.ledger_id(db)
    before = gateway.clock() - timedelta(days=2)
    (folder / erased.FILE).write_text(f"{system} 1 {before.isoformat()}\n")
    with writing(service.engine) as db:
        erasing.erase(
            db,
            service.keys,
            person_id=1,
            key="k",
            channel="desk",
            by="sara",
            test=False,
            at=gateway.clock(),
        )
    assert erased.note(service.engine, folder) == 1
    assert [at for _, _, at in erased.noted(folder)] == [before, gateway.clock()]
    assert erased.note(service.engine, folder) == 0


def test_a_full_disk_leaves_no_half_a_line_among_the_erased(
    gateway: Gateway, tmp_path: Path
):
    gateway.pledge()
    service = gateway.service
    with writing(service.engine) as db:
        assert people.find(db, service.keys, PHONE) is not None
        erasing.erase(
            db,
            service.keys,
            person_id=1,
            key="k",
            channel="desk",
            by="sara",
            test=False,
            at=gateway.clock(),
        )
    folder = tmp_path / "full"
    folder.mkdir()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(Unready, match="cannot be written"):
            erased.note(service.engine, folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert erased.noted(folder) == []
    assert erased.note(service.engine, folder) == 1
