"""Texts that people send, and the conversations they become."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import text as sql
from structlog.typing import EventDict

from gateway.texting import desk
from gateway.texts import renderer
from ledger import enquiries, inbox
from ledger.engine import reading, writing
from ledger.vault import look_up, unseal_raw
from sms.delivery import deliver
from sms.routes import Channel, Routes
from tests.fake_carrier import FakeCarrier
from tests.gateway.correspondence import Phone
from tests.gateway.house import (
    OTHER_PHONE,
    PHONE,
    ROOT,
    Gateway,
    close_gateway,
    open_gateway,
    settings,
)

BOTH = pytest.mark.parametrize("gateway_database", ["sqlite", "postgresql"])
GIVING = "کمک شما: ۵۰٬۰۰۰ تومان\nهر جا لازم‌تر است\n1 تایید\n2 اصلاح\n0 انصراف"
CONSENT = "شماره و پاسخ برای دعوت به همکاری به بهزیستی می‌رسد.\n1 می‌پذیرم\n0 خیر"
UNKNOWN = "متوجه نشدیم؛ همکاران ما آن را می‌خوانند.\nراهنمایی: «راهنما» بفرستید."
LATE = "مهلت پاسخ گذشت؛ چیزی ثبت نشد.\nراهنمایی: «راهنما» بفرستید."
BYE = "سپاس از شما. هر وقت خواستید دوباره پیامک بدهید."
CARD = "6037991234567893"


@pytest.fixture
def phone(gateway: Gateway) -> Phone:
    return Phone(gateway)


def delivered(gateway: Gateway) -> list[str]:
    """What a carrier is handed of all that is due."""
    carrier = FakeCarrier()
    service = gateway.service
    deliver(
        service.engine,
        service.keys,
        routes=Routes([Channel("kave", carrier, "10001", "لغو۱۱")]),
        render=renderer(service.library, service.keys),
        owner="test",
        now=gateway.clock,
    )
    assert {message.to for message in carrier.sent} <= {PHONE}
    return [message.text for message in carrier.sent]


def stored(gateway: Gateway, text: str, id: str = "left") -> int:
    """A text that is stored by a process that dies before it hands it over."""
    service = gateway.service
    with writing(service.engine) as db:
        inbound_id = inbox.store_inbound(
            db,
            service.keys,
            carrier="kave",
            carrier_id=id,
            look_up=look_up(service.keys, PHONE),
            line="10001",
            raw=text.encode("utf-8", "replace"),
            keyword=None,
            at=gateway.clock(),
            words={"from": PHONE, "text": text},
        )
    assert inbound_id is not None
    return inbound_id


def codes(gateway: Gateway) -> list[str]:
    return [row.code for row in gateway.rows("code")]


def open_flows(gateway: Gateway) -> list[str]:
    return [row.flow for row in gateway.rows("question", state="open")]


# -- whole conversations --------------------------------------------------------------


@BOTH
def test_a_whole_pledge_by_text_alone(gateway: Gateway, phone: Phone):
    assert phone.post("1+1 50000").status_code == 200
    # A worker was called for it.
    assert gateway.service.redis.llen("rq:queue:texts") == 1
    assert delivered(gateway) == [GIVING]
    assert phone.post("1").status_code == 200
    (code,) = codes(gateway)
    said = f"۱+۱: ثبت کمک ۵۰٬۰۰۰ تومان\nکد {code}\nپرداخت \u200e*780*0000#\u200e"
    assert delivered(gateway) == [f"{said}\nلغو۱۱"]
    (row,) = gateway.exported()
    assert row.startswith(f"{code},2026-11-22T08:30:00Z,1405/09/01 12:00,one-plus-one,")
    assert ",needed,rial,500000,50000,0,500000,,open,kave,,,***4567,sent," in row


@pytest.mark.parametrize(
    ("begins", "agrees"),
    [
        ("۱+۱ ۵۰ هزار", "بله"),
        ("1+1:50000", "۱."),
        ("یک به علاوه یک پنجاه هزار تومان", "آره"),
        ("1+1 500000 ریال", "تاييد"),
    ],
)
def test_however_it_is_spelled(phone: Phone, begins: str, agrees: str):
    assert phone.says(begins) == [GIVING]
    (told,) = phone.says(agrees)
    assert told.startswith("۱+۱: ثبت کمک ۵۰٬۰۰۰ تومان")
    assert phone.gateway.pledged == [500_000]


def test_without_an_amount_it_is_asked_for(phone: Phone):
    (asked,) = phone.says("۱+۱")
    assert asked.startswith("مبلغ را به تومان بنویسید.")
    assert phone.says("پنجاه هزار") == [GIVING]


def test_a_mistyped_amount_is_asked_for_again(phone: Phone):
    (asked,) = phone.says("1+1 5o000")
    assert asked.startswith("مبلغ خوانده نشد.")
    assert phone.says("50000") == [GIVING]
    assert phone.walks("1").startswith("۱+۱: ثبت کمک")


def test_who_declines_gives_nothing(phone: Phone):
    assert phone.walks("1+1 50000", "خیر") == BYE
    assert phone.gateway.pledged == []
    assert phone.says("1") == []


def test_a_wrong_key_shows_the_screen_again(phone: Phone):
    told = phone.walks("1+1 50000", "7")
    assert told.startswith("گزینه درست نبود. دوباره انتخاب کنید.")
    # Both would not fit one part; the screen again, for who has deleted it.
    assert phone.says("8") == [GIVING]
    assert phone.walks("1").startswith("۱+۱: ثبت کمک")


@BOTH
def test_a_volunteer_signs_up_by_text(gateway: Gateway, phone: Phone):
    assert phone.says("داوطلب") == [CONSENT]
    assert phone.walks("بله").startswith("محله شما؟")
    assert phone.walks("3").startswith("نام استان یا شماره:")
    assert phone.walks("يزد").startswith("نام شهر یا روستا")
    assert phone.walks("میبد").startswith("چه کمکی می‌کنید؟")
    assert phone.walks("1").startswith("هفته‌ای چند ساعت؟")
    assert phone.walks("1").startswith("میبد، آموزش\nیک تا دو ساعت")
    gateway.clock.wait(seconds=20)
    told = phone.walks("1")
    (code,) = codes(gateway)
    assert told.startswith(f"سلام محله: نام شما ثبت شد. کد {code}")
    (row,) = gateway.rows("signup")
    assert (row.place, row.province, row.skill) == ("میبد", "21", "teaching")


def test_a_long_list_goes_on_with_9(phone: Phone):
    first = phone.walks("داوطلب", "1", "3")
    assert "\n9 بیشتر\n" in first
    second = phone.walks("9")
    assert second.splitlines()[1] not in first
    assert len(second) <= 70


def test_a_pledge_is_followed_by_its_code_and_by_its_phone_alone(gateway: Gateway):
    mine, theirs = Phone(gateway), Phone(gateway, OTHER_PHONE)
    mine.walks("1+1 50000", "1")
    (code,) = codes(gateway)
    (shown,) = mine.says(f"پیگیری {code}")
    assert shown.startswith(f"{code}: ۵۰٬۰۰۰ تومان، باز")
    theirs.news()
    (hidden,) = theirs.says(f"پیگیری {code}")
    assert "۵۰٬۰۰۰" not in hidden
    (listed,) = mine.says("پیگیری")[-1:]
    assert "1 باز ۵۰٬۰۰۰" in listed


def test_a_pledge_is_cancelled_by_text(gateway: Gateway, phone: Phone):
    phone.walks("1+1 50000", "1")
    (code,) = codes(gateway)
    told = phone.walks(f"پیگیری {code}", "2", "1")
    assert told == f"۱+۱: کمک {code} لغو شد؛ مبلغی دریافت نشده بود."
    assert open_flows(gateway) == []


def test_the_report_and_help_come_at_once(gateway: Gateway, phone: Phone):
    gateway.pledge()
    phone.news()
    (report,) = phone.says("گزارش")
    assert report == "۱+۱: رسیده ۰، مانده ۰ تومان؛ ۰ بسته"
    (help_,) = phone.says("راهنما")
    assert "02100000000" in help_
    assert open_flows(gateway) == []


def test_the_language_that_was_chosen_stays(phone: Phone):
    assert phone.walks("زبان", "2") == "Your language is now English."
    assert phone.walks("۱+۱ ۵۰۰۰۰").startswith("Your pledge: 50,000 toman")
    assert phone.walks("فارسی") == "زبان شما فارسی شد."


def test_a_keyword_is_answered_in_its_own_language(phone: Phone):
    assert phone.walks("give 50000").startswith("Your pledge: 50,000 toman")
    assert phone.walks("yes").startswith("1+1: pledge of 50,000 toman recorded.")


# -- several at once ------------------------------------------------------------------


def test_where_two_are_open_the_person_is_asked_which(gateway: Gateway, phone: Phone):
    phone.says("1+1 50000")
    assert phone.says("داوطلب") == [CONSENT]
    assert sorted(open_flows(gateway)) == ["give", "vol"]
    (which,) = phone.says("1")
    assert which == "پاسخ کدام؟\n1 داوطلبی\n2 کمک مالی\nشماره را بفرستید."
    assert gateway.pledged == []
    assert phone.walks("2").startswith("۱+۱: ثبت کمک")
    assert open_flows(gateway) == ["vol"]
    assert phone.walks("1").startswith("محله شما؟")


def test_an_answer_that_only_one_takes_is_that_ones(phone: Phone):
    phone.says("1+1 50000")
    phone.says("داوطلب")
    # Only the amount can be corrected.
    assert phone.walks("2").startswith("مبلغ")


def test_a_new_question_of_the_same_flow_replaces_the_older(
    gateway: Gateway, phone: Phone
):
    phone.says("1+1 50000")
    assert phone.walks("1+1 60000").startswith("کمک شما: ۶۰٬۰۰۰")
    phone.says("1")
    assert gateway.pledged == [600_000]


def test_who_only_looked_is_not_asked_which(gateway: Gateway, phone: Phone):
    phone.says("پیگیری")
    assert phone.says("1+1 50000") == [GIVING]
    assert open_flows(gateway) == ["give"]


def test_a_keyword_is_one_even_where_a_name_is_asked(gateway: Gateway, phone: Phone):
    phone.walks("داوطلب", "1", "3", "یزد")
    (help_,) = phone.says("راهنما")
    assert "02100000000" in help_
    assert phone.walks("راهنمای بالا").startswith("چه کمکی می‌کنید؟")


# -- 11 and 12 ------------------------------------------------------------------------


def test_11_is_no_answer_and_12_no_choice(gateway: Gateway, phone: Phone):
    phone.says("1+1 50000")
    assert phone.says("۱۱") == []
    assert [row.line for row in gateway.rows("stop")] == ["10001"]
    assert phone.says("12") == []
    assert gateway.rows("stop") == []
    assert open_flows(gateway) == ["give"]
    # What is asked for is answered whatever was stopped.
    phone.says("11")
    assert phone.walks("1").startswith("۱+۱: ثبت کمک")


# -- once -----------------------------------------------------------------------------


@BOTH
def test_a_doubled_text_is_answered_once(gateway: Gateway, phone: Phone):
    assert phone.says("1+1 50000", id="7") == [GIVING]
    assert phone.says("1+1 50000", id="7") == []
    assert len(phone.says("1", id="8")) == 1
    assert phone.says("1", id="8") == []
    assert gateway.pledged == [500_000]


@BOTH
def test_two_answers_at_the_same_moment_pledge_once(gateway: Gateway, phone: Phone):
    for round_ in range(3):
        phone.says("1+1 50000")
        together = Barrier(4)

        def post(id: str, together: Barrier = together) -> int:
            together.wait()
            return int(phone.post("1", id=id).status_code)

        # One of them twice, as the carrier's own retry.
        ids = [f"{round_}a", f"{round_}a", f"{round_}b", f"{round_}c"]
        with ThreadPoolExecutor(4) as threads:
            assert list(threads.map(post, ids)) == [200] * 4
        assert len(phone.news()) == 1
        assert len(gateway.pledged) == round_ + 1


@BOTH
def test_two_keywords_at_the_same_moment_leave_one_question(
    gateway: Gateway, phone: Phone
):
    together = Barrier(3)

    def post(amount: str) -> None:
        together.wait()
        phone.post(f"1+1 {amount}")

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(post, ["50000", "60000", "70000"]))
    assert open_flows(gateway) == ["give"]
    assert len(phone.news()) == 3


@BOTH
def test_what_a_death_left_behind_is_swept_up_once(gateway: Gateway, phone: Phone):
    stored(gateway, "1+1 50000")
    texting = gateway.service.texting
    assert texting.sweep(gateway.clock()) == 0
    gateway.clock.wait(seconds=31)
    assert texting.sweep(gateway.clock()) == 1
    assert phone.news() == [GIVING]
    assert texting.sweep(gateway.clock()) == 0
    assert phone.news() == []


def test_an_answer_that_came_before_its_question_is_none(
    gateway: Gateway, phone: Phone
):
    left = stored(gateway, "1")
    gateway.clock.wait(seconds=60)
    phone.says("1+1 50000")
    gateway.service.texting.handle([left], gateway.clock())
    assert gateway.pledged == []
    assert open_flows(gateway) == ["give"]


def test_a_text_that_cannot_be_handled_is_read_by_a_person(
    gateway: Gateway, phone: Phone
):
    left, service = stored(gateway, "1+1 50000"), gateway.service
    with writing(service.engine) as db:
        db.execute(sql("ALTER TABLE question RENAME TO gone"))
    for _ in range(5):
        service.texting.handle([left], gateway.clock())
    assert [(row.tries, row.handled_at) for row in gateway.rows("inbound")] == [
        (5, None)
    ]
    gateway.clock.wait(seconds=31)
    assert service.texting.sweep(gateway.clock()) == 0
    gateway.clock.wait(minutes=12)
    service.texting.sweep(gateway.clock())
    with writing(service.engine) as db:
        db.execute(sql("ALTER TABLE gone RENAME TO question"))
    with reading(service.engine) as db:
        (asked,) = enquiries.listed(db, service.keys)
    assert asked.words == "1+1 50000"
    assert phone.news() == []


def test_a_question_stays_on_the_menus_it_was_asked_by(
    gateway: Gateway, phone: Phone, tmp_path: Path
):
    phone.says("1+1 50000")
    changed = tmp_path / "menus.yaml"
    source = (ROOT / "menus.yaml").read_text(encoding="utf-8")
    changed.write_text(source.replace("کمک شما: {", "نذر شما: {"), encoding="utf-8")
    gateway.load_menus(changed)
    assert phone.walks("7", "8") == GIVING
    assert phone.walks("1+1 50000").startswith("نذر شما: ")


# -- late -----------------------------------------------------------------------------


def test_an_answer_after_a_day_is_told_that_it_is_late(gateway: Gateway, phone: Phone):
    phone.says("1+1 50000")
    gateway.clock.wait(hours=24)
    assert phone.says("1") == [LATE]
    assert gateway.pledged == []
    assert [row.state for row in gateway.rows("question")] == ["expired"]
    assert gateway.rows("enquiry") == []


def test_who_answers_twice_is_not_told_that_it_was_late(gateway: Gateway, phone: Phone):
    phone.walks("1+1 50000", "1")
    gateway.clock.wait(hours=25)
    assert phone.says("1") == [UNKNOWN]


def test_the_sweep_closes_and_empties_old_questions(gateway: Gateway, phone: Phone):
    phone.says("1+1 50000")
    gateway.clock.wait(hours=24)
    gateway.service.texting.sweep(gateway.clock())
    assert [(q.state, q.session) for q in gateway.rows("question")] == [
        ("expired", b"")
    ]


# -- the help desk --------------------------------------------------------------------


@BOTH
def test_an_unknown_text_is_read_and_answered_by_a_person(
    gateway: Gateway, phone: Phone
):
    service = gateway.service
    assert phone.says("کی پول من می‌رسد؟") == [UNKNOWN]
    # The next ones are kept too, and not answered by a machine again.
    assert phone.says("لطفا جواب بدهید") == []
    with reading(service.engine) as db:
        first, second = enquiries.listed(db, service.keys)
    assert (first.phone, first.words) == ("***4567", "کی پول من می‌رسد؟")
    parts = service.engine, service.keys, service.library, service.routes
    desk.answer(
        *parts, enquiry_id=first.id, words=" فردا ", by="mina", at=gateway.clock()
    )
    assert phone.news() == ["۱+۱: فردا"]
    with pytest.raises(enquiries.NotOpen):
        desk.answer(
            *parts, enquiry_id=first.id, words="باز", by="mina", at=gateway.clock()
        )
    desk.close(
        service.engine,
        service.routes,
        enquiry_id=second.id,
        by="mina",
        why="the same",
        at=gateway.clock(),
    )
    assert phone.news() == []
    with reading(service.engine) as db:
        assert enquiries.listed(db, service.keys) == []
    kinds = [row.kind for row in gateway.rows("event")]
    assert kinds == ["text.unknown", "enquiry.answered", "enquiry.closed"]


@pytest.mark.parametrize("words", ["", "  ", "ض" * 241, f"کارت {CARD}"])
def test_what_the_desk_may_not_send(gateway: Gateway, phone: Phone, words: str):
    service = gateway.service
    phone.says("سلام، سوالی دارم")
    with pytest.raises(desk.NoAnswer):
        desk.answer(
            service.engine,
            service.keys,
            service.library,
            service.routes,
            enquiry_id=1,
            words=words,
            by="mina",
            at=gateway.clock(),
        )


def test_a_sentence_is_no_answer_to_a_menu(gateway: Gateway, phone: Phone):
    phone.says("1+1 50000")
    assert phone.says("سلام، این برای چه کسی است؟") == [UNKNOWN]
    assert phone.walks("1").startswith("۱+۱: ثبت کمک")


def test_after_half_a_day_an_unknown_text_is_answered_again(
    gateway: Gateway, phone: Phone
):
    phone.says("سلام")
    gateway.clock.wait(hours=11)
    assert phone.says("سلام") == []
    gateway.clock.wait(hours=2)
    assert phone.says("سلام") == [UNKNOWN]


# -- machines -------------------------------------------------------------------------


def test_the_same_text_three_times_in_an_hour_is_a_machines(
    gateway: Gateway, phone: Phone
):
    assert [len(phone.says("1+1 50000")) for _ in range(4)] == [1, 1, 0, 0]
    assert [len(phone.says("پیام شما دریافت شد")) for _ in range(4)] == [1, 0, 0, 0]
    assert len(gateway.rows("enquiry")) == 2
    gateway.clock.wait(hours=1, seconds=1)
    assert phone.says("1+1 50000") == [GIVING]


def test_who_gives_three_times_in_an_hour_is_no_machine(gateway: Gateway, phone: Phone):
    for _ in range(3):
        assert phone.walks("1+1 50000", "1").startswith("۱+۱: ثبت کمک")
    assert len(gateway.pledged) == 3


def test_a_phone_gets_five_replies_an_hour_and_twenty_a_day(
    gateway: Gateway, phone: Phone
):
    got = [len(phone.says(f"1+1 {amount}000")) for amount in range(10, 20)]
    assert got == [1] * 5 + [0] * 5
    total = 5
    for _ in range(5):
        gateway.clock.wait(hours=1, seconds=1)
        total += sum(len(phone.says(f"1+1 {amount}000")) for amount in range(10, 20))
    assert total == 20


def test_two_gateways_that_answer_each_other_fall_silent(
    gateway: Gateway, phone: Phone
):
    """Each of our replies comes back to us, as an autoresponder would send it."""
    said, turns = phone.says("سلام"), 0
    while said and turns < 50:
        turns += 1
        said = phone.says(said[0])
    assert turns < 5


@pytest.mark.parametrize("number", ["+982188776655", "+9898000"])
def test_what_no_person_holds_gets_no_reply(gateway: Gateway, number: str):
    phone = Phone(gateway, number)
    assert phone.says("1+1 50000") == []
    assert phone.says("تخفیف ویژه!") == []
    assert gateway.rows("enquiry") == []
    assert all(row.handled_at for row in gateway.rows("inbound"))


# -- what is not kept -----------------------------------------------------------------


def test_a_card_number_is_not_kept_and_nothing_is_lost_by_it(
    gateway: Gateway, phone: Phone
):
    phone.says("1+1 50000")
    (told,) = phone.says(f"کارت من {CARD[:8]} {CARD[8:]}")
    assert told.startswith("شماره کارت یا رمز نفرستید")
    row = gateway.rows("inbound")[-1]
    assert row.words is None
    assert unseal_raw(gateway.service.keys, row.raw) == b""
    assert gateway.rows("enquiry") == []
    assert phone.walks("1").startswith("۱+۱: ثبت کمک")


def test_what_is_said_stands_sealed(gateway: Gateway, phone: Phone):
    phone.walks("داوطلب", "1", "3", "یزد", "میبد")
    phone.says("حرف خصوصی من")
    kept = gateway.everything_kept()
    for private in ("میبد", "حرف خصوصی", "989121234567"):
        assert private.encode() not in kept
        assert private.encode("unicode_escape") not in kept


def test_no_number_and_no_word_is_logged(
    gateway: Gateway, phone: Phone, logs: list[EventDict]
):
    phone.walks("1+1 50000", "1")
    phone.says("حرف خصوصی من")
    logged = str(logs)
    assert "text_heard" in logged
    assert "9121234567" not in logged
    assert "خصوصی" not in logged


# -- rehearsals -----------------------------------------------------------------------


def test_a_rehearsal_by_text_stays_one(
    sqlite_ledger_url: str, redis_url: str, tmp_path: Path
):
    given = settings(sqlite_ledger_url, redis_url, tmp_path)
    trial = given.sms["kave"].model_copy(update={"test": True})
    channels = given.sms | {"trial": trial}
    gateway = open_gateway(given.model_copy(update={"sms": channels}))
    real, rehearsed = Phone(gateway), Phone(gateway, channel="trial")
    rehearsed.says("1+1 50000")
    real.news()
    # Another's question: this phone has none.
    assert real.says("1") == [UNKNOWN]
    rehearsed.says("1")
    assert len(gateway.pledged) == 1
    assert gateway.exported() == []
    assert [row.test for row in gateway.rows("outbox")] == [True, False, True]
    close_gateway(gateway)


# -- whatever comes -------------------------------------------------------------------


@hypothesis_settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
    ],
)
@given(
    texts=st.lists(
        st.one_of(
            st.text(max_size=300),
            st.sampled_from(
                ["1+1 50000", "داوطلب", "پیگیری", "1", "2", "3", "9", "0", "بله", "یزد"]
            ),
            st.text(alphabet="😀۱1+ \u200c\u0640\x00\ud800\n", max_size=40),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_no_text_breaks_a_conversation(gateway: Gateway, texts: list[str]):
    gateway.clock.wait(days=2)
    for text in texts:
        before = len(gateway.rows("inbound"))
        left = stored(gateway, text, f"any-{before}")
        gateway.service.texting.handle([left], gateway.clock())
    assert all(row.handled_at for row in gateway.rows("inbound"))
