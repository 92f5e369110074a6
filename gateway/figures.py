"""A campaign's figures for the report screen, summed up once a minute at the most.

They are those of the last published report. Before there is one, summing reads the
whole campaign: a caller must not wait for that, and a thousand callers must not make
the database do it a thousand times. Redis keeps the last sums, and whose turn it is:
one caller of a minute sums, all others get what was summed last.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import astuple
from time import sleep
from typing import cast

from redis import Redis
from redis.exceptions import RedisError

from ledger.engine import Engine, reading
from ledger.report import Figures, figures

__all__ = ["CampaignFigures", "kept_figures"]

# How long a turn is: who takes it sums, and nobody else until it is over.
TURN_SECONDS = 60
# Older sums than these are nobody's, where nobody could sum since.
OLDEST_SECONDS = 300
# Of the first sums ever there is no older one to give meanwhile.
FIRST_LOOKS = 30
FIRST_PAUSE_SECONDS = 0.1

# The figures of a campaign, real ones or those of its rehearsals.
CampaignFigures = Callable[[str, bool], Figures]


def kept_figures(engine: Engine, redis: Redis) -> CampaignFigures:
    """Figures that are mostly a minute old and at most five; raises NotRead.

    Without Redis they are summed up each time.
    """

    def of(campaign: str, test: bool) -> Figures:
        name = f"figures:{campaign}:{'test' if test else 'real'}"
        kept = None
        with suppress(RedisError):
            if not redis.set(f"{name}:turn", 1, nx=True, ex=TURN_SECONDS):
                kept = _summed_by_another(redis, name)
        if kept is not None:
            return Figures(*json.loads(kept))
        with reading(engine) as db:
            summed = figures(db, campaign=campaign, test=test)
        with suppress(RedisError):
            redis.set(name, json.dumps(astuple(summed)), ex=OLDEST_SECONDS)
        return summed

    return of


def _summed_by_another(redis: Redis, name: str) -> bytes | None:
    """What was summed last; where nothing was, what whoever has the turn finds.

    None where they took too long: their process may be gone.
    """
    for _ in range(FIRST_LOOKS):
        kept = cast(bytes | None, redis.get(name))
        if kept is not None:
            return kept
        sleep(FIRST_PAUSE_SECONDS)
    return None
