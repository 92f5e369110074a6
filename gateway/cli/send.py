"""Commands that send one text to many people."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from gateway.cli.operator import Moment, books, by, opened, read_moment
from gateway.faults import Unready
from gateway.service import now
from gateway.settings import Settings
from phone.dates import jalali

if TYPE_CHECKING:
    from gateway.bulk import Plan
    from ledger.bulks import Bulk
    from ledger.engine import Connection, Engine

WATCH_SECONDS = 1.0
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@click.group()
def send() -> None:
    """Send one text to many people who agreed to it."""


@send.command()
@click.argument("name")
@click.option("--text", "template", required=True, help="A campaign text of the menus.")
@click.option("--campaign", required=True, help="The campaign it is about.")
@click.option("--everyone-who-agreed", "everyone", is_flag=True, help="All of them.")
@click.option("--gave", is_flag=True, help="Who pledged to the campaign.")
@click.option("--signed-up", is_flag=True, help="Who signed up for the campaign.")
@click.option("--district", help="Who signed up from this district.")
@click.option("--at", "begins", type=Moment(), help="Not before; at once if none.")
@click.option(
    "--expires",
    "hours",
    type=click.IntRange(1, 720),
    default=72,
    show_default=True,
    help="Hours after which nobody gets it any more.",
)
@click.option(
    "--test", is_flag=True, help="To those of rehearsals, over test channels."
)
@by
def prepare(
    name: str,
    template: str,
    campaign: str,
    everyone: bool,
    gave: bool,
    signed_up: bool,
    district: str | None,
    begins: str | None,
    hours: int,
    test: bool,
    by: str,
) -> None:
    """Prepare the send NAME and show whom it reaches; nothing leaves yet."""
    from gateway.bulk import plan
    from ledger import bulks
    from ledger.audience import Audience, count
    from ledger.engine import reading, writing

    _named(name)
    if everyone == bool(gave or signed_up or district):
        raise Unready(
            "say whom it is for: --gave, --signed-up or --district, or else "
            "--everyone-who-agreed"
        )
    audience = Audience(campaign, test, gave, signed_up, district)
    at = now()
    with opened() as service:
        settings = service.settings
        zone = ZoneInfo(settings.time_zone)
        menus = service.library.current(None)
        with reading(service.engine, snapshot=True) as db:
            reached = count(db, audience)
        planned = plan(
            reached,
            menus=menus,
            template=template,
            audience=audience,
            routes=service.routes,
            at=at,
        )
        begins_at = read_moment(begins, at, zone) if begins else at
        with writing(service.engine) as db:
            made = bulks.prepare(
                db,
                name=name,
                template=template,
                # The prover lets no text for many have slots.
                slots={},
                menus=menus.hash,
                audience=audience,
                reached=reached,
                parts=planned.parts,
                cost=str(planned.cost or ""),
                approvals=_approvals(settings, reached.size),
                by=by,
                begins_at=begins_at,
                expires_at=max(begins_at, at) + timedelta(hours=hours),
                at=at,
            )
            lines = list(_told(db, made, zone))
    click.echo("\n".join([*lines, *_planned(planned)]))


@send.command()
@click.argument("name")
@by
def approve(name: str, by: str) -> None:
    """Agree to a send that somebody else prepared."""
    from ledger import bulks

    _act(bulks.approve, name, by, f"{by} approves {name}")


@send.command()
@click.argument("name")
@by
def start(name: str, by: str) -> None:
    """Let a prepared send begin."""
    from ledger import bulks

    _act(bulks.start, name, by, f"{name} has begun: yarigar send show {name} --watch")


@send.command()
@click.argument("name")
@by
def pause(name: str, by: str) -> None:
    """Let nothing more of a send leave until it goes on."""
    from ledger import bulks

    _act(bulks.pause, name, by, f"{name} is paused; what is with carriers arrives")


@send.command()
@click.argument("name")
@by
def resume(name: str, by: str) -> None:
    """Go on with a paused send."""
    from ledger import bulks

    _act(bulks.resume, name, by, f"{name} goes on")


@send.command()
@click.argument("name")
@by
def cancel(name: str, by: str) -> None:
    """Give a send up; what has not left is withdrawn."""
    from ledger import bulks

    _act(bulks.cancel, name, by, f"{name} is cancelled; what is with carriers arrives")


@send.command()
@click.argument("name")
@click.option("--watch", is_flag=True, help="Draw how it goes on, until it is over.")
def show(name: str, watch: bool) -> None:
    """Show a send: whom it reaches, what it costs, and how far it has come."""
    from ledger import bulks
    from ledger.engine import reading

    with books() as (engine, zone):
        with reading(engine) as db:
            lines = list(_told(db, bulks.named(db, name), zone))
        click.echo("\n".join(lines))
        if watch:
            _watch(engine, name)


@send.command(name="list")
def list_sends() -> None:
    """Name the sends, the latest first."""
    from ledger import bulks
    from ledger.engine import reading

    with books() as (engine, _), reading(engine) as db:
        for found in bulks.listed(db):
            click.echo(
                f"{found.name:<24} {found.state:<10} {found.promised}/{found.size}"
                f"  {found.template}  by {found.made_by}"
            )


def _act(act: Callable[..., Bulk], name: str, by: str, said: str) -> None:
    from ledger.engine import writing

    with books() as (engine, zone), writing(engine) as db:
        found = act(db, name, by=by, at=now())
        lines = list(_told(db, found, zone))
    click.echo("\n".join([*lines, said]))


def _named(name: str) -> None:
    if not NAME.fullmatch(name):
        raise Unready("a send's name is small letters, digits and -, at most 40")


def _approvals(settings: Settings, size: int) -> int:
    return settings.approvals if size > settings.send_alone_max else 1


def _told(db: Connection, found: Bulk, zone: ZoneInfo) -> Iterator[str]:
    """A send in lines, as every command shows it."""
    from ledger import bulks

    audience = found.audience
    asked = [
        *(["pledged"] if audience.gave else []),
        *(["signed up"] if audience.signed_up else []),
        *([f"district {audience.district}"] if audience.district else []),
    ]
    out = bulks.left_out(db, found)
    others = ", ".join(bulks.approved_by(db, found)) or "nobody yet"
    counts = bulks.progress(db, found)
    states = ", ".join(f"{state} {n}" for state, n in counts.items() if n) or "none"
    yield f"{found.name}: {found.state}{' (rehearsal)' if found.test else ''}"
    yield f"  text      {found.template}, about {found.campaign}"
    yield f"  for       {', '.join(asked) or 'everyone'}: who agreed"
    yield f"  people    {found.size}"
    yield (
        f"  left out  {out['no_consent']} without consent, {out['stopped']} stopped, "
        f"{out['erased']} erased"
    )
    yield f"  parts     {found.parts}"
    yield f"  cost      {found.cost or 'unknown: no channel has a price_per_part'}"
    first, last = jalali(found.at, zone.key), jalali(found.expires_at, zone.key)
    yield f"  from      {first} to {last}"
    yield f"  prepared  by {found.made_by}; approved by {others}"
    if found.approvals > 1:
        yield f"  needs     {found.approvals} people in all"
    yield f"  promised  {found.promised}"
    yield f"  texts     {states}"


def _planned(planned: Plan) -> Iterator[str]:
    for language, (parts, people) in planned.languages.items():
        yield f"  {language:<9} {people} people, {parts} part{'s' * (parts > 1)} each"
    if planned.seconds:
        minutes = max(1, round(planned.seconds / 60))
        spent = f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else None
        yield f"  takes     about {spent or f'{minutes} min'}, without the nights"


def _watch(engine: Engine, name: str) -> None:
    """Draw a bar of the texts that nothing more is to be done about."""
    from ledger import bulks
    from ledger.bulks import BulkState
    from ledger.engine import reading
    from ledger.outbox import State

    over = (BulkState.DONE, BulkState.CANCELLED)
    waiting = (State.QUEUED, State.SENDING)
    with reading(engine) as db:
        size = bulks.named(db, name).size
    with click.progressbar(length=size, label=name, file=sys.stderr) as bar:
        while True:
            with reading(engine) as db:
                found = bulks.named(db, name)
                counts = bulks.progress(db, found)
            left = sum(n for state, n in counts.items() if state not in waiting)
            bar.update(left - bar.pos)
            if found.state in over:
                break
            time.sleep(WATCH_SECONDS)
    states = ", ".join(f"{state} {n}" for state, n in counts.items() if n) or "none"
    click.echo(f"{found.name}: {found.state}: {states}")
