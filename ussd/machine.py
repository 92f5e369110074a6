"""Advance one conversation by one request of the carrier.

Nothing here reads a clock, a socket or a table: `step` is a function of the menus,
the session and what the caller typed. What it lacks comes back in `Step.lacks`, a
fact to fetch or an effect to do; the caller of `step` gets it and asks again, and
gets the same answer as far as before, because nothing was changed.

No effect runs on a screen the caller has not been shown: a run of typed-ahead
answers stops there, unless `results` already holds what it came to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from phone.dialcode import NotADialCode, normalise, parts
from phone.digits import fold, fold_digits
from phone.encoding import Limits
from phone.private import is_none_of_ours, looks_like_card
from ussd.answers import Refused, read_answer
from ussd.deeds import ERASING
from ussd.menus import Ask, Choice, Kind, Menus, Screen
from ussd.moves import closed, moved, redirected, resumed, stood_in
from ussd.screen import MORE, with_notice
from ussd.steps import Effect, Facts, Need, Results, Session, Step
from ussd.telling import Lacking, Teller, notice

__all__ = ["Effect", "Need", "Session", "Step", "begin", "notice", "resumed", "step"]

ANSWERS_A_REQUEST_MAX = 30
REDIRECTS_MAX = 8


def begin(menus: Menus, code: str, language: str) -> tuple[Session, list[str]] | None:
    """The session that a dialled code opens and the answers dialled with it.

    `*780*5588*1*50000#` is the shortcut `*780*5588*1#` with 50000 typed ahead. None
    if no dial code of ours begins so.
    """
    dialled = parts(code)
    for length in range(len(dialled), 0, -1):
        known = "*" + "*".join(dialled[:length]) + "#"
        if known not in menus.dialled:
            continue
        opening = menus.dialled[known]
        ahead = list(dialled[length:])
        asks = menus.screens[opening.to].ask
        if ahead and asks is not None and asks.kind is Kind.DIAL:
            return None
        campaign = opening.campaign or menus.campaign.id
        answers = {"dialled": known, **opening.set}
        return Session(opening.to, campaign, language, answers), ahead
    return None


def step(
    menus: Menus,
    session: Session,
    typed: Sequence[str],
    *,
    now: datetime,
    limits: Limits,
    facts: Facts,
    results: Results,
    shown: bool,
    stands: Mapping[str, str] | None = None,
) -> Step:
    """Take the answers of one request and say what the caller reads next.

    `shown` tells whether the caller has read the screen the session is at; `stands`
    (code, amount) makes the first screen say that an earlier pledge stands.
    """
    walk = _Walk(menus, now, limits, facts, results)
    try:
        stepped = walk.through(session, typed, shown, stands)
    except Lacking as lacking:
        return Step(session, lacks=lacking.what)
    if not stepped.ends:
        return stepped
    # However a call ends, its sensitive answers are forgotten.
    return replace(stepped, session=closed(menus, stepped.session))


class _Card(Exception):
    """A card number was typed. It goes nowhere."""


class _Unshown(Exception):
    """The answer would do something on a screen nobody has read yet."""


@dataclass(slots=True)
class _Walk(Teller):
    def through(
        self,
        session: Session,
        typed: Sequence[str],
        shown: bool,
        stands: Mapping[str, str] | None,
    ) -> Step:
        flow = self.menus.flows.get(self.menus.flow_of(session.at))
        if session.turns >= self.menus.limits.turns_max or (
            flow is not None and session.flow_turns >= flow.turns_max
        ):
            text = notice(self.menus, "bye", session.language)
            return Step(session, text, ends=True)
        session = session.but(
            turns=session.turns + 1, flow_turns=session.flow_turns + 1
        )
        if not shown:
            session = self.settle(session)
        unexplained = False
        for answer in typed[:ANSWERS_A_REQUEST_MAX]:
            if self.at(session).ends:
                # Only an end of several pages is still there to be answered.
                if shown:
                    session = _on_next_page(session)
                break
            try:
                session = self.answered(session, answer.strip(), shown)
            except _Card:
                text = notice(self.menus, "card", session.language)
                return Step(session, text, ends=True)
            except _Unshown:
                break
            except Refused as reason:
                at, read = session.at, shown and not session.held
                session = self.refuse(session, reason, read)
                unexplained = session.at == at and not reason.screen
                break
            session, shown = self.settle(session), False
        if session.wrong + session.astray > self.menus.limits.wrong_keys_max:
            text = notice(self.menus, "bye", session.language)
            return Step(session, text, ends=True)
        return self.show(session, unexplained, stands)

    # -- one answer -------------------------------------------------------------

    def answered(self, session: Session, answer: str, shown: bool) -> Session:
        """The session after one answer; raises for an answer that does not do."""
        screen = self.at(session)
        # Behind a notice the screen itself was not read yet.
        shown = shown and not session.held
        if looks_like_card(answer):
            raise _Card
        flow = self.menus.flows.get(self.menus.flow_of(screen.name))
        if flow is not None and flow.private and is_none_of_ours(answer):
            raise Refused(flow.private)
        if len(answer) > self.menus.limits.answer_chars_max:
            raise Refused
        if screen.confirm and not shown and not self.known(session, screen):
            raise _Unshown
        key = fold_digits(answer)
        if session.held and key == MORE:
            return session.but(held=False, wrong=0)
        slots = self.slots(session, screen)
        choice = self.offered(session, screen, key, slots, shown)
        turns = self.turns_page(screen, key, choice, shown)
        if turns and self.has_more(session, screen, slots, shown):
            return _on_next_page(session)
        if choice is not None:
            return self.chosen(session, screen, choice, slots, shown)
        if screen.listed:
            return self.picked(session, screen, slots, key, shown)
        if screen.ask is not None:
            return self.told(session, screen, screen.ask, answer)
        raise Refused

    def turns_page(
        self, screen: Screen, key: str, choice: Choice | None, shown: bool
    ) -> bool:
        """Whether a key shows the next page, where there is one.

        Where a page says that 9 is more, it is; who types ahead has read no page. What
        is agreed to is read to its end first, whatever key agrees.
        """
        if screen.confirm and choice is not None and choice.do:
            return shown
        return key == MORE and not screen.listed and (shown or choice is None)

    def has_more(
        self,
        session: Session,
        screen: Screen,
        slots: Mapping[str, Any],
        shown: bool,
    ) -> bool:
        """Whether the page that is answered goes on; who read it was told."""
        return session.more if shown else self.page(session, screen, slots).more

    def offered(
        self,
        session: Session,
        screen: Screen,
        key: str,
        slots: Mapping[str, Any],
        shown: bool,
    ) -> Choice | None:
        """The choice behind a key, if there is one now.

        In a rebuild the facts are those after the deed, which may hide the way that
        led to it: who stopped texts is offered to start them. What was done shows it.
        """
        found = [choice for choice in screen.choices if choice.key == key]
        if not shown:
            for choice in found:
                to = self.menus.screens.get(choice.via or choice.to)
                if to is not None and self.known(session, to):
                    return choice
        return next((c for c in found if c.when.holds(slots)), None)

    def chosen(
        self,
        session: Session,
        screen: Screen,
        choice: Choice,
        slots: Mapping[str, Any],
        shown: bool,
    ) -> Session:
        answers = dict(session.answers)
        for name, value in choice.set.items():
            answers[name] = value.render(slots)
        if not choice.do:
            return moved(self.menus, session, choice.to, answers, via=choice.via)
        number = session.done.get(choice.do, 0)
        result = self.results.get((choice.do, number))
        if result is None:
            if not shown:
                raise _Unshown
            own = self.menus.campaign_at(screen.name, session.campaign)
            campaign = choice.campaign or own
            raise Lacking(Effect(choice.do, number, campaign, answers))
        session = session.but(
            done={**session.done, choice.do: number + 1},
            language=result.get("language", session.language),
        )
        to, via = choice.otherwise.get(result.get("outcome", ""), ""), ""
        if not to:
            to, via = choice.to, choice.via
        if choice.do == ERASING:
            answers = {"dialled": answers.get("dialled", "")}
        after = {**answers, **result}
        return moved(self.menus, session, to, after, via=via, done=True)

    def picked(
        self,
        session: Session,
        screen: Screen,
        slots: Mapping[str, Any],
        key: str,
        shown: bool,
    ) -> Session:
        if key == MORE and self.has_more(session, screen, slots, shown):
            return _on_next_page(session)
        values = session.items
        if not shown:
            values = self.page(session, screen, slots).values
        if key.isascii() and key.isdecimal() and len(key) <= 2:
            number = int(key)
            value = values[number - 1] if 1 <= number <= len(values) else ""
        else:
            value = self.named(session, screen, key)
        if not value:
            raise Refused
        picked = {screen.pick: value} if screen.pick else {}
        return self.on(session, screen, {**session.answers, **picked})

    def named(self, session: Session, screen: Screen, typed: str) -> str:
        """The one value whose title begins with what was typed, or nothing."""
        begins = fold(typed)
        if not begins or screen.item:
            return ""
        found = [
            (fold(item["title"]) == begins, str(item["value"]))
            for item in self.items(session, screen)
            if fold(item["title"]).startswith(begins)
        ]
        exact = [value for same, value in found if same]
        values = exact or [value for _, value in found]
        return values[0] if len(values) == 1 else ""

    def told(self, session: Session, screen: Screen, ask: Ask, answer: str) -> Session:
        """A typed answer, read as the question's kind."""
        if ask.kind is Kind.DIAL:
            return self.opened(session, answer)
        about = self.menus.campaign_at(screen.name, session.campaign)
        campaign = self.menus.campaigns[about]
        # A single digit where keys are offered is a mistyped key.
        if ask.kind is Kind.AMOUNT and len(answer) == 1 and len(screen.choices) > 1:
            raise Refused
        value = read_answer(ask, answer, campaign)
        answers = {**session.answers, **ask.set, ask.answer: value}
        return self.on(session, screen, answers)

    def opened(self, session: Session, answer: str) -> Session:
        """The rest of a dial code, typed into the menu of its first part."""
        before = session.answers.get("dialled", "")
        try:
            code = normalise(f"{before.rstrip('#')}*{fold_digits(answer)}#")
        except NotADialCode:
            raise Refused from None
        if code not in self.menus.dialled:
            raise Refused
        opening = self.menus.dialled[code]
        answers = {**session.answers, "dialled": code, **opening.set}
        gone = moved(self.menus, session, opening.to, answers)
        return gone.but(campaign=opening.campaign or session.campaign)

    def on(
        self, session: Session, screen: Screen, answers: Mapping[str, str]
    ) -> Session:
        return moved(self.menus, session, screen.then, answers, via=screen.via)

    def refuse(self, session: Session, reason: Refused, read: bool) -> Session:
        """Count a wrong answer; a screen that was not read yet is only shown then.

        After as many as the screen bears, it leads elsewhere.
        """
        if read or reason.screen:
            session = session.but(wrong=session.wrong + 1)
        bears = self.at(session)
        if not bears.wrong_to and session.place:
            bears = self.menus.screens[session.place]
        if bears.wrong_to and session.wrong >= bears.wrong_max:
            astray = session.astray + session.wrong
            gone = moved(self.menus, session, bears.wrong_to, session.answers)
            return self.settle(gone.but(astray=astray))
        if not reason.screen:
            return session
        answers = {**session.answers, **reason.answers}
        return self.settle(stood_in(self.menus, session, reason.screen, answers))

    # -- the screen it comes to ---------------------------------------------------

    def settle(self, session: Session) -> Session:
        """Follow `instead` and `empty` to the screen that is really shown."""
        for _ in range(REDIRECTS_MAX):
            screen = self.at(session)
            slots = self.slots(session, screen)
            passed = self.told_after(session)
            to = next(
                (
                    to
                    for when, to in screen.instead
                    if when.holds(slots) and not when.names & passed
                ),
                "",
            )
            if not to and screen.empty and not self.items(session, screen):
                to = screen.empty
            if not to:
                break
            session = redirected(self.menus, session, to)
        return session

    def show(
        self, session: Session, unexplained: bool, stands: Mapping[str, str] | None
    ) -> Step:
        screen = self.at(session)
        slots = self.slots(session, screen)
        laid = self.page(session, screen, slots)
        told = session.held, session.items, session.more
        if told != (False, laid.values, laid.more):
            session = session.but(held=False, items=laid.values, more=laid.more)
        text, ends = laid.text, screen.ends and not laid.more
        if unexplained:
            text = self.reproached(session, text)
        if stands is not None:
            language = self.language(session)
            first = self.menus.notices["stands"][language].render({**slots, **stands})
            both = with_notice(first, text, self.limits)
            if both is None and ends:
                both = first
            elif both is None:
                more = self.menus.notices["go_on"][language].render(slots)
                session = session.but(held=True)
                both = f"{first}\n{MORE} {more}"
            text = both
        return Step(session, text, ends=ends)

    def reproached(self, session: Session, text: str) -> str:
        """The screen under the reason while both fit; else the reason once, alone."""
        wrong = notice(self.menus, "wrong", session.language)
        both = with_notice(wrong, text, self.limits)
        if both is not None:
            return both
        if session.wrong % 2:
            return notice(self.menus, "err", session.language)
        return text


def _on_next_page(session: Session) -> Session:
    return session.but(page=session.page + 1, wrong=0, astray=0)
