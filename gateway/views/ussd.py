"""What carriers post beside turns, and turns that `gateway.turnstile` let pass.

Those are the ones that may not come in, and those that do not say how long they are.
"""

from __future__ import annotations

import structlog
from flask import Blueprint, Response, abort, current_app, request

from gateway.service import Door, Service
from gateway.turnstile import BODY_BYTES_MAX, answered, door, is_welcome
from ledger.engine import LedgerError
from ussd.turn import Answer, Unreadable

bp = Blueprint("ussd", __name__, url_prefix="/ussd")

log = structlog.get_logger()


@bp.post("/<channel>/<key>")
def turn(channel: str, key: str) -> Response:
    """Answer a turn, or refuse it with 413 for its length."""
    at = _door(channel, key)
    body = request.get_data()
    if len(body) == BODY_BYTES_MAX:
        # Without a length it may be the beginning of a longer one.
        abort(413)
    return _written(answered(_service(), at, body))


@bp.post("/<channel>/<key>/events")
def events(channel: str, key: str) -> Response:
    """Take the carrier's word on how a session ended."""
    at = _door(channel, key)
    try:
        end = at.dialect.read_end(request.get_data())
    except Unreadable as reason:
        return _written(at.dialect.refuse(str(reason), 400))
    try:
        service = _service()
        service.conversations.ended(at.channel, end, service.clock())
    except LedgerError as failure:
        # Not worth a retry: without it the next dial only says once more that a
        # pledge stands.
        log.warning("end_not_kept", why=str(failure))
    return _written(Answer("OK"))


def _door(name: str, key: str) -> Door:
    """The channel at this address: 404 for a wrong name or key, 403 for a stranger."""
    at = door(_service(), name, key)
    if at is None:
        abort(404)
    if not is_welcome(_service(), at, request.environ):
        abort(403)
    return at


def _service() -> Service:
    service: Service = current_app.extensions["yarigar"]
    return service


def _written(answer: Answer) -> Response:
    return Response(answer.body, status=answer.status, content_type=answer.content_type)
