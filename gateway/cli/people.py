"""Commands about one person, and about the key that all phones are under."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import click

from gateway import erased, installation, keys
from gateway.cli.operator import by, one_line, opened
from gateway.faults import Unready
from gateway.service import now
from gateway.settings import Settings
from ledger import erasing, rotating
from ledger import people as persons
from ledger.codes import event_of
from ledger.engine import Connection, Engine, connect, reading, writing
from ledger.vault import Keys
from phone.codes import is_code
from phone.dates import jalali
from phone.numbers import NotAPhone, from_network, from_person, mask

CHANNEL = "desk"


@dataclass(frozen=True, slots=True)
class _Desk:
    settings: Settings
    engine: Engine
    keys: Keys


@click.group()
def people() -> None:
    """Look at what is known of a person, and forget one."""


phone_argument = click.argument("phone", required=False)
test = click.option("--test", is_flag=True, help="In the rehearsals' books.")
code_option = click.option("--code", help="Whose tracking code this is, instead.")


@people.command()
@phone_argument
@code_option
def show(phone: str | None, code: str | None) -> None:
    """Show what the books know of a person; the number masked.

    Without a PHONE and a code it asks for the number, which then stands in no
    history of the terminal.
    """
    with _desk() as desk, reading(desk.engine) as db:
        person_id = _find(db, desk, phone, code)
        found = persons.about(db, person_id=person_id)
        number = persons.phone_of(db, desk.keys, person_id=person_id)
    assert found is not None
    zone = desk.settings.time_zone
    click.echo(f"person {person_id}: {mask(number) if number else 'erased'}")
    click.echo(f"since {jalali(found.since, zone)}, language {found.language or '-'}")
    click.echo(f"{found.events} events, {found.texts} texts")
    click.echo(f"agreed to campaign texts: {'yes' if found.agreed else 'no'}")


@people.command()
@phone_argument
@code_option
@click.option("--yes", is_flag=True, help="Do not ask again.")
@by
def erase(phone: str | None, code: str | None, yes: bool, by: str) -> None:
    """Forget a person for ever; what happened stays, of nobody.

    Without a PHONE and a code it asks for the number, which then stands in no
    history of the terminal.
    """
    with _desk() as desk:
        with reading(desk.engine) as db:
            person_id = _find(db, desk, phone, code)
            number = persons.phone_of(db, desk.keys, person_id=person_id)
        if number is not None and not yes:
            click.confirm(
                f"Nothing brings {mask(number)} back. Erase them?", abort=True
            )
        with writing(desk.engine) as db:
            done = erasing.erase(
                db,
                desk.keys,
                person_id=person_id,
                key=f"people:{person_id}:erased",
                channel=CHANNEL,
                by=by,
                test=False,
                at=now(),
            )
        # Said before anything else can fail: it is done.
        if not done.first:
            click.echo(f"person {person_id} was erased before")
        else:
            click.echo(f"person {person_id} is erased; {done.texts} texts are not sent")
            click.echo("backups made before hold them still: see docs/privacy.md")
        erased.note(desk.engine, desk.settings.data_dir)


@people.command()
@click.option("--reason", required=True, help="Why, for who has to agree to it.")
@test
@by
def renumber(reason: str, test: bool, by: str) -> None:
    """Ask that a person's new number takes the place of the old one.

    For a SIM that is lost, at a centre: another person agrees with
    `yarigar requests approve`. It asks for both numbers, which then stand in no
    history of the terminal.
    """
    from gateway import approvals
    from ledger import renumbering

    why, at = one_line(reason), now()
    with opened() as service:
        region = service.settings.region
        old, new = (
            _mobile(click.prompt(f"{which} number", hide_input=True), region)
            for which in ("Old", "New")
        )
        with writing(service.engine) as db:
            person = persons.find(db, service.keys, old)
            if person is None or old == new:
                raise Unready("nobody with the old number is known, or both are one")
            there = persons.find(db, service.keys, new)
            if there and renumbering.has_facts(db, person_id=there.id):
                raise Unready("the new number has records of its own")
            change = renumbering.ask(
                db,
                service.keys,
                person_id=person.id,
                phone=new,
                way=renumbering.CENTRE,
                by=by,
                test=test,
                at=at,
            )
        made = approvals.ask(
            service,
            kind="renumber",
            body={"renumbering": change, "person": person.id},
            about_id=None,
            why=why,
            by=by,
            at=at,
        )
    waits = f"waits for {made.missing} more" if made.missing else f"is {made.state}"
    click.echo(f"person {person.id}: {mask(old)} becomes {mask(new)}")
    click.echo(f"request {made.id} {waits}")


@people.command()
def rotate() -> None:
    """Put everything under the new vault key, while the service runs.

    The settings have both: `vault_key` the new one, `vault_key_old` the one before.
    It can be broken off and begun again.
    """
    with (
        _desk() as desk,
        click.progressbar(length=1, label="rotate", file=sys.stderr) as bar,
    ):

        def show_progress(done: int, of: int) -> None:
            bar.length = max(of, 1)
            bar.update(done - bar.pos)

        done = rotating.rotate(desk.engine, desk.keys, progress=show_progress)
    click.echo(f"{done.changed} of {done.seen} values are under the new key now")
    click.echo("vault_key_old may go: from the settings first, then from every copy")


@contextmanager
def _desk() -> Iterator[_Desk]:
    settings = installation.find_without_redis(os.environ)
    engine = connect(settings.database_url, pool_size=1)
    try:
        yield _Desk(settings, engine, keys.check(engine, settings))
    finally:
        engine.dispose()


def _mobile(written: str, region: str) -> str:
    try:
        return from_person(written, region)
    except NotAPhone as refused:
        raise Unready(f"this is no mobile number: {refused}") from None


def _find(db: Connection, desk: _Desk, phone: str | None, code: str | None) -> int:
    """The person's id, by a number or a code; raises Unready without the number."""
    if code is not None:
        event_id = event_of(db, code) if is_code(code) else None
        person_id = (
            None if event_id is None else persons.of_event(db, event_id=event_id)
        )
        if person_id is None:
            raise Unready("no person has this code")
        return person_id
    written = phone if phone is not None else click.prompt("Phone", hide_input=True)
    try:
        number = from_network(written, desk.settings.region)
    except NotAPhone as refused:
        raise Unready(f"this is no phone number: {refused}") from None
    found = persons.find(db, desk.keys, number)
    if found is None:
        raise Unready("nobody with this number is known")
    return found.id
