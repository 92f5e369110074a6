"""One call as a carrier makes it, with all that carriers do to a call besides.

A carrier asks again when a reply was late, asks twice at the start, loses replies, and
ends calls by its timers. Each of these can be had on purpose here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import httpx

from gateway.carrier_side import TAKEN, Wired, answer_of, is_like_a_retry
from gateway.faults import Unready
from ussd.trail import RETRY_SECONDS
from ussd.turn import Answer, Call, Dialect, Ending, Request, Unreadable

__all__ = ["Calling", "Screen"]

TURN_SECONDS_MAX = 15
# The same answer sooner than this after a reply may be taken for a retry.
PAUSE_SECONDS = RETRY_SECONDS + 0.1
SHOWN_CHARS_MAX = 200


@dataclass(frozen=True, slots=True)
class Screen:
    """What the phone shows now.

    `is_same` is whether a request that was sent again got the reply that it had got
    before, byte for byte; None for one that was sent once. `strays` is whether sending
    it again led the call elsewhere.
    """

    text: str
    ends: bool
    is_same: bool | None = None
    strays: bool = False


class Calling:
    """The carrier's side of one call; `service` is the address that answers.

    Everything that asks raises Unready for a service that does not answer, or not as
    this carrier could take it.
    """

    def __init__(
        self,
        service: str,
        dialect: Dialect,
        call: Call,
        wired: Callable[[Request], Wired],
    ) -> None:
        self._service = service
        self._dialect = dialect
        self._call = call
        self._wired = wired
        self._first: tuple[Request, Answer] | None = None
        self._last: tuple[Request, Answer] | None = None
        self._replied_at = 0.0

    def dial(self) -> Screen:
        """The first request of the call."""
        screen = self._turn(loses=False)
        self._first = self._last
        return screen

    def answer(self, typed: str, *, loses: bool = False) -> Screen:
        """What was typed. `loses`: the reply never comes, so it is asked for again."""
        answers = (*self._call.answers, typed)
        self._call = replace(self._call, answers=answers)
        if is_like_a_retry(self._dialect, self._call):
            time.sleep(max(0.0, self._replied_at + PAUSE_SECONDS - time.monotonic()))
        return self._turn(loses=loses)

    def ask_again(self) -> Screen:
        """The last request again, as it was: a retry."""
        assert self._last is not None
        return self._again(*self._last)

    def start_again(self) -> Screen:
        """The first request of this call again: a doubled start."""
        assert self._first is not None
        assert self._last is not None
        screen = self._again(*self._first)
        # In the middle of a call it may show the screen that the call has come to.
        shown = [self._shown(reply).text for _, reply in (self._first, self._last)]
        return replace(screen, strays=screen.text not in shown)

    def end(self, how: Ending) -> bool:
        """Tell the service how the call ended; whether this carrier tells it at all."""
        request = self._dialect.send_end(self._call, how)
        if request is not None:
            # A call that ended while the service did is over all the same.
            with suppress(Unready):
                self._ask(request)
        return request is not None

    def _turn(self, *, loses: bool) -> Screen:
        request = self._dialect.send(self._call)
        reply = self._ask(request)
        self._last = (request, reply)
        return self._again(request, reply) if loses else self._shown(reply)

    def _again(self, request: Request, before: Answer) -> Screen:
        reply = self._ask(request)
        is_same = reply == before
        return replace(self._shown(reply), is_same=is_same, strays=not is_same)

    def _ask(self, request: Request) -> Answer:
        asked = self._wired(request)
        try:
            reply = httpx.request(
                asked.method,
                self._service + asked.url,
                headers=dict(asked.headers),
                content=asked.body.encode(),
                timeout=TURN_SECONDS_MAX,
            )
            body = reply.content.decode()
        except (httpx.TransportError, httpx.InvalidURL):
            raise Unready(
                f"no service answers at {self._service}: start it with `make run`"
            ) from None
        except UnicodeDecodeError:
            raise Unready("the reply of the service is not UTF-8") from None
        self._replied_at = time.monotonic()
        return answer_of(reply.status_code, reply.headers, body)

    def _shown(self, reply: Answer) -> Screen:
        """Raises Unready for a reply that this carrier would not show."""
        if reply.status not in TAKEN:
            said = " ".join(reply.body[:SHOWN_CHARS_MAX].split())
            raise Unready(f"the service answered {reply.status}: {said}")
        try:
            text, ends = self._dialect.heard(reply)
        except Unreadable as reason:
            # Not the reply itself: it may repeat the phone.
            raise Unready(f"the carrier cannot take the answer: {reason}") from None
        return Screen(text, ends)
