"""Restcomm's USSD gateway and its kin: MAP dialogs as XML over HTTP.

A POST of `<dialog>` that holds one message: `processUnstructuredSSRequest_Request` with
the dialled code when a call begins, `unstructuredSSRequest_Response` with the latest
answer later. We answer with `unstructuredSSRequest_Request` to go on, or with
`processUnstructuredSSRequest_Response` and `prearrangedEnd="false"` to close.

A dialog without a message tells that the call is over: `mapUserAbortChoice`,
`mapAbortProviderReason`, `mapRefuseReason`, `dialogTimedOut`, `invokeTimedOut`, or
something in `errComponents` or `rejectComponents`.

The call is `localId` and `remoteId`, the transaction's ids on both sides, which every
request of it carries. They start over when a gateway does, so they name a call only
beside its phone; and only the first request is sure to say the phone. What fills the
gap is `userObject`: what we set there the gateway "will always send back". We set how
often we have answered, the `invokeId` that the last answer has to repeat, and the
phone. So answers are numbered, and a retry is known however late it comes. A cookie
would carry no more, and the gateway's HTTP client need not keep it.

Status: from the vendor's page (USSD Gateway Admin Guide, HTTP Transfer Mechanism) and
the gateway's source. It waits 25 seconds for an answer, asks once, and shows the caller
a text of its own for any status but 200. Without `userObject` the phone is taken from
`msisdn` or `originationReference`, and answers are not numbered: then a retry is known
as one only within two seconds, and the word of an end is refused if it names nobody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from phone.encoding import gsm7_septets
from ussd.envelope import addressed, xml_heard
from ussd.fields import dialled, phone, sequence, session, text, xml_root
from ussd.options import Options
from ussd.turn import Answer, Call, DialEnd, Ending, Request, Turn, Unreadable

__all__ = ["Restcomm"]

_DIAL = "processUnstructuredSSRequest_Request"
_LAST = "processUnstructuredSSRequest_Response"
_SCREEN = "unstructuredSSRequest_Request"
_ANSWER = "unstructuredSSRequest_Response"

_ENDS = (
    "mapUserAbortChoice",
    "mapAbortProviderReason",
    "mapRefuseReason",
    "invokeTimedOut",
)
_FAULTS = ("errComponents", "rejectComponents")
# The rest of mapUserAbortChoice are resources that ran out and procedures that failed.
_HUNG_UP = "isUserSpecificReason"

# Coding schemes of 3GPP TS 23.038, section 5: GSM-7, and UCS-2 without a class.
_GSM7, _UCS2 = "15", "72"

_XML = "text/xml; charset=utf-8"
# The gateway takes the one header for the other.
_HEADERS = {"content-type": "text/xml", "content-encoding": "utf-8"}
_HEAD = '<?xml version="1.0" encoding="UTF-8" ?>\n'
# The gateway's examples answer with it where the dial's own is not at hand.
_INVOKE_ID = "1"
_USER_OBJECT = re.compile(r"([0-9]{1,6})\.(-?[0-9]{1,9})\.([0-9]{4,15})")


class Restcomm:
    name: ClassVar[str] = "restcomm"
    session_alone: ClassVar[bool] = False

    def __init__(
        self, *, region: str, options: Mapping[str, Any] | None = None
    ) -> None:
        Options(options).check()
        self._region = region

    def read(self, request: Request) -> Turn | DialEnd:
        addressed(request, "POST", says="Dialogs are posted.")
        root = xml_root(request.body)
        if root.tag != "dialog":
            raise Unreadable("The body is not a dialog.")
        if (how := _ending(root)) is not None:
            return DialEnd(_session(root), self._caller(root, None), how)
        messages = [part for part in root if part.tag in (_DIAL, _ANSWER)]
        if len(messages) != 1:
            raise Unreadable("The dialog has no USSD message, or more than one.")
        return self._turn(root, messages[0])

    def _turn(self, root: Element, message: Element) -> Turn:
        starts = message.tag == _DIAL
        said = _string(message)
        count, invoke_id = "0", message.get("invokeId", _INVOKE_ID)
        if not starts:
            count, invoke_id, _ = _user_object(root) or ("", _INVOKE_ID, "")
        return Turn(
            session=_session(root),
            phone=self._caller(root, message),
            dialled=dialled("string", said) if starts else "",
            typed="" if starts else said,
            cumulative=False,
            starts=starts,
            sequence=sequence("userObject", count) + 1 if count else None,
            echo={"invokeId": _whole("invokeId", invoke_id)},
        )

    def _caller(self, root: Element, message: Element | None) -> str:
        """Who called: as the dial said, for it decides which call this is."""
        held = _user_object(root)
        if held is not None and (message is None or message.tag != _DIAL):
            return phone("userObject", f"+{held[2]}", self._region)
        for parent, name in ((message, "msisdn"), (root, "originationReference")):
            told = None if parent is None else parent.find(name)
            if told is not None:
                return phone(name, told.get("number", ""), self._region)
        raise Unreadable("The dialog does not say who called.")

    def write(self, turn: Turn, text: str, *, ends: bool) -> Answer:
        invoke_id = turn.echo.get("invokeId", _INVOKE_ID)
        if ends:
            return _closing(text, invoke_id)
        ours = _ours(turn.sequence or 1, invoke_id, turn.phone)
        return _dialog(
            {"mapMessagesSize": "1", "userObject": ours},
            _element(_SCREEN, _coded(text)),
        )

    def acknowledge(self, end: DialEnd) -> Answer:
        # The gateway takes an empty body for a fault, and for a call that is gone it
        # wants the one form that sends nothing.
        return _dialog({"mapMessagesSize": "0", "prearrangedEnd": "true"})

    def refuse(self, reason: str, status: int) -> Answer:
        return _closing(reason, _INVOKE_ID, status=status)

    # -- the carrier's side ---------------------------------------------------------

    def send(self, call: Call) -> Request:
        number = {
            "nai": "international_number",
            "npi": "ISDN",
            "number": call.phone.removeprefix("+"),
        }
        if call.answers:
            said = {"invokeId": str(len(call.answers)), **_coded(call.answers[-1])}
            return _posts(call, "Continue", _element(_ANSWER, said))
        said = {"invokeId": "0", **_coded(call.dialled)}
        caller = _element("msisdn", number)
        return _posts(call, "Begin", _element(_DIAL, said, caller))

    def send_end(self, call: Call, how: Ending) -> Request | None:
        if how is Ending.REACHED:
            return None
        why = {"mapUserAbortChoice": _HUNG_UP}
        if how is Ending.CUT:
            why = {"dialogTimedOut": "true"}
        return _posts(call, "Abort", "<errComponents/>", **why)

    def heard(self, answer: Answer) -> tuple[str, bool]:
        root = xml_heard(answer)
        messages = [part for part in root if part.tag in (_SCREEN, _LAST)]
        if root.tag != "dialog" or root.get("mapMessagesSize") != str(len(messages)):
            raise Unreadable("The reply is not a dialog, or miscounts its messages.")
        if len(messages) != 1:
            raise Unreadable("The reply has no USSD message, or more than one.")
        shown = messages[0].get("string", "")
        if _coded(shown).items() - messages[0].items():
            raise Unreadable("The reply names a coding that does not fit its text.")
        ends = messages[0].tag == _LAST
        if root.get("prearrangedEnd") != ("false" if ends else None):
            raise Unreadable("The reply leaves a last screen open, or closes another.")
        return shown, ends


# -- what a dialog says ----------------------------------------------------------------


def _ending(root: Element) -> Ending | None:
    """How the call ended, if this is the word of it."""
    if root.get("mapUserAbortChoice", "").startswith(_HUNG_UP):
        return Ending.LEFT
    told = any(name in root.attrib for name in _ENDS)
    timed_out = root.get("dialogTimedOut", "").lower() == "true"
    # Both stand empty in any dialog.
    faulty = any(len(part) for part in root if part.tag in _FAULTS)
    closed = root.get("type") in ("End", "Abort") and not any(
        part.tag in (_DIAL, _ANSWER) for part in root
    )
    return Ending.CUT if told or timed_out or faulty or closed else None


def _session(root: Element) -> str:
    if "localId" not in root.attrib:
        raise Unreadable("Field localId is missing.")
    ids = [root.attrib["localId"], root.get("remoteId", "")]
    return session("localId", text("localId", "/".join(filter(None, ids))))


def _string(message: Element) -> str:
    if "string" not in message.attrib:
        raise Unreadable("Field string is missing.")
    return text("string", message.attrib["string"])


def _whole(name: str, value: str) -> str:
    if not re.fullmatch(r"-?[0-9]{1,9}", value):
        raise Unreadable(f"Field {name} is not a number.")
    return value


def _ours(count: int, invoke_id: str, caller: str) -> str:
    return f"{count}.{invoke_id}.{caller.removeprefix('+')}"


def _user_object(root: Element) -> tuple[str, str, str] | None:
    """What we set in our last reply: how often we answered, the invokeId, the phone."""
    ours = _USER_OBJECT.fullmatch(root.get("userObject", ""))
    return (ours[1], ours[2], ours[3]) if ours is not None else None


# -- how a dialog is written -----------------------------------------------------------


def _closing(screen: str, invoke_id: str, *, status: int = 200) -> Answer:
    last = _element(_LAST, {"invokeId": invoke_id, **_coded(screen)})
    said = {"mapMessagesSize": "1", "prearrangedEnd": "false"}
    return _dialog(said, last, status=status)


def _dialog(said: Mapping[str, str], inside: str = "", *, status: int = 200) -> Answer:
    body = _HEAD + _element("dialog", said, inside)
    return Answer(body, status=status, content_type=_XML)


def _posts(call: Call, kind: str, inside: str, **why: str) -> Request:
    local_id, _, remote_id = call.session.partition("/")
    said = {
        "type": kind,
        "appCntx": "networkUnstructuredSsContext_version2",
        "networkId": "0",
        "localId": local_id,
        **({"remoteId": remote_id} if remote_id else {}),
        "mapMessagesSize": "0" if why else "1",
        **why,
        "returnMessageOnError": "false",
    }
    # An end comes when the last answer has had its reply too.
    if replies := len(call.answers) + bool(why):
        said["userObject"] = _ours(replies, "0", call.phone)
    body = _HEAD + _element("dialog", said, inside)
    return Request(body=body.encode(), headers=_HEADERS)


def _coded(screen: str) -> dict[str, str]:
    """A text as a message carries it, with the coding that it needs."""
    coding = _UCS2 if gsm7_septets(screen) is None else _GSM7
    return {"dataCodingScheme": coding, "string": screen}


def _element(name: str, said: Mapping[str, str], inside: str = "") -> str:
    attributes = "".join(f' {key}="{_escaped(value)}"' for key, value in said.items())
    if not inside:
        return f"<{name}{attributes}/>"
    return f"<{name}{attributes}>{inside}</{name}>"


def _escaped(value: str) -> str:
    """Escaped once; a line end that stood as it is would be read as a space."""
    return escape(value, {'"': "&quot;", "\n": "&#10;", "\t": "&#9;"})
