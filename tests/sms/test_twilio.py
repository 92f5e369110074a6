"""Twilio's signatures: the published vector, and what would get around them."""

from __future__ import annotations

import hashlib

import httpx
import pytest

from sms.carrier import Forged, Posted
from sms.carriers.twilio import signature_of
from tests.sms.posts import build, posted

URL = "https://give.example.org/sms/it/key/receipts?id=41"


def test_the_published_vector_is_signed_as_published() -> None:
    fields = [
        ("To", b"+18005551212"),
        ("CallSid", b"CA1234567890ABCDE"),
        ("Digits", b"1234"),
        ("Caller", b"+12349013030"),
        ("From", b"+12349013030"),
    ]
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert signature_of(url, fields, "12345") == "0/KCTR6DLpKmkAf8muzZqo1nDgQ="


def test_a_field_that_is_given_twice_counts_with_each_value() -> None:
    once = [("a", b"1"), ("a", b"2")]
    assert signature_of(URL, once, "k") == signature_of(URL, [*once[::-1], *once], "k")
    assert signature_of(URL, once, "k") != signature_of(URL, once[:1], "k")


@pytest.mark.parametrize("body", [b'{"MessageSid":"SM1"}', b"MessageSid=SM2"])
def test_a_signed_digest_is_of_one_body_only(body: bytes) -> None:
    digest = hashlib.sha256(b'{"MessageSid":"SM1"}').hexdigest()
    url = f"{URL}&bodySHA256={digest}"
    post = Posted(
        "POST",
        url,
        url.partition("?")[2].encode(),
        {"x-twilio-signature": signature_of(url, [], "12345")},
        body,
    )
    with httpx.Client() as http:
        twilio = build("twilio", "https://x.example", http)
        if b"SM2" in body:
            with pytest.raises(Forged, match="not the one that was signed"):
                twilio.read_inbound(post)
        else:
            # Signed well, and no form.
            with pytest.raises(ValueError, match="is missing"):
                twilio.read_inbound(post)


def test_no_field_can_be_added_to_a_signed_post() -> None:
    form = {"MessageSid": "SM1", "MessageStatus": "failed"}
    good = posted({"url": URL, "form": form, "signed_with": "12345"})
    more = Posted(good.method, good.url, good.query, good.headers, good.body + b"&x=1")
    with httpx.Client() as http:
        twilio = build("twilio", "https://x.example", http)
        assert len(twilio.read_receipts(good)) == 1
        with pytest.raises(Forged):
            twilio.read_receipts(more)
