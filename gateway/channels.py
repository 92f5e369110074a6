"""The carriers and services an operator connects, each a table of the settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Annotated, Any

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


Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Networks = Annotated[list[IPvAnyNetwork], BeforeValidator(_words)]
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
    segments_per_second: int = Field(
        default=50,
        ge=1,
        le=10_000,
        description="How many parts it takes a second; not enforced yet.",
    )
    test: bool = Field(
        default=False,
        description="Carries the texts of test channels; others only where no real "
        "carrier is set up.",
    )


class PaymentChannel(_Channel):
    """A payment service that signs what it tells us."""

    adapter: str = Field(description="The form of its notices.")
    secret: SecretStr = Field(description="What it signs with.")
    signature_tolerance_seconds: int = Field(
        default=86_400, ge=1, description="How old a signature may be."
    )
    test: bool = Field(
        default=False, description="Works in full and never enters totals or exports."
    )
