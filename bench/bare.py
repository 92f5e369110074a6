"""The least a web service can do with a session: two round trips to Redis a request.

    python -m bench.bare PORT REDIS_URL THREADS

Served by granian with the settings of gateway.web.
"""

from __future__ import annotations

import os
import sys

from flask import Flask
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels
from redis import Redis

REDIS_URL = "BENCH_REDIS_URL"
SESSION = b"s" * 64
SCREEN = "CON " + "s" * 70

app = Flask(__name__, static_folder=None)
redis = Redis.from_url(os.environ.get(REDIS_URL, "redis://"))


@app.post("/")
def turn() -> str:
    redis.get("bare")
    redis.set("bare", SESSION)
    return SCREEN


def main() -> None:
    port, url, threads = sys.argv[1:]
    os.environ[REDIS_URL] = url
    Granian(
        "bench.bare:app",
        port=int(port),
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=int(threads),
        websockets=False,
        log_level=LogLevels.error,
    ).serve()


if __name__ == "__main__":
    main()
