"""A terminal on the machine where a service runs, for the tests of `yarigar dial`."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from wsgiref.types import WSGIApplication

from click.testing import CliRunner, Result
from werkzeug.serving import make_server

from gateway.cli import cli
from gateway.settings import KEYS
from tests.gateway.house import Gateway

PHONE = "09121234567"


@dataclass
class Terminal:
    gateway: Gateway
    url: str
    config: Path

    def run(self, *arguments: str, typed: str = "") -> Result:
        return CliRunner().invoke(
            cli,
            ["dial", *arguments],
            input=typed,
            env={"YARIGAR_CONFIG": str(self.config)},
        )

    def dial(self, code: str, *more: str, typed: str = "") -> Result:
        return self.run(code, "--from", PHONE, "--url", self.url, *more, typed=typed)


@contextmanager
def terminal_of(
    gateway: Gateway,
    config: Path,
    tables: Sequence[str] = (),
    *,
    app: WSGIApplication | None = None,
) -> Iterator[Terminal]:
    """Serve the gateway over HTTP, and write the settings that a terminal reads.

    `tables` are further lines of the settings; `app` stands before the gateway's own.
    """
    settings = gateway.service.settings
    lines = [f'{name} = "{settings.key_bytes(name).hex()}"' for name in KEYS]
    config.write_text(
        "\n".join(
            [
                f'database_url = "{settings.database_url}"',
                f'redis_url = "{settings.redis_url}"',
                f'data_dir = "{settings.data_dir}"',
                f'menus = "{settings.menus}"',
                *lines,
                *tables,
            ]
        ),
        encoding="utf-8",
    )
    server = make_server("127.0.0.1", 0, app or gateway.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield Terminal(gateway, f"http://127.0.0.1:{server.server_port}", config)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
