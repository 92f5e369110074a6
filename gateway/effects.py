"""What a caller agreed to, done: one transaction for the fact, its key and its text.

Each effect that the menus can name is one function here. It runs at most once per
key, whatever the carrier repeats; its result (a few words for the next screen) is the
same for the first request and for every other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import structlog

from gateway import (
    centres,
    entering,
    giving,
    groups,
    invitations,
    kalabarg,
    renumbering,
    volunteering,
)
from gateway.assemblies import deeds as assemblies
from gateway.orders import Order, note, tell
from gateway.timebank import deeds as hours
from ledger import awaiting, consents, deliveries, erasing, people, stops
from ledger.engine import (
    Connection,
    Engine,
    LedgerError,
    NothingRecorded,
    NotRead,
    OutcomeUnknown,
    reading,
    writing,
)
from ledger.events import Earlier, find
from ledger.vault import Keys, look_up

__all__ = ["Order", "Results", "carry_out", "perform", "results_of"]

ATTEMPTS_MAX = 3
# By whom somebody is erased who dialled for it.
ONESELF = "self"

Results = Mapping[tuple[str, int], Mapping[str, str]]

log = structlog.get_logger()


def carry_out(engine: Engine, keys: Keys, order: Order) -> dict[str, str]:
    """Do it and return its result; raises NothingRecorded, NotRead or
    OutcomeUnknown.

    A connection that dies during COMMIT leaves the outcome open. The same order under
    the same key is then given again: it finds the first one, or takes its place.
    """
    unknown = False
    for _ in range(ATTEMPTS_MAX):
        try:
            with writing(engine) as db:
                return perform(db, keys, order)
        except OutcomeUnknown:
            unknown = True
        except (NothingRecorded, NotRead) as failure:
            log.warning("nothing_recorded", effect=order.effect.name, why=str(failure))
            if unknown:
                break
            return _looked_up(engine, order, failure)
    raise OutcomeUnknown("whether it was recorded could not be learnt")


def perform(db: Connection, keys: Keys, order: Order) -> dict[str, str]:
    """Do it in a transaction of the caller's, and return its result."""
    return DOING[order.effect.name](db, keys, order)


def _looked_up(
    engine: Engine, order: Order, failure: NothingRecorded | NotRead
) -> dict[str, str]:
    """What an earlier request under the same key came to, if there was one.

    "Nothing was recorded" is only true once the key is known not to be there.
    """
    try:
        with reading(engine) as db:
            found = find(db, key=order.key)
    except LedgerError:
        raise OutcomeUnknown("the ledger cannot be asked") from None
    if found is None:
        raise failure
    return _result(found)


def results_of(facts: Iterable[Earlier]) -> Results:
    """What recorded effects came to, by their names and numbers in their keys."""
    results = {}
    for fact in facts:
        name, number = fact.key.rsplit(":", 2)[-2:]
        results[name, int(number)] = _result(fact)
    return results


def _result(fact: Earlier) -> dict[str, str]:
    """What the next screen may say: the code, and words the effect left in its body."""
    result = {"code": fact.code} if fact.code else {}
    for name in ("code", "language"):
        if name in fact.body:
            result[name] = str(fact.body[name])
    if fact.kind in ("signup.again", deliveries.AGAIN):
        result["outcome"] = "already"
    if "outcome" in fact.body and fact.kind in {erasing.KIND, *DOING}:
        result["outcome"] = str(fact.body["outcome"])
    return result


def _language(db: Connection, keys: Keys, order: Order) -> dict[str, str]:
    """Remember the language of a phone."""
    language = order.effect.answers["language_chosen"]
    assert language in order.menus.languages
    person = people.remember(db, keys, order.phone, at=order.at)
    people.set_language(db, person_id=person.id, language=language)
    recorded = note(db, order, person.id, {"language": language})
    first = None if recorded.first else find(db, key=order.key)
    return _result(first) if first is not None else {"language": language}


def _stop_texts(db: Connection, keys: Keys, order: Order) -> dict[str, str]:
    """Stop campaign texts from every line, end the consent, and say so once."""
    person = people.remember(db, keys, order.phone, at=order.at)
    recorded = stops.stop(
        db,
        look_up=look_up(keys, order.phone),
        line=stops.EVERY_LINE,
        key=order.key,
        person_id=person.id,
        channel=order.channel,
        test=order.test,
        at=order.at,
    )
    if recorded.first:
        consents.withdraw(db, person_id=person.id, test=order.test, at=order.at)
    tell(db, order, recorded, person.id, "sms.out", {})
    return {}


