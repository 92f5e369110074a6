"""Commands for texts that went nowhere, and for the channels that carry them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from gateway import installation
from gateway.cli.operator import ID, books, by, one_line
from gateway.faults import Unready
from gateway.keys import ledger_keys
from gateway.service import now
from phone.dates import jalali

if TYPE_CHECKING:
    from ledger.tracing import Trace


@click.group()
def texts() -> None:
    """See what became of texts, and decide about those that went nowhere."""


@texts.command()
@click.option("--before", type=ID, help="Go on from the last id of the page before.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
def dead(before: int | None, limit: int) -> None:
    """List the texts that failed, expired or stay unclear, the latest first."""
    from ledger import dead as letters
    from ledger.engine import reading

    with books() as (engine, zone), reading(engine) as db:
        found = letters.page(db, before=before, limit=limit)
    for one in found:
        said = " ".join(word for word in (one.outcome, one.detail) if word)
        click.echo(
            f"{one.id:>9}  {jalali(one.changed_at, zone.key)}  {one.state:<9}"
            f"{one.template:<16} {one.carrier or '-'} {said}".rstrip()
        )
    if len(found) == limit:
        click.echo(f"more: yarigar texts dead --before {found[-1].id}")


@texts.command()
@click.argument("text_id", metavar="ID", type=ID)
def show(text_id: int) -> None:
    """Show a text: its attempts, its parts, and what was reported of it."""
    from ledger import people, tracing
    from ledger.engine import reading
    from phone.numbers import mask

    keys = ledger_keys(installation.find_without_redis(os.environ))
    with books() as (engine, zone), reading(engine) as db:
        found = tracing.trace(db, text_id)
        if found is None:
            raise Unready(f"there is no text {text_id}")
        phone = people.phone_of(db, keys, person_id=found.person_id)
    for line in _told(found, mask(phone) if phone else "erased", zone):
        click.echo(line)


@texts.command()
@click.argument("text_id", metavar="ID", type=ID)
@click.option(
    "--even-if-doubled", is_flag=True, help="Though its phone may have it already."
)
@by
def resend(text_id: int, even_if_doubled: bool, by: str) -> None:
    """Promise a text anew that went nowhere."""
    from ledger import dead as letters
    from ledger.engine import writing

    try:
        with books() as (engine, _), writing(engine) as db:
            new = letters.resend(
                db,
                outbox_id=text_id,
                by=by,
                at=now(),
                even_if_doubled=even_if_doubled,
            )
    except letters.MayBeDoubled:
        raise Unready(
            f"text {text_id} may have arrived: --even-if-doubled sends it all the same"
        ) from None
    click.echo(f"text {text_id} is sent again as text {new}")


@texts.command()
@click.argument("text_id", metavar="ID", type=ID)
@click.option("--reason", required=True, help="Why nothing more is done about it.")
@by
def close(text_id: int, reason: str, by: str) -> None:
    """Be done with a text that went nowhere."""
    from ledger import dead as letters
    from ledger.engine import writing

    with books() as (engine, _), writing(engine) as db:
        letters.close(db, outbox_id=text_id, by=by, reason=one_line(reason), at=now())
    click.echo(f"text {text_id} is closed")


@texts.command()
@click.argument("name", required=False)
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=20,
    show_default=True,
    help="Lines of the history.",
)
def channels(name: str | None, limit: int) -> None:
    """Show how each channel does, and the history of why; of NAME alone if given."""
    from ledger import channels as kept
    from ledger.engine import reading

    at = now()
    with books() as (engine, zone), reading(engine) as db:
        standings = kept.standings(db)
        history = kept.history(db, channel=name, limit=limit)
    settings = installation.find_without_redis(os.environ)
    names = [name] if name else sorted({*settings.sms, *standings})
    if name and name not in settings.sms and name not in standings:
        raise Unready(f"there is no channel {name}")
    for one in names:
        standing = standings.get(one, kept.Standing())
        does = f"share {standing.share}%"
        if standing.rests_until is not None and standing.rests_until > at:
            does = f"rests until {jalali(standing.rests_until, zone.key)}"
        if standing.alive_until is not None:
            does += ", bound" if standing.alive_until > at else ", asleep"
        click.echo(f"{one:<20} {does}  {standing.why}".rstrip())
    for change in history:
        click.echo(
            f"{jalali(change.at, zone.key)}  {change.channel:<20} {change.what:<8} "
            f"{change.share:>3}%  {change.why}"
        )


def _told(found: Trace, phone: str, zone: ZoneInfo) -> Iterator[str]:
    def when(at: object) -> str:
        return jalali(at, zone.key) if at is not None else "-"  # type: ignore[arg-type]  # a column's time

    kind = f"{found.kind}{', rehearsal' if found.test else ''}"
    yield f"text {found.id}: {found.state} since {when(found.changed_at)}"
    yield f"  {found.template} ({kind}) in {found.language} to {phone}"
    yield f"  promised {when(found.promised_at)}, expires {when(found.expires_at)}"
    if found.closed_at is not None:
        yield f"  closed {when(found.closed_at)}: {found.closed_why}"
    elif found.closed_why:
        yield f"  because: {found.closed_why}"
    for one in found.attempts:
        said = " ".join(word for word in (one.outcome or "open", one.detail) if word)
        cost = one.cost or (one.estimate and f"about {one.estimate}") or ""
        yield (
            f"  attempt {one.number}  {when(one.began_at)}  {one.carrier}  "
            f"{one.parts or '?'} part{'s' * (one.parts != 1)}  {said}  {cost}".rstrip()
        )
        for part in found.parts:
            if part.number == one.number:
                yield f"    part {part.part}/{part.total}  {part.outcome or 'open'}"
    for report in found.reports:
        of = f"part {report.part} " if report.part else ""
        yield f"  reported {when(report.at)}  {report.carrier}  {of}{report.status}"
