from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone.smpp import Message
from phone.smpp.receipts import (
    NotAReceipt,
    Report,
    State,
    id_forms,
    id_key,
    is_receipt,
    read_receipt,
)

SAID = (
    "id:0000001A sub:001 dlvrd:001 submit date:2610010900 done date:2610010901 "
    "stat:DELIVRD err:000 text:Salam"
)
DELIVERED = Report("0000001A", State.DELIVRD, "000", "2610010901")


def receipt(
    text: str | bytes = "",
    *tlvs: tuple[int, bytes],
    esm_class: int = 4,
    data_coding: int = 0,
) -> Message:
    octets = text if isinstance(text, bytes) else text.encode("latin-1")
    return Message(
        esm_class=esm_class, data_coding=data_coding, short_message=octets, tlvs=tlvs
    )


READ = {
    "as the book has it": (receipt(SAID), DELIVERED),
    "another order and case": (
        receipt(
            "Stat:DELIVRD Err:000 Done Date:2610010901 ID:0000001A Sub:001 Text:Salam"
        ),
        DELIVERED,
    ),
    "text first": (
        receipt("text:Salam id:0000001A stat:DELIVRD err:000 done date:2610010901"),
        DELIVERED,
    ),
    "lines and spaces": (
        receipt("id: 0000001A\r\nstat: DELIVRD\r\nerr: 000\r\ndone date: 2610010901"),
        DELIVERED,
    ),
    "words written out": (
        receipt("id:0000001A done date:2610010901 stat:DELIVERED err:000"),
        DELIVERED,
    ),
    "seconds and an error of letters": (
        receipt("id:7 done date:261001090159 stat:UNDELIV err:0Ab text:"),
        Report("7", State.UNDELIV, "0ab", "261001090159"),
    ),
    "nothing but id and state": (
        receipt("id:5f9c-11 stat:EXPIRED"),
        Report("5f9c-11", State.EXPIRED),
    ),
    "a state that nobody knows": (
        receipt("id:5 stat:FAILED err:1"),
        Report("5", State.UNKNOWN, "1"),
    ),
    "a text that looks like a receipt": (
        receipt("id:5 stat:DELIVRD err:000 text:id:6 stat:UNDELIV err:666"),
        Report("5", State.DELIVRD, "000"),
    ),
    "such a text before the rest": (
        receipt("text:id:6 stat:UNDELIV err:666 id:5 stat:DELIVRD err:000"),
        Report("5", State.DELIVRD, "000"),
    ),
    "UCS-2": (receipt(SAID.encode("utf-16-be"), data_coding=8), DELIVERED),
    "the data_coding of the text that it reports": (
        receipt(SAID, data_coding=8),
        DELIVERED,
    ),
    "in message_payload": (receipt("", (0x0424, SAID.encode())), DELIVERED),
    "parameters alone": (
        receipt("", (0x001E, b"1A\0"), (0x0427, b"\x05"), (0x0423, b"\x03\x00\x0b")),
        Report("1A", State.UNDELIV, "011"),
    ),
    "parameters before the text": (
        receipt(SAID, (0x001E, b"26"), (0x0427, b"\x03")),
        Report("26", State.EXPIRED, "000", "2610010901"),
    ),
    "parameters that say nothing": (
        receipt(SAID, (0x001E, b"\0"), (0x0427, b"\x63"), (0x0423, b"")),
        DELIVERED,
    ),
    "not marked, but with its parameters": (
        receipt("", (0x001E, b"1A"), (0x0427, b"\x02"), esm_class=0),
        Report("1A", State.DELIVRD),
    ),
    "an intermediate one": (
        receipt("id:5 stat:ENROUTE", esm_class=0x20),
        Report("5", State.ENROUTE),
    ),
    "marked with more": (receipt("id:5 stat:ACCEPTD", esm_class=0x84), None),
}


@pytest.mark.parametrize(("message", "report"), READ.values(), ids=READ)
def test_a_receipt_is_read_in_every_form(message: Message, report: Report | None):
    assert is_receipt(message)
    assert read_receipt(message) == (report or Report("5", State.ACCEPTD))


STATES = ["SCHEDULED", "ENROUTE", "DELIVRD", "EXPIRED", "DELETED"] + [
    "UNDELIV",
    "ACCEPTD",
    "UNKNOWN",
    "REJECTD",
    "SKIPPED",
]


