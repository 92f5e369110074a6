"""One backup as a file: a ZIP archive (APPNOTE 6.3, ZIP64) with a manifest.

The manifest says which database it was, at which revision, how many rows each table
had, and the size and SHA-256 of every other member. All of it is compared before a
row is written anywhere. Nothing is ever held in memory but a piece.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from ledger.engine import LedgerError

__all__ = ["PIECE_BYTES", "Archive", "BadArchive", "Manifest", "Member", "Writer"]

FORMAT = 1
MANIFEST = "manifest.json"
# The one member of a backup of SQLite; of PostgreSQL they are named by the tables.
DATABASE_MEMBER = "ledger.db"
MANIFEST_BYTES_MAX = 1_000_000
MEMBERS_MAX = 200
PIECE_BYTES = 1 << 20
# The list of members, which is read at once.
READ_BYTES_MAX = 16 << 20
# Books shrink to a tenth or so; what expands further is meant to fill the disk.
EXPANSION_MAX = 200

_IS_TORN = "it is torn, or no backup of ours"
_TORN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    UnicodeDecodeError,
)
_WORD = re.compile(r"[A-Za-z0-9_.]{1,64}")
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

Progress = Callable[[int, int], None]


class BadArchive(LedgerError):
    """The file is no whole backup of ours; nothing was written."""


@dataclass(frozen=True, slots=True)
class Member:
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself.

    `system` is the ledger's own id, `at` ISO 8601, `rows` by table; `columns` and
    `sequences` by table, of PostgreSQL alone.
    """

    database: str
    revision: str
    system: str
    at: str
    rows: Mapping[str, int]
    members: Mapping[str, Member]
    columns: Mapping[str, list[str]] = field(default_factory=dict)
    sequences: Mapping[str, int] = field(default_factory=dict)


