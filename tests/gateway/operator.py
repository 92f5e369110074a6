"""Somebody at a terminal beside a service, for the tests of operators' commands."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner, Result

from gateway.bulk import top_up
from gateway.cli import cli
from gateway.settings import KEYS
from tests.gateway.house import Gateway

CAMPAIGN = "one-plus-one"


@dataclass
class Operator:
    """Somebody at a terminal beside the service."""

    gateway: Gateway
    config: Path

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(
            cli, arguments, env={"YARIGAR_CONFIG": str(self.config)}
        )

    def send(self, act: str, *arguments: str, by: str = "sara") -> Result:
        return self.run("send", act, "yalda", *arguments, "--by", by)

    def prepare(self, *more: str) -> Result:
        return self.send(
            "prepare",
            "--text",
            "sms.campaign",
            "--campaign",
            CAMPAIGN,
            *(more or ["--everyone-who-agreed"]),
        )

    def turn(self) -> int:
        """One turn of the scheduler, at the time that the commands have."""
        service = self.gateway.service
        return top_up(
            service.engine,
            service.library,
            service.routes,
            service.rules,
            at=self.gateway.clock(),
        )


def write_settings(gateway: Gateway, config: Path, *more: str) -> None:
    settings = gateway.service.settings
    lines = [f'{name} = "{settings.key_bytes(name).hex()}"' for name in KEYS]
    for name in ("database_url", "redis_url", "data_dir", "menus"):
        lines.append(f"{name} = {json.dumps(str(getattr(settings, name)))}")
    lines += [
        "send_alone_max = 3",
        *more,
        "[sms.kave]",
        'adapter = "kavenegar"',
        'key = "long-random"',
        'api_key = "atsk"',
        'sender = "10001"',
        'stop_line = "لغو۱۱"',
        'price_per_part = "1150 rial"',
    ]
    config.write_text("\n".join(lines), encoding="utf-8")
