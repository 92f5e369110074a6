"""Every registered dialect, against what its carrier really sends and wants back.

The cases of a dialect are in tests/ussd/carriers/<entry point's name>.yaml, written
from the carrier's documents and not by running the code. A file holds:

    region: IR               # whose national numbers are read; IR if left out
    options: {}              # the channel's own settings, if the dialect needs any
    cumulative: false        # Turn.cumulative of all turns; true if left out
    starts: true             # false: the carrier never says that a call starts
    defaults:                # of every request below
      method: POST           # POST if left out
      path: ""               # what follows the channel's key, no slash before it
      query: ""              # as in the address, without the question mark
      headers: {content-type: application/json}
      body: ""               # a text is sent as UTF-8; !!binary for other bytes
    call:                    # what send() is tried with; by default the code below
      {dialled: "*780*5588*1#"}
    not_carried: "|"         # characters of a screen that the wire has no room for

    turns:                   # requests that are turns
      - story: a dial        # one line, for whoever reads a failing test
        body: '{"SESSIONID": "s1", ...}'        # any of method, path, query, ...
        turn: {session: s1, phone: "+989121234567", dialled: "*780*5588*1#",
               typed: "", starts: true, echo: {USERID: NALOTest}}
               # fields of Turn; left out: typed "", dialled "", starts false,
               # sequence none; `echo` is compared only where it is given
        only: hand-written   # optional, for any case: a mapped configuration of this
                             # wire (tests/ussd/mapped) cannot have it
        answer: {...}        # optional: what inquiries and ends have, for a carrier
                             # that wants no screen here
    ends:                    # notices that a call is over
      - story: the caller hung up
        body: '...'
        end: {session: s1, phone: "+989121234567", how: left}   # left, cut, reached
        answer: {body: "OK", content_type: "text/plain; charset=utf-8"}
               # what acknowledge() says, byte for byte; status 200, headers {}
    inquiries:               # only for carriers that ask
      - story: is it still going on?
        inquiry: {session: s1, phone: ""}
        active: {body: ..., content_type: ...}  # inform(active=True)
        gone: {body: ..., content_type: ...}    # inform(active=False)
    unreadable:              # six at least
      - {story: no session, body: '...', says: Field SESSIONID is missing.}
      - {story: fetched, method: GET, says: Turns are posted., status: 405}
               # `says` is the whole sentence; status 400 if left out
    replies:                 # what write() gives, byte for byte
      - story: a screen
        body: '...'          # the request it replies to; left out: the first turn's
        text: "مبلغ؟\n1 بله"
        ends: false
        answer: {body: '...', content_type: "application/json", status: 200,
                 headers: {}}
      - {story: a last screen, text: ..., ends: true, answer: {...}}
    refusals:                # what refuse() gives, byte for byte; one at least
      - {reason: Field text is missing., status: 400, answer: {...}}
    sent:                    # optional: what send() or send_end() must be like
      - story: an answer
        call: {session: s1, phone: "+989121234567", dialled: "*780#", answers: ["1"]}
        how: left            # only for send_end()
        request: {method: ..., query: ..., body: ...}
    unheard:                 # optional: answers that heard() must refuse
      - {story: no text, answer: {...}, says: The reply has no MSG.}

YAML's double quotes read \\n; single quotes and block texts do not. The same files are
spoilt by test_spoilt_requests, and dialled by tests/gateway/test_conformance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.ussd.recorded import (
    NOT_HTTP,
    Subject,
    answer,
    assert_is_one_clear_line,
    each,
    is_built,
    registered,
    subjects,
)
from ussd.turn import (
    Call,
    Dialect,
    DialEnd,
    Ending,
    Informant,
    Inquiry,
    Request,
    Turn,
    Unreadable,
    dialect,
)

UNREADABLE_MIN = 6
CALL = Call("call-7", "+989121234567", "*780*5588*1#")


def cases(part: str) -> Any:
    return pytest.mark.parametrize(
        ("subject", "case"),
        [
            pytest.param(subject, case, id=f"{subject.name}: {case['story']}")
            for subject in subjects()
            for case in subject.part(part)
        ],
    )


# -- the cases ------------------------------------------------------------------------


@pytest.mark.parametrize("name", registered())
def test_every_dialect_that_is_registered_is_there_and_has_its_cases(name: str):
    assert is_built(name), f"{name} is registered and its module does not exist"
    known = {subject.name for subject in subjects()}
    assert name in known, f"tests/ussd/carriers/{name}.yaml is no YAML, or not there"


def test_only_what_is_no_dialect_of_http_is_let_off():
    assert set(NOT_HTTP) == {"smpp"}


def test_a_name_that_is_no_dialect_is_told_which_there_are():
    with pytest.raises(LookupError, match=r"no USSD adapter 'pigeon'.*africastalking"):
        dialect("pigeon")


@each
def test_a_dialect_has_enough_cases(subject: Subject):
    assert subject.cases["turns"]
    assert {case["ends"] for case in subject.cases["replies"]} == {True, False}
    assert len(subject.cases["unreadable"]) >= UNREADABLE_MIN
    assert subject.cases["refusals"]
    typed = "".join(case["turn"].get("typed", "") for case in subject.part("turns"))
    assert any(letter in typed for letter in "۰۱۲۳۴۵۶۷۸۹"), "no Persian digits"
    assert "*" in typed, "no answer with a star"


@each
def test_a_dialect_satisfies_the_contract(subject: Subject):
    carrier = subject.carrier
    assert carrier.name == subject.adapter
    assert isinstance(carrier.session_alone, bool)
    assert isinstance(carrier, Informant) == bool(subject.cases.get("inquiries"))


@each
def test_an_option_nobody_knows_is_refused(subject: Subject):
    options = {**subject.options, "colour_of_the_sky": "blue"}
    with pytest.raises(ValueError, match="colour_of_the_sky"):
        replace(subject, options=options).build()


@cases("turns")
def test_a_turn_is_read_as_the_carrier_sends_it(subject: Subject, case: dict[str, Any]):
    carrier = subject.carrier
    turn = carrier.read(subject.request(case))
    assert isinstance(turn, Turn)
    said = {
        "typed": "",
        "dialled": "",
        "cumulative": subject.cases.get("cumulative", True),
        **case["turn"],
    }
    # What replies repeat is a dialect's own affair; that they do is a case of theirs.
    if subject.is_mapped_twin or "echo" not in said:
        said["echo"] = turn.echo
    assert turn == Turn(**said)
    if "answer" in case:
        assert carrier.write(turn, "", ends=True) == answer(case["answer"])


@cases("ends")
def test_an_end_is_read_and_acknowledged(subject: Subject, case: dict[str, Any]):
    carrier = subject.carrier
    end = carrier.read(subject.request(case))
    assert isinstance(end, DialEnd)
    said = {"phone": "", "session": "", "echo": end.echo, **case["end"]}
    assert end == DialEnd(**{**said, "how": Ending(said["how"])})
    assert end.phone or carrier.session_alone
    assert carrier.acknowledge(end) == answer(case["answer"])


@cases("inquiries")
def test_an_inquiry_is_answered(subject: Subject, case: dict[str, Any]):
    carrier = subject.carrier
    inquiry = carrier.read(subject.request(case))
    assert inquiry == Inquiry(**case["inquiry"])
    assert isinstance(inquiry, Inquiry)
    assert isinstance(carrier, Informant)
    assert carrier.inform(inquiry, active=True) == answer(case["active"])
    assert carrier.inform(inquiry, active=False) == answer(case["gone"])


@cases("unreadable")
def test_what_cannot_be_understood_is_refused_in_one_line(
    subject: Subject, case: dict[str, Any]
):
    with pytest.raises(Unreadable) as refused:
        subject.carrier.read(subject.request(case))
    assert refused.value.status == case.get("status", 400)
    # A configuration may say the same in its own words.
    if not subject.is_mapped_twin:
        assert str(refused.value) == case["says"]
    assert_is_one_clear_line(refused.value)


@cases("replies")
def test_a_screen_is_written_as_the_carrier_wants_it(
    subject: Subject, case: dict[str, Any]
):
    carrier = subject.carrier
    asked = {k: v for k, v in case.items() if k in Request.__slots__}
    turn = carrier.read(subject.request(asked or subject.part("turns")[0]))
    assert isinstance(turn, Turn)
    written = carrier.write(turn, case["text"], ends=case["ends"])
    assert written == answer(case["answer"])


@each
def test_a_refusal_is_in_the_carriers_own_form(subject: Subject):
    for case in subject.cases["refusals"]:
        refused = subject.carrier.refuse(case["reason"], case["status"])
        assert refused == answer({"status": case["status"], **case["answer"]})


@cases("sent")
def test_the_carriers_side_sends_what_the_carrier_does(
    subject: Subject, case: dict[str, Any]
):
    carrier = subject.carrier
    call = Call(**{**case["call"], "answers": tuple(case["call"].get("answers", ()))})
    if "how" in case:
        sent = carrier.send_end(call, Ending(case["how"]))
    else:
        sent = carrier.send(call)
    recorded = subject.request(case["request"])
    if subject.is_mapped_twin:
        # It is told what fields mean, and not in which order a carrier writes them.
        assert sent is not None
        assert _said(carrier, sent) == _said(carrier, recorded)
    else:
        assert sent == recorded


def _said(carrier: Dialect, request: Request) -> Turn | DialEnd | Inquiry:
    """What a request says, without what the reply would repeat."""
    said = carrier.read(request)
    return said if isinstance(said, Inquiry) else replace(said, echo={})


@cases("unheard")
def test_the_carriers_side_refuses_what_the_carrier_would(
    subject: Subject, case: dict[str, Any]
):
    with pytest.raises(Unreadable) as refused:
        subject.carrier.heard(answer(case["answer"]))
    if not subject.is_mapped_twin:
        assert str(refused.value) == case["says"]
    assert_is_one_clear_line(refused.value)


# -- both sides together --------------------------------------------------------------

# What a wire may carry: no control characters, nothing that XML has no room for.
_LETTERS = st.characters(exclude_categories=("Cc", "Cs", "Cn"))
_ANSWERS = st.lists(
    st.one_of(
        st.sampled_from(
            ["1", "۷۵ هزار", "2*3", "#", "", " 1 ", "a&b=c", "<b>", '"%2A']
        ),
        st.text(_LETTERS, max_size=40),
    ),
    max_size=4,
).map(tuple)
_PHONES = st.sampled_from(["+989121234567", "+254711000000", "+233241234567"])
_CALLS = st.builds(
    Call,
    session=st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True),
    phone=_PHONES,
    dialled=st.sampled_from(["*780*5588*1#", "*780*5588*1*50000#"]),
    answers=_ANSWERS,
)
_LINES = st.text(_LETTERS, min_size=1, max_size=60).map(str.strip).filter(bool)
_SCREENS = st.lists(_LINES, min_size=1, max_size=5).map("\n".join)


def _called(subject: Subject, call: Call) -> Call:
    """The call, with the code that this carrier's cases are dialled with."""
    said: Mapping[str, Any] = subject.cases.get("call", {})
    return replace(call, **said)


