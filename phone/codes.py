"""Nine-digit tracking codes: the first 1-9, the last a Damm check digit.

They are digits only and solid, because a feature phone types digits fastest and
right-to-left text turns hyphenated groups around.
"""

from __future__ import annotations

import re
from hashlib import blake2b

from phone.digits import fold_digits, visible

# Two halves of a Feistel network whose product is all eight-digit payloads exactly,
# so it stays inside without cycle walking. Ten rounds as in NIST SP 800-38G's FF1.
_LEFT = 9_000
_RIGHT = 10_000
_ROUNDS = 10
CODES = _LEFT * _RIGHT
_PAYLOAD_MIN = 10_000_000  # eight digits, the first not 0

CHARS_MAX = 40
KEY_BYTES_MIN = 16
KEY_BYTES_MAX = 64  # BLAKE2b's own limit, RFC 7693 section 2.9

# H. Michael Damm, "Total anti-symmetrische Quasigruppen" (Marburg 2004), page 111.
_DAMM = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)
_SHAPE = re.compile(r"[1-9][0-9]{8}")


class NotACode(ValueError):
    """These are not nine digits with a right check digit."""


def code_of(counter: int, key: bytes) -> str:
    """Turn the n-th number into its code, so that neighbours cannot be guessed.

    A keyed permutation: two counters below CODES never share a code, and without the
    key (16 to 64 bytes) nobody tells which code comes next. Counters wrap at CODES.
    """
    if not KEY_BYTES_MIN <= len(key) <= KEY_BYTES_MAX:
        raise ValueError(f"the key has {KEY_BYTES_MIN} to {KEY_BYTES_MAX} bytes")
    left, right = divmod(counter % CODES, _RIGHT)
    for turn in range(0, _ROUNDS, 2):
        left = (left + _scrambled(turn, right, key)) % _LEFT
        right = (right + _scrambled(turn + 1, left, key)) % _RIGHT
    payload = str(_PAYLOAD_MIN + left * _RIGHT + right)
    return payload + damm(payload)


def damm(digits: str) -> str:
    """Work out the check digit of ASCII digits.

    It catches every single wrong digit and every swap of neighbours. A number with
    its right check digit behind it gives "0".
    """
    interim = 0
    for digit in digits:
        interim = _DAMM[interim][int(digit)]
    return str(interim)


def is_code(text: str) -> bool:
    """Say whether this is a code exactly as we write it, nine ASCII digits."""
    return _SHAPE.fullmatch(text) is not None and damm(text) == "0"


def read_code(text: str) -> str:
    """Read a code as typed: any digits, spaces anywhere. Raises NotACode."""
    if len(text) > CHARS_MAX:
        raise NotACode(f"a code has at most {CHARS_MAX} characters")
    code = "".join(fold_digits(visible(text)).split())
    if not is_code(code):
        raise NotACode("a code is nine digits, and one of these is wrong")
    return code


def _scrambled(turn: int, half: int, key: bytes) -> int:
    message = (turn << 16 | half).to_bytes(3, "big")
    digest = blake2b(message, digest_size=8, key=key, person=b"yarigar codes")
    return int.from_bytes(digest.digest(), "big")
