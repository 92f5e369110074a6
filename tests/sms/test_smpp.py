"""What an smpp channel sets, the PDUs of its texts, and what its centre says."""

from __future__ import annotations

import json
import re
import tomllib
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone.encoding import TextTooLong
from phone.smpp import Message, Role, Status, Tag
from phone.smpp.pdu import Command, Pdu, decode, encode
from phone.smpp.receipts import State
from phone.smpp.segments import Joint, Party
from sms import registry
from sms.carrier import Outbound, Outcome, Receipt, Tools, Unreadable
from sms.carrier import Status as Said
from sms.smpp.carrier import Smpp
from sms.smpp.incoming import Came, forms_of, understand, words_of
from sms.smpp.meanings import REPORTED, meaning
from sms.smpp.options import KNOWS, NEEDS, Options, read_options
from tests.texts import KEYS

PAGE = Path("docs/smpp.md").read_text(encoding="utf-8").partition("# Texts over")[2]
NEEDED = {"host": "192.0.2.1", "system_id": "yar", "password": "secret"}
PHONE = "+989121234567"
LONG = "یاریگر سپاسگزار شماست. " * 8


def options(**more: str) -> Options:
    return read_options({**NEEDED, "sender": "10001", **more})


def smpp(**more: str) -> Smpp:
    return Smpp(options(**more), "IR")


def outbound(text: str, **more: Any) -> Outbound:
    return Outbound("41", PHONE, text, "10001", **more)


# -- what is set ---------------------------------------------------------------------


def test_only_the_centre_and_the_account_have_to_be_set():
    found = read_options(NEEDED)
    assert found.access.hosts == (("192.0.2.1", 2775),)
    assert found.access.roles == (Role.TRANSCEIVER,)
    assert (found.source, found.dest) == (None, (1, 1))
    assert (found.joint, found.binds, found.tells_validity) == (Joint.UDH8, 1, True)
    assert "secret" not in repr(found)


def test_what_an_operator_sets_is_read_as_toml_and_the_environment_have_it():
    found = options(
        host='["10.1.1.1", "10.1.1.2:2776"]',
        port="2775",
        bind="transmitter+receiver",
        binds="2",
        window="50",
        parts="sar",
        validity="false",
        gsm7_coding="0xF1",
        default_alphabet="latin1",
        throttled_statuses="[1042, 1043]",
        no_credit_statuses="0x440",
    )
    assert found.access.hosts == (("10.1.1.1", 2775), ("10.1.1.2", 2776))
    assert found.access.roles == (Role.TRANSMITTER, Role.RECEIVER)
    assert (found.binds, found.access.account.window) == (2, 50)
    assert (found.joint, found.tells_validity) == (Joint.SAR, False)
    assert (found.codings.gsm7, found.codings.latin1) == (0xF1, True)
    assert found.throttled == {1042, 1043}
    assert found.no_credit == {0x440}


def test_a_host_may_be_an_address_in_brackets():
    assert options(host="[::1]:2776").access.hosts == (("::1", 2776),)


@pytest.mark.parametrize(
    ("sender", "more", "party"),
    [
        ("10001", {}, Party(0, 1, "10001")),
        ("+982110001", {}, Party(1, 1, "982110001")),
        ("YARIGAR", {}, Party(5, 0, "YARIGAR")),
        ("10001", {"source_ton": "3", "source_npi": "9"}, Party(3, 9, "10001")),
    ],
)
def test_the_type_of_the_sender_line_is_by_its_look_or_as_it_is_set(
    sender: str, more: dict[str, str], party: Party
):
    assert options(sender=sender, **more).source == party


def test_all_faults_are_told_at_once_and_none_shows_what_was_given():
    with pytest.raises(ValueError, match="host: is missing") as refused:
        read_options(
            {
                "password": "far-too-long-secret",
                "sender": "یاریگر",
                "parts": "udh9",
                "binds": "11",
                "ids": "octal",
                "credit": "many",
            }
        )
    assert str(refused.value).splitlines() == [
        "host: is missing",
        "system_id: is missing",
        "password: should be at most 8 characters of ASCII",
        "binds: should be a whole number from 1 to 10",
        "sender: should be at most 20 characters of ASCII",
        "parts: should be one of udh8, udh16, sar",
        "ids: should be one of auto, same, hex, dec",
        "credit: an smpp channel has no such option",
    ]


def test_the_registry_builds_it_and_knows_every_option():
    with httpx.Client() as http:
        tools = Tools(http, write=lambda line: None, feed=lambda to, id, text: None)
        given = {**NEEDED, "binds": "2", "sender": "10001", "username": "x"}
        built = registry.build("smpp", given, tools)
        assert isinstance(built, Smpp)
        with pytest.raises(registry.Unbuildable, match="pigeons is no option"):
            registry.build("smpp", {**given, "pigeons": "2"}, tools)


