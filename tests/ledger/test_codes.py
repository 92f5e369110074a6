from __future__ import annotations

import pytest
from sqlalchemy import Connection, Engine

from ledger import codes, events
from ledger.engine import writing
from phone.codes import code_of, is_code
from tests.ledger.facts import AT, KEYS


def event(db: Connection, key: str) -> int:
    return events.record(
        db, key=key, kind="gift", body={}, channel="at", test=False, at=AT
    ).event_id


def test_a_code_is_nine_digits_and_leads_back_to_its_event(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        event_id = event(db, "a")
        code = codes.allot(db, KEYS, event_id=event_id)
        assert is_code(code)
        assert codes.event_of(db, code) == event_id
        assert codes.event_of(db, "000000000") is None


def test_neighbours_do_not_have_neighbouring_codes(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        found = [codes.allot(db, KEYS, event_id=event(db, str(n))) for n in range(20)]
    gaps = {abs(int(a) - int(b)) for a, b in zip(found, found[1:], strict=False)}
    assert len(set(found)) == 20
    assert min(gaps) > 1000


def test_a_taken_code_gives_way_to_the_next(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        first, second = event(db, "a"), event(db, "b")
        taken = code_of(second, KEYS.code)
        codes._insert(db, code=taken, event_id=first)
        code = codes.allot(db, KEYS, event_id=second)
        assert code == code_of(second + codes.STEP, KEYS.code)
        assert codes.event_of(db, taken) == first
        assert codes.event_of(db, code) == second


def test_the_search_for_a_free_code_ends(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        wanted = event(db, "wanted")
        for attempt in range(codes.ATTEMPTS_MAX):
            codes._insert(
                db,
                code=code_of(wanted + attempt * codes.STEP, KEYS.code),
                event_id=event(db, f"other:{attempt}"),
            )
        with pytest.raises(codes.NoCodeLeft):
            codes.allot(db, KEYS, event_id=wanted)
