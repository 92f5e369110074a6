"""Figures for Prometheus, for whoever may ask: see `metrics_from` in the settings."""

from __future__ import annotations

from flask import Blueprint, Response, abort, current_app, request
from redis.exceptions import RedisError

from gateway.addresses import caller, is_allowed
from gateway.library import NoMenus
from gateway.metrics import CONTENT_TYPE, exposed
from gateway.service import Service
from ledger.engine import LedgerError

bp = Blueprint("metrics", __name__)


@bp.get("/metrics")
def metrics() -> Response:
    """What callers do at each screen; 503 while Redis cannot be asked."""
    service: Service = current_app.extensions["yarigar"]
    settings = service.settings
    address = caller(
        request.environ.get("REMOTE_ADDR", ""),
        request.environ.get("HTTP_X_FORWARDED_FOR", ""),
        settings.trusted_proxies,
    )
    if not is_allowed(address, settings.metrics_from):
        abort(403)
    try:
        counts = service.sessions.counts()
    except RedisError:
        abort(503)
    try:
        flow_of = service.library.current(None).flow_of
    except (NoMenus, LedgerError):
        # Figures are worth having without the names of their flows.
        return Response(exposed(counts, lambda screen: ""), content_type=CONTENT_TYPE)
    return Response(exposed(counts, flow_of), content_type=CONTENT_TYPE)
