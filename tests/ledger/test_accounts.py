from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from ledger import schema
from ledger.accounts import account_id
from ledger.engine import NothingRecorded, writing
from tests.ledger.facts import count


def test_an_account_is_made_once(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        made = account_id(db, "A:Bank:mellat", "rial")
        assert account_id(db, "A:Bank:mellat", "rial") == made
        assert account_id(db, "A:Cash:centre-1", "rial") != made
        assert count(db, schema.account) == 2


def test_two_who_need_a_new_account_share_it(ledger_engine: Engine) -> None:
    def need(_: int) -> int:
        with writing(ledger_engine) as db:
            return account_id(db, "A:Bank:mellat", "rial")

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(need, range(12)))) == 1


def test_an_account_keeps_its_unit(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        account_id(db, "T:Mint", "minute")
        with pytest.raises(AssertionError, match="holds minute"):
            account_id(db, "T:Mint", "rial")


def test_an_account_of_an_unknown_unit_is_refused(ledger_engine: Engine) -> None:
    with pytest.raises(NothingRecorded), writing(ledger_engine) as db:
        account_id(db, "A:Bank:abroad", "dollar")
