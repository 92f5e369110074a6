"""Measure our conversation beside those of two other projects.

    python -m bench.others [--calls N] [--runs N]

The same five turns from the same client to `yarigar web`, to ussd-menu-builder with
express and to anysd with Flask, in turns, all with their sessions in one Redis over
TCP. What each has made durable when the caller reads END differs, and is told beside
the numbers. A side that cannot be installed here is left out.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis import Redis

from bench import running, sides
from bench.conversation import CALLS, CONNECTIONS, RUNS, told_with
from bench.installing import NotInstalled, install_anysd, install_umb
from bench.sides import Side, spread
from gateway import redis_server

# V8 compiles what is called often only after some thousands of requests.
WARM_CALLS = 1_000
APPS = Path(__file__).parent / "others"
OURS = "yarigar"
DURABLE = {
    OURS: "the pledge and its text, on disk before END",
    "ussd-menu-builder": "nothing: the session in Redis is gone at END",
    "anysd": "nothing: the session stays in Redis, for ever",
}


@dataclass(frozen=True, slots=True)
class _Other:
    """Another project: how it is installed, and how its app is started then."""

    name: str
    install: Callable[[Path], str]
    start: Callable[[Path, int, int], tuple[list[str], dict[str, str]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=CALLS)
    parser.add_argument("--runs", type=int, default=RUNS)
    options = parser.parse_args()
    with ExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(prefix="yarigar-others-")
        folder = Path(stack.enter_context(temporary))
        installed = list(_installed(folder))
        redis = redis_server.start(folder)
        stack.callback(redis.stop)
        port = _open_port(redis.url)
        url = f"sqlite:///{folder}/ledger.db"
        told = told_with(folder, url, f"redis://127.0.0.1:{port}/0")
        measured = {OURS: stack.enter_context(sides.ours(folder, told))}
        for other in installed:
            measured[other.name] = stack.enter_context(_started(other, folder, port))
        for side in measured.values():
            _warm(side)
        for _ in range(options.runs):
            for side in measured.values():
                sides.measure(side, options.calls, CONNECTIONS)
    print(
        f"{options.runs} runs of {options.calls} conversations, in turns, over"
        f" {CONNECTIONS} connections, one process each.\n"
        "Requests a second: median (least to most). CPU: of that process, a request."
    )
    _print(measured)


def _warm(side: Side) -> None:
    """Have loaded what is loaded once, and keep nothing of that run."""
    sides.measure(side, WARM_CALLS, CONNECTIONS)
    side.per_second.clear()
    side.cpu_ms.clear()
    side.wrong = 0


def _print(measured: Mapping[str, Side]) -> None:
    print(f"{'':18}{'a second':>22}{'ours/theirs':>22}{'CPU ms':>8}  durable at END")
    our = measured[OURS].per_second
    for name, side in measured.items():
        ratios = [o / t for o, t in zip(our, side.per_second, strict=True)]
        ratio = "" if name == OURS else spread(ratios, ".2f")
        cpu = statistics.median(side.cpu_ms)
        print(
            f"{name:18}{spread(side.per_second, '.0f'):>22}{ratio:>22}{cpu:>8.2f}"
            f"  {DURABLE[name]}"
        )
        if side.wrong:
            print(f"{'':18}{side.wrong} answers of it were wrong")
    if measured[OURS].wrong:
        sys.exit(1)


def _installed(folder: Path) -> Iterator[_Other]:
    """The others that can be had here, each told with its versions."""
    for other in OTHERS:
        try:
            print(f"{other.name}: {other.install(folder / other.name)}", flush=True)
        except NotInstalled as reason:
            print(f"{other.name}: left out: {reason}", flush=True)
        else:
            yield other


@contextmanager
def _started(other: _Other, folder: Path, redis_port: int) -> Iterator[Side]:
    port, log = running.free_port(), folder / f"{other.name}.log"
    command, told = other.start(folder / other.name, port, redis_port)
    with sides.theirs(command, port, log, told) as side:
        yield side


def _start_umb(
    folder: Path, port: int, redis_port: int
) -> tuple[list[str], dict[str, str]]:
    told = {"NODE_PATH": str(folder / "node_modules"), "NODE_ENV": "production"}
    return ["node", str(APPS / "umb.js"), str(port), str(redis_port)], told


def _start_anysd(
    folder: Path, port: int, redis_port: int
) -> tuple[list[str], dict[str, str]]:
    config = folder / "config.yaml"
    at = f"{{host: 127.0.0.1, port: {redis_port}}}"
    config.write_text(f"development:\n  redis: {at}\n", encoding="utf-8")
    told = {
        "ANYSD_CONFIG_FILE": str(config),
        "ENVIRONMENT": "development",
        "PYTHONPATH": str(APPS),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    python = str(folder / "bin" / "python")
    return [python, str(APPS / "anysd_app.py"), str(port), str(CONNECTIONS)], told


def _open_port(url: str) -> int:
    """Have a Redis at a unix socket listen at a port too: anysd knows no sockets."""
    port = running.free_port()
    with Redis.from_url(url) as redis:
        redis.config_set("bind", "127.0.0.1")
        redis.config_set("port", port)
    return port


OTHERS = (
    _Other("ussd-menu-builder", install_umb, _start_umb),
    _Other("anysd", install_anysd, _start_anysd),
)


if __name__ == "__main__":
    main()