def test_the_page_tells_of_every_option_and_its_example_is_a_channel():
    assert {name for name in (*KNOWS, *NEEDS) if f"`{name}`" not in PAGE} == set()
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    channel = tomllib.loads(example)["sms"]["centre"]
    of_every_channel = {"adapter", "key", "segments_per_second"}
    given = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in channel.items()
        if name not in of_every_channel
    }
    assert read_options(given).access.account.window == 50


# -- the PDUs of a text --------------------------------------------------------------


def test_a_persian_text_goes_in_parts_that_a_handset_joins():
    carrier = smpp()
    assert carrier.count(LONG) == 3
    text = outbound(LONG, total=3, reference=0x1234, parts=(1, 2, 3), valid_seconds=90)
    sent = carrier.messages(text)
    assert list(sent) == [1, 2, 3]
    headers = [message.short_message[:6].hex() for message in sent.values()]
    assert headers == ["050003340301", "050003340302", "050003340303"]
    for message in sent.values():
        assert (message.source, message.dest) == ("10001", "989121234567")
        assert (message.dest_ton, message.dest_npi) == (1, 1)
        assert (message.data_coding, message.esm_class) == (8, 0x40)
        assert message.registered_delivery == 1
        assert message.validity_period == "000000000130000R"
        assert len(message.short_message) <= 140
        # It can be written.
        assert decode(encode(Pdu(Command.SUBMIT_SM, 1, body=message))).body == message


def test_only_the_parts_that_are_missing_are_made_again_and_they_are_the_same():
    carrier = smpp(parts="udh16")
    whole = carrier.messages(outbound(LONG, total=3, reference=0x1234, parts=(1, 2, 3)))
    missing = carrier.messages(outbound(LONG, total=3, reference=0x1234, parts=(2,)))
    assert missing == {2: whole[2]}
    assert whole[2].short_message[:7].hex() == "06080412340302"


def test_a_centre_that_joins_parts_itself_gets_parameters():
    sent = smpp(parts="sar").messages(
        outbound(LONG, total=3, reference=7, parts=(1, 2, 3))
    )
    assert sent[3].tlv(Tag.SAR_MSG_REF_NUM) == b"\0\7"
    assert sent[3].tlv(Tag.SAR_SEGMENT_SEQNUM) == b"\3"
    assert sent[3].esm_class == 0


def test_where_the_centre_wants_no_validity_it_is_told_none():
    text = outbound("سلام", valid_seconds=90)
    assert smpp(validity="false").messages(text)[1].validity_period == ""
    assert smpp().messages(replace(text, valid_seconds=0))[1].validity_period == ""


def test_a_text_of_too_many_parts_is_refused_before_it_is_begun():
    with pytest.raises(TextTooLong):
        smpp().count("س" * 67 * 256)


# -- what the centre says ------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (Status.ESME_RTHROTTLED, Outcome.THROTTLED),
        (Status.ESME_RMSGQFUL, Outcome.THROTTLED),
        (Status.ESME_RSYSERR, Outcome.RETRYABLE),
        (Status.ESME_RSUBMITFAIL, Outcome.RETRYABLE),
        (Status.ESME_RINVDSTADR, Outcome.REFUSED),
        (Status.ESME_RX_P_APPN, Outcome.REFUSED),
        (Status.ESME_RINVSRCADR, Outcome.MISCONFIGURED),
        (Status.ESME_RINVEXPIRY, Outcome.MISCONFIGURED),
        # A code of its own, which nobody has explained.
        (0x0455, Outcome.RETRYABLE),
        (0x0440, Outcome.NO_CREDIT),
        (0x0441, Outcome.OPTED_OUT),
        (0x0442, Outcome.THROTTLED),
    ],
)
def test_a_refusal_says_whether_the_text_will_ever_be_taken(
    status: int, outcome: Outcome
):
    channel = options(
        no_credit_statuses="0x440",
        opted_out_statuses="0x441",
        throttled_statuses="0x442",
    )
    assert meaning(status, channel) is outcome
    assert outcome is not Outcome.AMBIGUOUS


def test_every_status_and_every_state_has_a_meaning():
    channel = options()
    known = {status: meaning(status, channel) for status in Status if status}
    assert Outcome.ACCEPTED not in known.values()
    assert set(REPORTED) == set(State)


def receipt(text: str, **more: Any) -> Message:
    return Message(
        source="989121234567",
        source_ton=1,
        source_npi=1,
        dest="10001",
        esm_class=4,
        short_message=text.encode("latin-1"),
        **more,
    )


SAID = "id:0000A1 sub:001 dlvrd:001 stat:DELIVRD err:000 text:"


def test_a_receipt_names_the_part_and_the_phone():
    found = understand(receipt(SAID), smpp())
    assert isinstance(found, Receipt)
    assert (found.carrier_id, found.status, found.to) == ("a1", Said.DELIVERED, PHONE)
    assert found.raw_status == "DELIVRD 000"
    assert PHONE not in repr(found)
    # As it came, whole.
    assert decode(found.raw).body == receipt(SAID)


