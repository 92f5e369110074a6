"""Every district's assembly in figures: one query for each register.

They are what the exports come to, and `ledger.board` shows them beside everything
else. Sums of a capacity are in what that is counted in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Connection, Select, case, func, select

from ledger import schema
from ledger.assemblies import benefactors, decisions, meetings, premises
from ledger.assemblies.districts import DISTRICTS, code_of

__all__ = ["District", "board", "by_district"]


@dataclass(frozen=True, slots=True)
class District:
    """`overdue` are among the `open` ones; a study is open too, a proposal is not."""

    code: str
    benefactors: int = 0
    covers: int = 0
    # By the kind of capacity.
    capacity: Mapping[str, int] = field(default_factory=dict)
    proposals: int = 0
    open: int = 0
    study: int = 0
    overdue: int = 0
    done: int = 0
    dropped: int = 0
    meetings_held: int = 0
    offers: int = 0
    needs: int = 0


_benefactor = schema.benefactor.c
_decision = schema.decision.c
_meeting = schema.meeting.c
_premises = schema.premises.c


def board(db: Connection, *, today: date, test: bool = False) -> tuple[District, ...]:
    """The assemblies of all districts, in the order of their numbers."""
    found = by_district(db, today=today, test=test)
    codes = [code_of(number) for number in range(1, DISTRICTS + 1)]
    return tuple(found.get(code, District(code)) for code in codes)


def by_district(
    db: Connection, *, today: date, test: bool = False
) -> dict[str, District]:
    """The assemblies in whose registers anything stands, by their places' codes."""
    found: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    capacity: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for row in db.execute(
        select(
            _benefactor.district,
            _benefactor.capacity,
            func.count().label("number"),
            func.sum(_benefactor.amount).label("amount"),
            func.sum(_benefactor.covers).label("covers"),
        )
        .where(
            _benefactor.test.is_(test),
            _benefactor.state == benefactors.State.ACTIVE,
        )
        .group_by(_benefactor.district, _benefactor.capacity)
    ):
        of = found[row.district]
        of["benefactors"] = of.get("benefactors", 0) + int(row.number)
        of["covers"] = of.get("covers", 0) + int(row.covers)
        capacity[row.district][row.capacity] = int(row.amount)
    for row in db.execute(_decisions(today, test)):
        found[row.district] |= {
            name: int(number or 0)
            for name, number in row._mapping.items()
            if name != "district"
        }
    for district, number in db.execute(
        select(_meeting.district, func.count())
        .where(_meeting.test.is_(test), _meeting.state == meetings.State.HELD)
        .group_by(_meeting.district)
    ):
        found[district]["meetings_held"] = number
    for district, side, number in db.execute(
        select(_premises.district, _premises.side, func.count())
        .where(_premises.test.is_(test), _premises.state == premises.State.OPEN)
        .group_by(_premises.district, _premises.side)
    ):
        found[district][f"{side}s"] = number
    return {
        code: District(code=code, capacity=capacity[code], **figures)
        for code, figures in found.items()
    }


def _decisions(today: date, test: bool) -> Select[Any]:
    is_open = _decision.state == decisions.State.OPEN
    is_asked = is_open & (_decision.kind != decisions.Kind.PROPOSAL)
    counts = {
        "proposals": is_open & (_decision.kind == decisions.Kind.PROPOSAL),
        "open": is_asked,
        "study": is_open & (_decision.kind == decisions.Kind.STUDY),
        "overdue": is_asked & (_decision.due_on < today),
        "done": _decision.state == decisions.State.DONE,
        "dropped": _decision.state == decisions.State.DROPPED,
    }
    return (
        select(
            _decision.district,
            *(
                func.sum(case((holds, 1), else_=0)).label(name)
                for name, holds in counts.items()
            ),
        )
        .where(_decision.test.is_(test))
        .group_by(_decision.district)
    )
