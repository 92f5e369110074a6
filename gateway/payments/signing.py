"""The header `X-Signature: t=<unix seconds>,v1=<hex>`.

`v1` is the HMAC-SHA256 of `<t>.` and the body as it was sent, under the channel's
secret. There may be several, while the sender changes its secret; other names are for
schemes to come and are passed over.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from gateway.payments.form import Unsigned

__all__ = ["HEADER", "check", "signature"]

HEADER = "x-signature"
HEADER_CHARS_MAX = 1_000
SIGNATURES_MAX = 8
_TIME = re.compile(r"[0-9]{1,12}", re.ASCII)
_HEX = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)


def check(
    secret: bytes,
    headers: Mapping[str, str],
    body: bytes,
    *,
    at: datetime,
    tolerance: timedelta,
) -> None:
    """Raise Unsigned unless the body is signed, within `tolerance` of `at`."""
    time, given = _parts(headers.get(HEADER, ""))
    expected = _mac(secret, time, body)
    # All of them, so that the time tells nothing of which one was right.
    right = [hmac.compare_digest(expected, one) for one in given]
    if not any(right):
        raise Unsigned("X-Signature is not the signature of this body")
    if abs(int(time) - at.timestamp()) > tolerance.total_seconds():
        raise Unsigned("X-Signature is too far from our time: sign again")


def signature(secret: bytes, body: bytes, at: datetime) -> str:
    """The header's value for a body that is sent at `at`."""
    time = str(int(at.timestamp()))
    return f"t={time},v1={_mac(secret, time, body).hex()}"


def _parts(header: str) -> tuple[str, list[bytes]]:
    if not header:
        raise Unsigned("X-Signature is missing")
    if len(header) > HEADER_CHARS_MAX:
        raise Unsigned(f"X-Signature has more than {HEADER_CHARS_MAX} characters")
    pairs = [part.strip().partition("=")[::2] for part in header.split(",")]
    times = [value for name, value in pairs if name == "t"]
    given = [value for name, value in pairs if name == "v1"]
    if len(times) != 1 or not _TIME.fullmatch(times[0]):
        raise Unsigned("X-Signature needs one t in unix seconds")
    if not given or len(given) > SIGNATURES_MAX:
        raise Unsigned(f"X-Signature needs 1 to {SIGNATURES_MAX} of v1")
    if not all(map(_HEX.fullmatch, given)):
        raise Unsigned("X-Signature needs v1 in 64 hexadecimal digits")
    return times[0], [bytes.fromhex(value) for value in given]


def _mac(secret: bytes, time: str, body: bytes) -> bytes:
    return hmac.digest(secret, time.encode() + b"." + body, "sha256")
