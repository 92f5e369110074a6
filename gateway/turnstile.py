"""Where carriers' turns come in: one request is one turn of one caller's conversation.

Turns are nearly all that the service is asked, and a web framework's contexts, routing
and response cost as much as a plain turn. So they are answered here, in WSGI itself;
whatever is not a well-addressed turn goes on to the application behind.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from http import HTTPStatus
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog

from gateway.addresses import caller, is_allowed
from gateway.conversation import LAST_WORDS
from gateway.service import Door, Service
from ussd.turn import Answer, Unreadable

__all__ = ["BODY_BYTES_MAX", "Turnstile", "answered", "door", "is_welcome"]

BODY_BYTES_MAX = 128 * 1024

log = structlog.get_logger()


class Turnstile:
    """A WSGI application: `POST /ussd/<channel>/<key>`, and `behind` for the rest."""

    def __init__(self, service: Service, behind: WSGIApplication) -> None:
        self._service = service
        self._behind = behind

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        at = self._addressed(environ)
        if at is None:
            return self._behind(environ, start_response)
        length = int(environ["CONTENT_LENGTH"])
        body = environ["wsgi.input"].read(length)
        if len(body) == length:
            answer = answered(self._service, at, body)
        else:
            # Who hung up half-way did not ask for what half of it would say.
            answer = at.dialect.refuse("The body ends early.", 400)
        written = answer.body.encode()
        start_response(
            f"{answer.status} {HTTPStatus(answer.status).phrase}",
            [
                ("Content-Type", answer.content_type),
                ("Content-Length", str(len(written))),
            ],
        )
        return [written]

    def _addressed(self, environ: WSGIEnvironment) -> Door | None:
        """The door that a turn is for; None for every other request."""
        if environ["REQUEST_METHOD"] != "POST":
            return None
        steps = environ["PATH_INFO"].split("/")
        length = environ.get("CONTENT_LENGTH") or ""
        if len(steps) != 4 or steps[1] != "ussd" or not length.isdecimal():
            return None
        if "HTTP_TRANSFER_ENCODING" in environ:
            return None
        at = door(self._service, steps[2], steps[3])
        if at is None or int(length) > BODY_BYTES_MAX:
            return None
        return at if is_welcome(self._service, at, environ) else None


def answered(service: Service, at: Door, body: bytes) -> Answer:
    """The answer to one turn, in the carrier's own format, which never is a 500."""
    try:
        turn = at.dialect.read(body)
        reply = service.conversations.answer(at.channel, turn, service.clock())
    except Unreadable as reason:
        return at.dialect.refuse(str(reason), 400)
    except Exception:
        # The edge: and a caller never reads a guess.
        log.exception("turn_broke", channel=at.channel.name)
        return at.dialect.write(LAST_WORDS["unsure"], ends=True)
    return at.dialect.write(reply.text, ends=reply.ends)


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
