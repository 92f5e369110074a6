"""What the value of a setting can be, beyond what its type says."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated
from zoneinfo import ZoneInfo

import phonenumbers
from pydantic import AfterValidator, SecretStr

__all__ = [
    "KEY_BYTES",
    "DatabaseUrl",
    "Hour",
    "Key",
    "PublicUrl",
    "RedisUrl",
    "Region",
    "TimeZone",
    "key_bytes",
]

KEY_BYTES = 32


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError) as fault:
        raise ValueError(f"no such time zone: {name[:40]!r}") from fault
    return name


def _region(name: str) -> str:
    if name not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError("should be a region of two capital letters, as IR")
    return name


def _database_url(url: str) -> str:
    for spelling in ("postgres://", "postgresql://"):
        if url.startswith(spelling):
            return "postgresql+psycopg://" + url.removeprefix(spelling)
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("should begin with sqlite:/// or postgresql+psycopg://")
    return url


def _redis_url(url: str) -> str:
    if url and not url.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("should begin with redis://, rediss:// or unix://")
    return url


def _public_url(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise ValueError("should begin with http:// or https://")
    return url.rstrip("/")


def _hour(written: str) -> str:
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", written):
        raise ValueError("should be a time of day, as 22:00")
    return written


def _key(given: SecretStr) -> SecretStr:
    key_bytes(given)
    return given


def key_bytes(key: SecretStr) -> bytes:
    """Read 32 bytes written as 64 hexadecimal digits or as base64."""
    written = key.get_secret_value()
    try:
        if len(written) == 2 * KEY_BYTES:
            return bytes.fromhex(written)
        # Both alphabets, with and without the padding.
        folded = written.rstrip("=").translate(str.maketrans("-_", "+/"))
        read = base64.b64decode(folded + "=" * (-len(folded) % 4), validate=True)
    except (ValueError, binascii.Error):
        read = b""
    if len(read) != KEY_BYTES:
        raise ValueError("should be 32 random bytes, in hexadecimal or base64")
    return read


DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
Hour = Annotated[str, AfterValidator(_hour)]
Key = Annotated[SecretStr, AfterValidator(_key)]
PublicUrl = Annotated[str, AfterValidator(_public_url)]
RedisUrl = Annotated[str, AfterValidator(_redis_url)]
Region = Annotated[str, AfterValidator(_region)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
