"""The carriers and services an operator connects, each a table of the settings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache
from importlib.metadata import entry_points
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    SecretStr,
    StringConstraints,
)

from ledger.outbox import Kind
from sms.prices import Cost

# What a settlement file can tell of a payment: the first three it has to.
COLUMNS = (
    "id",
    "amount",
    "paid_at",
    "paid_time",
    "code",
    "phone",
    "reference",
    "kind",
    "fee",
    "net",
    "settled_at",
)


def _words(given: Any) -> Any:
    """Read a list as the environment has it: `10.0.0.0/8, 192.168.0.0/16`."""
    return given.replace(",", " ").split() if isinstance(given, str) else given


def _url_segment(key: SecretStr) -> SecretStr:
    letters = key.get_secret_value().replace("-", "").replace("_", "")
    if not (letters.isascii() and letters.isalnum()) or len(letters) > 200:
        raise ValueError("should be letters, digits, - and _: it is part of a URL")
    return key


@cache
def _adapters(group: str) -> tuple[str, ...]:
    # Looked up once: it reads what every installed package says of itself.
    return tuple(sorted(point.name for point in entry_points(group=group)))


def _known(group: str) -> AfterValidator:
    def check(name: str) -> str:
        known = _adapters(group)
        if name not in known:
            raise ValueError(f"no such adapter: there are {', '.join(known) or 'none'}")
        return name

    return AfterValidator(check)


def _prefix(written: str) -> str:
    if not re.fullmatch(r"\+[1-9][0-9]{0,14}", written):
        raise ValueError("should be the beginning of a number, as +98912")
    return written


def _prefix_without_plus(written: str) -> str:
    return _prefix("+" + written.removeprefix("+"))


def _price(written: str) -> str:
    # Empty is no price.
    return str(Cost.read(written)) if written else ""


def _columns(named: dict[str, str]) -> dict[str, str]:
    if unknown := sorted(named.keys() - set(COLUMNS)):
        raise ValueError(f"{unknown[0][:40]} is none of {', '.join(COLUMNS)}")
    if missing := [name for name in COLUMNS[:3] if named and name not in named]:
        raise ValueError(f"should say which column is {missing[0]}")
    return named


Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
BooksName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
Networks = Annotated[list[IPvAnyNetwork], BeforeValidator(_words)]
Words = Annotated[list[str], BeforeValidator(_words)]
Prefix = Annotated[str, AfterValidator(_prefix)]
Prefixes = Annotated[list[Prefix], BeforeValidator(_words)]
Kinds = Annotated[list[Kind], BeforeValidator(_words)]
Factors = dict[
    Annotated[str, AfterValidator(_prefix_without_plus)],
    Annotated[Decimal, Field(gt=0, le=1_000, decimal_places=4)],
]
Price = Annotated[str, AfterValidator(_price)]
Columns = Annotated[
    dict[str, Annotated[str, StringConstraints(min_length=1, max_length=100)]],
    AfterValidator(_columns),
]
ChannelKey = Annotated[SecretStr, AfterValidator(_url_segment)]


class _Channel(BaseModel):
    # What an adapter needs beyond these is its own to name and to check.
    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    @property
    def options(self) -> Mapping[str, Any]:
        """What was set beyond the fields that every channel has."""
        return self.model_extra or {}

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        # A password may be among the options; what is not a field has no SecretStr.
        return [
            (name, value)
            for name, value in super().__repr_args__()
            if name not in self.options
        ]


class UssdChannel(_Channel):
    """A carrier that posts the turns of its callers to us."""

    adapter: Annotated[str, _known("yarigar.ussd")] = Field(
        description="The dialect the carrier speaks."
    )
    key: ChannelKey = Field(
        description="The secret last segment of the URL `/ussd/<channel>/<key>`."
    )
    allow_from: Networks = Field(
        default=[], description="Networks it may call from; empty: any."
    )
    ucs2_units: int = Field(
        default=70, ge=40, le=80, description="What a screen of Persian may hold."
    )
    gsm7_septets: int = Field(
        default=160, ge=80, le=182, description="What a screen of English may hold."
    )
    gsm7_only: bool = Field(
        default=False,
        description="Its handsets show no other letters: texts are read in their "
        "`-gsm7` form, or in a language that needs none.",
    )
    session_seconds_max: int = Field(
        default=180, ge=10, le=3_600, description="How long it keeps one call."
    )
    answer_seconds_max: int = Field(
        default=30, ge=5, le=3_600, description="How long it waits for one answer."
    )
    step_price: str = Field(
        default="",
        pattern=r"^([0-9]{1,9}(\.[0-9]{1,4})?( [^\s]{1,20})?)?$",
        description="What it bills for one screen, as `250 rial`: `yarigar menus "
        "check` says what each deed costs.",
    )
    test: bool = Field(
        default=False, description="Works in full and never enters totals or exports."
    )


class SmsChannel(_Channel):
    """A carrier that takes our texts and brings receipts and answers."""

    adapter: Annotated[str, _known("yarigar.sms")] = Field(
        description="The carrier's API."
    )
    key: ChannelKey = Field(
        description="The secret in the URLs `/sms/<channel>/<key>/inbound` and "
        "`/sms/<channel>/<key>/receipts`."
    )
    allow_from: Networks = Field(
        default=[], description="Networks it may post from; empty: any."
    )
    api_key: SecretStr | None = Field(
        default=None, description="What the carrier knows us by."
    )
    username: str = Field(default="", description="The account, where there is one.")
    base_url: str = Field(default="", description="Another address of the carrier.")
    sender: str = Field(default="", description="The line that texts come from.")
    stop_line: str = Field(
        default="", description="What the line must add to a campaign's text."
    )
    weight: int = Field(
        default=100, ge=0, le=10_000, description="Its share among carriers."
    )
    prefixes: Prefixes = Field(
        default=[],
        max_length=200,
        description="Beginnings of the numbers it takes, as `+98912`; the longest that "
        "fits goes before channels without any. Empty: every number.",
    )
    kinds: Kinds = Field(
        default=[],
        max_length=10,
        description="What it carries: `receipt`, `service`, `campaign`. Empty: all.",
    )
    price_per_part: Price = Field(
        default="",
        description="What it bills for one part of a text, as `1150 rial`.",
    )
    prefix_factors: Factors = Field(
        default={},
        max_length=200,
        description="What that is multiplied by for some numbers, as "
        '`{ "98935" = 1.1 }`.',
    )
    segments_per_second: int = Field(
        default=50,
        ge=1,
        le=10_000,
        description="How many parts it is sent a second at the most, by each process; "
        "fewer, if it says that they are too many.",
    )
    slow_seconds: float = Field(
        default=5,
        gt=0,
        le=60,
        description="A call that takes longer is a slow one: a channel with many of "
        "them carries fewer texts while there is another.",
    )
    unclear_resend_seconds: int = Field(
        default=900,
        ge=0,
        le=604_800,
        description="How long a text with no clear answer waits for its receipt; then "
        "one that is no campaign's is sent again, if receipts of later texts came. 0: "
        "never.",
    )
    ask_inbound_seconds: int = Field(
        default=30,
        ge=5,
        le=86_400,
        description="How often a carrier that posts nothing is asked for texts.",
    )
    test: bool = Field(
        default=False,
        description="Carries the texts of test channels; others only where no real "
        "carrier is set up.",
    )


class Partner(BaseModel):
    """A shop, a platform or a company that reads its own totals."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    key: Annotated[SecretStr, Field(min_length=20, max_length=200)] = Field(
        description="The bearer token of `/api/v1/totals`: long and random."
    )
    channels: Words = Field(
        default=[],
        max_length=100,
        description="The channels that are its own: what came over them is its part.",
    )


