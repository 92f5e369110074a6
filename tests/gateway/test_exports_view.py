"""The books as files over HTTP, for whoever holds a token."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from typing import Any

import openpyxl
import pytest

from gateway import approvals, exporting
from gateway.exporting import Wanted
from ledger import tokens
from ledger.engine import writing
from ledger.export import Selection
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
    assert answer.data.startswith(b"\xef\xbb\xbf" + FIRST_COLUMNS.encode() + b",")
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


@pytest.mark.parametrize(
    ("what", "media_type"),
    [
        ("journal.jsonl", "application/jsonl; charset=utf-8"),
        ("journal.hledger", "text/plain; charset=utf-8"),
        ("journal.beancount", "text/plain; charset=utf-8"),
        ("messages.parquet", "application/vnd.apache.parquet"),
        ("payments.csv", "text/csv; charset=utf-8"),
    ],
)
def test_other_tables_and_formats_are_there(
    gateway: Gateway, what: str, media_type: str
):
    gateway.pledge()
    answer = fetch(gateway, what, gateway.token())
    assert (answer.status_code, answer.content_type) == (200, media_type)
    assert answer.data


@pytest.mark.parametrize("what", ["pledges.hledger", "people.beancount"])
def test_only_the_journal_goes_to_accountants_programs(gateway: Gateway, what: str):
    assert fetch(gateway, what, gateway.token()).status_code == 404


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_the_manifest_of_a_file_is_told_once_all_of_it_came(
    gateway: Gateway, format: str
):
    gateway.pledge()
    secret = gateway.token()
    answer = fetch(gateway, f"pledges.{format}", secret, {"from": "1405/09/01"})
    data = answer.data
    place = answer.headers["X-Manifest"]
    found = fetch(gateway, place.removeprefix("/api/v1/exports/"), secret)
    assert found.status_code == 200
    told = json.loads(found.data)
    assert told["sha256"] == hashlib.sha256(data).hexdigest()
    assert (told["what"], told["format"], told["rows"]) == ("pledges", format, 1)
    assert told["filter"]["from"] == "2026-11-22"
    assert told["sums"][0]["amount"] == 750_000


def test_a_file_that_was_not_read_to_its_end_has_no_manifest(gateway: Gateway):
    gateway.pledge()
    secret = gateway.token()
    answer = fetch(gateway, "pledges.csv", secret, buffered=False)
    place = answer.headers["X-Manifest"].removeprefix("/api/v1/exports/")
    assert fetch(gateway, place, secret).status_code == 404
    assert answer.data
    assert fetch(gateway, place, secret).status_code == 200


def test_a_manifest_needs_a_token_and_a_name(gateway: Gateway):
    gateway.pledge()
    secret = gateway.token()
    answer = fetch(gateway, "pledges.csv", secret)
    assert answer.data
    place = answer.headers["X-Manifest"].removeprefix("/api/v1/exports/")
    assert fetch(gateway, place, None).status_code == 401
    assert fetch(gateway, "manifests/" + "x" * 5000, secret).status_code == 404
    assert fetch(gateway, "manifests/0", secret).status_code == 404


def test_who_takes_people_out_is_in_the_audit_trail(gateway: Gateway):
    gateway.pledge()
    answer = fetch(gateway, "people.csv", gateway.token("club"), {"to": "1405/09/01"})
    assert b"***4567" in answer.data
    (event,) = gateway.rows("event", kind="export.people")
    assert event.body == {
        "what": "people",
        "from": "",
        "to": "2026-11-22",
        "campaign": "",
        "format": "csv",
        "in_full": 0,
        "rows": 1,
        "request": 0,
        "by": "club",
    }


def test_a_large_export_needs_others(gateway: Gateway, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gateway.exporting.ALONE_ROWS_MAX", 1)
    gateway.pledge()
    secret = gateway.token()
    assert fetch(gateway, "pledges.csv", secret).status_code == 200
    gateway.pledge(phone=OTHER_PHONE)
    answer = fetch(gateway, "pledges.csv", secret)
    assert answer.status_code == 403
    assert answer.text.startswith("2 rows are more than 1: others have to agree")
    service = gateway.service
    wanted = Wanted("pledges", Selection("Asia/Tehran"))
    asked = exporting.ask(
        service, wanted, why="the yearly audit", by="sara", at=gateway.clock()
    )
    query = {"request": str(asked.id)}
    answer = fetch(gateway, "pledges.csv", secret, query)
    assert (answer.status_code, answer.text) == (
        403,
        f"request {asked.id} waits: 1 more have to agree\n",
    )
    approvals.approve(service, asked.id, by="reza", at=gateway.clock())
    answer = fetch(gateway, "pledges.csv", secret, query)
    assert len(answer.data.splitlines()) == 3
    assert fetch(gateway, "payments.csv", secret, query).status_code == 403
    (event,) = gateway.rows("event", kind="export.large")
    assert (event.body["request"], event.body["by"]) == (asked.id, "auditor")
    gateway.clock.wait(days=8)
    assert fetch(gateway, "pledges.csv", secret, query).status_code == 403


def test_no_token_takes_out_what_others_agreed_to_for_one_person(gateway: Gateway):
    gateway.pledge()
    service = gateway.service
    wanted = Wanted("people", Selection("Asia/Tehran"), in_full=True)
    asked = exporting.ask(
        service, wanted, why="the insurer", by="sara", at=gateway.clock()
    )
    approvals.approve(service, asked.id, by="reza", at=gateway.clock())
    query = {"request": str(asked.id)}
    answer = fetch(gateway, "people.csv", gateway.token(), query)
    assert (answer.status_code, answer.text) == (
        403,
        "numbers in full leave by `yarigar ledger export` only\n",
    )
    assert gateway.rows("event", kind="export.people") == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"request": "x"}, 400),
        ({"request": "-1"}, 400),
        ({"request": "9" * 30}, 400),
        ({"request": "۱"}, 400),
        ({"request": "999"}, 403),
        ({"request": "1", "from": "1405/09/01"}, 400),
    ],
)
def test_a_request_that_is_none_opens_nothing(
    gateway: Gateway, query: dict[str, str], status: int
):
    answer = fetch(gateway, "pledges.csv", gateway.token(), query)
    assert answer.status_code == status
    assert answer.text.count("\n") == 1


def test_only_a_get_reads(gateway: Gateway):
    answer = gateway.client.post("/api/v1/exports/pledges.csv")
    assert answer.status_code == 405
