"""Invitations from the need to the answer, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from ledger import erasing, invitations, inviting, needs, schema, signup_changes, stops
from ledger.engine import connect, reading, writing
from ledger.invitations import InviteState
from ledger.inviting import Outcome
from ledger.needs import NeedState, NotOpen
from ledger.vault import look_up
from tests.ledger.facts import AT, KEYS, count
from tests.ledger.helping import (
    CAMPAIGN,
    DAY,
    REPLY,
    answer,
    ask_all,
    need,
    phone,
    settle,
    volunteer,
    wave,
)
from tests.ledger.races import at_once

HOUR = timedelta(hours=1)


def _states(engine: Engine) -> list[str]:
    invite = schema.invite.c
    with reading(engine) as db:
        return list(db.scalars(select(invite.state).order_by(invite.id)))


def _need_state(engine: Engine, need_id: int) -> NeedState:
    with reading(engine) as db:
        found = needs.find(db, need_id=need_id)
    assert found is not None
    return found.state


def test_three_are_asked_for_a_vacancy_and_the_next_wave_asks_others(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        settle(db)
        for number in range(5):
            volunteer(db, number)
        need(db)
        assert wave(db) == 3
        assert wave(db) == 0, "the need waits for its answers"
        ask_all(db)
        later = AT + REPLY
        inviting.silence(db, at=later, limit=10)
        assert wave(db, at=later) == 2
    assert _states(ledger_engine) == ["silent"] * 3 + ["chosen"] * 2


def test_who_is_left_out_is_not_asked(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        settle(db)
        stopped, gone, left, _far, stays = (volunteer(db, n) for n in range(5))
        db.execute(
            schema.signup.update()
            .where(schema.signup.c.person_id == _far)
            .values(place_code=None)
        )
        stops.stop(
            db,
            key="stop",
            look_up=look_up(KEYS, phone(0)),
            line=stops.EVERY_LINE,
            channel="at",
            test=False,
            at=AT,
        )
        erasing.erase(
            db,
            KEYS,
            person_id=gone,
            key="erase",
            channel="at",
            by="self",
            test=False,
            at=AT,
        )
        signup_changes.leave(
            db,
            key="leave",
            person_id=left,
            campaign=CAMPAIGN,
            channel="at",
            test=False,
            at=AT,
        )
        volunteer(db, 9, test=True)
        need(db, vacancies=2)
        assert wave(db) == 1
        [only] = invitations.chosen(db, limit=9)
        assert (only.person_id, stopped != stays) == (stays, True)


def test_a_volunteer_is_invited_once_a_week_unless_more_is_allowed(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        settle(db)
        person = volunteer(db, 1)
        need(db, "need:1")
        wave(db)
        [invite] = ask_all(db)
        answer(db, invite, person, yes=False)
        need(db, "need:2", meets_at=AT + 20 * DAY, at=AT + HOUR)
        assert wave(db, at=AT + 2 * DAY) == 0
        db.execute(schema.need.update().values(next_at=AT))
        assert wave(db, at=AT + 2 * DAY, week_max=2) == 1
        invites = schema.invite
        db.execute(invites.delete().where(invites.c.state == "chosen"))
        db.execute(schema.need.update().values(next_at=AT))
        assert wave(db, at=AT + 8 * DAY) == 1


def test_the_most_urgent_need_asks_first(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        settle(db)
        volunteer(db, 1)
        need(db, "need:1", urgency=2)
        urgent = need(db, "need:2", urgency=5)
        wave(db)
        [only] = invitations.chosen(db, limit=9)
        assert only.need_id == urgent


def test_who_says_yes_comes_and_is_told_so_once(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        settle(db)
        person = volunteer(db, 1)
        need_id = need(db)
        wave(db)
        [invite] = ask_all(db)
        first = answer(db, invite, person, key="sms:kave:1")
        again = answer(db, invite, person, key="sms:kave:1")
        twice = answer(db, invite, person, key="sms:kave:2")
        assert (first.outcome, first.changed) == (Outcome.YES, True)
        assert (again.outcome, again.changed) == (Outcome.YES, False)
        assert (twice.outcome, twice.changed) == (Outcome.YES, False)
        yes = schema.event.c.kind == "invite.yes"
        assert len(db.execute(select(schema.event.c.id).where(yes)).all()) == 1
    assert _need_state(ledger_engine, need_id) is NeedState.FILLED


def test_who_says_yes_when_all_places_are_filled_hears_that(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        settle(db)
        people = [volunteer(db, n) for n in range(3)]
        need(db)
        wave(db)
        invites = ask_all(db)
        outcomes = [
            answer(db, invite, person).outcome
            for invite, person in zip(invites, people, strict=True)
        ]
    assert outcomes == [Outcome.YES, Outcome.FULL, Outcome.FULL]
    assert _states(ledger_engine) == ["yes", "full", "full"]


def test_a_yes_taken_back_makes_room_again(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        settle(db)
        person = volunteer(db, 1)
        need_id = need(db)
        wave(db)
        [invite] = ask_all(db)
        answer(db, invite, person)
        taken_back = answer(db, invite, person, yes=False)
        assert taken_back.outcome is Outcome.NO
        other = volunteer(db, 2)
        assert wave(db, at=AT + HOUR) == 1
        [chosen] = invitations.chosen(db, limit=9)
        assert chosen.person_id == other
    assert _need_state(ledger_engine, need_id) is NeedState.OPEN


@pytest.mark.parametrize("yes", [True, False])
def test_an_answer_after_the_window_changes_nothing(
    ledger_engine: Engine, yes: bool
) -> None:
    with writing(ledger_engine) as db:
        settle(db)
        person = volunteer(db, 1)
        need(db)
        wave(db)
        [invite] = ask_all(db)
        late = answer(db, invite, person, yes=yes, at=AT + REPLY)
        assert (late.outcome, late.changed) == (Outcome.OVER, False)
    assert _states(ledger_engine) == ["asked"]


def test_another_phone_answers_nothing(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        settle(db)
        volunteer(db, 1)
        need(db)
        wave(db)
        [invite] = ask_all(db)
        other = volunteer(db, 2)
        strange = answer(db, invite, other)
        assert (strange.outcome, strange.recorded) == (Outcome.NOT_YOURS, None)
        unknown = answer(db, invite + 99, other)
        assert unknown.outcome is Outcome.NOT_YOURS
    assert _states(ledger_engine) == ["asked"]


def test_who_is_erased_while_invited_makes_room_again(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        settle(db)
        people = [volunteer(db, n) for n in range(2)]
        need_id = need(db)
        wave(db)
        invites = ask_all(db)
        answer(db, invites[0], people[0])
        for number, person in enumerate(people):
            erasing.erase(
                db,
                KEYS,
                person_id=person,
                key=f"erase:{number}",
                channel="at",
                by="self",
                test=False,
                at=AT + 2 * HOUR,
            )
    assert _states(ledger_engine) == ["withdrawn", "withdrawn"]
    assert _need_state(ledger_engine, need_id) is NeedState.OPEN


def test_who_was_chosen_and_leaves_before_being_asked_is_not_asked(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        settle(db)
        person = volunteer(db, 1)
        need(db)
        wave(db)
        signup_changes.leave(
            db,
            key="leave",
            person_id=person,
            campaign=CAMPAIGN,
            channel="at",
            test=False,
            at=AT,
        )
        assert ask_all(db) == []
    assert _states(ledger_engine) == ["withdrawn"]


def test_what_is_cancelled_takes_no_answers_and_tells_who_comes(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        settle(db)
        people = [volunteer(db, n) for n in range(2)]
        need_id = need(db, vacancies=2)
        wave(db)
        invites = ask_all(db)
        answer(db, invites[0], people[0])
        needs.cancel(db, need_id=need_id, by="sara", at=AT + 2 * HOUR)
        late = answer(db, invites[1], people[1], at=AT + 3 * HOUR)
        assert late.outcome is Outcome.OVER
        [comes] = invitations.to_tell(db, at=AT + 3 * HOUR, limit=9)
        told = inviting.call_off(db, invite_id=comes.id, at=AT + 3 * HOUR)
        assert comes.id == invites[0]
        assert told is not None
        assert invitations.to_tell(db, at=AT + 3 * HOUR, limit=9) == []
        with pytest.raises(NotOpen):
            needs.close(db, need_id=need_id, by="sara", at=AT + 3 * HOUR)
    with pytest.raises(NotOpen), writing(ledger_engine) as db:
        needs.cancel(db, need_id=need_id + 99, by="sara", at=AT)


def test_who_agreed_long_before_is_asked_once_more_the_day_before(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        settle(db)
        person = volunteer(db, 1)
        need(db)
        wave(db)
        [invite] = ask_all(db)
        answer(db, invite, person)
        near = AT + 3 * DAY - 30 * HOUR
        assert invitations.to_remind(db, at=near - HOUR, limit=9) == []
        [found] = invitations.to_remind(db, at=near, limit=9)
        assert inviting.remind(db, invite_id=found.id, at=near) is not None
        assert invitations.to_remind(db, at=near, limit=9) == []
        assert inviting.remind(db, invite_id=found.id, at=near) is None


def test_who_agreed_lately_is_asked_once_more_half_a_day_later_or_not_at_all(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        settle(db)
        early, late = volunteer(db, 1), volunteer(db, 2)
        need(db, vacancies=2, meets_at=AT + 20 * HOUR)
        wave(db)
        first, second = ask_all(db)
        answer(db, first, early, at=AT + HOUR)
        answer(db, second, late, at=AT + 10 * HOUR)
        then = AT + 13 * HOUR
        assert invitations.to_remind(db, at=then - HOUR, limit=9) == []
        [found] = invitations.to_remind(db, at=then, limit=9)
        assert found.person_id == early
        assert len(invitations.to_remind(db, at=AT + 19 * HOUR, limit=9)) == 1


def test_who_cannot_be_asked_once_more_now_lets_the_next_one_be(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        settle(db)
        people = [volunteer(db, number) for number in range(3)]
        need(db, vacancies=3)
        wave(db)
        invites = ask_all(db)
        for invite, person in zip(invites, people, strict=True):
            answer(db, invite, person)
        near = AT + 2 * DAY
        [first] = invitations.to_remind(db, at=near, limit=1)
        inviting.put_off(db, invite_id=first.id, until=near + HOUR)
        [second] = invitations.to_remind(db, at=near, limit=1)
        assert second.id != first.id
        assert len(invitations.to_remind(db, at=near + HOUR, limit=9)) == 3
        inviting.put_off(db, invite_id=first.id, until=AT + 3 * DAY)
        assert len(invitations.to_remind(db, at=AT + 3 * DAY, limit=9)) == 2


def test_what_is_called_off_is_told_though_it_was_put_off(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        settle(db)
        person = volunteer(db, 1)
        need_id = need(db)
        wave(db)
        [invite] = ask_all(db)
        answer(db, invite, person)
        needs.cancel(db, need_id=need_id, by="sara", at=AT + DAY)
        inviting.put_off(db, invite_id=invite, until=AT + 2 * DAY)
        assert inviting.remind(db, invite_id=invite, at=AT + DAY) is None
        assert invitations.to_remind(db, at=AT + 3 * DAY, limit=9) == []
        [told] = invitations.to_tell(db, at=AT + DAY, limit=9)
        assert told.id == invite
        assert inviting.call_off(db, invite_id=invite, at=AT + DAY) is not None
        assert invitations.to_tell(db, at=AT + DAY, limit=9) == []


def test_who_came_is_taken_off_the_list_once(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        settle(db)
        person = volunteer(db, 1)
        need(db)
        wave(db)
        [invite] = ask_all(db)
        answer(db, invite, person)
        where = {"places": ["c11023"], "test": False, "since": AT, "limit": 9}
        [(listed, of)] = invitations.coming(db, **where)
        assert (listed.id, of.title) == (invite, "درس ریاضی")
        at = AT + 3 * DAY
        assert inviting.arrive(db, key="k", invite_id=invite, channel="at", at=at)
        assert inviting.arrive(db, key="k", invite_id=invite, channel="at", at=at)
        assert not inviting.arrive(db, key="l", invite_id=invite, channel="at", at=at)
        assert invitations.coming(db, **where) == []


def test_two_phones_that_say_at_once_who_came_say_it_once(ledger_url: str) -> None:
    engine = connect(ledger_url, pool_size=1)
    with writing(engine) as db:
        settle(db)
        person = volunteer(db, 1)
        need(db)
        wave(db)
        [invite] = ask_all(db)
        answer(db, invite, person)
    came = at_once(
        ledger_url,
        *(
            lambda db, key=f"came:{n}": inviting.arrive(
                db, key=key, invite_id=invite, channel="at", at=AT + 3 * DAY
            )
            for n in range(4)
        ),
    )
    with reading(engine) as db:
        said = schema.event.c.kind == "invite.came"
        assert len(db.execute(select(schema.event.c.id).where(said)).all()) == 1
    engine.dispose()
    assert sorted(map(str, came)) == ["False", "False", "False", "True"]


def test_what_is_closed_can_still_be_called_off(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        settle(db)
        person = volunteer(db, 1)
        need_id = need(db, vacancies=2)
        wave(db)
        [invite] = ask_all(db)
        answer(db, invite, person)
        needs.close(db, need_id=need_id, by="sara", at=AT + 2 * HOUR)
        with pytest.raises(NotOpen):
            needs.close(db, need_id=need_id, by="sara", at=AT + 2 * HOUR)
        needs.cancel(db, need_id=need_id, by="sara", at=AT + 3 * HOUR)
        [comes] = invitations.to_tell(db, at=AT + 3 * HOUR, limit=9)
        assert comes.id == invite
        with pytest.raises(NotOpen):
            needs.cancel(db, need_id=need_id, by="sara", at=AT + 3 * HOUR)


def test_what_is_over_is_not_called_off(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        settle(db)
        need_id = need(db)
        needs.close(db, need_id=need_id, by="sara", at=AT + 2 * HOUR)
        with pytest.raises(NotOpen):
            needs.cancel(db, need_id=need_id, by="sara", at=AT + 4 * DAY)


def test_who_wants_to_be_written_down_by_nobody_is_invited_still(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        settle(db)
        person = volunteer(db, 1)
        stops.stop(
            db,
            key="stop",
            look_up=look_up(KEYS, phone(1)),
            line=stops.ENTRIES,
            channel="at",
            test=False,
            at=AT,
        )
        need(db)
        assert wave(db) == 1
        [only] = invitations.chosen(db, limit=9)
        assert only.person_id == person


def test_two_who_choose_at_once_ask_nobody_twice(ledger_url: str) -> None:
    engine = connect(ledger_url, pool_size=1)
    with writing(engine) as db:
        settle(db)
        for number in range(6):
            volunteer(db, number)
        need(db, vacancies=2)
    written = at_once(ledger_url, wave, wave)
    with reading(engine) as db:
        assert count(db, schema.invite) == 6
    engine.dispose()
    assert sorted(written) == [0, 6]


def test_of_three_who_answer_at_once_only_the_two_come_who_are_needed(
    ledger_url: str,
) -> None:
    engine = connect(ledger_url, pool_size=1)
    with writing(engine) as db:
        settle(db)
        people = [volunteer(db, n) for n in range(3)]
        need_id = need(db, vacancies=2)
        wave(db)
        invites = ask_all(db)
    answers = at_once(
        ledger_url,
        *(
            lambda db, invite=invite, person=person: answer(db, invite, person).outcome
            for invite, person in zip(invites, people, strict=True)
        ),
    )
    assert sorted(map(str, answers)) == ["full", "yes", "yes"]
    assert _need_state(engine, need_id) is NeedState.FILLED
    assert _states(engine).count(InviteState.YES) == 2
    engine.dispose()