class PaymentChannel(_Channel):
    """A service that takes money and signs what it tells us."""

    adapter: Annotated[str, _known("yarigar.payments")] = Field(
        description="The form of its notices: `signed-json` or `pos`."
    )
    secret: Annotated[SecretStr, Field(min_length=1)] = Field(
        description="What it signs with: long and random, of this channel alone."
    )
    signature_tolerance_seconds: int = Field(
        default=86_400,
        ge=1,
        le=31_536_000,
        description="How far the time of a signature may be from ours, either way.",
    )
    allow_from: Networks = Field(
        default=[], description="Networks it may post from; empty: any."
    )
    bank: BooksName = Field(
        default="main",
        description="The account of the books that its money is settled into.",
    )
    campaign: str = Field(
        default="",
        pattern=r"^([^:\s]{1,40})?$",
        description="Of a till: the campaign of the menus that its gifts are for.",
    )
    purpose: str = Field(
        default="",
        pattern=r"^([^:\s]{1,40})?$",
        description="Of a till: their purpose.",
    )
    columns: Columns = Field(
        default={},
        max_length=40,
        description="What the columns of its settlement files are called: see "
        "docs/settlements.md. Empty: as ours are.",
    )
    kinds: dict[str, Literal["payment", "refund", "reversal"]] = Field(
        default={},
        max_length=40,
        description="What the words in their column `kind` mean.",
    )
    encoding: Literal["", "utf-8", "windows-1256"] = Field(
        default="", description="The letters of those files; empty: found out."
    )
    unit: Literal["rial", "toman"] = Field(
        default="rial", description="What the amounts in those files are."
    )
    test: bool = Field(
        default=False,
        description="Works in full, meets pledges of test channels alone, and never "
        "enters totals or exports.",
    )
