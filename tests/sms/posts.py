"""What the cases in tests/carriers say is posted, and carriers built for them."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import yaml

from sms import registry
from sms.carrier import Carrier, Posted, Tools

CASES = Path(__file__).parent.parent / "carriers"
RECEIPTS_URL = "https://give.example.org/sms/it/key/receipts"


def names() -> list[str]:
    """The adapters that have cases."""
    return sorted(path.stem for path in CASES.glob("*.yaml"))


@cache
def cases(name: str) -> dict[str, Any]:
    """All cases of one adapter."""
    found: dict[str, Any] = yaml.safe_load((CASES / f"{name}.yaml").read_text("utf-8"))
    return found


def build(
    name: str, url: str, http: httpx.Client, more: Mapping[str, Any] | None = None
) -> Carrier:
    """The adapter with the options of its cases, which talks to `url`."""
    tools = Tools(
        http=http,
        write=lambda line: None,
        feed=lambda to, id, text: None,
        receipts_url=RECEIPTS_URL,
    )
    options = {**cases(name)["options"], "base_url": url, **(more or {})}
    written = {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in options.items()
    }
    return registry.build(name, written, tools)


def can(name: str, what: str) -> bool:
    """Whether the adapter of these cases `can_look_up`, or its `ids_are_ours`."""
    with httpx.Client() as http:
        answer: bool = getattr(build(name, "https://carrier.example", http), what)
        return answer


def posted(case: Mapping[str, Any]) -> Posted:
    """A case's `form` as a POST, `query` as a GET, or `json`."""
    headers = dict(case.get("headers", {}))
    if "query" in case:
        query = case["query"]
        query = query if isinstance(query, str) else urlencode(query)
        url = case.get("url", f"{RECEIPTS_URL}?{query}")
        return Posted("GET", url, query.encode(), headers)
    if "json" in case:
        body = case["json"]
        octets = (body if isinstance(body, str) else json.dumps(body)).encode()
        kind = "application/json; charset=utf-8"
    else:
        form = case["form"]
        octets = (form if isinstance(form, str) else urlencode(form)).encode()
        kind = "application/x-www-form-urlencoded"
    url = case.get("url", RECEIPTS_URL)
    query = url.partition("?")[2].encode()
    if "signed_with" in case:
        headers["x-twilio-signature"] = _signed(url, case)
    return Posted("POST", url, query, {"content-type": kind, **headers}, octets)


def _signed(url: str, case: Mapping[str, Any]) -> str:
    """The signature of a form, as twilio.com/docs/usage/security says."""
    form = case.get("form", {})
    written = url + "".join(name + form[name] for name in sorted(form))
    key, algorithm = case["signed_with"].encode(), case.get("algorithm", "sha1")
    return b64encode(hmac.digest(key, written.encode(), algorithm)).decode()
