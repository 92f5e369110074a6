"""Whose lease it is, and whether that process is surely gone.

An owner is named by its machine, its process id and when that process began, so that a
worker which starts after a `kill -9` need not wait for the lease of the one before it.
"""

from __future__ import annotations

import hashlib
import os
import socket
from pathlib import Path

__all__ = ["is_gone", "this_process"]

_PROC = Path("/proc")
_NOT_KNOWN = "0"


def this_process() -> str:
    """The name under which this process takes leases: `machine:pid:began`."""
    pid = os.getpid()
    return f"{_machine()}:{pid}:{_began(pid) or _NOT_KNOWN}"


def is_gone(owner: str) -> bool:
    """Say whether the process is known to have ended; False whenever in doubt."""
    machine, _, rest = owner.partition(":")
    pid, _, rest = rest.partition(":")
    began = rest.partition(":")[0]
    if machine != _machine() or not pid.isdecimal() or began in ("", _NOT_KNOWN):
        return False
    return _began(int(pid)) != began


def _machine() -> str:
    """One boot of one machine, and one set of process ids on it.

    Two containers can share a host name and not see each other's processes; after a
    boot or in a new container nothing is known, and the lease has to run out.
    """
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        pids = os.readlink(_PROC / "self/ns/pid")
    except OSError:
        boot, pids = "", ""
    said = f"{socket.gethostname()} {boot} {pids}".encode()
    return hashlib.sha256(said).hexdigest()[:12]


def _began(pid: int) -> str | None:
    """When a process began, in the kernel's ticks since boot; None if there is none.

    Field 22 of proc(5) stat. The second one is the program's name in brackets, which
    may hold spaces and brackets itself. Without /proc nothing is known of anybody.
    """
    if not (_PROC / "self/stat").exists():
        return _NOT_KNOWN
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    state, *rest = stat.rpartition(")")[2].split()
    # A zombie is dead; in a container nobody may ever bury it.
    return None if state in ("Z", "X") else rest[18]
