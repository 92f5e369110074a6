"""Everything the service is made of, built once from the settings.

The one place that constructs collaborators, for every process alike: the web
application, the worker, the scheduler and the commands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from redis import Redis

from gateway.conversation import Conversations
from gateway.doors import Channel as UssdDoor
from gateway.endings import Endings
from gateway.faults import SettingsError
from gateway.figures import kept_figures
from gateway.handsets import Handsets
from gateway.keys import ledger_keys
from gateway.library import Library
from gateway.payments.form import Form
from gateway.payments.registry import build as payment_form
from gateway.places import Places
from gateway.rules import hours_of, rules_of
from gateway.settings import Settings
from gateway.texting import Texting
from gateway.texts import routes
from gateway.wake import wake
from ledger.engine import Engine, connect, writing
from ledger.vault import Keys, claim_key
from phone.encoding import Limits
from sms.routes import Routes
from sms.rules import Rules
from ussd.line import Line
from ussd.sessions import Sessions
from ussd.turn import Dialect, dialect

__all__ = ["Service", "build", "now", "prove_keys"]

REDIS_SECONDS_MAX = 2


@dataclass(frozen=True, slots=True)
class Door:
    """A USSD channel: who speaks there, in which format."""

    channel: UssdDoor
    dialect: Dialect


@dataclass(frozen=True, slots=True)
class Service:
    settings: Settings
    engine: Engine
    redis: Redis
    keys: Keys
    sessions: Sessions
    library: Library
    places: Places
    conversations: Conversations
    endings: Endings
    handsets: Handsets
    doors: dict[str, Door]
    routes: Routes
    rules: Rules
    texting: Texting
    payments: dict[str, Form]
    wake: Callable[[], None]
    clock: Callable[[], datetime]


def now() -> datetime:
    """The clock of every process: nothing below the gateway reads another."""
    return datetime.now(UTC)


def build(settings: Settings, *, clock: Callable[[], datetime] = now) -> Service:
    """Build the service; nothing connects before it is used.

    `settings` are complete: with keys and the address of a Redis. `clock` is what the
    web service takes for the time.
    """
    engine = connect(settings.database_url, pool_size=settings.web_threads)
    redis = Redis.from_url(
        settings.redis_url,
        socket_timeout=REDIS_SECONDS_MAX,
        socket_connect_timeout=REDIS_SECONDS_MAX,
    )
    keys = ledger_keys(settings)
    line = Line(redis)
    sessions = Sessions(line, seconds=settings.session_seconds)
    library = Library(engine, sessions, settings.time_zone)

    handsets = Handsets(redis, keys)
    figures = kept_figures(engine, redis)
    places = Places(engine)
    hours = hours_of(settings)

    def wake_worker() -> None:
        wake(redis, line)

    sms_routes = routes(settings, handsets)
    return Service(
        settings=settings,
        engine=engine,
        redis=redis,
        keys=keys,
        sessions=sessions,
        library=library,
        places=places,
        conversations=Conversations(
            engine,
            keys,
            sessions,
            library,
            figures=figures,
            places=places.current,
            hours=hours,
            wake=wake_worker,
            clock=clock,
        ),
        endings=Endings(
            engine, keys, sessions, library, figures=figures, wake=wake_worker
        ),
        handsets=handsets,
        doors={name: _door(settings, name) for name in settings.ussd},
        routes=sms_routes,
        rules=rules_of(settings, keys),
        texting=Texting(
            engine,
            keys,
            library,
            sms_routes,
            figures=figures,
            places=places.current,
            hours=hours,
            wake=wake_worker,
            answer_seconds=settings.text_answer_seconds,
        ),
        payments={name: _form(settings, name) for name in settings.payments},
        wake=wake_worker,
        clock=clock,
    )


def prove_keys(service: Service) -> None:
    """Refuse to work on a ledger that was written with other keys.

    Raises WrongKeys, or another LedgerError if the ledger cannot be asked.
    """
    with writing(service.engine) as db:
        claim_key(db, service.keys)


def _door(settings: Settings, name: str) -> Door:
    channel = settings.ussd[name]
    try:
        spoken = dialect(channel.adapter)(
            region=settings.region, options=channel.options
        )
    except ValueError as faults:
        lines = [f"ussd.{name}: {line}" for line in str(faults).splitlines()]
        raise SettingsError("\n".join(lines)) from None
    return Door(
        UssdDoor(
            name=name,
            limits=Limits(
                gsm7_septets=channel.gsm7_septets, ucs2_units=channel.ucs2_units
            ),
            test=channel.test,
            line=_line(settings, test=channel.test),
            gsm7_only=channel.gsm7_only,
            session_alone=spoken.session_alone,
        ),
        spoken,
    )


def _form(settings: Settings, name: str) -> Form:
    try:
        return payment_form(settings.payments[name], region=settings.region)
    except ValueError as faults:
        lines = [f"payments.{name}: {line}" for line in str(faults).splitlines()]
        raise SettingsError("\n".join(lines)) from None


def _line(settings: Settings, *, test: bool) -> str:
    """The line campaign texts come from: the heaviest carrier of the same kind."""
    lines = [c for c in settings.sms.values() if c.test == test] or [
        *settings.sms.values()
    ]
    return max(lines, key=lambda c: c.weight).sender if lines else ""
