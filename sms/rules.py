"""What may leave now: consent, stops, quiet hours, caps, and who is a guest.

Asked in the transaction in which an attempt begins, so that whatever was said a moment
ago counts. Receipts, and service texts that somebody asked for, are held back only by
a rehearsal's rules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ledger import bulks, consents, lately, stops
from ledger.bulks import BulkState
from ledger.claims import Claimed
from ledger.engine import Connection
from ledger.outbox import Kind
from sms.lines import line_of
from sms.rehearsal import Rehearsal
from sms.routes import Channel

__all__ = [
    "Held",
    "Later",
    "Rules",
    "Withdrawn",
    "held",
    "hold",
    "is_quiet",
    "morning",
]

# A month is thirty days of the campaign's time zone, the present one among them.
MONTH_DAYS = 30
# The texts of one night do not all leave in one moment of the morning.
MORNING_SECONDS = 1800
# Somebody else is writing to the same person at this moment.
BUSY_SECONDS = 5
SCRIPTED_SECONDS = 60
# So often it is asked whether a paused send goes on.
PAUSED_SECONDS = 60

Asked = tuple[Claimed, Channel]


@dataclass(frozen=True, slots=True)
class Rules:
    """What an operator has set; hours and days are those of `time_zone`."""

    time_zone: ZoneInfo
    # Between the two no campaign text leaves; the same hour twice is no night.
    quiet_from: time = time(22)
    quiet_to: time = time(7)
    day_max: int = 1
    month_max: int = 4
    rehearsal: Rehearsal | None = None


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The text must not be sent at all."""

    why: str


@dataclass(frozen=True, slots=True)
class Later:
    """The text waits until then; if that is when it expires, it will expire."""

    at: datetime
    why: str


Held = Withdrawn | Later


def held(
    db: Connection, row: Claimed, channel: Channel, rules: Rules, at: datetime
) -> Held | None:
    """Say what keeps one text from leaving over this channel now; None is nothing."""
    return hold(db, [(row, channel)], rules, at).get(row.id)


def hold(
    db: Connection, asked: Sequence[Asked], rules: Rules, at: datetime
) -> dict[int, Held]:
    """Say what keeps each of these texts from leaving now, by the text's id.

    Those that it does not name are taken to begin in this very transaction: of two to
    one person the first counts for the second, whether or not it is written yet.
    """
    found: dict[int, Held] = {}
    found |= _no_guests(asked, rules, at)
    campaign = [
        (row, channel)
        for row, channel in asked
        if row.kind is Kind.CAMPAIGN and row.id not in found
    ]
    found |= _halted(db, [row for row, _ in campaign], at)
    campaign = [one for one in campaign if one[0].id not in found]
    found |= _refused(db, campaign)
    campaign = [one for one in campaign if one[0].id not in found]
    if campaign and is_quiet(rules, at):
        found |= {
            row.id: Later(
                min(morning(rules, at, row.id), row.expires_at), "quiet hours"
            )
            for row, _ in campaign
        }
    else:
        for test in (False, True):
            rows = [row for row, _ in campaign if row.test == test]
            found |= _capped(db, rows, rules, at, test=test)
    left = [one for one in asked if one[0].id not in found]
    return found | _rationed(db, left, rules, at)


def is_quiet(rules: Rules, at: datetime) -> bool:
    """Whether campaign texts rest at this time."""
    hour = at.astimezone(rules.time_zone).time()
    if rules.quiet_from <= rules.quiet_to:
        return rules.quiet_from <= hour < rules.quiet_to
    return hour >= rules.quiet_from or hour < rules.quiet_to


def morning(rules: Rules, at: datetime, outbox_id: int, *, days: int = 0) -> datetime:
    """When a text may leave in the next morning, or so many days after today's.

    Each text has a moment of its own in the first half hour.
    """
    today = at.astimezone(rules.time_zone).date() + timedelta(days=days)
    first = _local(rules, today, rules.quiet_to)
    if first <= at:
        first = _local(rules, today + timedelta(days=1), rules.quiet_to)
    # Knuth's multiplier: neighbours in the outbox are far apart in the half hour.
    lot = outbox_id * 2_654_435_761 % 2**32 / 2**32
    return first + timedelta(seconds=lot * MORNING_SECONDS)


def _local(rules: Rules, day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, tzinfo=rules.time_zone).astimezone(UTC)


