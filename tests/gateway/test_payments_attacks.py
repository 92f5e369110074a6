"""Whatever is posted to the payments' webhook: never a 500, never half of it kept."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gateway.cashier import Cashier

# One service serves all examples: each looks at what it adds, and ids are never reused
# on purpose, so what came before only makes a collision likelier.
ATTACKED = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
TABLES = ("event", "transfer", "payment", "person", "outbox", "account", "code")
REFUSED = {400, 403, 409, 413}
CHANNELS = st.sampled_from(["psp", "till", "rehearsed"])

RIGHT: dict[str, Any] = {
    "id": "p1",
    "kind": "payment",
    "amount_rial": 1_000,
    "paid_at": "2026-11-22T11:59:00+03:30",
    "reference": "r1",
}
SALE: dict[str, Any] = {
    "store": "s7",
    "terminal": "3",
    "receipt": "1",
    "amount_rial": 1_000,
    "sold_at": "2026-11-22T11:59:00+03:30",
}
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=100)
    | st.sampled_from(
        [
            "",
            "payment",
            "refund",
            "reversal",
            "100000006",
            "۱۰۰۰۰۰۰۰۶",
            "09121234567",
            "+989121234567",
            "0000001234567897",
            "2026-11-22T08:00:00Z",
            "2026-02-30T08:00:00Z",
            "a:b",
            "../../x",
            "x' OR 1=1 --",
            "\x00",
            "\ud800",
            "=1+1",
            2**63 - 1,
            2**63,
            10**15,
            10**15 + 1,
        ]
    )
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=6,
)
NAMES = st.sampled_from([*RIGHT, *SALE, "code", "phone", "currency", "x_own"])


def stored(cashier: Cashier) -> dict[str, int]:
    return {table: len(cashier.gateway.rows(table)) for table in TABLES}


def posted(cashier: Cashier, body: Any, channel: str, signed: str | None) -> None:
    """Post it, and hold the answer against what it left in the books."""
    before = stored(cashier)
    answer = cashier.post(body, channel=channel, signed=signed)
    told = answer.get_json()
    after = stored(cashier)
    if answer.status_code in REFUSED:
        assert after == before
        assert told["error"] == " ".join(told["error"].split())
        assert len(told["error"]) < 200
        return
    assert answer.status_code == 200
    assert told["status"] in ("recorded", "repeated", "suspense")
    fresh = told["status"] != "repeated"
    assert (after["event"] > before["event"]) is fresh
    assert (after["transfer"] > before["transfer"]) is fresh


@ATTACKED
@given(body=st.binary(max_size=300), channel=CHANNELS)
def test_any_bytes_that_are_signed_are_refused_whole(
    cashier: Cashier, body: bytes, channel: str
):
    posted(cashier, body, channel, None)


@ATTACKED
@given(change=st.dictionaries(NAMES, VALUES, max_size=3), channel=CHANNELS)
def test_any_values_that_are_signed_are_booked_or_refused_whole(
    cashier: Cashier, change: dict[str, Any], channel: str
):
    right = SALE if channel == "till" else RIGHT
    posted(cashier, json.dumps(right | change).encode(), channel, None)


@ATTACKED
@given(header=st.text(st.characters(codec="latin-1", exclude_categories=["Cc"])))
def test_any_header_that_is_no_signature_is_refused(cashier: Cashier, header: str):
    before = stored(cashier)
    answer = cashier.post(RIGHT, signed=header)
    assert answer.status_code == 403
    assert stored(cashier) == before


# --- texts that would lie ---


def test_a_refund_told_before_its_payment_tells_of_no_payment(cashier: Cashier):
    code = cashier.gateway.pledge().code
    cashier.pay(kind="refund", code=code)
    assert cashier.texts() == []
    assert cashier.pay(code=code).get_json()["status"] == "recorded"
    assert cashier.texts() == [("sms.refunded", {"amount": 750_000, "code": code})]
    cashier.pay(code=code)
    assert len(cashier.texts()) == 1
    assert cashier.holds() == {}


def test_a_part_that_went_back_before_it_came_is_told_beside_the_rest(
    cashier: Cashier,
):
    code = cashier.gateway.pledge().code
    cashier.pay(kind="refund", amount_rial=250_000, code=code)
    cashier.pay(code=code)
    assert cashier.texts() == [
        ("sms.paid", {"amount": 750_000, "code": code}),
        ("sms.refunded", {"amount": 250_000, "code": code}),
    ]
    assert cashier.holds()["A:Settle:psp"] == 500_000


def test_a_phone_among_the_words_of_a_reference_is_refused(cashier: Cashier):
    for words in (
        "from 09121234567",
        "ali-0912 123 4567",
        "ref 12 (+98 912 123 4567)",
        "کارت به کارت ۰۹۱۲۱۲۳۴۵۶۷",
    ):
        answer = cashier.pay(reference=words)
        assert answer.status_code == 400
        assert "1234567" not in answer.text
    for words in ("000123456789", "rrn 012345678", "12/0009", "981122334455"):
        assert cashier.pay(f"p{words}".replace(" ", "-"), reference=words).json == {
            "status": "suspense"
        }, words
