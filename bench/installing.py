"""Other projects, installed by name from their registries into a folder that goes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

__all__ = [
    "NotInstalled",
    "install_anysd",
    "install_centre",
    "install_smpplib",
    "install_umb",
]

INSTALL_SECONDS_MAX = 300
OUTPUT_CHARS_MAX = 200

UMB = ("ussd-menu-builder@^1.2.0", "express@^5", "redis@^5")
ANYSD = (
    "anysd==1.2.7",
    "flask",
    # anysd names the encoding `charset`, which redis 6 does not take any more.
    "redis<6",
)


class NotInstalled(Exception):
    """A side that cannot be had on this machine, with the reason in one line."""


CENTRE = ("smpp@0.5.1",)
SMPPLIB = ("smpplib==2.2.4",)


def install_umb(folder: Path) -> str:
    """Install ussd-menu-builder into `folder`; return what was installed."""
    return _npm(folder, UMB)


def install_centre(folder: Path) -> str:
    """Install the library of a message centre into `folder`; return what it is."""
    return _npm(folder, CENTRE)


def install_smpplib(folder: Path) -> str:
    """Install smpplib into a venv at `folder`; return what was installed."""
    return ", ".join(_pip(folder, SMPPLIB, ("smpplib",)))


def _npm(folder: Path, packages_wanted: Sequence[str]) -> str:
    options = ("--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1")
    where = ("--loglevel=error", "--prefix", str(folder))
    _run("npm", "install", *options, *where, *packages_wanted)
    packages = folder / "node_modules"
    node = _run("node", "--version").strip()
    found = []
    for wanted in packages_wanted:
        name = wanted.partition("@")[0]
        told = json.loads((packages / name / "package.json").read_text())
        found.append(f"{name} {told['version']}")
    return f"{', '.join(found)}, node {node.removeprefix('v')}"


def install_anysd(folder: Path) -> str:
    """Install anysd into a venv at `folder`; return what was installed."""
    # The server is ours, so that it is the same one.
    granian = f"granian=={metadata.version('granian')}"
    names = ("anysd", "flask", "redis", "granian")
    return ", ".join(_pip(folder, (*ANYSD, granian), names))


def _pip(folder: Path, wanted: Sequence[str], names: Sequence[str]) -> list[str]:
    _run(sys.executable, "-m", "venv", str(folder))
    python = str(folder / "bin" / "python")
    _run(python, "-m", "pip", "install", "--quiet", "--retries=1", *wanted)
    told = json.loads(_run(python, "-m", "pip", "list", "--format", "json"))
    versions = {one["name"].lower(): one["version"] for one in told}
    return [f"{name} {versions[name]}" for name in names]


def _run(*command: str) -> str:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=True,
            stdin=subprocess.DEVNULL,
            timeout=INSTALL_SECONDS_MAX,
            env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        )
    except FileNotFoundError:
        raise NotInstalled(f"{command[0]} is not on this machine") from None
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"{command[0]} took over {INSTALL_SECONDS_MAX} s") from None
    except subprocess.CalledProcessError as failure:
        # npm says it in its first line; pip warns before it says it.
        said = failure.stderr.strip().splitlines() or ["without a word"]
        errors = [line for line in said if line.startswith("ERROR")]
        why = (errors or said)[0][:OUTPUT_CHARS_MAX]
        raise NotInstalled(f"{Path(command[0]).name} failed: {why}") from None
    return done.stdout
