"""What a partner reads of its own, with the key of its table in the settings."""

from __future__ import annotations

import hmac
from dataclasses import asdict
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, current_app, jsonify, request

from gateway.service import Service
from gateway.views.openapi import DESCRIPTION
from ledger import partners
from ledger.engine import LedgerError, reading
from phone.dates import NotADay, day_end, day_start, read_day

bp = Blueprint("partners", __name__, url_prefix="/api/v1")

PARAMETERS = ("from", "to")
DAYS_MAX = 92
DAYS = 30
KEY_CHARS_MAX = 200


@bp.get("/openapi.json")
def openapi() -> Response:
    """The addresses of this API, for programs that read such a description."""
    answer = jsonify(DESCRIPTION)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get("/totals")
def totals() -> Response:
    """The totals of whose key it is: `?from=1405/08/01&to=1405/08/30`, both included.

    Without days those of the last thirty, today left out. A partner learns nothing of
    another, and of fewer than five people nothing at all.
    """
    service: Service = current_app.extensions["yarigar"]
    name = _partner(service)
    zone = service.settings.time_zone
    try:
        since, until = _days(service.clock().astimezone(ZoneInfo(zone)).date())
        with reading(service.engine, snapshot=True) as db:
            found = partners.totals(
                db,
                partner=name,
                channels=service.settings.partners[name].channels,
                since=day_start(since, zone),
                until=day_end(until, zone),
            )
    except ValueError as wrong:
        return _line(str(wrong), 400)
    except LedgerError:
        return _line("the ledger cannot be read now", 503)
    answer = jsonify(
        partner=name,
        **{"from": since.isoformat(), "to": until.isoformat()},
        time_zone=zone,
        totals=[asdict(total) for total in found],
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _partner(service: Service) -> str:
    """Whose key was sent; 401 where it is nobody's."""
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    given = secret.strip()[: KEY_CHARS_MAX + 1].encode("utf-8", "surrogateescape")
    found = ""
    for name, partner in service.settings.partners.items():
        key = partner.key.get_secret_value().encode()
        # All are compared: how long it takes tells nobody how near a guess was.
        if hmac.compare_digest(key, given) and kind.lower() == "bearer":
            found = name
    return found or abort(
        Response(
            "401 a partner's key is needed\n",
            status=401,
            content_type="text/plain; charset=utf-8",
            headers={"WWW-Authenticate": "Bearer"},
        )
    )


def _days(today: date) -> tuple[date, date]:
    for name in request.args:
        if name not in PARAMETERS:
            raise ValueError(f"no parameter {name[:40]!r}; there are from and to")
        if len(request.args.getlist(name)) > 1:
            raise ValueError(f"{name} is given twice")
    yesterday = today - timedelta(days=1)
    until = _day("to", yesterday)
    since = _day("from", until - timedelta(days=DAYS - 1))
    if since > until:
        raise ValueError("from is after to")
    if (until - since).days >= DAYS_MAX:
        raise ValueError(f"at most {DAYS_MAX} days are summed at once")
    return since, until


def _day(name: str, otherwise: date) -> date:
    given = request.args.get(name, "")
    try:
        return read_day(given) if given else otherwise
    except NotADay as wrong:
        raise ValueError(f"{name}: {wrong}") from None


def _line(text: str, status: int) -> Response:
    return Response(
        f"{text}\n", status=status, content_type="text/plain; charset=utf-8"
    )
