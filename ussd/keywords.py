"""How a text that begins with a keyword opens a conversation.

`sms.keywords.find` says which keyword it is and what follows it. From there on it is
the conversation that a dialled code would have begun, and `ussd.machine.step` goes on.
"""

from __future__ import annotations

from dataclasses import dataclass

from ussd.deeds import BY_TEXT
from ussd.menus import Menus
from ussd.steps import Session
from ussd.telling import spoken

__all__ = ["Opened", "opened"]


@dataclass(frozen=True, slots=True)
class Opened:
    """What `step` is given first: the session, what was typed, and `shown`."""

    session: Session
    typed: tuple[str, ...]
    shown: bool


def opened(menus: Menus, name: str, rest: str, language: str) -> Opened | None:
    """The conversation that the keyword `name` opens with what follows it.

    None where it opens none: nothing may follow this keyword, or it is answered by the
    text that it `says`. A key that it presses is pressed as if its screen had been
    read, which the prover allows on no confirm screen.
    """
    keyword = menus.keywords[name]
    to = keyword.rest if rest else keyword.to
    if not to:
        return None
    campaign = keyword.campaign or menus.campaign.id
    # No code is written so: `home` is where the menus start.
    answers = {"dialled": BY_TEXT, **keyword.set}
    session = Session(to, campaign, spoken(menus, language), answers)
    if rest:
        return Opened(session, (rest,), shown=False)
    typed = (keyword.press,) if keyword.press else ()
    return Opened(session, typed, shown=bool(typed))
