"""The secrets that the first start makes, in <data_dir>/keys.toml.

Losing them loses every phone number, and making others for an old ledger would look
like a working service that knows nobody: so they are made once, by `yarigar serve`
and for an empty ledger only.
"""

from __future__ import annotations

import hmac
import os
import secrets
import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from gateway.faults import KeysUnavailable
from gateway.kinds import KEY_BYTES, key_bytes
from gateway.settings import KEYS, Settings

FILE = "keys.toml"
FILE_BYTES_MAX = 10_000
CHANNEL_KEYS = ("phone_channel_key", "console_channel_key")

HEAD = """\
# Made by the first `yarigar serve`. Keep a copy in a safe place: without these keys
# no phone number in the ledger can be read, and nobody can make them again.
"""


def complete(settings: Settings) -> Settings:
    """Add what keys.toml holds to `settings`; raise KeysUnavailable without it.

    Settings that have all of KEYS need no file: so many machines share one set.
    """
    if _has_all(settings):
        return settings.with_keys(_channel_keys(settings.key_bytes("web_secret")))
    return settings.with_keys(read(settings.data_dir))


def complete_or_make(settings: Settings, *, has_ledger: bool) -> Settings:
    """Do as `complete` does, and make keys.toml if this is the first start.

    `has_ledger` says that there is data already: then nothing is made.
    """
    path = settings.data_dir / FILE
    if not _has_all(settings) and not os.path.lexists(path):
        if has_ledger:
            raise KeysUnavailable(
                f"{path} is missing, and there is a ledger that was written with it: "
                "put back your copy (new keys cannot read the old ledger)"
            )
        _make(path)
    return complete(settings)


def read(data_dir: Path) -> Mapping[str, str]:
    """Read keys.toml; raise KeysUnavailable with what is wrong and what to do."""
    path = data_dir / FILE
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            source = file.read(FILE_BYTES_MAX)
    except FileNotFoundError as fault:
        raise KeysUnavailable(
            f"{path} is missing: `yarigar serve` makes it at its first start"
        ) from fault
    except OSError as fault:
        raise KeysUnavailable(f"{path} cannot be read: {fault.strerror}") from fault
    if mode & 0o077:
        raise KeysUnavailable(f"{path} is open to other users: chmod 600 {path}")
    try:
        held = tomllib.loads(source.decode())
        for name in KEYS + CHANNEL_KEYS:
            key_bytes(SecretStr(held[name]))
    # A key that is no text has no length; none of these names a value.
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise KeysUnavailable(
            f"{path} is damaged: put back your copy (new keys cannot read the old "
            "ledger)"
        ) from fault
    return {name: held[name] for name in KEYS + CHANNEL_KEYS}


def _make(path: Path) -> None:
    """Write the file whole or not at all, for its owner's eyes from the first byte."""
    lines = [
        f'{name} = "{secrets.token_hex(KEY_BYTES)}"\n' for name in KEYS + CHANNEL_KEYS
    ]
    unfinished = path.with_name(f".{FILE}.{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    try:
        opened = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(opened, "w") as file:
            file.writelines([HEAD, *lines])
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as fault:
        raise KeysUnavailable(f"{path} cannot be written: {fault.strerror}") from fault


def _has_all(settings: Settings) -> bool:
    return all(getattr(settings, name) is not None for name in KEYS)


def _channel_keys(web_secret: bytes) -> Mapping[str, str]:
    """The same keys of the test channels on every machine that shares the secret."""
    return {
        name: hmac.digest(web_secret, name.encode(), "sha256").hex()
        for name in CHANNEL_KEYS
    }
