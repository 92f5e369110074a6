"""The examples of docs/carriers.md and docs/add-a-dialect.md do what the pages say."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.channels import UssdChannel
from tests.ussd.recorded import MAPPED, NOT_HTTP, registered
from ussd.dialects.mapped import Mapped
from ussd.turn import Answer, Call, Dialect, DialEnd, Ending, Request, Turn, Unreadable

CARRIERS = Path("docs/carriers.md").read_text("utf-8")
ADD = Path("docs/add-a-dialect.md").read_text("utf-8")
FENCED = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
PHONE = "+989121234567"
CODE = "*780*5588*1#"


def blocks(page: str, kind: str) -> list[str]:
    return [body for word, body in FENCED.findall(page) if word == kind]


def channels() -> dict[str, dict[str, Any]]:
    """The channels that the page describes whole."""
    found: dict[str, dict[str, Any]] = {}
    for block in blocks(CARRIERS, "toml"):
        for name, table in tomllib.loads(block)["ussd"].items():
            if "adapter" in table:
                found[name] = table
    return found


def options(table: dict[str, Any]) -> dict[str, Any]:
    channel = UssdChannel(**table)
    assert channel.adapter == "mapped"
    return dict(channel.options)


def walked(carrier: Dialect, code: str = CODE) -> None:
    """A call through both sides of a dialect."""
    for answers in ((), ("3",), ("3", "۷۵ هزار")):
        turn = carrier.read(carrier.send(Call("call-1", PHONE, code, answers)))
        assert isinstance(turn, Turn)
        assert (turn.session, turn.phone) == ("call-1", PHONE)
        assert turn.starts is (not answers)
        assert turn.typed == (answers[-1] if answers else "")
        for ends in (False, True):
            assert carrier.heard(carrier.write(turn, "مبلغ؟\n1", ends=ends)) == (
                "مبلغ؟\n1",
                ends,
            )


def test_every_dialect_is_in_the_table_of_carriers():
    table = CARRIERS.partition("| adapter |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| `([a-z-]+)` \| ", table, re.MULTILINE)
    assert sorted(rows) == sorted([*registered(), *NOT_HTTP])


def test_the_page_describes_three_whole_channels():
    assert list(channels()) == ["aggregator", "nalo", "arkesel"]


@pytest.mark.parametrize("name", channels())
def test_a_channel_of_the_page_can_be_dialled(name: str):
    walked(Mapped(region="IR", options=options(channels()[name])))


@pytest.mark.parametrize("name", ["nalo", "arkesel"])
def test_a_channel_of_the_page_is_the_one_that_passes_the_suite(name: str):
    tested = tomllib.loads((MAPPED / f"{name}.toml").read_text("utf-8"))["ussd"][name]
    asked = [options(table) for table in (channels()[name], tested)]
    for table in asked:
        table.setdefault("method", "POST")
        kind = table["kind"]
        for word in ("start", "answer"):
            kind[word] = kind[word] if isinstance(kind[word], list) else [kind[word]]
    assert asked[0] == asked[1]


def test_the_request_of_the_page_is_the_aggregators():
    (line,) = (block for block in blocks(CARRIERS, "text") if "GET /ussd" in block)
    carrier = Mapped(region="IR", options=options(channels()["aggregator"]))
    query = line.strip().partition("?")[2].encode()
    turn = carrier.read(Request(method="GET", query=query))
    assert turn == Turn(
        session="71",
        phone=PHONE,
        dialled="*780*5588*1#",
        typed="",
        cumulative=False,
        starts=True,
        sequence=1,
        echo={"mobile": "09121234567"},
    )
    assert isinstance(turn, Turn)
    assert carrier.write(turn, "۱", ends=True) == Answer(
        "sessionId=71&mobile=09121234567&text=%DB%B1&close=1",
        content_type="application/x-www-form-urlencoded",
    )


def test_the_pieces_of_the_page_fit_its_aggregator():
    """With the one of the text instead of the whole, endings are told as it says."""
    whole = options(channels()["aggregator"])
    for block in blocks(CARRIERS, "toml"):
        table = tomllib.loads(block)["ussd"].get("aggregator", {})
        if "adapter" not in table:
            whole = {**whole, **table}
    carrier = Mapped(region="IR", options=whole)
    start = b"sessionId=71&mobile=09121234567&"
    for said, how in {
        (b"event=hangup", ""): Ending.LEFT,
        (b"event=timeout", ""): Ending.CUT,
        (b"event=storm", ""): Ending.CUT,
        (b"reason=user", "events"): Ending.LEFT,
        (b"reason=shown", "events"): Ending.REACHED,
        (b"reason=", "events"): Ending.CUT,
    }.items():
        end = carrier.read(Request(method="GET", query=start + said[0], path=said[1]))
        assert isinstance(end, DialEnd)
        assert end.how is how
    walked(carrier)


# -- the dialect of the other page ----------------------------------------------------


def pigeon() -> Dialect:
    (code,) = blocks(ADD, "python")
    names: dict[str, Any] = {}
    exec(compile(code, "docs/add-a-dialect.md", "exec"), names)  # noqa: S102
    built: Dialect = names["Pigeon"](region="IR", options={})
    return built


PIGEON = pigeon()


def test_the_dialect_of_the_page_carries_a_call():
    walked(PIGEON)
    assert PIGEON.refuse("Field id is missing.", 400) == Answer(
        ".Field id is missing.", status=400
    )
    with pytest.raises(ValueError, match="wings: no such option"):
        type(PIGEON)(region="IR", options={"wings": 2})


@given(query=st.binary(max_size=80), method=st.sampled_from(["GET", "POST"]))
def test_the_dialect_of_the_page_takes_whatever_comes(query: bytes, method: str):
    try:
        said = PIGEON.read(Request(method=method, query=query))
    except Unreadable as refused:
        assert str(refused).isprintable()  # noqa: PT017
    else:
        assert isinstance(said, Turn)
