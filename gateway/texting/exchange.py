"""One text that came in: what it answers or begins, and what is said back.

All of it happens in the transaction that took the text: the deeds, the reply, and the
question that waits for the next one. The conversation is `ussd.machine`'s; here is only
what differs from a call: several may be open at once, nobody sees a screen until it is
read hours later, and a machine may be at the other end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from gateway.library import NoMenus
from gateway.texting import meaning
from gateway.texting.meaning import Begins, Waiting
from gateway.texting.replies import SCREEN, WAYS, Addressee, Way, may_reply, reply
from gateway.texting.walking import Setting, walk
from ledger import enquiries, erasing, hearing, people, questions
from ledger.engine import Connection
from ledger.hearing import Heard
from ledger.questions import State
from phone.digits import fold, visible
from phone.private import looks_like_national_id
from ussd.deeds import CHOICES_MAX, ERASING
from ussd.machine import Session, Step, notice
from ussd.menus import Menus
from ussd.telling import spoken

__all__ = ["Exchange"]

# So many texts in an hour are a machine's, and so are the same words so often.
TEXTS_MAX = 30
SAME_MAX = 3
SAID_WITHIN = timedelta(hours=1)
# An answer is told that it is late for so long.
LATE_WITHIN = timedelta(days=7)
# The same answer again, so soon after the last screen, is impatience.
AGAIN_WITHIN = timedelta(minutes=10)
# Nobody gets a question, reads it and answers it in so short a time.
UNREAD_WITHIN = timedelta(seconds=10)
# Of a longer text nobody asks what the rest says; its form is kept whole.
TEXT_CHARS_MAX = 4000
# The flow of the question which of several conversations is meant.
WHICH = "which"


@dataclass(slots=True)
class Exchange:
    """One text and all that is done about it."""

    db: Connection
    setting: Setting
    heard: Heard
    at: datetime
    text: str = field(init=False)
    language: str = field(init=False)
    person_id: int = field(init=False)

    def __post_init__(self) -> None:
        # Two texts of one phone are answered one after the other.
        person = people.remember(
            self.db, self.setting.keys, self.heard.phone, at=self.at, alone=True
        )
        self.person_id = person.id
        self.text = self.heard.text[:TEXT_CHARS_MAX]
        self.language = meaning.language_of(
            self.setting.menus, self.text, person.language
        )

    def answer(self, *, holds_card: bool) -> str:
        """Do what the text asks for and reply; returns what it was, for the log."""
        if holds_card:
            return self._not_kept("card")
        if not visible(self.text).strip():
            return "nothing"
        begun = meaning.begins(self.setting.menus, self.text, self.language)
        rows = self._open()
        waiting = self._waiting(rows)
        if private := meaning.private_screen(self.setting.menus, self.text, waiting):
            return self._not_taken(private, rows)
        if begun is not None:
            return self._begun(begun, rows, waiting)
        asked = next((row for row in rows if row.flow == WHICH), None)
        if asked is not None and not self._is_newer(asked):
            if self._is_unread(asked):
                return "answered before"
            questions.close(self.db, [asked.id], State.ANSWERED)
            number = meaning.key_of(self.text, len(asked.session["which"]))
            if number is not None:
                return self._chosen(asked.session, number, waiting)
        asking = [one for one in waiting if not one.is_unread]
        found = meaning.candidates(asking, self.text)
        if len(found) == 1:
            return self._answered(found[0], self.text)
        if found:
            return self._ask_which(found[:CHOICES_MAX])
        return self._late() if meaning.is_answer(self.text) else self._unknown()

    # -- what is open ---------------------------------------------------------------

    def _open(self) -> list[questions.Question]:
        found = questions.open_to(
            self.db, self.setting.keys, look_up=self.heard.look_up, at=self.at
        )
        ours = questions.ours(test=self.setting.channel.test)
        return [one for one in found if one.channel in {ours, *self.setting.same_kind}]

    def _waiting(self, rows: Sequence[questions.Question]) -> list[Waiting]:
        waiting = []
        for row in rows:
            if row.flow == WHICH:
                continue
            try:
                menus = self.setting.version(row.menus)
            except NoMenus:
                continue
            menus = meaning.with_campaigns_of(menus, self.setting.menus)
            session = Session.from_json(row.session)
            one = Waiting(row.id, row.flow, menus, session)
            agrees = one.screen.confirm or row.began_by is None
            is_unread = self._is_unread(row) if agrees else self._is_newer(row)
            waiting.append(replace(one, is_unread=is_unread))
        return waiting

    def _is_newer(self, row: questions.Question) -> bool:
        """Whether it was asked after this text came, which cannot be its answer.

        Ids tell, for the clocks of two machines may differ. What we began has none.
        """
        return row.began_by is not None and row.began_by > self.heard.id

    def _is_unread(self, row: questions.Question) -> bool:
        """Whether nobody can have read it who sent this text: it is typed ahead, or
        the text that it was asked for, sent twice.
        """
        if self._is_newer(row) or self.heard.at < row.asked_at:
            return True
        if self.heard.at >= row.asked_at + UNREAD_WITHIN:
            return False
        if row.began_by is None:
            # Its text has not reached a handset yet.
            return True
        before = hearing.words_of(self.db, self.setting.keys, inbound_id=row.began_by)
        return before is not None and fold(before) == fold(self.text)

    # -- what it does ---------------------------------------------------------------

    def _begun(
        self,
        begun: Begins,
        rows: Sequence[questions.Question],
        waiting: Sequence[Waiting],
    ) -> str:
        """A keyword: the text that it says, or a conversation that it opens."""
        if self._is_machine() or not self._may(Way.REPLY):
            return "too often"
        menus, opened = self.setting.menus, begun.opened
        if opened is None:
            campaign = menus.campaign
            slots = {"call": campaign.call, "contact": campaign.contact}
            self._reply(Way.REPLY, begun.says, slots)
            return "keyword"
        stepped, told = self._walked(menus, opened.session, opened.typed, opened.shown)
        kept = {one.id for one in waiting if meaning.is_kept(one)}
        flow = meaning.flow_of(menus, stepped.session.at)
        gone = [row.id for row in rows if row.id not in kept or row.flow == flow]
        questions.close(self.db, gone, State.REPLACED)
        self._go_on(menus, stepped, told, Way.REPLY)
        return "keyword"

    def _answered(self, waiting: Waiting, text: str) -> str:
        """An answer to an open question: the conversation goes on."""
        if not self._may(Way.ONWARD):
            return "too often"
        before, menus = waiting.session, waiting.menus
        typed = meaning.answered(waiting, text)
        stepped, told = self._walked(menus, before, (typed,), shown=True)
        questions.close(self.db, [waiting.id], State.ANSWERED)
        after = stepped.session
        is_wrong = after.wrong + after.astray > before.wrong + before.astray
        self._go_on(menus, stepped, told, Way.REPLY if is_wrong else Way.ONWARD)
        return "wrong answer" if is_wrong else "answer"

    def _chosen(
        self, asked: Mapping[str, Any], number: int, waiting: Sequence[Waiting]
    ) -> str:
        """The answer to "which?": what was answered before it goes there."""
        chosen = asked["which"][number - 1]
        found = next((one for one in waiting if one.id == chosen), None)
        if found is not None:
            return self._answered(found, str(asked["text"]))
        # It is no answer to the one that is left.
        if self._may(Way.REPLY):
            self._reply(Way.REPLY, "sms.late", {})
        return "late"

    def _ask_which(self, found: Sequence[Waiting]) -> str:
        """Several questions take this answer: the person is asked which it is for."""
        if not self._may(Way.REPLY):
            return "too often"
        lines = [
            f"{number} {meaning.title_of(one, self.language)}"
            for number, one in enumerate(found, start=1)
        ]
        self._reply(Way.REPLY, "sms.which", {"choices": "\n".join(lines)}, asks=WHICH)
        held = {"which": [one.id for one in found], "text": self.text}
        self._ask(WHICH, held, self.setting.menus, self.language)
        return "which"

    def _late(self) -> str:
        """An answer where no question is open: told so, if that is news."""
        last = hearing.last_event(
            self.db,
            person_id=self.person_id,
            kinds=WAYS,
            test=self.setting.channel.test,
            since=self.at - LATE_WITHIN,
        )
        ours = questions.last_of_ours(
            self.db,
            person_id=self.person_id,
            test=self.setting.channel.test,
            since=self.at - LATE_WITHIN,
        )
        if ours is not None and (last is None or last[1] < ours[1]):
            return self._late_to_ours(ours[0])
        if last is None:
            return self._unknown()
        said, when = last
        if said["asks"]:
            if when + self.setting.answer_time > self.at:
                return "answered before"
            if not self._did_since(when):
                if self._may(Way.REPLY):
                    self._reply(Way.REPLY, "sms.late", {})
                return "late"
        elif said["template"] == SCREEN and when + AGAIN_WITHIN > self.at:
            return "answered before"
        return self._unknown()

    def _late_to_ours(self, state: State) -> str:
        """An answer to what we began, and which was answered or is over."""
        if state is not State.EXPIRED:
            return "answered before"
        if self._may(Way.REPLY):
            self._reply(Way.REPLY, "sms.late", {})
        return "late"

    def _not_kept(self, what: str) -> str:
        """A text with a number that we never ask for: nothing of it is kept."""
        if not self._may(Way.REPLY):
            return "too often"
        words = notice(self.setting.menus, "card", self.language)
        self._reply(Way.REPLY, SCREEN, {"words": words})
        return what

    def _not_taken(self, screen: str, rows: Sequence[questions.Question]) -> str:
        """A text with a number that its flow does not take: the screen that says so."""
        hearing.blank(self.db, self.setting.keys, inbound_id=self.heard.id)
        if self._is_machine() or not self._may(Way.REPLY):
            return "too often"
        menus = self.setting.menus
        session = meaning.session_at(menus, screen, self.language)
        stepped, told = self._walked(menus, session, (), shown=False)
        flow = meaning.flow_of(menus, screen)
        gone = [row.id for row in rows if row.flow == flow]
        questions.close(self.db, gone, State.REPLACED)
        self._go_on(menus, stepped, told, Way.REPLY)
        return "private number"

    def _unknown(self) -> str:
        """A text that somebody has to read."""
        if looks_like_national_id(self.text):
            # Only here: where a postal code is asked for, one in eleven looks like it.
            hearing.blank(self.db, self.setting.keys, inbound_id=self.heard.id)
            return self._not_kept("national id")
        if self._is_machine():
            return "too often"
        enquiries.add(
            self.db,
            self.setting.keys,
            inbound_id=self.heard.id,
            person_id=self.person_id,
            channel=self.heard.carrier,
            line=self.heard.line,
            words=self.text,
            at=self.at,
        )
        if self._may(Way.UNKNOWN):
            self._reply(Way.UNKNOWN, "sms.unknown", {})
        return "unknown"

    # -- how it goes on ---------------------------------------------------------------

    def _walked(
        self, menus: Menus, session: Session, typed: Sequence[str], shown: bool
    ) -> tuple[Step, bool]:
        return walk(
            self.db, self.setting, self.heard, menus, session, typed, shown, self.at
        )

    def _go_on(self, menus: Menus, stepped: Step, told: bool, way: Way) -> None:
        """Send the screen and wait for its answer, unless a deed's text was the end."""
        session = stepped.session
        if told or (
            ERASING in session.done
            and erasing.is_erased(self.db, person_id=self.person_id)
        ):
            # Who was erased has no number any more, and is asked nothing.
            return
        flow = meaning.flow_of(menus, session.at)
        self.language = session.language
        if self._may(way):
            asks = "" if stepped.ends else flow
            self._reply(way, SCREEN, {"words": stepped.text}, asks=asks)
        if not stepped.ends:
            self._ask(flow, asdict(session), menus, session.language)

    def _ask(
        self, flow: str, held: Mapping[str, Any], menus: Menus, language: str
    ) -> None:
        questions.ask(
            self.db,
            self.setting.keys,
            look_up=self.heard.look_up,
            person_id=self.person_id,
            channel=self.heard.carrier,
            line=self.heard.line,
            flow=flow,
            session=held,
            menus=menus.hash,
            language=language,
            began_by=self.heard.id,
            at=self.at,
            expires_at=self.at + self.setting.answer_time,
        )

    def _reply(
        self, way: Way, template: str, slots: Mapping[str, str], asks: str = ""
    ) -> None:
        to = Addressee(
            person_id=self.person_id,
            channel=self.heard.carrier,
            carrier_id=self.heard.carrier_id,
            language=spoken(self.setting.menus, self.language),
            test=self.setting.channel.test,
        )
        reply(
            self.db,
            self.setting.keys,
            to,
            menus=self.setting.menus,
            way=way,
            template=template,
            slots=slots,
            asks=asks,
            at=self.at,
        )

    def _may(self, way: Way) -> bool:
        return may_reply(
            self.db,
            person_id=self.person_id,
            test=self.setting.channel.test,
            way=way,
            at=self.at,
        )

    def _is_machine(self) -> bool:
        """Whether no person types so much, or so often the same in vain."""
        since, said = self.at - SAID_WITHIN, fold(self.text)
        texts = hearing.said_since(
            self.db, self.setting.keys, look_up=self.heard.look_up, since=since
        )
        if len(texts) > TEXTS_MAX:
            return True
        if sum(fold(text) == said for text in texts) < SAME_MAX:
            return False
        return not self._did_since(since)

    def _did_since(self, when: datetime) -> bool:
        """Whether anything was recorded of this person since, replies apart."""
        return hearing.did_since(
            self.db,
            person_id=self.person_id,
            but=WAYS,
            test=self.setting.channel.test,
            since=when,
        )
