"""The books as files, for whoever holds a bearer token."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

import structlog
from flask import Blueprint, Response, abort, current_app, request
from redis.exceptions import RedisError

from gateway import exporting
from gateway.exporting import NotPermitted, Wanted
from gateway.service import Service
from ledger import tokens
from ledger.engine import LedgerError, reading
from ledger.export import (
    FORMATS,
    TABLES,
    BadSelection,
    Format,
    Headers,
    Manifest,
    ParquetMissing,
    Selection,
    XlsxMissing,
    export_file,
    export_stream,
    fits,
)
from phone.dates import NotADay, read_day

bp = Blueprint("exports", __name__, url_prefix="/api/v1/exports")

CHUNK_BYTES = 64 * 1024
FILTERS = ("from", "to", "campaign")
PARAMETERS = (*FILTERS, "headers", "request")
REQUEST_DIGITS_MAX = 9
# A manifest says what a file holds once it is whole, so it is asked for afterwards.
MANIFEST_SECONDS = 86_400
MANIFEST_ID_CHARS = 32

log = structlog.get_logger()


@bp.get("/<what>.<format>")
def export(what: str, format: str) -> Response:
    """Stream one table: `?from=1405/09/01&to=…&campaign=…&headers=fa&request=…`.

    The header `X-Manifest` says where its manifest is for a day, once all of it came.
    """
    service: Service = current_app.extensions["yarigar"]
    try:
        by = _authorise(service)
        form = FORMATS.get(format)
        if what not in TABLES or form is None or not fits(TABLES[what], form):
            abort(404)
        wanted, headers = _wanted(service, what)
        exporting.let_out(
            service.engine, wanted, form=format, by=by, at=service.clock()
        )
        name = secrets.token_hex(MANIFEST_ID_CHARS // 2)
        body = _streamed if form.stream else _whole
        answer = Response(
            body(service, wanted, form, headers, name), content_type=form.media_type
        )
    except NotPermitted as refused:
        return _line(str(refused), 403)
    except (BadSelection, NotADay, ValueError) as wrong:
        return _line(str(wrong), 400)
    except (XlsxMissing, ParquetMissing) as missing:
        return _line(str(missing), 501)
    except LedgerError:
        return _line("the ledger cannot be read now", 503)
    except OSError as failure:
        log.error("export_not_written", what=what, why=failure.strerror)
        return _line("the file cannot be made now", 503)
    answer.headers["Content-Disposition"] = f'attachment; filename="{what}.{format}"'
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Manifest"] = f"{bp.url_prefix}/manifests/{name}"
    return answer


@bp.get("/manifests/<name>")
def manifest(name: str) -> Response:
    """The manifest of an export that was fetched to its end today."""
    service: Service = current_app.extensions["yarigar"]
    try:
        _authorise(service)
        kept = service.redis.get(_key(name[:MANIFEST_ID_CHARS]))
    except LedgerError:
        return _line("the ledger cannot be read now", 503)
    except RedisError:
        return _line("manifests cannot be read now", 503)
    if not isinstance(kept, bytes):
        abort(404)
    answer = Response(kept, content_type="application/json; charset=utf-8")
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _authorise(service: Service) -> str:
    """The name of the token that was sent; 401 without one in force."""
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    name: str | None = None
    if kind.lower() == "bearer" and len(secret) <= tokens.SECRET_CHARS_MAX:
        with reading(service.engine) as db:
            name = tokens.is_valid(db, secret.strip())
    return name or abort(
        Response(
            "401 a bearer token is needed\n",
            status=401,
            content_type="text/plain; charset=utf-8",
            headers={"WWW-Authenticate": "Bearer"},
        )
    )


def _wanted(service: Service, what: str) -> tuple[Wanted, Headers]:
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
    number = given["request"]
    if number:
        if any(given[name] for name in FILTERS):
            raise ValueError("a request has its own days and campaign")
        if not (number.isascii() and number.isdigit()) or (
            len(number) > REQUEST_DIGITS_MAX
        ):
            raise ValueError("request is the number of one")
        wanted = exporting.permitted(
            service.engine,
            what,
            int(number),
            time_zone=service.settings.time_zone,
            at=service.clock(),
        )
        if wanted.in_full:
            # The bearer of any token could else use what was agreed for one person.
            raise NotPermitted("numbers in full leave by `yarigar ledger export` only")
        return wanted, headers
    selection = Selection(
        time_zone=service.settings.time_zone,
        since=read_day(given["from"]) if given["from"] else None,
        until=read_day(given["to"]) if given["to"] else None,
        campaign=given["campaign"] or None,
    )
    return Wanted(what, selection), headers


def _streamed(
    service: Service, wanted: Wanted, form: Format, headers: Headers, name: str
) -> Iterator[bytes]:
    pieces = export_stream(
        service.engine,
        wanted.table,
        wanted.selection,
        form,
        keys=service.keys,
        at=service.clock(),
        headers=headers,
        ended=lambda manifest: _keep(service, name, manifest),
    )
    # The first rows are read before the answer begins: a ledger that is away is a 503,
    # and not a file that ends after its header.
    head = next(pieces, b"") + next(pieces, b"")

    def streamed() -> Iterator[bytes]:
        yield head
        yield from pieces

    return streamed()


def _whole(
    service: Service, wanted: Wanted, form: Format, headers: Headers, name: str
) -> Iterator[bytes]:
    """What begins with its end is written to disk whole, then handed over."""
    folder = tempfile.TemporaryDirectory(prefix="yarigar-")
    path = Path(folder.name) / f"{wanted.what}.{form.name}"
    try:
        manifest = export_file(
            service.engine,
            wanted.table,
            wanted.selection,
            form,
            path,
            keys=service.keys,
            at=service.clock(),
            headers=headers,
        )
    except BaseException:
        folder.cleanup()
        raise
    _keep(service, name, manifest)

    def pieces() -> Iterator[bytes]:
        with folder, path.open("rb") as file:
            while piece := file.read(CHUNK_BYTES):
                yield piece

    return pieces()


def _keep(service: Service, name: str, manifest: Manifest) -> None:
    try:
        service.redis.set(_key(name), manifest.written(), ex=MANIFEST_SECONDS)
    except RedisError as failure:
        # The file itself is none the worse.
        log.error("manifest_not_kept", why=type(failure).__name__)


def _key(name: str) -> str:
    return f"yarigar:manifest:{name}"


def _line(text: str, status: int) -> Response:
    return Response(
        f"{text}\n", status=status, content_type="text/plain; charset=utf-8"
    )
