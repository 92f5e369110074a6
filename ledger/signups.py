"""Volunteers. A person signs up once for a campaign, however often they ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select

from ledger import codes, events, schema
from ledger.events import Recorded
from ledger.vault import Keys

__all__ = ["SignedUp", "sign_up"]

_signup = schema.signup.c
_person = schema.person.c
_insert = insert(schema.signup)
_lock = (
    select(_person.id)
    .where(_person.id == bindparam("of_person"))
    .with_for_update(key_share=True)
)
_existing = (
    select(_signup.event_id, schema.event.c.key, schema.code.c.code)
    .select_from(
        schema.signup.join(schema.event, schema.event.c.id == _signup.event_id).join(
            schema.code, schema.code.c.event_id == _signup.event_id
        )
    )
    .where(
        _signup.person_id == bindparam("of_person"),
        _signup.campaign == bindparam("for_campaign"),
        _signup.test == bindparam("in_test"),
    )
)


@dataclass(frozen=True, slots=True)
class SignedUp:
    """The code a volunteer has, and whether they had it before this call asked."""

    recorded: Recorded
    code: str
    already: bool


def sign_up(
    db: Connection,
    keys: Keys,
    *,
    key: str,
    person_id: int,
    campaign: str,
    place_kind: str,
    place: str | None,
    province: str | None,
    district: str | None,
    skill: str,
    time: str,
    consent: str,
    channel: str,
    test: bool,
    at: datetime,
) -> SignedUp:
    """Sign a person up for a campaign and give the sign-up its code.

    A second sign-up under another key is noted as an event and returns the code of the
    first; the same key again returns what it returned.
    """
    given = {
        "campaign": campaign,
        "place_kind": place_kind,
        "place": place,
        "province": province,
        "district": district,
        "skill": skill,
        "time": time,
        "consent": consent,
    }
    first = _locked(db, person_id, campaign, test)
    again = first is not None and first.key != key
    recorded = events.record(
        db,
        key=key,
        kind="signup.again" if again else "signup",
        body=_body(given, first.code if first is not None and again else None),
        person_id=person_id,
        about_id=first.event_id if first is not None and again else None,
        campaign=campaign,
        district=district,
        centre=place if place_kind == "centre" else None,
        channel=channel,
        test=test,
        at=at,
    )
    if first is not None:
        return SignedUp(recorded, first.code, already=again)
    if not recorded.first:
        # The key belongs to something else: its own code answers, nothing is added.
        return SignedUp(recorded, recorded.code or "", already=True)
    code = codes.allot(db, keys, event_id=recorded.event_id)
    db.execute(
        _insert,
        given | {"event_id": recorded.event_id, "person_id": person_id, "test": test},
    )
    return SignedUp(recorded, code, already=False)


def _body(given: Mapping[str, str | None], code: str | None) -> dict[str, str]:
    """What was asked for; a second sign-up also keeps the code it was answered with."""
    named = {**given, "code": code}
    return {name: value for name, value in named.items() if value is not None}


def _locked(
    db: Connection, person_id: int, campaign: str, test: bool
) -> Row[*tuple[Any, ...]] | None:
    """The sign-up that stands, with the person locked: two at once take turns."""
    db.execute(_lock, {"of_person": person_id}).one()
    return db.execute(
        _existing,
        {"of_person": person_id, "for_campaign": campaign, "in_test": test},
    ).first()
