"""Walk a conversation by text one step, in the transaction of the text it answers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gateway.effects import Order, perform
from gateway.facts import Asker, fetch
from gateway.figures import CampaignFigures
from gateway.stepping import walked
from ledger import hearing
from ledger.engine import Connection
from ledger.hearing import Heard
from ledger.places.tree import Tree
from ledger.timebank.standing import Limits as HourLimits
from ledger.vault import Keys
from phone.encoding import SMS_GSM7_SEPTETS, SMS_UCS2_UNITS, Limits
from sms.lines import line_of
from sms.routes import Channel
from ussd.machine import Effect, Need, Session, Step
from ussd.menus import Menus

__all__ = ["Setting", "walk"]

# A screen is one part.
LIMITS = Limits(gsm7_septets=SMS_GSM7_SEPTETS, ucs2_units=SMS_UCS2_UNITS)


@dataclass(frozen=True, slots=True)
class Setting:
    """What every exchange on a channel is held with."""

    keys: Keys
    channel: Channel
    # The channels whose conversations are the same phone's: a rehearsal's are not.
    same_kind: Collection[str]
    menus: Menus
    version: Callable[[str], Menus]
    figures: CampaignFigures
    places: Tree
    # How far the hours of one person may go.
    hours: HourLimits
    answer_time: timedelta


def walk(
    db: Connection,
    setting: Setting,
    heard: Heard,
    menus: Menus,
    session: Session,
    typed: Sequence[str],
    shown: bool,
    at: datetime,
) -> tuple[Step, bool]:
    """The step, and whether a deed was done that promised a text of its own.

    A deed's key is that of the text which agreed to it: the carrier's id is once for
    ever, and so is what it did.
    """
    channel = setting.channel
    asker = Asker(
        heard.phone,
        session.campaign,
        channel.test,
        line_of(channel),
        setting.figures,
        at,
        menus.time_zone,
        setting.places,
        session.language,
    )
    told = False

    def fetched(need: Need) -> Mapping[str, Any]:
        return fetch(db, setting.keys, need, asker)

    def done(effect: Effect) -> Mapping[str, str]:
        nonlocal told
        order = Order(
            effect=effect,
            key=f"sms:{channel.name}:{heard.carrier_id}:{effect.name}:{effect.number}",
            phone=heard.phone,
            language=session.language,
            menus=menus,
            channel=channel.name,
            test=channel.test,
            at=at,
            figures=setting.figures,
            places=setting.places,
            hours=setting.hours,
        )
        result = perform(db, setting.keys, order)
        told = told or hearing.told(db, key=order.key)
        return result

    stepped = walked(
        menus,
        session,
        typed,
        now=at,
        limits=LIMITS,
        results={},
        shown=shown,
        fetched=fetched,
        done=done,
    )
    return stepped, told
