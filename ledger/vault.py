"""Keyed hashes, and the encryption of what may have to be forgotten.

A phone number is encrypted with a key of its person's own, which is wrapped by a key
outside the database: forgetting a person is deleting that one key. The person's id is
bound into both, so that rows cannot be exchanged. AES-256-GCM (NIST SP 800-38D) with
random nonces; every sealed value is one version byte, the nonce, the ciphertext.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, select

from ledger import schema
from ledger.engine import LedgerError
from ledger.once import Once

__all__ = [
    "Keys",
    "Sealed",
    "WrongKeys",
    "claim_key",
    "look_up",
    "seal_phone",
    "seal_raw",
    "seal_slots",
    "unseal_phone",
    "unseal_raw",
    "unseal_slots",
]

KEY_BYTES = 32
NONCE_BYTES = 12
_VERSION = b"\x01"
# The one slot that a sealed text has; no template can name it.
_SEALED = "=sealed"

_insert_meta = Once(schema.meta, schema.meta.c.name, returning=schema.meta.c.name)
_metas = select(schema.meta.c.name, schema.meta.c.value)


class WrongKeys(LedgerError):
    """These are not the keys that the database was written with."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The secrets that are not in the database, 32 bytes each."""

    vault: bytes = field(repr=False)
    index: bytes = field(repr=False)
    code: bytes = field(repr=False)

    def __post_init__(self) -> None:
        for key in (self.vault, self.index, self.code):
            if len(key) != KEY_BYTES:
                raise ValueError(f"a key has {KEY_BYTES} bytes")


@dataclass(frozen=True, slots=True)
class Sealed:
    """A phone number at rest: the person's key, wrapped, and the number under it."""

    wrapped_key: bytes
    phone: bytes


def look_up(keys: Keys, phone: str) -> bytes:
    """The 32 bytes that stand for an E.164 number wherever it must be found again."""
    return hmac.digest(keys.index, phone.encode("ascii"), "sha256")


def seal_phone(keys: Keys, person_id: int, phone: str) -> Sealed:
    key = secrets.token_bytes(KEY_BYTES)
    return Sealed(
        wrapped_key=_seal(keys.vault, key, b"key:%d" % person_id),
        phone=_seal(key, phone.encode("ascii"), b"phone:%d" % person_id),
    )


def unseal_phone(keys: Keys, person_id: int, sealed: Sealed) -> str:
    """The E.164 number. Raises WrongKeys if it was not sealed for this person."""
    key = _unseal(keys.vault, sealed.wrapped_key, b"key:%d" % person_id)
    return _unseal(key, sealed.phone, b"phone:%d" % person_id).decode("ascii")


def seal_raw(keys: Keys, raw: bytes) -> bytes:
    """Encrypt what a carrier sent us, which may hold numbers and private words."""
    return _seal(_raw_key(keys), raw, b"raw")


def unseal_raw(keys: Keys, sealed: bytes) -> bytes:
    """What `seal_raw` was given. Raises WrongKeys."""
    return _unseal(_raw_key(keys), sealed, b"raw")


def seal_slots(keys: Keys, slots: Mapping[str, str]) -> dict[str, str]:
    """What a text will say, as slots that hold it sealed: some of it is private."""
    sealed = seal_raw(keys, json.dumps(dict(slots)).encode())
    return {_SEALED: base64.b64encode(sealed).decode()}


def unseal_slots(keys: Keys, slots: Mapping[str, str | int]) -> Mapping[str, str | int]:
    """The slots of a text, those that `seal_slots` sealed too. Raises WrongKeys."""
    sealed = slots.get(_SEALED)
    if not isinstance(sealed, str):
        return slots
    try:
        found = base64.b64decode(sealed, validate=True)
    except ValueError:
        raise WrongKeys("a sealed slot is not what was sealed") from None
    said: dict[str, str] = json.loads(unseal_raw(keys, found))
    return said


def claim_key(db: Connection, keys: Keys) -> None:
    """Bind the database to these keys the first time, and check them ever after.

    With another index key every caller would be a stranger, with another vault key no
    text could be sent; both are better learned at the start. Raises WrongKeys.
    """
    prints = {
        "index_key": hmac.digest(keys.index, b"yarigar index key", "sha256").hex(),
        "vault_key": hmac.digest(keys.vault, b"yarigar vault key", "sha256").hex(),
    }
    for name, value in prints.items():
        _insert_meta(db, name=name, value=value)
    known = dict(db.execute(_metas).all())
    for name, value in prints.items():
        if not hmac.compare_digest(known[name], value):
            raise WrongKeys(f"the {name} is not the one this database was made with")


def _raw_key(keys: Keys) -> bytes:
    return hmac.digest(keys.vault, b"yarigar raw bodies", "sha256")


def _seal(key: bytes, plain: bytes, bound: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, plain, _VERSION + bound)


def _unseal(key: bytes, sealed: bytes, bound: bytes) -> bytes:
    nonce, cipher = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    try:
        if sealed[:1] != _VERSION:
            raise InvalidTag
        return AESGCM(key).decrypt(nonce, cipher, _VERSION + bound)
    except (InvalidTag, ValueError):
        raise WrongKeys("a sealed value does not open with these keys") from None
