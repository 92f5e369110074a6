"""What became of a message, as a centre reports it in a deliver_sm or a data_sm.

    id:IIII sub:001 dlvrd:001 submit date:YYMMDDhhmm done date:YYMMDDhhmm stat:DELIVRD
    err:000 text:...

Source: SMPP 3.4, appendix B (the text, "vendor specific": fields come in any order and
case), sections 5.2.12 (esm_class), 5.2.28 (message_state), 5.3.2.12, 5.3.2.31 and
5.3.2.35 (the parameters, which are preferred); SMPP 5.0, 4.7.15 (two more states).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from phone.smpp.joining import NotAPiece, payload
from phone.smpp.pdu import Message
from phone.smpp.tlv import Tag

__all__ = [
    "NotAReceipt",
    "Report",
    "State",
    "id_forms",
    "id_key",
    "is_receipt",
    "read_receipt",
]

MESSAGE_ID_CHARS_MAX = 64
RECEIPT_OCTETS_MAX = 2_048

_KIND, _RECEIPT, _INTERMEDIATE = 0x3C, 0x04, 0x20


class NotAReceipt(ValueError):
    """A message that is no receipt, or one that says nothing of any message."""


class State(StrEnum):
    """What became of a message, as the text form abbreviates it."""

    SCHEDULED = "SCHEDULED"
    ENROUTE = "ENROUTE"
    DELIVRD = "DELIVRD"
    EXPIRED = "EXPIRED"
    DELETED = "DELETED"
    UNDELIV = "UNDELIV"
    ACCEPTD = "ACCEPTD"
    UNKNOWN = "UNKNOWN"
    REJECTD = "REJECTD"
    SKIPPED = "SKIPPED"

    @property
    def is_intermediate(self) -> bool:
        """Whether another report is to be waited for."""
        return self in (State.SCHEDULED, State.ENROUTE, State.ACCEPTD)


# In the order of message_state, 0 to 9.
_STATES = tuple(State)
# DELIVRD, DELIVERED, Delivered: five letters tell them all apart.
_BEGINNINGS = {state[:5]: state for state in State}


@dataclass(frozen=True, slots=True)
class Report:
    """One report. `message_id` as it was said: see `id_forms`.

    `network_error` is the network's code, as digits or letters, empty if there is none;
    `done_at` the centre's own digits, YYMMDDhhmm and perhaps seconds: in which time
    zone, it does not say.
    """

    message_id: str
    state: State
    network_error: str = ""
    done_at: str = field(default="")


def is_receipt(message: Message) -> bool:
    """Whether a message reports on another, and is from no phone.

    By esm_class; or by a parameter that only reports have, for centres that forget it.
    """
    return (
        message.esm_class & _KIND in (_RECEIPT, _INTERMEDIATE)
        or message.tlv(Tag.RECEIPTED_MESSAGE_ID) is not None
    )


def read_receipt(message: Message) -> Report:
    """Read a report; raises NotAReceipt, without what it held."""
    if not is_receipt(message):
        raise NotAReceipt("not marked as a receipt")
    said = _fields(_text(message))
    message_id = _id_parameter(message) or said.get("id", "")
    if not message_id:
        raise NotAReceipt("no id")
    state = _state_parameter(message) or _state(said.get("stat", ""))
    if state is None:
        raise NotAReceipt("no state")
    error = _error_parameter(message) or said.get("err", "").lower()
    return Report(message_id, state, error, said.get("done date", ""))


def id_key(message_id: str) -> str:
    """What the id of an answer is kept as: lower case, without leading zeros."""
    lower = message_id.strip().lower()
    return lower.lstrip("0") or lower[:1]


def id_forms(message_id: str) -> tuple[str, ...]:
    """As which keys the id of a report may be found, the likeliest first.

    As it was said, in lower case; as `id_key` has it; from hexadecimal to decimal, and
    the other way: there are centres whose answers count in one and reports in the
    other.
    """
    said = message_id.strip().lower()
    if not said or len(said) > MESSAGE_ID_CHARS_MAX:
        return ()
    forms = [said, id_key(said)]
    if re.fullmatch("[0-9a-f]+", said):
        forms.append(str(int(said, 16)))
    if re.fullmatch("[0-9]+", said):
        forms.append(f"{int(said):x}")
    return tuple(dict.fromkeys(forms))


# -- parameters -----------------------------------------------------------------------


def _id_parameter(message: Message) -> str:
    value = message.tlv(Tag.RECEIPTED_MESSAGE_ID)
    if value is None:
        return ""
    # Its ending NUL is forgotten, or comes twice; what stands behind is not its own.
    said = value.split(b"\0", 1)[0].decode("latin-1").strip()
    return said if _is_id(said) else ""


def _state_parameter(message: Message) -> State | None:
    value = message.tlv(Tag.MESSAGE_STATE)
    if value is None or len(value) != 1 or value[0] >= len(_STATES):
        return None
    return _STATES[value[0]]


def _error_parameter(message: Message) -> str:
    value = message.tlv(Tag.NETWORK_ERROR_CODE)
    if value is None or len(value) != 3:
        return ""
    # The first octet is the kind of network.
    return f"{int.from_bytes(value[1:]):03}"


# -- the text -------------------------------------------------------------------------

_FIELD = re.compile(
    r"(?<![a-z0-9_])(id|stat|err|done date)[ ]?:[ ]?([^\s:]{1,64})(?=\s|$)",
    re.IGNORECASE,
)
_OURS = re.compile(r"(?<![a-z0-9_])text[ ]?:", re.IGNORECASE)
_FITS = {
    "id": re.compile(r"[!-~]{1,64}"),
    "stat": re.compile(r"[A-Za-z]{1,32}"),
    "err": re.compile(r"[0-9A-Za-z]{1,16}"),
    "done date": re.compile(r"[0-9]{10}|[0-9]{12}|[0-9]{14}"),
}


def _text(message: Message) -> str:
    try:
        _, octets = payload(message)
    except NotAPiece:
        return ""
    octets = octets[:RECEIPT_OCTETS_MAX]
    # By what it holds and not by its data_coding: some give that of the text reported.
    is_wide = b"\0s\0t\0a\0t" in octets.lower() or b"\0i\0d" in octets.lower()
    return octets.decode("utf-16-be" if is_wide else "latin-1", "replace")


def _fields(text: str) -> dict[str, str]:
    """The fields by name: the first of each, and never one in the text reported.

    That is ours and ends the receipt, as a rule. What comes behind it counts only for
    what did not come before, and then the last.
    """
    ours = _OURS.search(text)
    end = ours.start() if ours else len(text)
    behind = dict(_named(text[end:]))
    before = dict(reversed(list(_named(text[:end]))))
    return behind | before


def _named(text: str) -> list[tuple[str, str]]:
    found = []
    for match in _FIELD.finditer(text):
        name, value = match[1].lower(), match[2]
        if _FITS[name].fullmatch(value):
            found.append((name, value))
    return found


def _state(word: str) -> State | None:
    """The state of a word; one that nobody knows is UNKNOWN, none is none."""
    if not word:
        return None
    return _BEGINNINGS.get(word[:5].upper(), State.UNKNOWN)


def _is_id(said: str) -> bool:
    return _FITS["id"].fullmatch(said) is not None
