"""The least that carries texts over HTTP: threads, one client, and no memory of it.

    python -m bench.texts_bare PORT THREADS TEXTS WORDS

Posts the same form as our adapter does, from so many threads over one httpx client.
"""

from __future__ import annotations

import itertools
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx


def main() -> None:
    port, threads, texts, words = sys.argv[1:]
    url = f"http://127.0.0.1:{port}/v1/bench/sms/send.json"
    numbers = itertools.count(1)

    with httpx.Client() as http, ThreadPoolExecutor(int(threads)) as pool:

        def post(_: int) -> None:
            number = next(numbers)
            form = {
                "receptor": f"0912{number:07}",
                "message": words,
                "sender": "10001",
                "localid": str(number),
            }
            answer = http.post(url, data=form)
            answer.raise_for_status()
            assert answer.json()["return"]["status"] == 200

        for _ in pool.map(post, range(int(texts))):
            pass


if __name__ == "__main__":
    main()
