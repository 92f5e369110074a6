"""The books as files over HTTP, for whoever holds a token."""

from __future__ import annotations

import csv
import io
from typing import Any

import openpyxl
import pytest

from ledger import tokens
from ledger.engine import writing
from tests.gateway.house import OTHER_PHONE, ROOT_CODE, Gateway

BOTH = pytest.mark.parametrize("gateway_database", ["sqlite", "postgresql"])
FIRST_COLUMNS = (
    "code,recorded_at,recorded_at_jalali,campaign,purpose,unit,amount,amount_toman,"
    "paid,outstanding,paid_at,state,channel,district,centre,donor,text_state,reference"
)


def fetch(
    gateway: Gateway, what: str, secret: str | None, query: Any = None, **how: Any
) -> Any:
    headers = {} if secret is None else {"Authorization": f"Bearer {secret}"}
    return gateway.client.get(
        f"/api/v1/exports/{what}", headers=headers, query_string=query, **how
    )


@BOTH
def test_a_csv_opens_in_excel_and_holds_every_pledge(gateway: Gateway):
    codes = [gateway.pledge().code, gateway.pledge(phone=OTHER_PHONE).code]
    answer = fetch(gateway, "pledges.csv", gateway.token())
    assert answer.status_code == 200
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert 'filename="pledges.csv"' in answer.headers["Content-Disposition"]
    assert answer.data.startswith(b"\xef\xbb\xbf" + FIRST_COLUMNS.encode() + b"\r\n")
    assert answer.data.count(b"\n") == answer.data.count(b"\r\n") == 3
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [row["code"] for row in rows] == codes
    assert [row["amount"] for row in rows] == ["750000", "750000"]
    assert [row["donor"] for row in rows] == ["***4567", "***2233"]
    assert rows[0]["recorded_at_jalali"] == "1405/09/01 12:00"


def test_a_csv_is_streamed(gateway: Gateway):
    gateway.pledge()
    answer = fetch(gateway, "pledges.csv", gateway.token())
    assert answer.is_streamed
    assert "Content-Length" not in answer.headers


def test_a_workbook_reads_from_right_to_left(gateway: Gateway):
    code = gateway.pledge().code
    answer = fetch(gateway, "pledges.xlsx", gateway.token(), {"headers": "fa"})
    assert answer.status_code == 200
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    assert sheet.sheet_view.rightToLeft
    assert sheet["A1"].value == "کد پیگیری"
    assert (sheet["A2"].value, sheet["A2"].data_type) == (code, "s")
    assert sheet["G2"].value == 750_000


def test_sign_ups_are_a_table_too(gateway: Gateway):
    gateway.walk("2", "1", "4", "1", "1", "1", code=ROOT_CODE)
    answer = fetch(gateway, "signups.csv", gateway.token())
    assert len(answer.data.decode("utf-8-sig").splitlines()) == 2


def test_days_and_campaigns_select(gateway: Gateway):
    gateway.pledge()
    secret = gateway.token()

    def rows(**query: str) -> int:
        answer = fetch(gateway, "pledges.csv", secret, query)
        assert answer.status_code == 200, answer.text
        return len(answer.data.decode().splitlines()) - 1

    assert rows(**{"from": "1405/09/01", "to": "1405/09/01"}) == 1
    assert rows(**{"from": "2026-11-22", "to": "2026-11-22"}) == 1
    assert rows(**{"from": "1405/09/02"}) == 0
    assert rows(campaign="one-plus-one") == 1
    assert rows(campaign="another") == 0


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Bearer yrg_wrong",
        "Bearer " + "yrg_" + "x" * 10_000,
        "Basic eXJnOnlyZw==",
        "Bearer yrg_\xe9",
    ],
)
def test_without_a_token_nothing_is_told(gateway: Gateway, authorization: str):
    gateway.token()
    answer = gateway.client.get(
        "/api/v1/exports/pledges.csv", headers={"Authorization": authorization}
    )
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.text == "401 a bearer token is needed\n"


def test_a_token_in_the_address_is_none(gateway: Gateway):
    answer = fetch(gateway, "pledges.csv", None, {"token": gateway.token()})
    assert answer.status_code == 401


def test_a_revoked_token_opens_nothing(gateway: Gateway):
    secret = gateway.token("old")
    with writing(gateway.service.engine) as db:
        tokens.revoke(db, name="old", at=gateway.clock())
    assert fetch(gateway, "pledges.csv", secret).status_code == 401


def test_the_secret_is_kept_only_as_a_digest(gateway: Gateway):
    secret = gateway.token()
    assert secret.encode() not in gateway.everything_kept()


@pytest.mark.parametrize("what", ["none.csv", "pledges.pdf", "pledges", "../x.csv"])
def test_another_table_or_format_is_nowhere(gateway: Gateway, what: str):
    assert fetch(gateway, what, gateway.token()).status_code == 404


@BOTH
@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"from": "yesterday"}, "1405/09/01"),
        ({"from": "1405/13/01"}, "calendar"),
        ({"from": "1405/09/02", "to": "1405/09/01"}, "comes after"),
        ({"headers": "de"}, "en or fa"),
        ({"since": "1405/09/01"}, "since"),
        ([("from", "1405/09/01"), ("from", "1405/09/02")], "from is given twice"),
        ({"campaign": "a\0b"}, "campaign"),
        ({"from": "9" * 5000}, "day"),
    ],
)
def test_what_selects_nothing_is_refused_in_one_line(
    gateway: Gateway, query: Any, named: str
):
    answer = fetch(gateway, "pledges.csv", gateway.token(), query)
    assert answer.status_code == 400
    assert named in answer.text
    assert answer.text.count("\n") == 1


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_a_ledger_that_is_away_is_no_empty_file(gateway: Gateway, format: str):
    secret = gateway.token()
    with gateway.service.engine.connect() as db:
        db.exec_driver_sql("ALTER TABLE code RENAME TO gone")
        db.commit()
    answer = fetch(gateway, f"pledges.{format}", secret)
    assert answer.status_code == 503
    assert answer.text == "the ledger cannot be read now\n"


def test_only_a_get_reads(gateway: Gateway):
    answer = gateway.client.post("/api/v1/exports/pledges.csv")
    assert answer.status_code == 405
