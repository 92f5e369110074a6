"""The webhook of payment services and tills: signed notices of money that moved.

A notice is in the books before it is answered 200; what is refused left nothing. The
answers are JSON: a `status`, or an `error` of one line.

    200  recorded, repeated (we had it) or suspense (booked, and nobody knows for what)
    400  the body is not of the channel's form
    403  the signature is missing, wrong or too old; or the address is not allowed
    404  there is no such channel
    409  the id came before with another body
    413  the body is too long
    503  not now: the same again later, which is always safe
"""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus

import structlog
from flask import Blueprint, Response, abort, current_app, jsonify, request
from werkzeug.exceptions import HTTPException

from gateway.addresses import caller, is_allowed
from gateway.payments.form import Form, Unreadable, Unsigned
from gateway.payments.taking import Channel, Conflict, take
from gateway.service import Service
from ledger.engine import LedgerError

bp = Blueprint("payments", __name__, url_prefix="/payments")

BODY_BYTES_MAX = 16 * 1024
RETRY_SECONDS = timedelta(seconds=30)

log = structlog.get_logger()


@bp.post("/<name>")
def notice(name: str) -> Response:
    """Take a notice into the books, once however often it comes."""
    service, form = _service(), _form(name)
    set_up = service.settings.payments[name]
    try:
        told = form.read(_headers(), _body(), service.clock())
        taken = take(
            service.engine,
            service.keys,
            service.library,
            Channel(name, set_up.test, form.fields),
            told,
            service.clock(),
        )
    except Unsigned as reason:
        log.warning("notice_unsigned", channel=name, why=str(reason))
        return _error(str(reason), HTTPStatus.FORBIDDEN)
    except Unreadable as reason:
        log.warning("notice_unreadable", channel=name, why=str(reason))
        return _error(str(reason), HTTPStatus.BAD_REQUEST)
    except Conflict as reason:
        log.error("notice_differs", channel=name, differs=list(reason.differs))
        return _error(str(reason), HTTPStatus.CONFLICT, differs=reason.differs)
    except LedgerError as failure:
        log.error("notice_not_recorded", channel=name, why=str(failure))
    except HTTPException:
        raise
    except Exception:
        # The edge: whoever moved money reads a 503 and comes again, never a 500.
        log.exception("notice_broke", channel=name)
    else:
        if taken.texted:
            service.wake()
        return jsonify(
            {"status": taken.status} | ({"code": taken.code} if taken.code else {})
        )
    later = _error("try again later", HTTPStatus.SERVICE_UNAVAILABLE)
    later.headers["Retry-After"] = str(int(RETRY_SECONDS.total_seconds()))
    return later


@bp.errorhandler(HTTPException)
def _in_json(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or HTTPStatus.BAD_REQUEST)
    return _error(status.phrase.lower(), status)


def _form(name: str) -> Form:
    """The form at this address: 404 for a wrong name, 403 for a stranger."""
    service = _service()
    form = service.payments.get(name)
    if form is None:
        abort(404)
    address = caller(
        request.remote_addr or "",
        request.headers.get("X-Forwarded-For", ""),
        service.settings.trusted_proxies,
    )
    if not is_allowed(address, service.settings.payments[name].allow_from):
        abort(403)
    return form


def _headers() -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _body() -> bytes:
    request.max_content_length = BODY_BYTES_MAX
    body: bytes = request.get_data()
    if request.content_length is None and len(body) == BODY_BYTES_MAX:
        # Without a length it may be the beginning of a longer one.
        abort(413)
    return body


def _service() -> Service:
    service: Service = current_app.extensions["yarigar"]
    return service


def _error(line: str, status: HTTPStatus, **more: object) -> Response:
    answer = jsonify(error=line, **more)
    answer.status_code = status
    return answer
