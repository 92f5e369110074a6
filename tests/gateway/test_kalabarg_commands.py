"""`yarigar kalabarg`: what an operator sees and does of requests for delivery."""

from __future__ import annotations

import pytest

from gateway.placing import shipped, take_in
from tests.gateway.correspondence import Phone
from tests.gateway.house import NOON, Gateway
from tests.gateway.operator import Operator

KALABARG, CENTRE = "*780*5588*3#", "11023"


@pytest.fixture
def code(gateway: Gateway) -> str:
    """The code of a request that waits for the operator."""
    take_in(gateway.service.engine, shipped(), by="test", at=NOON)
    return gateway.walk("1", "9", "1", "1", code=KALABARG).code


def waiting(gateway: Gateway) -> tuple[int, str, str]:
    (row,) = gateway.rows("delivery")
    return row.event_id, row.queue, row.state


def test_what_waits_is_listed_without_a_code_or_a_phone(
    operator: Operator, gateway: Gateway, code: str
) -> None:
    number, queue, _ = waiting(gateway)
    told = operator.run("kalabarg", "list").output
    assert told.startswith(f"{number}  {queue}  open  by 1405/09/04")
    assert code not in told
    assert "4567" not in told
    assert operator.run("kalabarg", "list", "--queue", "c11023").output == (
        "nothing waits\n"
    )
    assert operator.run("kalabarg", "list", "--test").output == "nothing waits\n"


def test_a_request_is_passed_on_taken_and_brought(
    operator: Operator, gateway: Gateway, code: str
) -> None:
    number, queue, _ = waiting(gateway)
    assert queue == "operator"
    phone = Phone(gateway)
    phone.news()
    operator.run("kalabarg", "pass-on", str(number), "--centre", CENTRE)
    assert waiting(gateway) == (number, "c11023", "open")
    operator.run("kalabarg", "take", str(number))
    assert code in phone.news()[0]
    assert "written down" in operator.run("kalabarg", "done", code).output
    assert waiting(gateway) == (number, "c11023", "delivered")
    again = operator.run("kalabarg", "done", code)
    assert again.output.startswith("nothing was done")
    assert len(gateway.rows("event", kind="delivery.done")) == 1


def test_a_request_that_nobody_brings_is_closed_and_told(
    operator: Operator, gateway: Gateway, code: str
) -> None:
    number, _, _ = waiting(gateway)
    phone = Phone(gateway)
    phone.news()
    operator.run("kalabarg", "close", str(number), "--reason", "out of town")
    assert waiting(gateway)[2] == "closed"
    assert phone.news() == [f"سلام محله: درخواست {code} بسته شد. پرسش: 02100000000"]


@pytest.mark.parametrize(
    "asked",
    [
        ["list", "--queue", "c99999"],
        ["list", "--queue", "partner:No Name"],
        ["take", "999999"],
        ["take", "1", "--test"],
        ["done", "482915070"],
        ["done", "12345678"],
        ["pass-on", "1"],
        ["pass-on", "1", "--centre", "11024"],
        ["pass-on", "1", "--partner", "No Name"],
        ["close", "1", "--reason", "call 09121234567"],
    ],
)
def test_what_cannot_be_is_refused_in_a_line(
    operator: Operator, gateway: Gateway, code: str, asked: list[str]
) -> None:
    before = waiting(gateway)
    told = operator.run("kalabarg", *asked)
    assert told.exit_code == 2
    assert "09121234567" not in told.output
    assert waiting(gateway) == before