def test_a_centre_that_does_not_swap_the_addresses_names_the_phone_too():
    turned = replace(receipt(SAID), source="10001", dest="989121234567", dest_ton=1)
    found = understand(turned, smpp())
    assert isinstance(found, Receipt)
    assert found.to == PHONE


def test_a_report_on_the_way_raises_nothing_and_an_unknown_one_says_nothing():
    def status(word: str) -> Said:
        found = understand(receipt(SAID.replace("DELIVRD", word)), smpp())
        assert isinstance(found, Receipt)
        return found.status

    assert status("ACCEPTD") is Said.SENT
    assert status("ENROUTE") is Said.SENT
    assert status("UNKNOWN") is Said.UNKNOWN
    assert status("EXPIRED") is Said.FAILED


@pytest.mark.parametrize(
    ("ways", "said", "forms"),
    [
        ("auto", "0000001A", ("1a", "26")),
        ("auto", "26", ("26", "1a", "38")),
        ("auto", "0026", ("26", "1a", "38")),
        ("auto", "no-number", ("no-number",)),
        ("same", "0026", ("26",)),
        ("hex", "26", ("1a",)),
        ("hex", "1A", ("1a",)),
        ("dec", "1A", ("26",)),
        ("dec", "no-number", ("no-number",)),
    ],
)
def test_an_id_is_looked_for_in_the_forms_that_the_channel_sets(
    ways: str, said: str, forms: tuple[str, ...]
):
    assert forms_of(said, options(ids=ways).ids) == forms


@given(st.integers(1, 2**64), st.sampled_from(["{}", "{:x}", "{:X}", "{:012}"]))
def test_an_id_is_found_however_answer_and_receipt_spell_it(number: int, spelt: str):
    answer = f"{number:x}"
    found = forms_of(spelt.format(number), options().ids)
    assert answer in found


def texted(text: bytes, **more: Any) -> Message:
    return Message(
        **{
            "source": "989121234567",
            "source_ton": 1,
            "dest": "10001",
            "short_message": text,
            **more,
        }
    )


def came(message: Message) -> Came:
    found = understand(message, smpp())
    assert isinstance(found, Came)
    return found


def test_a_text_names_its_sender_and_the_line_it_came_to():
    text = came(texted("سلام".encode("utf-16-be"), data_coding=8))
    assert (text.sender_phone, text.line) == (PHONE, "10001")
    assert words_of([text.piece], smpp().options.codings) == "سلام"
    assert PHONE not in repr(text)
    assert "سلام" not in repr(text)


def test_the_name_of_a_text_is_of_its_sender_its_line_and_its_words():
    names = {
        came(message).digest(KEYS)
        for message in (
            texted(b"1"),
            texted(b"2"),
            texted(b"1", source="989121234568"),
            texted(b"1", dest="10002"),
            texted(b"\5\0\3\1\2\0011", esm_class=0x40),
            texted(b"\5\0\3\1\2\0021", esm_class=0x40),
        )
    }
    assert len(names) == 6
    assert came(texted(b"1")).digest(KEYS) in names


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (texted(b"1", source="MTN"), "source_addr is no phone number"),
        (texted(b"1", source=""), "source_addr is no phone number"),
        (texted(b"\x09\0", esm_class=0x40), "short_message"),
        (texted(b"\5\0\3\1\2\3x", esm_class=0x40), "part 3 of 2"),
        (receipt("nothing of the kind"), "a receipt: no id"),
    ],
)
def test_what_cannot_be_read_is_named_and_not_repeated(message: Message, why: str):
    with pytest.raises(Unreadable, match=why) as refused:
        understand(message, smpp())
    assert "MTN" not in str(refused.value)
    assert "kind" not in str(refused.value)


@given(
    st.binary(max_size=200),
    st.integers(0, 255),
    st.integers(0, 255),
    st.text(st.characters(max_codepoint=255), max_size=20),
    st.lists(
        st.tuples(
            st.sampled_from([0x001E, 0x0424, 0x0427, 0x020C, 0x020E, 0x020F]),
            st.binary(max_size=70),
        ),
        max_size=4,
    ),
)
def test_no_message_is_more_than_unreadable(
    octets: bytes, esm_class: int, coding: int, source: str, tlvs: list[Any]
):
    message = Message(
        source=source,
        dest="10001",
        esm_class=esm_class,
        data_coding=coding,
        short_message=octets,
        tlvs=tuple(tlvs),
    )
    carrier = smpp()
    words = ""
    with suppress(Unreadable):
        found = understand(message, carrier)
        if isinstance(found, Came) and found.piece.is_whole:
            words = words_of([found.piece], carrier.options.codings)
    assert "\0" not in words
    assert len(words.encode()) <= 3 * 200
