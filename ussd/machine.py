"""Advance one conversation by one request of the carrier.

Nothing here reads a clock, a socket or a table: `step` is a function of the menus,
the session and what the caller typed. What it lacks comes back in `Step.lacks`, a
fact to fetch or an effect to do; the caller of `step` gets it and asks again, and
gets the same answer as far as before, because nothing was changed.

No effect runs on a screen the caller has not been shown: a run of typed-ahead
answers stops there, unless `results` already holds what it came to.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from phone.dialcode import NotADialCode, normalise, parts
from phone.digits import fold, fold_digits
from phone.encoding import Limits
from phone.private import looks_like_card
from ussd.answers import Refused, read_answer
from ussd.menus import Ask, Choice, Kind, Menus, Screen
from ussd.screen import MORE, Page, page, with_notice
from ussd.steps import Effect, Facts, Need, Results, Session, Step

__all__ = ["Effect", "Need", "Session", "Step", "begin", "notice", "step"]

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
        screen, campaign = menus.dialled[known]
        ahead = list(dialled[length:])
        asks = menus.screens[screen].ask
        if ahead and asks is not None and asks.kind is Kind.DIAL:
            return None
        campaign = campaign or menus.campaign.id
        return Session(screen, campaign, language, {"dialled": known}), ahead
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
    if session.turns >= menus.limits.turns_max:
        return Step(session, notice(menus, "bye", session.language), ends=True)
    walk = _Walk(menus, now, limits, facts, results)
    try:
        return walk.through(
            replace(session, turns=session.turns + 1), typed, shown, stands
        )
    except _Lacking as lacking:
        return Step(session, lacks=lacking.what)


def notice(menus: Menus, name: str, language: str) -> str:
    """One of the texts that are no screen of their own: busy, bye, unsure..."""
    return menus.notices[name][language].render({"language": language})


class _Lacking(Exception):
    def __init__(self, what: Need | Effect) -> None:
        self.what = what


class _Card(Exception):
    """A card number was typed. It goes nowhere."""


class _Unshown(Exception):
    """The answer would do something on a screen nobody has read yet."""


@dataclass(slots=True)
class _Walk:
    menus: Menus
    now: datetime
    limits: Limits
    facts: Facts
    results: Results
    # What campaigns say of themselves, by id and language: asked for on every screen.
    _said: dict[tuple[str, str], tuple[dict[str, Any], dict[str, Any]]] = field(
        default_factory=dict
    )

    def through(
        self,
        session: Session,
        typed: Sequence[str],
        shown: bool,
        stands: Mapping[str, str] | None,
    ) -> Step:
        if not shown:
            session = self.settle(session)
        unexplained = False
        for answer in typed[:ANSWERS_A_REQUEST_MAX]:
            if self.at(session).ends:
                break
            try:
                session = self.answered(session, answer.strip(), shown)
            except _Card:
                text = notice(self.menus, "card", session.language)
                return Step(session, text, ends=True)
            except _Unshown:
                break
            except Refused as reason:
                unexplained = not reason.screen
                read = shown and not session.held
                session = self.refuse(session, reason, read)
                break
            session, shown = self.settle(session), False
        if session.wrong > self.menus.limits.wrong_keys_max:
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
        if len(answer) > self.menus.limits.answer_chars_max:
            raise Refused
        if screen.confirm and not shown and not self.known(session, screen):
            raise _Unshown
        key = fold_digits(answer)
        if session.held and key == MORE:
            return replace(session, held=False, wrong=0)
        slots = self.slots(session, screen)
        choice = self.offered(session, screen, key, slots, shown)
        if choice is not None:
            return self.chosen(session, choice, slots, shown)
        if screen.listed:
            return self.picked(session, screen, slots, key, shown)
        if screen.ask is not None:
            return self.told(session, screen, screen.ask, answer)
        raise Refused

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
                if choice.to and self.known(session, self.menus.screens[choice.to]):
                    return choice
        return next((c for c in found if c.when.holds(slots)), None)

    def chosen(
        self, session: Session, choice: Choice, slots: Mapping[str, Any], shown: bool
    ) -> Session:
        answers = dict(session.answers)
        for name, value in choice.set.items():
            answers[name] = value.render(slots)
        if not choice.do:
            return self.moved(session, choice.to, answers)
        number = session.done.get(choice.do, 0)
        result = self.results.get((choice.do, number))
        if result is None:
            if not shown:
                raise _Unshown
            campaign = choice.campaign or session.campaign
            raise _Lacking(Effect(choice.do, number, campaign, answers))
        session = replace(
            session,
            done={**session.done, choice.do: number + 1},
            language=result.get("language", session.language),
        )
        to = choice.otherwise.get(result.get("outcome", ""), choice.to)
        return self.moved(session, to, {**answers, **result})

    def picked(
        self,
        session: Session,
        screen: Screen,
        slots: Mapping[str, Any],
        key: str,
        shown: bool,
    ) -> Session:
        laid = self.page(session, screen, slots)
        values = session.items if shown else laid.values
        if key == MORE and laid.more:
            return replace(session, page=session.page + 1, wrong=0)
        if key.isascii() and key.isdecimal() and len(key) <= 2:
            number = int(key)
            value = values[number - 1] if 1 <= number <= len(values) else ""
        else:
            value = self.named(session, screen, key)
        if not value:
            raise Refused
        picked = {screen.pick: value} if screen.pick else {}
        return self.moved(session, screen.then, {**session.answers, **picked})

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
        campaign = self.menus.campaigns[session.campaign]
        # A single digit where keys are offered is a mistyped key.
        if ask.kind is Kind.AMOUNT and len(answer) == 1 and len(screen.choices) > 1:
            raise Refused
        value = read_answer(ask, answer, campaign)
        answers = {**session.answers, **ask.set, ask.answer: value}
        return self.moved(session, screen.then, answers)

    def opened(self, session: Session, answer: str) -> Session:
        """The rest of a dial code, typed into the menu of its first part."""
        before = session.answers.get("dialled", "")
        try:
            code = normalise(f"{before.rstrip('#')}*{fold_digits(answer)}#")
        except NotADialCode:
            raise Refused from None
        if code not in self.menus.dialled:
            raise Refused
        to, campaign = self.menus.dialled[code]
        session = replace(session, campaign=campaign or session.campaign)
        return self.moved(session, to, session.answers)

    def moved(self, session: Session, to: str, answers: Mapping[str, str]) -> Session:
        return replace(
            session, at=to, answers=answers, items=(), page=0, wrong=0, held=False
        )

    def refuse(self, session: Session, reason: Refused, read: bool) -> Session:
        """Count a wrong answer; a screen that was not read yet is only shown then."""
        if read or reason.screen:
            session = replace(session, wrong=session.wrong + 1)
        if not reason.screen:
            return session
        answers = {**session.answers, **reason.answers}
        session = replace(session, at=reason.screen, answers=answers, items=(), page=0)
        return self.settle(session)

    # -- the screen it comes to ---------------------------------------------------

    def settle(self, session: Session) -> Session:
        """Follow `instead` and `empty` to the screen that is really shown."""
        for _ in range(REDIRECTS_MAX):
            screen = self.at(session)
            slots = self.slots(session, screen)
            to = next((to for when, to in screen.instead if when.holds(slots)), "")
            if not to and screen.empty and not self.items(session, screen):
                to = screen.empty
            if not to:
                break
            session = replace(session, at=to, items=(), page=0)
        return session

    def show(
        self, session: Session, unexplained: bool, stands: Mapping[str, str] | None
    ) -> Step:
        screen = self.at(session)
        slots = self.slots(session, screen)
        laid = self.page(session, screen, slots)
        session = replace(session, items=laid.values, held=False)
        text = laid.text
        if unexplained:
            text = self.reproached(session, text)
        if stands is not None:
            told = self.menus.notices["stands"][session.language].render(
                {**slots, **stands}
            )
            both = with_notice(told, text, self.limits)
            if both is None and screen.ends:
                both = told
            elif both is None:
                more = self.menus.notices["go_on"][session.language].render(slots)
                session = replace(session, held=True)
                both = f"{told}\n{MORE} {more}"
            text = both
        return Step(session, text, ends=screen.ends)

    def reproached(self, session: Session, text: str) -> str:
        """The screen under the reason while both fit; else the reason once, alone."""
        wrong = notice(self.menus, "wrong", session.language)
        both = with_notice(wrong, text, self.limits)
        if both is not None:
            return both
        if session.wrong % 2:
            return notice(self.menus, "err", session.language)
        return text

    # -- what the menus say --------------------------------------------------------

    def at(self, session: Session) -> Screen:
        return self.menus.screens[session.at]

    def known(self, session: Session, screen: Screen) -> bool:
        """Whether the ledger already holds what this screen would have done."""
        return any(
            (choice.do, session.done.get(choice.do, 0)) in self.results
            for choice in screen.choices
            if choice.do
        )

    def slots(self, session: Session, screen: Screen) -> Mapping[str, Any]:
        """Every name the screen's texts and conditions may use."""
        language, about = session.language, (session.campaign, session.language)
        if about not in self._said:
            campaign = self.menus.campaigns[session.campaign]
            said = {**self.menus.blank, **campaign.slots(language, self.now)}
            top = {"language": language, "titles": self.menus.titles[language]}
            self._said[about] = top, said
        # Laid over each other, not copied: a text asks for a few of them.
        top, said = self._said[about]
        facts = [self.fetched(session, group) for group in screen.needs]
        return ChainMap[str, Any](top, *facts, session.answers, said)  # type: ignore[arg-type]  # only read

    def fetched(self, session: Session, group: str) -> Mapping[str, Any]:
        need = Need(group, session.answers.get(group, ""))
        if need not in self.facts:
            raise _Lacking(need)
        return self.facts[need]

    def items(self, session: Session, screen: Screen) -> Sequence[Mapping[str, Any]]:
        if screen.listed in self.menus.lists:
            language = session.language
            return [
                {"value": value, "title": titles[language]}
                for value, titles in self.menus.lists[screen.listed]
            ]
        items: Sequence[Mapping[str, Any]] = self.fetched(session, screen.listed)[
            "items"
        ]
        return items

    def page(self, session: Session, screen: Screen, slots: Mapping[str, Any]) -> Page:
        return page(
            self.menus,
            screen,
            slots,
            session.language,
            items=self.items(session, screen) if screen.listed else (),
            number=session.page,
            limits=self.limits,
        )
