"""Everything an operator can set.

Read from a TOML file and then from the environment, which wins. All faults are
reported at once, each with the name of the setting as it was given.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import phonenumbers
from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from gateway import sources
from gateway.channels import (
    Name,
    Networks,
    PaymentChannel,
    SmsChannel,
    UssdChannel,
)
from gateway.faults import SettingsError
from gateway.stand_ins import stand_ins
from ussd.turn import dialect

__all__ = [
    "PaymentChannel",
    "Settings",
    "SettingsError",
    "SmsChannel",
    "UssdChannel",
    "load",
]

KEY_BYTES = 32
# The five without which nothing can be read or promised.
KEYS = ("vault_key", "index_key", "code_key", "seal_key", "web_secret")
DIAL_CODE = "*780*5588*1#"


def _local_host(host: str) -> str:
    """Where this machine reaches `host`: all its addresses are none to connect to."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


def _local_url(host: str, port: object) -> str:
    near = _local_host(host)
    return f"http://{f'[{near}]' if ':' in near else near}:{port}"


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError) as fault:
        raise ValueError(f"no such time zone: {name[:40]!r}") from fault
    return name


def _region(name: str) -> str:
    if name not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError("should be a region of two capital letters, as IR")
    return name


def _database_url(url: str) -> str:
    for spelling in ("postgres://", "postgresql://"):
        if url.startswith(spelling):
            return "postgresql+psycopg://" + url.removeprefix(spelling)
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("should begin with sqlite:/// or postgresql+psycopg://")
    return url


def _redis_url(url: str) -> str:
    if url and not url.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("should begin with redis://, rediss:// or unix://")
    return url


