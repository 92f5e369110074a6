"""Where carriers come in: one request is one turn of one caller's conversation.

Turns are nearly all that the service is asked, and a web framework's contexts, routing
and response cost as much as a plain turn. So they are answered here, in WSGI itself;
whatever is not a well-addressed turn goes on to the application behind.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import replace
from http import HTTPStatus
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog

from gateway.addresses import caller, is_allowed
from gateway.last_words import LAST_WORDS
from gateway.service import Door, Service
from ussd.turn import (
    Answer,
    DialEnd,
    Informant,
    Inquiry,
    Request,
    Turn,
    Unreadable,
)

__all__ = ["BODY_BYTES_MAX", "Turnstile", "answered", "door", "is_welcome", "request"]

BODY_BYTES_MAX = 128 * 1024
# More than Python reads as a number is more than anybody sends.
LENGTH_DIGITS_MAX = 12

log = structlog.get_logger()


class Turnstile:
    """A WSGI application: `/ussd/<channel>/<key>[/...]`, and `behind` for the rest."""

    def __init__(self, service: Service, behind: WSGIApplication) -> None:
        self._service = service
        self._behind = behind

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        found = self._addressed(environ)
        if found is None:
            return self._behind(environ, start_response)
        at, path, length = found
        body = environ["wsgi.input"].read(length) if length else b""
        if len(body) == length:
            answer = answered(self._service, at, request(environ, path, body))
        else:
            # Who hung up half-way did not ask for what half of it would say.
            answer = at.dialect.refuse("The body ends early.", 400)
        written = answer.body.encode()
        start_response(
            f"{answer.status} {HTTPStatus(answer.status).phrase}",
            [
                ("Content-Type", answer.content_type),
                ("Content-Length", str(len(written))),
                *answer.headers.items(),
            ],
        )
        return [written]

    def _addressed(self, environ: WSGIEnvironment) -> tuple[Door, str, int] | None:
        """The door a request is for, what follows its key, and the body's length.

        None for every other request, and for one that says no length.
        """
        steps = environ["PATH_INFO"].split("/", 4)
        if len(steps) < 4 or steps[1] != "ussd" or not steps[-1]:
            return None
        length = environ.get("CONTENT_LENGTH") or ""
        if not length and environ["REQUEST_METHOD"] == "GET":
            length = "0"
        if not length.isdecimal() or len(length) > LENGTH_DIGITS_MAX:
            return None
        if "HTTP_TRANSFER_ENCODING" in environ:
            return None
        at = door(self._service, steps[2], steps[3])
        if at is None or int(length) > BODY_BYTES_MAX:
            return None
        if not is_welcome(self._service, at, environ):
            return None
        return at, steps[4] if len(steps) > 4 else "", int(length)


def request(environ: WSGIEnvironment, path: str, body: bytes) -> Request:
    """A request as dialects read it."""
    headers = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    if content_type := environ.get("CONTENT_TYPE"):
        headers["content-type"] = content_type
    return Request(
        method=environ["REQUEST_METHOD"],
        path=path,
        query=environ.get("QUERY_STRING", "").encode("latin-1", "replace"),
        headers=headers,
        body=body,
    )


def answered(service: Service, at: Door, asked: Request) -> Answer:
    """The answer to one request, in the carrier's own format: never a 500."""
    turn: Turn | None = None
    try:
        said = at.dialect.read(asked)
        if isinstance(said, DialEnd):
            service.endings.heard(at.channel, said, service.clock())
            return at.dialect.acknowledge(said)
        if isinstance(said, Inquiry):
            active = service.endings.is_active(at.channel, said)
            assert isinstance(at.dialect, Informant)
            return at.dialect.inform(said, active=active)
        turn = said
        reply = service.conversations.answer(at.channel, turn, service.clock())
        return at.dialect.write(turn, reply.text, ends=reply.ends)
    except Unreadable as reason:
        return _refused(at, reason)
    except Exception:
        # The edge: and a caller never reads a guess.
        log.exception("turn_broke", channel=at.channel.name)
        if turn is None:
            return at.dialect.refuse(LAST_WORDS["busy"], 200)
        return at.dialect.write(turn, LAST_WORDS["unsure"], ends=True)


def _refused(at: Door, reason: Unreadable) -> Answer:
    answer = at.dialect.refuse(str(reason), reason.status)
    if not reason.allow:
        return answer
    # RFC 9110, section 15.5.6: a 405 has to say which methods there are.
    allow = {"Allow": ", ".join(reason.allow)}
    return replace(answer, headers={**answer.headers, **allow})


def door(service: Service, name: str, key: str) -> Door | None:
    """The channel at this address, or None for a wrong name or key."""
    set_up = service.settings.ussd.get(name)
    expected = set_up.key.get_secret_value() if set_up is not None else ""
    if not hmac.compare_digest(expected.encode(), key.encode()) or set_up is None:
        return None
    return service.doors[name]


def is_welcome(service: Service, at: Door, environ: WSGIEnvironment) -> bool:
    """Whether a channel takes requests from where this one comes from."""
    settings = service.settings
    allow_from = settings.ussd[at.channel.name].allow_from
    if not allow_from:
        return True
    address = caller(
        environ.get("REMOTE_ADDR", ""),
        environ.get("HTTP_X_FORWARDED_FOR", ""),
        settings.trusted_proxies,
    )
    return is_allowed(address, allow_from)
