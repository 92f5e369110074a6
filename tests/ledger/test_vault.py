from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from ledger import vault
from ledger.engine import writing
from ledger.vault import Keys, WrongKeys
from tests.ledger.facts import KEYS, OTHER_PHONE, PHONE


@given(st.binary(max_size=2000))
def test_a_raw_body_comes_back_and_is_not_there_in_the_clear(raw: bytes) -> None:
    sealed = vault.seal_raw(KEYS, raw)
    assert vault.unseal_raw(KEYS, sealed) == raw
    assert len(raw) < 8 or raw not in sealed


def test_a_phone_comes_back_for_its_own_person_only() -> None:
    sealed = vault.seal_phone(KEYS, 7, PHONE)
    assert vault.unseal_phone(KEYS, 7, sealed) == PHONE
    assert PHONE.encode() not in sealed.phone + sealed.wrapped_key
    with pytest.raises(WrongKeys):
        vault.unseal_phone(KEYS, 8, sealed)


def test_rows_of_two_people_cannot_be_mixed() -> None:
    mine, theirs = (
        vault.seal_phone(KEYS, 7, PHONE),
        vault.seal_phone(KEYS, 7, OTHER_PHONE),
    )
    with pytest.raises(WrongKeys):
        vault.unseal_phone(KEYS, 7, replace(mine, phone=theirs.phone))


def test_the_same_phone_is_never_sealed_the_same_way_twice() -> None:
    first, second = (vault.seal_phone(KEYS, 7, PHONE) for _ in range(2))
    assert first.phone != second.phone
    assert first.wrapped_key != second.wrapped_key


@pytest.mark.parametrize("damage", [b"", b"\x01", b"\x02" + bytes(40), bytes(60)])
def test_a_damaged_value_is_refused_in_one_line(damage: bytes) -> None:
    with pytest.raises(WrongKeys, match="does not open"):
        vault.unseal_raw(KEYS, damage)


def test_another_key_opens_nothing() -> None:
    sealed = vault.seal_raw(KEYS, b"body")
    with pytest.raises(WrongKeys):
        vault.unseal_raw(replace(KEYS, vault=b"x" * 32), sealed)


def test_a_hash_is_the_same_for_a_phone_and_differs_by_key() -> None:
    assert vault.look_up(KEYS, PHONE) == vault.look_up(KEYS, PHONE)
    assert len(vault.look_up(KEYS, PHONE)) == 32
    assert vault.look_up(KEYS, PHONE) != vault.look_up(KEYS, OTHER_PHONE)
    other = replace(KEYS, index=b"x" * 32)
    assert vault.look_up(KEYS, PHONE) != vault.look_up(other, PHONE)


def test_keys_are_never_shown_and_have_one_length() -> None:
    assert repr(KEYS) == "Keys()"
    with pytest.raises(ValueError, match="32 bytes"):
        Keys(vault=b"short", index=b"i" * 32, code=b"c" * 32)


def test_a_database_is_bound_to_its_keys(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        vault.claim_key(db, KEYS)
        vault.claim_key(db, KEYS)
    for name in ("index", "vault"):
        wrong = replace(KEYS, **{name: b"x" * 32})
        with (
            pytest.raises(WrongKeys, match=f"{name}_key"),
            writing(ledger_engine) as db,
        ):
            vault.claim_key(db, wrong)
