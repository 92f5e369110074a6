"""The gateway's side of `userObject`: it sends back what it was given last."""

from __future__ import annotations

import re
from xml.sax.saxutils import quoteattr

from ussd.dialects.restcomm import Restcomm
from ussd.trail import Onward, Repeat, Trail, digest_with, extended, reconcile
from ussd.turn import Answer, DialEnd, Ending, Request, Turn

CARRIER = Restcomm(region="IR")
DIGEST = digest_with(b"k" * 32)
DIAL = (
    '<processUnstructuredSSRequest_Request invokeId="5" string="*780*5588*1#">'
    '<msisdn nai="international_number" npi="ISDN" number="989121234567"/>'
    "</processUnstructuredSSRequest_Request>"
)


class Gateway:
    """One dialog, which keeps the object of the latest reply as the gateway does."""

    def __init__(self) -> None:
        self.kept = ""

    def posts(self, inside: str, **more: str) -> Request:
        said = {"localId": "12", "remoteId": "13", **more}
        if self.kept:
            said["userObject"] = self.kept
        attributes = "".join(
            f" {name}={quoteattr(text)}" for name, text in said.items()
        )
        return Request(body=f"<dialog{attributes}>{inside}</dialog>".encode())

    def types(self, typed: str) -> Request:
        text = quoteattr(typed)
        return self.posts(f"<unstructuredSSRequest_Response string={text}/>")

    def takes(self, answer: Answer) -> None:
        if ours := re.search('userObject="([^"]*)"', answer.body):
            self.kept = ours[1]


def read(request: Request) -> Turn:
    turn = CARRIER.read(request)
    assert isinstance(turn, Turn)
    return turn


def test_a_retry_is_known_however_late_it_comes() -> None:
    """The same answer twice is two answers, the same request twice is one."""
    gateway = Gateway()
    trail: Trail = ()
    for number, request in enumerate([gateway.posts(DIAL), None, None, None], start=1):
        turn = read(request or gateway.types("1"))
        assert turn.sequence == number
        if trail:
            said = reconcile(trail, turn, DIGEST, at=1000.0 * number)
            assert said == Onward(("1",))
        trail = extended(
            trail, turn, DIGEST, reply=f"{number}", ends=False, at=1000.0 * number
        )
        again = reconcile(trail, turn, DIGEST, at=1000.0 * number + 500)
        assert again == Repeat(f"{number}", False)
        gateway.takes(CARRIER.write(turn, f"{number}", ends=False))


def test_the_last_reply_answers_the_dials_own_message() -> None:
    gateway = Gateway()
    gateway.takes(CARRIER.write(read(gateway.posts(DIAL)), "1 yes", ends=False))
    turn = read(gateway.types("1"))
    gateway.takes(CARRIER.write(turn, "Sure?", ends=False))
    last = CARRIER.write(read(gateway.types("1")), "Bye", ends=True)
    assert 'processUnstructuredSSRequest_Response invokeId="5"' in last.body


def test_the_word_of_an_end_is_of_the_phone_that_dialled() -> None:
    gateway = Gateway()
    gateway.takes(CARRIER.write(read(gateway.posts(DIAL)), "1 yes", ends=False))
    end = CARRIER.read(gateway.posts("<errComponents/>", dialogTimedOut="true"))
    assert end == DialEnd("12/13", "+989121234567", Ending.CUT)
