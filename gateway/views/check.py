"""A page where a donor checks a gift: in the browser, or in our word without scripts.

Code and amount come in the body of a POST, so that they stand in no address, history
or log, and no answer is kept by anybody.

    200  in the books: the proof
    202  recorded and not sealed yet, or a rehearsal, which never is
    400  no code, or no amount
    404  nothing that has this code and this amount
    413  the body is too long
    429  too many tries
    503  not now
"""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from datetime import date
from http import HTTPStatus
from pathlib import Path
from typing import Any

import structlog
from flask import Blueprint, Response, current_app, jsonify, render_template, request
from redis.exceptions import RedisError

from gateway.addresses import caller, household
from gateway.check_words import LANGUAGES, words_in
from gateway.checking import Checked, Misread, State, check, read
from gateway.library import NoMenus
from gateway.report_words import Words
from gateway.sealing import signer
from gateway.service import Service
from gateway.tries import Limit, wait
from ledger.chart import RIAL
from ledger.engine import LedgerError, NotRead
from ledger.funds import Share
from ledger.sealing import leaves
from ledger.sealing.proofs import Proof, ProvedLeaf
from phone.dates import jalali_day
from ussd.menus import Menus

bp = Blueprint(
    "check",
    __name__,
    url_prefix="/check",
    static_folder=Path(__file__).parent.parent / "static",
    static_url_path="/static",
)

BODY_BYTES_MAX = 4 * 1024
RETRY_SECONDS = 30
# Thousands stand behind one address of a mobile carrier; who guesses has one code in
# ninety, or far fewer, and then the amount.
ADDRESS_LIMIT = Limit("check-address", tries_max=30, seconds=600)
CODE_LIMIT = Limit("check-code", tries_max=10, seconds=3600)
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; "
    "style-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
FIELDS = ("code", "amount")

log = structlog.get_logger()

_STATUS = {
    State.SEALED: HTTPStatus.OK,
    State.WAITING: HTTPStatus.ACCEPTED,
    State.REHEARSED: HTTPStatus.ACCEPTED,
    State.MISSED: HTTPStatus.NOT_FOUND,
}


class _Refused(Exception):
    """Not looked up: which verdict says why, and when it may be asked again."""

    def __init__(self, verdict: str, status: HTTPStatus, seconds: int = 0) -> None:
        super().__init__(verdict)
        self.verdict = verdict
        self.status = status
        self.seconds = seconds


@bp.get("/", strict_slashes=False)
def page() -> str:
    """The two questions."""
    return _page({})


@bp.post("/", strict_slashes=False)
def answer() -> Response:
    """The answer in our word, for a browser without scripts."""
    try:
        found = _checked()
    except _Refused as refused:
        return _refuse(refused, Response(_page({"verdict": refused.verdict})))
    verdict = "said" if found.state is State.SEALED else str(found.state)
    shown: dict[str, Any] = {"verdict": verdict}
    if found.proof is not None:
        shown |= _told(found) | {
            "asked": {name: request.form[name] for name in FIELDS},
            "lines": [_line(leaf) for leaf in found.proof.leaves],
            "size": found.proof.size,
        }
    return Response(_page(shown), status=_STATUS[found.state])


@bp.post("/proof")
def proof() -> Response:
    """The proof as JSON, with what is only our word; with `save`, the file alone."""
    try:
        found = _checked()
    except _Refused as refused:
        return _refuse(refused, jsonify(state=refused.verdict))
    if found.proof is None:
        return _with_status(jsonify(state=found.state), _STATUS[found.state])
    if "save" in request.form:
        return _file(found.proof)
    key = signer(_service().settings).public_key
    return jsonify(
        state=found.state,
        proof=found.proof.as_json(),
        key=base64.b64encode(key).decode(),
        **_told(found),
    )


@bp.after_request
def _guarded(response: Response) -> Response:
    response.headers.update(HEADERS)
    return response


