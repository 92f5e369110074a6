"""The USSD webhook: one request is one turn of one caller's conversation."""

from __future__ import annotations

import hmac

import structlog
from flask import Blueprint, Response, abort, current_app, request

from gateway.addresses import caller, is_allowed
from gateway.conversation import LAST_WORDS
from gateway.service import Door, Service
from ledger.engine import LedgerError
from ussd.turn import Answer, Unreadable

bp = Blueprint("ussd", __name__, url_prefix="/ussd")

log = structlog.get_logger()


@bp.post("/<channel>/<key>")
def turn(channel: str, key: str) -> Response:
    """Answer one turn, in the carrier's own format."""
    door = _door(channel, key)
    try:
        read = door.dialect.read(request.get_data())
    except Unreadable as reason:
        return _written(door.dialect.refuse(str(reason), 400))
    try:
        service = _service()
        reply = service.conversations.answer(door.channel, read, service.clock())
    except Exception:
        # The edge: a carrier never reads a 500, and a caller never a guess.
        log.exception("turn_broke", channel=channel)
        return _written(door.dialect.write(LAST_WORDS["unsure"], ends=True))
    return _written(door.dialect.write(reply.text, ends=reply.ends))


@bp.post("/<channel>/<key>/events")
def events(channel: str, key: str) -> Response:
    """Take the carrier's word on how a session ended."""
    door = _door(channel, key)
    try:
        end = door.dialect.read_end(request.get_data())
    except Unreadable as reason:
        return _written(door.dialect.refuse(str(reason), 400))
    try:
        service = _service()
        service.conversations.ended(door.channel, end, service.clock())
    except LedgerError as failure:
        # Not worth a retry: without it the next dial only says once more that a
        # pledge stands.
        log.warning("end_not_kept", why=str(failure))
    return _written(Answer("OK"))


def _door(name: str, key: str) -> Door:
    """The channel at this address: 404 for a wrong name or key, 403 for a stranger."""
    service = _service()
    set_up = service.settings.ussd.get(name)
    expected = set_up.key.get_secret_value() if set_up is not None else ""
    if not hmac.compare_digest(expected.encode(), key.encode()) or set_up is None:
        abort(404)
    address = caller(
        request.remote_addr or "",
        request.environ.get("HTTP_X_FORWARDED_FOR", ""),
        service.settings.trusted_proxies,
    )
    if not is_allowed(address, set_up.allow_from):
        abort(403)
    return service.doors[name]


def _service() -> Service:
    service: Service = current_app.extensions["yarigar"]
    return service


def _written(answer: Answer) -> Response:
    return Response(answer.body, status=answer.status, content_type=answer.content_type)
