"""A campaign's figures for the report screen, summed up once a minute at the most.

They are those of the last published report. Before there is one, summing reads the
whole campaign: a caller must not wait for that, and a thousand callers must not make
the database do it a thousand times. Redis keeps the last sums.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import astuple
from typing import cast

from redis import Redis
from redis.exceptions import RedisError

from ledger.engine import Engine, reading
from ledger.report import Figures, figures

__all__ = ["CampaignFigures", "kept_figures"]

KEPT_SECONDS = 60

# The figures of a campaign, real ones or those of its rehearsals.
CampaignFigures = Callable[[str, bool], Figures]


def kept_figures(engine: Engine, redis: Redis) -> CampaignFigures:
    """Figures that are at most a minute old; raises NotRead.

    Without Redis they are summed up each time.
    """

    def of(campaign: str, test: bool) -> Figures:
        name = f"figures:{campaign}:{'test' if test else 'real'}"
        try:
            kept = cast(bytes | None, redis.get(name))
        except RedisError:
            kept = None
        if kept is not None:
            return Figures(*json.loads(kept))
        with reading(engine) as db:
            summed = figures(db, campaign=campaign, test=test)
        with suppress(RedisError):
            redis.set(name, json.dumps(astuple(summed)), ex=KEPT_SECONDS)
        return summed

    return of
