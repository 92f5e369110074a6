"""What the commands of assemblies share: districts, days, keys, the menus in force."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.operator import opened
from gateway.faults import Unready
from phone.dates import NotADay, read_day
from phone.digits import fold_digits

if TYPE_CHECKING:
    from gateway.service import Service
    from ledger.engine import Connection
    from ussd.menus import Menus

# An operator's acts come over it.
CHANNEL = "operator"


class District(click.ParamType[str]):
    """A district by its number or its place's code, as the place's code."""

    name = "district"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        from ledger.assemblies.districts import DISTRICTS, code_of, number_of

        typed = fold_digits(str(value)).strip()
        bare = len(typed) <= 2 and typed.isascii() and typed.isdecimal()
        number = int(typed) if bare else number_of(typed)
        if not 1 <= number <= DISTRICTS:
            self.fail(f"a district is a number from 1 to {DISTRICTS}", param, ctx)
        return code_of(number)


class Day(click.ParamType[date]):
    """A day: Jalali if its year is below 1700."""

    name = "day"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> date:
        if isinstance(value, date):
            return value
        try:
            return read_day(str(value))
        except NotADay as refused:
            self.fail(str(refused), param, ctx)


district = click.argument("district", type=District())
test = click.option("--test", is_flag=True, help="In the rehearsals' books.")


@contextmanager
def acting() -> Iterator[tuple[Connection, Menus | None]]:
    """The books and the menus, for an act that people are told of at once."""
    from ledger.engine import writing

    with opened() as service:
        menus = menus_of(service)
        with writing(service.engine) as db:
            yield db, menus
        service.wake()


def read_phone(option: str, written: str, service: Service) -> str:
    """Read a mobile that an option names; raises Unready without the number."""
    from phone.numbers import NotAPhone, from_person

    try:
        return from_person(written, service.settings.region)
    except NotAPhone as refused:
        raise Unready(f"{option}: {refused}") from None


def menus_of(service: Service) -> Menus | None:
    """The menus in force, for the words of texts; None without any."""
    from gateway.library import NoMenus

    try:
        return service.library.current(None)
    except NoMenus:
        return None


def key_of(act: str, test: bool, *told: object) -> str:
    """The key of an act: what it is; the same again is the same act."""
    kind = "rehearsed-assembly" if test else "assembly"
    digest = hashlib.sha256("\x1f".join(map(str, told)).encode()).hexdigest()
    return f"{kind}:{act}:{digest}"


def say_first(first: bool) -> None:
    """Say so where an act was done before."""
    if not first:
        click.echo("this was written down before")


def say_none(found: Sequence[object]) -> None:
    """Say so where a list has no line: silence looks like a fault."""
    if not found:
        click.echo("nothing is written down here")
