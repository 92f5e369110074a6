"""Who is asked for whom: of the same kind, near, fair, and the oldest need first.

Reading is apart from choosing: `suggest` is a function of what was read, so that
hundreds of thousands of offers are walked once, in memory, for all needs together.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, select, update

from ledger.schema import favour, introduction, outbox
from ledger.timebank.standing import HOUR, Limits, Standing

__all__ = [
    "Open",
    "Suggestion",
    "due",
    "lapsed",
    "look_again",
    "offers",
    "stale",
    "suggest",
    "tried",
    "untold",
]

AT_ONCE = 500
# A database takes no more values in one question.
PLACES_MAX = 10_000
# Nobody is asked more often than so many times in these days.
ASKED_MAX = 3
ASKED_WITHIN = timedelta(days=7)
# Of those equally near, so many are looked at for one who has all the hours.
LOOKED_MAX = 50
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_NOBODY = Standing()
_row = favour.c
_COLUMNS = (
    *(_row.event_id, _row.person_id, _row.kind, _row.minutes),
    *(_row.place, _row.at),
)

Above = Callable[[str | None], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Open:
    """An offer or a need that is open."""

    id: int
    person_id: int
    kind: str
    minutes: int
    place: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Suggestion:
    offer_id: int
    need_id: int
    giver_id: int
    minutes: int


def due(db: Connection, *, test: bool, at: datetime, limit: int) -> list[Open]:
    """The open needs that are to be looked at now, the oldest first."""
    rows = db.execute(
        select(*_COLUMNS)
        .where(
            _row.next_at <= at,
            _row.side == "need",
            _row.state == "open",
            _row.test == test,
        )
        .order_by(_row.at, _row.event_id)
        .limit(limit)
    )
    return [Open(*row) for row in rows]


def offers(
    db: Connection, *, kinds: Collection[str], places: Collection[str], test: bool
) -> list[Open]:
    """Every open offer of these kinds from these places; from all, of very many."""
    wanted = select(*_COLUMNS).where(
        _row.state == "open",
        _row.side == "offer",
        _row.kind.in_(sorted(kinds)),
        _row.test == test,
    )
    if len(places) <= PLACES_MAX:
        wanted = wanted.where(_row.place.in_(sorted(places)))
    return [Open(*row) for row in db.execute(wanted)]


def tried(
    db: Connection, needs: Sequence[Open], *, test: bool, at: datetime
) -> tuple[set[tuple[int, int]], set[int]]:
    """The pairs (offer, need) that were asked before, and who is not to be asked.

    Those are the givers who are asked now, or were often in the last days.
    """
    pairs: set[tuple[int, int]] = set()
    ids = [one.id for one in needs]
    for start in range(0, len(ids), AT_ONCE):
        found = select(introduction.c.offer_id, introduction.c.need_id).where(
            introduction.c.need_id.in_(ids[start : start + AT_ONCE])
        )
        pairs.update((row.offer_id, row.need_id) for row in db.execute(found))
    row = introduction.c
    asked = select(row.giver_id).where(row.state == "asked", row.test == test)
    # Counted here: for a GROUP BY the whole table would be read in its order.
    lately = select(row.giver_id).where(
        row.asked_at > at - ASKED_WITHIN, row.test == test
    )
    times = Counter(db.scalars(lately))
    often = (giver_id for giver_id, number in times.items() if number >= ASKED_MAX)
    return pairs, {*db.scalars(asked), *often}


def suggest(
    needs: Iterable[Open],
    givers: Iterable[Open],
    *,
    above: Above,
    standings: Mapping[int, Standing],
    limits: Limits,
    tried: Collection[tuple[int, int]] = (),
    busy: Collection[int] = (),
) -> list[Suggestion]:
    """One giver for each need that has one, nobody twice.

    `above` names a place and those it lies in, the nearest first, as far as people
    would go. Whoever owes hours is asked first, then who gave longest ago; who offers
    all that is needed before who offers a part of it.
    """
    taken = set(busy)
    near: defaultdict[tuple[str, str], list[Open]] = defaultdict(list)
    chains: dict[str | None, Sequence[str]] = {}

    def chain(place: str | None) -> Sequence[str]:
        if place not in chains:
            chains[place] = above(place)
        return chains[place]

    def fairness(one: Open) -> tuple[int, datetime, int]:
        own = standings.get(one.person_id, _NOBODY)
        return own.balance, own.gave_at or _LONG_AGO, one.id

    for one in sorted(givers, key=fairness):
        for place in chain(one.place):
            near[one.kind, place].append(one)
    spent: defaultdict[int, int] = defaultdict(int)
    found = []
    for need in needs:
        own = standings.get(need.person_id, _NOBODY)
        room = own.may_receive(limits) - spent[need.person_id]
        wanted = min(need.minutes, room)
        if wanted < HOUR:
            continue
        for place in chain(need.place):
            best = _best(
                near[need.kind, place], need, wanted, taken, tried, standings, limits
            )
            if best is not None:
                minutes = _may(best, wanted, standings, limits)
                taken.add(best.person_id)
                spent[need.person_id] += minutes
                found.append(Suggestion(best.id, need.id, best.person_id, minutes))
                break
    return found


def look_again(db: Connection, needs: Sequence[int], *, at: datetime) -> None:
    """Look at these needs again at `at`, where they are still open."""
    for start in range(0, len(needs), AT_ONCE):
        db.execute(
            update(favour)
            .where(
                _row.event_id.in_(needs[start : start + AT_ONCE]), _row.state == "open"
            )
            .values(next_at=at)
        )


def untold(
    db: Connection, needs: Sequence[Open], *, template: str, limit: int
) -> list[Open]:
    """Those of these needs of which the text `template` was never promised."""
    found: list[Open] = []
    for start in range(0, len(needs), AT_ONCE):
        some = needs[start : start + AT_ONCE]
        told = set(
            db.scalars(
                select(outbox.c.event_id).where(
                    outbox.c.event_id.in_([one.id for one in some]),
                    outbox.c.template == template,
                )
            )
        )
        found += [one for one in some if one.id not in told]
        if len(found) >= limit:
            break
    return found[:limit]


def stale(db: Connection, *, before: datetime, at: datetime, limit: int) -> list[int]:
    """Open offers and needs from `before` that are due, to be closed."""
    return list(
        db.scalars(
            select(_row.event_id)
            .where(_row.next_at <= at, _row.state == "open", _row.at < before)
            .order_by(_row.next_at)
            .limit(limit)
        )
    )


def lapsed(
    db: Connection, *states: str, at: datetime, limit: int
) -> list[tuple[int, str]]:
    """The introductions in these states whose time is over: id and state."""
    row = introduction.c
    rows = db.execute(
        select(row.event_id, row.state)
        .where(row.state.in_(states), row.expires_at <= at)
        .order_by(row.expires_at)
        .limit(limit)
    )
    return [(each.event_id, each.state) for each in rows]


def _best(
    crowd: list[Open],
    need: Open,
    wanted: int,
    taken: Collection[int],
    tried: Collection[tuple[int, int]],
    standings: Mapping[int, Standing],
    limits: Limits,
) -> Open | None:
    """The fairest of a place who can give all, else who can give most of it."""
    _forget_the_first(crowd, taken)
    best, most, looked = None, 0, 0
    for one in crowd:
        if one.person_id in taken or one.person_id == need.person_id:
            continue
        if (one.id, need.id) in tried:
            continue
        minutes = _may(one, wanted, standings, limits)
        if minutes > most:
            best, most = one, minutes
        looked += 1
        if most == wanted or looked == LOOKED_MAX:
            break
    return best if most >= HOUR else None


def _forget_the_first(crowd: list[Open], taken: Collection[int]) -> None:
    """Leave out who is taken at the head of a crowd, which otherwise grows long."""
    gone = 0
    while gone < len(crowd) and crowd[gone].person_id in taken:
        gone += 1
    if gone:
        del crowd[:gone]


def _may(
    one: Open, wanted: int, standings: Mapping[int, Standing], limits: Limits
) -> int:
    own = standings.get(one.person_id, _NOBODY)
    return min(wanted, one.minutes, own.may_give(limits)) // HOUR * HOUR
