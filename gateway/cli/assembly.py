"""Commands for benefactors' assemblies: meetings, decisions, premises, the board."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gateway.cli.assembly_decisions import DECIDING
from gateway.cli.assembly_options import (
    CHANNEL,
    acting,
    district,
    key_of,
    read_phone,
    say_first,
    say_none,
    test,
)
from gateway.cli.operator import ID, Moment, books, by, opened, read_moment
from gateway.faults import Unready
from gateway.service import now
from phone.dates import jalali

if TYPE_CHECKING:
    from gateway.service import Service
    from ledger.assemblies.meetings import Meeting
    from ledger.engine import Connection

LISTED_MAX = 500


@click.group()
def assembly() -> None:
    """Keep the meetings, decisions and premises of benefactors' assemblies."""


@assembly.command()
@test
def board(test: bool) -> None:
    """Show the assemblies of all districts, and their sum."""
    from gateway.assemblies.words import board_lines
    from ledger.assemblies.board import board
    from ledger.engine import reading

    with books() as (engine, zone), reading(engine, snapshot=True) as db:
        found = board(db, today=now().astimezone(zone).date(), test=test)
    click.echo("\n".join(board_lines(found)))


@assembly.command()
@district
@click.option("--at", "moment", type=Moment(), required=True, help="Day and hour.")
@click.option("--venue", required=True, help="Where: at most 16 characters.")
@test
@by
def meeting(district: str, moment: str, venue: str, test: bool, by: str) -> None:
    """Plan a meeting in DISTRICT; its benefactors are asked by text."""
    from ledger.assemblies.meetings import called_off, plan
    from ledger.engine import writing

    at = now()
    with books() as (engine, zone):
        meets_at = read_moment(moment, at, zone)
        with writing(engine) as db:
            # An hour whose meeting was called off is free again.
            off = called_off(db, district=district, meets_at=meets_at, test=test)
            told = (district, meets_at.isoformat(), *([off] if off else []))
            recorded, made = plan(
                db,
                key=key_of("meeting", test, *told),
                district=district,
                meets_at=meets_at,
                venue=venue,
                by=by,
                channel=CHANNEL,
                test=test,
                at=at,
            )
        say_first(recorded.first)
        click.echo(_meeting_line(made, zone.key))


@assembly.command()
@click.argument("meeting_id", metavar="MEETING", type=ID)
@click.option(
    "--came", type=click.IntRange(0, 1000), required=True, help="How many came."
)
@click.option("--present", multiple=True, help="The mobile of one who came.")
@by
def held(meeting_id: int, came: int, present: tuple[str, ...], by: str) -> None:
    """Note that MEETING was held, and how many came."""
    from ledger.assemblies import invitations, meetings
    from ledger.engine import writing

    if len(present) > came:
        raise Unready("more people are named than came")
    at = now()
    with opened() as service, writing(service.engine) as db:
        recorded = meetings.hold(
            db,
            key=f"meeting:{meeting_id}:held",
            meeting_id=meeting_id,
            came=came,
            by=by,
            channel=CHANNEL,
            at=at,
        )
        for one in present if recorded.first else ():
            person_id = _known(db, service, one)
            invitations.mark_came(db, meeting_id=meeting_id, person_id=person_id, at=at)
    say_first(recorded.first)


@assembly.command()
@click.argument("meeting_id", metavar="MEETING", type=ID)
@by
def cancel(meeting_id: int, by: str) -> None:
    """Call MEETING off, and say so to who wanted to come."""
    from gateway.assemblies.telling import tell_off
    from ledger.assemblies import meetings

    at = now()
    with acting() as (db, menus):
        recorded = meetings.cancel(
            db,
            key=f"meeting:{meeting_id}:cancelled",
            meeting_id=meeting_id,
            by=by,
            channel=CHANNEL,
            at=at,
        )
        found = meetings.meeting_of(db, meeting_id)
        told = 0
        if found is not None and menus is not None:
            told = tell_off(db, menus, found, channel=CHANNEL, at=at)
    say_first(recorded.first)
    click.echo(f"{told} are told")


@assembly.command()
@district
@test
def meetings(district: str, test: bool) -> None:
    """List the meetings of DISTRICT, the latest first, with who comes."""
    from ledger.assemblies.invitations import attendance_of
    from ledger.assemblies.meetings import listed
    from ledger.engine import reading

    with books() as (engine, zone), reading(engine, snapshot=True) as db:
        found = listed(db, district=district, test=test)
        for one in found:
            counts = attendance_of(db, meeting_id=one.event_id)
            click.echo(
                f"{_meeting_line(one, zone.key)}  asked {counts.asked}, yes "
                f"{counts.yes}, no {counts.no}, came {counts.came}"
            )
    say_none(found)


@assembly.command()
@district
@test
def benefactors(district: str, test: bool) -> None:
    """List who helps in DISTRICT: with what, how much, for how many."""
    from gateway.assemblies.words import benefactor_line
    from ledger.assemblies.benefactors import listed
    from ledger.engine import reading

    with opened() as service, reading(service.engine) as db:
        found = listed(db, district=district, test=test)
        for one in found:
            click.echo(benefactor_line(db, service.keys, one))
    say_none(found)


@assembly.command()
@district
@test
def premises(district: str, test: bool) -> None:
    """List what is offered and asked for in DISTRICT, and what fits."""
    from ledger.assemblies import premises as rooms
    from ledger.engine import reading

    with books() as (engine, _), reading(engine) as db:
        found = rooms.listed(db, district=district, test=test, limit=LISTED_MAX)
        for one in found:
            click.echo(
                f"{one.event_id:>6}  {one.side:<5}  {one.kind}, {one.square_metres} m2"
            )
        for fit in rooms.matches(db, districts=[district], test=test, limit=50):
            click.echo(f"offer {fit.offer.event_id} fits need {fit.need.event_id}")
    say_none(found)


@assembly.command()
@click.argument("offer", type=ID)
@click.argument("need", type=ID)
@by
def match(offer: int, need: int, by: str) -> None:
    """Bring OFFER and NEED together: both sides are told to call the organiser."""
    from gateway.assemblies.telling import tell_match
    from ledger.assemblies import premises as rooms

    at = now()
    with acting() as (db, menus):
        found = rooms.match(
            db,
            key=f"premises:{need}:met",
            offer_id=offer,
            need_id=need,
            by=by,
            channel=CHANNEL,
            at=at,
        )
        tell_match(db, menus, found, channel=CHANNEL, at=at)
    click.echo(f"offer {offer} and need {need} are brought together")


def _known(db: Connection, service: Service, phone: str) -> int:
    """Whose mobile it is; a stranger to the books cannot have been asked."""
    from ledger import people

    found = people.find(db, service.keys, read_phone("--present", phone, service))
    if found is None:
        raise Unready("--present: the books know nobody with that number")
    return found.id


def _meeting_line(one: Meeting, zone: str) -> str:
    when = jalali(one.meets_at, zone)
    return f"meeting {one.event_id}: {when}  {one.venue}  {one.state}"


for command in DECIDING:
    assembly.add_command(command)