def _start_texts(db: Connection, keys: Keys, order: Order) -> dict[str, str]:
    """Take campaign texts, from every line: who asks for them agrees to them."""
    person = people.remember(db, keys, order.phone, at=order.at)
    recorded = stops.start_all(
        db,
        look_up=look_up(keys, order.phone),
        key=order.key,
        person_id=person.id,
        channel=order.channel,
        test=order.test,
        at=order.at,
    )
    if recorded.first:
        consents.give(
            db,
            person_id=person.id,
            menus=order.menus.hash,
            test=order.test,
            at=order.at,
        )
    tell(db, order, recorded, person.id, "sms.in", {})
    return {}


def _tell_me(db: Connection, keys: Keys, order: Order) -> dict[str, str]:
    """Remember who wants to be told when the campaign opens."""
    person = people.remember(db, keys, order.phone, at=order.at)
    awaiting.await_opening(
        db,
        key=order.key,
        person_id=person.id,
        campaign=order.campaign.id,
        channel=order.channel,
        test=order.test,
        at=order.at,
    )
    return {}


def _text_report(db: Connection, keys: Keys, order: Order) -> dict[str, str]:
    """Promise the campaign's figures of this moment as a text."""
    person = people.remember(db, keys, order.phone, at=order.at)
    figures = order.figures(order.campaign.id, order.test)
    recorded = note(db, order, person.id, {})
    slots = {
        "pledged": figures.pledged_rial,
        "paid": figures.paid_rial,
        "bought": figures.bought,
        "delivered": figures.parcels,
        "unspent": figures.unspent_rial,
    }
    tell(db, order, recorded, person.id, "sms.report", slots)
    return {}


def _cut_off(db: Connection, keys: Keys, order: Order) -> dict[str, str]:
    """Tell a caller whose call broke off how to go on. No screen asks for it."""
    person = people.remember(db, keys, order.phone, at=order.at)
    recorded = note(db, order, person.id, {})
    answers = order.effect.answers
    slots: dict[str, str | int] = {"call": answers["call"]}
    tell(db, order, recorded, person.id, answers["text"], slots)
    return {}


def _erase(db: Connection, keys: Keys, order: Order) -> dict[str, str]:
    """Forget who this phone is. There is no text: its number is gone with the rest."""
    person = people.find(db, keys, order.phone)
    if person is None:
        if not order.test:
            erasing.forget_phone(db, keys, look_up=look_up(keys, order.phone))
        return {}
    done = erasing.erase(
        db,
        keys,
        person_id=person.id,
        key=order.key,
        channel=order.channel,
        by=ONESELF,
        test=order.test,
        at=order.at,
    )
    return {} if done.whole else {"outcome": erasing.KEPT}


DOING: Mapping[str, Callable[[Connection, Keys, Order], dict[str, str]]] = {
    "pledge": giving.pledge,
    "pledge_in_kind": giving.pledge_in_kind,
    "instalments": giving.instalments,
    "standing": giving.standing,
    "stop_standing": giving.stop_standing,
    "cancel": giving.cancel,
    "sign_up": volunteering.sign_up,
    "change_sign_up": volunteering.change_sign_up,
    "leave": volunteering.leave,
    "come_back": volunteering.come_back,
    "enter_for": entering.enter_for,
    "confirm_entry": entering.confirm_entry,
    "refuse_entry": entering.refuse_entry,
    "change_number": renumbering.change_number,
    "take_number": renumbering.take_number,
    "refuse_number": renumbering.refuse_number,
    "favour": hours.favour,
    "close_favour": hours.close_favour,
    "accept_help": hours.accept_help,
    "decline_help": hours.decline_help,
    "tell_hours": hours.tell_hours,
    "confirm_hours": hours.confirm_hours,
    "dispute_hours": hours.dispute_hours,
    "give_hours": hours.give_hours,
    "request_delivery": kalabarg.request,
    "confirm_delivery": kalabarg.confirm,
    "withdraw_delivery": kalabarg.withdraw,
    "keep_group": groups.keep,
    "drop_group": groups.drop,
    "language": _language,
    "stop_texts": _stop_texts,
    "start_texts": _start_texts,
    "tell_me": _tell_me,
    "join_assembly": assemblies.join_assembly,
    "leave_assembly": assemblies.leave_assembly,
    "register_premises": assemblies.register_premises,
    "close_premises": assemblies.close_premises,
    "match_premises": assemblies.match_premises,
    "attend_meeting": assemblies.attend_meeting,
    "claim_decision": assemblies.claim_decision,
    "settle_decision": assemblies.settle_decision,
    "text_report": _text_report,
    "erase": _erase,
    "accept_invite": invitations.accept,
    "decline_invite": invitations.decline,
    "queue_done": centres.done,
    "queue_confirm": centres.confirm,
    "show_number": centres.show_number,
    "show_reason": kalabarg.show_reason,
    "raise_need": centres.raise_need,
    "cut_off": _cut_off,
}
