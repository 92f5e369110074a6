"""Commands for what an assembly decides, and what became of it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import click

from gateway.cli.assembly_options import (
    CHANNEL,
    Day,
    acting,
    district,
    key_of,
    read_phone,
    say_first,
    say_none,
    test,
)
from gateway.cli.operator import ID, books, by, opened
from gateway.faults import Unready
from gateway.service import now
from phone.dates import jalali_day

if TYPE_CHECKING:
    from gateway.service import Service
    from ledger.assemblies.claims import Settled
    from ledger.assemblies.decisions import Decision
    from ledger.engine import Connection

KINDS = ("resolution", "study", "proposal")
LISTED_MAX = 500

number = click.argument("number", type=ID)
office = click.option("--owner", help="The office that sees to it: no person's name.")
phone = click.option("--phone", help="The mobile that answers for the office.")
due = click.option("--due", type=Day(), help="Until when; else three Jalali months.")


@click.command()
@district
@click.option("--title", required=True, help="At most 17 characters.")
@click.option("--kind", type=click.Choice(KINDS), default="resolution")
@click.option("--owner", required=True, help="The office that sees to it.")
@phone
@due
@test
@by
def decide(
    district: str,
    title: str,
    kind: str,
    owner: str,
    phone: str | None,
    due: date | None,
    test: bool,
    by: str,
) -> None:
    """Write down what the assembly of DISTRICT decided, under its next number."""
    from zoneinfo import ZoneInfo

    from ledger.assemblies import decisions
    from ledger.engine import writing

    at = now()
    with opened() as service, writing(service.engine) as db:
        zone = ZoneInfo(service.settings.time_zone)
        today = at.astimezone(zone).date()
        due_on = due or decisions.usual_day(at, zone)
        told = (district, title, kind, owner, due_on.isoformat(), today.isoformat())
        recorded, made = decisions.decide(
            db,
            key=key_of("decide", test, *told),
            district=district,
            title=title,
            kind=decisions.Kind(kind),
            owner=owner,
            owner_id=_owner(db, service, phone, district, owner, test=test, by=by),
            due_on=due_on,
            today=today,
            by=by,
            channel=CHANNEL,
            test=test,
            at=at,
        )
    say_first(recorded.first)
    click.echo(_decision_line(made, today))


@click.command()
@district
@number
@click.option("--kind", type=click.Choice(KINDS), help="What it is from now on.")
@office
@phone
@due
@test
@by
def change(
    district: str,
    number: int,
    kind: str | None,
    owner: str | None,
    phone: str | None,
    due: date | None,
    test: bool,
    by: str,
) -> None:
    """Give a decision another kind, day or office."""
    from zoneinfo import ZoneInfo

    from ledger.assemblies import decisions
    from ledger.engine import writing

    if phone is not None and owner is None:
        raise Unready("--phone is that of an office: say which with --owner")
    at = now()
    with opened() as service, writing(service.engine) as db:
        today = at.astimezone(ZoneInfo(service.settings.time_zone)).date()
        found = _decision(db, district, number, test)
        told = (found.event_id, kind, owner, due, at.isoformat())
        owner_id = None
        if owner is not None:
            owner_id = _owner(db, service, phone, district, owner, test=test, by=by)
        decisions.change(
            db,
            key=key_of("change", test, *told),
            decision=found,
            kind=decisions.Kind(kind) if kind else None,
            due_on=due,
            owner=owner,
            owner_id=owner_id,
            today=today,
            by=by,
            channel=CHANNEL,
            at=at,
        )
        click.echo(_decision_line(_decision(db, district, number, test), today))


@click.command()
@district
@number
@test
@by
def confirm(district: str, number: int, test: bool, by: str) -> None:
    """Say that a decision is done; its office and who comes to meetings are told."""
    from gateway.assemblies.telling import tell_done
    from ledger.assemblies import claims

    at = now()
    with acting() as (db, menus):
        found = _decision(db, district, number, test)
        settled = claims.confirm(
            db,
            key=f"decision:{found.event_id}:confirmed",
            decision=found,
            by=by,
            channel=CHANNEL,
            at=at,
        )
        first = _is_first(settled, number)
        told = tell_done(db, menus, found, channel=CHANNEL, at=at) if first else 0
    say_first(first)
    click.echo(f"{told} are told")


@click.command(name="send-back")
@district
@number
@test
@by
def send_back(district: str, number: int, test: bool, by: str) -> None:
    """Take what the office says of a decision for not yet true."""
    from ledger.assemblies import claims
    from ledger.engine import writing

    at = now()
    with books() as (engine, _), writing(engine) as db:
        found = _decision(db, district, number, test)
        settled = claims.send_back(
            db,
            key=key_of("send-back", test, found.event_id, found.claimed_at),
            decision=found,
            by=by,
            channel=CHANNEL,
            at=at,
        )
    say_first(_is_first(settled, number))


@click.command()
@district
@number
@test
@by
def drop(district: str, number: int, test: bool, by: str) -> None:
    """Give a decision up; its number stays."""
    from ledger.assemblies import decisions
    from ledger.engine import writing

    with books() as (engine, _), writing(engine) as db:
        found = _decision(db, district, number, test)
        recorded = decisions.drop(
            db,
            key=f"decision:{found.event_id}:dropped",
            decision=found,
            by=by,
            channel=CHANNEL,
            at=now(),
        )
    say_first(recorded.first)


@click.command(name="decisions")
@district
@test
def list_decisions(district: str, test: bool) -> None:
    """List the decisions of DISTRICT, the newest first."""
    from ledger.assemblies.decisions import listed
    from ledger.engine import reading

    with books() as (engine, zone), reading(engine) as db:
        today = now().astimezone(zone).date()
        found = listed(db, district=district, test=test, limit=LISTED_MAX)
        for one in found:
            click.echo(_decision_line(one, today))
    say_none(found)


@click.command()
@district
@number
@test
def show(district: str, number: int, test: bool) -> None:
    """Show a decision and all that happened to it."""
    from gateway.assemblies.words import story_lines
    from ledger.assemblies.decisions import story
    from ledger.engine import reading

    with books() as (engine, zone), reading(engine) as db:
        found = _decision(db, district, number, test)
        click.echo(_decision_line(found, now().astimezone(zone).date()))
        for line in story_lines(story(db, found), zone.key):
            click.echo(line)


def _decision(db: Connection, district: str, number: int, test: bool) -> Decision:
    from ledger.assemblies.decisions import decision_of

    found = decision_of(db, district=district, number=number, test=test)
    if found is None:
        raise Unready(f"{district} has no decision {number}")
    return found


def _is_first(settled: Settled, number: int) -> bool:
    """Whether a word on a decision is new; raises Unready for one that is closed."""
    if settled.recorded is None:
        raise Unready(f"decision {number} is closed already")
    return settled.recorded.first


def _owner(
    db: Connection,
    service: Service,
    phone: str | None,
    district: str,
    owner: str,
    *,
    test: bool,
    by: str,
) -> int | None:
    """Register the phone that answers for an office, and whose it is."""
    from ledger import staff
    from ledger.assemblies.limits import OFFICE_CHARS_MAX, check_words

    if phone is None:
        return None
    title = check_words("name of an office", owner, OFFICE_CHARS_MAX)
    added = staff.add(
        db,
        service.keys,
        phone=read_phone("--phone", phone, service),
        role=staff.Role.OWNER,
        place=district,
        title=title,
        by=by,
        test=test,
        at=now(),
    )
    return added.member.person_id


def _decision_line(one: Decision, today: date) -> str:
    return (
        f"decision {one.number}: {one.title}  {one.kind}, {one.shown(today)}, due "
        f"{jalali_day(one.due_on)}, {one.owner}{'' if one.owner_id else ' (no phone)'}"
    )


DECIDING = (decide, change, confirm, send_back, drop, list_decisions, show)
