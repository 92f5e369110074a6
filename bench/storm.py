"""Confirm twenty times at once, in many calls, and compare the replies with the books.

    python -m bench.storm [--calls N] [--confirms N]

Three times: one `yarigar web`; two of them on two ports that share Redis and
PostgreSQL, half of the confirms to each; and those two again through a proxy that cuts
their connection to PostgreSQL just after COMMIT was sent, once in every call. After
each, the replies of a call are one text, there is a pledge a call, and nobody who has
a pledge was told that there is none. Exits 1 on any difference.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier

import httpx
import pytest
from sqlalchemy.engine import make_url

from bench import running
from bench.books import NOTHING_RECORDED, read_books
from bench.conversation import CHANNEL_KEY, told_with
from gateway import redis_server
from gateway.settings import DIAL_CODE
from ledger.engine import connect
from ledger.vault import Keys
from tests import services
from tests.fakes import Cut, Proxy, proxy

CALLS = 100
CONFIRMS = 20
WALK = ("", "3", "3*75000", "3*75000*1")
CONFIRM = "3*75000*1*1"
RIAL = 750_000
REPLY_SECONDS_MAX = 30
START_SECONDS_MAX = 60.0


@dataclass(frozen=True, slots=True)
class _Call:
    phone: str
    session: str
    replies: tuple[str, ...] = ()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=CALLS)
    parser.add_argument("--confirms", type=int, default=CONFIRMS)
    options = parser.parse_args()
    differences = []
    for name, processes, cuts in (
        ("one process", 1, False),
        ("two processes", 2, False),
        ("two, and every COMMIT's answer lost once", 2, True),
    ):
        try:
            found = storm(options.calls, options.confirms, processes, cuts, name)
        except pytest.skip.Exception as missing:
            sys.exit(f"not measured: {missing}")
        differences += [f"{name}: {what}" for what in found]
    for difference in differences:
        print(f"DIFFERENCE: {difference}")
    sys.exit(1 if differences else 0)


def storm(
    calls: int, confirms: int, processes: int, cuts: bool, name: str
) -> list[str]:
    """Do it once, print what happened, and return what does not agree."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(services.postgres(durable=True))
        url = server.create("storm")
        redis = redis_server.start(folder)
        stack.callback(redis.stop)
        told = told_with(folder, url, redis.url)
        running.run("gateway", "migrate", told=told)
        running.run("gateway", "menus", "load", "menus.yaml", told=told)
        wire = None
        if cuts:
            socket = f"{make_url(url).query['host']}/.s.PGSQL.5432"
            wire = stack.enter_context(proxy(socket))
            told["YARIGAR_DATABASE_URL"] = _through(url, wire)
        ports = [stack.enter_context(_web(folder, told)) for _ in range(processes)]
        client = stack.enter_context(httpx.Client(timeout=REPLY_SECONDS_MAX))
        made = [_call(client, ports, n, confirms, wire) for n in range(1, calls + 1)]
        engine = connect(url, pool_size=1)
        stack.callback(engine.dispose)
        books = read_books(engine, _keys(told))
    print(
        f"{name}: {len(made)} calls, {sum(len(c.replies) for c in made)} replies, "
        f"{sum(len(set(c.replies)) for c in made)} different texts, "
        f"{len(books.phones)} pledges, {books.rial:,} rial"
        + (f", {wire.cuts} connections cut" if wire is not None else ""),
        flush=True,
    )
    found = list(_differences(made, books.phones, books.rial, books.faults))
    if wire is not None and wire.cuts != calls:
        found.append(f"{wire.cuts} connections were cut in {calls} calls")
    return found


def _differences(
    made: Sequence[_Call],
    phones: Mapping[str, str],
    rial: int,
    faults: Sequence[str],
) -> Iterator[str]:
    yield from faults
    pledged = set(phones.values())
    if len(phones) != len(made) or rial != RIAL * len(made):
        yield f"{len(phones)} pledges of {rial} rial from {len(made)} calls"
    for call in made:
        if len(set(call.replies)) != 1:
            yield f"{call.session} read {sorted(set(call.replies))}"
        if call.phone in pledged and any(NOTHING_RECORDED in r for r in call.replies):
            yield f"{call.session} has a pledge and read that nothing was recorded"
        if not all(r.startswith("END ") and "کد" in r for r in call.replies):
            yield f"{call.session} read no code"


def _call(
    client: httpx.Client,
    ports: Sequence[int],
    number: int,
    confirms: int,
    wire: Proxy | None,
) -> _Call:
    """Walk to the confirm, and confirm many times at once, at every port in turn."""
    phone, session = f"+98912{number:07}", f"storm-{number}"
    for typed in WALK:
        _say(client, ports[0], phone, session, typed)
    if wire is not None:
        wire.cut(Cut.BEFORE_ANSWER, b"COMMIT")
    chosen = list(itertools.islice(itertools.cycle(ports), confirms))
    # A pool begins its threads one after the other: each waits for the last of them.
    together = Barrier(confirms)

    def confirm(port: int) -> str:
        together.wait()
        return _say(client, port, phone, session, CONFIRM)

    with ThreadPoolExecutor(confirms) as pool:
        return _Call(phone, session, tuple(pool.map(confirm, chosen)))


def _say(client: httpx.Client, port: int, phone: str, session: str, typed: str) -> str:
    form = {
        "sessionId": session,
        "serviceCode": DIAL_CODE,
        "phoneNumber": phone,
        "text": typed,
    }
    at = f"http://127.0.0.1:{port}/ussd/at/{CHANNEL_KEY}"
    answer = client.post(at, data=form)
    return answer.text if answer.status_code == httpx.codes.OK else f"{answer}"


@contextmanager
def _web(folder: Path, told: Mapping[str, str]) -> Iterator[int]:
    port = running.free_port()
    log = folder / f"web-{port}.log"
    of_it = {**told, "YARIGAR_PORT": str(port)}
    with running.running("gateway", "web", log=log, told=of_it):
        if not running.eventually(lambda: running.answers(port), START_SECONDS_MAX):
            sys.exit(f"did not start:\n{log.read_text(errors='replace')[-2000:]}")
        yield port


def _through(url: str, wire: Proxy) -> str:
    """The URL of the same database, on the other side of the proxy."""
    through = make_url(url).set(
        host="127.0.0.1",
        port=wire.port,
        query={"sslmode": "disable", "gssencmode": "disable"},
    )
    return through.render_as_string(hide_password=False)


def _keys(told: Mapping[str, str]) -> Keys:
    vault, index, code = (
        bytes.fromhex(told[f"YARIGAR_{name}_KEY"])
        for name in ("VAULT", "INDEX", "CODE")
    )
    return Keys(vault=vault, index=index, code=code)


if __name__ == "__main__":
    main()
