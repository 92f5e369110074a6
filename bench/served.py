"""One `yarigar serve` in a folder of its own, to dial, to kill and to start again."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlencode

from bench import running
from gateway import installation
from gateway.settings import DIAL_CODE, Settings
from ledger.engine import Engine, connect
from ledger.vault import Keys

__all__ = ["Served"]

REPLY_SECONDS_MAX = 15
START_SECONDS_MAX = 60.0
GONE_SECONDS_MAX = 5.0
KEY = "crash"

SETTINGS = """\
database_url = "sqlite:///{folder}/ledger.db"
data_dir = "{folder}/var"
menus = "{menus}"
port = {port}
# The carrier is kept waiting while calls are made.
http_timeout_seconds = 60

[ussd.at]
adapter = "africastalking"
key = "{key}"

[sms.kave]
adapter = "kavenegar"
key = "{key}"
api_key = "{key}"
base_url = "{carrier}"
sender = "10001"
stop_line = "لغو۱۱"
"""


class Served:
    """The service with a channel `at` and the carrier `kave` at `carrier_url`."""

    def __init__(self, folder: Path, carrier_url: str) -> None:
        self._log = folder / "serve.log"
        self._port = running.free_port()
        config = folder / "yarigar.toml"
        config.write_text(
            SETTINGS.format(
                folder=folder,
                menus=running.ROOT / "menus.yaml",
                port=self._port,
                key=KEY,
                carrier=carrier_url,
            ),
            encoding="utf-8",
        )
        self._told = {"YARIGAR_CONFIG": str(config)}
        self._process: subprocess.Popen[bytes] | None = None

    @contextmanager
    def started(self) -> Iterator[None]:
        """Start it and wait until it is ready; end it if it was not killed."""
        with running.running("gateway", "serve", log=self._log, told=self._told) as it:
            self._process = it

            def is_there() -> bool:
                return it.poll() is not None or self._is_ready()

            if not running.eventually(is_there, START_SECONDS_MAX) or it.poll():
                sys.exit(f"did not start:\n{self._log.read_text()[-2000:]}")
            yield

    def say(self, phone: str, session: str, typed: str) -> str | None:
        """Send one turn and read the whole reply; None if there was none."""
        form = {
            "sessionId": session,
            "serviceCode": DIAL_CODE,
            "phoneNumber": phone,
            "text": typed,
        }
        connection = http.client.HTTPConnection(
            "127.0.0.1", self._port, timeout=REPLY_SECONDS_MAX
        )
        try:
            connection.request(
                "POST",
                f"/ussd/at/{KEY}",
                urlencode(form),
                {"Content-Type": "application/x-www-form-urlencoded"},
            )
            response = connection.getresponse()
            reply = response.read().decode()
            return reply if response.status == http.HTTPStatus.OK else None
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def kill(self, *, alone: bool) -> str:
        """Kill it, `alone` or with all below it; say how. All must be gone soon."""
        assert self._process is not None
        below = running.descendants(self._process.pid)
        os.killpg(self._process.pid, signal.SIGKILL)
        for process_id in [] if alone else below:
            with suppress(ProcessLookupError):
                os.kill(process_id, signal.SIGKILL)
        self._process.wait()

        def is_gone() -> bool:
            return not any(running.lives(process_id) for process_id in below)

        if not running.eventually(is_gone, GONE_SECONDS_MAX):
            left = [process_id for process_id in below if running.lives(process_id)]
            sys.exit(f"outlived the supervisor by {GONE_SECONDS_MAX:.0f} s: {left}")
        # The first thread of a process is gone a moment before its sockets are.
        if not running.eventually(self._refuses, GONE_SECONDS_MAX):
            sys.exit(f"port {self._port} still answers after the kill")
        return f"{'its group' if alone else 'all'} ({len(below) + 1} processes)"

    def ledger(self) -> tuple[Engine, Keys]:
        """Its database and the keys to read it with."""
        settings = self._settings()
        return connect(settings.database_url, pool_size=1), Keys(
            vault=settings.key_bytes("vault_key"),
            index=settings.key_bytes("index_key"),
            code=settings.key_bytes("code_key"),
        )

    def _refuses(self) -> bool:
        return not running.answers(self._port)

    def _settings(self) -> Settings:
        return installation.find_without_redis(self._told)

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
