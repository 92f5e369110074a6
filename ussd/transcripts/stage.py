"""What a story is played in: a small world that does effects and remembers them.

It stands in for the ledger, so its facts and outcomes are those that `gateway` gives
a caller who was never there before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from phone import codes
from phone.dates import jalali_day
from phone.encoding import Limits
from ussd.facts import FACTS
from ussd.machine import Effect, Need, Session, Step, step
from ussd.menus import (
    EFFECT_TEXTS,
    CampaignState,
    Menus,
)
from ussd.transcripts.stories import veiled

__all__ = ["Stage"]

ROUNDS_MAX = 20
# A code with a right check digit, for whatever a story has recorded.
CODE = "10000000" + codes.damm("10000000")
LINE = "10001"
# What a closed campaign does not take; the last is no pledge yet.
GIFTS = ("pledge", "pledge_in_kind", "instalments", "standing")
# What is about a code of an earlier call, of which a story knows none.
STRANGE = ("confirm_delivery", "withdraw_delivery")


@dataclass(slots=True)
class Stage:
    """`done` are the effects, and `texts` the words of the texts they promise.

    A text is without what a sender line adds to it, as «لغو۱۱».
    """

    menus: Menus
    limits: Limits
    now: datetime
    done: list[Effect] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def step(self, session: Session, typed: Sequence[str], *, shown: bool) -> Step:
        """One request of the carrier, with whatever it lacks done and fetched."""
        results: dict[tuple[str, int], Mapping[str, str]] = {}
        facts: dict[Need, Mapping[str, Any]] = {}
        for _ in range(ROUNDS_MAX):
            stepped = step(
                self.menus,
                session,
                typed,
                now=self.now,
                limits=self.limits,
                facts=facts,
                results=results,
                shown=shown,
            )
            lacks = stepped.lacks
            if lacks is None:
                return stepped
            if isinstance(lacks, Effect):
                result = self.carry_out(lacks, session.language)
                results[lacks.name, lacks.number] = result
                facts.clear()
            else:
                facts[lacks] = self.fetch(lacks)
        raise AssertionError("a screen lacked facts without end")

    def carry_out(self, effect: Effect, language: str) -> Mapping[str, str]:
        """Do one effect and promise its text; return what it came to."""
        state = self.menus.campaigns[effect.campaign].state(self.now)
        if effect.name in GIFTS and state is not CampaignState.OPEN:
            return {"outcome": str(state)}
        if effect.name in STRANGE:
            return {"outcome": "unknown"}
        before = [done.name for done in self.done]
        self.done.append(effect)
        self.promise(effect, language, again=effect.name in before)
        match effect.name:
            case "language":
                return {"language": effect.answers["language_chosen"]}
            case "cancel":
                return {"outcome": "cancelled"}
            case "sign_up" if "sign_up" in before:
                return {"code": CODE, "outcome": "already"}
            case "request_delivery":
                return {"code": CODE}
            case "sign_up" | "pledge" | "pledge_in_kind" | "instalments":
                return {"code": CODE}
            case "favour":
                return {"code": CODE}
            case "give_hours":
                # Nobody has any hours yet.
                return {"outcome": "few"}
        return {}

    def promise(self, effect: Effect, language: str, *, again: bool) -> None:
        """The first text of an effect, or the second for who had it done before."""
        names = list(EFFECT_TEXTS.get(effect.name, ()))
        name = names[-1] if again and effect.name == "sign_up" else (names or [""])[0]
        message = self.menus.texts.get(name)
        if message is None:
            return
        campaign = self.menus.campaigns[effect.campaign]
        slots = {
            "amount": effect.answers.get("amount", "0"),
            "code": CODE,
            "pay": campaign.pay,
            "count": effect.answers.get("count", "0"),
            "goods": effect.answers.get("goods", ""),
            "bring_to": campaign.bring_to.get(language, ""),
            "pledged": self.pledged,
            "paid": 0,
            "bought": 0,
            "delivered": 0,
            "unspent": 0,
            "language": language,
            "figures": self.menus.figures.get(language, language),
            "titles": self.menus.titles[language],
        }
        self.texts.append(veiled(message.text[language].render(slots)))

    @property
    def pledges(self) -> list[Effect]:
        return [effect for effect in self.done if effect.name in GIFTS[:3]]

    @property
    def pledged(self) -> int:
        """What was pledged in this story, in rial."""
        return sum(int(effect.answers.get("amount") or 0) for effect in self.pledges)

    @property
    def standings(self) -> list[Effect]:
        """The gifts of each month that were not ended."""
        ended = any(effect.name == "stop_standing" for effect in self.done)
        return [] if ended else [e for e in self.done if e.name == "standing"]

    def fetch(self, need: Need) -> Mapping[str, Any]:
        """The facts of one group."""
        asked = [e.name for e in self.done if e.name in ("stop_texts", "start_texts")]
        items = [self._item(effect) for effect in self.pledges]
        one = items[-1] if items else _NOTHING
        monthly = [
            {
                "value": CODE,
                "amount": effect.answers["amount"],
                "purpose": effect.answers["purpose"],
            }
            for effect in self.standings
        ]
        month = monthly[-1] if monthly else {"amount": 0, "purpose": ""}
        worlds: dict[str, dict[str, Any]] = {
            "caller": {"texts_stopped": asked[-1:] != ["start_texts"], "line": LINE},
            "report": {
                "report_pledged": self.pledged,
                "report_paid": 0,
                "report_donors": "",
                "report_bought": 0,
                "report_delivered": 0,
                "report_unspent": 0,
            },
            "pledge": {
                "one_code": CODE,
                "one_state": one["state"],
                "one_unit": one["unit"],
                "one_amount": one["amount"],
                "one_count": one["count"],
                "one_paid": 0,
                "one_left": one["amount"],
            },
            # Nothing is sealed while a story is told.
            "proof": dict.fromkeys(FACTS["proof"], ""),
            "pledges": {"items": items},
            "standing": {
                "standing_amount": month["amount"],
                "standing_purpose": month["purpose"],
                "standing_day": self._day if monthly else "",
            },
            "standings": {"items": monthly},
            # Nobody gave an hour yet, and nobody knows where the caller is.
            "hours": {
                **dict.fromkeys(FACTS["hours"], 0),
                "tb_below": "",
                "tb_place": "",
            },
        }
        return worlds.get(need.group) or _unknown(need.group)

    def _item(self, effect: Effect) -> dict[str, Any]:
        goods = effect.name == "pledge_in_kind"
        cancelled = any(done.name == "cancel" for done in self.done)
        return {
            "value": CODE,
            "state": "cancelled" if cancelled else "open",
            "unit": "parcel" if goods else "rial",
            "amount": "0" if goods else effect.answers["amount"],
            "count": effect.answers["count"] if goods else "0",
        }

    @property
    def _day(self) -> str:
        """Today's of the Jalali month."""
        here = self.now.astimezone(ZoneInfo(self.menus.time_zone))
        return str(int(jalali_day(here.date()).rpartition("/")[2]))


def _unknown(group: str) -> Mapping[str, Any]:
    """What the ledger says of a group to somebody whom it does not know."""
    facts = FACTS[group]
    return dict.fromkeys(facts, "") if facts else {"items": []}


_NOTHING = {"state": "", "unit": "rial", "amount": "0", "count": "0"}
