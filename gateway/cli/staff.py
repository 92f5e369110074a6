"""Commands for the phones of centres, helpers, secretaries and owners."""

from __future__ import annotations

import click

from gateway.cli.operator import ID, PHONE_DIGITS, by, opened, place_of
from gateway.faults import Unready
from gateway.service import now
from phone.numbers import NotAPhone, from_person, is_mobile
from phone.private import long_digits

ROLES = ("centre", "helper", "secretary", "owner")
TITLE_CHARS_MAX = 40

test = click.option("--test", is_flag=True, help="In the rehearsals' books.")


@click.group()
def staff() -> None:
    """Register the phones of centres and of whoever works there."""


@staff.command()
@click.argument("phone")
@click.option("--role", type=click.Choice(ROLES), required=True, help="As what.")
@click.option("--place", required=True, help="The code of the place, as `c1234`.")
@click.option("--title", required=True, help="The office, and nobody's name.")
@test
@by
def add(phone: str, role: str, place: str, title: str, test: bool, by: str) -> None:
    """Register PHONE, as `09121234567`, for a place and all that lies in it."""
    from ledger.engine import writing
    from ledger.staff import Role, add

    words = _title(title)
    with opened() as service:
        try:
            number = from_person(phone, service.settings.region)
        except NotAPhone as refused:
            raise Unready(f"that is no phone number: {refused}") from None
        if not is_mobile(number):
            raise Unready("that is no mobile phone: it could read no text")
        place = place_of(service.places.current(), place).code
        with writing(service.engine) as db:
            done = add(
                db,
                service.keys,
                phone=number,
                role=Role(role),
                place=place,
                title=words,
                by=by,
                test=test,
                at=now(),
            )
    if not done.first:
        click.echo("this phone was registered there before")
    click.echo(f"staff {done.member.id}: {role} at {place}, {done.member.title}")


@staff.command(name="list")
@click.option("--role", type=click.Choice(ROLES), help="Of these alone.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@test
def list_staff(role: str | None, limit: int, test: bool) -> None:
    """Show who is registered now; of a number the last four digits."""
    from ledger.engine import reading
    from ledger.people import phones_of
    from ledger.staff import Role, listed
    from phone.numbers import mask

    with opened() as service, reading(service.engine) as db:
        found = listed(db, test=test, role=Role(role) if role else None, limit=limit)
        known: dict[int, str] = {}
        for first in range(0, len(found), 500):
            some = [one.person_id for one in found[first : first + 500]]
            known |= phones_of(db, service.keys, person_ids=some)
    for one in found:
        number = mask(known[one.person_id]) if one.person_id in known else "***"
        click.echo(f"{one.id}  {one.role:9}  {one.place:16}  {number}  {one.title}")
    if not found:
        click.echo("nobody is registered")


@staff.command()
@click.argument("number", type=ID)
@by
def end(number: int, by: str) -> None:
    """End the role NUMBER, as `yarigar staff list` shows it."""
    from ledger.engine import writing
    from ledger.staff import end

    with opened() as service, writing(service.engine) as db:
        ended = end(db, staff_id=number, by=by, at=now())
    if ended is None:
        raise Unready(f"there is no role {number} any more")
    click.echo(f"staff {number} ended: {ended.role} at {ended.place}")


def _title(written: str) -> str:
    words = " ".join(written.split())
    if not 0 < len(words) <= TITLE_CHARS_MAX or not words.isprintable():
        raise Unready(f"--title is a line of 1 to {TITLE_CHARS_MAX} characters")
    if long_digits(words, PHONE_DIGITS):
        raise Unready("--title stays in the books: no phone or card number in it")
    return words
