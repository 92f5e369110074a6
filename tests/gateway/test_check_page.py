"""A donor checks a gift: whoever knows code and amount gets the proof, nobody else."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest

from gateway.check_words import words_in
from gateway.checking import State
from ledger import people
from ledger.engine import writing
from ledger.erasing import erase
from ledger.sealing import leaves, notes
from ledger.sealing.tree import includes, leaf_hash
from tests.gateway.donor import asked, other, sealed
from tests.gateway.house import Gateway
from tests.ledger.books import KEYS, Books
from tests.ledger.purchases import Shop


@pytest.fixture(params=["sqlite", "postgresql"])
def gateway_database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def books(gateway: Gateway) -> Books:
    return Books(gateway.service.engine)


def forget(gateway: Gateway, phone: str) -> None:
    with writing(gateway.service.engine) as db:
        person = people.find(db, KEYS, phone)
        assert person is not None
        erase(
            db,
            KEYS,
            person_id=person.id,
            key=f"gone:{person.id}",
            channel="desk",
            by="sara",
            test=False,
            at=gateway.clock(),
        )


def test_whoever_has_code_and_amount_gets_a_proof_that_holds(
    gateway: Gateway, books: Books
) -> None:
    pledge, code = books.pledge()
    books.pledge("+989351112233", amount=1_000)
    books.pay(pledge, 250_000)
    sealed(gateway)
    answer = asked(gateway, code, "75,000")
    assert answer.status_code == 200
    told: Any = answer.json
    proof = told["proof"]
    note = notes.read(proof["checkpoint"])
    assert notes.is_signed(note, base64.b64decode(told["key"]))
    kinds = []
    for leaf in proof["leaves"]:
        data, nonce = (base64.b64decode(leaf[name]) for name in ("data", "nonce"))
        path = [base64.b64decode(step) for step in leaf["path"]]
        assert includes(note.root, note.size, leaf["number"], leaf_hash(data), path)
        shown = leaves.read(data)
        assert shown.commitment == leaves.commitment(nonce, code)
        kinds.append((shown.kind, shown.amount))
    assert kinds == [("pledge", 750_000), ("payment", 250_000)]
    assert told["seal"] == {
        "day": "۱۴۰۵/۰۹/۰۱",
        "size": note.size,
        "fingerprint": note.root.hex()[:8],
    }


@pytest.mark.parametrize("amount", ["۷۵۰۰۰", "٧٥٠٠٠", "۷۵ هزار", "750000 ریال"])
def test_digits_of_any_kind_are_taken(
    gateway: Gateway, books: Books, amount: str
) -> None:
    _, code = books.pledge()
    sealed(gateway)
    persian = code.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
    spaced = f" {persian[:3]} {persian[3:]}\u200f"
    assert asked(gateway, spaced, amount).status_code == 200


def test_what_the_gift_became_is_told(gateway: Gateway, books: Books) -> None:
    pledge, code = books.pledge()
    books.pay(pledge, 750_000)
    shop = Shop(books)
    shop.buy(500_000, quantity=240, title="<b>بسته</b>")
    shop.send(238)
    shop.deliver(200, district="12")
    sealed(gateway)
    told: Any = asked(gateway, code, "75000", "/check/proof?lang=en").json
    assert told["purpose"] == "Nowruz parcels"
    assert told["became"] == [
        {
            "title": "<b>بسته</b>",
            "number": "1",
            "amount": "50,000",
            "quantity": "240 parcels",
            "delivered": "200 parcels",
        }
    ]
    page = asked(gateway, code, "75000", "/check").text
    assert "<b>بسته" not in page
    assert "&lt;b&gt;بسته" in page
    assert "۲۰۰ بسته" in page


def test_a_gift_of_goods_is_opened_by_its_number(
    gateway: Gateway, books: Books
) -> None:
    _, code = books.pledge(amount=3, unit="parcel")
    sealed(gateway)
    assert asked(gateway, code, "۳").status_code == 200
    assert asked(gateway, code, "3 toman").status_code == 404
    assert asked(gateway, code, "30").status_code == 404


def test_a_gift_at_a_till_is_proved_too(gateway: Gateway, books: Books) -> None:
    paid = books.give(120_000)
    sealed(gateway)
    assert paid.code is not None
    assert asked(gateway, paid.code, "12000").status_code == 200


def test_a_miss_a_mismatch_and_an_erased_person_look_alike(
    gateway: Gateway, books: Books
) -> None:
    _, code = books.pledge()
    _, gone = books.pledge("+989351112233")
    _, signed_up = books.sign_up()
    sealed(gateway)
    _, gone_unsealed = books.pledge("+989361112233")
    for phone in ("+989351112233", "+989361112233"):
        forget(gateway, phone)
    asks = [
        (other(code), "75000"),
        (code, "75001"),
        (code, "7500"),
        (gone, "75000"),
        (gone_unsealed, "75000"),
        (signed_up, "75000"),
    ]
    for path in ("/check/proof", "/check"):
        answers = [asked(gateway, *ask, path) for ask in asks]
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.data for answer in answers}) == 1
        assert len({str(sorted(answer.headers)) for answer in answers}) == 1
    assert asked(gateway, code, "75000").status_code == 200


def test_what_is_not_sealed_yet_is_recorded_and_a_rehearsal_never_is(
    gateway: Gateway, books: Books
) -> None:
    _, code = books.pledge()
    _, rehearsed = books.pledge("+989351112233", test=True)
    answer = asked(gateway, code, "75000")
    assert (answer.status_code, answer.json) == (202, {"state": "waiting"})
    sealed(gateway)
    assert asked(gateway, code, "75000").status_code == 200
    answer = asked(gateway, rehearsed, "75000")
    assert (answer.status_code, answer.json) == (202, {"state": "rehearsed"})
    assert asked(gateway, rehearsed, "7500").json == {"state": "missed"}


def test_without_scripts_the_service_answers_in_its_own_word(
    gateway: Gateway, books: Books
) -> None:
    pledge, code = books.pledge()
    books.pay(pledge, 750_000)
    sealed(gateway)
    page = asked(gateway, code, "75000", "/check/").text
    assert '<html lang="fa" dir="rtl">' in page
    for said in ("۷۵٬۰۰۰", "ثبت کمک", "پرداخت", "۱۴۰۵/۰۹/۰۱", "این حرف ماست"):
        assert said in page, said
    english = asked(gateway, code, "75000", "/check/?lang=en").text
    for said in ("75,000", "Pledge", "2026-11-22", "That is our word"):
        assert said in english, said
    file = gateway.client.post(
        "/check/proof", data={"code": code, "amount": "75000", "save": "1"}
    )
    assert file.headers["Content-Disposition"] == 'attachment; filename="proof.json"'
    saved = json.loads(file.data)
    assert sorted(saved) == ["checkpoint", "code", "format", "leaves"]


def test_nobody_keeps_an_answer_and_no_script_of_another_runs(
    gateway: Gateway, books: Books
) -> None:
    _, code = books.pledge()
    sealed(gateway)
    for answer in (
        gateway.client.get("/check"),
        asked(gateway, code, "75000"),
        asked(gateway, code, "75000", "/check"),
        asked(gateway, code, "1", "/check"),
    ):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self';")
        assert "unsafe" not in policy
    page = gateway.client.get("/check").text
    assert not re.findall(r"<script(?![^>]* src=\"/check/static/)", page)
    assert "style=" not in page
    assert "://" not in page


def test_the_questions_are_asked_in_both_languages(gateway: Gateway) -> None:
    for path, language in (
        ("/check", "fa"),
        ("/check/", "fa"),
        ("/check?lang=en", "en"),
        ("/check?lang=%00", "fa"),
    ):
        answer = gateway.client.get(path)
        assert answer.status_code == 200
        assert f'<html lang="{language}"' in answer.text
    assert gateway.client.put("/check/").status_code == 405


def test_every_verdict_and_step_is_said_in_both_languages() -> None:
    persian, english = words_in("fa"), words_in("en")
    for kind in persian:
        assert persian[kind].keys() == english[kind].keys()
    assert {*State} - {State.SEALED} <= persian["verdicts"].keys()
