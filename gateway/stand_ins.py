"""Test channels for carriers that nobody has connected yet.

The simulator is to speak every dialect that goes over HTTP, so each has a channel of
its own beside `phone`. `mapped` has none: it is whatever an operator describes. Neither
has an adapter from elsewhere, for nobody here knows the options that it needs.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from gateway.channels import UssdChannel

__all__ = ["stand_in_name", "stand_ins"]

# The adapters, each with the options that it cannot do without.
_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "hubtel": {},
    "infobip": {},
    "nalo": {},
    "arkesel": {},
    "korba": {},
    "beem": {},
    "mtn-madapi": {},
    # The codes of the shipped menus, as both are printed.
    "airtel-flares": {"codes": ["780*5588", "780*55881"]},
    "truroute": {},
    "cellulant": {},
    "hollatags": {},
    "restcomm": {},
    "safaricom": {},
}


def stand_ins(phone_channel_key: str) -> dict[str, UssdChannel]:
    """A test channel for each adapter, by its name: `phone_mtn_madapi`.

    Their keys are made from the one of the channel `phone`, so that every machine and
    process has the same.
    """
    return {
        stand_in_name(adapter): UssdChannel(
            adapter=adapter,
            key=SecretStr(
                hmac.digest(
                    phone_channel_key.encode(), adapter.encode(), "sha256"
                ).hex()
            ),
            test=True,
            **options,
        )
        for adapter, options in _OPTIONS.items()
    }


def stand_in_name(adapter: str) -> str:
    """What the test channel of an adapter is called."""
    return f"phone_{adapter.replace('-', '_')}"
