"""What the commands of operators share: who they are, when it is, which books."""

from __future__ import annotations

import getpass
import os
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from gateway import installation
from gateway.faults import Unready
from gateway.keys import check
from phone.dates import NotADay, read_day
from phone.digits import fold_digits
from phone.private import long_digits

if TYPE_CHECKING:
    from gateway.service import Service
    from ledger.engine import Engine
    from ledger.places.tree import Place, Tree

WHO_CHARS_MAX = 40
CAMPAIGN_SHOWN_MAX = 40
# A tracking code has nine.
PHONE_DIGITS = 10
# What both databases take for a number.
ID = click.IntRange(0, 2**31 - 1)


def login_name() -> str:
    """Who is at this terminal, as far as the system knows."""
    try:
        return getpass.getuser()[:WHO_CHARS_MAX]
    except (KeyError, OSError):
        return ""


class Who(click.ParamType[str]):
    """A person, by the name that the books will hold."""

    name = "who"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        # One person is one name, however it is typed.
        name = " ".join(unicodedata.normalize("NFKC", str(value)).casefold().split())
        if not 0 < len(name) <= WHO_CHARS_MAX or not name.isprintable():
            self.fail(f"a name has 1 to {WHO_CHARS_MAX} letters", param, ctx)
        return name


class Moment(click.ParamType[str]):
    """A time of day in campaign time, with a day before it if that is not today."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        try:
            read_moment(value, datetime(2000, 1, 1, tzinfo=UTC), ZoneInfo("UTC"))
        except NotADay as fault:
            self.fail(f"{value!r}: {fault}", param, ctx)
        except ValueError:
            self.fail(
                f"{value!r} is no time: write 18:30 or '1405/09/01 18:30'", param, ctx
            )
        return str(value)


def one_line(reason: str) -> str:
    """An operator's reason, as a line that can be printed; raises Unready."""
    line = " ".join(reason.split())
    if not line or not line.isprintable():
        raise Unready("--reason is a line of words")
    if long_digits(line, PHONE_DIGITS):
        raise Unready("--reason stays in the books: no phone or card number in it")
    return line


def read_moment(written: str, at: datetime, zone: ZoneInfo) -> datetime:
    """Read `18:30` or `1405/09/01 18:30`; NotADay or ValueError for anything else."""
    *days, hour = fold_digits(written).split()
    if len(days) > 1:
        raise ValueError("a time is a day and an hour")
    day = read_day(days[0]) if days else at.astimezone(zone).date()
    if len(hour) != 5:
        raise ValueError("an hour is 18:30")
    return datetime.combine(day, time.fromisoformat(hour), tzinfo=zone)


def place_of(tree: Tree, written: str) -> Place:
    """The place of a code, or the open one of these dialled digits; raises Unready."""
    found = tree.place(written) or tree.by_dial(written).place
    if found is None:
        raise Unready(f"there is no place {written!r}: see `yarigar places list`")
    return found


by = click.option(
    "--by",
    type=Who(),
    default=login_name,
    required=True,
    help="Who does this, as the books will say; the login name if none.",
)


@contextmanager
def opened() -> Iterator[Service]:
    """The whole service, as long as the command needs it."""
    from gateway.service import build

    service = build(installation.find(os.environ))
    try:
        check(service.engine, service.settings)
        yield service
    finally:
        service.engine.dispose()
        service.redis.close()


@contextmanager
def books() -> Iterator[tuple[Engine, ZoneInfo]]:
    """The ledger alone and the zone of its days: for what needs no Redis."""
    from ledger.engine import connect

    settings = installation.find_without_redis(os.environ)
    engine = connect(settings.database_url, pool_size=1)
    try:
        check(engine, settings)
        yield engine, ZoneInfo(settings.time_zone)
    finally:
        engine.dispose()


def insist_on_campaign(engine: Engine, zone: str, campaign: str) -> None:
    """Raise Unready for a campaign that neither the books nor the menus know.

    One that left the menus is known by its facts: they are read as before.
    """
    from ledger import campaigns, menus
    from ledger.engine import reading
    from ussd.reading import read

    with reading(engine) as db:
        # What cannot be printed is no name, and some of it no database takes.
        if campaign.isprintable() and campaigns.has_facts(db, campaign):
            return
        current = menus.current(db)
        listed = read(current[1], time_zone=zone).campaigns if current else {}
        if campaign in listed:
            return
        known = ", ".join(sorted(campaigns.with_facts(db) | set(listed))) or "none yet"
    shown = campaign[:CAMPAIGN_SHOWN_MAX]
    raise Unready(f"there is no campaign {shown!r}: there are {known}")
