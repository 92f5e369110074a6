"""Optional parameters: a tag of two octets, a length of two, a value.

Source: SMPP 3.4, sections 3.2.4.1 and 5.3.2. Tags that nobody knows are kept as they
are: section 3.3 has them passed over.
"""

from __future__ import annotations

import struct
from enum import IntEnum

from phone.smpp.faults import Malformed, Unwritable
from phone.smpp.status import Status

__all__ = ["TLVS_MAX", "Tag", "Tlvs", "find", "read_tlvs", "write_tlvs"]

TLVS_MAX = 64
VALUE_BYTES_MAX = 0xFFFF

Tlvs = tuple[tuple[int, bytes], ...]

_HEAD = struct.Struct(">HH")


class Tag(IntEnum):
    """The tags that we write or look for."""

    RECEIPTED_MESSAGE_ID = 0x001E
    USER_MESSAGE_REFERENCE = 0x0204
    SAR_MSG_REF_NUM = 0x020C
    SAR_TOTAL_SEGMENTS = 0x020E
    SAR_SEGMENT_SEQNUM = 0x020F
    SC_INTERFACE_VERSION = 0x0210
    NETWORK_ERROR_CODE = 0x0423
    MESSAGE_PAYLOAD = 0x0424
    MESSAGE_STATE = 0x0427
    USSD_SERVICE_OP = 0x0501
    ITS_SESSION_INFO = 0x1383


def find(tlvs: Tlvs, tag: int) -> bytes | None:
    """The value of the first parameter with that tag, or None."""
    return next((value for one, value in tlvs if one == tag), None)


def read_tlvs(octets: bytes) -> Tlvs:
    """Read what stands behind the fixed fields of a PDU; raises Malformed."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(octets):
        if len(found) == TLVS_MAX:
            raise Malformed(
                f"more than {TLVS_MAX} optional parameters",
                Status.ESME_RINVOPTPARSTREAM,
            )
        start = at + _HEAD.size
        if start > len(octets):
            raise _cut_short()
        tag, length = _HEAD.unpack_from(octets, at)
        at = start + length
        if at > len(octets):
            raise _cut_short()
        found.append((tag, octets[start:at]))
    return tuple(found)


def write_tlvs(tlvs: Tlvs) -> bytes:
    """Write them in their order; raises Unwritable."""
    if len(tlvs) > TLVS_MAX:
        raise Unwritable(f"more than {TLVS_MAX} optional parameters")
    written = bytearray()
    for tag, value in tlvs:
        if not 0 <= tag <= 0xFFFF:
            raise Unwritable("a tag has two octets")
        if len(value) > VALUE_BYTES_MAX:
            raise Unwritable(f"a parameter has at most {VALUE_BYTES_MAX} octets")
        written += _HEAD.pack(tag, len(value)) + value
    return bytes(written)


def _cut_short() -> Malformed:
    return Malformed("an optional parameter is cut short", Status.ESME_RINVPARLEN)
