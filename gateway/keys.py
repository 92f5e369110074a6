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
from typing import TYPE_CHECKING

from pydantic import SecretStr

from gateway.faults import KeysUnavailable
from gateway.kinds import KEY_BYTES, key_bytes
from gateway.settings import KEYS, OLD_KEY, Settings

if TYPE_CHECKING:
    from ledger.engine import Engine
    from ledger.vault import Keys

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


def read(data_dir: Path, name: str = FILE) -> Mapping[str, str]:
    """Read keys.toml; raise KeysUnavailable with what is wrong and what to do."""
    path = data_dir / name
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
        names = KEYS + CHANNEL_KEYS + ((OLD_KEY,) if OLD_KEY in held else ())
        for one in names:
            key_bytes(SecretStr(held[one]))
    # A key that is no text has no length; none of these names a value.
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise KeysUnavailable(
            f"{path} is damaged: put back your copy (new keys cannot read the old "
            "ledger)"
        ) from fault
    return {one: held[one] for one in names}


def ledger_keys(settings: Settings) -> Keys:
    """The keys of the ledger's secrets, from settings that are complete."""
    from ledger.vault import Keys

    old = settings.vault_key_old
    return Keys(
        vault=settings.key_bytes("vault_key"),
        index=settings.key_bytes("index_key"),
        code=settings.key_bytes("code_key"),
        vault_old=None if old is None else key_bytes(old),
    )


def check(engine: Engine, settings: Settings) -> Keys:
    """The same, for a ledger that was written with them; raises WrongKeys else."""
    from ledger.engine import reading
    from ledger.vault import check_key

    keys = ledger_keys(settings)
    with reading(engine) as db:
        check_key(db, keys)
    return keys


def copy_to(settings: Settings, path: Path) -> None:
    """Write the keys of complete settings to a file as keys.toml is, for its owner."""
    held = {name: settings.key_bytes(name).hex() for name in KEYS}
    if settings.vault_key_old is not None:
        held[OLD_KEY] = settings.key_bytes(OLD_KEY).hex()
    channels = (
        read(settings.data_dir)
        if os.path.lexists(settings.data_dir / FILE)
        else _channel_keys(settings.key_bytes("web_secret"))
    )
    _write(path, held | {name: channels[name] for name in CHANNEL_KEYS})


def put_back(data_dir: Path, copy: Path) -> None:
    """Make a copy of the keys keys.toml again; raise KeysUnavailable over others."""
    held = read(copy.parent, copy.name)
    if os.path.lexists(data_dir / FILE):
        if read(data_dir) != held:
            raise KeysUnavailable(f"{data_dir / FILE} holds other keys already")
        return
    data_dir.mkdir(parents=True, exist_ok=True)
    _write(data_dir / FILE, held)


def _make(path: Path) -> None:
    """Write the file whole or not at all, for its owner's eyes from the first byte."""
    _write(path, {name: secrets.token_hex(KEY_BYTES) for name in KEYS + CHANNEL_KEYS})


def _write(path: Path, held: Mapping[str, str]) -> None:
    lines = [f'{name} = "{key}"\n' for name, key in held.items()]
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
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
