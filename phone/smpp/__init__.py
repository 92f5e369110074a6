"""SMPP 3.4: our own codec, and a link to a message centre that mends itself.

pdu      PDUs to octets and back; `tlv` their optional parameters, `status` what a
         centre answers, by name
codings  texts under a data_coding; `gsm7` the septets, unpacked and packed
segments a text of ours, cut; `joining` puts together what comes in pieces
receipts what became of a text, as centres report it
stream   PDUs cut from what a connection brings
link     one bound connection: signs of life, answers
centre   binds that are kept: windows, other hosts, patience
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
    NotSent,
    Refused,
    SmppError,
    Unwritable,
)
from phone.smpp.joining import NotAPiece, Piece, Width, join, read_piece
from phone.smpp.link import Account, Address, Link, Receive, Role
from phone.smpp.pdu import Bind, Bound, Command, Message, Pdu, Taken, decode, encode
from phone.smpp.receipts import (
    NotAReceipt,
    Report,
    State,
    id_forms,
    id_key,
    is_receipt,
    read_receipt,
)
from phone.smpp.segments import Joint, Party, Segment, cut, party, relative_time
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
    "Joint",
    "Link",
    "LinkLost",
    "Malformed",
    "Message",
    "NoAnswer",
    "NotAPiece",
    "NotAReceipt",
    "NotSent",
    "NotText",
    "Party",
    "Pdu",
    "Piece",
    "Receive",
    "Refused",
    "Report",
    "Role",
    "Segment",
    "SmppError",
    "State",
    "Status",
    "Tag",
    "Taken",
    "Unwritable",
    "Width",
    "cut",
    "decode",
    "encode",
    "id_forms",
    "id_key",
    "is_receipt",
    "join",
    "name_of",
    "party",
    "read_piece",
    "read_receipt",
    "relative_time",
]
