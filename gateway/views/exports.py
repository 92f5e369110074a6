"""The books as files, for whoever holds a bearer token."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import structlog
from flask import Blueprint, Response, abort, current_app, request

from gateway.service import Service
from ledger import tokens
from ledger.engine import LedgerError, reading
from ledger.export import (
    TABLES,
    BadSelection,
    Headers,
    Selection,
    XlsxMissing,
    export_csv,
    export_xlsx,
)
from phone.dates import NotADay, read_day

bp = Blueprint("exports", __name__, url_prefix="/api/v1/exports")

CHUNK_BYTES = 64 * 1024
FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
PARAMETERS = ("from", "to", "campaign", "headers")

log = structlog.get_logger()


@bp.get("/<what>.<format>")
def export(what: str, format: str) -> Response:
    """Stream one table: `?from=1405/09/01&to=…&campaign=…&headers=fa`."""
    service: Service = current_app.extensions["yarigar"]
    try:
        _authorise(service)
        if what not in TABLES or format not in FORMATS:
            abort(404)
        selection, headers = _selection(service)
        body = _csv if format == "csv" else _xlsx
        answer = Response(
            body(service, what, selection, headers), content_type=FORMATS[format]
        )
    except (BadSelection, NotADay, ValueError) as wrong:
        return _line(str(wrong), 400)
    except XlsxMissing as missing:
        return _line(str(missing), 501)
    except LedgerError:
        return _line("the ledger cannot be read now", 503)
    except OSError as failure:
        log.error("export_not_written", what=what, why=failure.strerror)
        return _line("the file cannot be made now", 503)
    answer.headers["Content-Disposition"] = f'attachment; filename="{what}.{format}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _authorise(service: Service) -> None:
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer" and len(secret) <= tokens.SECRET_CHARS_MAX:
        with reading(service.engine) as db:
            if tokens.is_valid(db, secret.strip()):
                return
    abort(
        Response(
            "401 a bearer token is needed\n",
            status=401,
            content_type="text/plain; charset=utf-8",
            headers={"WWW-Authenticate": "Bearer"},
        )
    )


def _selection(service: Service) -> tuple[Selection, Headers]:
    for name in request.args:
        if name not in PARAMETERS:
            known = ", ".join(PARAMETERS)
            raise ValueError(f"no parameter {name[:40]!r}; there are {known}")
        if len(request.args.getlist(name)) > 1:
            raise ValueError(f"{name} is given twice")
        if "\0" in request.args[name]:
            raise ValueError(f"{name} holds a control character")
    given = {name: request.args.get(name, "") for name in PARAMETERS}
    try:
        headers = Headers(given["headers"] or "en")
    except ValueError:
        raise ValueError("headers is en or fa") from None
    selection = Selection(
        time_zone=service.settings.time_zone,
        since=read_day(given["from"]) if given["from"] else None,
        until=read_day(given["to"]) if given["to"] else None,
        campaign=given["campaign"] or None,
    )
    return selection, headers


def _csv(
    service: Service, what: str, selection: Selection, headers: Headers
) -> Iterator[bytes]:
    pieces = export_csv(
        service.engine, TABLES[what], selection, keys=service.keys, headers=headers
    )
    # The first rows are read before the answer begins: a ledger that is away is a 503,
    # and not a file that ends after its header.
    head = next(pieces) + next(pieces, b"")

    def streamed() -> Iterator[bytes]:
        yield head
        yield from pieces

    return streamed()


def _xlsx(
    service: Service, what: str, selection: Selection, headers: Headers
) -> Iterator[bytes]:
    """A workbook is one zip: it is written to disk whole, then handed over."""
    folder = tempfile.TemporaryDirectory(prefix="yarigar-")
    path = Path(folder.name) / f"{what}.xlsx"
    try:
        export_xlsx(
            service.engine,
            TABLES[what],
            selection,
            path,
            keys=service.keys,
            headers=headers,
        )
    except BaseException:
        folder.cleanup()
        raise

    def pieces() -> Iterator[bytes]:
        with folder, path.open("rb") as file:
            while piece := file.read(CHUNK_BYTES):
                yield piece

    return pieces()


def _line(text: str, status: int) -> Response:
    return Response(
        f"{text}\n", status=status, content_type="text/plain; charset=utf-8"
    )
