"""Transcripts played for an operator, with what a failing one shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from gateway.faults import Unready
from phone.encoding import Limits
from ussd.menus import Menus
from ussd.transcripts import BadStory, Mismatch, play, read
from ussd.transcripts.side_by_side import difference, side_by_side

__all__ = ["rehearse"]


def rehearse(
    menus: Menus, given: Sequence[Path], *, at: datetime
) -> Iterator[list[str]]:
    """Play every story of these files and folders; yield what to print of each.

    Nothing is printed of one that went as it tells. Raises Unready for a file that is
    no transcript, before anything is played, and for a variable that does not fit.
    """
    try:
        stories = [(path, story) for path in _files(given) for story in read(path)]
    except BadStory as bad:
        raise Unready(str(bad)) from None
    for path, story in stories:
        try:
            found = play(menus, story, limits=Limits(), now=at)
        except BadStory as bad:
            raise Unready(f"{path}:{bad}") from None
        yield [line for one in found for line in _told(path, story.name, one)]


def _files(given: Sequence[Path]) -> Iterator[Path]:
    for path in given:
        if not path.is_dir():
            yield path
            continue
        found = sorted([*path.glob("**/*.yaml"), *path.glob("**/*.yml")])
        if not found:
            raise Unready(f"{path}: no transcript in it: a transcript is *.yaml")
        yield from found


def _told(path: Path, name: str, mismatch: Mismatch) -> Iterator[str]:
    yield f"{path}:{mismatch.line}: {name}: {mismatch.what}"
    for line in side_by_side(mismatch.expected, mismatch.found):
        yield f"  {line}"
    yield f"    {difference(mismatch.expected, mismatch.found)}"
    yield ""
