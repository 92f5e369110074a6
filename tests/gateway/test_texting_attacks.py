"""What somebody hostile, impatient or mechanical does to conversations by text."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import text as sql

from gateway.texting import desk
from ledger import enquiries
from ledger.engine import reading, writing
from ledger.vault import unseal_raw
from tests.gateway.correspondence import Phone
from tests.gateway.house import OTHER_PHONE, ROOT, Gateway
from tests.gateway.test_texting import BOTH, CARD, GIVING, LATE, open_flows, stored

POSTGRES = pytest.mark.parametrize("gateway_database", ["postgresql"])


@pytest.fixture
def phone(gateway: Gateway) -> Phone:
    return Phone(gateway)


# -- nothing is agreed to that was not read -------------------------------------------


@BOTH
def test_a_yes_that_is_sent_twice_agrees_to_no_screen_behind_it(
    gateway: Gateway, phone: Phone
):
    assert phone.walks("1+1 50").startswith("منظورتان ۵۰٬۰۰۰ تومان است؟")
    assert phone.says("1", id="a") == [GIVING]
    gateway.clock.wait(seconds=3)
    assert phone.says("1", id="b") == []
    assert gateway.pledged == []
    gateway.clock.wait(seconds=8)
    assert phone.walks("1").startswith("۱+۱: ثبت کمک")
    assert gateway.pledged == [500_000]


def test_a_yes_sent_behind_its_keyword_agrees_to_nothing(
    gateway: Gateway, phone: Phone
):
    keyword, yes = stored(gateway, "1+1 50000", "a"), stored(gateway, "1", "b")
    gateway.clock.wait(seconds=2)
    gateway.service.texting.handle([keyword, yes], gateway.clock())
    assert phone.news() == [GIVING]
    assert gateway.pledged == []
    assert phone.walks("1").startswith("۱+۱: ثبت کمک")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("paused: false", "paused: true", "دریافت کمک در این پویش موقتا متوقف است."),
        ("from: 1405/01/01", "to: 1405/08/01", "مهلت این پویش پایان یافته"),
        ("one-plus-one:", "two-plus-two:", "دریافت کمک در این پویش موقتا متوقف است."),
    ],
)
def test_a_campaign_that_was_paused_takes_no_answer_of_before(
    gateway: Gateway, phone: Phone, tmp_path: Path, old: str, new: str, said: str
):
    phone.says("1+1 50000")
    changed = tmp_path / "menus.yaml"
    source = (ROOT / "menus.yaml").read_text(encoding="utf-8")
    changed.write_text(source.replace(old, new, 1), encoding="utf-8")
    gateway.load_menus(changed)
    assert phone.walks("1").startswith(said)
    assert gateway.pledged == []


@pytest.mark.parametrize(
    "text", ["1+1 50000 1", "1+1 50000*1", "1+1 50000\n1", "1+1 50000، بله", "1+1*5*1"]
)
def test_nothing_is_pledged_by_one_text(gateway: Gateway, phone: Phone, text: str):
    phone.says(text)
    assert gateway.pledged == []


def test_an_old_text_does_not_choose_between_two_questions(
    gateway: Gateway, phone: Phone
):
    left = stored(gateway, "2")
    gateway.clock.wait(seconds=60)
    phone.walks("1+1 50000")
    phone.walks("داوطلب")
    assert phone.walks("1").startswith("پاسخ کدام؟")
    gateway.service.texting.handle([left], gateway.clock())
    assert gateway.pledged == []
    assert phone.walks("2").startswith("۱+۱: ثبت کمک")


def test_the_answer_that_asked_which_does_not_choose_by_coming_twice(
    gateway: Gateway, phone: Phone
):
    phone.walks("داوطلب")
    phone.walks("1+1 50000")
    assert "1 کمک مالی" in phone.walks("1")
    assert phone.says("1") == []
    assert gateway.pledged == []
    gateway.clock.wait(seconds=10)
    assert phone.walks("1").startswith("۱+۱: ثبت کمک")


def test_who_chooses_a_question_that_is_gone_answers_no_other(
    gateway: Gateway, phone: Phone
):
    phone.walks("داوطلب")
    gateway.clock.wait(hours=12)
    phone.walks("1+1 50000")
    assert "2 داوطلبی" in phone.walks("1")
    gateway.clock.wait(hours=12)
    assert phone.says("2") == [LATE]
    assert gateway.pledged == []
    assert phone.walks("1").startswith("۱+۱: ثبت کمک")


def test_another_phones_answer_is_none(gateway: Gateway, phone: Phone):
    phone.says("1+1 50000")
    Phone(gateway, OTHER_PHONE).says("1")
    assert gateway.pledged == []
    assert open_flows(gateway) == ["give"]


# -- once -----------------------------------------------------------------------------


@POSTGRES
def test_texts_that_four_processes_handle_at_once_are_answered_once(
    gateway: Gateway, phone: Phone
):
    said = ["1+1 50000", "1", "داوطلب", "1", "پیگیری", "2", "0", "گزارش", "سلام"]
    chance = random.Random(4)
    texting, together = gateway.service.texting, Barrier(4)
    for round_ in range(8):
        gateway.clock.wait(hours=3)
        left = [
            stored(gateway, chance.choice(said), f"{round_}-{nth}") for nth in range(5)
        ]
        orders = [chance.sample(left, len(left)) for _ in range(4)]

        def handle(order: list[int]) -> None:
            together.wait()
            texting.handle(order, gateway.clock())

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(handle, orders))
    rows = gateway.rows("inbound")
    assert {row.tries for row in rows} == {0}
    assert all(row.handled_at for row in rows)
    replies = [row.key for row in gateway.rows("event") if row.key.startswith("reply:")]
    assert len(replies) == len(set(replies)) <= len(rows)
    asked = gateway.rows("question", state="open")
    assert len({row.flow for row in asked}) == len(asked)


# -- machines and floods --------------------------------------------------------------


def test_card_numbers_are_not_answered_without_end(gateway: Gateway, phone: Phone):
    got = [len(phone.says(f"{CARD} {nth}")) for nth in range(8)]
    assert got == [1] * 5 + [0] * 3
    assert all(row.words is None for row in gateway.rows("inbound"))


@pytest.mark.parametrize("word", ["گزارش", "راهنما", "پاک", "فارسی", "پیگیری", "سلام"])
def test_one_phone_gets_twenty_texts_a_day_whatever_it_sends(
    gateway: Gateway, phone: Phone, word: str
):
    got = 0
    for _ in range(6):
        got += sum(len(phone.says(f"{word}{'.' * nth}")) for nth in range(8))
        gateway.clock.wait(hours=1, seconds=1)
    assert got <= 20


# -- what is not kept -----------------------------------------------------------------


def test_a_card_number_at_the_end_of_a_long_text_is_not_kept(
    gateway: Gateway, phone: Phone
):
    left = stored(gateway, "سلام " * 1000 + CARD)
    gateway.service.texting.handle([left], gateway.clock())
    (row,) = gateway.rows("inbound")
    assert row.words is None
    assert gateway.rows("enquiry") == []


@pytest.mark.parametrize(
    "why", ["called 09121234567", "رفت به ۰۹۱۲ ۱۲۳ ۴۵۶۷", f"card {CARD}"]
)
def test_a_reason_with_a_number_is_not_kept(gateway: Gateway, phone: Phone, why: str):
    phone.says("سلام، سوالی دارم")
    service = gateway.service
    with pytest.raises(desk.NoAnswer, match="no phone or card number"):
        desk.close(
            service.engine,
            service.routes,
            enquiry_id=1,
            by="mina",
            why=why,
            at=gateway.clock(),
        )


# -- faults ---------------------------------------------------------------------------


@BOTH
def test_a_text_is_not_lost_while_the_desk_cannot_have_it(
    gateway: Gateway, phone: Phone
):
    stored(gateway, "1+1 50000")
    service = gateway.service
    _rename(gateway, "question", "gone")
    _rename(gateway, "enquiry", "gone_too")
    for _ in range(10):
        gateway.clock.wait(minutes=20)
        service.texting.sweep(gateway.clock())
    _rename(gateway, "gone_too", "enquiry")
    gateway.clock.wait(hours=2)
    service.texting.sweep(gateway.clock())
    _rename(gateway, "gone", "question")
    with reading(service.engine) as db:
        (asked,) = enquiries.listed(db, service.keys)
    assert asked.words == "1+1 50000"


def test_a_fault_of_some_minutes_costs_no_answer(gateway: Gateway, phone: Phone):
    stored(gateway, "1+1 50000")
    _rename(gateway, "question", "gone")
    for _ in range(30):
        gateway.clock.wait(seconds=20)
        gateway.service.texting.sweep(gateway.clock())
    _rename(gateway, "gone", "question")
    gateway.clock.wait(minutes=10)
    gateway.service.texting.sweep(gateway.clock())
    assert phone.news() == [GIVING]
    assert gateway.rows("enquiry") == []


@BOTH
@pytest.mark.parametrize("text", ["\x00", "1+1 50\x00000", "پیگیری 12\x003456789"])
def test_a_character_that_is_none_breaks_nothing(
    gateway: Gateway, phone: Phone, text: str
):
    for nth, said in enumerate(["داوطلب", "1", "3", "یزد", "می\x00بد", text]):
        left = stored(gateway, said, f"nul-{nth}")
        gateway.service.texting.handle([left], gateway.clock())
    assert {(row.tries, row.handled_at) for row in gateway.rows("inbound")} == {
        (0, gateway.clock())
    }


# -- who wants no more ----------------------------------------------------------------


@pytest.mark.parametrize(
    "word",
    ["11", "1️⃣1️⃣", "۱ ۱", "«۱۱»", "لَغو", "عدد ۱۱", "لغو پیامک‌ها", "Cancel", "QUIT"]
    + ["opt-out", "end.", "S T O P", "stop all", "دیگر نفرستید", "نفرستید!"],
)
def test_a_stop_is_obeyed_however_it_is_said(gateway: Gateway, phone: Phone, word: str):
    phone.says("1+1 50000")
    assert phone.says(word) == []
    assert [row.line for row in gateway.rows("stop")] == ["10001"]
    assert open_flows(gateway) == ["give"]


def _rename(gateway: Gateway, old: str, new: str) -> None:
    with writing(gateway.service.engine) as db:
        db.execute(sql(f"ALTER TABLE {old} RENAME TO {new}"))


@pytest.mark.parametrize(
    "words", ["کد ملی من 0013542419 است", "۰۰۱۳۵۴۲۴۱۹ را ثبت کنید"]
)
def test_a_national_id_does_not_stay_at_the_help_desk(
    gateway: Gateway, phone: Phone, words: str
) -> None:
    assert "کارت" in phone.says(words)[0]
    assert gateway.rows("enquiry") == []
    (row,) = gateway.rows("inbound")
    assert unseal_raw(gateway.service.keys, row.raw) == b""
    assert row.handled_at is not None