def _no_guests(asked: Iterable[Asked], rules: Rules, at: datetime) -> dict[int, Held]:
    rehearsal = rules.rehearsal
    if rehearsal is None:
        return {}
    found: dict[int, Held] = {}
    for row, channel in asked:
        if channel.name not in rehearsal.channels:
            continue
        if row.look_up in rehearsal.scripted:
            # Its own channel rests; nobody has this number to send to.
            later = at + timedelta(seconds=SCRIPTED_SECONDS)
            found[row.id] = Later(min(later, row.expires_at), "a number of rehearsals")
        elif row.look_up not in rehearsal.guests:
            found[row.id] = Withdrawn("not a guest")
    return found


def _halted(
    db: Connection, campaign: Sequence[Claimed], at: datetime
) -> dict[int, Held]:
    """Texts of sends that were paused or given up after they were claimed."""
    later = at + timedelta(seconds=PAUSED_SECONDS)
    states = bulks.halted(db, [row.id for row in campaign])
    return {
        row.id: Withdrawn("cancelled")
        if states[row.id] is BulkState.CANCELLED
        else Later(min(later, row.expires_at), "paused")
        for row in campaign
        if row.id in states
    }


def _refused(db: Connection, campaign: Sequence[Asked]) -> dict[int, Held]:
    """Texts to people who never agreed, or agree no more, or silenced the line."""
    agreed = {
        (person, test)
        for test in (False, True)
        for person in consents.agreed(
            db, (row.person_id for row, _ in campaign if row.test == test), test=test
        )
    }
    silent = stops.stopped(db, (row.look_up for row, _ in campaign if row.look_up))
    found: dict[int, Held] = {}
    for row, channel in campaign:
        lines = {
            (row.look_up, stops.kept_as(line, test=row.test))
            for line in (line_of(channel), stops.EVERY_LINE)
        }
        if not silent.isdisjoint(lines):
            found[row.id] = Withdrawn("stopped")
        elif (row.person_id, row.test) not in agreed:
            found[row.id] = Withdrawn("no consent")
    return found


def _capped(
    db: Connection, rows: Sequence[Claimed], rules: Rules, at: datetime, *, test: bool
) -> dict[int, Held]:
    """Texts to people who had enough today, or in thirty days."""
    today = at.astimezone(rules.time_zone).date()
    since = _local(rules, today - timedelta(days=MONTH_DAYS - 1), time())
    ours = lately.reserve(db, (row.person_id for row in rows))
    had: dict[int, list[date]] = {row.person_id: [] for row in rows}
    asked = {row.id for row in rows}
    for text, person, when in lately.campaign_texts(db, ours, since=since, test=test):
        if text not in asked:
            had[person].append(when.astimezone(rules.time_zone).date())

    found: dict[int, Held] = {}
    for row in rows:
        days = sorted(had[row.person_id])
        wait = _days_to_wait(days, today, rules)
        if row.person_id not in ours:
            later = at + timedelta(seconds=BUSY_SECONDS)
            found[row.id] = Later(min(later, row.expires_at), "busy")
        elif wait:
            later = morning(rules, at, row.id, days=wait)
            found[row.id] = Later(min(later, row.expires_at), "cap")
        else:
            had[row.person_id].append(today)
    return found


def _days_to_wait(days: Sequence[date], today: date, rules: Rules) -> int:
    """In how many days a person who had texts on these days, in order, may get one."""
    wait = 1 if Counter(days)[today] >= rules.day_max else 0
    if len(days) >= rules.month_max:
        # The one whose going out of the thirty days leaves room.
        oldest = days[len(days) - rules.month_max]
        wait = max(wait, MONTH_DAYS - (today - oldest).days)
    return wait


def _rationed(
    db: Connection, left: Sequence[Asked], rules: Rules, at: datetime
) -> dict[int, Held]:
    """What a rehearsal has sent enough for today of."""
    rehearsal = rules.rehearsal
    if rehearsal is None:
        return {}
    real = [row for row, channel in left if channel.name in rehearsal.channels]
    if not real:
        return {}
    today = at.astimezone(rules.time_zone).date()
    midnight = _local(rules, today, time())
    sent = lately.attempts_since(db, rehearsal.channels, since=midnight)
    room = max(0, rehearsal.day_max - sent)
    tomorrow = _local(rules, today + timedelta(days=1), time())
    return {
        row.id: Later(min(tomorrow, row.expires_at), "the rehearsal's day is full")
        for row in real[room:]
    }
