"""Sends to many: what one would be, and the outbox kept filled with those that run.

A million promises at once would be a million rows that nobody can take back quickly:
the outbox gets a few thousand at a time, as fast as they leave.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from gateway.library import Library, NoMenus
from ledger import bulks, promising
from ledger.audience import Audience, Reached
from ledger.bulks import Bulk, BulkState, Refused
from ledger.engine import Engine, reading, writing
from ledger.outbox import Kind
from phone.encoding import TextTooLong, sms_cost
from sms.prices import Cost
from sms.routes import Channel, Routes
from sms.rules import Rules, is_quiet
from ussd.menus import Menus
from ussd.templates import Unrendered

__all__ = ["Plan", "plan", "top_up"]

QUEUED_MAX = 2_000
# One turn of the scheduler looks at so many windows, however few people fit.
WINDOWS_MAX = 8
# What was under way when a send was paused is held back as it comes back.
HELD_SECONDS = 600

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a send would be: for whom, how long its text is, and what it would cost."""

    reached: Reached
    # Parts of the text and the people who read it, by the language.
    languages: Mapping[str, tuple[int, int]]
    # By the price of the channel that carries most, without operators' factors.
    cost: Cost | None
    # How long the parts take at the channels' settings, without the nights.
    seconds: float

    @property
    def parts(self) -> int:
        return sum(parts * people for parts, people in self.languages.values())


def plan(
    reached: Reached,
    *,
    menus: Menus,
    template: str,
    audience: Audience,
    routes: Routes,
    at: datetime,
) -> Plan:
    """Reckon what a send would be; raises Refused for a text that cannot be one."""
    message = menus.texts.get(template)
    if message is None:
        raise Refused(f"the menus have no text {template}")
    if message.kind != Kind.CAMPAIGN or not message.stop_line:
        raise Refused(
            f"{template} is no text for many: its kind must be campaign, with the "
            "stop line"
        )
    if audience.campaign not in menus.campaigns:
        raise Refused(f"the menus have no campaign {audience.campaign}")
    channels = _carrying(routes, audience.test)
    people: dict[str, int] = {}
    for language, number in reached.languages.items():
        read = language if language in menus.languages else menus.languages[0]
        assert read is not None
        people[read] = people.get(read, 0) + number
    languages = {}
    # In every language, whoever reads it today: a choice of language may come later.
    for language in menus.languages:
        text = _worded(menus, template, language, audience, channels, at)
        try:
            languages[language] = (sms_cost(text)[0], people.get(language, 0))
        except TextTooLong as refused:
            raise Refused(f"{template}: {refused}") from None
    total = sum(parts * number for parts, number in languages.values())
    rate = sum(channel.segments_per_second for channel in channels)
    return Plan(
        reached,
        languages,
        channels[0].estimate("", total) if channels else None,
        total / rate if rate else 0.0,
    )


def top_up(
    engine: Engine,
    library: Library,
    routes: Routes,
    rules: Rules,
    *,
    at: datetime,
) -> int:
    """Promise the next texts of the sends that run, until enough wait; how many.

    For the scheduler, each second. At night nothing new is promised. What another
    scheduler does at the same time is seen by the database.
    """
    with reading(engine) as db:
        live = bulks.listed(db, BulkState.RUNNING, BulkState.PAUSED)
    promised = 0
    for found in reversed(live):
        if found.state is BulkState.PAUSED:
            _keep_back(engine, found, at)
        elif found.at <= at:
            promised += _fill(engine, library, routes, rules, found, at)
        _end_if_over(engine, found, at)
    return promised


def _fill(
    engine: Engine,
    library: Library,
    routes: Routes,
    rules: Rules,
    found: Bulk,
    at: datetime,
) -> int:
    """Promise texts of one send while there is room."""
    if is_quiet(rules, at) and at < found.expires_at:
        return 0
    try:
        menus = library.version(found.menus)
    except NoMenus as missing:
        log.error("send_has_no_menus", send=found.name, why=str(missing))
        return 0
    slots = _slots_of(menus, found)
    vias = [channel.name for channel in routes if channel.smpp]
    promised = 0
    for _ in range(WINDOWS_MAX):
        with writing(engine) as db:
            most = QUEUED_MAX
            room = most - promising.due_texts(db, at=at, vias=vias, most=most)
            if room <= 0:
                break
            new = promising.promise_some(
                db,
                found.name,
                slots=slots,
                languages=menus.languages,
                limit=min(room, promising.BATCH_MAX),
                at=at,
            )
        if new is None:
            break
        promised += new
    return promised


def _keep_back(engine: Engine, found: Bulk, at: datetime) -> None:
    """Hold what comes back from carriers after a pause, as long as it may."""
    if at - found.changed_at < timedelta(seconds=HELD_SECONDS):
        with writing(engine) as db:
            bulks.hold_back(db, found)


def _end_if_over(engine: Engine, found: Bulk, at: datetime) -> None:
    with reading(engine) as db:
        current = bulks.named(db, found.name)
        over = promising.is_over(db, current)
    paused_for_good = current.state is BulkState.PAUSED and at >= current.expires_at
    if paused_for_good or (current.state is BulkState.RUNNING and over):
        with writing(engine) as db:
            bulks.end(db, current, at=at)
        log.info("send_done", send=current.name, promised=current.promised)


def _slots_of(menus: Menus, found: Bulk) -> Callable[[str], Mapping[str, str | int]]:
    def slots(language: str) -> Mapping[str, str | int]:
        return _slots(
            menus, found.template, language, found.slots, found.campaign, found.at
        )

    return slots


def _slots(
    menus: Menus,
    template: str,
    language: str,
    given: Mapping[str, str | int],
    campaign: str,
    at: datetime,
) -> dict[str, str | int]:
    """What the text says: the operator's words, and the campaign's own for the rest."""
    wanted = menus.texts[template].text[language].names
    known = {**menus.campaigns[campaign].slots(language, at), **given}
    return {name: known[name] for name in wanted if name in known}


def _worded(
    menus: Menus,
    template: str,
    language: str,
    audience: Audience,
    channels: Sequence[Channel],
    at: datetime,
) -> str:
    """The text as it will be read, with the longest stop line of the channels."""
    slots: dict[str, object] = {
        **_slots(menus, template, language, {}, audience.campaign, at),
        "language": language,
        "titles": menus.titles[language],
    }
    try:
        text = menus.texts[template].text[language].render(slots)
        stop = menus.notices["stop"][language].render(slots)
    except Unrendered as refused:
        raise Refused(f"{template} ({language}): {refused}") from None
    if language != menus.languages[0]:
        return f"{text} {stop}"
    lines = [channel.stop_line or stop for channel in channels] or [stop]
    return f"{text}\n{max(lines, key=len)}"


def _carrying(routes: Routes, test: bool) -> list[Channel]:
    """The channels that can carry such a send, the one that carries most first."""
    usable = [
        channel
        for channel in routes
        if channel.weight > 0 and (not channel.kinds or Kind.CAMPAIGN in channel.kinds)
    ]
    fitting = [channel for channel in usable if channel.test == test]
    if not fitting and not test:
        fitting = usable
    return sorted(fitting, key=lambda channel: -channel.weight)
