"""Everything an operator can set.

Read from a TOML file and then from the environment, which wins. All faults are
reported at once, each with the name of the setting as it was given.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import (
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
    Partner,
    PaymentChannel,
    SmsChannel,
    UssdChannel,
    Words,
)
from gateway.faults import SettingsError
from gateway.kinds import (
    DatabaseUrl,
    Hour,
    Key,
    PublicUrl,
    RedisUrl,
    Region,
    TimeZone,
    key_bytes,
)
from gateway.misfits import misfits
from gateway.stand_ins import stand_ins

__all__ = [
    "Partner",
    "PaymentChannel",
    "Settings",
    "SettingsError",
    "SmsChannel",
    "UssdChannel",
    "load",
    "told_of_rehearsal",
]

# The five without which nothing can be read or promised.
KEYS = ("vault_key", "index_key", "code_key", "seal_key", "web_secret")
OLD_KEY = "vault_key_old"
DIAL_CODE = "*780*5588*1#"


def _local_host(host: str) -> str:
    """Where this machine reaches `host`: all its addresses are none to connect to."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


def _local_url(host: str, port: object) -> str:
    near = _local_host(host)
    return f"http://{f'[{near}]' if ':' in near else near}:{port}"


class Settings(BaseSettings):
    """Everything an operator can set, checked."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True
    )

    database_url: DatabaseUrl = Field(
        default="sqlite:///var/yarigar.db",
        repr=False,
        description="The ledger: a SQLite file (by default in `data_dir`) or "
        "`postgresql+psycopg://user:password@host/name`.",
    )
    redis_url: RedisUrl = Field(
        default="",
        repr=False,
        description="Redis 6.2 or later; empty: `yarigar serve` runs its own.",
    )
    menus: Path = Field(
        default=Path("menus.yaml"), description="The menus that `serve` publishes."
    )
    places: Path | None = Field(
        default=None,
        description="The file of places that `serve` brings in; with none it is the "
        "one that ships, once.",
    )
    data_dir: Path = Field(
        default=Path("var"), description="Where keys, SQLite and the socket are kept."
    )
    region: Region = Field(
        default="IR", description="Whose numbers are written without a country code."
    )
    time_zone: TimeZone = Field(
        default="Asia/Tehran", description="Whose days the books are read in."
    )
    public_url: PublicUrl = Field(
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
        description="People needed for large sends, and one day for refunds and "
        "publication; with 1 the audit says so.",
    )
    quiet_from: Hour = Field(
        default="22:00",
        description="From then until `quiet_to`, in `time_zone`, no campaign text "
        "leaves; the same hour twice is no night.",
    )
    quiet_to: Hour = Field(
        default="07:00", description="When the campaign texts of the night leave."
    )
    campaign_texts_per_day: int = Field(
        default=1, ge=1, le=100, description="Campaign texts to one phone in a day."
    )
    campaign_texts_per_month: int = Field(
        default=4,
        ge=1,
        le=1000,
        description="Campaign texts to one phone in thirty days.",
    )
    send_alone_max: int = Field(
        default=100,
        ge=0,
        le=1_000_000,
        description="A send to more people than these needs `approvals` people.",
    )
    rehearsal: bool = Field(
        default=False,
        description="Whether real carriers get texts for `guests` alone.",
    )
    guests: Words = Field(
        default=[],
        max_length=1000,
        repr=False,
        description="The phones that get texts in a rehearsal, as `09121234567`.",
    )
    rehearsal_texts_per_day: int = Field(
        default=100,
        ge=1,
        le=100_000,
        description="Texts that real carriers get in a day of a rehearsal, counted by "
        "attempts.",
    )
    time_bank_floor_hours: int = Field(
        default=-10,
        ge=-1000,
        le=0,
        description="How far the hours of one person may go below nothing: who is "
        "there gives first, or a centre helps out of the community's hours.",
    )
    time_bank_ceiling_hours: int = Field(
        default=40,
        ge=1,
        le=1000,
        description="How many hours one person may gather: who has so many asks for "
        "some first, or gives them to the community.",
    )
    invitations_per_week: int = Field(
        default=1,
        ge=1,
        le=7,
        description="How often a volunteer is invited in seven days at most.",
    )
    invitation_reply_hours: int = Field(
        default=24,
        ge=1,
        le=168,
        description="How long an invitation waits for its answer, and a need for its "
        "next wave of them.",
    )
    centre_digest_at: Hour = Field(
        default="09:00",
        description="From then on, in `time_zone`, the phones of a centre are told "
        "once a day that things wait there.",
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
    text_threads: int = Field(
        default=24, ge=1, le=256, description="Texts a worker hands over at once."
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
    text_answer_seconds: int = Field(
        default=86_400,
        ge=60,
        le=604_800,
        description="How long a question asked by text waits for its answer.",
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
    vault_key_old: Key | None = Field(
        default=None,
        description="Also opens what `vault_key` encrypts, while `yarigar people "
        "rotate` puts one in the place of the other.",
    )
    ussd: dict[Name, UssdChannel] = Field(
        default={}, description="Carriers that bring calls."
    )
    sms: dict[Name, SmsChannel] = Field(
        default={}, description="Carriers that take texts."
    )
    payments: dict[Name, PaymentChannel] = Field(
        default={}, description="Services that take money."
    )
    partners: dict[Name, Partner] = Field(
        default={}, description="Partners that read their own totals."
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
            for name in (*KEYS, OLD_KEY)
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
        for where, line in misfits(settings):
            faults.append(f"{given.name(where)}: {line}")
    if faults:
        raise SettingsError("\n".join(faults))
    return settings


def told_of_rehearsal(settings: Settings) -> str:
    """What an operator has to know of a rehearsal that is on."""
    guests = len(settings.guests)
    return (
        f"real carriers write to {guests} guest{'s' * (guests != 1)} alone, at most "
        f"{settings.rehearsal_texts_per_day} texts a day"
    )
