"""What the recorded cases of Hubtel cannot say: its one option."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ussd.dialects.hubtel import Hubtel
from ussd.turn import Call, Request, Turn

ANSWER = {
    "Type": "Response",
    "Mobile": "989121234567",
    "SessionId": "h1",
    "ServiceCode": "780*5588",
    "Message": "1",
}


def _read(carrier: Hubtel, **fields: Any) -> Turn:
    said = carrier.read(Request(body=json.dumps({**ANSWER, **fields}).encode()))
    assert isinstance(said, Turn)
    return said


def test_a_carrier_whose_sequence_does_not_count_can_be_told_so():
    assert _read(Hubtel(region="IR"), Sequence=1).sequence == 1
    counting_nothing = Hubtel(region="IR", options={"numbered": False})
    # Not even that it is no number matters then.
    assert _read(counting_nothing, Sequence="first").sequence is None
    # The environment has texts only.
    from_environment = Hubtel(region="IR", options={"numbered": "false"})
    assert _read(from_environment, Sequence=1).sequence is None


@pytest.mark.parametrize("wrong", ["no", 0, None, []])
def test_whether_requests_are_numbered_is_true_or_false(wrong: Any):
    with pytest.raises(ValueError, match="^numbered: should be true or false$"):
        Hubtel(region="IR", options={"numbered": wrong})


def test_each_wrong_option_has_its_line():
    with pytest.raises(ValueError, match="numbered") as refused:
        Hubtel(region="IR", options={"code": "*780#", "numbered": 1, "pin": 2})
    assert str(refused.value).splitlines() == [
        "numbered: should be true or false",
        "code: no such option",
        "pin: no such option",
    ]


def test_the_carriers_side_counts_the_requests_of_a_call():
    carrier = Hubtel(region="IR")
    answers: tuple[str, ...] = ()
    counted = []
    for key in ("", "1", "1", "2"):
        answers = (*answers, key) if key else answers
        said = carrier.read(carrier.send(Call("h1", "+989121234567", "*780#", answers)))
        assert isinstance(said, Turn)
        counted.append(said.sequence)
    assert counted == [1, 2, 3, 4]
