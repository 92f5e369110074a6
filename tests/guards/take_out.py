"""Take each guard out of a copy of the tree, and want its test to fail there.

    python -m tests.guards.take_out [NUMBER]...

A patch tests/guards/patches/NN-name.patch takes one guard out of our code. The test of
its number passes without the patch and fails with it; else the test guards nothing.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import click

ROOT = Path(__file__).parents[2]
PATCHES = Path(__file__).parent / "patches"
TESTS = "tests/guards/test_defects.py"
PEERS = "tests/peers/node_modules"
RUN_SECONDS_MAX = 300.0

# What pytest says of a run in which tests failed, and nothing else went wrong.
_FAILED = 1
_COUNTS = re.compile(r"(\d+) (passed|failed|skipped|errors?)")


@dataclass(frozen=True, slots=True)
class _Run:
    """A run of the tests of one number, or of all."""

    status: int
    said: str

    def count(self, what: str) -> int:
        found = {word: int(n) for n, word in _COUNTS.findall(self.said)}
        return found.get(what, 0)


def main() -> None:
    wanted = {number.zfill(2) for number in sys.argv[1:]}
    patches = [
        patch
        for patch in sorted(PATCHES.glob("*.patch"))
        if not wanted or _number(patch) in wanted
    ]
    if not patches:
        sys.exit(f"no patch of {', '.join(sorted(wanted)) or 'any number'}")
    with tempfile.TemporaryDirectory(prefix="yarigar-guards-") as name:
        tree = Path(name)
        _copy(tree)
        numbers = sorted({_number(patch) for patch in patches})
        as_it_is = _test(tree, " or ".join(f"test_{one}_" for one in numbers))
        if as_it_is.status != 0 or as_it_is.count("skipped"):
            sys.exit(f"with every guard in place not all pass:\n{as_it_is.said}")
        click.echo(f"with every guard in place: {as_it_is.count('passed')} passed")
        survived = [patch for patch in patches if not _falls(tree, patch)]
    if survived:
        sys.exit(f"{len(survived)} of {len(patches)} guards were not missed")
    click.echo(f"{len(patches)} guards taken out, and each was missed")


def _falls(tree: Path, patch: Path) -> bool:
    """Whether the tests fail without this guard; says so in a line."""
    if fault := _apply(tree, patch):
        click.echo(f"{patch.stem:58} does not apply: {fault}")
        return False
    try:
        run = _test(tree, f"test_{_number(patch)}_")
    finally:
        _apply(tree, patch, "--reverse")
    falls = run.status == _FAILED and bool(run.count("failed"))
    falls &= not (run.count("error") or run.count("errors"))
    told = f"{run.count('failed')} failed" if falls else "SURVIVED"
    click.echo(f"{patch.stem:58} {told}")
    if not falls:
        click.echo(run.said[-1000:])
    return falls


def _number(patch: Path) -> str:
    return patch.name[:2]


def _copy(tree: Path) -> None:
    """Copy what git knows, or would know, with what was changed since."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for path in filter(None, listed.stdout.split("\0")):
        if (ROOT / path).is_file():
            copied = tree / path
            copied.parent.mkdir(parents=True, exist_ok=True)
            copied.write_bytes((ROOT / path).read_bytes())
    if (ROOT / PEERS).exists():
        (tree / PEERS).symlink_to(ROOT / PEERS)


def _apply(tree: Path, patch: Path, *more: str) -> str:
    """Apply a patch to the copy; gives what was wrong."""
    # The copy is no repository, and none above it is to be looked for.
    alone = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tree.parent)}
    done = subprocess.run(
        ["git", "apply", "-C1", *more, str(patch)],
        cwd=tree,
        env=alone,
        capture_output=True,
        text=True,
    )
    return done.stderr.strip().partition("\n")[0] if done.returncode else ""


def _test(tree: Path, names: str) -> _Run:
    # The folder is first on the path, so its packages are those that are imported; a
    # compiled file would be believed where a patch leaves size and second alike.
    told = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, TESTS, "-k", names],
        cwd=tree,
        env=told,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=RUN_SECONDS_MAX,
    )
    return _Run(done.returncode, done.stdout)


if __name__ == "__main__":
    main()
