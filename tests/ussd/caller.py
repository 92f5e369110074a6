"""A caller of the pure machine, with a small world behind it that remembers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from phone.encoding import Limits
from ussd.facts import FACTS
from ussd.machine import Effect, Need, Session, Step, begin, step
from ussd.menus import (
    Menus,
)

# A day on which the shipped campaign is open.
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CODE = "572495724"
ROUNDS_MAX = 20
# What gives a tracking code.
CODED = ("pledge", "pledge_in_kind", "instalments", "sign_up")


def through_json(session: Session) -> Session:
    return Session.from_json(json.loads(json.dumps(asdict(session))))


class Caller:
    """Dials, then types; `text`, `ends` and `session` are what came of it.

    `done` are the effects, in order. `outcomes` says what each is answered with,
    `known` what the ledger holds from before, `pledges` what is listed.
    """

    def __init__(
        self,
        menus: Menus,
        code: str,
        *,
        language: str = "fa",
        ahead: str = "",
        now: datetime = NOON,
        limits: Limits | None = None,
        stands: Mapping[str, str] | None = None,
        outcomes: Mapping[str, Mapping[str, str]] | None = None,
        known: Mapping[tuple[str, int], Mapping[str, str]] | None = None,
        pledges: Sequence[Mapping[str, Any]] = (),
        texts_stopped: bool = False,
        proof: Mapping[str, Any] | None = None,
        standings: Sequence[Mapping[str, Any]] = (),
        told: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.menus = menus
        self.now = now
        self.limits = limits or Limits()
        self.outcomes = dict(outcomes or {})
        self.known = dict(known or {})
        self.pledges = [{"unit": "rial", "count": 0, **one} for one in pledges]
        self.proof = {**dict.fromkeys(FACTS["proof"], ""), **(proof or {})}
        self.standings = list(standings)
        # Facts of the other groups; what is not told is empty.
        self.told = dict(told or {})
        self.texts_stopped = texts_stopped
        self.done: list[Effect] = []
        self.texts: list[str] = []
        begun = begin(menus, code, language)
        assert begun is not None, f"{code} leads nowhere"
        session, typed = begun
        answers = [*typed, *(ahead.split("*") if ahead else [])]
        self._take(self.step(session, answers, shown=False, stands=stands))

    @property
    def at(self) -> str:
        return self.session.at

    def types(self, *requests: str) -> str:
        """One request each; answers typed together are joined by `*`."""
        for typed in requests:
            assert not self.ends, f"{typed!r} is typed after {self.text!r}"
            self._take(self.step(self.session, typed.split("*"), shown=True))
        return self.text

    def step(
        self,
        session: Session,
        typed: Sequence[str],
        *,
        shown: bool,
        stands: Mapping[str, str] | None = None,
    ) -> Step:
        results = dict(self.known)
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
                stands=stands,
            )
            if stepped.lacks is None:
                return stepped
            if isinstance(stepped.lacks, Effect):
                effect = stepped.lacks
                results[effect.name, effect.number] = self._do(effect)
                facts.clear()
            else:
                facts[stepped.lacks] = self._fetch(stepped.lacks)
        raise AssertionError("a screen lacked facts without end")

    def _take(self, stepped: Step) -> None:
        self.text, self.ends = stepped.text, stepped.ends
        self.texts.append(stepped.text)
        self.session = through_json(stepped.session)
        assert self.session == replace(
            stepped.session, answers=dict(stepped.session.answers)
        )

    def _do(self, effect: Effect) -> Mapping[str, str]:
        self.done.append(effect)
        if effect.name in self.outcomes:
            return self.outcomes[effect.name]
        if effect.name == "language":
            return {"language": effect.answers["language_chosen"]}
        if effect.name in ("stop_texts", "start_texts"):
            self.texts_stopped = effect.name == "stop_texts"
        if effect.name == "stop_standing":
            self.standings = []
            return {}
        if effect.name == "cancel":
            self.pledges = [
                {**pledge, "state": "paid" if pledge.get("paid") else "cancelled"}
                if pledge["value"] == effect.answers["pledge"]
                else pledge
                for pledge in self.pledges
            ]
            return {"outcome": "cancelled"}
        return {"code": CODE} if effect.name in CODED else {}

    def _fetch(self, need: Need) -> Mapping[str, Any]:
        if need.group == "caller":
            return {"texts_stopped": self.texts_stopped, "line": "10001"}
        if need.group == "report":
            return {
                "report_pledged": 7_500_000,
                "report_paid": 500_000,
                "report_donors": "",
                "report_bought": 1_200,
                "report_delivered": 900,
                "report_unspent": 100_000,
            }
        if need.group == "proof":
            return self.proof
        if need.group == "standings":
            return {"items": self.standings}
        if need.group == "standing":
            for one in self.standings:
                if one["value"] == need.argument:
                    return {
                        "standing_amount": one["amount"],
                        "standing_purpose": one["purpose"],
                        "standing_day": "1",
                    }
            return dict.fromkeys(FACTS["standing"], "")
        if need.group == "pledges":
            return {"items": self.pledges}
        if need.group != "pledge":
            facts: dict[str, Any] = dict.fromkeys(FACTS[need.group], "")
            if need.group == "hours":
                # Nobody gave any yet: a count is 0 for the ledger, never empty.
                facts = {**dict.fromkeys(facts, 0), "tb_below": "", "tb_place": ""}
            found_of = self.told.get(need.group, {})
            return {**facts, **found_of} if facts else {"items": [], **found_of}
        found = [p for p in self.pledges if p["value"] == need.argument]
        nothing = {"amount": 0, "count": 0, "unit": "rial", "state": ""}
        one = found[0] if found else nothing
        paid = one.get("paid", 0)
        return {
            "one_code": need.argument,
            "one_amount": one["amount"],
            "one_count": one["count"],
            "one_unit": one["unit"],
            "one_state": one["state"],
            "one_paid": paid,
            "one_left": one["amount"] - paid,
        }
