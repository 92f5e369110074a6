"""Invitations as time goes by: chosen, asked, let go, reminded of, called off.

Each step is bounded, so a wave of thousands leaves little by little; `yarigar needs
list` says how far it has come. Nothing here is done at night.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from gateway import pushing
from gateway.apart import Apart
from gateway.invitations import meeting
from gateway.receipts import promise_text
from gateway.service import Service
from ledger import candidates, invitations, inviting, needs, people, stops
from ledger.candidates import Lacking
from ledger.engine import Connection, reading, writing
from ledger.invitations import Invite
from ledger.needs import LIVE, Need, NeedState
from ledger.waves import select_waves
from ussd.menus import Menus

__all__ = ["choose", "sweep_needs"]

# So many are asked, told, let go and closed in one sweep.
ASKED_A_SWEEP_MAX = 100
TOLD_A_SWEEP_MAX = 100
SILENT_A_SWEEP_MAX = 2_000
OVER_A_SWEEP_MAX = 500
# So many needs and invitations are written in one transaction.
WRITTEN_AT_ONCE = 2_000
# Who cannot be asked a second time now is looked at again after so long.
REMIND_AGAIN = timedelta(minutes=10)
SCREEN = "inv.ask"

log = structlog.get_logger()


def sweep_needs(service: Service, menus: Menus, apart: Apart, at: datetime) -> None:
    """Do what is due about needs and invitations now."""
    with apart("invitations", "silent"), writing(service.engine) as db:
        inviting.silence(db, at=at, limit=SILENT_A_SWEEP_MAX)
    with apart("invitations", "chosen"):
        choose(service, at)
    with reading(service.engine) as db:
        waiting = invitations.chosen(db, limit=ASKED_A_SWEEP_MAX)
        comes_to_nothing = invitations.to_tell(db, at=at, limit=TOLD_A_SWEEP_MAX)
        remembered = invitations.to_remind(db, at=at, limit=TOLD_A_SWEEP_MAX)
        ended = needs.over(db, at=at, limit=OVER_A_SWEEP_MAX)
    for one in waiting:
        with apart("invite", one.id), writing(service.engine) as db:
            _ask(db, service, menus, one, at)
    for one in comes_to_nothing:
        with apart("invite off", one.id), writing(service.engine) as db:
            _call_off(db, service, menus, one, at)
    for one in remembered:
        with apart("invite remind", one.id), writing(service.engine) as db:
            _remind(db, service, menus, one, at)
    for need in ended:
        with apart("need", need.id), writing(service.engine) as db:
            _end(db, need.id, at)


def choose(service: Service, at: datetime) -> int:
    """Choose whom to ask for every need that waits now; how many.

    Volunteers are read once for all needs of a campaign, outside the transactions that
    write what was chosen.
    """
    engine, tree = service.engine, service.places.current()
    settings = service.settings
    with reading(engine) as db:
        waiting = candidates.lacking(db, at=at)
    if not waiting:
        return 0
    chosen: dict[int, Sequence[tuple[int, int]]] = {}
    for campaign, test in sorted({(one.campaign, one.test) for one in waiting}):
        ours = [
            one.wanted
            for one in waiting
            if (one.campaign, one.test) == (campaign, test) and one.wanted.number > 0
        ]
        if not ours:
            continue
        with reading(engine, snapshot=True) as db:
            people_there = candidates.volunteers(
                db,
                tree,
                campaign=campaign,
                test=test,
                near={wanted.place for wanted in ours},
                week_max=settings.invitations_per_week,
                at=at,
            )
        for need_id, numbers in select_waves(people_there, ours).items():
            chosen[need_id] = [
                (people_there.people[number], people_there.signups[number])
                for number in numbers
            ]
    again = timedelta(hours=settings.invitation_reply_hours)
    written = _written(service, waiting, chosen, again=again, at=at)
    if written:
        log.info("invitations_chosen", number=written, needs=len(chosen))
    return written


def _written(
    service: Service,
    waiting: Sequence[Lacking],
    chosen: Mapping[int, Sequence[tuple[int, int]]],
    *,
    again: timedelta,
    at: datetime,
) -> int:
    written = 0
    for some in _pieces(waiting, chosen):
        with writing(service.engine) as db:
            written += candidates.write(db, some, chosen, again=again, at=at)
    return written


def _pieces(
    waiting: Sequence[Lacking], chosen: Mapping[int, Sequence[tuple[int, int]]]
) -> Iterator[Sequence[Lacking]]:
    """So many needs at once as ask a few thousand people."""
    some: list[Lacking] = []
    size = 0
    for one in waiting:
        some.append(one)
        size += 1 + len(chosen.get(one.wanted.need_id, ()))
        if size >= WRITTEN_AT_ONCE:
            yield some
            some, size = [], 0
    if some:
        yield some


def _ask(
    db: Connection, service: Service, menus: Menus, one: Invite, at: datetime
) -> None:
    """Ask one who was chosen, unless that is not to be any more."""
    person = people.hold(db, person_id=one.person_id)
    if person is None or _is_not_to_ask(db, menus, one):
        inviting.withdraw(db, invite_id=one.id, at=at)
        return
    reply_time = timedelta(hours=service.settings.invitation_reply_hours)
    asked = inviting.ask(db, one, reply_time=reply_time, at=at)
    if asked is None:
        return
    recorded, need, until = asked
    _push(
        db,
        service,
        menus,
        one,
        need,
        template="sms.vol.invite",
        event_id=recorded.event_id,
        language=person.language,
        at=at,
        until=until,
    )


def _is_not_to_ask(db: Connection, menus: Menus, one: Invite) -> bool:
    """Whether they said 11 meanwhile, or have another invitation to answer."""
    return stops.wants_none(
        db, person_id=one.person_id, test=one.test
    ) or pushing.is_asked(
        db, menus, person_id=one.person_id, screen=SCREEN, test=one.test
    )


def _remind(
    db: Connection, service: Service, menus: Menus, one: Invite, at: datetime
) -> None:
    """Ask who comes a second time; while a question of ours waits for them, or they
    want no texts, others have the turn.
    """
    person = people.hold(db, person_id=one.person_id)
    if person is None or _is_not_to_ask(db, menus, one):
        inviting.put_off(db, invite_id=one.id, until=at + REMIND_AGAIN)
        return
    reminded = inviting.remind(db, invite_id=one.id, at=at)
    if reminded is None:
        return
    recorded, need = reminded
    _push(
        db,
        service,
        menus,
        one,
        need,
        template="sms.vol.remind",
        event_id=recorded.event_id,
        language=person.language,
        at=at,
        until=need.meets_at,
    )


def _push(
    db: Connection,
    service: Service,
    menus: Menus,
    one: Invite,
    need: Need,
    *,
    template: str,
    event_id: int,
    language: str | None,
    at: datetime,
    until: datetime,
) -> None:
    spoken = language if language in menus.languages else menus.languages[0]
    assert spoken is not None
    tree = service.places.current()
    pushing.ask_person(
        db,
        service.keys,
        menus,
        person_id=one.person_id,
        event_id=event_id,
        template=template,
        slots=meeting(need, tree, spoken, service.settings.time_zone),
        screen=SCREEN,
        answers={"invite": str(one.id)},
        campaign=need.campaign,
        test=one.test,
        at=at,
        expires_at=until,
    )


def _call_off(
    db: Connection, service: Service, menus: Menus, one: Invite, at: datetime
) -> None:
    """Tell who comes that it is called off."""
    person = people.hold(db, person_id=one.person_id)
    called_off = inviting.call_off(db, invite_id=one.id, at=at)
    if person is None or called_off is None:
        return
    recorded, need = called_off
    spoken = person.language or menus.languages[0]
    tree = service.places.current()
    promise_text(
        db,
        menus,
        template="sms.vol.off",
        event_id=recorded.event_id,
        person_id=one.person_id,
        campaign=need.campaign,
        slots=meeting(need, tree, spoken, service.settings.time_zone),
        test=one.test,
        at=at,
        until=need.meets_at if need.meets_at > at else None,
    )


def _end(db: Connection, need_id: int, at: datetime) -> None:
    """Close a need whose time has come; nothing is left to be done about it."""
    need = needs.lock(db, need_id=need_id)
    if need.state in LIVE:
        needs.put(db, need_id, at=at, state=NeedState.CLOSED, next_at=None)
    else:
        needs.put(db, need_id, at=at, next_at=None)
