"""What becomes of a sign-up: other answers, leaving, coming back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, update

from ledger import events, inviting, schema
from ledger.events import Recorded
from ledger.signups import (
    BACK,
    NOWHERE,
    Mine,
    Placed,
    Said,
    State,
    Where,
    body_of,
    locked,
    put,
)
from ledger.vault import Keys

__all__ = ["CHANGE", "LEAVE", "Changed", "change", "come_back", "leave"]

CHANGE, LEAVE = "signup.change", "signup.leave"

_signup = schema.signup.c


@dataclass(frozen=True, slots=True)
class Changed:
    """What was done about a sign-up. `done` is False where there was nothing to do:
    no sign-up, one that was left, one that was not."""

    done: bool
    code: str = ""
    recorded: Recorded | None = None


def change(
    db: Connection,
    keys: Keys,
    *,
    key: str,
    person_id: int,
    campaign: str,
    said: Said,
    placed: Placed = NOWHERE,
    booth: str | None = None,
    name: str | None = None,
    channel: str,
    test: bool,
    at: datetime,
) -> Changed:
    """Give other answers to a sign-up that stands; its code and its round stay.

    So does the consent: nobody was asked for it again. Nothing is done for who left
    meanwhile: the one that comes first stands.
    """
    mine = locked(db, person_id=person_id, campaign=campaign, test=test)
    if mine is None:
        return Changed(done=False)
    if mine.state is not State.ACTIVE:
        return _repeated(db, key, mine, CHANGE)
    said = replace(said, consent=mine.consent)
    where = Where(placed.place_code, mine.round, booth or mine.booth)
    recorded = events.record(
        db,
        key=key,
        kind=CHANGE,
        body=body_of(campaign, said, where, mine.code),
        person_id=person_id,
        about_id=mine.event_id,
        campaign=campaign,
        district=placed.district,
        centre=placed.centre,
        channel=channel,
        test=test,
        at=at,
    )
    if recorded.first:
        put(db, keys, mine, said, where, name=name, at=at)
    return Changed(_is_new_or_same(recorded), mine.code, recorded)


def leave(
    db: Connection,
    *,
    key: str,
    person_id: int,
    campaign: str,
    placed: Placed = NOWHERE,
    channel: str,
    test: bool,
    at: datetime,
) -> Changed:
    """Take a volunteer out, who may come back; the answers and the code stay."""
    mine = locked(db, person_id=person_id, campaign=campaign, test=test)
    if mine is None:
        return Changed(done=False)
    if mine.state is not State.ACTIVE:
        return _repeated(db, key, mine, LEAVE)
    inviting.withdraw_all(db, person_id=person_id, campaign=campaign, test=test, at=at)
    return _moved(
        db, mine, State.LEFT, LEAVE, key, placed, channel=channel, test=test, at=at
    )


def come_back(
    db: Connection,
    *,
    key: str,
    person_id: int,
    campaign: str,
    consent: str,
    placed: Placed = NOWHERE,
    round_id: str = "",
    channel: str,
    test: bool,
    at: datetime,
) -> Changed:
    """Take a volunteer who had left in again, with the answers and the code of then.

    `consent` are the menus whose words were accepted now; `round_id` is the round that
    is open now, empty between two.
    """
    mine = locked(db, person_id=person_id, campaign=campaign, test=test)
    if mine is None:
        return Changed(done=False)
    if mine.state is not State.LEFT:
        return _repeated(db, key, mine, BACK)
    mine = replace(mine, consent=consent, round=round_id or None)
    return _moved(
        db, mine, State.ACTIVE, BACK, key, placed, channel=channel, test=test, at=at
    )


def _moved(
    db: Connection,
    mine: Mine,
    state: State,
    kind: str,
    key: str,
    placed: Placed,
    *,
    channel: str,
    test: bool,
    at: datetime,
) -> Changed:
    said = Said(
        mine.place_kind,
        mine.place,
        mine.province,
        mine.district,
        mine.skill,
        mine.time,
        mine.consent,
    )
    where = Where(mine.place_code, mine.round, mine.booth)
    recorded = events.record(
        db,
        key=key,
        kind=kind,
        body=body_of(mine.campaign, said, where, mine.code),
        person_id=mine.person_id,
        about_id=mine.event_id,
        campaign=mine.campaign,
        district=placed.district,
        centre=placed.centre,
        channel=channel,
        test=test,
        at=at,
    )
    if recorded.first:
        db.execute(
            update(schema.signup)
            .where(_signup.event_id == mine.event_id)
            .values(state=state, consent=mine.consent, round=mine.round, changed_at=at)
        )
    return Changed(_is_new_or_same(recorded), mine.code, recorded)


def _repeated(db: Connection, key: str, mine: Mine, kind: str) -> Changed:
    """The same act again is answered as it was; another one comes too late."""
    before = events.find(db, key=key)
    if before is None or before.kind != kind:
        return Changed(done=False, code=mine.code)
    return Changed(True, mine.code, Recorded(before.event_id, first=False))


def _is_new_or_same(recorded: Recorded) -> bool:
    return recorded.first or "kind" not in recorded.differs