@each
@given(call=_CALLS)
def test_what_the_carrier_sends_is_what_is_read(subject: Subject, call: Call):
    carrier = subject.carrier
    call = _called(subject, call)
    turn = carrier.read(carrier.send(call))
    assert isinstance(turn, Turn)
    assert turn.phone == call.phone
    assert turn.session in (call.session, "")
    if turn.cumulative:
        # A suffix of the code may stand before what was typed.
        keys = "*".join([call.dialled.strip("*#"), *call.answers])
        typed = f"*{turn.typed}" if turn.typed or len(call.answers) else ""
        assert turn.dialled.strip("*#") + typed == keys
    elif call.answers:
        assert turn.typed == call.answers[-1]
        assert not turn.starts
    else:
        assert turn.typed == ""
        assert turn.dialled == call.dialled
        assert turn.starts == subject.cases.get("starts", True)


@each
@given(call=_CALLS, screen=_SCREENS, ends=st.booleans())
def test_what_is_written_is_what_the_phone_shows(
    subject: Subject, call: Call, screen: str, ends: bool
):
    carrier = subject.carrier
    kept = set(subject.cases.get("not_carried", ""))
    assume(not kept & set(screen))
    call = _called(subject, replace(call, answers=("1",)))
    turn = carrier.read(carrier.send(call))
    assert isinstance(turn, Turn)
    written = carrier.write(turn, screen, ends=ends)
    assert written.status == 200
    assert written.body.encode()
    assert carrier.heard(written) == (screen, ends)


@each
@pytest.mark.parametrize("how", list(Ending))
def test_the_word_that_a_call_is_over_is_understood(subject: Subject, how: Ending):
    carrier = subject.carrier
    call = _called(subject, replace(CALL, answers=("1",)))
    sent = carrier.send_end(call, how)
    if sent is None:
        # Nothing tells some carriers that a last screen was seen.
        told = subject.cases.get("ends")
        assert how is Ending.REACHED or not told, "its cases have ends"
        return
    end = carrier.read(sent)
    assert isinstance(end, DialEnd)
    assert end.session == call.session
    assert end.phone in (call.phone, "")
    # Not every carrier tells three endings apart.
    assert end.how is how or how is not Ending.LEFT or end.how is Ending.CUT
    assert carrier.acknowledge(end).status == 200