def _public_url(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise ValueError("should begin with http:// or https://")
    return url.rstrip("/")


def _key(given: SecretStr) -> SecretStr:
    key_bytes(given)
    return given


def key_bytes(key: SecretStr) -> bytes:
    """Read 32 bytes written as 64 hexadecimal digits or as base64."""
    written = key.get_secret_value()
    try:
        if len(written) == 2 * KEY_BYTES:
            return bytes.fromhex(written)
        # Both alphabets, with and without the padding.
        folded = written.rstrip("=").translate(str.maketrans("-_", "+/"))
        read = base64.b64decode(folded + "=" * (-len(folded) % 4), validate=True)
    except (ValueError, binascii.Error):
        read = b""
    if len(read) != KEY_BYTES:
        raise ValueError("should be 32 random bytes, in hexadecimal or base64")
    return read


Key = Annotated[SecretStr, AfterValidator(_key)]


class Settings(BaseSettings):
    """Everything an operator can set, checked."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True
    )

    database_url: Annotated[str, AfterValidator(_database_url)] = Field(
        default="sqlite:///var/yarigar.db",
        repr=False,
        description="The ledger: a SQLite file (by default in `data_dir`) or "
        "`postgresql+psycopg://user:password@host/name`.",
    )
    redis_url: Annotated[str, AfterValidator(_redis_url)] = Field(
        default="",
        repr=False,
        description="Redis 6.2 or later; empty: `yarigar serve` runs its own.",
    )
    menus: Path = Field(
        default=Path("menus.yaml"), description="The menus that `serve` publishes."
    )
    data_dir: Path = Field(
        default=Path("var"), description="Where keys, SQLite and the socket are kept."
    )
    region: Annotated[str, AfterValidator(_region)] = Field(
        default="IR", description="Whose numbers are written without a country code."
    )
    time_zone: Annotated[str, AfterValidator(_time_zone)] = Field(
        default="Asia/Tehran", description="Whose days the books are read in."
    )
    public_url: Annotated[str, AfterValidator(_public_url)] = Field(
        default="http://127.0.0.1:8000",
        description="Where the world reaches us; by default host and port. Carriers of "
        "texts are told it, and those that sign their posts sign it.",
    )
    trusted_proxies: Networks = Field(
        default=[], description="Networks whose X-Forwarded-For is believed."
    )
    metrics_from: Networks = Field(
        default=["127.0.0.0/8", "::1/128"],
        validate_default=True,
        description="Networks that may read /metrics.",
    )
    approvals: int = Field(
        default=2,
        ge=1,
        le=9,
        description="People needed for refunds, publication and large sends; "
        "with 1 the audit says so. Nothing uses it yet.",
    )
    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(default=8000, ge=1, le=65_535, description="The port.")
    simulator: bool = Field(
        default=False,
        description="Whether `/phone` is there: whoever opens it can dial as any phone "
        "of a test channel. `yarigar serve` turns it on unless it is set: set it to "
        "false on a public host.",
    )
    web_threads: int = Field(
        default=8, ge=1, le=512, description="Requests one web process answers at once."
    )
    web_workers: int = Field(
        default=1, ge=1, le=64, description="Processes of the web service."
    )
    lease_seconds: int = Field(
        default=30, ge=5, le=3600, description="How long a worker may hold a text."
    )
    http_timeout_seconds: float = Field(
        default=10, gt=0, le=60, description="How long a carrier may take to answer."
    )
    text_batch_max: int = Field(
        default=100, ge=1, le=1000, description="Texts a worker takes at once."
    )
    session_seconds: int = Field(
        default=600,
        ge=30,
        le=3600,
        description="How long a call is remembered after its last turn; not below the "
        "carrier's own limit.",
    )
    vault_key: Key | None = Field(default=None, description="Encrypts phone numbers.")
    index_key: Key | None = Field(default=None, description="Finds a phone number.")
    code_key: Key | None = Field(default=None, description="Shuffles tracking codes.")
    seal_key: Key | None = Field(
        default=None, description="Signs the ledger's seals, when there are any."
    )
    web_secret: Key | None = Field(
        default=None, description="What the keys of the test channels are made from."
    )
    ussd: dict[Name, UssdChannel] = Field(
        default={}, description="Carriers that bring calls."
    )
    sms: dict[Name, SmsChannel] = Field(
        default={}, description="Carriers that take texts."
    )
    payments: dict[Name, PaymentChannel] = Field(
        default={}, description="Services that take money. Nothing uses them yet."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # `load` reads file and environment itself: the library's own reader passes
        # over names it does not know, and reads a key of digits as a number.
        return (init_settings,)

    @model_validator(mode="before")
    @classmethod
    def _follow(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Take from other settings what has a default by them."""
        data_dir, port = given.get("data_dir", "var"), given.get("port", 8000)
        followed = {
            "public_url": _local_url(str(given.get("host", "127.0.0.1")), port),
            "database_url": f"sqlite:///{data_dir}/yarigar.db",
        }
        return followed | given

    @property
    def local_host(self) -> str:
        """The host to connect to from this machine."""
        return _local_host(self.host)

    @property
    def local_url(self) -> str:
        """The web service as this machine reaches it."""
        return _local_url(self.host, self.port)

    @property
    def has_simulator(self) -> bool:
        """Whether there is a simulator: where nobody says, `serve` turns it on.

        So it is the same in every process, in a terminal beside `serve` too.
        """
        return self.simulator or "simulator" not in self.model_fields_set

    def with_keys(self, made: Mapping[str, str]) -> Settings:
        """Complete the settings with what keys.toml holds; what was set wins.

        The test channels of the simulator are added where the operator has none of
        that name and keys.toml has their key; those that stand for other carriers
        only where a simulator may dial them.
        """
        update: dict[str, Any] = {
            name: SecretStr(made[name])
            for name in KEYS
            if getattr(self, name) is None and name in made
        }
        if "phone_channel_key" in made:
            key = made["phone_channel_key"]
            phone = UssdChannel(adapter="africastalking", key=SecretStr(key), test=True)
            others = stand_ins(key) if self.has_simulator else {}
            added = {"phone": phone, **others}
            missing = {n: c for n, c in added.items() if n not in self.ussd}
            update["ussd"] = {**self.ussd, **missing}
        if "console" not in self.sms and "console_channel_key" in made:
            console = SmsChannel(
                adapter="console",
                key=SecretStr(made["console_channel_key"]),
                sender="10001",
                stop_line="لغو۱۱",
                test=True,
            )
            update["sms"] = {**self.sms, "console": console}
        return self.model_copy(update=update)

    def key_bytes(self, name: str) -> bytes:
        """Give the 32 bytes of one of KEYS, which must be complete by now."""
        key = getattr(self, name)
        assert isinstance(key, SecretStr), name
        return key_bytes(key)


def load(environ: Mapping[str, str]) -> Settings:
    """Read yarigar.toml and the environment; raise SettingsError with every fault."""
    given = sources.read(environ)
    faults = [*given.faults, *given.misspelt("ussd", UssdChannel)]
    faults += given.misspelt("sms", SmsChannel)
    faults += given.misspelt("payments", PaymentChannel)
    try:
        settings = Settings(**given.values)
    except ValidationError as refused:
        faults += [given.describe(fault, Settings) for fault in refused.errors()]
    else:
        for name, channel in settings.ussd.items():
            where = given.name(("ussd", name))
            faults += [f"{where}: {line}" for line in _misfits(channel, settings)]
    if faults:
        raise SettingsError("\n".join(faults))
    return settings


def _misfits(channel: UssdChannel, settings: Settings) -> list[str]:
    """What a channel's dialect does not understand of the options it was set."""
    try:
        dialect(channel.adapter)(region=settings.region, options=channel.options)
    except ValueError as refused:
        return str(refused).splitlines()
    return []