def _checked() -> Checked:
    """What the books say of what was typed. Raises _Refused."""
    request.max_content_length = BODY_BYTES_MAX
    for name in FIELDS:
        if len(request.form.getlist(name)) != 1:
            raise _Refused(name, HTTPStatus.BAD_REQUEST)
    service = _service()
    try:
        _count(ADDRESS_LIMIT, household(_address()))
        asked = read(*(request.form[name] for name in FIELDS))
        _count(CODE_LIMIT, asked.code)
        return check(service.engine, asked)
    except Misread as misread:
        raise _Refused(misread.field, HTTPStatus.BAD_REQUEST) from None
    except (RedisError, LedgerError) as failure:
        log.error("gift_not_checked", why=type(failure).__name__)
        raise _Refused(
            "away", HTTPStatus.SERVICE_UNAVAILABLE, RETRY_SECONDS
        ) from failure


def _count(limit: Limit, of: str) -> None:
    service = _service()
    seconds = wait(service.redis, service.keys, limit, of)
    if seconds:
        log.warning("gift_checked_too_often", limit=limit.name)
        raise _Refused("often", HTTPStatus.TOO_MANY_REQUESTS, seconds)


def _address() -> str:
    return caller(
        request.environ.get("REMOTE_ADDR", ""),
        request.headers.get("X-Forwarded-For", ""),
        _service().settings.trusted_proxies,
    )


def _told(found: Checked) -> dict[str, Any]:
    """What no leaf shows: the seal's day as phones hear it, and what was bought."""
    menus = _menus()
    words = Words(_language(), menus)
    campaign = menus.campaigns.get(found.campaign) if menus else None
    told: dict[str, Any] = {
        "campaign": campaign.title.get(words.language, "") if campaign else "",
        "purpose": words.line("purposes", found.purpose),
        "became": [_share(share, words) for share in found.shares],
        "seal": None,
    }
    if found.seal is not None:
        told["seal"] = {
            "day": _day(found.seal.day, words),
            "size": found.seal.size,
            "fingerprint": found.seal.fingerprint,
        }
    return told


def _share(share: Share, words: Words) -> dict[str, str]:
    return {
        "title": share.title,
        "number": words.count(share.number),
        "amount": words.toman(share.amount),
        "quantity": words.goods({share.unit: share.quantity}),
        "delivered": words.goods({share.unit: share.delivered}),
    }


def _line(leaf: ProvedLeaf) -> dict[str, str]:
    """A leaf in words, as the page's script writes it too."""
    words, said = Words(_language(), None), words_in(_language())
    shown = leaves.read(leaf.data)
    rial = shown.unit == RIAL
    amount = words.toman(shown.amount) if rial else words.count(shown.amount)
    unit = "toman" if rial else shown.unit
    return {
        "kind": str(said["kinds"].get(shown.kind, shown.kind)),
        "amount": amount,
        "unit": str(said["units"].get(unit, unit)),
        "day": _day(shown.day, words),
        "number": words.count(leaf.number),
    }


def _day(day: str, words: Words) -> str:
    if words.spoken != "fa":
        return day
    return words.digits(jalali_day(date.fromisoformat(day)))


def _page(shown: dict[str, Any]) -> str:
    language = _language()
    said = words_in(language)
    return render_template(
        "check.html",
        language=language,
        fa=language == "fa",
        others=[other for other in LANGUAGES if other != language],
        said_words=json.dumps(said, ensure_ascii=False),
        verdicts=said["verdicts"],
        words=Words(language, None),
        shown=shown,
    )


def _menus() -> Menus | None:
    """The current menus, for titles: a gift can be checked without any."""
    with suppress(NoMenus, NotRead):
        return _service().library.current(None)
    return None


def _language() -> str:
    asked = request.args.get("lang", "")
    return asked if asked in LANGUAGES else LANGUAGES[0]


def _file(found: Proof) -> Response:
    answer = Response(
        json.dumps(found.as_json(), indent=1) + "\n", content_type="application/json"
    )
    answer.headers["Content-Disposition"] = 'attachment; filename="proof.json"'
    return answer


def _refuse(refused: _Refused, answer: Response) -> Response:
    if refused.seconds:
        answer.headers["Retry-After"] = str(refused.seconds)
    return _with_status(answer, refused.status)


def _with_status(answer: Response, status: HTTPStatus) -> Response:
    answer.status_code = status
    return answer


def _service() -> Service:
    service: Service = current_app.extensions["yarigar"]
    return service
