"""What services and tills post, read without a guess."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.payments.form import Form, Fund, Kind, Notice, Setup, Unreadable, Unsigned
from gateway.payments.pos import Pos
from gateway.payments.signed_json import SignedJson
from gateway.payments.signing import signature

NOON = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
SECRET = b"a secret of the channel"
SETUP = Setup(SECRET, timedelta(days=1), "IR")
TILL = Setup(SECRET, timedelta(days=1), "IR", "one-plus-one", "nowruz")
PAID: dict[str, Any] = {
    "id": "psp-1",
    "kind": "payment",
    "amount_rial": 500_000,
    "paid_at": "2026-11-22T11:59:00+03:30",
    "code": "123456785",
}
SOLD: dict[str, Any] = {
    "store": "shahrvand-7",
    "terminal": "3",
    "receipt": "14050901-0042",
    "amount_rial": 50_000,
    "sold_at": "2026-11-22T11:59:00+03:30",
}
# A number that passes Luhn and is nobody's: the issuer 000000 does not exist.
CARD = "0000001234567897"


def read(body: dict[str, Any] | bytes, form: Form | None = None) -> Notice:
    """Read a body that is rightly signed."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"x-signature": signature(SECRET, raw, NOON)}
    return (form or SignedJson(SETUP)).read(headers, raw, NOON)


def why(body: dict[str, Any] | bytes, form: Form | None = None) -> str:
    """The one line that a body is refused with."""
    with pytest.raises(Unreadable) as refused:
        read(body, form)
    line = str(refused.value)
    assert "\n" not in line
    return line


# -- what is taken -------------------------------------------------------------


def test_a_payment_is_read_as_it_was_meant():
    assert read(PAID) == Notice(
        id="psp-1",
        kind=Kind.PAYMENT,
        amount=500_000,
        paid_at=datetime(2026, 11, 22, 8, 29, tzinfo=UTC),
        code="123456785",
    )


@pytest.mark.parametrize(
    "written", ["09121234567", "+98 912 123 4567", "۰۹۱۲۱۲۳۴۵۶۷", "989121234567"]
)
def test_one_phone_is_one_number_however_it_is_written(written: str):
    told = read(PAID | {"phone": written, "code": None})
    assert (told.phone, told.code) == ("+989121234567", None)


def test_a_mobile_prefix_newer_than_the_tables_is_a_mobile():
    assert read(PAID | {"phone": "09991234567"}).phone == "+989991234567"


def test_a_code_in_persian_digits_is_that_code():
    assert read(PAID | {"code": " ۱۲۳ ۴۵۶ ۷۸۵ "}).code == "123456785"


def test_a_code_with_a_slip_in_it_is_read_because_the_money_is_real():
    assert read(PAID | {"code": "123456789"}).code == "123456789"


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-11-22T08:29:00Z", (8, 29, 0, 0)),
        ("2026-11-22t08:29:00z", (8, 29, 0, 0)),
        ("2026-11-22 11:59:00+03:30", (8, 29, 0, 0)),
        ("2026-11-22T08:29:00.123456789Z", (8, 29, 0, 123456)),
    ],
)
def test_every_form_of_rfc_3339_is_the_same_moment(
    written: str, moment: tuple[int, int, int, int]
):
    expected = datetime(2026, 11, 22, *moment, tzinfo=UTC)
    assert read(PAID | {"paid_at": written}).paid_at == expected


def test_a_reference_keeps_its_words_and_loses_what_nobody_sees():
    told = read(PAID | {"reference": " واریز  مدرسه\u200cی \u200e7 "})
    assert told.reference == "واریز مدرسهی 7"


@pytest.mark.parametrize(
    "reference", ["140509011234", "989121234567", "12345678901234567890"]
)
def test_a_long_reference_of_a_bank_is_none_of_the_things_it_may_not_hold(
    reference: str,
):
    assert read(PAID | {"reference": reference}).reference == reference


def test_a_field_of_the_senders_own_is_passed_over():
    assert read(PAID | {"x_basket": [1.5, {"a": None}][1:]}) == read(PAID)


def test_a_sale_is_a_gift_for_what_the_settings_say():
    told = read(SOLD | {"phone": "09121234567"}, Pos(TILL))
    assert told == Notice(
        id="shahrvand-7/3/14050901-0042",
        kind=Kind.PAYMENT,
        amount=50_000,
        paid_at=datetime(2026, 11, 22, 8, 29, tzinfo=UTC),
        phone="+989121234567",
        gift=Fund("one-plus-one", "nowruz"),
        partner="shahrvand-7",
    )
    assert "+98912" not in repr(told)


