from __future__ import annotations

import base64
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ledger.sealing import notes
from ledger.sealing.notes import BadNote, Signer

AT = datetime(2026, 11, 22, 8, 30, 15, 123456, tzinfo=UTC)
ROOT = sha256(b"a root").digest()
SIGNER = Signer(b"s" * 32, "give.example.org/yarigar")
WITNESS = b"w" * 32


def test_a_note_says_what_was_signed() -> None:
    text = SIGNER.sign(48_211, ROOT, AT)
    note = notes.read(text)
    assert text.splitlines()[:5] == [
        "give.example.org/yarigar",
        "48211",
        base64.b64encode(ROOT).decode(),
        "2026-11-22T08:30:15.123456Z",
        "",
    ]
    assert (note.size, note.root, note.at) == (48_211, ROOT, AT)
    assert notes.is_signed(note, SIGNER.public_key)
    assert not notes.is_signed(note, notes.public_of(b"x" * 32))


def test_the_line_is_c2sps_key_id_and_an_ed25519_signature() -> None:
    text = SIGNER.sign(1, ROOT, AT)
    body, _, line = text.rstrip("\n").rpartition("\n")
    dash, name, encoded = line.split(" ")
    signed = base64.b64decode(encoded)
    assert (dash, name) == ("—", SIGNER.origin)
    known = sha256(f"{name}\n".encode() + b"\x01" + SIGNER.public_key).digest()
    assert signed[:4] == known[:4]
    assert SIGNER.verifier == f"{name}+{known[:4].hex()}+" + (
        base64.b64encode(b"\x01" + SIGNER.public_key).decode()
    )
    key = Ed25519PublicKey.from_public_bytes(SIGNER.public_key)
    key.verify(signed[4:], body.encode())


@pytest.mark.parametrize("place", range(103))
def test_a_note_with_another_byte_is_not_signed(place: int) -> None:
    text = SIGNER.sign(48_211, ROOT, AT)
    assert place < text.index("\n\n")
    changed = text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]
    try:
        note = notes.read(changed)
    except BadNote:
        return
    assert not notes.is_signed(note, SIGNER.public_key)


def test_a_witness_signs_the_note_and_its_own_time() -> None:
    note = notes.read(SIGNER.sign(7, ROOT, AT))
    line = notes.cosign(note, "district-6", WITNESS, AT)
    public = notes.public_of(WITNESS)
    signed = base64.b64decode(line.split(" ")[2])
    known = sha256(b"district-6\n\x04" + public).digest()[:4]
    assert signed[:4] == known
    assert int.from_bytes(signed[4:12], "big") == int(AT.timestamp())
    message = f"cosignature/v1\ntime {int(AT.timestamp())}\n{note.body}".encode()
    Ed25519PublicKey.from_public_bytes(public).verify(signed[12:], message)

    assert notes.is_cosigned(note, line, "district-6", public)
    assert notes.said_at(line) == AT.replace(microsecond=0)
    other = notes.read(SIGNER.sign(8, ROOT, AT))
    assert not notes.is_cosigned(other, line, "district-6", public)
    assert not notes.is_cosigned(note, line, "district-7", public)
    assert not notes.is_cosigned(note, line, "district-6", SIGNER.public_key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "a\n1\n",
        "a\nx\nAAAA\n2026-11-22T08:30:15.000000Z\n\n",
        "a b\n1\n" + base64.b64encode(ROOT).decode() + "\n2026-11-22T08:30:15.0Z\n\n",
        "a\n1\nAAAA\n2026-11-22T08:30:15.000000Z\n\n",
        "a\n1\n" + base64.b64encode(ROOT).decode() + "\nyesterday\n\n",
        SIGNER.sign(1, ROOT, AT) + "no dash\n",
        SIGNER.sign(1, ROOT, AT) + "— x y\n" * 64,
        SIGNER.sign(1, ROOT, AT) + "— x y\n" * 9_000,
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        notes.read(text)


@pytest.mark.parametrize("line", ["— district-6 !", "— district-6", "— ", ""])
def test_a_line_that_cannot_be_read_is_no_signature(line: str) -> None:
    note = notes.read(SIGNER.sign(7, ROOT, AT))
    assert not notes.is_cosigned(note, line, "district-6", notes.public_of(WITNESS))


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "x" * 201])
def test_a_name_that_a_note_cannot_hold_is_refused(origin: str) -> None:
    with pytest.raises(ValueError, match="origin"):
        Signer(b"s" * 32, origin)
