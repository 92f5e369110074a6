"""What an smpp channel of texts sets: the centre, and how texts are handed to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from phone.smpp.codings import Codings
from phone.smpp.faults import Unwritable
from phone.smpp.options import (
    NEEDS,
    Access,
    Reading,
    one_of,
    take_access,
    take_codings,
    text,
    whole,
    words,
    yes_or_no,
)
from phone.smpp.pdu import SERVICE_TYPE
from phone.smpp.segments import Joint, Party, party

__all__ = ["KNOWS", "NEEDS", "Options", "read_options"]

BINDS_MAX = 10
STATUSES_MAX = 64
SENDER_CHARS_MAX = 20

# How an answer spells an id that a report spells otherwise. `auto` tries all of it, and
# the phone that a report names keeps strangers apart.
IDS = {
    "auto": ("same", "hex", "dec"),
    "same": ("same",),
    "hex": ("hex",),
    "dec": ("dec",),
}

# Every option that a channel may set, but for what all adapters know.
KNOWS = (
    *("port", "tls", "tls_ca", "system_type", "bind", "binds", "window"),
    *("response_seconds", "enquire_link_seconds", "service_type", "validity"),
    *("parts", "ids", "gsm7_coding", "ucs2_coding", "default_alphabet"),
    *("source_ton", "source_npi", "dest_ton", "dest_npi"),
    *("throttled_statuses", "no_credit_statuses", "opted_out_statuses"),
)


@dataclass(frozen=True, slots=True)
class Options:
    """Options that were read; `source` is None where the centre knows the sender."""

    access: Access
    binds: int = 1
    service_type: str = ""
    source: Party | None = None
    # The type of the numbers that texts go to, which are E.164.
    dest: tuple[int, int] = (1, 1)
    joint: Joint = Joint.UDH8
    # See `incoming.forms_of`.
    ids: tuple[str, ...] = IDS["auto"]
    # Whether the centre is told how long a text is worth anything.
    tells_validity: bool = True
    codings: Codings = field(default_factory=Codings)
    # What codes of the centre's own say, beyond those of the specification.
    throttled: frozenset[int] = frozenset()
    no_credit: frozenset[int] = frozenset()
    opted_out: frozenset[int] = frozenset()


def read_options(given: Mapping[str, str]) -> Options:
    """Read a channel's options; raises ValueError with one line for each fault.

    Every value is a text: what is no text in the settings comes as JSON.
    """
    reading = Reading({name: _plain(value) for name, value in given.items()})
    number = whole(0, 255)
    options = Options(
        access=take_access(reading),
        binds=reading.take("binds", whole(1, BINDS_MAX), 1),
        service_type=reading.take("service_type", text(SERVICE_TYPE - 1), ""),
        source=_source(reading),
        dest=(
            reading.take("dest_ton", number, 1),
            reading.take("dest_npi", number, 1),
        ),
        joint=reading.take(
            "parts", one_of({str(joint): joint for joint in Joint}), Joint.UDH8
        ),
        ids=reading.take("ids", one_of(IDS), IDS["auto"]),
        tells_validity=reading.take("validity", yes_or_no, True),
        codings=replace(
            take_codings(reading),
            latin1=reading.take(
                "default_alphabet", one_of({"gsm7": False, "latin1": True}), False
            ),
        ),
        throttled=reading.take("throttled_statuses", _statuses, frozenset()),
        no_credit=reading.take("no_credit_statuses", _statuses, frozenset()),
        opted_out=reading.take("opted_out_statuses", _statuses, frozenset()),
    )
    reading.finish()
    return options


def _plain(value: str) -> Any:
    """A list of the settings, where the text is one; a host may begin with [ too."""
    if not value.startswith("["):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _source(reading: Reading) -> Party | None:
    """The sender line, its type by its look unless the channel says otherwise."""
    found = reading.take("sender", _sender, None)
    ton = reading.take("source_ton", whole(0, 255), found.ton if found else 0)
    npi = reading.take("source_npi", whole(0, 255), found.npi if found else 0)
    return replace(found, ton=ton, npi=npi) if found else None


def _sender(given: Any) -> Party:
    try:
        return party(text(SENDER_CHARS_MAX)(given))
    except Unwritable as fault:
        raise ValueError(str(fault)) from None


def _statuses(given: Any) -> frozenset[int]:
    found = words(given)
    if len(found) > STATUSES_MAX:
        raise ValueError(f"should be at most {STATUSES_MAX} numbers")
    return frozenset(whole(1, 0xFFFFFFFF)(word) for word in found)
