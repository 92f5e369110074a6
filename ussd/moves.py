"""Where a caller goes: on, back, home, into a sub-flow and out of it again.

The way back is a log of undos: for each screen that was answered, what its answers
were before. A screen that only stands in for another, because an answer was refused
there, is no step of its own, nor is one that `instead` led away from.
"""

from __future__ import annotations

from collections.abc import Mapping

from ussd.menus import BACK, HOME, RETURN, Menus, Opening
from ussd.steps import BACK_MAX, RETURNS_MAX, Passed, Session

__all__ = ["closed", "moved", "redirected", "resumed", "stood_in"]


def moved(
    menus: Menus,
    session: Session,
    to: str,
    answers: Mapping[str, str],
    *,
    via: str = "",
    done: bool = False,
) -> Session:
    """The session after its screen was answered and leads to `to`, a screen or a word.

    `answers` are all answers so far. With `via` it goes there first. `done` says that
    an effect was done: nobody goes back over it.
    """
    if done:
        session = session.but(history=(), place="")
    if to == BACK and not via:
        return _left(menus, session, _back(menus, session))
    history: tuple[Passed, ...] = ()
    if not done:
        history = _with_undo(session, session.at, session.answers, answers)
    to, returns = _landing(to, session.returns, via)
    if to == HOME:
        return _left(menus, session, _home(menus, session))
    gone = _fresh(session, to, answers=answers, returns=returns, history=history)
    return _left(menus, session, gone)


def redirected(menus: Menus, session: Session, to: str) -> Session:
    """The session whose screen is not shown, but leads elsewhere at once."""
    if to == BACK:
        return _left(menus, session, _back(menus, session))
    to, returns = _landing(to, session.returns, "")
    if to == HOME:
        return _left(menus, session, _home(menus, session))
    gone = session.but(at=to, returns=returns, items=(), page=0)
    return _left(menus, session, gone)


def stood_in(
    menus: Menus, session: Session, screen: str, answers: Mapping[str, str]
) -> Session:
    """The session at the screen that says why an answer was refused."""
    history = _with_undo(session, session.at, session.answers, answers)
    gone = session.but(
        at=screen,
        answers=answers,
        items=(),
        page=0,
        history=history,
        place=session.place or session.at,
    )
    return _left(menus, session, gone)


def resumed(menus: Menus, session: Session) -> Session:
    """A kept session as it goes on in another call, with turns enough to finish."""
    assert session.at in menus.screens
    fresh = _fresh(
        session,
        session.at,
        answers=session.answers,
        returns=session.returns,
        history=session.history,
    )
    return fresh.but(place=session.place, turns=0, flow_turns=0)


def closed(menus: Menus, session: Session) -> Session:
    """A session that ended, without the answers that nothing may keep."""
    if not menus.sensitive:
        return session
    return _forgetting(session, frozenset().union(*menus.sensitive.values()))


def _fresh(
    session: Session,
    at: str,
    *,
    answers: Mapping[str, str],
    returns: tuple[str, ...],
    history: tuple[Passed, ...],
) -> Session:
    """The session at another screen, nothing typed there yet."""
    return session.but(
        at=at,
        answers=answers,
        returns=returns,
        history=history,
        items=(),
        page=0,
        wrong=0,
        astray=0,
        held=False,
        place="",
    )


def _landing(
    to: str, returns: tuple[str, ...], via: str
) -> tuple[str, tuple[str, ...]]:
    """The screen (or home) that is come to, and what is still to be returned to."""
    if via:
        return via, (*returns, to)[-RETURNS_MAX:]
    while to == RETURN:
        # Nothing to return to is a fault of the menus; a caller is not stranded by it.
        to, returns = (returns[-1], returns[:-1]) if returns else (HOME, ())
    return to, returns


def _with_undo(
    session: Session, at: str, before: Mapping[str, str], after: Mapping[str, str]
) -> tuple[Passed, ...]:
    """The way back with one more screen, or more to undo at the place stood in for."""
    undo: dict[str, str | None] = {
        name: before.get(name)
        for name, value in after.items()
        if before.get(name) != value
    }
    if session.place:
        *earlier, last = session.history
        again = last._replace(undo={**undo, **last.undo})
        return (*earlier, again)
    passed = Passed(at, session.page, session.campaign, session.returns, undo)
    return (*session.history, passed)[-BACK_MAX:]


def _back(menus: Menus, session: Session) -> Session:
    history, answers = session.history, dict(session.answers)
    if session.place:
        _undo(answers, history[-1].undo)
        history = history[:-1]
    if not history:
        return _home(menus, session)
    passed = history[-1]
    _undo(answers, passed.undo)
    gone = _fresh(
        session,
        passed.at,
        answers=answers,
        returns=passed.returns,
        history=history[:-1],
    )
    return gone.but(page=passed.page, campaign=passed.campaign)


def _undo(answers: dict[str, str], undo: Mapping[str, str | None]) -> None:
    for name, value in undo.items():
        if value is None:
            answers.pop(name, None)
        else:
            answers[name] = value


def _home(menus: Menus, session: Session) -> Session:
    dialled = session.answers.get("dialled", "")
    opening = menus.dialled.get(dialled, Opening(menus.start))
    answers = {"dialled": dialled, **opening.set}
    gone = _fresh(session, opening.to, answers=answers, returns=(), history=())
    return gone.but(campaign=opening.campaign or menus.campaign.id)


def _left(menus: Menus, before: Session, after: Session) -> Session:
    """`after` with its flow's own count, and without what an old flow must forget."""
    flow = menus.flow_of(after.at)
    if flow != menus.flow_of(before.at):
        after = after.but(flow_turns=1)
    if menus.sensitive:
        inside = {flow, *map(menus.flow_of, after.returns)}
        for old in {*map(menus.flow_of, (before.at, *before.returns))} - inside:
            after = _forgetting(after, menus.sensitive.get(old, frozenset()))
    return after


def _forgetting(session: Session, names: frozenset[str]) -> Session:
    """Without these answers, and without a way back on which they stand."""
    held = names & {*session.answers, *(n for p in session.history for n in p.undo)}
    if not held:
        return session
    answers = {n: value for n, value in session.answers.items() if n not in names}
    return session.but(answers=answers, history=(), place="")
