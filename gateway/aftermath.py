"""What a turn leaves behind beside its reply: counts, and a call to go on with.

It is written with the conversation by whoever saves it first, so a retry counts
nothing. A count's name is `what|channel|screen`; nobody's phone is in one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ussd.machine import Session, Step
from ussd.menus import Flow, Menus, Resume
from ussd.moves import closed
from ussd.sessions import Aftermath

__all__ = ["SECONDS", "SILENT_SECONDS", "aftermath", "counted", "resumable"]

# A call that nobody answered for so long is over: carriers end it before that.
SILENT_SECONDS = 240
# What answering a screen took, in buckets up to these seconds.
SECONDS = (2, 5, 10, 15, 20, 30, 45, 60, 120)


def aftermath(
    channel: str,
    screen: str,
    *,
    caller: str,
    kept: Flow | None,
    live: str,
    ends: bool,
    at: float,
    counts: Mapping[str, int],
) -> Aftermath:
    """What is written with a conversation that comes to `screen` now.

    `kept` is the flow that could be gone on with, if the call broke off here.
    """
    return Aftermath(
        caller=caller,
        kept_seconds=kept.resume_minutes * 60 if kept is not None else 0,
        live=live,
        silent_at=0 if ends else int(at) + SILENT_SECONDS,
        counts={**counts, f"shown|{channel}|{screen}": 1},
    )


def counted(
    channel: str,
    before: Session | None,
    stepped: Step,
    *,
    seconds: float,
    deeds: Iterable[str],
) -> dict[str, int]:
    """What happened at the screen that the caller answered; None for a new call."""
    counts = {f"done|{channel}|{name}": 1 for name in deeds}
    if before is None:
        return counts
    where = f"{channel}|{before.at}"
    after = stepped.session
    if after.wrong + after.astray > before.wrong + before.astray:
        return {**counts, f"wrong|{where}": 1}
    bucket = next((str(most) for most in SECONDS if seconds <= most), "inf")
    return {
        **counts,
        f"answered|{where}": 1,
        f"milliseconds|{where}": max(0, round(seconds * 1000)),
        f"within_{bucket}|{where}": 1,
    }


def resumable(menus: Menus, session: Session) -> Flow | None:
    """The flow that a call could be gone on with later, if it has begun to answer.

    Not with an answer that is forgotten when a call is over.
    """
    flow = menus.flows.get(menus.flow_of(session.at))
    if flow is None or flow.resume is Resume.OFF:
        return None
    if closed(menus, session) is not session:
        return None
    return flow if session.answers.keys() - {"dialled"} else None
