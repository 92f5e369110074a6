"""What the commands of assemblies share: districts, days, keys, the menus in force."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from phone.dates import NotADay, read_day
from phone.digits import fold_digits

if TYPE_CHECKING:
    from gateway.service import Service
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