class Writer:
    """An archive that is being written."""

    def __init__(self, file: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self.members: dict[str, Member] = {}

    @classmethod
    @contextmanager
    def to(cls, path: Path) -> Iterator[Writer]:
        """Write `path` whole or not at all, for its owner's eyes from the first byte.

        Raises OSError.
        """
        part = path.with_name(f".{path.name}.{os.getpid()}")
        part.unlink(missing_ok=True)
        try:
            opened = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(opened, "w+b") as file:
                writer = cls(file)
                yield writer
                writer._zip.close()
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    @contextmanager
    def member(self, name: str) -> Iterator[Callable[[Any], None]]:
        """Add a member: what is yielded takes its pieces, of any number."""
        digest, size = hashlib.sha256(), 0
        with self._zip.open(zipfile.ZipInfo(name), "w", force_zip64=True) as into:

            def write(piece: Any) -> None:
                nonlocal size
                digest.update(piece)
                size += len(piece)
                into.write(piece)

            yield write
        self.members[name] = Member(size, digest.hexdigest())

    def finish(self, manifest: Manifest) -> None:
        said = {"format": FORMAT, **asdict(manifest)}
        self._zip.writestr(MANIFEST, json.dumps(said, indent=1, sort_keys=True))


class _Bounded(io.FileIO):
    """A file of which nobody reads more than a bounded piece at once."""

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = READ_BYTES_MAX + 1 if size is None or size < 0 else size
        found = super().read(min(wanted, READ_BYTES_MAX + 1)) or b""
        if len(found) > READ_BYTES_MAX:
            raise BadArchive("its list of members is longer than that of any backup")
        return found


class Archive:
    """An archive that is read: its manifest is believed only after `prove`."""

    def __init__(self, archive: zipfile.ZipFile, manifest: Manifest) -> None:
        self._zip = archive
        self.manifest = manifest

    @classmethod
    @contextmanager
    def of(cls, path: Path) -> Iterator[Archive]:
        """Open a backup. Raises BadArchive for what is none, OSError for no file."""
        with _Bounded(path) as file:
            try:
                with zipfile.ZipFile(file) as archive:
                    yield cls(archive, _manifest(archive, path.stat().st_size))
            except _TORN:
                raise BadArchive(_IS_TORN) from None
            except OSError as failure:
                # A place before the file's beginning or behind its end.
                if failure.errno != errno.EINVAL:
                    raise
                raise BadArchive(_IS_TORN) from None

    @property
    def size(self) -> int:
        """How large it is when it is unpacked."""
        return sum(member.bytes for member in self.manifest.members.values())

    def prove(self, progress: Progress | None = None) -> None:
        """Read everything once and compare it with the manifest; raises BadArchive."""
        done = 0
        for name, member in self.manifest.members.items():
            digest = hashlib.sha256()
            for piece in self.pieces(name):
                digest.update(piece)
                done += len(piece)
                if progress is not None:
                    progress(done, self.size)
            if digest.hexdigest() != member.sha256:
                raise BadArchive(f"{name} is not what was backed up")

    def pieces(self, name: str) -> Iterator[bytes]:
        """The bytes of a member, piece by piece."""
        with self._zip.open(name) as member:
            while piece := member.read(PIECE_BYTES):
                yield piece


def _manifest(archive: zipfile.ZipFile, size: int) -> Manifest:
    infos = archive.infolist()
    if len(infos) > MEMBERS_MAX or len({info.filename for info in infos}) < len(infos):
        raise BadArchive("it has members that no backup has")
    if any(info.flag_bits & 1 or info.compress_type not in _PACKED for info in infos):
        raise BadArchive("it is packed as no backup is")
    by_name = {info.filename: info for info in infos}
    info = by_name.pop(MANIFEST, None)
    if info is None or info.file_size > MANIFEST_BYTES_MAX:
        raise BadArchive("it has no manifest of ours")
    with archive.open(info) as file:
        manifest = _read(file.read(MANIFEST_BYTES_MAX + 1))
    if by_name.keys() != manifest.members.keys():
        raise BadArchive("its members are not those that its manifest names")
    if manifest.database == "sqlite" and by_name.keys() != {DATABASE_MEMBER}:
        raise BadArchive("it has another member than its database")
    if manifest.database == "postgresql" and by_name.keys() != manifest.columns.keys():
        raise BadArchive("its members are not its tables")
    if sum(info.compress_size for info in infos) > size:
        raise BadArchive("its members lie over one another")
    for name, one in by_name.items():
        if one.file_size != manifest.members[name].bytes:
            raise BadArchive(f"{name} has another length than its manifest says")
        if one.file_size > EXPANSION_MAX * one.compress_size + PIECE_BYTES:
            raise BadArchive(f"{name} would expand further than any backup does")
    return manifest


def _read(source: bytes) -> Manifest:
    try:
        said = json.loads(source)
        if said.pop("format") != FORMAT:
            raise BadArchive("it was made by another version of this program")
        members = {
            str(name): Member(int(one["bytes"]), str(one["sha256"]))
            for name, one in said.pop("members").items()
        }
        manifest = Manifest(
            database=str(said["database"]),
            revision=str(said["revision"]),
            system=str(said["system"]),
            at=str(said["at"]),
            rows={str(name): int(rows) for name, rows in said["rows"].items()},
            members=members,
            columns={
                str(name): [str(one) for one in columns]
                for name, columns in said["columns"].items()
            },
            sequences={str(n): int(last) for n, last in said["sequences"].items()},
        )
    # RecursionError: JSON that is nested a thousandfold; OverflowError: 1e999.
    except (
        *(ValueError, KeyError, TypeError, AttributeError),
        *(RecursionError, OverflowError),
    ):
        raise BadArchive("its manifest cannot be read") from None
    # They are shown to an operator, whose terminal obeys what it is shown.
    for word in (manifest.database, manifest.revision, *members, *manifest.sequences):
        if not _WORD.fullmatch(word):
            raise BadArchive("its manifest cannot be read")
    return manifest