@pytest.mark.parametrize(("number", "state"), list(enumerate(STATES)))
def test_a_state_has_its_number_and_its_word(number: int, state: str):
    by_number = read_receipt(receipt("", (0x001E, b"1"), (0x0427, bytes([number]))))
    by_word = read_receipt(receipt(f"id:1 stat:{state.lower()}"))
    assert by_number.state == by_word.state == State(state)
    assert by_word.state.is_intermediate == (
        state in {"SCHEDULED", "ENROUTE", "ACCEPTD"}
    )


NONE = {
    "a text of a person": receipt(SAID, esm_class=0),
    "a text of a person with a header": receipt(SAID, esm_class=0x40),
    "nothing": receipt(),
    "no id": receipt("sub:001 stat:DELIVRD"),
    "an id that is empty": receipt("id: sub:001 stat:DELIVRD"),
    "an id without end": receipt("id:" + "9" * 65 + " stat:DELIVRD"),
    "an id that cannot be shown": receipt(b"id:\x07\xff stat:DELIVRD"),
    "no state": receipt("id:5 sub:001"),
    "a header longer than the message": receipt(b"\xff", esm_class=0x44),
}


@pytest.mark.parametrize("message", NONE.values(), ids=NONE)
def test_what_reports_nothing_is_no_receipt(message: Message):
    with pytest.raises(NotAReceipt) as refused:
        read_receipt(message)
    assert "id:" not in str(refused.value)


@pytest.mark.parametrize(
    ("said", "forms"),
    [
        ("1A", ("1a", "26")),
        ("0000001A", ("0000001a", "1a", "26")),
        ("26", ("26", "38", "1a")),
        ("00000026", ("00000026", "26", "38", "1a")),
        ("5", ("5",)),
        ("0", ("0",)),
        ("000", ("000", "0")),
        ("Ab-12_x", ("ab-12_x",)),
        ("1_0", ("1_0",)),
        ("0x1a", ("0x1a", "x1a")),
        ("٢٦", ("٢٦",)),
        ("", ()),
        ("9" * 65, ()),
    ],
)
def test_an_id_is_looked_for_in_all_its_forms(said: str, forms: tuple[str, ...]):
    assert id_forms(said) == forms


@given(
    number=st.integers(1, 2**150),
    zeros=st.tuples(st.integers(0, 8), st.integers(0, 8)),
    ways=st.tuples(st.sampled_from(["x", "X", "d"]), st.sampled_from(["x", "X", "d"])),
)
def test_however_a_centre_counts_answer_and_report_meet(
    number: int, zeros: tuple[int, int], ways: tuple[str, str]
):
    answer, report = (
        "0" * more + format(number, way) for more, way in zip(zeros, ways, strict=True)
    )
    assert id_key(answer) in id_forms(report)


fragments = st.lists(
    st.one_of(
        st.sampled_from(
            ["id:", "stat:", "err:", "text:", "done date:", " ", "DELIVRD", "1", ":"]
        ),
        st.text(max_size=5),
    ),
    max_size=30,
).map("".join)
anything = st.builds(
    Message,
    esm_class=st.sampled_from([4, 0x20, 0x44, 0xC4, 0]),
    data_coding=st.integers(0, 255),
    short_message=st.one_of(
        st.binary(max_size=254),
        fragments.map(lambda text: text.encode("utf-16-be", "replace")[:254]),
        fragments.map(lambda text: text.encode("latin-1", "replace")[:254]),
    ),
    tlvs=st.lists(
        st.tuples(
            st.sampled_from([0x001E, 0x0427, 0x0423, 0x0424]), st.binary(max_size=80)
        ),
        max_size=4,
    ).map(tuple),
)


@given(message=anything)
def test_whatever_comes_is_a_report_or_none(message: Message):
    try:
        report = read_receipt(message)
    except NotAReceipt:
        return
    assert 1 <= len(report.message_id) <= 64
    assert report.message_id.isprintable()
    assert len(report.network_error) <= 16
    assert id_forms(report.message_id)[0] == report.message_id.lower()


def test_a_long_receipt_does_not_take_long():
    report = receipt("", (0x0424, b"id:" * 21_000 + b" id:5 stat:DELIVRD"))
    with pytest.raises(NotAReceipt):
        read_receipt(report)
