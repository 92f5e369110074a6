"""The SMS webhooks: what carriers report of our texts, and texts people send.

What comes is stored as it came before anything is done about it, and answered 200 in
the carrier's own form. What cannot be read is kept too, and refused with 400 and one
line; what does not carry the carrier's signature is refused with 403, and not kept.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import structlog
from flask import Blueprint, Response, abort, current_app, request

from gateway.addresses import caller, is_allowed
from gateway.service import Service
from ledger import unreadable
from ledger.engine import Connection, LedgerError, writing
from sms.carrier import Forged, Inbound, Posted, Receipt, Spoilt, Unreadable
from sms.receiving import take_receipts, take_texts
from sms.routes import Channel

bp = Blueprint("sms", __name__, url_prefix="/sms")

# A hundred long texts in one post, which is what the most talkative carrier sends.
BODY_BYTES_MAX = 512 * 1024
RETRY_SECONDS = timedelta(seconds=30)

log = structlog.get_logger()

Found = TypeVar("Found", tuple[Receipt | Spoilt, ...], tuple[Inbound | Spoilt, ...])


@bp.route("/<channel>/<key>/receipts", methods=["GET", "POST"])
def receipts(channel: str, key: str) -> Response:
    """Store delivery reports and believe them."""
    service, at = _service(), _channel(channel, key)

    def take(db: Connection, found: tuple[Receipt | Spoilt, ...], raw: bytes) -> None:
        now = service.clock()
        take_receipts(db, service.keys, service.routes, at, found, raw=raw, at=now)

    return _taken(at, unreadable.RECEIPTS, at.carrier.read_receipts, take)


@bp.route("/<channel>/<key>/inbound", methods=["GET", "POST"])
def inbound(channel: str, key: str) -> Response:
    """Store texts that somebody sent to one of our lines, and obey 11 and 12.

    What else they ask for is done once they are stored; what a fault leaves undone is
    done by the scheduler.
    """
    service, at = _service(), _channel(channel, key)
    left: list[int] = []

    def take(db: Connection, found: tuple[Inbound | Spoilt, ...], raw: bytes) -> None:
        now = service.clock()
        left[:] = take_texts(db, service.keys, at, found, raw=raw, at=now)

    answer = _taken(at, unreadable.INBOUND, at.carrier.read_inbound, take)
    service.texting.handle(left, service.clock())
    return answer


def _taken(
    channel: Channel,
    way: str,
    read: Callable[[Posted], Found],
    take: Callable[[Connection, Found, bytes], None],
) -> Response:
    """Read what was posted, store it, and answer; else it is to come again."""
    posted = _posted()
    try:
        found = read(posted)
        with writing(_service().engine) as db:
            take(db, found, posted.raw)
    except Unreadable as reason:
        return _kept(channel, way, posted, str(reason))
    except Forged as reason:
        log.warning("post_forged", channel=channel.name, why=str(reason))
        return _line(str(reason), 403)
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
    return _later()


def _kept(channel: Channel, way: str, posted: Posted, why: str) -> Response:
    """Keep a post that cannot be read, and refuse it."""
    service = _service()
    try:
        with writing(service.engine) as db:
            unreadable.keep(
                db,
                service.keys,
                carrier=channel.name,
                way=way,
                raw=posted.raw,
                why=why,
                at=service.clock(),
            )
    except LedgerError as failure:
        log.error("inbound_not_stored", channel=channel.name, why=str(failure))
        return _later()
    log.warning("post_unreadable", channel=channel.name, why=why)
    return _line(why, 400)


def _later() -> Response:
    answer = _line("try again later", 503)
    answer.headers["Retry-After"] = str(int(RETRY_SECONDS.total_seconds()))
    return answer


def _posted() -> Posted:
    """The request as it came, under the address that carriers were given."""
    request.max_content_length = BODY_BYTES_MAX
    query: bytes = request.query_string
    url = _service().settings.public_url + request.path
    if query:
        url = f"{url}?{query.decode('ascii', 'replace')}"
    return Posted(
        method=request.method,
        url=url,
        query=query,
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.get_data(),
    )


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


def _line(text: str, status: int) -> Response:
    return Response(
        f"{text}\n", status=status, content_type="text/plain; charset=utf-8"
    )
