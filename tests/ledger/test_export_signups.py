from __future__ import annotations

import csv
import io

from sqlalchemy import Engine

from ledger.export import SIGNUPS, TABLES, Selection, export_csv
from tests.ledger.books import CAMPAIGN, KEYS, Books

TEHRAN = Selection("Asia/Tehran")


def test_a_sign_up_is_one_row(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    signup, code = books.sign_up()
    books.promise(signup, "delivered", "sms.vol")
    assert rows(ledger_engine) == [
        {
            "code": code,
            "recorded_at": "2026-11-22T08:30:01Z",
            "recorded_at_jalali": "1405/09/01 12:00",
            "campaign": CAMPAIGN,
            "place_kind": "town",
            "place": "ری",
            "province": "23",
            "district": "",
            "skill": "teaching",
            "time": "evening",
            "channel": "at",
            "volunteer": "***4567",
            "text_state": "delivered",
            "consent": "ab" * 32,
            "round": "",
            "booth": "",
            "state": "active",
            "place_code": "",
            "centre": "",
            "changed_at": "",
        }
    ]


def test_signing_up_again_is_no_second_row(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    _, code = books.sign_up()
    assert books.sign_up()[1] == code
    assert len(rows(ledger_engine)) == SIGNUPS.count(ledger_engine, TEHRAN) == 1


def test_a_rehearsed_sign_up_is_never_exported(ledger_engine: Engine) -> None:
    Books(ledger_engine).sign_up(test=True)
    assert rows(ledger_engine) == []


def test_tables_are_found_by_their_names() -> None:
    names = ["pledges", "signups", "payments", "journal", "people", "messages"]
    names += ["deliveries", "benefactors", "decisions", "meetings", "premises"]
    names += ["hours", "favours", "needs"]
    assert [table.name for table in TABLES.values()] == list(TABLES) == names


def rows(engine: Engine) -> list[dict[str, str]]:
    file = b"".join(export_csv(engine, SIGNUPS, TEHRAN, keys=KEYS))
    return list(csv.DictReader(io.StringIO(file.decode("utf-8-sig"), newline="")))
