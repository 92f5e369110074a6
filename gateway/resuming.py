"""A call that broke off, offered again to who dials a short while later.

A flow says whether its caller is asked, or simply goes on, or neither. What was
answered is kept with the menus it was answered on.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.aftermath import resumable
from gateway.doors import Channel
from gateway.library import Library, NoMenus
from gateway.openings import Opening
from phone.digits import fold_digits
from ussd.machine import Session, Step, notice, resumed
from ussd.menus import Menus, Resume
from ussd.sessions import Conversation, Kept

__all__ = ["SCREEN", "decided", "offer", "offered", "way_back"]

GO_ON, AFRESH, LEAVE = "1", "2", "0"
# What the question is called where screens are counted.
SCREEN = "resume"


def offer(
    library: Library, menus: Menus, fresh: Conversation, kept: Kept
) -> Conversation | None:
    """A new call with an unfinished one offered, or gone on with at once.

    None where what is kept is not of what was dialled, or not to be had any more. A
    code that leads into another flow or campaign is answered as it was dialled.
    """
    try:
        old = library.version(kept.menus)
    except NoMenus:
        return None
    flow = resumable(old, kept.session)
    dialled = menus.flow_of(fresh.session.at)
    if flow is None or dialled not in ("", flow.name):
        return None
    if dialled and fresh.session.campaign != kept.session.campaign:
        return None
    if flow.resume is Resume.ASK:
        return replace(fresh, offered=kept)
    return _gone_on(fresh, kept, old)


def way_back(menus: Menus, session: Session) -> str:
    """A code to dial where a call that broke off in this session is offered again.

    That is the one that was dialled, where it leads there.
    """
    call = menus.campaigns[session.campaign].call
    first = [code for code, opens in menus.dialled.items() if opens.to == menus.start]
    for code in (session.answers.get("dialled", ""), call, *first):
        opens = menus.dialled.get(code)
        if opens is None:
            continue
        if menus.flow_of(opens.to) in ("", menus.flow_of(session.at)):
            return code
    return call


def offered(menus: Menus, language: str) -> str:
    """The question whether to go on."""
    words = {
        name: notice(menus, name, language)
        for name in ("resume", "go_on", "afresh", "leave")
    }
    return (
        f"{words['resume']}\n{GO_ON} {words['go_on']}\n"
        f"{AFRESH} {words['afresh']}\n{LEAVE} {words['leave']}"
    )


def decided(
    library: Library, channel: Channel, opening: Opening, shown: bool
) -> tuple[Opening, Step | None]:
    """Whether to go on, once the question was `shown`; raises NoMenus.

    Without a step it is decided, and the opening goes on with what was answered behind
    it. The step asks, asks again, or ends the call.
    """
    conversation = opening.conversation
    kept, session = conversation.offered, conversation.session
    assert kept is not None
    menus = channel.spoken(library.version(conversation.menus))
    if not shown:
        return opening, Step(session, offered(menus, session.language))
    # What was mistaken here is not counted at the screens that follow.
    fresh = replace(conversation, session=replace(session, wrong=0), offered=None)
    said, *behind = opening.answers or ("",)
    key = fold_digits(said.strip())
    if key == GO_ON:
        gone_on = _gone_on(fresh, kept, library.version(kept.menus))
        return replace(opening, conversation=gone_on, answers=behind), None
    if key == AFRESH:
        return replace(opening, conversation=fresh, answers=behind), None
    wrong = replace(session, wrong=session.wrong + 1)
    if key != LEAVE and wrong.wrong <= menus.limits.wrong_keys_max:
        asked = replace(opening, conversation=replace(conversation, session=wrong))
        return asked, Step(wrong, offered(menus, session.language))
    bye = Step(fresh.session, notice(menus, "bye", session.language), ends=True)
    return replace(opening, conversation=fresh), bye


def _gone_on(fresh: Conversation, kept: Kept, old: Menus) -> Conversation:
    session = resumed(old, kept.session)
    return replace(fresh, menus=kept.menus, session=session, resumes=kept.deeds)
