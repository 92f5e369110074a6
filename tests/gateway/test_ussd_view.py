"""The USSD webhook, and everything that a stranger may post to it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from structlog.typing import EventDict

from gateway.app import BODY_BYTES_MAX, create_app
from gateway.service import build
from tests.gateway.house import (
    CODE,
    CONFIRM,
    DONE,
    KEY,
    OTHER_AMOUNT,
    PHONE,
    Gateway,
    settings,
)

FORM = {
    "sessionId": "s1",
    "serviceCode": CODE,
    "phoneNumber": PHONE,
    "networkCode": "43211",
    "text": "",
}
CARD = "6037991234567893"
CARD_SPELLINGS = (
    CARD,
    "6037-9912-3456-7893",
    "6037 9912 3456 7893",
    "۶۰۳۷۹۹۱۲۳۴۵۶۷۸۹۳",
    "٦٠٣٧٩٩١٢٣٤٥٦٧٨٩٣",
)
PHONE_SPELLINGS = ("9121234567", "912 123 4567", "۹۱۲۱۲۳۴۵۶۷", "٩١٢١٢٣٤٥٦٧")
REFUSED = {"Content-Type": "application/x-www-form-urlencoded"}


def body(**changed: str) -> str:
    return urlencode({**FORM, **changed})


def nothing_happened(gateway: Gateway) -> bool:
    tables = ("event", "person", "vault", "outbox", "dial_end")
    return not any(gateway.rows(table) for table in tables)


# -- what is told, and what is refused ---------------------------------------------


def test_the_answer_is_plain_text_in_the_carriers_form(gateway: Gateway):
    answer = gateway.post(FORM)
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.data.startswith("CON مبلغ به تومان؟\n".encode())


@pytest.mark.parametrize("name", ["sessionId", "serviceCode", "phoneNumber", "text"])
def test_a_missing_field_is_named_in_one_line(gateway: Gateway, name: str):
    answer = gateway.post({k: v for k, v in FORM.items() if k != name})
    assert answer.status_code == 400
    assert answer.text == f"END Field {name} is missing."
    assert nothing_happened(gateway)


@pytest.mark.parametrize("name", ["sessionId", "serviceCode", "phoneNumber", "text"])
def test_a_doubled_field_is_named_in_one_line(gateway: Gateway, name: str):
    answer = gateway.post(f"{body()}&{name}=1", headers=REFUSED)
    assert answer.status_code == 400
    assert answer.text == f"END Field {name} is given twice."


@pytest.mark.parametrize("name", ["sessionId", "serviceCode", "phoneNumber", "text"])
@pytest.mark.parametrize("raw", ["%FF", "%C3", "%ED%A0%80", "%00", "a%00b", "%1B"])
def test_what_is_no_text_is_refused(gateway: Gateway, name: str, raw: str):
    others = urlencode({k: v for k, v in FORM.items() if k != name})
    answer = gateway.post(f"{others}&{name}={raw}", headers=REFUSED)
    assert answer.status_code == 400
    assert answer.text.startswith(f"END Field {name} ")
    assert nothing_happened(gateway)


@pytest.mark.parametrize(
    "raw", [b"", b"\xff\xfe", b"{}", b"\x00", b"text=\xd9\xbe", b"&" * 500, b"=&=&="]
)
def test_what_is_no_form_is_refused(gateway: Gateway, raw: bytes):
    answer = gateway.post(raw, headers=REFUSED)
    assert answer.status_code == 400
    assert answer.text.startswith("END ")
    assert answer.text.count("\n") == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("phoneNumber", "nobody"),
        ("phoneNumber", ""),
        ("phoneNumber", "+"),
        ("phoneNumber", "9" * 40),
        ("serviceCode", ""),
        ("serviceCode", "hello"),
        ("serviceCode", "*" * 300),
        ("sessionId", ""),
        ("sessionId", "s" * 121),
    ],
)
def test_what_cannot_be_is_refused(gateway: Gateway, name: str, value: str):
    answer = gateway.post({**FORM, name: value})
    assert answer.status_code == 400
    assert answer.text.startswith(f"END Field {name} ")
    assert value == "" or value not in answer.text
    assert nothing_happened(gateway)


def test_a_landline_calls_as_well_as_a_mobile(gateway: Gateway):
    """The network says who calls; only what a person types must be a mobile."""
    assert gateway.dial("", phone="+982188776655").word == "CON"


def test_ten_thousand_characters_do_no_harm(gateway: Gateway):
    gateway.dial("")
    answer = gateway.post({**FORM, "text": "x" * 10_000})
    assert answer.status_code == 400
    assert answer.text.startswith("END Field text is longer than ")
    assert gateway.dial("3").text.startswith(OTHER_AMOUNT)


def test_three_thousand_answers_do_no_harm(gateway: Gateway):
    gateway.dial("")
    screen = gateway.dial("*" * 3_000)
    assert screen.word in ("CON", "END")
    assert gateway.dial("3*75000*1").text
    assert nothing_happened(gateway)


def test_a_body_beyond_the_limit_is_not_read(gateway: Gateway):
    answer = gateway.post(body(text="x" * BODY_BYTES_MAX), headers=REFUSED)
    assert answer.status_code == 413
    assert answer.text.count("\n") == 1


@pytest.mark.parametrize("length", ["1" * 5_000, "-1", "1e3", " 5", "999999999999"])
def test_a_length_that_is_none_is_refused(gateway: Gateway, length: str):
    answer = gateway.post(b"", environ_overrides={"CONTENT_LENGTH": length})
    assert answer.status_code in (400, 413)


def test_half_a_body_is_not_a_turn(gateway: Gateway):
    """Who went away half-way through typing 12 did not type 1."""
    gateway.walk("3", "75000", "1")
    sent = body(text="3*75000*1*1")
    answer = gateway.post(
        sent,
        headers=REFUSED,
        environ_overrides={"CONTENT_LENGTH": str(len(sent) + 1)},
    )
    assert (answer.status_code, answer.text) == (400, "END The body ends early.")
    assert nothing_happened(gateway)


def test_a_body_that_does_not_say_how_long_it_is_is_a_turn_too(gateway: Gateway):
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    answer = gateway.post(body(), headers=REFUSED, environ_overrides=chunked)
    assert answer.data == gateway.post(FORM).data
    long = body(text="x" * BODY_BYTES_MAX)
    answer = gateway.post(long, headers=REFUSED, environ_overrides=chunked)
    assert answer.status_code == 413


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_only_a_post_is_a_turn(gateway: Gateway, method: str):
    answer = gateway.client.open(f"/ussd/at/{KEY}", method=method, query_string=FORM)
    assert answer.status_code == 405
    if method in ("GET", "PUT"):  # some carrier's way, and not this one's
        assert answer.text == "END Turns are posted."
    assert nothing_happened(gateway)


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("path", ["", "/events"])
def test_whoever_used_another_method_is_told_which_there_is(
    gateway: Gateway, path: str, chunked: bool
):
    """Whether the turnstile answers, or Flask: what has no length goes there."""
    as_it_comes = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    answer = gateway.client.put(
        f"/ussd/at/{KEY}{path}",
        data=body(),
        environ_overrides=as_it_comes if chunked else {},
    )
    assert answer.status_code == 405
    assert answer.headers.getlist("Allow") == ["POST"]
    assert answer.text == "END Turns are posted."


def test_no_other_refusal_says_which_methods_there_are(gateway: Gateway):
    assert gateway.post({}).status_code == 400
    assert "Allow" not in gateway.post({}).headers
    assert "Allow" not in gateway.post(FORM).headers


@pytest.mark.parametrize(
    "address",
    [
        "/ussd/at/wrong",
        f"/ussd/at/{KEY}x",
        f"/ussd/at/{KEY.upper()}",
        f"/ussd/none/{KEY}",
        f"/ussd/kave/{KEY}",
        f"/ussd/{quote('ات')}/{quote('کلید')}",
        "/ussd/at/%FF",
        "/ussd/at/%00",
        "/ussd/at/",
        "/ussd/at",
        f"/ussd/at/{KEY}/",
        "/ussd/at/wrong/events",
        f"/ussd/none/{KEY}/events",
    ],
)
def test_a_wrong_key_or_channel_is_nowhere(gateway: Gateway, address: str):
    answer = gateway.client.post(address, data=FORM)
    assert answer.status_code == 404
    assert answer.text == "404 Not Found\n"


# -- who may call --------------------------------------------------------------------


@pytest.mark.parametrize("path", [f"/ussd/fenced/{KEY}", f"/ussd/fenced/{KEY}/events"])
def test_a_stranger_is_kept_out(gateway: Gateway, path: str):
    def status(peer: str, forwarded: str = "") -> int:
        headers = {"X-Forwarded-For": forwarded} if forwarded else {}
        form = {**FORM, "status": "Success"}
        answer = gateway.client.post(
            path, data=form, headers=headers, environ_base={"REMOTE_ADDR": peer}
        )
        return answer.status_code

    assert status("192.0.2.7") == 200
    assert status("::ffff:192.0.2.7") == 200
    assert status("198.51.100.1") == 403
    # Nobody vouches for what a stranger writes.
    assert status("198.51.100.1", "192.0.2.7") == 403
    assert status("", "192.0.2.7") == 403


def test_a_proxy_of_ours_is_believed_and_only_from_the_right(
    sqlite_ledger_url: str, redis_url: str, tmp_path: Path
):
    given_settings = settings(
        sqlite_ledger_url, redis_url, tmp_path, trusted_proxies=["10.0.0.0/8"]
    )
    client = create_app(build(given_settings)).test_client()

    def status(peer: str, forwarded: str) -> int:
        return client.post(
            f"/ussd/fenced/{KEY}",
            data={},
            headers={"X-Forwarded-For": forwarded},
            environ_base={"REMOTE_ADDR": peer},
        ).status_code

    # 400 is what an empty form gets: it came in.
    assert status("10.0.0.1", "192.0.2.7") == 400
    assert status("10.0.0.1", "192.0.2.7, 10.9.9.9") == 400
    assert status("10.0.0.1", "192.0.2.7, 198.51.100.1") == 403
    assert status("198.51.100.1", "192.0.2.7") == 403
    assert status("10.0.0.1", "nonsense") == 403
    assert status("10.0.0.1", "") == 403
    assert status("10.0.0.1", "192.0.2.7, " + "10.0.0.2, " * 50 + "10.0.0.3") == 403


# -- events ------------------------------------------------------------------------


def test_an_event_is_taken_twice_and_in_any_order(gateway: Gateway):
    assert gateway.end("Success").status_code == 200
    assert gateway.end("Incomplete").status_code == 200
    assert [row.reached for row in gateway.rows("dial_end")] == [True]


def test_an_event_of_a_call_nobody_knows_is_kept(gateway: Gateway):
    assert gateway.end("Failed", session="never heard of").text == "OK"


def test_an_event_that_says_nothing_known_is_refused(gateway: Gateway):
    answer = gateway.end("Perhaps")
    assert answer.status_code == 400
    assert "status" in answer.text


# -- what stays nowhere --------------------------------------------------------------


@pytest.mark.parametrize("spelling", CARD_SPELLINGS)
def test_a_card_number_is_nowhere_afterwards(
    gateway: Gateway,
    logs: list[EventDict],
    capfd: pytest.CaptureFixture[str],
    spelling: str,
):
    gateway.walk("3")
    card = gateway.dial(f"3*{spelling}")
    assert card.ends
    assert card.text.startswith("شماره کارت یا رمز نفرستید")
    assert gateway.dial(f"3*{spelling}") == card
    gateway.dial("", code=f"*780*5588*1*{CARD}#", session="s2")
    gateway.dial(spelling, session=spelling[:100])
    kept = gateway.everything_kept()
    said = "".join(capfd.readouterr()) + repr(logs)
    for written in (spelling, CARD, CARD[:12], CARD[4:]):
        assert written.encode() not in kept
        assert written not in said
    assert gateway.rows("event") == []


def test_the_phone_stands_only_in_the_vault(
    gateway: Gateway, logs: list[EventDict], capfd: pytest.CaptureFixture[str]
):
    gateway.pledge()
    gateway.pledge(phone="00989121234567", session="09121234567")
    gateway.end(session="09121234567")
    gateway.post({**FORM, "phoneNumber": f"{PHONE}x"})
    gateway.client.post(
        f"/sms/kave/{KEY}/inbound",
        data={"messageid": "7", "from": "09121234567", "to": "10001", "message": "۱۱"},
    )
    kept = gateway.everything_kept()
    said = "".join(capfd.readouterr()) + repr(logs)
    files = b"".join(
        path.read_bytes() for path in gateway.service.settings.data_dir.glob("ledger*")
    )
    for spelling in PHONE_SPELLINGS:
        assert spelling.encode() not in kept
        assert spelling.encode() not in files
        assert spelling not in said
    assert len(gateway.rows("person")) == 1
    assert "***4567" in gateway.exported()[0]


def test_a_fault_of_ours_is_told_politely_and_logged_without_words(
    gateway: Gateway, logs: list[EventDict]
):
    """Redis holds a call at a screen that its menus never had."""
    gateway.dial("")
    redis = gateway.service.redis
    (name,) = redis.keys("ussd:dial:*")
    redis.set(name, redis.get(name).replace(b"give.amount", PHONE.encode()))
    answer = gateway.post({**FORM, "text": "3"})
    assert answer.status_code == 200
    assert answer.text.startswith("END ")
    assert [log["event"] for log in logs] == ["turn_broke"]


def test_an_exception_reaches_the_log_without_its_words(
    capsys: pytest.CaptureFixture[str],
):
    from gateway.logs import _where

    try:
        raise ValueError(PHONE)
    except ValueError as failure:
        words = _where((ValueError, failure, failure.__traceback__))
    assert PHONE not in words
    assert words.startswith("ValueError at ")


# -- anything at all -------------------------------------------------------------------

PIECES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["", "1", "3*75000*1*1", "*", "#", "۱۲", "-5", "1e9", "\x00", CARD]
    ),
)


@hypothesis_settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.dictionaries(
            st.sampled_from([*FORM, "extra", "status"]), PIECES, max_size=7
        ).map(lambda form: urlencode(form, errors="surrogatepass").encode()),
        st.fixed_dictionaries(
            {
                "sessionId": st.just("s1"),
                "serviceCode": st.sampled_from([CODE, "*780#", "*780*5588#", "*1#"]),
                "phoneNumber": st.just(PHONE),
                "text": st.lists(PIECES, max_size=6).map("*".join),
            }
        ).map(lambda form: urlencode(form, errors="surrogatepass").encode()),
    ),
    st.sampled_from(["", "/events"]),
)
def test_no_body_ever_gets_a_500(gateway: Gateway, raw: bytes, path: str):
    answer = gateway.client.post(f"/ussd/at/{KEY}{path}", data=raw, headers=REFUSED)
    assert answer.status_code in (200, 400)
    assert answer.text.startswith(("CON ", "END ")) or answer.text == "OK"


def test_a_gift_is_still_given_after_all_that(gateway: Gateway):
    for raw in (b"\xff", b"text=%00", body(text="x" * 5000).encode()):
        gateway.post(raw, headers=REFUSED)
    assert gateway.walk("3", "75000", "1").text.startswith(CONFIRM)
    assert gateway.dial("3*75000*1*1").text.startswith(DONE)
