"""What settings get wrong together that are right each by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from gateway.channels import Partner, PaymentChannel, UssdChannel
from gateway.payments.registry import build
from phone.numbers import NotAPhone, from_person
from ussd.turn import dialect

if TYPE_CHECKING:
    from gateway.settings import Settings

__all__ = ["misfits"]

Where = tuple[str, ...]


def misfits(settings: Settings) -> Iterator[tuple[Where, str]]:
    """Every fault between settings: the path of the one to mend, and what is wrong."""
    region = settings.region
    for name, channel in settings.ussd.items():
        for line in _unspoken(channel, region):
            yield ("ussd", name), line
    for name, service in settings.payments.items():
        for line in _unformed(service, region):
            yield ("payments", name), line
    for line in _same_keys(settings.partners):
        yield ("partners",), line
    for line in _no_phones(settings.guests, region):
        yield ("guests",), line


def _unspoken(channel: UssdChannel, region: str) -> list[str]:
    """What a channel's dialect does not understand of the options it was set."""
    try:
        dialect(channel.adapter)(region=region, options=channel.options)
    except ValueError as refused:
        return str(refused).splitlines()
    return []


def _unformed(channel: PaymentChannel, region: str) -> list[str]:
    """What a payment channel's form lacks or does not understand."""
    try:
        build(channel, region=region)
    except ValueError as refused:
        return str(refused).splitlines()
    return []


def _same_keys(partners: Mapping[str, Partner]) -> Iterator[str]:
    """Which partners could read one another's totals."""
    owners: dict[str, str] = {}
    for name, partner in partners.items():
        other = owners.setdefault(partner.key.get_secret_value(), name)
        if other != name:
            yield f"{other} and {name} have the same key"


def _no_phones(guests: Sequence[str], region: str) -> Iterator[str]:
    """Which of the guests can be no guest, without the number."""
    for place, guest in enumerate(guests, start=1):
        try:
            from_person(guest, region)
        except NotAPhone:
            yield f"number {place} of the list is no mobile number"
