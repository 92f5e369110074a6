"""Commands for whoever writes the menus."""

from __future__ import annotations

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
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
)
def check(files: tuple[Path, ...], form: str) -> None:
    """Prove menu files and folders of them; without FILES, the one the settings name.

    A file with faults is refused with exit code 1. A single file without tells how
    many screens and seconds each thing that it does takes and what the carrier bills,
    and how many parts each text is and why.
    """
    import json

    from gateway.proving import (
        MenusRefused,
        as_object,
        as_table,
        menu_files,
        prices,
        prove_file,
        texts_table,
    )

    settings = load(os.environ)
    given = files or (settings.menus,)
    alone = len(given) == 1 and not given[0].is_dir()
    costs = prices(settings)
    paths = list(menu_files(given))
    told, refusals = [], 0
    for path in paths:
        try:
            proved = prove_file(settings, path)
        except MenusRefused as refused:
            refusals += 1
            told.append(as_object(path, refused.faults, None, costs))
            if form == "text":
                click.echo(str(refused), err=True)
            continue
        told.append(as_object(path, (), proved, costs))
        if form == "json":
            continue
        menus = proved.menus
        click.echo(
            f"{path}: {len(menus.screens)} screens, {len(menus.texts)} texts, "
            f"{len(menus.languages)} languages: no fault"
        )
        for table in (as_table(proved, costs), texts_table(proved)) if alone else ():
            for line in table:
                click.echo(line)
    if form == "json":
        held = told[0] if alone else told
        click.echo(json.dumps(held, ensure_ascii=False, indent=2))
    if refusals:
        raise SystemExit(1)


@menus.command()
def schema() -> None:
    """Print the JSON Schema of menu files, for editors that complete and check."""
    import json

    from ussd.schema import schema as made

    click.echo(json.dumps(made(), ensure_ascii=False, indent=2))


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
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--flow", help="One flow by its name; all of them if none is named.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["mermaid", "svg"]),
    default="mermaid",
    show_default=True,
)
@click.option("--language", help="The first of the menus if none is named.")
@click.option("--out", type=click.Path(path_type=Path), help="A file to write to.")
def graph(
    file: Path | None,
    flow: str | None,
    form: str,
    language: str | None,
    out: Path | None,
) -> None:
    """Draw a menu file; without FILE, the one the settings name."""
    from gateway.picturing import picture

    settings = load(os.environ)
    drawn = picture(settings, file or settings.menus, form, flow or "", language)
    if out is None:
        click.echo(drawn, nl=False)
        return
    try:
        out.write_text(drawn, encoding="utf-8")
    except OSError as failure:
        raise Unready(f"{out}: {failure.strerror}") from None
    click.echo(f"drawn in {out}")


@menus.command()
@click.argument(
    "stories", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True)
)
@click.option("--menus", "file", type=click.Path(path_type=Path), help=DEFAULT)
def test(stories: tuple[Path, ...], file: Path | None) -> None:
    """Play transcripts (files or folders of them) against the menus."""
    from gateway.publishing import check as prove
    from gateway.rehearsing import rehearse

    settings = load(os.environ)
    proved, _ = prove(settings, file or settings.menus)
    passed = failed = 0
    for told in rehearse(proved, stories, at=now()):
        passed, failed = passed + (not told), failed + bool(told)
        for line in told:
            click.echo(line)
    click.echo(f"{passed} passed, {failed} failed")
    if failed:
        raise SystemExit(1)
