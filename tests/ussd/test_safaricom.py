from __future__ import annotations

from ussd.dialects.safaricom import Safaricom
from ussd.trail import Onward, Repeat, Trail, digest_with, extended, reconcile
from ussd.turn import Call, Request, Turn

CARRIER = Safaricom(region="KE")
DIGEST = digest_with(b"k" * 32)


def read(request: Request) -> Turn:
    turn = CARRIER.read(request)
    assert isinstance(turn, Turn)
    return turn


def test_a_start_that_comes_twice_is_one_and_its_suffix_is_typed_once() -> None:
    call = Call("s1", "+254722000001", "*780*5588*1#")
    start = read(CARRIER.send(call))
    trail: Trail = extended((), start, DIGEST, reply="Amount?", ends=False, at=0.0)
    assert reconcile(trail, start, DIGEST, 60.0) == Repeat("Amount?", False)
    answered = Call("s1", "+254722000001", "*780*5588*1#", ("50000",))
    said = reconcile(trail, read(CARRIER.send(answered)), DIGEST, 61.0)
    assert said == Onward(("50000",))
