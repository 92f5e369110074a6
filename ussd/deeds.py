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
    "language": ("language_chosen",),
    "stop_texts": (),
    "start_texts": (),
    "text_report": (),
    "erase": (),
}

# The deed after which nothing of the call is kept either.
ERASING = "erase"

# Answers that an effect writes down too, where they were given.
EFFECT_TAKES: Mapping[str, tuple[str, ...]] = {
    "pledge": ("donor_kind", "cohort"),
    "pledge_in_kind": ("donor_kind", "cohort"),
    "instalments": ("donor_kind", "cohort"),
    "sign_up": ("place", "province", "district"),
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
    "stop_texts": {"sms.out": ()},
    "start_texts": {"sms.in": ()},
    "text_report": {
        "sms.report": ("pledged", "paid", "bought", "delivered", "unspent")
    },
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
