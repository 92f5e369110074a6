"""The board of all districts as everybody may read it: no script, nothing of a few."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, current_app, render_template, request
from flask.blueprints import BlueprintSetupState

from gateway.board_words import GROUPS, TITLES, Line, has_anything, public, title, word
from gateway.boards import Boards
from gateway.service import Service
from ledger.engine import LedgerError
from ledger.places.kinds import Kind
from ledger.places.tree import Tree
from phone.dates import jalali
from phone.digits import persian_digits

bp = Blueprint(
    "board",
    __name__,
    url_prefix="/board",
    static_folder=Path(__file__).parent.parent / "static",
    static_url_path="/static",
)

KEPT_SECONDS = 60
CODE_CHARS_MAX = 16
LINES_MAX = 1_000
# None below: a centre is few people.
LEVELS = (Kind.PROVINCE, Kind.TOWN, Kind.DISTRICT, Kind.NAHIYEH, Kind.NEIGHBOURHOOD)
CAPITAL = "23-tehran"
LANGUAGES = ("fa", "en")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": f"public, max-age={KEPT_SECONDS}",
}


@bp.record
def _begin(state: BlueprintSetupState) -> None:
    service: Service = state.app.extensions["yarigar"]
    state.app.extensions["yarigar.boards"] = Boards(service.engine)


@bp.get("/")
@bp.get("")
def page() -> Response:
    """The figures of every district, or of `?level=` within `?within=`, in `?lang=`.

    They are a minute old at the most.
    """
    service: Service = current_app.extensions["yarigar"]
    boards: Boards = current_app.extensions["yarigar.boards"]
    at = service.clock()
    zone = service.settings.time_zone
    tree = service.places.current()
    level, within = _asked(tree)
    try:
        counted = boards.of(
            level=level,
            within=within,
            today=at.astimezone(ZoneInfo(zone)).date(),
            at=at,
        )
    except LedgerError:
        answer = _line("the board cannot be read now", 503)
        answer.headers["Retry-After"] = "30"
        return answer
    language = request.args.get("lang", "")
    language = language if language in LANGUAGES else LANGUAGES[0]
    *lines, (_, sums) = public(counted.rows)
    shown = [line for line in lines if has_anything(line[1])][:LINES_MAX]
    place = tree.place(within)
    answer = Response(
        render_template(
            "board.html",
            language=language,
            fa=language == "fa",
            titles=TITLES[language],
            groups=_groups(shown),
            lines=[(title(code, tree, language), told) for code, told in shown],
            sums=sums,
            word=lambda figure, number: word(figure, number, language),
            place=place.title(language) if place is not None else "",
            at=_written(counted.at, zone, language),
            query={"level": level, "within": within},
        ),
        content_type="text/html; charset=utf-8",
    )
    answer.headers.update(HEADERS)
    return answer


def _asked(tree: Tree) -> tuple[str, str]:
    """The level and the place that are asked for; 404 for what there is not."""
    level = request.args.get("level", "") or Kind.DISTRICT
    within = request.args.get("within", "")
    if level not in LEVELS:
        abort(_line("there is no such level", 404))
    if within and (len(within) > CODE_CHARS_MAX or tree.place(within) is None):
        abort(_line("there is no such place", 404))
    return str(level), within or _capital(tree)


def _capital(tree: Tree) -> str:
    """The town with the districts, or all that an operator's own file has."""
    if tree.place(CAPITAL) is not None:
        return CAPITAL
    with suppress(StopIteration):
        return next(one.code for one in tree if one.kind == Kind.COUNTRY)
    return CAPITAL


def _groups(shown: list[Line]) -> list[tuple[str, list[str]]]:
    """The figures of which anything is shown, in their groups."""
    found = []
    for group, names in GROUPS.items():
        some = [name for name in names if any(told[name] != 0 for _, told in shown)]
        if some:
            found.append((group, some))
    return found


def _written(at: datetime, zone: str, language: str) -> str:
    written = jalali(at, zone)
    return persian_digits(written) if language == "fa" else written


def _line(text: str, status: int) -> Response:
    return Response(
        f"{text}\n", status=status, content_type="text/plain; charset=utf-8"
    )
