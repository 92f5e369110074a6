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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, bindparam, select, update

from ledger import schema
from ledger.engine import LedgerError
from ledger.once import Once

__all__ = [
    "Keys",
    "Sealed",
    "WrongKeys",
    "change_claim",
    "check_key",
    "claim_key",
    "look_up",
    "reseal",
    "reseal_slots",
    "rewrap",
    "seal_answer",
    "seal_phone",
    "seal_raw",
    "seal_slots",
    "unseal_answer",
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
_change_print = (
    update(schema.meta)
    .where(schema.meta.c.name == bindparam("of_name"))
    .values(value=bindparam("to_value"))
)


class WrongKeys(LedgerError):
    """These are not the keys that the database was written with."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The secrets that are not in the database, 32 bytes each."""

    vault: bytes = field(repr=False)
    index: bytes = field(repr=False)
    code: bytes = field(repr=False)
    # Also opens what is sealed, while the vault's key is being changed.
    vault_old: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for key in (self.vault, self.index, self.code, self.vault_old):
            if key is not None and len(key) != KEY_BYTES:
                raise ValueError(f"a key has {KEY_BYTES} bytes")

    @property
    def vaults(self) -> tuple[bytes, ...]:
        """The keys that may have sealed a value, the one that seals now first."""
        return (self.vault,) if self.vault_old is None else (self.vault, self.vault_old)


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
        wrapped_key=_seal(keys.vault, key, _key_of(person_id)),
        phone=_seal(key, phone.encode("ascii"), b"phone:%d" % person_id),
    )


def unseal_phone(keys: Keys, person_id: int, sealed: Sealed) -> str:
    """The E.164 number. Raises WrongKeys if it was not sealed for this person."""
    key = _own_key(keys, person_id, sealed.wrapped_key)
    return _unseal(key, sealed.phone, b"phone:%d" % person_id).decode("ascii")


def seal_answer(
    keys: Keys, person_id: int, wrapped_key: bytes, answer: str, *, use: str
) -> bytes:
    """Encrypt what a person said under the person's own key, for one use of it."""
    key = _own_key(keys, person_id, wrapped_key)
    return _seal(key, answer.encode(), _answer_of(person_id, use))


def unseal_answer(
    keys: Keys, person_id: int, wrapped_key: bytes, sealed: bytes, *, use: str
) -> str:
    """What `seal_answer` was given. Raises WrongKeys."""
    key = _own_key(keys, person_id, wrapped_key)
    return _unseal(key, sealed, _answer_of(person_id, use)).decode()


def rewrap(keys: Keys, person_id: int, wrapped_key: bytes) -> bytes | None:
    """A person's key wrapped by the new key; None if it is already."""
    return _resealed(keys.vaults, wrapped_key, _key_of(person_id))


def reseal(keys: Keys, sealed: bytes) -> bytes | None:
    """What `seal_raw` made, sealed by the new key; None if it is already."""
    return _resealed([_raw_key(key) for key in keys.vaults], sealed, b"raw")


def reseal_slots(keys: Keys, slots: Mapping[str, str | int]) -> dict[str, str] | None:
    """The same of slots that `seal_slots` made; None where nothing is to be done."""
    sealed = _sealed_slot(slots)
    new = None if sealed is None else reseal(keys, sealed)
    return None if new is None else {_SEALED: base64.b64encode(new).decode()}


def seal_raw(keys: Keys, raw: bytes) -> bytes:
    """Encrypt what a carrier sent us, which may hold numbers and private words."""
    return _seal(_raw_key(keys.vault), raw, b"raw")


def unseal_raw(keys: Keys, sealed: bytes) -> bytes:
    """What `seal_raw` was given. Raises WrongKeys."""
    return _opened([_raw_key(key) for key in keys.vaults], sealed, b"raw")[0]


def seal_slots(keys: Keys, slots: Mapping[str, str]) -> dict[str, str]:
    """What a text will say, as slots that hold it sealed: some of it is private."""
    sealed = seal_raw(keys, json.dumps(dict(slots)).encode())
    return {_SEALED: base64.b64encode(sealed).decode()}


def unseal_slots(keys: Keys, slots: Mapping[str, str | int]) -> Mapping[str, str | int]:
    """The slots of a text, those that `seal_slots` sealed too. Raises WrongKeys."""
    sealed = _sealed_slot(slots)
    if sealed is None:
        return slots
    said: dict[str, str] = json.loads(unseal_raw(keys, sealed))
    return said


def claim_key(db: Connection, keys: Keys) -> None:
    """Bind the database to these keys the first time, and check them ever after.

    With another index key every caller would be a stranger, with another vault key no
    text could be sent; both are better learned at the start. While the vault's key is
    being changed, the old one is as good. Raises WrongKeys.
    """
    for name, (value, *_) in _prints(keys).items():
        _insert_meta(db, name=name, value=value)
    check_key(db, keys)


def check_key(db: Connection, keys: Keys) -> None:
    """Do as `claim_key` does, for who only reads: a new database takes any keys."""
    known = dict(db.execute(_metas).all())
    for name, values in _prints(keys).items():
        if name in known and not any(
            hmac.compare_digest(known[name], value) for value in values
        ):
            raise WrongKeys(f"the {name} is not the one this database was made with")


def change_claim(db: Connection, keys: Keys) -> None:
    """Bind the database to the new vault key, once nothing is under the old one."""
    claim_key(db, keys)
    value = _prints(keys)["vault_key"][0]
    db.execute(_change_print, {"of_name": "vault_key", "to_value": value})


def _prints(keys: Keys) -> dict[str, list[str]]:
    """What may stand in the database for each key, the present one's first."""
    return {
        "index_key": [_print(keys.index, b"yarigar index key")],
        "vault_key": [_print(key, b"yarigar vault key") for key in keys.vaults],
    }


def _print(key: bytes, of: bytes) -> str:
    return hmac.digest(key, of, "sha256").hex()


def _key_of(person_id: int) -> bytes:
    return b"key:%d" % person_id


def _answer_of(person_id: int, use: str) -> bytes:
    return b"%s:%d" % (use.encode(), person_id)


def _own_key(keys: Keys, person_id: int, wrapped_key: bytes) -> bytes:
    return _opened(keys.vaults, wrapped_key, _key_of(person_id))[0]


def _sealed_slot(slots: Mapping[str, str | int]) -> bytes | None:
    sealed = slots.get(_SEALED)
    if not isinstance(sealed, str):
        return None
    try:
        return base64.b64decode(sealed, validate=True)
    except ValueError:
        raise WrongKeys("a sealed slot is not what was sealed") from None


def _raw_key(vault: bytes) -> bytes:
    return hmac.digest(vault, b"yarigar raw bodies", "sha256")


def _resealed(keys: Sequence[bytes], sealed: bytes, bound: bytes) -> bytes | None:
    plain, key = _opened(keys, sealed, bound)
    return None if key == keys[0] else _seal(keys[0], plain, bound)


def _opened(keys: Sequence[bytes], sealed: bytes, bound: bytes) -> tuple[bytes, bytes]:
    """What was sealed, and the key that opened it."""
    for key in keys[:-1]:
        try:
            return _unseal(key, sealed, bound), key
        except WrongKeys:
            continue
    return _unseal(keys[-1], sealed, bound), keys[-1]


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
