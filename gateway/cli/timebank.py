"""Commands of the time bank: what waits, who was introduced, hours, reciprocity."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from gateway.cli.operator import ID, books, by, one_line, opened, place_of
from gateway.faults import Unready
from gateway.service import now
from phone.codes import NotACode, read_code
from phone.dates import jalali

if TYPE_CHECKING:
    from ledger.timebank.introductions import Introduction
    from ledger.timebank.reciprocity import Reciprocity

HOURS = click.IntRange(1, 8)
# What waits for whom.
WAITING = ("accepted", "introduced", "told", "disputed")

test = click.option("--test", is_flag=True, help="In the rehearsals' books.")
code = click.argument("code")


@click.group()
def timebank() -> None:
    """See to hours that people give each other."""


@timebank.command(name="list")
@click.option("--state", type=click.Choice(["asked", *WAITING]), help="Of one state.")
@click.option("--centre", help="Of one centre, by its code.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@test
def list_introductions(
    state: str | None, centre: str | None, limit: int, test: bool
) -> None:
    """List who is to be introduced or waits for a word, the oldest first."""
    from ledger.engine import reading
    from ledger.places.stored import read_tree
    from ledger.timebank import hours, introductions

    states = (state,) if state else WAITING
    with books() as (engine, zone), reading(engine, snapshot=True) as db:
        at = None if centre is None else place_of(read_tree(db), centre).code
        found = introductions.at_place(
            db,
            *states,
            places=None if at is None else [at],
            test=test,
            limit=limit,
        )
        for one in found:
            of = hours.code_of(db, one)
            click.echo(
                f"{one.id:>7}  {jalali(one.changed_at, zone.key)}  {_line(one, of)}"
            )
    if not found:
        click.echo("nothing waits")


@timebank.command()
@click.argument("introduction_id", metavar="ID", type=ID)
@by
def introduced(introduction_id: int, by: str) -> None:
    """Note that a centre brought the two of an introduction together."""
    from ledger.engine import writing
    from ledger.timebank import introductions

    with books() as (engine, _), writing(engine) as db:
        step = introductions.make(
            db,
            key=f"introduction.made:{introduction_id}",
            introduction_id=introduction_id,
            by=by,
            channel="operator",
            at=now(),
        )
    if step.is_late:
        raise Unready(f"{introduction_id} is no introduction that was agreed to")
    click.echo(f"introduction {introduction_id} is made")


@timebank.command()
@click.argument("introduction_id", metavar="ID", type=ID)
@by
def withdraw(introduction_id: int, by: str) -> None:
    """Undo an introduction of which no hours were told: both are looked for anew, and
    told so."""
    from gateway.timebank.calling_off import tell_both
    from ledger.engine import writing
    from ledger.timebank import introductions

    with opened() as service:
        menus, at = service.library.current(None), now()
        with writing(service.engine) as db:
            step = introductions.withdraw(
                db,
                key=f"introduction.withdrawn:{introduction_id}",
                introduction_id=introduction_id,
                by=by,
                channel="operator",
                at=at,
            )
            tell_both(db, menus, step, channel="operator", at=at)
    if step.is_late:
        raise Unready(f"{introduction_id} is no introduction that can be undone")
    click.echo(f"introduction {introduction_id} is withdrawn")


@timebank.command()
@code
@click.argument("act", type=click.Choice(["post", "void", "reverse"]))
@click.option("--reason", required=True, help="Why: no names, no numbers.")
@by
def settle(code: str, act: str, reason: str, by: str) -> None:
    """Ask that hours be posted, made void, or taken back, by their CODE.

    Where `approvals` is more than one, others have to agree: see `yarigar requests`.
    """
    from gateway import approvals
    from ledger.engine import reading
    from ledger.timebank import hours

    why, code = one_line(reason), _code(code)
    with opened() as service:
        with reading(service.engine) as db:
            one = hours.introduction_of(db, code)
        if one is None:
            raise Unready(f"{code} is no code of hours")
        asked = approvals.ask(
            service,
            kind="hours",
            body={"do": act, "code": code},
            about_id=one.hours_id,
            why=why,
            by=by,
            at=now(),
        )
    more = f": {asked.missing} more have to agree" if asked.missing else ""
    click.echo(f"request {asked.id} is {asked.state}{more}")


@timebank.command()
@code
@click.option("--hours", type=HOURS, required=True, help="How many.")
@click.option("--of", required=True, help="A centre or a campaign: whose community.")
@by
def grant(code: str, hours: int, of: str, by: str) -> None:
    """Spend the community's hours on who wrote the offer or the need CODE."""
    from gateway.rules import hours_of
    from ledger.engine import writing
    from ledger.timebank import community, favours
    from ledger.timebank.standing import HOUR

    at = now()
    with opened() as service, writing(service.engine) as db:
        one = favours.by_code(db, _code(code))
        if one is None:
            raise Unready(f"{code} is no code of an offer or a need")
        day = at.date().isoformat()
        told = "\x1f".join((one.code, str(hours), of, day))
        first = community.grant(
            db,
            key=f"hours.granted:{hashlib.sha256(told.encode()).hexdigest()}",
            person_id=one.person_id,
            of=of,
            minutes=hours * HOUR,
            by=by,
            limits=hours_of(service.settings),
            campaign=one.campaign,
            district=None,
            centre=None,
            test=one.test,
            at=at,
        )
        left = community.balance(db, of=of, test=one.test) // HOUR
    if not first:
        click.echo("this was written down before, today")
    click.echo(f"the community of {of} has {left} hours left")


@timebank.command()
@click.option("--centre", help="Of one centre alone, by its code.")
@test
def report(centre: str | None, test: bool) -> None:
    """What each centre's people gave and received, and how long they waited.

    A figure of fewer than five people is shown as a dash.
    """
    from gateway.timebank.whereabouts import centre_of
    from ledger.engine import reading
    from ledger.places.stored import read_tree
    from ledger.timebank.reciprocity import reciprocity

    with books() as (engine, _), reading(engine, snapshot=True) as db:
        tree = read_tree(db)
        only = None if centre is None else place_of(tree, centre).code

        def counted(place: str | None) -> str:
            found = centre_of(tree, place)
            return found.code if found is not None else place or "unknown"

        found = reciprocity(db, centre_of=counted, test=test)
    shown = [one for one in found if only in (None, one.place)]
    click.echo("\n".join(_table(shown)) if shown else "nothing is given yet")


def _line(one: Introduction, hours_code: str) -> str:
    return (
        f"{one.state:<10}  {one.place or '-':<10}  {one.minutes // 60} h "
        f"{one.kind}  need {one.need_code}{f'  hours {hours_code}' * bool(hours_code)}"
    )


def _table(found: list[Reciprocity]) -> Iterator[str]:
    yield f"{'centre':<16}  {'given':>6}  {'received':>8}  {'open':>6}  {'wait':>6}"
    for one in found:
        cells = (one.given_hours, one.received_hours, one.open_needs, one.wait_days)
        given, received, needs, wait = ("-" if c is None else str(c) for c in cells)
        yield f"{one.place:<16}  {given:>6}  {received:>8}  {needs:>6}  {wait:>6}"


def _code(typed: str) -> str:
    try:
        return read_code(typed)
    except NotACode as refused:
        raise Unready(f"{typed!r} is no tracking code: {refused}") from None
