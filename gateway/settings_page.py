"""Write docs/settings.md from the settings themselves."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gateway.settings import Partner, PaymentChannel, Settings, SmsChannel, UssdChannel

HEAD = """\
# Settings

*Written by `make docs` from `gateway/settings.py`; do not edit.*

Settings are read from `yarigar.toml` (another path in `YARIGAR_CONFIG`), then from
the environment, which wins. In the environment a name is in capitals after
`YARIGAR_`, with `__` between the parts: `key` of `[ussd.at]` is
`YARIGAR_USSD__AT__KEY`. A list is written with commas. All faults are reported at
once, and an unknown name is one.

The keys are made by the first `yarigar serve` in `<data_dir>/keys.toml` (mode 0600)
and are 32 random bytes in hexadecimal or base64. Keep a copy: without them no phone
number can be read. Several machines share them through these settings.
"""


CHANNELS: dict[str, tuple[str, type[BaseModel], str]] = {
    "ussd": (
        "at",
        UssdChannel,
        "A carrier that brings calls: it posts to `/ussd/<channel>/<key>`. While there "
        "is no `[ussd.phone]`, the simulator's own test channel has that name.",
    ),
    "sms": (
        "kave",
        SmsChannel,
        "A carrier that takes texts. While there is no `[sms.console]`, a test channel "
        "of that name prints them.",
    ),
    "payments": (
        "psp",
        PaymentChannel,
        "A service that takes money: it posts to `/payments/<name>`.",
    ),
    "partners": (
        "hemmat",
        Partner,
        "A partner that reads its own totals: see [partners](partners.md).",
    ),
}


def settings_markdown() -> str:
    """Write the page: every setting, its variable, its default and what it means."""
    lines = [HEAD]
    lines += _table("YARIGAR_", Settings, without=set(CHANNELS))
    for group, (example, model, about) in CHANNELS.items():
        lines += ["", f"## `[{group}.<channel>]`", "", about, ""]
        if model not in (PaymentChannel, Partner):
            lines += ["What else the adapter needs is set beside these.", ""]
        lines += _table(f"YARIGAR_{group.upper()}__{example.upper()}__", model)
    return "\n".join(lines) + "\n"


def _table(
    prefix: str, model: type[BaseModel], without: set[str] | None = None
) -> Iterator[str]:
    yield "| setting | variable | default | meaning |"
    yield "| --- | --- | --- | --- |"
    for name, field in model.model_fields.items():
        if name not in (without or ()):
            variable = f"`{prefix}{name.upper()}`"
            yield f"| `{name}` | {variable} | {_default(field)} | {field.description} |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "(must be set)"
    value = field.default
    if value is None:
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return "empty" if value in ("", []) else f"`{value}`"
