"""Commands for volunteers: booths, lists on paper, and what is handed over."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.operator import (
    ID,
    books,
    by,
    insist_on_campaign,
    opened,
    place_of,
)
from gateway.faults import Unready
from gateway.service import now
from phone.dates import NotADay, day_start, read_day

if TYPE_CHECKING:
    from gateway.service import Service

CAMPAIGN = "salam-mahalle"
# How the lists between two rounds are asked for.
BETWEEN = "between"
ROUND_SHOWN_MAX = 40
ROUNDS_SHOWN_MAX = 5

campaign = click.option("--campaign", default=CAMPAIGN, show_default=True)
test = click.option("--test", is_flag=True, help="In the rehearsals' books.")


@click.group()
def volunteers() -> None:
    """Count booths, bring lists on paper in, hand volunteers over."""


@volunteers.command()
@campaign
@test
def booths(campaign: str, test: bool) -> None:
    """Count sign-ups and entries by booth; no names, and nobody's number."""
    from ledger.booths import counts
    from ledger.engine import reading

    with books() as (engine, zone):
        insist_on_campaign(engine, zone.key, campaign)
        with reading(engine) as db:
            found = counts(db, campaign=campaign, test=test)
    for one in found:
        click.echo(
            f"{one.booth}: {one.signed_up} signed up,"
            f" {one.waiting} written down and not answered"
        )
    if not found:
        click.echo("nothing came from a booth yet")


@volunteers.command(name="import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--batch", required=True, help="What this list is called: a-z, 0-9, -.")
@click.option("--place", help="The place of lines that have none.")
@click.option("--yes", is_flag=True, help="Do it; without, only say what it would do.")
@campaign
@test
@by
def bring_in(
    file: Path,
    batch: str,
    place: str | None,
    yes: bool,
    campaign: str,
    test: bool,
    by: str,
) -> None:
    """Bring a list on paper in: phone,skill,time,place. Each phone is asked first.

    Without --yes nothing is written. The same batch again enters only what is new.
    """
    from gateway import paper

    try:
        with file.open("rb") as opened_file:
            raw = opened_file.read(paper.BYTES_MAX + 1)
    except OSError as failure:
        raise Unready(f"{file} cannot be read: {failure.strerror}") from None
    with opened() as service:
        menus, tree = service.library.current(None), service.places.current()
        if campaign not in menus.campaigns:
            raise Unready(f"there is no campaign {campaign!r}")
        region = service.settings.region
        if place is not None:
            place = place_of(tree, place).code
        lines = paper.read_list(raw, menus, tree, place=place, region=region)
        about = paper.Batch(batch, campaign, menus, tree, test)
        told = paper.look_at(service.engine, service.keys, lines, about)
        click.echo("\n".join(told))
        if not yes:
            click.echo("nothing is written yet: say --yes to do it")
            return
        made = paper.bring_in(
            service.engine, service.keys, lines, about, by=by, at=now()
        )
    click.echo(f"{made} entries; their phones are asked, some a minute, by day")


@volunteers.command(name="hand-over")
@click.option("--round", "round_id", required=True, help="As 1405-09-01, or between.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option("--centre", help="The list of this centre alone, by its code.")
@click.option("--request", type=ID, help="The request that lets numbers out in full.")
@campaign
@by
def hand_over(
    round_id: str,
    out: Path,
    centre: str | None,
    request: int | None,
    campaign: str,
    by: str,
) -> None:
    """Write a list for each centre into a folder; the lists sum to the total.

    Numbers are masked. In full they need a request that others agreed to:
    `yarigar ledger export people --in-full --campaign ... --reason ...`.
    """
    from gateway.exporting import NotPermitted, Wanted, let_out, permitted
    from ledger.export import Selection
    from ledger.export.hand_over import TOTALS, hand_over

    if (out / TOTALS).exists():
        # A list that is not written again would stand among those of today.
        raise Unready(f"{out} holds lists already: name another folder")
    with opened() as service:
        zone = service.settings.time_zone
        if centre is not None:
            centre = place_of(service.places.current(), centre).code
        insist_on_campaign(service.engine, zone, campaign)
        if round_id != BETWEEN:
            _insist_on_round(service, campaign, round_id, now())
        wanted = Wanted("people", Selection(zone, campaign=campaign))
        if request is not None:
            wanted = permitted(
                service.engine, "people", request, time_zone=zone, at=now()
            )
            if not wanted.in_full or wanted.selection.campaign not in (None, campaign):
                raise NotPermitted(f"request {request} is for other numbers")
        let_out(service.engine, wanted, form="hand-over", by=by, at=now())
        try:
            done = hand_over(
                service.engine,
                service.keys,
                out,
                campaign=campaign,
                round_id="" if round_id == BETWEEN else round_id,
                centre=centre,
                in_full=wanted.in_full,
            )
        except OSError as failure:
            raise Unready(f"{out} cannot be written: {failure.strerror}") from None
    for name, number in sorted(done.lists.items()):
        click.echo(f"{name}: {number}")
    click.echo(f"{done.total} volunteers in {len(done.lists)} lists")


def _insist_on_round(
    service: Service, campaign: str, round_id: str, at: datetime
) -> None:
    """Raise Unready for a round that nobody signed up in and that never began."""
    from ledger import campaigns
    from ledger.engine import reading

    with reading(service.engine) as db:
        had = campaigns.rounds(db, campaign)
    if round_id in had or _has_begun(service, campaign, round_id, at):
        return
    last = ", ".join(sorted(had, reverse=True)[:ROUNDS_SHOWN_MAX]) or "none yet"
    raise Unready(
        f"{campaign} had no round {round_id[:ROUND_SHOWN_MAX]!r}; write it as"
        f" 1405-09-01, or {BETWEEN}; somebody signed up in: {last}"
    )


def _has_begun(service: Service, campaign: str, round_id: str, at: datetime) -> bool:
    """Whether the menus have that round, by the day in its name, and it began."""
    listed = service.library.current(None).campaigns.get(campaign)
    if listed is None:
        return False
    try:
        day = read_day(round_id.removeprefix("to-"))
    except NotADay:
        return False
    found = listed.window.round(day_start(day, listed.window.time_zone))
    if found is None or found.id != round_id:
        return False
    return found.opens is None or found.opens <= at
