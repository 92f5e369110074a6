"""Signed checkpoints: how many leaves there are, their root, and who says so.

A checkpoint is a note as C2SP's signed-note and tlog-checkpoint have it:

    give.example.org/yarigar             the origin: whose tree
    48211                                its size
    Yx7q…=                               its root, base64
    2026-11-22T08:30:15.123456Z          when it was signed (an extension line)

    — give.example.org/yarigar AbCd…     base64 of four bytes of key id and Ed25519

A witness adds a line of its own, C2SP's cosignature/v1: the same with the witness'
name, and eight bytes of its time before the signature.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

__all__ = [
    "BadNote",
    "Note",
    "Signer",
    "cosign",
    "is_cosigned",
    "is_signed",
    "public_of",
    "read",
    "said_at",
    "verifier",
]

NOTE_CHARS_MAX = 32_768
SIGNATURES_MAX = 64
NAME_CHARS_MAX = 200
KEY_BYTES = 32
_ED25519, _COSIGNATURE = b"\x01", b"\x04"
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
_NAME = re.compile(r"[^\s+]+")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


class BadNote(ValueError):
    """This is no checkpoint, or not one that its signer signed."""


@dataclass(frozen=True, slots=True)
class Note:
    """A checkpoint as it is written; `body` is what was signed, `lines` by whom."""

    origin: str
    size: int
    root: bytes
    at: datetime
    body: str
    lines: tuple[str, ...]


class Signer:
    """Our own key, from its 32 bytes of seed, and the name of our tree."""

    def __init__(self, seed: bytes, origin: str) -> None:
        if len(seed) != KEY_BYTES:
            raise ValueError(f"a seed has {KEY_BYTES} bytes")
        if not _NAME.fullmatch(origin) or len(origin) > NAME_CHARS_MAX:
            raise ValueError("an origin has neither spaces nor plus signs")
        self.origin = origin
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def public_key(self) -> bytes:
        return self._key.public_key().public_bytes_raw()

    @property
    def pem(self) -> str:
        """The public key as OpenSSL reads it."""
        key = self._key.public_key()
        return key.public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        ).decode()

    @property
    def verifier(self) -> str:
        """The public key as C2SP's signed-note writes it."""
        return verifier(self.origin, self.public_key)

    def sign(self, size: int, root: bytes, at: datetime) -> str:
        """The note of a checkpoint."""
        encoded = base64.b64encode(root).decode()
        moment = at.astimezone(UTC).strftime(_TIME)
        body = f"{self.origin}\n{size}\n{encoded}\n{moment}\n"
        signature = self._key.sign(body.encode())
        known = _key_id(self.origin, _ED25519, self.public_key)
        return f"{body}\n{_line(self.origin, known + signature)}\n"


def public_of(seed: bytes) -> bytes:
    """The public key of 32 bytes of seed."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def verifier(name: str, public_key: bytes) -> str:
    """A public key as `name+id+base64`, for other programs that read notes."""
    known = _key_id(name, _ED25519, public_key).hex()
    return f"{name}+{known}+{base64.b64encode(_ED25519 + public_key).decode()}"


def read(text: str) -> Note:
    """Take a checkpoint apart; nothing is verified. Raises BadNote."""
    if len(text) > NOTE_CHARS_MAX:
        raise BadNote(f"a checkpoint has at most {NOTE_CHARS_MAX} characters")
    body, gap, below = text.partition("\n\n")
    lines = below.splitlines()
    fields = body.split("\n")
    if not gap or len(fields) != 4:
        raise BadNote("this is no checkpoint of four lines with signatures below")
    origin, size, root, moment = fields
    if not _NAME.fullmatch(origin) or not _SIZE.fullmatch(size):
        raise BadNote("a checkpoint begins with its origin and its size")
    if len(lines) > SIGNATURES_MAX or not all(line.startswith("— ") for line in lines):
        raise BadNote(f"below a checkpoint are at most {SIGNATURES_MAX} signatures")
    try:
        hash = base64.b64decode(root, validate=True)
        at = datetime.strptime(moment, _TIME).replace(tzinfo=UTC)
    except ValueError:
        raise BadNote("its root or its time cannot be read") from None
    if len(hash) != 32 or base64.b64encode(hash).decode() != root:
        raise BadNote("the root of the checkpoint is not a hash")
    return Note(origin, int(size), hash, at, f"{body}\n", tuple(lines))


def is_signed(note: Note, public_key: bytes) -> bool:
    """Whether one of the lines is the origin's own signature with this key."""
    known = _key_id(note.origin, _ED25519, public_key)
    return any(
        _fits(public_key, signed[4:], note.body.encode())
        for name, signed in map(_parts, note.lines)
        if name == note.origin and signed[:4] == known
    )


def cosign(note: Note, name: str, seed: bytes, at: datetime) -> str:
    """The line of a witness below a note: that it saw this tree at this time."""
    if not _NAME.fullmatch(name) or len(name) > NAME_CHARS_MAX:
        raise BadNote("a witness' name has neither spaces nor plus signs")
    key = Ed25519PrivateKey.from_private_bytes(seed)
    seconds = int(at.timestamp())
    signature = key.sign(_witnessed(note, seconds))
    known = _key_id(name, _COSIGNATURE, key.public_key().public_bytes_raw())
    return _line(name, known + seconds.to_bytes(8, "big") + signature)


def is_cosigned(note: Note, line: str, name: str, public_key: bytes) -> bool:
    """Whether a line is this witness' signature of this note."""
    signer, signed = _parts(line)
    if signer != name or signed[:4] != _key_id(name, _COSIGNATURE, public_key):
        return False
    seconds = int.from_bytes(signed[4:12], "big")
    return _fits(public_key, signed[12:], _witnessed(note, seconds))


def said_at(line: str) -> datetime:
    """When a witness says to have signed. Raises BadNote."""
    _, signed = _parts(line)
    try:
        return datetime.fromtimestamp(int.from_bytes(signed[4:12], "big"), UTC)
    except (ValueError, OverflowError, OSError):
        raise BadNote("a witness signed at no time") from None


def _witnessed(note: Note, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{note.body}".encode()


def _fits(public_key: bytes, signature: bytes, body: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, body)
    except (InvalidSignature, ValueError):
        return False
    return True


def _key_id(name: str, kind: bytes, public_key: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + kind + public_key).digest()[:4]


def _line(name: str, signed: bytes) -> str:
    return f"— {name} {base64.b64encode(signed).decode()}"


def _parts(line: str) -> tuple[str, bytes]:
    """Whose signature it is, and its bytes; none where they cannot be read."""
    name, _, encoded = line.removeprefix("— ").partition(" ")
    try:
        return name, base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        return name, b""
