"""Commands for what centres need people for."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from gateway.cli.operator import (
    ID,
    PHONE_DIGITS,
    Moment,
    by,
    opened,
    place_of,
    read_moment,
)
from gateway.faults import Unready
from gateway.service import now
from phone.dates import jalali
from phone.private import long_digits

if TYPE_CHECKING:
    from ledger.needs import Need
    from ussd.menus import Menus

TITLE_CHARS_MAX = 40
VACANCIES_MAX = 500
DAYS_AHEAD_MAX = 366
SKILLS = "skills"

test = click.option("--test", is_flag=True, help="In the rehearsals' books.")
number = click.argument("number", type=ID)


@click.group()
def needs() -> None:
    """Say what people are needed for; they are invited by themselves."""


@needs.command()
@click.argument("campaign")
@click.option("--place", required=True, help="The code of the place, as `c1234`.")
@click.option("--title", required=True, help="What for, without a name.")
@click.option("--skill", required=True, help="A value of the list `skills`.")
@click.option(
    "--people",
    type=click.IntRange(1, VACANCIES_MAX),
    required=True,
    help="How many have to come.",
)
@click.option(
    "--urgency",
    type=click.IntRange(1, 5),
    default=3,
    show_default=True,
    help="5 is asked for first.",
)
@click.option(
    "--when", type=Moment(), required=True, help="When they meet: '1405/09/15 10:00'."
)
@test
@by
def add(
    campaign: str,
    place: str,
    title: str,
    skill: str,
    people: int,
    urgency: int,
    when: str,
    test: bool,
    by: str,
) -> None:
    """Write down what a place needs people of CAMPAIGN for."""
    from ledger.engine import writing
    from ledger.needs import raise_need
    from ledger.places.kinds import Kind

    words, at = _title(title), now()
    with opened() as service:
        zone = ZoneInfo(service.settings.time_zone)
        meets_at = _meets_at(when, at, zone)
        menus, tree = service.library.current(None), service.places.current()
        _is_in_menus(menus, campaign, skill)
        place = place_of(tree, place).code
        district = tree.above(place, Kind.DISTRICT)
        centre = tree.above(place, Kind.CENTRE)
        told = (campaign, place, words, skill, people, urgency, meets_at, test)
        digest = hashlib.sha256("\x1f".join(map(str, told)).encode()).hexdigest()
        with writing(service.engine) as db:
            recorded = raise_need(
                db,
                key=f"need:{digest}",
                campaign=campaign,
                place=place,
                title=words,
                skill=skill,
                vacancies=people,
                urgency=urgency,
                meets_at=meets_at,
                district=district.code if district else None,
                centre=centre.code if centre else None,
                by=by,
                test=test,
                at=at,
            )
    if not recorded.first:
        click.echo("this was written down before")
    click.echo(f"need {recorded.event_id}: {people} for {words} at {place}")


@needs.command(name="list")
@click.option("--place", help="Of this place and what lies in it.")
@click.option("--all", "all_of_them", is_flag=True, help="Those that are over too.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@test
def list_needs(place: str | None, all_of_them: bool, limit: int, test: bool) -> None:
    """Show needs, and how far their invitations have come."""
    from ledger.engine import reading
    from ledger.needs import counts, listed

    with opened() as service:
        zone, tree = service.settings.time_zone, service.places.current()
        places = None
        if place is not None:
            place = place_of(tree, place).code
            places = [place, *(one.code for one in tree.under(place))]
        with reading(service.engine, snapshot=True) as db:
            found = listed(
                db, test=test, places=places, live=not all_of_them, limit=limit
            )
            invited = counts(db, need_ids=[one.id for one in found])
    for one in found:
        click.echo(_line(one, zone, invited[one.id]))
    if not found:
        click.echo("nobody is needed")


@needs.command()
@number
@by
def close(number: int, by: str) -> None:
    """Ask nobody more for the need NUMBER; who said yes still comes."""
    from ledger.engine import writing
    from ledger.needs import close

    with opened() as service, writing(service.engine) as db:
        close(db, need_id=number, by=by, at=now())
    click.echo(f"need {number} is closed")


@needs.command()
@number
@by
def cancel(number: int, by: str) -> None:
    """Call the need NUMBER off; who said yes is told by text."""
    from ledger.engine import writing
    from ledger.needs import cancel

    with opened() as service, writing(service.engine) as db:
        cancel(db, need_id=number, by=by, at=now())
    click.echo(f"need {number} is cancelled")


def _line(need: Need, zone: str, invited: dict[str, int]) -> str:
    told = ", ".join(f"{number} {state}" for state, number in sorted(invited.items()))
    return (
        f"{need.id}  {need.state:9}  {jalali(need.meets_at, zone)}  {need.place}  "
        f"{invited.get('yes', 0)} of {need.vacancies} for {need.title} "
        f"({need.skill}, urgency {need.urgency}, wave {need.wave}): "
        f"{told or 'nobody asked yet'}"
    )


def _meets_at(when: str, at: datetime, zone: ZoneInfo) -> datetime:
    meets_at = read_moment(when, at, zone)
    if meets_at <= at:
        raise Unready("--when is over already")
    if (meets_at - at).days > DAYS_AHEAD_MAX:
        raise Unready("--when is more than a year away")
    return meets_at


def _is_in_menus(menus: Menus, campaign: str, skill: str) -> None:
    if campaign not in menus.campaigns:
        known = ", ".join(menus.campaigns)
        raise Unready(f"there is no campaign {campaign!r}: there are {known}")
    skills = [value for value, _ in menus.lists.get(SKILLS, ())]
    if skill not in skills:
        raise Unready(f"there is no skill {skill!r}: there are {', '.join(skills)}")


def _title(written: str) -> str:
    words = " ".join(written.split())
    if not 0 < len(words) <= TITLE_CHARS_MAX or not words.isprintable():
        raise Unready(f"--title is a line of 1 to {TITLE_CHARS_MAX} characters")
    if long_digits(words, PHONE_DIGITS):
        raise Unready("--title stays in the books: no phone or card number in it")
    return words
