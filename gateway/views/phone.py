"""The simulator: a feature phone on a page.

The page dials the real webhook of a `test` channel in Africa's Talking form, reads the
texts that the console showed, and sends texts to the console's own inbound webhook.
Whoever may open the page gets the keys of those test channels, and of no others.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import structlog
from flask import Blueprint, Response, current_app, jsonify, render_template, request
from flask import url_for as url
from redis.exceptions import RedisError

from gateway.handsets import Text
from gateway.service import Service
from gateway.settings import DIAL_CODE, Settings
from phone.encoding import (
    GSM7_BASIC,
    GSM7_EXTENSION,
    Encoding,
    gsm7_septets,
    sms_cost,
    ucs2_units,
)
from phone.numbers import NotAPhone, from_person

bp = Blueprint(
    "phone",
    __name__,
    url_prefix="/phone",
    static_folder=Path(__file__).parent.parent / "static",
    static_url_path="/static",
)

DIALECT = "africastalking"
CARRIER = "console"
OWN_NUMBER = "09121234567"

# The page holds the keys of the test channels: no script, frame or form of another
# site comes near it, and nothing keeps a copy.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; "
    "style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

log = structlog.get_logger()


@bp.get("/", strict_slashes=False)
def page() -> str:
    """The handset, with what its script needs to know of the channels."""
    settings = _service().settings
    channels, console = _channels(settings), _console(settings)
    return render_template(
        "phone.html",
        channels=channels,
        console=console,
        dial_code=DIAL_CODE,
        own_number=OWN_NUMBER,
        config={
            "line": url("phone.line"),
            "channels": channels,
            "console": console,
            "gsm7": {
                "basic": "".join(sorted(GSM7_BASIC)),
                "extension": "".join(sorted(GSM7_EXTENSION)),
            },
        },
    )


@bp.get("/line")
def line() -> tuple[Response, int]:
    """The number of a handset as E.164, and the texts it got, the newest first."""
    service = _service()
    try:
        phone = from_person(request.args.get("phone", ""), service.settings.region)
    except NotAPhone as refused:
        return jsonify(error=str(refused)), 400
    try:
        texts = service.handsets.inbox(phone)
    except RedisError as failure:
        log.warning("inbox_away", why=type(failure).__name__)
        return jsonify(error="the inbox cannot be read now"), 503
    return jsonify(phone=phone, texts=[_counted(text) for text in texts]), 200


@bp.after_request
def _guarded(response: Response) -> Response:
    response.headers.update(HEADERS)
    return response


def _channels(settings: Settings) -> list[dict[str, Any]]:
    """The doors that a rehearsal may knock at: test channels of the page's dialect."""
    return [
        {
            "name": name,
            "turn": _address("ussd.turn", name, channel.key.get_secret_value()),
            "events": _address("ussd.events", name, channel.key.get_secret_value()),
            "limits": {
                Encoding.GSM7: channel.gsm7_septets,
                Encoding.UCS2: channel.ucs2_units,
            },
        }
        for name, channel in settings.ussd.items()
        if channel.test and channel.adapter == DIALECT
    ]


def _console(settings: Settings) -> dict[str, str] | None:
    """Where a text from the handset goes, if a test console has a line for it."""
    for name, channel in settings.sms.items():
        if channel.test and channel.adapter == CARRIER and channel.sender:
            key = channel.key.get_secret_value()
            return {
                "line": channel.sender,
                "inbound": _address("sms.inbound", name, key),
            }
    return None


def _address(endpoint: str, channel: str, key: str) -> str:
    return url(endpoint, channel=channel, key=key)


def _counted(text: Text) -> dict[str, str | int]:
    parts, encoding = sms_cost(text.text)
    return {
        "id": text.id,
        "text": text.text,
        "parts": parts,
        "encoding": encoding,
        "units": gsm7_septets(text.text) or ucs2_units(text.text),
    }


def _service() -> Service:
    service: Service = current_app.extensions["yarigar"]
    return service