def test_two_sales_never_share_an_id():
    """A stroke in a part would make store a/b, till c look like store a, till b/c."""
    assert "store" in why(SOLD | {"store": "a/b"}, Pos(TILL))


# -- what is refused -----------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"amount_rial": 0}, "amount_rial"),
        ({"amount_rial": -500_000}, "amount_rial"),
        ({"amount_rial": 2**63}, "amount_rial"),
        ({"amount_rial": True}, "amount_rial"),
        ({"amount_rial": "500000"}, "amount_rial"),
        ({"amount_rial": None}, "amount_rial: is missing"),
        ({"amount_rial": 5.0}, "fraction"),
        ({"currency": "USD"}, "currency: there is no such field"),
        ({"amount_toman": 50_000}, "amount_toman: there is no such field"),
        ({"09121234567": 1}, "a field: there is no such field"),
        ({"id": ""}, "id"),
        ({"id": "a" * 81}, "id"),
        ({"id": "a b"}, "id"),
        ({"id": "a\n"}, "id"),
        ({"id": "یک"}, "id"),
        ({"id": 7}, "id"),
        ({"kind": "gift"}, "kind"),
        ({"kind": ["payment"]}, "kind"),
        ({"code": "12345678"}, "code"),
        ({"code": 123456785}, "code"),
        ({"code": "²23456785"}, "code"),
        ({"phone": "02188776655"}, "phone"),
        ({"phone": "+98" + "9" * 40}, "phone"),
        ({"phone": "0912"}, "phone"),
        ({"reference": "r" * 81}, "reference"),
        ({"reference": "a\x00b"}, "reference"),
        ({"reference": "a\x1b[2J"}, "reference"),
        ({"reference": "\ud800"}, "reference"),
        ({"reference": " \u200e "}, "reference"),
        ({"reference": CARD}, "reference: a card number"),
        ({"reference": "کارت 0000-0012-3456-7897"}, "reference: a card number"),
        ({"reference": "09121234567"}, "reference: a phone number"),
        ({"reference": "+98 912 123-4567"}, "reference: a phone number"),
        ({"paid_at": "2026-11-22T08:29:00"}, "paid_at"),
        ({"paid_at": "2026-11-22"}, "paid_at"),
        ({"paid_at": "2026-11-31T08:29:00Z"}, "paid_at"),
        ({"paid_at": "2026-11-22T08:29:00+24:00"}, "paid_at"),
        ({"paid_at": "0001-01-01T00:00:00+14:00"}, "paid_at"),
        ({"paid_at": "9999-12-31T23:59:59-14:00"}, "paid_at"),
        ({"paid_at": "1999-12-31T23:59:59Z"}, "before the year 2000"),
        ({"paid_at": "2026-11-23T08:31:00Z"}, "more than a day"),
        ({"paid_at": 1_795_000_000}, "paid_at"),
        ({"code": None}, "one of code, phone and reference"),
    ],
)
def test_what_is_no_payment_is_refused_with_its_field_and_not_its_value(
    change: dict[str, Any], named: str
):
    line = why(PAID | change)
    assert named in line
    assert "0912" not in line
    assert CARD not in line


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e9", "5.0", "1E2"])
def test_a_number_that_is_not_whole_is_refused_wherever_it_stands(value: str):
    body = json.dumps(PAID | {"x_own": 7}).replace("7", value)
    assert why(body.encode())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"payment"',
        b"{",
        b"\xef\xbb\xbf{}",
        b'{"id": "\xff"}',
        b"[" * 16_000,
        b'{"a":' * 3_000,
        b'{"amount_rial": ' + b"9" * 5_000 + b"}",
        b"id=psp-1&amount_rial=500000",
    ],
)
def test_what_is_no_json_object_is_refused_in_one_line(body: bytes):
    assert why(body)


def test_a_field_that_is_given_twice_is_refused_even_with_one_value():
    body = json.dumps(PAID)[:-1] + ', "amount_rial": 500000}'
    assert why(body.encode()) == "amount_rial: is given twice"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"terminal": ""}, "terminal"),
        ({"receipt": "9" * 39}, "receipt"),
        ({"store": None}, "store: is missing"),
        ({"kind": "refund"}, "kind: there is no such field"),
        ({"phone": "12"}, "phone"),
        ({"sold_at": "yesterday"}, "sold_at"),
        ({"amount_rial": 0}, "amount_rial"),
    ],
)
def test_what_is_no_sale_is_refused_with_its_field(change: dict[str, Any], named: str):
    assert named in why(SOLD | change, Pos(TILL))


