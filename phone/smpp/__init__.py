"""SMPP 3.4: our own codec, and a link to a message centre that mends itself.

pdu      PDUs to octets and back; `tlv` their optional parameters, `status` what a
         centre answers, by name
codings  texts under a data_coding; `gsm7` the septets, unpacked and packed
link     one bound connection: a window, signs of life, answers
centre   a bind that is kept: other hosts, patience, one pace for all
faults   what goes wrong, as a tree

Imports nothing of ours but `phone.encoding`.
"""

from phone.smpp.centre import Centre
from phone.smpp.codings import Codings, NotText
from phone.smpp.faults import (
    BindRefused,
    LinkLost,
    Malformed,
    NoAnswer,
    Refused,
    SmppError,
    Unwritable,
)
from phone.smpp.link import Account, Address, Link, Role
from phone.smpp.pdu import Bind, Bound, Command, Message, Pdu, Taken, decode, encode
from phone.smpp.status import Status, name_of
from phone.smpp.tlv import Tag

__all__ = [
    "Account",
    "Address",
    "Bind",
    "BindRefused",
    "Bound",
    "Centre",
    "Codings",
    "Command",
    "Link",
    "LinkLost",
    "Malformed",
    "Message",
    "NoAnswer",
    "NotText",
    "Pdu",
    "Refused",
    "Role",
    "SmppError",
    "Status",
    "Tag",
    "Taken",
    "Unwritable",
    "decode",
    "encode",
    "name_of",
]
