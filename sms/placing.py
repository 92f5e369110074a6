"""Who takes a claimed text, in which words and in how many parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from ledger.claims import Claimed
from ledger.outbox import NEVER, WORKERS, State
from ledger.parts import Before
from phone.encoding import TextTooLong, sms_cost
from sms import endings
from sms.calls import Closing, Job, Rendered
from sms.carrier import ByParts, Outcome
from sms.condition import Conditions
from sms.routes import Channel, Routes
from sms.waits import before_retry

__all__ = ["Fresh", "Placing", "carried_by"]

# Two who differ on whose a text is have learned better by then.
HANDED_BACK = timedelta(seconds=2)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Fresh:
    """A claimed text that has to be looked at."""

    row: Claimed
    # The number, where channels are chosen by it.
    to: str = field(default="", repr=False)
    # Who has just said that it never had the text.
    again: Channel | None = None
    # When the latest text began whose receipt came over the same channel.
    heard: datetime | None = None


@dataclass(slots=True)
class Placing:
    """Makes jobs of claimed texts, for the deliverer named `via`."""

    routes: Routes
    conditions: Conditions
    render: Callable[[Claimed], Rendered]
    via: str

    @property
    def needs_numbers(self) -> bool:
        """Whether a channel is chosen by the number."""
        return any(channel.prefixes for channel in self.routes)

    @property
    def is_alone(self) -> bool:
        """Whether there is but one channel that this deliverer carries texts over."""
        return sum(carried_by(channel) == self.via for channel in self.routes) <= 1

    def place(self, fresh: Fresh, at: datetime) -> Job | Closing:
        """Make a claimed text ready for its call, or say how it is given back."""
        row = fresh.row
        if row.doubtful:
            told = self._of_doubt(fresh, at)
            if told is not None:
                return told
        rendered = self._rendered(row, at)
        if isinstance(rendered, Closing):
            return rendered
        return self._route(row, rendered, fresh.to, fresh.again, at)

    def place_again(self, job: Job, at: datetime) -> Job | Closing:
        """Find another channel for a text whose channel has shut meanwhile."""
        assert job.rendered is not None, "only texts to be sent are placed again"
        return self._route(job.row, job.rendered, job.to, None, at)

    def _of_doubt(self, fresh: Fresh, at: datetime) -> Job | Closing | None:
        """What a text in doubt waits for; None if it, or a rest of it, may be sent."""
        row = fresh.row
        asked = self.routes.named(row.carrier)
        if asked is None:
            return Closing(row, State.UNCLEAR, NEVER)
        if carried_by(asked) != self.via:
            return Closing.back(row, via=carried_by(asked))
        if row.before is not None and row.before.left and at < row.expires_at:
            return None
        if asked.carrier.can_look_up:
            rendered = self._remembered(row)
            text = _words(rendered, asked) if rendered is not None else ""
            return Job(row, asked, rendered, text=text, asks=True)
        ending = endings.of_silence(
            row,
            heard=fresh.heard,
            resend_seconds=asked.unclear_resend_seconds,
            now=at,
        )
        return None if ending is None else Closing(row, ending.state, ending.due_at)

    def _route(
        self,
        row: Claimed,
        rendered: Rendered,
        to: str,
        again: Channel | None,
        at: datetime,
    ) -> Job | Closing:
        channel = self._channel(row, to, again, at)
        if channel is None:
            return Closing.back(row, self._opens_at(row, at))
        owner = carried_by(channel)
        if owner != self.via:
            # Who was given it and gives it back may be wrong about the other.
            due_at = at + HANDED_BACK if row.via == self.via else None
            return Closing.back(row, due_at, via=owner)
        text = _words(rendered, channel)
        try:
            total = _count(channel, text)
        except TextTooLong as error:
            return _unmade(row, error)
        parts, reference = tuple(range(1, total + 1)), None
        before = _before(row, channel, total)
        if before is not None:
            parts = before.left or tuple(sorted(before.unclear))
            reference = before.reference
        if not parts:
            return Closing(row, State.SENT)
        return Job(
            row,
            channel,
            rendered,
            to=to,
            text=text,
            total=total,
            parts=parts,
            reference=reference,
        )

    def _channel(
        self, row: Claimed, to: str, again: Channel | None, at: datetime
    ) -> Channel | None:
        shut = self.conditions.shut(at)
        if again is not None and again.name not in shut:
            return again
        stays = row.before is not None and (row.before.taken or row.before.unclear)
        begun = self.routes.named(row.carrier) if stays else None
        if begun is not None and isinstance(begun.carrier, ByParts):
            # Nobody else can send the rest of it.
            return begun if begun.name not in shut else None
        if row.via == self.via:
            others = {c.name for c in self.routes if carried_by(c) != self.via}
            mine = self._choose(row, to, shut | others, at)
            if mine is not None and mine.name not in row.tried:
                return mine
            # One that another process carries may be better than one that failed it.
            found = self._choose(row, to, shut, at)
            if mine is None or found is None or found.name in row.tried:
                return mine or found
            return mine if found.name in self.conditions.asleep(at) else found
        return self._choose(row, to, shut, at)

    def _choose(
        self, row: Claimed, to: str, paused: set[str], at: datetime
    ) -> Channel | None:
        return self.routes.choose(
            outbox_id=row.id,
            test=row.test,
            to=to,
            kind=row.kind,
            tried=row.tried,
            paused=paused,
            asleep=self.conditions.asleep(at, but=self.via),
            shares=self.conditions.shares(at),
            meant=None if row.attempts else row.carrier,
        )

    def _opens_at(self, row: Claimed, at: datetime) -> datetime:
        """When a text that nobody can carry now is looked at again."""
        opens_at = self.conditions.opens_at(at)
        if opens_at is None:
            log.error("texts.no_channel", text=row.id, test=row.test)
            opens_at = at + before_retry(Outcome.MISCONFIGURED, attempts=0)
        return min(opens_at, row.expires_at)

    def _rendered(self, row: Claimed, at: datetime) -> Rendered | Closing:
        try:
            return self.render(row)
        except LookupError as error:
            return _unmade(row, error)
        except Exception as error:  # one text's fault must not keep all others waiting
            log.error("texts.not_rendered", text=row.id, error=type(error).__name__)
            wait = before_retry(Outcome.MISCONFIGURED, attempts=0)
            return Closing.back(row, at + wait)

    def _remembered(self, row: Claimed) -> Rendered | None:
        """What a text that is asked about said, if that can still be made."""
        try:
            return self.render(row)
        except Exception as error:
            # A carrier that knows it by its id can be asked all the same.
            log.warning("texts.not_rendered", text=row.id, error=type(error).__name__)
            return None


def carried_by(channel: Channel) -> str:
    """Whose it is to carry texts over a channel: the workers', or its own process'."""
    return channel.name if channel.smpp else WORKERS


def _words(rendered: Rendered, channel: Channel) -> str:
    line = channel.stop_line or rendered.otherwise
    if rendered.stop_line and line:
        return f"{rendered.text}\n{line}"
    return rendered.text


def _count(channel: Channel, text: str) -> int:
    if channel.smpp and isinstance(channel.carrier, ByParts):
        return channel.carrier.count(text)
    return sms_cost(text)[0]


def _before(row: Claimed, channel: Channel, total: int) -> Before | None:
    """What earlier calls brought of the same parts over the same channel."""
    before = row.before
    if before is None or (before.carrier, before.total) != (channel.name, total):
        return None
    return before


def _unmade(row: Claimed, error: Exception) -> Closing:
    log.error("texts.not_rendered", text=row.id, error=type(error).__name__)
    return Closing(row, State.UNCLEAR if row.doubtful else State.FAILED, NEVER)
