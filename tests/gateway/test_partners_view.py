"""A partner reads its own totals, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from gateway.views.openapi import DESCRIPTION
from ledger import events
from ledger.engine import writing
from tests.gateway.conftest import DATABASES
from tests.gateway.house import Gateway, close_gateway, open_gateway, settings

BOTH = pytest.mark.parametrize("gateway_database", ["sqlite", "postgresql"])
OURS, THEIRS = "partner-" + "k" * 30, "partner-" + "q" * 30


@pytest.fixture
def shared(
    request: pytest.FixtureRequest,
    gateway_database: str,
    redis_url: str,
    tmp_path: Path,
) -> Iterator[Gateway]:
    """Two partners: one has the channel `at`, the other `fenced`."""
    url: str = request.getfixturevalue(DATABASES[gateway_database])
    partners = {
        "hemmat": {"key": OURS, "channels": ["at"]},
        "platform": {"key": THEIRS, "channels": ["fenced"]},
    }
    opened = open_gateway(settings(url, redis_url, tmp_path, partners=partners))
    yield opened
    close_gateway(opened)


def ask(gateway: Gateway, key: str | None, query: Any = None) -> Any:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    return gateway.client.get("/api/v1/totals", headers=headers, query_string=query)


def _pledge(gateway: Gateway, people: int) -> None:
    for n in range(people):
        gateway.pledge(phone=f"+98912000{n:04}")


@BOTH
def test_a_partner_reads_the_totals_of_its_own_channels(shared: Gateway) -> None:
    _pledge(shared, 6)
    shared.pledge(channel="rehearsal")
    shared.clock.wait(days=1)
    answer = ask(shared, OURS)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json["partner"] == "hemmat"
    assert answer.json["to"] == "2026-11-22"
    assert answer.json["totals"] == [
        {
            "campaign": "one-plus-one",
            "kind": "pledge",
            "unit": "rial",
            "number": 6,
            "amount": 6 * 750_000,
        }
    ]
    assert ask(shared, THEIRS).json["totals"] == []


def test_of_fewer_than_five_people_nothing_is_told(shared: Gateway) -> None:
    _pledge(shared, 4)
    # One of them gives often, and is one person still.
    for _ in range(3):
        shared.pledge(phone="+989120000000")
    shared.clock.wait(days=1)
    (total,) = ask(shared, OURS).json["totals"]
    assert (total["number"], total["amount"]) == (None, None)


@BOTH
def test_a_gift_of_an_unknown_giver_is_somebodys_and_goods_are_nobodys(
    shared: Gateway,
) -> None:
    with writing(shared.service.engine) as db:
        for kind in ("gift", "batch.send"):
            events.record(
                db,
                key=f"partner:{kind}",
                kind=kind,
                body={},
                campaign="one-plus-one",
                channel="operator",
                partner="hemmat",
                test=False,
                at=shared.clock(),
            )
    shared.clock.wait(days=1)
    totals = ask(shared, OURS).json["totals"]
    assert {one["kind"]: one["number"] for one in totals} == {
        "batch.send": 1,
        "gift": None,
    }


def test_the_answer_is_what_the_description_says(shared: Gateway) -> None:
    described = shared.client.get("/api/v1/openapi.json")
    assert described.json == DESCRIPTION
    _pledge(shared, 5)
    shared.clock.wait(days=1)
    schema = {**DESCRIPTION, "$ref": "#/components/schemas/Totals"}
    jsonschema.Draft202012Validator(schema).validate(ask(shared, OURS).json)
    for path, methods in DESCRIPTION["paths"].items():
        rules = [
            rule.rule.replace("<", "{").replace(">", "}")
            for rule in shared.app.url_map.iter_rules()
            if "GET" in (rule.methods or ())
        ]
        assert path in rules
        assert set(methods) == {"get"}


@pytest.mark.parametrize("key", [None, "", OURS[:-1], OURS + "k", "\u06f1", "a b c"])
def test_nobody_else_reads_anything(shared: Gateway, key: str | None) -> None:
    answer = ask(shared, key)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.text.count("\n") == 1


def test_a_partners_key_opens_no_export_and_a_token_no_totals(shared: Gateway) -> None:
    headers = {"Authorization": f"Bearer {OURS}"}
    exported = shared.client.get("/api/v1/exports/pledges.csv", headers=headers)
    assert exported.status_code == 401
    assert ask(shared, shared.token()).status_code == 401


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"from": "yesterday"}, "from: a day looks like"),
        ({"from": "1405/09/02", "to": "1405/09/01"}, "from is after to"),
        ({"from": "1404/01/01", "to": "1405/09/01"}, "at most 92 days"),
        ({"since": "1405/09/01"}, "no parameter 'since'"),
        ("from=1405/09/01&from=1405/09/02", "from is given twice"),
        ({"to": "9999-12-31"}, "to: a day lies between"),
    ],
)
def test_days_that_cannot_be_summed_are_refused_in_a_line(
    shared: Gateway, query: Any, told: str
) -> None:
    answer = ask(shared, OURS, query)
    assert answer.status_code == 400
    assert answer.text.startswith(told)
    assert answer.text.count("\n") == 1


def test_the_days_are_those_of_the_campaign(shared: Gateway) -> None:
    # An hour before midnight in Tehran, and an hour after.
    shared.clock.wait(hours=11)
    _pledge(shared, 5)
    shared.clock.wait(hours=2)
    _pledge(shared, 6)
    first = ask(shared, OURS, {"from": "1405/09/01", "to": "1405/09/01"}).json
    second = ask(shared, OURS, {"from": "1405/09/02", "to": "1405/09/02"}).json
    assert [one["number"] for one in first["totals"]] == [5]
    assert [one["number"] for one in second["totals"]] == [6]


def test_two_partners_with_one_key_are_a_fault(tmp_path: Path) -> None:
    from gateway.settings import SettingsError, load

    path = tmp_path / "yarigar.toml"
    path.write_text(f'[partners.a]\nkey = "{OURS}"\n[partners.b]\nkey = "{OURS}"\n')
    with pytest.raises(SettingsError, match="a and b have the same key"):
        load({"YARIGAR_CONFIG": str(path)})
    with pytest.raises(ValidationError):
        settings("sqlite:///x.db", "", tmp_path, partners={"a": {"key": "short"}})
