"""Commands that run the service and look after it."""

from __future__ import annotations

import os
from pathlib import Path

import click

from gateway import installation
from gateway.faults import Unready
from gateway.logs import write_logs
from gateway.processes import die_with_supervisor
from gateway.settings import load


@click.command()
def serve() -> None:
    """Start everything on this machine.

    The web service, one worker and the scheduler, and a Redis unless redis_url is
    set. The first start makes the keys and the ledger.
    """
    write_logs()
    from gateway.serve import serve as run

    run(load(os.environ), os.environ)


@click.command()
def web() -> None:
    """Run the web service alone."""
    die_with_supervisor()
    write_logs()
    from gateway.web import serve_http

    serve_http(installation.find(os.environ))


@click.command()
def worker() -> None:
    """Run one worker alone."""
    die_with_supervisor()
    write_logs()
    settings = installation.find(os.environ)
    from gateway.worker import main

    main(settings)


@click.command()
def schedule() -> None:
    """Run the scheduler alone."""
    die_with_supervisor()
    write_logs()
    settings = installation.find(os.environ)
    from gateway.schedule import main

    main(settings)


@click.command()
def migrate() -> None:
    """Bring the ledger's tables up to date."""
    settings = installation.find_without_redis(os.environ)
    from ledger.migrate import upgrade

    upgrade(settings.database_url)
    click.echo("The ledger is up to date.")


@click.command()
def doctor() -> None:
    """Say what is well and what is not, a line each; exit 1 if anything is not."""
    from gateway.doctor import examine

    findings = list(examine(os.environ))
    for finding in findings:
        mark = "ok   " if finding.is_well else "FAULT"
        click.echo(f"{mark}  {finding.what}: {finding.says}")
    if not all(finding.is_well for finding in findings):
        raise SystemExit(1)


@click.command()
@click.option("--write", type=click.Path(path_type=Path), help="Write the page here.")
@click.option("--check", type=click.Path(path_type=Path), help="Compare it with this.")
def settings_doc(write: Path | None, check: Path | None) -> None:
    """Write the page of settings: to a file, or to the terminal."""
    from gateway.settings_page import settings_markdown

    page = settings_markdown()
    if write is not None:
        write.write_text(page, encoding="utf-8")
    if check is not None and check.read_text(encoding="utf-8") != page:
        raise Unready(f"{check} is not up to date: make docs")
    if write is None and check is None:
        click.echo(page, nl=False)
