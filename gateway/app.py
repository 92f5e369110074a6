"""The web application."""

from __future__ import annotations

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from gateway.service import Service
from gateway.turnstile import BODY_BYTES_MAX, Turnstile
from gateway.views import (
    board,
    check,
    exports,
    health,
    metrics,
    partners,
    payments,
    phone,
    report,
    sms,
    ussd,
)

__all__ = ["create_app"]


def create_app(service: Service) -> Flask:
    """The application that answers carriers, operators and the simulator."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES_MAX
    app.extensions["yarigar"] = service
    app.register_blueprint(ussd.bp)
    app.register_blueprint(sms.bp)
    app.register_blueprint(payments.bp)
    app.register_blueprint(exports.bp)
    app.register_blueprint(partners.bp)
    app.register_blueprint(report.bp)
    app.register_blueprint(board.bp)
    app.register_blueprint(check.bp)
    app.register_blueprint(health.bp)
    app.register_blueprint(metrics.bp)
    if service.settings.simulator:
        app.register_blueprint(phone.bp)
    app.register_error_handler(HTTPException, _in_one_line)
    app.wsgi_app = Turnstile(service, app.wsgi_app)  # type: ignore[method-assign]  # Flask's way of adding WSGI middleware
    return app


def _in_one_line(error: HTTPException) -> Response:
    """An HTTP error as one line of plain text, with the headers it came with."""
    response = Response(
        f"{error.code} {error.name}\n",
        status=error.code,
        content_type="text/plain; charset=utf-8",
    )
    for name, value in error.get_headers():
        if name != "Content-Type":
            response.headers[name] = value
    return response
