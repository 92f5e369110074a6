"""Commands for whoever writes the menus."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import click

from gateway import installation
from gateway.faults import Unready
from gateway.service import build, now
from gateway.settings import load

DEFAULT = "the file that `menus` names in the settings"


@click.group()
def menus() -> None:
    """Check, publish and rehearse the menus."""


@menus.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
def check(file: Path | None) -> None:
    """Prove a menu file; without FILE, the one the settings name."""
    from gateway.publishing import check as prove

    settings = load(os.environ)
    path = file or settings.menus
    proved, _ = prove(settings, path)
    click.echo(
        f"{path}: {len(proved.screens)} screens, {len(proved.texts)} texts, "
        f"{len(proved.languages)} languages: no fault"
    )


@menus.command(name="load")
@click.argument("file", type=click.Path(path_type=Path))
def load_menus(file: Path) -> None:
    """Prove a menu file and make it the current menus of every process."""
    from gateway.publishing import publish

    service = build(installation.find(os.environ))
    published = publish(
        service.settings, service.engine, service.sessions, file, at=now()
    )
    click.echo(f"{file}: published as {published[:12]}")


@menus.command()
@click.argument(
    "stories", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True)
)
@click.option("--menus", "file", type=click.Path(path_type=Path), help=DEFAULT)
def test(stories: tuple[Path, ...], file: Path | None) -> None:
    """Play transcripts (files or folders of them) against the menus."""
    from gateway.publishing import check as prove
    from phone.encoding import Limits
    from ussd.transcripts import BadStory, play, read

    settings = load(os.environ)
    proved, _ = prove(settings, file or settings.menus)
    paths = [
        path
        for given in stories
        for path in (sorted(given.glob("**/*.yaml")) if given.is_dir() else [given])
    ]
    passed = failed = 0
    for path in paths:
        try:
            found = read(path)
        except BadStory as bad:
            raise Unready(str(bad)) from None
        for story in found:
            mismatches = play(proved, story, limits=Limits(), now=now())
            passed, failed = passed + (not mismatches), failed + bool(mismatches)
            for mismatch in mismatches:
                where = f"turn {mismatch.turn}" if mismatch.turn else "effects"
                click.echo(f"{path}: {story.name}: {where}")
                for line in difflib.ndiff(
                    mismatch.expected.splitlines(), mismatch.found.splitlines()
                ):
                    click.echo(f"    {line}")
    click.echo(f"{passed} passed, {failed} failed")
    if failed:
        raise SystemExit(1)
