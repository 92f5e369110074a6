from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from ledger.engine import reading, writing
from ledger.outbox import Kind, promise
from ledger.timebank.favours import Side
from ledger.timebank.standing import HOUR, Standing
from ledger.timebank.suggesting import Open, Suggestion, due, suggest, untold
from tests.ledger.books import NOON
from tests.ledger.timebank.bank import LIMITS, OTHER, RECEIVER, Bank

# A centre, in its neighbourhood, in its district, in its town; and another district.
CHAINS = {
    "c1": ("c1", "n1", "d1", "town"),
    "n1": ("n1", "d1", "town"),
    "d1": ("d1", "town"),
    "d2": ("d2", "town"),
    "elsewhere": ("elsewhere",),
}


def one(
    number: int, place: str | None = "c1", hours: int = 2, kind: str = "lessons"
) -> Open:
    return Open(
        number, 100 + number, kind, hours * HOUR, place, NOON + timedelta(number)
    )


def asked(
    needs: list[Open], givers: list[Open], **more: object
) -> list[tuple[int, int]]:
    found = found_for(needs, givers, **more)
    return [(each.need_id, each.offer_id) for each in found]


def found_for(
    needs: list[Open], givers: list[Open], **more: object
) -> list[Suggestion]:
    said: dict[str, object] = {"standings": {}, "limits": LIMITS} | more
    return suggest(
        needs,
        givers,
        above=lambda place: CHAINS.get(place or "", ()),
        **said,  # type: ignore[arg-type]  # each under its own name
    )


def test_the_nearest_is_asked_first() -> None:
    assert asked([one(1)], [one(2, "d2"), one(3, "d1"), one(4, "c1")]) == [(1, 4)]
    assert asked([one(1)], [one(2, "d2"), one(3, "d1")]) == [(1, 3)]


def test_nobody_is_sent_elsewhere_or_from_nowhere() -> None:
    assert asked([one(1)], [one(2, "elsewhere"), one(3, None)]) == []
    assert asked([one(1, None)], [one(2), one(3, None)]) == []


def test_another_kind_is_no_help() -> None:
    assert asked([one(1, kind="repairs")], [one(2)]) == []


def test_who_owes_hours_is_asked_before_who_has_many() -> None:
    standings = {102: Standing(given=5 * HOUR), 103: Standing(received=HOUR)}
    assert asked([one(1)], [one(2), one(3)], standings=standings) == [(1, 3)]


def test_of_equals_who_gave_longest_ago_is_asked() -> None:
    standings = {
        102: Standing(gave_at=NOON),
        103: Standing(gave_at=NOON - timedelta(days=9)),
    }
    assert asked([one(1)], [one(2), one(3)], standings=standings) == [(1, 3)]


def test_who_can_give_all_is_asked_before_who_can_give_a_part() -> None:
    assert asked([one(1, hours=4)], [one(2, hours=1), one(3, hours=4)]) == [(1, 3)]
    (part,) = found_for([one(1, hours=4)], [one(2, hours=3)])
    assert part.minutes == 3 * HOUR


def test_nobody_is_asked_twice_or_again_or_for_themselves() -> None:
    needs = [one(1), one(2)]
    assert asked(needs, [one(3)]) == [(1, 3)]
    assert asked(needs, [one(3)], tried={(3, 1)}) == [(2, 3)]
    assert asked(needs, [one(3)], busy={103}) == []
    own = Open(9, 101, "lessons", HOUR, "c1", NOON)
    assert asked([one(1)], [own]) == []


def test_nobody_is_led_past_the_floor_or_the_ceiling() -> None:
    low = {101: Standing(received=10 * HOUR)}
    assert asked([one(1)], [one(2)], standings=low) == []
    nearly = {101: Standing(received=9 * HOUR)}
    (found,) = found_for([one(1, hours=5)], [one(2, hours=5)], standings=nearly)
    assert found.minutes == HOUR
    high = {102: Standing(given=40 * HOUR)}
    assert asked([one(1)], [one(2)], standings=high) == []
    arranged = {101: Standing(to_receive=10 * HOUR)}
    assert asked([one(1)], [one(2)], standings=arranged) == []


places = st.sampled_from([*CHAINS, None])
crowd = st.lists(st.tuples(places, st.integers(1, 8)), max_size=12)


@given(needs=crowd, givers=crowd)
def test_each_giver_and_each_need_is_in_one_suggestion_at_most(
    needs: list[tuple[str | None, int]], givers: list[tuple[str | None, int]]
) -> None:
    wanted = [one(n, *each) for n, each in enumerate(needs)]
    offered = [one(100 + n, *each) for n, each in enumerate(givers)]
    found = found_for(wanted, offered)
    assert len({each.need_id for each in found}) == len(found)
    assert len({each.giver_id for each in found}) == len(found)
    by_id = {each.id: each for each in [*wanted, *offered]}
    for each in found:
        need, offer = by_id[each.need_id], by_id[each.offer_id]
        assert HOUR <= each.minutes <= min(need.minutes, offer.minutes)
        near = set(CHAINS[need.place or ""]) & set(CHAINS[offer.place or ""])
        assert near


def test_who_was_told_that_nobody_is_found_yet_is_left_out_and_few_at_once(
    ledger_engine: Engine,
) -> None:
    bank = Bank(ledger_engine)
    for phone in (RECEIVER, OTHER, RECEIVER):
        bank.favour(phone, Side.NEED)
    with writing(bank.engine) as db:
        first, second, third = due(db, test=False, at=bank.moment(), limit=9)
        promise(
            db,
            event_id=first.id,
            person_id=first.person_id,
            template="sms.tb.none",
            slots={},
            language="fa",
            menus="m" * 64,
            kind=Kind.SERVICE,
            campaign=None,
            test=False,
            at=bank.at,
            expires_at=bank.at + timedelta(days=2),
        )
    needs = [first, second, third]
    with reading(bank.engine) as db:
        told = untold(db, needs, template="sms.tb.none", limit=9)
        assert told == [second, third]
        assert untold(db, needs, template="sms.tb.none", limit=1) == [second]
        assert untold(db, needs, template="sms.tb.match", limit=9) == needs
