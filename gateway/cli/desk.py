"""Commands of the help desk: texts that people wrote and no keyword understands."""

from __future__ import annotations

import click

from gateway.cli.operator import ID, by, one_line, opened
from gateway.faults import Unready
from gateway.service import now
from phone.dates import jalali

SHOWN_CHARS_MAX = 60


@click.group()
def desk() -> None:
    """Read what people wrote, and answer."""


@desk.command(name="list")
@click.option(
    "--state",
    type=click.Choice(["open", "answered", "closed"]),
    default="open",
    show_default=True,
)
@click.option("--after", type=ID, default=0, help="Go on from the last id shown.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
def list_enquiries(state: str, after: int, limit: int) -> None:
    """List texts that wait for an answer, the oldest first."""
    from ledger import enquiries
    from ledger.engine import reading

    with opened() as service, reading(service.engine) as db:
        found = enquiries.listed(
            db,
            service.keys,
            state=enquiries.State(state),
            after=after,
            limit=limit,
        )
    for one in found:
        words = _printable(one.words)[:SHOWN_CHARS_MAX]
        when = jalali(one.at, service.settings.time_zone)
        click.echo(f"{one.id:>7}  {when}  {one.phone or 'erased':<8}  {words}")
    if len(found) == limit:
        click.echo(f"more: yarigar desk list --after {found[-1].id}")


@desk.command()
@click.argument("enquiry_id", metavar="ID", type=ID)
def show(enquiry_id: int) -> None:
    """Show a text with all its words, and what was done about it."""
    from ledger import enquiries
    from ledger.engine import reading

    with opened() as service, reading(service.engine) as db:
        found = enquiries.show(db, service.keys, enquiry_id=enquiry_id)
    if found is None:
        raise Unready(f"there is no enquiry {enquiry_id}")
    zone = service.settings.time_zone
    click.echo(f"enquiry {found.id}: {found.state}")
    click.echo(f"  from {found.phone or 'erased'} to {found.line} over {found.channel}")
    click.echo(f"  at {jalali(found.at, zone)}")
    if found.done_by:
        why = f": {found.done_why}" if found.done_why else ""
        click.echo(
            f"  {found.state} by {found.done_by} at {jalali(found.changed_at, zone)}"
            f"{why}"
        )
    click.echo(_printable(found.words) or "(its words were forgotten)")


@desk.command()
@click.argument("enquiry_id", metavar="ID", type=ID)
@click.argument("words")
@by
def answer(enquiry_id: int, words: str, by: str) -> None:
    """Answer a text with WORDS."""
    from gateway.texting import desk as answering

    with opened() as service:
        text_id = answering.answer(
            service.engine,
            service.keys,
            service.library,
            service.routes,
            enquiry_id=enquiry_id,
            words=words,
            by=by,
            at=now(),
        )
        service.wake()
    click.echo(f"enquiry {enquiry_id} is answered by text {text_id}")


@desk.command()
@click.argument("enquiry_id", metavar="ID", type=ID)
@click.option("--reason", required=True, help="Why it needs no answer.")
@by
def close(enquiry_id: int, reason: str, by: str) -> None:
    """Be done with a text without an answer."""
    from gateway.texting import desk as answering

    with opened() as service:
        answering.close(
            service.engine,
            service.routes,
            enquiry_id=enquiry_id,
            by=by,
            why=one_line(reason),
            at=now(),
        )
    click.echo(f"enquiry {enquiry_id} is closed")


def _printable(words: str) -> str:
    """What somebody wrote, without what would steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in words)
