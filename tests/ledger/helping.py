"""Volunteers, needs and places for the tests of invitations."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from ledger import candidates, invitations, inviting, needs, people, signups
from ledger.places.importing import bring_in
from ledger.places.stored import read_tree
from ledger.places.tree import Place, Tree
from ledger.signups import Placed
from ledger.waves import select_waves
from tests.ledger.facts import AT, KEYS

CAMPAIGN = "salam-mahalle"
DAY = timedelta(days=1)
REPLY = timedelta(hours=24)
PLACES = (
    Place("ir", "country", None, {"fa": "ایران"}),
    Place("23", "province", "ir", {"fa": "تهران"}),
    Place("23-tehran", "town", "23", {"fa": "تهران"}),
    Place("23-t11", "district", "23-tehran", {"fa": "منطقه ۱۱"}),
    Place("23-t1", "district", "23-tehran", {"fa": "منطقه ۱"}),
    Place("c11023", "centre", "23-t11", {"fa": "مرکز الف"}, dial="11023"),
    Place("c11449", "centre", "23-t1", {"fa": "مرکز ب"}, dial="11449"),
    Place("16", "province", "ir", {"fa": "ایلام"}),
    Place("16-ilam", "town", "16", {"fa": "ایلام"}),
)
TREE = Tree(PLACES)


def phone(number: int) -> str:
    return f"+98912{number:07}"


def settle(db: Connection) -> None:
    bring_in(db, read_tree(db), PLACES, by="test", at=AT)


def volunteer(
    db: Connection,
    number: int,
    *,
    place: str | None = "c11023",
    skill: str = "teaching",
    test: bool = False,
) -> int:
    """Sign the phone of that number up; returns whose it is."""
    person = people.remember(db, KEYS, phone(number), at=AT)
    signups.sign_up(
        db,
        KEYS,
        key=f"signup:{number}:{test}",
        person_id=person.id,
        campaign=CAMPAIGN,
        place_kind="centre",
        place=place,
        province=None,
        district=None,
        skill=skill,
        time="when-needed",
        consent="m" * 64,
        placed=Placed(place_code=place),
        channel="at",
        test=test,
        at=AT,
    )
    return person.id


def need(
    db: Connection,
    key: str = "need:1",
    *,
    vacancies: int = 1,
    skill: str = "teaching",
    place: str = "c11023",
    urgency: int = 3,
    meets_at: datetime = AT + 3 * DAY,
    test: bool = False,
    at: datetime = AT,
) -> int:
    return needs.raise_need(
        db,
        key=key,
        campaign=CAMPAIGN,
        place=place,
        title="درس ریاضی",
        skill=skill,
        vacancies=vacancies,
        urgency=urgency,
        meets_at=meets_at,
        district=None,
        centre=place,
        by="sara",
        test=test,
        at=at,
    ).event_id


def wave(db: Connection, *, at: datetime = AT, week_max: int = 1) -> int:
    """Choose whom to ask for all that waits; how many."""
    waiting = candidates.lacking(db, at=at)
    chosen: dict[int, list[tuple[int, int]]] = {}
    for test in sorted({one.test for one in waiting}):
        ours = [one.wanted for one in waiting if one.test == test]
        there = candidates.volunteers(
            db,
            TREE,
            campaign=CAMPAIGN,
            test=test,
            near={wanted.place for wanted in ours},
            week_max=week_max,
            at=at,
        )
        for need_id, numbers in select_waves(there, ours).items():
            chosen[need_id] = [(there.people[n], there.signups[n]) for n in numbers]
    return candidates.write(db, waiting, chosen, again=REPLY, at=at)


def ask_all(db: Connection, *, at: datetime = AT) -> list[int]:
    """Ask everybody who was chosen; the ids of their invitations."""
    waiting = invitations.chosen(db, limit=1000)
    for one in waiting:
        inviting.ask(db, one, reply_time=REPLY, at=at)
    return [one.id for one in waiting]


def answer(
    db: Connection,
    invite_id: int,
    person_id: int,
    *,
    yes: bool = True,
    key: str = "",
    at: datetime = AT + timedelta(hours=1),
) -> inviting.Answered:
    return inviting.answer(
        db,
        key=key or f"answer:{invite_id}:{yes}",
        invite_id=invite_id,
        person_id=person_id,
        yes=yes,
        channel="kave",
        test=False,
        at=at,
    )
