"""What of the time bank falls due: who is asked for whom, and what nobody answered.

Each thing is a transaction of its own. What is asked is asked by day: the sweep rests
at night.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

import structlog

from gateway import receipts
from gateway.pushing import ask_person, flow_of
from gateway.rules import hours_of
from gateway.service import Service
from gateway.timebank.calling_off import tell_both
from gateway.timebank.whereabouts import above, centre_of, reach, said
from ledger import people, questions, stops
from ledger.engine import Connection, reading, writing
from ledger.places.tree import Tree
from ledger.timebank import favours, hours, introductions, suggesting
from ledger.timebank.favours import LASTS
from ledger.timebank.standing import HOUR, Limits, everybodys
from ledger.timebank.suggesting import Open, Suggestion
from ledger.vault import Keys
from ussd.menus import Menus
from ussd.telling import spoken

__all__ = ["sweep"]

# A giver has so long to answer.
ANSWER_WITHIN = timedelta(days=1)
# A need that nobody was found for is looked at again after so long, and its person is
# told once that it is still open.
AGAIN_AFTER = timedelta(hours=1)
NONE_AFTER = timedelta(days=1)
LOOK_MAX = 20_000
ASKED_MAX = 200
LAPSED_MAX = 200
TOLD_NONE_MAX = 500
SCREEN = "tb.one"
NOBODY_YET = "sms.tb.none"

Apart = Callable[[str, int | str], AbstractContextManager[None]]

log = structlog.get_logger()


def sweep(service: Service, menus: Menus, apart: Apart, at: datetime) -> None:
    """Do what is due now; raises LedgerError where the ledger does not answer."""
    _lapse(service, menus, apart, at)
    for test in (False, True):
        _suggest(service, menus, apart, at, test=test)


def _lapse(service: Service, menus: Menus, apart: Apart, at: datetime) -> None:
    """End what nobody answered, and what nobody wants any more."""
    with reading(service.engine) as db:
        over = suggesting.lapsed(
            db, "asked", "told", "accepted", "introduced", at=at, limit=LAPSED_MAX
        )
        old = suggesting.stale(db, before=at - LASTS, at=at, limit=LAPSED_MAX)
    for number, state in over:
        with apart("introduction", number), writing(service.engine) as db:
            if state == "asked":
                introductions.silent(db, number, at=at)
            elif state == "told":
                _void(db, menus, number, at)
            else:
                undone = introductions.withdraw(
                    db,
                    key=f"introduction.lapsed:{number}",
                    introduction_id=number,
                    by="schedule",
                    channel="schedule",
                    at=at,
                )
                tell_both(db, menus, undone, channel="schedule", at=at)
    for favour_id in old:
        with apart("favour", favour_id), writing(service.engine) as db:
            one = favours.by_id(db, favour_id)
            if one is not None:
                key = f"favour.old:{favour_id}"
                favours.close(
                    db, one, key=key, by="schedule", channel="schedule", at=at
                )


def _void(db: Connection, menus: Menus, number: int, at: datetime) -> None:
    """Void hours that were not confirmed, and tell who said they gave them."""
    done = hours.expire(db, number, at=at)
    if done is None or done.introduction is None or done.recorded is None:
        return
    one = done.introduction
    receipts.promise_text(
        db,
        menus,
        template="sms.tb.lapsed",
        event_id=done.recorded.event_id,
        person_id=one.giver_id,
        campaign=one.campaign,
        slots={"hours": one.minutes // HOUR, "code": done.code},
        test=one.test,
        at=at,
    )


def _suggest(
    service: Service, menus: Menus, apart: Apart, at: datetime, *, test: bool
) -> None:
    """Ask somebody for each need that is due; who has nobody is looked at later.

    Read is what lies near these needs, and who is concerned.
    """
    tree = service.places.current()
    with reading(service.engine) as db:
        needs = suggesting.due(db, test=test, at=at, limit=LOOK_MAX)
        if not needs:
            return
        offers = suggesting.offers(
            db,
            kinds={one.kind for one in needs},
            places=reach(tree, {one.place for one in needs}),
            test=test,
        )
        pairs, busy = suggesting.tried(db, needs, test=test, at=at)
        # One question of ours at a time: a yes must not be to another one.
        busy |= questions.asked(db, flow=flow_of(menus, SCREEN), test=test)
        busy |= stops.refusing(db, test=test)
        concerned = {one.person_id for one in (*needs, *offers)}
        standings = everybodys(db, test=test, people=concerned)
    limits: Limits = hours_of(service.settings)
    found = suggesting.suggest(
        needs,
        offers,
        above=lambda place: above(tree, place),
        standings=standings,
        limits=limits,
        tried=pairs,
        busy=busy,
    )
    by_id = {one.id: one for one in needs}
    for one in found[:ASKED_MAX]:
        with apart("suggestion", one.need_id), writing(service.engine) as db:
            _ask(db, service.keys, menus, tree, one, by_id[one.need_id], at)
    # The others of a long list are found again at once.
    later = by_id.keys() - {one.need_id for one in found}
    if later:
        with apart("needs", len(later)), writing(service.engine) as db:
            suggesting.look_again(db, sorted(later), at=at + AGAIN_AFTER)
        long_open = [
            one for one in needs if one.id in later and one.at <= at - NONE_AFTER
        ]
        with reading(service.engine) as db:
            untold = suggesting.untold(
                db, long_open, template=NOBODY_YET, limit=TOLD_NONE_MAX
            )
        for need in untold:
            with apart("nobody yet", need.id), writing(service.engine) as db:
                _tell_none(db, menus, need, test=test, at=at)
    if found:
        log.info("hours_suggested", number=len(found[:ASKED_MAX]), rehearsed=test)


def _ask(
    db: Connection,
    keys: Keys,
    menus: Menus,
    tree: Tree,
    one: Suggestion,
    need: Open,
    at: datetime,
) -> None:
    """Ask a giver by text, as somebody who may not be there any more."""
    centre = centre_of(tree, need.place)
    asked = introductions.ask(
        db,
        offer_id=one.offer_id,
        need_id=one.need_id,
        minutes=one.minutes,
        place=centre.code if centre else need.place,
        at=at,
        expires_at=at + ANSWER_WITHIN,
    )
    giver = people.known(db, person_id=one.giver_id)
    if asked is None or giver is None:
        suggesting.look_again(db, [need.id], at=at + AGAIN_AFTER)
        return
    language = spoken(menus, giver.language or menus.languages[0])
    ask_person(
        db,
        keys,
        menus,
        person_id=one.giver_id,
        event_id=asked.id,
        template="sms.tb.ask",
        slots={
            "kind": asked.kind,
            "hours": asked.minutes // HOUR,
            "where": said(tree, need.place, language),
        },
        screen=SCREEN,
        answers={"introduction": str(asked.id)},
        campaign=asked.campaign,
        test=asked.test,
        at=at,
        expires_at=asked.expires_at,
    )


def _tell_none(
    db: Connection, menus: Menus, need: Open, *, test: bool, at: datetime
) -> None:
    """Say once that nobody was found yet: the text is the need's own."""
    one = favours.by_id(db, need.id)
    if one is None:
        return
    receipts.promise_text(
        db,
        menus,
        template=NOBODY_YET,
        event_id=need.id,
        person_id=need.person_id,
        campaign=one.campaign,
        slots={"code": one.code},
        test=test,
        at=at,
    )
