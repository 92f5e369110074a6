"""The carrier behind the simulator's page.

The page's script talks to the real webhooks itself, but only dialects know the formats:
here it is told what a carrier would ask, and what a handset would show of the reply.
Test channels only, and nothing is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, TypeVar

import structlog
from flask import Blueprint, Response, current_app, jsonify, request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from redis.exceptions import RedisError

from gateway.calling import PAUSE_SECONDS
from gateway.carrier_side import (
    TAKEN,
    answer_of,
    is_like_a_retry,
    speaks_http,
    wired,
)
from gateway.greeting import NotSpoken, choose_language
from gateway.library import NoMenus
from gateway.service import Service
from gateway.settings import Settings, UssdChannel
from ledger.engine import LedgerError
from phone.dialcode import NotADialCode, normalise
from phone.numbers import NotAPhone, from_person
from ussd.turn import Call, Ending, Unreadable

__all__ = ["bp", "rehearsed"]

bp = Blueprint("carrier", __name__)

ANSWERS_MAX = 100
ANSWER_CHARS_MAX = 200
REPLY_CHARS_MAX = 20_000
HEADERS_MAX = 50
HEADER_CHARS_MAX = 2_000

log = structlog.get_logger()

Name = Annotated[str, StringConstraints(max_length=40)]
Typed = Annotated[str, StringConstraints(max_length=ANSWER_CHARS_MAX)]
Header = Annotated[str, StringConstraints(max_length=HEADER_CHARS_MAX)]


class Kind(StrEnum):
    """What the carrier does."""

    TURN = "turn"
    START = "start"
    REACHED = Ending.REACHED.value
    LEFT = Ending.LEFT.value
    CUT = Ending.CUT.value


class _Told(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)


Told = TypeVar("Told", bound=_Told)


class _Call(_Told):
    session: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    phone: Annotated[str, StringConstraints(max_length=40)]
    dialled: Annotated[str, StringConstraints(max_length=64)]
    answers: list[Typed] = Field(max_length=ANSWERS_MAX)


class _Asked(_Told):
    channel: Name
    call: _Call
    kind: Kind


class _Replied(_Told):
    channel: Name
    status: int
    headers: dict[Name, Header] = Field(max_length=HEADERS_MAX)
    body: Annotated[str, StringConstraints(max_length=REPLY_CHARS_MAX)]


class _Language(_Told):
    channel: Name
    phone: Annotated[str, StringConstraints(max_length=40)]
    language: Name


class _Refused(Exception):
    """What the page asked cannot be; the sentence says why."""


@bp.errorhandler(_Refused)
def _refused(refused: _Refused) -> tuple[Response, int]:
    return jsonify(error=str(refused)), 400


@bp.post("/request")
def ask() -> tuple[Response | str, int]:
    """The request that a carrier would send; 204 where it would send nothing.

    `pause_ms` is how long after the last reply it should go at the earliest.
    """
    asked = _read(_Asked)
    name, channel = _channel(asked.channel)
    try:
        call = Call(
            session=asked.call.session,
            phone=_phone(asked.call.phone),
            dialled=normalise(asked.call.dialled),
            answers=() if asked.kind is Kind.START else tuple(asked.call.answers),
        )
    except NotADialCode:
        raise _Refused("that is no dial code: write it as *780*5588*1#") from None
    dialect = _service().doors[name].dialect
    hurries = False
    if asked.kind in (Kind.TURN, Kind.START):
        sent = dialect.send(call)
        hurries = is_like_a_retry(dialect, call)
    else:
        told = dialect.send_end(call, Ending(asked.kind))
        if told is None:
            return "", 204
        sent = told
    written = wired(sent, name, channel)
    return jsonify(
        method=written.method,
        url=written.url,
        headers=dict(written.headers),
        body=written.body,
        pause_ms=round(PAUSE_SECONDS * 1000) if hurries else 0,
    ), 200


@bp.post("/heard")
def hear() -> tuple[Response, int]:
    """The screen a handset shows for a reply, and whether the call ends."""
    told = _read(_Replied)
    name, _ = _channel(told.channel)
    if told.status not in TAKEN:
        raise _Refused(f"a carrier shows no screen that came with {told.status}")
    answer = answer_of(told.status, told.headers, told.body)
    try:
        text, ends = _service().doors[name].dialect.heard(answer)
    except Unreadable as reason:
        raise _Refused(str(reason)) from None
    return jsonify(text=text, ends=ends), 200


@bp.post("/language")
def remember() -> tuple[Response | str, int]:
    """Remember a language for a number, as its caller could by dialling."""
    chosen = _read(_Language)
    _channel(chosen.channel)
    service = _service()
    phone = _phone(chosen.phone)
    try:
        choose_language(service, phone, chosen.language, at=service.clock())
    except NotSpoken as reason:
        raise _Refused(str(reason)) from None
    except (LedgerError, NoMenus, RedisError) as failure:
        log.warning("language_not_kept", why=type(failure).__name__)
        return jsonify(error="the language cannot be remembered now"), 503
    return "", 204


def rehearsed(settings: Settings) -> Mapping[str, UssdChannel]:
    """The doors that a rehearsal may knock at."""
    return {n: c for n, c in settings.ussd.items() if c.test and speaks_http(c)}


def _read(kind: type[Told]) -> Told:
    if request.mimetype != "application/json":
        # Another site's page may post any form, and no JSON without asking first.
        raise _Refused("the body: should be application/json")
    try:
        return kind.model_validate_json(request.get_data())
    except ValidationError as refused:
        fault = refused.errors(include_url=False, include_input=False)[0]
        # Further down stand names and numbers of whoever asked.
        depth = 2 if fault["loc"][:1] == ("call",) else 1
        where = ".".join(map(str, fault["loc"][:depth])) or "the body"
        raise _Refused(f"{where}: {fault['msg']}") from None


def _channel(name: str) -> tuple[str, UssdChannel]:
    found = rehearsed(_service().settings).get(name)
    if found is None:
        raise _Refused("channel: there is no test channel of that name")
    return name, found


def _phone(written: str) -> str:
    try:
        return from_person(written, _service().settings.region)
    except NotAPhone as reason:
        raise _Refused(f"My number: {reason}") from None


def _service() -> Service:
    service: Service = current_app.extensions["yarigar"]
    return service
