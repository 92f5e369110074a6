"""What a turn leaves behind: what is counted of it, and what can be gone on with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from gateway.aftermath import counted, resumable
from ledger import menus as published
from ledger.engine import writing
from phone.encoding import Limits
from tests.gateway.house import NOON, PHONE, Gateway
from tests.ussd.small import small, written
from ussd.machine import Session, Step, begin, step

SCREENS = """
  root:
    text: {en: "What?"}
    choices: [{key: "1", label: {en: Agree}, consent: true, to: care.why}]
    wrong: {max: 2, to: door}
  care.why:
    text: {en: "Why?"}
    ask: {answer: why, kind: text, min: 2, max: 30, sensitive: true}
    then: care.when
  care.when:
    text: {en: "When?"}
    ask: {answer: day, kind: text, min: 2, max: 30}
    then: bye
"""
FLOWS = """
flows:
  care: {title: {en: Care}, resume: ask}
"""
MENUS = small(SCREENS, FLOWS)
WHY = "a reason"


def walked(*answers: str) -> list[Session]:
    """The sessions of a call that is answered so."""
    begun = begin(MENUS, "*1#", "en")
    assert begun is not None
    sessions = [stepped(begun[0], (), shown=False).session]
    for answer in answers:
        sessions.append(stepped(sessions[-1], (answer,), shown=True).session)
    return sessions


def stepped(session: Session, answers: Sequence[str], *, shown: bool) -> Step:
    return step(
        MENUS,
        session,
        answers,
        now=NOON,
        limits=Limits(),
        facts={},
        results={},
        shown=shown,
    )


def test_a_wrong_key_that_leads_elsewhere_is_counted_as_wrong() -> None:
    first, once, led = walked("7", "7")
    assert led.at == "door"
    for before, after in ((first, once), (once, led)):
        counts = counted("at", before, Step(after), seconds=3, deeds=())
        assert counts == {"wrong|at|root": 1}


def test_an_answer_behind_a_wrong_key_is_counted_as_one() -> None:
    *_, before, after = walked("7", "1")
    counts = counted("at", before, Step(after), seconds=3, deeds=())
    assert counts["answered|at|root"] == 1


def test_a_call_with_an_answer_that_nothing_may_keep_is_not_gone_on_with() -> None:
    *_, asked, told = walked("1", WHY)
    assert WHY in told.answers.values()
    assert resumable(MENUS, told) is None
    other = replace(asked, answers={**asked.answers, "day": "today"})
    assert resumable(MENUS, other) is MENUS.flows["care"]


@pytest.mark.parametrize("last", ["6037991234567893", "7", "to day"])
def test_such_an_answer_is_nowhere_once_the_call_is_over(
    gateway: Gateway, last: str
) -> None:
    source = written(SCREENS, FLOWS)
    with writing(gateway.service.engine) as db:
        published.publish(db, hash=MENUS.hash, source=source, at=gateway.clock())
    gateway.service.sessions.announce(MENUS.hash)
    who = {"code": "*1#", "phone": PHONE}
    asked = gateway.walk("1", WHY, **who)
    assert asked.text.startswith("When?")
    assert WHY.encode() in gateway.everything_kept()
    text = f"1*{WHY}"
    while not asked.ends:
        text = f"{text}*{last}"
        asked = gateway.dial(text, **who)
    assert WHY.encode() not in gateway.everything_kept()
