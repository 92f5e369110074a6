"""The simulator: a feature phone on a page.

The page dials the real webhook of a `test` channel as its carrier would, with what
`gateway.views.carrier` writes; it reads the texts that the console showed, and sends
texts to the console's own inbound webhook. Whoever may open the page gets the keys of
those test channels, and of no others.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import structlog
from flask import Blueprint, Response, current_app, jsonify, render_template, request
from flask import url_for as url
from redis.exceptions import RedisError

from gateway.displays import DISPLAYS
from gateway.handsets import Text
from gateway.library import NoMenus
from gateway.service import Service
from gateway.settings import DIAL_CODE, Settings
from gateway.stand_ins import stand_in_name
from gateway.views import carrier
from ledger.engine import LedgerError
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
bp.register_blueprint(carrier.bp)

CONSOLE = "console"
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
    displays = {name: [d.columns, d.rows] for name, d in DISPLAYS.items()}
    return render_template(
        "phone.html",
        channels=channels,
        console=console,
        displays=displays,
        languages=_languages(),
        dial_code=DIAL_CODE,
        own_number=OWN_NUMBER,
        config={
            "line": url("phone.line"),
            "request": url("phone.carrier.ask"),
            "heard": url("phone.carrier.hear"),
            "language": url("phone.carrier.remember"),
            "displays": displays,
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
    """What the page may dial through."""
    return [
        {
            "name": name,
            "adapter": channel.adapter,
            "stands_in": name == stand_in_name(channel.adapter),
            "limits": {
                Encoding.GSM7: channel.gsm7_septets,
                Encoding.UCS2: channel.ucs2_units,
            },
        }
        for name, channel in carrier.rehearsed(settings).items()
    ]


def _languages() -> tuple[str, ...]:
    """What the menus speak; nothing while they cannot be asked."""
    try:
        return _service().library.current(None).languages
    except (LedgerError, NoMenus, RedisError) as failure:
        log.warning("menus_away", why=type(failure).__name__)
        return ()


def _console(settings: Settings) -> dict[str, str] | None:
    """Where a text from the handset goes, if a test console has a line for it."""
    for name, channel in settings.sms.items():
        if channel.test and channel.adapter == CONSOLE and channel.sender:
            key = channel.key.get_secret_value()
            return {
                "line": channel.sender,
                "inbound": url("sms.inbound", channel=name, key=key),
            }
    return None


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
