"""What a message centre delivers, stored once and obeyed, on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from ledger import repeats, schema, stops
from ledger.engine import connect, reading, writing
from ledger.vault import look_up, unseal_raw
from phone.smpp import Message
from sms.routes import Channel, Routes
from sms.smpp.carrier import Smpp
from sms.smpp.receiving import Taken, take
from tests.sms.test_smpp import PHONE, SAID, receipt, smpp, texted
from tests.texts import KEYS, Texts

OTHER_PHONE = "+989351112233"
LONG = "یک به علاوه یک، پنجاه هزار تومان برای هر جا که نیاز است. " * 3


@pytest.fixture
def texts(ledger_url: str) -> Iterator[Texts]:
    engine = connect(ledger_url)
    yield Texts(engine)
    engine.dispose()


def channel(**more: str) -> Channel:
    return Channel("centre", smpp(**more), "10001")


def deliver(texts: Texts, *messages: Message, at: Channel | None = None) -> Taken:
    at = at or channel()
    with writing(texts.engine) as db:
        return take(db, KEYS, Routes([at]), at, messages, at=texts.now())


def rows(texts: Texts, table: Any) -> list[Any]:
    with reading(texts.engine) as db:
        return list(db.execute(select(table)))


def said(texts: Texts) -> list[str]:
    """What came in and is still to be handled, in the order in which it came."""
    with reading(texts.engine) as db:
        found = db.scalars(
            select(schema.inbound.c.words)
            .where(schema.inbound.c.words.is_not(None))
            .order_by(schema.inbound.c.id)
        )
        return [json.loads(unseal_raw(KEYS, words))["text"] for words in found]


def parts(
    text: str,
    *,
    phone: str = PHONE,
    reference: int = 7,
    wide: bool = False,
    sar: bool = False,
    room: int = 134,
) -> list[Message]:
    """A long text as a phone sends it, its letters cut wherever the octets end."""
    octets = text.encode("utf-16-be")
    pieces = [octets[at : at + room] for at in range(0, len(octets), room)]
    total = len(pieces)
    made = []
    for number, piece in enumerate(pieces, 1):
        common = {"source": phone.removeprefix("+"), "data_coding": 8}
        if sar:
            tlvs = (
                (0x020C, reference.to_bytes(2)),
                (0x020E, bytes([total])),
                (0x020F, bytes([number])),
            )
            made.append(texted(piece, tlvs=tlvs, **common))
            continue
        header = bytes([5, 0, 3, reference, total, number])
        if wide:
            header = bytes([6, 8, 4, *reference.to_bytes(2), total, number])
        made.append(texted(header + piece, esm_class=0x40, **common))
    return made


def test_a_text_is_stored_sealed_and_left_to_be_handled(texts: Texts):
    taken = deliver(texts, texted(b"1+1 50000"))
    (row,) = rows(texts, schema.inbound)
    assert taken.inbound_ids == (row.id,)
    assert (row.carrier, row.line, row.keyword) == ("centre", "10001", None)
    assert row.look_up == look_up(KEYS, PHONE)
    assert said(texts) == ["1+1 50000"]
    assert b"50000" not in row.raw + row.words


def test_a_second_try_is_one_text_until_the_first_was_surely_answered(texts: Texts):
    first = deliver(texts, texted(b"1"))
    texts.wait(5)
    again = deliver(texts, texted(b"1"))
    assert again.inbound_ids == ()
    assert again.marks == first.marks
    assert said(texts) == ["1"]

    # Answered: from now on the same words are another text.
    assert first.marks[0] is not None
    with writing(texts.engine) as db:
        repeats.clear(db, [first.marks[0]])
    texts.wait(5)
    assert len(deliver(texts, texted(b"1")).inbound_ids) == 1
    assert said(texts) == ["1", "1"]


def test_two_people_who_say_the_same_are_two(texts: Texts):
    taken = deliver(texts, texted(b"1"), texted(b"1", source="989351112233"))
    assert len(taken.inbound_ids) == 2


def test_a_mark_that_nobody_cleared_lapses(texts: Texts):
    deliver(texts, texted(b"1"))
    texts.wait(301)
    with writing(texts.engine) as db:
        repeats.lapse(db, channel="another", before=texts.now())
    assert deliver(texts, texted(b"1")).inbound_ids == ()
    with writing(texts.engine) as db:
        repeats.lapse(db, channel="centre", before=texts.now())
    assert len(deliver(texts, texted(b"1")).inbound_ids) == 1


def test_11_stops_the_line_and_12_rejoins_each_time_it_is_said(texts: Texts):
    def is_stopped() -> bool:
        with reading(texts.engine) as db:
            return stops.is_stopped(db, look_up=look_up(KEYS, PHONE), line="10001")

    for word, then in (("۱۱", True), ("۱۲", False), ("لغو۱۱", True), ("12", False)):
        taken = deliver(texts, texted(word.encode("utf-16-be"), data_coding=8))
        # Obeyed in the same transaction: nothing is left to be done.
        assert taken.inbound_ids == ()
        assert is_stopped() is then
        texts.wait(10)


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (3, 2, 1)])
@pytest.mark.parametrize(
    "how", [{}, {"wide": True, "room": 132}, {"sar": True}, {"room": 133}]
)
def test_a_long_text_becomes_one_whatever_order_its_parts_come_in(
    texts: Texts, order: tuple[int, ...], how: dict[str, Any]
):
    pieces = parts(LONG, **how)
    assert len(pieces) == 3
    left = [deliver(texts, pieces[number - 1]).inbound_ids for number in order]
    assert [len(ids) for ids in left] == [0, 0, 1]
    assert said(texts) == [LONG]


def test_parts_that_come_again_are_no_second_text(texts: Texts):
    pieces = parts(LONG)
    deliver(texts, pieces[2], pieces[2], pieces[0])
    deliver(texts, *pieces)
    deliver(texts, *pieces)
    assert said(texts) == [LONG]


def test_two_senders_with_one_reference_do_not_mix(texts: Texts):
    mine, theirs = parts(LONG), parts(LONG.upper()[::-1], phone=OTHER_PHONE)
    deliver(texts, mine[2], theirs[0], theirs[2], mine[0], mine[1], theirs[1])
    assert sorted(said(texts)) == sorted([LONG, LONG[::-1]])
    assert {row.look_up for row in rows(texts, schema.inbound)} == {
        look_up(KEYS, PHONE),
        look_up(KEYS, OTHER_PHONE),
    }


def test_a_reference_of_one_octet_is_none_of_two(texts: Texts):
    deliver(texts, parts(LONG)[0], *parts(LONG, wide=True)[1:])
    assert said(texts) == []


def test_an_emoji_cut_in_two_between_parts_is_whole_again(texts: Texts):
    text = "س" * 66 + "😀" + "م" * 40
    pieces = parts(text)
    assert pieces[0].short_message[-2:] == "😀".encode("utf-16-be")[:2]
    deliver(texts, pieces[1], pieces[0])
    assert said(texts) == [text]


def test_a_new_text_under_an_old_reference_leaves_what_came_of_the_old(texts: Texts):
    old, new = parts(LONG), parts(LONG[::-1])
    deliver(texts, old[0], old[1])
    deliver(texts, *new)
    assert len(said(texts)) == 2
    broken, whole = said(texts)
    assert whole == LONG[::-1]
    assert broken.startswith(LONG[:60])


def test_a_receipt_that_comes_twice_is_kept_once(texts: Texts):
    taken = deliver(texts, receipt(SAID), receipt(SAID))
    deliver(texts, receipt(SAID))
    assert taken.receipts == 2
    (row,) = rows(texts, schema.receipt)
    assert (row.carrier, row.carrier_id, row.status) == ("centre", "a1", "delivered")
    assert row.look_up == look_up(KEYS, PHONE)


@pytest.mark.parametrize(
    ("message", "way"),
    [
        (receipt("nothing of the kind"), "receipts"),
        (texted(b"hello", source="MTN"), "inbound"),
        (texted(b"\0\1\2", data_coding=4), "inbound"),
        (texted(b"\5\0\3\1\2\1\0\1\2", esm_class=0x40, data_coding=4), "inbound"),
    ],
)
def test_what_cannot_be_read_is_kept_and_keeps_nothing_else_back(
    texts: Texts, message: Message, way: str
):
    taken = deliver(texts, texted(b"before"), message, texted(b"after"))
    assert said(texts) == ["before", "after"]
    assert [mark is None for mark in taken.marks] == [False, True, False]
    (kept,) = rows(texts, schema.unreadable)
    assert (kept.carrier, kept.way) == ("centre", way)
    assert message.short_message in unseal_raw(KEYS, kept.raw)


def test_nothing_that_came_is_to_be_read_in_the_database(texts: Texts):
    deliver(texts, texted(b"my secret words"), receipt(SAID), *parts(LONG)[:2])
    kept = b"".join(
        bytes(value) if isinstance(value, bytes) else str(value).encode()
        for table in (schema.inbound, schema.receipt, schema.fragment)
        for row in rows(texts, table)
        for value in row
    )
    for private in (b"secret", PHONE[3:].encode(), LONG[:20].encode("utf-16-be")):
        assert private not in kept


def test_a_text_of_another_alphabet_is_read_as_the_channel_says(texts: Texts):
    latin = channel(default_alphabet="latin1")
    assert isinstance(latin.carrier, Smpp)
    deliver(texts, texted("é".encode("latin-1")), at=latin)
    assert said(texts) == ["é"]
