"""The published report of a campaign: a page for everyone, and the same as files.

It says what was published and nothing newer. No script, no frame, nothing of another
host; whoever holds a copy can tell by the digest whether it is the same.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, current_app, render_template, request

from gateway.library import NoMenus
from gateway.report_files import as_csv, as_xlsx
from gateway.report_words import FIGURES, GOODS, Words
from gateway.service import Service
from ledger import publications
from ledger.engine import LedgerError, NotRead, reading
from ledger.export import XlsxMissing
from ledger.publications import Change, Published
from ledger.reporting import Line
from ledger.requests import Refused
from phone.dates import jalali_day
from ussd.menus import Menus

bp = Blueprint(
    "report",
    __name__,
    url_prefix="/report",
    static_folder=Path(__file__).parent.parent / "static",
    static_url_path="/static",
)

KEPT_SECONDS = 300
EARLIER_SHOWN_MAX = 100
FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; "
    "img-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": f"public, max-age={KEPT_SECONDS}",
}

_CAMPAIGN = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)


@bp.get("/<campaign>")
def page(campaign: str) -> Response:
    """The last report, or the one of `?number=`, in `?lang=`."""
    found = _asked(campaign)
    if isinstance(found, Response):
        return found
    published, before, every = found
    menus = _menus()
    words = Words(_language(menus), menus)
    answer = Response(
        render_template(
            "report.html",
            **_titles(campaign, menus, words),
            words=words,
            fa=words.spoken == "fa",
            published=published,
            day=_day(published, words),
            seal_day=_seal_day(published, words),
            fingerprint=published.root.hex()[:8],
            digest=published.digest.hex(),
            total=published.statement.total,
            tables=_tables(published),
            before=before,
            changed=_changes(before, published),
            bar=_bar(published.statement.total),
            every=every[:EARLIER_SHOWN_MAX],
        ),
        content_type="text/html; charset=utf-8",
    )
    return _kept(answer)


@bp.get("/<campaign>.<format>")
def file(campaign: str, format: str) -> Response:
    """The same as a file: csv or xlsx."""
    if format not in FORMATS:
        abort(404)
    found = _asked(campaign)
    if isinstance(found, Response):
        return found
    menus = _menus()
    write = as_csv if format == "csv" else as_xlsx
    try:
        body = write(found[0], Words(_language(menus), menus))
    except XlsxMissing as missing:
        return _line(str(missing), 501)
    answer = Response(body, content_type=FORMATS[format])
    name = f"{campaign}-report-{found[0].number}.{format}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return _kept(answer)


def _asked(
    campaign: str,
) -> tuple[Published, Published | None, list[Published]] | Response:
    """The report that is asked for, the one before it, and all there are."""
    number = request.args.get("number", "")
    if not _CAMPAIGN.fullmatch(campaign) or (number and not _NUMBER.fullmatch(number)):
        abort(404)
    try:
        with reading(_service().engine) as db:
            every = publications.published(db, campaign, EARLIER_SHOWN_MAX)
            if not every:
                return _line("no report is published yet", 404)
            if number:
                asked = publications.numbered(db, campaign, int(number))
            else:
                asked = every[0]
            before = None
            if asked.number > 1:
                before = publications.numbered(db, campaign, asked.number - 1)
    except Refused as refused:
        return _line(str(refused), 404)
    except LedgerError:
        answer = _line("the report cannot be read now", 503)
        answer.headers["Retry-After"] = "30"
        return answer
    return asked, before, every


def _menus() -> Menus | None:
    """The current menus, for titles: a report can be read without any."""
    with suppress(NoMenus, NotRead):
        return _service().library.current(None)
    return None


def _language(menus: Menus | None) -> str:
    languages = menus.languages if menus else ("fa", "en")
    asked = request.args.get("lang", "")
    return asked if asked in languages else languages[0]


def _titles(campaign: str, menus: Menus | None, words: Words) -> dict[str, Any]:
    found = menus.campaigns.get(campaign) if menus else None
    return {
        "campaign": campaign,
        "title": found.title.get(words.language, "") if found else campaign,
        "organiser": found.organiser.get(words.language, "") if found else "",
        "permit": found.permit if found else "",
        "languages": menus.languages if menus else ("fa", "en"),
    }


def _tables(published: Published) -> list[dict[str, Any]]:
    """The tables that have lines, each with the columns in which anything stands."""
    said = published.statement
    known = [line for line in said.districts if line.name]
    # Spending is for a purpose, and where givers live is mostly not said: of a
    # district these would be columns of untruths.
    of_districts = ["delivered"]
    if any(line.pledged or line.received for line in known):
        of_districts = ["donors", "pledged", "received", "returned", "delivered"]
    tables = (
        ("purposes", said.purposes, [*FIGURES, *GOODS]),
        ("districts", said.districts, of_districts),
    )
    found = []
    for name, every, columns in tables:
        figures = [
            figure for figure in columns if any(getattr(line, figure) for line in every)
        ]
        lines = [line for line in every if any(getattr(line, f) for f in figures)]
        if lines:
            found.append({"name": name, "lines": lines, "figures": figures})
    return found


def _changes(
    before: Published | None, after: Published
) -> list[tuple[str, str, list[Change]]]:
    """What is different from the report before: table, line, and its changes."""
    if before is None:
        return []
    found = [
        change
        for change in publications.changes(before.statement, after.statement)
        # Where no district is said, the line is that of the total again.
        if (change.table, change.name) != ("districts", "")
    ]
    lines = groupby(found, key=lambda change: (change.table, change.name))
    return [(*line, list(changes)) for line, changes in lines]


def _bar(total: Line) -> list[tuple[str, float, float]]:
    """The parts of what was received: figure, where it begins and how long, in %."""
    parts = [
        (name, max(0, getattr(total, name)))
        for name in ("spent", "unspent", "returned")
    ]
    whole = sum(amount for _, amount in parts)
    bar: list[tuple[str, float, float]] = []
    begin = 0.0
    for name, amount in parts:
        if amount:
            length = round(100 * amount / whole, 2)
            bar.append((name, round(begin, 2), length))
            begin += length
    return bar


def _day(published: Published, words: Words) -> str:
    zone = ZoneInfo(_service().settings.time_zone)
    return _written(published.at.astimezone(zone).date(), words)


def _seal_day(published: Published, words: Words) -> str:
    return _written(date.fromisoformat(published.day), words) if published.day else ""


def _written(day: date, words: Words) -> str:
    if words.spoken == "fa":
        return words.digits(jalali_day(day))
    return day.isoformat()


def _kept(answer: Response) -> Response:
    """What a browser and a proxy may keep for a while, and ask about afterwards."""
    answer.headers.update(HEADERS)
    answer.set_etag(hashlib.sha256(answer.get_data()).hexdigest()[:32])
    answer.make_conditional(request)
    return answer


def _line(text: str, status: int) -> Response:
    return Response(
        f"{text}\n", status=status, content_type="text/plain; charset=utf-8"
    )


def _service() -> Service:
    service: Service = current_app.extensions["yarigar"]
    return service
