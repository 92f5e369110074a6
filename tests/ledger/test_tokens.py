from __future__ import annotations

import pytest
from sqlalchemy import Engine, select

from ledger import schema, tokens
from ledger.engine import writing
from tests.ledger.facts import AT


def test_a_token_opens_until_it_is_revoked(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        secret = tokens.add(db, name="auditor", at=AT)
        other = tokens.add(db, name="bank", at=AT)
        assert secret.startswith("yrg_")
        assert len(secret) >= 44
        assert tokens.is_valid(db, secret) == "auditor"
        assert tokens.names(db) == ["auditor", "bank"]
        tokens.revoke(db, name="auditor", at=AT)
        assert tokens.is_valid(db, secret) is None
        assert tokens.is_valid(db, other) == "bank"
        assert tokens.names(db) == ["bank"]


def test_a_name_is_used_once_for_ever(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        tokens.add(db, name="auditor", at=AT)
        with pytest.raises(tokens.NameTaken, match="auditor"):
            tokens.add(db, name="auditor", at=AT)
        tokens.revoke(db, name="auditor", at=AT)
        with pytest.raises(tokens.NameTaken):
            tokens.add(db, name="auditor", at=AT)
        with pytest.raises(tokens.NoSuchToken):
            tokens.revoke(db, name="auditor", at=AT)


@pytest.mark.parametrize(
    "secret", ["", "yrg_", "yrg_" + "a" * 43, "yrg_" + "a" * 5000, "yrg_\ud800", "\0"]
)
def test_any_other_secret_opens_nothing(ledger_engine: Engine, secret: str) -> None:
    with writing(ledger_engine) as db:
        tokens.add(db, name="auditor", at=AT)
        assert tokens.is_valid(db, secret) is None


def test_the_secret_itself_is_not_kept(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        secret = tokens.add(db, name="auditor", at=AT)
        row = db.execute(select(schema.token)).one()
    assert secret not in repr(row)
    assert secret.encode() not in bytes(row.digest)
