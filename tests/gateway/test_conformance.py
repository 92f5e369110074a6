"""Every dialect through the whole service, dialled as its carrier would dial.

What a carrier sends and hears is written and read by the dialect's own other side; what
the service may do between is the same for all. A dialect that is installed is here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from phone.encoding import Limits, excess
from tests.gateway.house import (
    AMOUNT,
    CONFIRM,
    DONE,
    KEY,
    OTHER_AMOUNT,
    PURPOSE,
    UNKNOWN,
    Gateway,
    close_gateway,
    open_gateway,
    settings,
)
from tests.ussd.recorded import Subject, registered, subjects
from ussd.turn import Answer, Call, Dialect, DialEnd, Ending, Request, Turn

CODE = "*780*5588*1#"
GIVING = ("3", "75000", "1", "1")
SHOWN = (AMOUNT, OTHER_AMOUNT, PURPOSE, CONFIRM, DONE)
TOGETHER = 8
# Longer than a retry may take where only its text is known, as callers are.
THINKS_SECONDS = 5

CALL = Call("call7", "+989121234567", CODE)
ELSEWHERE = replace(CALL, dialled="*780*5599#")


def turn_of(subject: Subject, call: Call = CALL) -> Turn:
    turn = subject.carrier.read(subject.carrier.send(call))
    assert isinstance(turn, Turn)
    return turn


def knows_late_retries(subject: Subject) -> bool:
    """Whether a request says by itself which of its call it is."""
    turn = turn_of(subject)
    return turn.cumulative or turn.sequence is not None


def tells_ends(subject: Subject) -> bool:
    return subject.carrier.send_end(CALL, Ending.CUT) is not None


def tells_any_code(subject: Subject) -> bool:
    """Whether a whole code comes as it was dialled, even one that is not ours."""
    return turn_of(subject, ELSEWHERE).dialled == ELSEWHERE.dialled


def asks(subject: Subject) -> bool:
    return bool(subject.part("inquiries"))


def every(those: Callable[[Subject], bool] = lambda _: True) -> pytest.MarkDecorator:
    chosen = [subject for subject in subjects() if those(subject)]
    assert chosen
    return pytest.mark.parametrize("subject", chosen, ids=lambda subject: subject.name)


each = every()


@dataclass
class Carrier:
    """One carrier, and the call that it has going."""

    gateway: Gateway
    subject: Subject
    call: Call = CALL

    @property
    def dialect(self) -> Dialect:
        return self.subject.carrier

    def ask(self, request: Request, *, key: str = KEY) -> Answer:
        """One request, over WSGI as a server would hand it in."""
        tail = f"/{request.path}" if request.path else ""
        response = self.gateway.client.open(
            f"/ussd/wire/{key}{tail}",
            method=request.method,
            query_string=request.query.decode("latin-1"),
            data=request.body,
            headers=dict(request.headers),
        )
        return Answer(
            body=response.text,
            status=response.status_code,
            content_type=response.headers["Content-Type"],
            headers=dict(response.headers),
        )

    def hear(self, answer: Answer) -> str:
        """The screen of a turn's answer, which must be in the carrier's form."""
        assert answer.status == 200, answer.body
        text, ends = self.dialect.heard(answer)
        assert ends == text.startswith((DONE, UNKNOWN)), text
        return text

    def send(self, *answers: str) -> Answer:
        """The turn that the call has come to with these answers, as it is."""
        return self.ask(self.dialect.send(replace(self.call, answers=answers)))

    def turn(self, *answers: str) -> Answer:
        """The same, once the caller has thought about it."""
        self.gateway.clock.wait(seconds=THINKS_SECONDS)
        return self.send(*answers)

    def walk(self, *answers: str) -> str:
        """A whole call, a request for each answer; the screen that it comes to."""
        heard = self.turn()
        for length in range(1, len(answers) + 1):
            heard = self.turn(*answers[:length])
        return self.hear(heard)


@pytest.fixture
def carrier(
    subject: Subject, redis_url: str, sqlite_ledger_url: str, tmp_path: Path
) -> Iterator[Carrier]:
    given = settings(
        sqlite_ledger_url,
        redis_url,
        tmp_path,
        region=subject.region,
        ussd={"wire": {"adapter": subject.adapter, "key": KEY, **subject.options}},
    )
    gateway = open_gateway(given)
    yield Carrier(gateway, subject)
    close_gateway(gateway)


def recorded_once(carrier: Carrier) -> None:
    assert carrier.gateway.pledged == [750_000]
    assert carrier.gateway.promised == ["sms.pledge"]


def test_every_dialect_conforms():
    tried = {subject.adapter for subject in subjects()}
    assert tried == set(registered())
    twins = {s.name for s in subjects() if s.is_mapped_twin}
    assert twins == {"arkesel (mapped)", "nalo (mapped)", "truroute (mapped)"}


@each
def test_a_whole_call_is_one_gift(carrier: Carrier):
    heard = [carrier.hear(carrier.turn(*GIVING[:n])) for n in range(5)]
    for text, begins in zip(heard, SHOWN, strict=True):
        assert text.startswith(begins)
    recorded_once(carrier)


@each
def test_each_turn_may_come_twice(carrier: Carrier):
    """The start too, which some carriers always send twice."""
    for length in range(5):
        first = carrier.turn(*GIVING[:length])
        assert carrier.hear(first).startswith(SHOWN[length])
        assert carrier.send(*GIVING[:length]) == first
        assert carrier.send(*GIVING[:length]) == first
    recorded_once(carrier)


@each
def test_each_turn_may_come_twice_at_once(carrier: Carrier):
    for length in range(5):
        carrier.gateway.clock.wait(seconds=THINKS_SECONDS)
        with ThreadPoolExecutor(2) as pool:
            pair = list(pool.map(lambda n: carrier.send(*GIVING[:n]), [length] * 2))
        assert pair[0] == pair[1]
        assert carrier.hear(pair[0]).startswith(SHOWN[length])
    recorded_once(carrier)


@each
def test_the_confirm_thrice_and_from_many_at_once_is_one_gift(carrier: Carrier):
    assert carrier.walk(*GIVING[:3]).startswith(CONFIRM)
    carrier.gateway.clock.wait(seconds=THINKS_SECONDS)
    with ThreadPoolExecutor(TOGETHER) as pool:
        at_once = list(pool.map(lambda _: carrier.send(*GIVING), range(TOGETHER)))
    done = at_once[0]
    assert carrier.hear(done).startswith(DONE)
    assert at_once == [done] * TOGETHER
    assert [carrier.turn(*GIVING) for _ in range(3)] == [done] * 3
    recorded_once(carrier)


@each
def test_late_retries_do_nothing_again(carrier: Carrier):
    answered = [carrier.turn(*GIVING[:length]) for length in range(5)]
    for length in range(4, 0, -1):
        again = carrier.turn(*GIVING[:length])
        if turn_of(carrier.subject).cumulative:
            assert again == answered[length]
        else:
            # All that comes after the end gets the last screen.
            assert carrier.hear(again) == carrier.hear(answered[-1])
    recorded_once(carrier)


@every(knows_late_retries)
def test_a_retry_in_the_middle_of_the_call_does_not_lead_astray(carrier: Carrier):
    answered = [carrier.turn(*GIVING[:length]) for length in range(4)]
    assert carrier.turn(*GIVING[:1]) == answered[1]
    assert carrier.turn(*GIVING[:2]) == answered[2]
    assert carrier.hear(carrier.turn(*GIVING)).startswith(DONE)
    recorded_once(carrier)


@each
def test_a_start_that_comes_again_late_does_not_begin_anew(carrier: Carrier):
    first = carrier.turn()
    for length in range(1, 4):
        shown = carrier.turn(*GIVING[:length])
    again = carrier.turn()
    if turn_of(carrier.subject).cumulative:
        assert again == first
    else:
        # Where the call stands: the first screen would be answered as if it were that.
        assert carrier.hear(again) == carrier.hear(shown)
    assert carrier.hear(carrier.turn(*GIVING)).startswith(DONE)
    recorded_once(carrier)


@each
def test_a_request_that_is_lost_costs_no_gift_and_makes_none(carrier: Carrier):
    """The answer to the purpose never arrives; the caller sees the amount again."""
    carrier.walk(*GIVING[:1])
    heard = carrier.hear(carrier.turn(*GIVING[:3]))
    turn = turn_of(carrier.subject)
    if turn.cumulative:
        # The text holds what was lost.
        assert heard.startswith(CONFIRM)
    elif turn.sequence is not None:
        # Something is missing: the screen where the call stands is shown again.
        assert heard.startswith(OTHER_AMOUNT)
    else:
        # "1" is no amount that the campaign takes.
        assert not heard.startswith((PURPOSE, CONFIRM, DONE))
    assert carrier.gateway.pledged == []


@every(tells_ends)
@pytest.mark.parametrize("how", [Ending.LEFT, Ending.CUT])
def test_a_call_that_breaks_off_is_acknowledged_and_gives_nothing(
    carrier: Carrier, how: Ending
):
    carrier.walk(*GIVING[:3])
    notice = carrier.dialect.send_end(replace(CALL, answers=GIVING[:3]), how)
    assert notice is not None
    end = carrier.dialect.read(notice)
    assert isinstance(end, DialEnd)
    said = carrier.ask(notice)
    assert said.status == 200
    assert said.body == carrier.dialect.acknowledge(end).body
    assert carrier.ask(notice) == said
    assert carrier.gateway.pledged == []
    # Who was cut off is told so, once, if the notice says who; who hung up meant to.
    told = ["sms.cut"] if end.how is Ending.CUT and end.phone else []
    assert carrier.gateway.promised == told
    carrier.call = replace(CALL, session="call8", phone="+989351112233")
    assert carrier.walk(*GIVING).startswith(DONE)
    assert carrier.gateway.pledged == [750_000]
    assert carrier.gateway.promised == [*told, "sms.pledge"]


@every(tells_ends)
def test_a_call_that_breaks_off_after_the_confirm_has_given(carrier: Carrier):
    done = carrier.walk(*GIVING)
    notice = carrier.dialect.send_end(replace(CALL, answers=GIVING), Ending.CUT)
    assert notice is not None
    assert carrier.ask(notice).status == 200
    assert carrier.hear(carrier.turn(*GIVING)) == done
    recorded_once(carrier)


@each
def test_a_direct_dial_stops_at_the_confirm(carrier: Carrier):
    carrier.call = replace(carrier.call, dialled="*780*5588*1*3*75000*1*1#")
    assert carrier.hear(carrier.turn()).startswith(CONFIRM)
    assert carrier.gateway.pledged == []
    assert carrier.hear(carrier.turn("1")).startswith(DONE)
    recorded_once(carrier)


@each
def test_a_direct_dial_that_comes_again_is_the_same_call(carrier: Carrier):
    carrier.call = replace(carrier.call, dialled="*780*5588*1*3*75000#")
    first = carrier.turn()
    assert carrier.hear(first).startswith(PURPOSE)
    assert carrier.send() == first
    assert carrier.hear(carrier.turn("1")).startswith(CONFIRM)


@each
def test_a_wrong_key_is_no_address(carrier: Carrier):
    asked = carrier.dialect.send(carrier.call)
    assert carrier.ask(asked, key="another").status == 404
    assert carrier.ask(asked, key=f"{KEY}x").status == 404
    assert carrier.gateway.rows("event") == []


@each
def test_what_cannot_be_read_is_refused_in_the_carriers_form(carrier: Carrier):
    for case in carrier.subject.part("unreadable"):
        status = case.get("status", 400)
        if status == 405:
            continue  # some methods never come this far
        said = carrier.ask(carrier.subject.request(case))
        assert said.status == status, case["story"]
        if carrier.subject.is_mapped_twin:
            continue
        meant = carrier.dialect.refuse(case["says"], status)
        assert (said.body, said.content_type) == (meant.body, meant.content_type)
        assert meant.headers.items() <= said.headers.items()
    assert carrier.gateway.rows("event") == []


@every(asks)
def test_who_asks_is_told_whether_the_call_goes_on(carrier: Carrier):
    inquiries = carrier.subject.part("inquiries")
    asked = carrier.subject.request(inquiries[0])
    session = inquiries[0]["inquiry"]["session"]
    asked = replace(asked, path=asked.path.replace(session, carrier.call.session))
    active, gone = (inquiries[0][word]["body"] for word in ("active", "gone"))
    assert carrier.ask(asked).body == gone
    carrier.walk(*GIVING[:3])
    assert carrier.ask(asked).body == active
    carrier.turn(*GIVING)
    assert carrier.ask(asked).body == gone


@every(tells_any_code)
def test_a_code_nobody_knows_ends_with_a_word(carrier: Carrier):
    carrier.call = ELSEWHERE
    assert carrier.hear(carrier.turn()) == UNKNOWN
    assert carrier.gateway.rows("event") == []


@each
def test_persian_is_read_and_written(carrier: Carrier):
    persian = ("۳", "۷۵ هزار", "۱", "۱")
    heard = [carrier.hear(carrier.turn(*persian[:n])) for n in range(5)]
    assert heard[-1].startswith(DONE)
    assert all(any("؀" <= letter <= "ۿ" for letter in text) for text in heard)
    recorded_once(carrier)


@each
def test_no_screen_is_longer_than_the_channel_holds(carrier: Carrier):
    limits = Limits(gsm7_septets=160, ucs2_units=70)
    for answers in [GIVING, ("9",), ("9", "9"), ("3", "x" * 300), ("0",), ("*", "#")]:
        carrier.call = replace(carrier.call, session=f"{carrier.call.session}1")
        for length in range(len(answers) + 1):
            carrier.gateway.clock.wait(seconds=THINKS_SECONDS)
            said = carrier.send(*answers[:length])
            text, ends = carrier.dialect.heard(said)
            assert excess(text, limits) <= 0, text
            if ends:
                break
