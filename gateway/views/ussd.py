"""Carriers' requests that `gateway.turnstile` let pass.

Those are the ones that may not come in, and those that do not say how long they are.
"""

from __future__ import annotations

from flask import Blueprint, Response, abort, current_app, request

from gateway.service import Door, Service
from gateway.turnstile import BODY_BYTES_MAX, answered, door, is_welcome
from gateway.turnstile import request as asked
from ussd.turn import Answer

bp = Blueprint("ussd", __name__, url_prefix="/ussd")

# What any carrier's dialect may use.
METHODS = ["GET", "POST", "PUT"]


@bp.route("/<channel>/<key>", methods=METHODS)
@bp.route("/<channel>/<key>/<path:tail>", methods=METHODS)
def turn(channel: str, key: str, tail: str = "") -> Response:
    """Answer a request, or refuse it with 413 for its length."""
    at = _door(channel, key)
    body = request.get_data()
    if len(body) == BODY_BYTES_MAX:
        # Without a length it may be the beginning of a longer one.
        abort(413)
    return _written(answered(_service(), at, asked(request.environ, tail, body)))


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
    return Response(
        answer.body,
        status=answer.status,
        headers=dict(answer.headers),
        content_type=answer.content_type,
    )
