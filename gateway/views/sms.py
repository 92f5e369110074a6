"""The SMS webhooks: what carriers report of our texts, and texts people send.

What comes is stored first and answered 200; what it means is acted upon after.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from datetime import timedelta
from urllib.parse import parse_qsl

import structlog
from flask import Blueprint, Response, abort, current_app, request

from gateway.addresses import caller, is_allowed
from gateway.service import Service
from ledger.engine import Connection, LedgerError, writing
from sms.carrier import Unreadable
from sms.receiving import take_inbound, take_receipts
from sms.routes import Channel

bp = Blueprint("sms", __name__, url_prefix="/sms")

FIELDS_MAX = 40
RETRY_SECONDS = timedelta(seconds=30)

log = structlog.get_logger()


@bp.route("/<channel>/<key>/receipts", methods=["GET", "POST"])
def receipts(channel: str, key: str) -> Response:
    """Store delivery reports and believe them."""
    service, at = _service(), _channel(channel, key)
    raw = _raw()
    try:
        found = at.carrier.read_receipts(_form(raw))
    except Unreadable as reason:
        return _line(str(reason), 400)

    def take(db: Connection) -> None:
        take_receipts(
            db, service.keys, service.routes, at, found, raw=raw, at=service.clock()
        )

    return _stored(at, take)


@bp.route("/<channel>/<key>/inbound", methods=["GET", "POST"])
def inbound(channel: str, key: str) -> Response:
    """Store a text that somebody sent to one of our lines, and obey 11 and 12."""
    service, at = _service(), _channel(channel, key)
    raw = _raw()
    try:
        text = at.carrier.read_inbound(_form(raw))
    except Unreadable as reason:
        return _line(str(reason), 400)

    def take(db: Connection) -> None:
        take_inbound(db, service.keys, at, text, raw=raw, at=service.clock())

    return _stored(at, take)


def _raw() -> bytes:
    """The form as it came: the query of a GET, the body of a POST."""
    if request.method == "GET":
        query: bytes = request.query_string
        return query
    return request.get_data()


def _form(raw: bytes) -> Mapping[str, str]:
    """Its fields; raises Unreadable for one that is doubled or not UTF-8."""
    try:
        pairs = parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=FIELDS_MAX,
        )
    except UnicodeDecodeError:
        raise Unreadable("The form is not URL-encoded UTF-8.") from None
    except ValueError:
        raise Unreadable(f"The form has more than {FIELDS_MAX} fields.") from None
    form: dict[str, str] = {}
    for name, value in pairs:
        if name in form:
            raise Unreadable(f"Field {name[:40]} is given twice.")
        if "\0" in value:
            raise Unreadable(f"Field {name[:40]} holds a control character.")
        form[name] = value
    return form


def _channel(name: str, key: str) -> Channel:
    """The channel at this address: 404 for a wrong name or key, 403 for a stranger."""
    service = _service()
    set_up = service.settings.sms.get(name)
    expected = set_up.key.get_secret_value() if set_up is not None else ""
    found = service.routes.named(name)
    right = hmac.compare_digest(expected.encode(), key.encode())
    if not right or found is None or set_up is None:
        abort(404)
    address = caller(
        request.remote_addr or "",
        request.headers.get("X-Forwarded-For", ""),
        service.settings.trusted_proxies,
    )
    if not is_allowed(address, set_up.allow_from):
        abort(403)
    return found


def _service() -> Service:
    service: Service = current_app.extensions["yarigar"]
    return service


def _stored(channel: Channel, take: Callable[[Connection], None]) -> Response:
    """Store what came and answer in the carrier's form; else it is to come again."""
    try:
        with writing(_service().engine) as db:
            take(db)
    except LedgerError as failure:
        log.error("inbound_not_stored", channel=channel.name, why=str(failure))
    except Exception:
        # The edge: a carrier never reads a 500.
        log.exception("inbound_broke", channel=channel.name)
    else:
        reply = channel.carrier.reply
        return Response(
            reply.body, status=reply.status, content_type=reply.content_type
        )
    answer = _line("try again later", 503)
    answer.headers["Retry-After"] = str(int(RETRY_SECONDS.total_seconds()))
    return answer


def _line(text: str, status: int) -> Response:
    return Response(
        f"{text}\n", status=status, content_type="text/plain; charset=utf-8"
    )
