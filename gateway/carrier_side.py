"""The carrier's side of a channel: what it would ask over HTTP, what it would show.

Only the dialects know the formats. The terminal's phone asks by itself; the page's
script asks with what is written here, and has the reply read here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, quote_from_bytes

from gateway.settings import UssdChannel
from ussd.turn import Answer, Call, Dialect, Request, Turn

__all__ = ["TAKEN", "Wired", "answer_of", "is_like_a_retry", "speaks_http", "wired"]

NOT_HTTP = "smpp"
# A carrier shows what came with one of these, and an error of its own for all else.
TAKEN = range(200, 300)

# All that may stand in a query as it is, and what is escaped already.
_QUERY = "!$%&'()*+,-./:;=?@_~"
_PASSING = frozenset({"date"})


@dataclass(frozen=True, slots=True)
class Wired:
    """An HTTP request in full. Names in `headers` are in lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str


def speaks_http(channel: UssdChannel) -> bool:
    """Whether turns of this channel come over HTTP."""
    return channel.adapter != NOT_HTTP


def wired(request: Request, name: str, channel: UssdChannel) -> Wired:
    """A dialect's request as it goes to the channel's webhook.

    The URL begins with the service's own path, `/ussd/<channel>/<key>`.
    """
    url = f"/ussd/{name}/{channel.key.get_secret_value()}"
    if request.path:
        url += "/" + quote(request.path)
    if request.query:
        url += "?" + quote_from_bytes(request.query, safe=_QUERY)
    return Wired(request.method, url, request.headers, request.body.decode())


def answer_of(status: int, headers: Mapping[str, str], body: str) -> Answer:
    """A reply as a dialect hears it; names in `headers` are of any case.

    Without the time, which is another on every reply: so two are equal if they are the
    same byte for byte.
    """
    named = {name.lower(): value for name, value in headers.items()}
    lasting = {name: value for name, value in named.items() if name not in _PASSING}
    return Answer(body, status, named.get("content-type", ""), lasting)


def is_like_a_retry(dialect: Dialect, call: Call) -> bool:
    """Whether the latest answer cannot be told from the one before, asked for again.

    So where the same is typed twice and the carrier sends nothing else. Soon after the
    reply it is taken for a retry; a phone in somebody's hand is never that fast.
    """
    if len(call.answers) < 2 or call.answers[-1] != call.answers[-2]:
        return False
    turn = dialect.read(dialect.send(call))
    return isinstance(turn, Turn) and not turn.cumulative and turn.sequence is None
