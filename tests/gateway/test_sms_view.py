"""What SMS carriers post: receipts that are believed, and texts that are obeyed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from structlog.typing import EventDict

from gateway.app import create_app
from gateway.service import build
from gateway.settings import Settings
from gateway.texts import renderer
from ledger import stops
from ledger.engine import reading
from ledger.vault import look_up, unseal_raw
from sms.carrier import Outcome, Result
from sms.carriers.twilio import signature_of
from sms.delivery import deliver
from sms.routes import Channel, Routes
from tests.fake_carrier import FakeCarrier
from tests.gateway.house import KEY, PHONE, ROOT_CODE, Gateway

BOTH = pytest.mark.parametrize("gateway_database", ["sqlite", "postgresql"])
MESSAGE = "8792343"


def send(gateway: Gateway, channel: str = "kave") -> FakeCarrier:
    """Deliver what is due through a carrier that gives the id MESSAGE."""
    carrier = FakeCarrier(Result(Outcome.ACCEPTED, carrier_id=MESSAGE))
    service = gateway.service
    deliver(
        service.engine,
        service.keys,
        routes=Routes([Channel(channel, carrier, "10001", "لغو۱۱")]),
        render=renderer(service.library, service.keys),
        owner="test",
        now=gateway.clock,
    )
    return carrier


def post(gateway: Gateway, what: str, channel: str = "kave", **form: str) -> Any:
    names = {"sender": "from", "line": "to"}
    fields = {names.get(name, name): value for name, value in form.items()}
    return gateway.client.post(f"/sms/{channel}/{KEY}/{what}", data=fields)


def says(gateway: Gateway, text: str, id: str) -> Any:
    return post(
        gateway, "inbound", messageid=id, sender=PHONE, line="10001", message=text
    )


def is_stopped(gateway: Gateway, line: str = "10001") -> bool:
    service = gateway.service
    with reading(service.engine) as db:
        return stops.is_stopped(db, look_up=look_up(service.keys, PHONE), line=line)


def state(gateway: Gateway) -> str:
    found: str = gateway.rows("outbox")[-1].state
    return found


# -- receipts ------------------------------------------------------------------------


@BOTH
def test_a_receipt_is_believed_once_by_get_or_post(gateway: Gateway):
    gateway.pledge()
    send(gateway)
    assert state(gateway) == "sent"
    by_get = gateway.client.get(
        f"/sms/kave/{KEY}/receipts", query_string={"messageid": MESSAGE, "status": "5"}
    )
    assert (by_get.status_code, state(gateway)) == (200, "sent")
    for _ in range(2):
        by_post = post(gateway, "receipts", messageid=MESSAGE, status="10")
        assert (by_post.status_code, state(gateway)) == (200, "delivered")


def test_a_status_never_sinks(gateway: Gateway):
    gateway.pledge()
    send(gateway)
    post(gateway, "receipts", messageid=MESSAGE, status="10")
    post(gateway, "receipts", messageid=MESSAGE, status="5")
    assert state(gateway) == "delivered"


def test_a_receipt_of_africas_talking_is_believed(gateway: Gateway):
    gateway.pledge()
    send(gateway, "at")
    answer = post(gateway, "receipts", "at", id=MESSAGE, status="Success")
    assert (answer.status_code, state(gateway)) == (200, "delivered")


def test_a_receipt_that_comes_before_its_text_is_kept_for_it(gateway: Gateway):
    answer = post(gateway, "receipts", messageid=MESSAGE, status="10")
    assert answer.status_code == 200
    gateway.pledge()
    send(gateway)
    assert state(gateway) == "delivered"


def test_a_receipt_of_a_text_nobody_knows_is_kept_and_changes_nothing(
    gateway: Gateway,
):
    gateway.pledge()
    send(gateway)
    assert post(gateway, "receipts", messageid="1", status="10").status_code == 200
    assert state(gateway) == "sent"
    assert len(gateway.rows("receipt")) == 1


def test_a_receiver_who_blocks_the_line_has_stopped_it(gateway: Gateway):
    gateway.pledge()
    send(gateway)
    post(gateway, "receipts", messageid=MESSAGE, status="14")
    assert is_stopped(gateway)


# -- 11 and 12 -----------------------------------------------------------------------


@BOTH
def test_11_stops_campaign_texts_and_not_the_receipt(gateway: Gateway):
    assert says(gateway, "۱۱", "1").status_code == 200
    assert is_stopped(gateway)
    gateway.pledge()
    carrier = send(gateway)
    assert [message.to for message in carrier.sent] == [PHONE]
    assert state(gateway) == "sent"
    assert says(gateway, "12", "2").status_code == 200
    assert not is_stopped(gateway)


@pytest.mark.parametrize("word", ["11", "١١", "لغو", " لغو۱۱ ", "STOP", "«۱۱»"])
def test_every_spelling_stops(gateway: Gateway, word: str):
    says(gateway, word, "1")
    assert is_stopped(gateway)


@pytest.mark.parametrize("word", ["110", "سلام", "", "لغو نکنید", "😀", "11" * 500])
def test_other_words_stop_nothing(gateway: Gateway, word: str):
    assert says(gateway, word, "1").status_code == 200
    assert not is_stopped(gateway)
    assert len(gateway.rows("inbound")) == 1


def test_a_late_repeat_of_11_does_not_undo_12(gateway: Gateway):
    for text, id in (("11", "1"), ("12", "2"), ("11", "1")):
        assert says(gateway, text, id).status_code == 200
    assert not is_stopped(gateway)
    assert len(gateway.rows("inbound")) == 2


def test_12_restores_what_the_menu_stopped(gateway: Gateway):
    gateway.walk("9", "4", "1", session="start", code=ROOT_CODE)
    gateway.walk("9", "4", "1", session="stop", code=ROOT_CODE)
    assert is_stopped(gateway)
    says(gateway, "۱۲", "1")
    assert not is_stopped(gateway)


def test_africas_talking_brings_texts_too(gateway: Gateway):
    answer = post(
        gateway, "inbound", "at", id="x", sender=PHONE, line="YARIGAR", text="11"
    )
    assert answer.status_code == 200
    assert is_stopped(gateway, "YARIGAR")


def test_what_came_is_kept_as_it_came_and_sealed(gateway: Gateway):
    says(gateway, "my words 4815162342", "1")
    (row,) = gateway.rows("inbound")
    assert b"4815162342" not in gateway.everything_kept()
    assert b"4815162342" in unseal_raw(gateway.service.keys, row.raw)


# -- what is refused ----------------------------------------------------------------


@pytest.mark.parametrize("what", ["receipts", "inbound"])
@pytest.mark.parametrize(
    "address", [f"kave/{KEY}x", f"none/{KEY}", f"kave/{KEY.upper()}", "console/x"]
)
def test_a_wrong_key_or_channel_is_nowhere(gateway: Gateway, what: str, address: str):
    answer = gateway.client.post(f"/sms/{address}/{what}", data={"messageid": "1"})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "form",
    [
        b"",
        b"messageid=1",
        b"messageid=1&status=x",
        b"messageid=1&status=10&status=5",
        b"messageid=1%00&status=10",
        b"messageid=%FF&status=10",
        b"\xff\xfe",
        b"messageid=" + b"1" * 500 + b"&status=10",
        b"&".join(b"f%d=1" % n for n in range(60)),
    ],
)
def test_a_receipt_that_cannot_be_read_is_refused_in_one_line(
    gateway: Gateway, form: bytes
):
    answer = gateway.client.post(
        f"/sms/kave/{KEY}/receipts",
        data=form,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 400
    assert answer.text.count("\n") == 1
    assert gateway.rows("receipt") == []


def test_a_stranger_is_kept_from_the_sms_webhooks(gateway: Gateway, tmp_path: Any):
    given_settings = gateway.service.settings
    fenced = Settings(
        **{
            **{name: getattr(given_settings, name) for name in Settings.model_fields},
            "sms": {
                "kave": {
                    "adapter": "kavenegar",
                    "key": KEY,
                    "api_key": "atsk",
                    "sender": "10001",
                    "allow_from": ["192.0.2.0/24"],
                }
            },
        }
    )
    client = create_app(build(fenced)).test_client()
    form = {"messageid": "1", "status": "10"}
    statuses = [
        client.post(
            f"/sms/kave/{KEY}/receipts", data=form, environ_base={"REMOTE_ADDR": peer}
        ).status_code
        for peer in ("192.0.2.9", "198.51.100.1")
    ]
    assert statuses == [200, 403]


def test_a_ledger_that_is_away_lets_the_carrier_come_again(
    gateway: Gateway, logs: list[EventDict]
):
    with gateway.service.engine.connect() as db:
        db.exec_driver_sql("ALTER TABLE receipt RENAME TO gone")
        db.commit()
    answer = post(gateway, "receipts", messageid="1", status="10")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "30"
    assert [log["event"] for log in logs] == ["inbound_not_stored"]


# -- other carriers ------------------------------------------------------------------


@pytest.fixture
def others(gateway: Gateway) -> Iterator[Gateway]:
    """The same books, behind carriers that sign, post many at once or want XML."""
    given_settings = gateway.service.settings
    more = Settings(
        **{
            **{name: getattr(given_settings, name) for name in Settings.model_fields},
            "public_url": "https://give.example.org",
            "sms": {
                "tw": {
                    "adapter": "twilio",
                    "key": KEY,
                    "username": "AC01",
                    "api_key": "12345",
                    "sender": "+18005551212",
                },
                "ib": {
                    "adapter": "infobip",
                    "key": KEY,
                    "api_key": "k",
                    "base_url": "https://x.api.example",
                    "sender": "10001",
                },
                "own": {
                    "adapter": "mapped-http",
                    "key": KEY,
                    "base_url": "https://sms.example",
                    "send": {"path": "/s", "body": {"to": "{to}"}},
                    "receipts": {"id": "id", "status": "s", "delivered": [1]},
                    "reply": "thanks",
                },
            },
        }
    )
    service = build(more, clock=gateway.clock)
    yield Gateway(service, gateway.clock, create_app(service))
    service.engine.dispose()
    service.redis.close()


def _signed(what: str, form: dict[str, str], query: str = "") -> dict[str, str]:
    url = f"https://give.example.org/sms/tw/{KEY}/{what}{query}"
    fields = [(name, value.encode()) for name, value in form.items()]
    return {"X-Twilio-Signature": signature_of(url, fields, "12345")}


def test_a_signed_text_is_taken_and_answered_in_the_carriers_form(others: Gateway):
    form = {"MessageSid": "SM1", "From": PHONE, "To": "+18005551212", "Body": "۱۱"}
    answer = others.client.post(
        f"/sms/tw/{KEY}/inbound", data=form, headers=_signed("inbound", form)
    )
    assert (answer.status_code, answer.mimetype) == (200, "text/xml")
    assert answer.text.endswith("<Response/>")
    assert is_stopped(others, "+18005551212")


def test_a_signed_receipt_is_matched_by_the_id_in_its_address(others: Gateway):
    form = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    headers = _signed("receipts", form, "?id=41")
    answer = others.client.post(
        f"/sms/tw/{KEY}/receipts?id=41", data=form, headers=headers
    )
    assert answer.status_code == 200
    [kept] = others.rows("receipt")
    assert (kept.carrier_id, kept.status) == ("41", "delivered")


@pytest.mark.parametrize("what", ["inbound", "receipts"])
def test_a_forged_post_is_refused_and_leaves_nothing(
    others: Gateway, what: str, logs: list[EventDict]
):
    form = {"MessageSid": "SM1", "From": PHONE, "To": "1", "Body": "11"}
    answer = others.client.post(
        f"/sms/tw/{KEY}/{what}",
        data={**form, "Body": "12"},
        headers=_signed(what, form),
    )
    assert (answer.status_code, answer.text.count("\n")) == (403, 1)
    assert others.rows("inbound") == others.rows("receipt") == []
    assert [log["event"] for log in logs] == ["post_forged"]


def test_many_texts_in_one_post_are_all_taken(others: Gateway):
    post = {
        "results": [
            {"messageId": "1", "from": PHONE, "to": "10001", "text": "سلام"},
            {"messageId": "2", "from": "IRANCELL", "to": "10001", "text": "ad"},
            {"messageId": "3", "from": PHONE, "to": "10001", "text": "۱۱"},
        ]
    }
    for _ in range(2):
        answer = others.client.post(f"/sms/ib/{KEY}/inbound", json=post)
        assert answer.status_code == 200
    assert [row.carrier_id for row in others.rows("inbound")] == ["1", "3"]
    assert is_stopped(others)


def test_a_carrier_of_settings_alone_is_answered_as_it_wants(others: Gateway):
    answer = others.client.get(f"/sms/own/{KEY}/receipts?id=7&s=1")
    assert (answer.status_code, answer.text) == (200, "thanks")
    assert others.client.get(f"/sms/own/{KEY}/receipts?id=7").status_code == 400
    assert others.client.get(f"/sms/own/{KEY}/inbound?id=7").status_code == 400


@hypothesis_settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.sampled_from(["tw", "ib", "own"]),
    st.sampled_from(["receipts", "inbound"]),
    st.sampled_from(["application/json", "application/x-www-form-urlencoded", ""]),
    st.one_of(
        st.binary(max_size=60),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["results", "messageId", "from", "id", "s"]), inner
                )
            ),
            max_leaves=8,
        ).map(lambda tree: json.dumps(tree).encode()),
    ),
)
def test_no_body_ever_gets_a_500(
    others: Gateway, channel: str, what: str, kind: str, body: bytes
):
    answer = others.client.post(
        f"/sms/{channel}/{KEY}/{what}", data=body, content_type=kind
    )
    assert answer.status_code in (200, 400, 403)


VALUES = st.one_of(
    st.text(max_size=40), st.sampled_from(["11", PHONE, "10", MESSAGE, "\x00", "۱۱"])
)


@hypothesis_settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.sampled_from(["kave", "at", "console"]),
    st.sampled_from(["receipts", "inbound"]),
    st.sampled_from(["GET", "POST"]),
    st.dictionaries(
        st.sampled_from(
            ["messageid", "status", "from", "to", "message", "text", "id", "date"]
        ),
        VALUES,
        max_size=8,
    ),
)
def test_no_form_ever_gets_a_500(
    gateway: Gateway, channel: str, what: str, method: str, form: dict[str, str]
):
    how = {"query_string" if method == "GET" else "data": form}
    answer = gateway.client.open(f"/sms/{channel}/{KEY}/{what}", method=method, **how)
    assert answer.status_code in (200, 400)
