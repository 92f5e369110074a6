"""Parts of long texts that came in, joined in any order; on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import Engine, select

from ledger import fragments
from ledger.engine import connect, reading, writing
from ledger.fragments import Added, Group
from ledger.schema import fragment
from ledger.vault import look_up
from tests.texts import KEYS, NOON, PHONE

OTHER = "+989351112233"


@pytest.mark.parametrize("order", list(permutations((1, 2, 3))))
def test_a_text_is_whole_when_its_last_part_comes_in_any_order(
    ledger_engine: Engine, order: tuple[int, ...]
) -> None:
    *early, last = order
    for part in early:
        assert add(ledger_engine, part) == Added()
    whole = add(ledger_engine, last).whole
    assert whole is not None
    assert dict(whole.parts) == {1: b"part 1", 2: b"part 2", 3: b"part 3"}
    assert (whole.carrier, whole.line, whole.reference) == ("kave", "10001", "16:513")


def test_two_senders_of_one_reference_do_not_mix(ledger_engine: Engine) -> None:
    for more in ({}, {"phone": OTHER}, {"line": "3000"}, {"reference": "8:513"}):
        assert add(ledger_engine, 1, total=2, **more) == Added()
    whole = add(ledger_engine, 2, total=2, phone=OTHER).whole
    assert whole is not None
    assert whole.look_up == look_up(KEYS, OTHER)


def test_a_part_that_comes_again_changes_nothing(ledger_engine: Engine) -> None:
    assert add(ledger_engine, 1, total=2) == Added()
    assert add(ledger_engine, 1, total=2) == Added()
    assert add(ledger_engine, 2, total=2).whole is not None
    for part in (2, 1, 2):
        assert add(ledger_engine, part, total=2) == Added()


def test_what_is_kept_of_a_joined_text_has_no_words(ledger_engine: Engine) -> None:
    add(ledger_engine, 1, total=2)
    assert not any(b"part 1" in raw for raw in kept(ledger_engine))
    add(ledger_engine, 2, total=2)
    assert [len(raw) for raw in kept(ledger_engine)] == [33, 33]


def test_a_sender_that_begins_anew_does_not_mix_two_texts(
    ledger_engine: Engine,
) -> None:
    add(ledger_engine, 1, raw=b"old 1")
    add(ledger_engine, 2, raw=b"old 2")
    added = add(ledger_engine, 1, raw=b"new 1")
    assert added.whole is None
    assert added.broken is not None
    assert dict(added.broken.parts) == {1: b"old 1", 2: b"old 2"}
    add(ledger_engine, 3, raw=b"new 3")
    whole = add(ledger_engine, 2, raw=b"new 2").whole
    assert whole is not None
    assert list(whole.parts.values()) == [b"new 1", b"new 2", b"new 3"]
    # The reference comes round again, after a text that was whole.
    assert add(ledger_engine, 2, raw=b"next 2") == Added()


def test_what_never_came_whole_is_taken_out_once(ledger_engine: Engine) -> None:
    add(ledger_engine, 2)
    add(ledger_engine, 1, total=2, reference="16:1")
    add(ledger_engine, 2, total=2, reference="16:1")
    add(ledger_engine, 1, reference="16:2", at=NOON + timedelta(days=2))
    [group] = broken(ledger_engine)
    assert (group.total, dict(group.parts)) == (3, {2: b"part 2"})
    assert broken(ledger_engine) == []
    assert len(kept(ledger_engine)) == 1


def test_two_parts_at_the_same_moment_make_one_text(ledger_url: str) -> None:
    engine = connect(ledger_url)
    with ThreadPoolExecutor(2) as pool:
        for n in range(12):
            added = list(
                pool.map(
                    lambda part, n=n: add(engine, part, total=2, reference=f"8:{n}"),
                    (1, 2),
                )
            )
            assert [one.whole is not None for one in added].count(True) == 1
    engine.dispose()


def add(engine: Engine, part: int, **more: Any) -> Added:
    phone = more.pop("phone", PHONE)
    named = {
        "carrier": "kave",
        "look_up": look_up(KEYS, phone),
        "line": "10001",
        "reference": "16:513",
        "total": 3,
        "raw": b"part %d" % part,
        "at": NOON,
    }
    with writing(engine) as db:
        return fragments.add(db, KEYS, part=part, **{**named, **more})


def broken(engine: Engine) -> list[Group]:
    with writing(engine) as db:
        return fragments.broken(db, KEYS, before=NOON + timedelta(days=1))


def kept(engine: Engine) -> list[bytes]:
    with reading(engine) as db:
        return [bytes(raw) for raw in db.scalars(select(fragment.c.raw))]
