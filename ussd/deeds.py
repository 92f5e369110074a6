"""What menus can have done, and the texts that are sent with it.

`gateway.effects` does the deeds, and `gateway.texting` holds conversations by text; a
deed that is not here is refused when the menus are read.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "ANSWER_UNITS_MAX",
    "BY_TEXT",
    "CHOICES_MAX",
    "CONVERSATION_TEXTS",
    "CUT_OFF_SLOTS",
    "EFFECTS",
    "EFFECT_SEALS",
    "EFFECT_TAKES",
    "EFFECT_TEXTS",
    "ERASING",
    "KEYWORD_SLOTS",
    "LEDGER_TEXTS",
]

# What a screen can have done, and the answers each needs.
EFFECTS: Mapping[str, tuple[str, ...]] = {
    "pledge": ("amount", "purpose"),
    "pledge_in_kind": ("goods", "count"),
    "instalments": ("amount", "purpose"),
    "standing": ("amount", "purpose"),
    "stop_standing": ("standing",),
    "cancel": ("pledge",),
    "sign_up": ("place_kind", "skill", "time"),
    "change_sign_up": ("place_kind", "skill", "time"),
    "leave": (),
    "come_back": (),
    "enter_for": ("other_phone", "place_kind", "skill", "time"),
    "confirm_entry": (),
    "refuse_entry": (),
    "change_number": ("other_phone",),
    "take_number": (),
    "refuse_number": (),
    "join_assembly": (
        *("ben_district", "ben_kind", "capacity", "ben_amount", "ben_covers"),
    ),
    "leave_assembly": (),
    "register_premises": (
        *("ben_district", "premises_side", "premises_kind", "square_metres"),
    ),
    "close_premises": ("premises",),
    "match_premises": ("match",),
    "attend_meeting": ("meeting", "attending"),
    "claim_decision": ("decision", "claim"),
    "settle_decision": ("decision", "settle"),
    # Of the time bank. A side is offer or need; an introduction's number and a code of
    # hours are never typed for somebody else: who did not give or get them is told so.
    "favour": ("favour_side", "favour_kind", "favour_hours", "favour_venue"),
    "close_favour": ("favour",),
    "accept_help": ("introduction",),
    "decline_help": ("introduction",),
    "tell_hours": ("introduction", "told_hours"),
    "confirm_hours": ("hours_code",),
    "dispute_hours": ("hours_code",),
    "give_hours": ("given_hours",),
    "request_delivery": ("call_back",),
    "confirm_delivery": ("delivery",),
    "withdraw_delivery": ("delivery",),
    "keep_group": ("group",),
    "drop_group": (),
    "language": ("language_chosen",),
    "stop_texts": (),
    "tell_me": (),
    "start_texts": (),
    "text_report": (),
    "erase": (),
    # Of an invitation to help; of what waits at a centre, and what it needs.
    "accept_invite": ("invite",),
    "decline_invite": ("invite",),
    "queue_done": ("item",),
    "queue_confirm": ("item",),
    "show_number": ("item",),
    "show_reason": ("item",),
    "raise_need": (
        *("need_skill", "need_count", "need_days", "need_hour", "need_urgency"),
    ),
}

# The deed after which nothing of the call is kept either.
ERASING = "erase"

# Where somebody lives, in the ways that they can say it.
_PLACE = (
    *("place", "centre_code", "postcode", "town", "stand"),
    *("province", "district"),
)

# Answers that an effect writes down too, where they were given.
EFFECT_TAKES: Mapping[str, tuple[str, ...]] = {
    "pledge": ("donor_kind", "cohort"),
    "favour": ("centre_code", "tehran_district"),
    "pledge_in_kind": ("donor_kind", "cohort"),
    "instalments": ("donor_kind", "cohort"),
    "sign_up": (*_PLACE, "booth", "name"),
    "change_sign_up": (*_PLACE, "name"),
    "enter_for": (*_PLACE, "booth"),
    "join_assembly": ("ben_name",),
    "request_delivery": ("kb_where", "centre_code", "kb_district", "kb_reason"),
}

# Answers that nothing keeps, and that these deeds put under a person's own key at once.
EFFECT_SEALS: Mapping[str, tuple[str, ...]] = {
    "request_delivery": ("kb_reason",),
    "keep_group": ("group",),
    "sign_up": ("name",),
    "change_sign_up": ("name",),
    "enter_for": ("other_phone",),
    "change_number": ("other_phone",),
}

# The texts that an effect promises, by the names they have under `texts:`, and the
# slots each is given.
EFFECT_TEXTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "pledge": {"sms.pledge": ("amount", "code", "pay")},
    "pledge_in_kind": {"sms.in_kind": ("count", "goods", "code", "bring_to")},
    "instalments": {"sms.instalments": ("amount", "code", "pay")},
    "cancel": {
        "sms.cancelled": ("code",),
        # Where some of it was paid before: how much.
        "sms.cancelled.part": ("amount", "code"),
    },
    "sign_up": {"sms.vol": ("code",), "sms.vol.again": ("code",)},
    "leave": {"sms.vol.left": ()},
    "come_back": {"sms.vol": ("code",)},
    "confirm_entry": {"sms.vol": ("code",), "sms.vol.again": ("code",)},
    "accept_help": {"sms.tb.match": ("centre", "code")},
    "tell_hours": {
        "sms.tb.confirm": ("kind", "hours", "code"),
        # Where other hours are asked about already: only their code confirms them.
        "sms.tb.code": ("kind", "hours", "code"),
    },
    "confirm_hours": {"sms.tb.done": ("hours", "balance", "below")},
    "close_favour": {"sms.tb.off": ("code",)},
    # To no centre, or to one by its code.
    "request_delivery": {"sms.kb.noted": ("code",), "sms.kb": ("code", "centre")},
    "confirm_delivery": {"sms.kb.done": ("code",)},
    "stop_texts": {"sms.out": ()},
    "start_texts": {"sms.in": ()},
    "text_report": {
        "sms.report": ("pledged", "paid", "bought", "delivered", "unspent")
    },
    "accept_invite": {"sms.vol.meet": ("when", "hour", "place"), "sms.vol.full": ()},
}

# The texts that the ledger's own course promises, whatever screens there are: money
# that came or went back, a day that is near or past, a month that began. `due` is a
# Jalali day, `number` that of the instalment, the others are rial and codes.
LEDGER_TEXTS: Mapping[str, tuple[str, ...]] = {
    "sms.paid": ("amount", "code"),
    "sms.part_paid": ("amount", "left", "code", "pay"),
    "sms.shop": ("amount", "code"),
    "sms.refunded": ("amount", "code"),
    "sms.reminder": ("amount", "code", "pay"),
    "sms.due": ("number", "amount", "due", "code", "pay"),
    "sms.standing": ("amount", "code", "pay"),
    "sms.expired": ("code",),
    "sms.written_off": ("code",),
    # A request for delivery: taken up, and closed by us.
    "sms.kb.taken": ("code",),
    "sms.kb.closed": ("code", "contact"),
    # To who asked: a round began, and its last day. `title` is the campaign's, `until`
    # a Jalali day, or empty for a round without an end.
    "sms.opened": ("title", "until", "call"),
    "sms.closing": ("title", "until", "call"),
    # Of the time bank: who is asked to help, who waits for somebody, and whose hours
    # nobody confirmed. `kind` is of the list `helps`.
    "sms.tb.ask": ("kind", "hours", "where"),
    "sms.tb.none": ("code",),
    "sms.tb.lapsed": ("hours", "code"),
    # Of an assembly: `dist` is its district's number, `res` that of a decision, `when`
    # and `next` are Jalali days; `next` is empty where no meeting is planned.
    "sms.ben.meet": ("dist", "when", "hour", "venue"),
    "sms.ben.soon": ("dist", "when", "hour", "venue"),
    "sms.ben.off": ("dist", "when", "hour"),
    "sms.ben.due": ("res", "next"),
    "sms.ben.done": ("dist", "res", "next"),
    "sms.ben.match": ("dist", "contact"),
    # To a phone that somebody else wrote down, and to one that is to become whose it
    # is, or was.
    "sms.entry": ("recipient",),
    "sms.number": ("ends",),
    "sms.number.asked": ("contact",),
    "sms.number.done": (),
    # To a volunteer: who is asked, asked once more, told that it is called off. To a
    # centre: how much waits there.
    "sms.vol.invite": ("when", "hour", "place"),
    "sms.vol.remind": ("when", "hour", "place"),
    "sms.vol.off": ("when", "place"),
    "sms.centre.digest": ("count",),
}

# The slots of the text that a flow promises a caller who was cut off (`cut_off`).
CUT_OFF_SLOTS = ("call",)

# The slots of a text that answers a keyword by itself (`says`): the campaign's own.
KEYWORD_SLOTS = ("call", "contact")

# The texts of a conversation by SMS, needed where there are keywords: a screen as it
# is sent, an answer to what nobody understood and what the help desk wrote, the
# question which of several open ones is meant (`choices` is a line for each), and an
# answer that came too late.
CONVERSATION_TEXTS: Mapping[str, tuple[str, ...]] = {
    "sms.screen": ("words",),
    "sms.unknown": (),
    "sms.answer": ("words",),
    "sms.which": ("choices",),
    "sms.late": (),
}

# UTF-16 units of what the help desk may answer, so that it is four parts at most.
ANSWER_UNITS_MAX = 240
# Of the conversations that wait for an answer, those that `sms.which` asks about.
CHOICES_MAX = 3

# What stands for the dialled code in a conversation by text, where none was dialled.
BY_TEXT = "sms"