def test_a_till_without_a_campaign_is_no_till():
    with pytest.raises(ValueError, match="campaign and purpose"):
        Pos(SETUP)


# -- who signed ----------------------------------------------------------------


def unsigned(header: str | None, body: bytes = b"{}", at: datetime = NOON) -> str:
    headers = {} if header is None else {"x-signature": header}
    with pytest.raises(Unsigned) as refused:
        SignedJson(SETUP).read(headers, body, at)
    return str(refused.value)


RIGHT = signature(SECRET, b"{}", NOON)
TIME, MAC = RIGHT.split(",")


def test_the_signature_is_the_published_one():
    """By openssl: printf '1795336200.{}' | openssl dgst -sha256 -hmac 'a secret…'."""
    assert RIGHT == (
        "t=1795336200,"
        "v1=987e390fc3e0d963e9d5e632df65958404538f7b77c2f8e3a5daa0e5dadabcd2"
    )


@pytest.mark.parametrize(
    ("header", "named"),
    [
        (None, "missing"),
        ("", "missing"),
        ("v1=" + "0" * 64, "one t"),
        (f"{TIME},{RIGHT}", "one t"),
        (f"t=now,{MAC}", "one t"),
        (f"t=-1,{MAC}", "one t"),
        (f"t=\u0661,{MAC}", "one t"),
        (f"t={'9' * 13},{MAC}", "one t"),
        (TIME, "v1"),
        (f"{TIME},v1=", "hexadecimal"),
        (f"{TIME},v1={'0' * 63}", "hexadecimal"),
        (f"{TIME},v1={'g' * 64}", "hexadecimal"),
        (f"{TIME},{MAC},v1=x", "hexadecimal"),
        (f"{TIME},v0={MAC[3:]}", "v1"),
        (f"{TIME}," + ",".join([MAC] * 9), "v1"),
        (f"{TIME},v1={'0' * 64}", "not the signature"),
        (f"t=1795336201,{MAC}", "not the signature"),
        (RIGHT + "," * 1_000, "characters"),
    ],
)
def test_a_signature_that_is_not_right_is_refused(header: str | None, named: str):
    assert named in unsigned(header)


def test_a_body_changed_by_one_letter_is_not_what_was_signed():
    assert "not the signature" in unsigned(RIGHT, b"{ }")


def test_another_secret_signs_nothing():
    header = signature(b"another secret", b"{}", NOON)
    assert "not the signature" in unsigned(header)


@pytest.mark.parametrize("seconds", [-86_401, 86_401])
def test_a_signature_too_far_away_is_refused_on_either_side(seconds: int):
    at = NOON + timedelta(seconds=seconds)
    assert "too far" in unsigned(RIGHT, at=at)


@pytest.mark.parametrize("seconds", [-86_400, 0, 86_400])
def test_a_signature_within_the_tolerance_is_taken(seconds: int):
    raw = json.dumps(PAID | {"paid_at": "2026-11-20T00:00:00Z"}).encode()
    headers = {"x-signature": signature(SECRET, raw, NOON)}
    told = SignedJson(SETUP).read(headers, raw, NOON + timedelta(seconds=seconds))
    assert told.id == "psp-1"


def test_one_right_signature_of_several_is_enough_while_a_secret_changes():
    raw = json.dumps(PAID).encode()
    time, right = signature(SECRET, raw, NOON).split(",")
    header = f"{time},v1={'0' * 64}, {right.upper().replace('V1', 'v1')},v2=later"
    told = SignedJson(SETUP).read({"x-signature": header}, raw, NOON)
    assert told.id == "psp-1"


# -- anything at all -----------------------------------------------------------


@given(st.binary(max_size=200))
def test_any_bytes_are_a_notice_or_one_line(body: bytes):
    assert why(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*PAID, "phone", "reference"]), JSON))
def test_any_values_are_a_notice_or_one_line(change: dict[str, Any]):
    raw = json.dumps(PAID | change).encode()
    try:
        told = read(raw)
    except Unreadable as reason:
        line = str(reason)
    else:
        line = ""
        assert 0 < told.amount <= 10**15
        assert told.paid_at.tzinfo is UTC
    assert "\n" not in line
    assert len(line) < 200
