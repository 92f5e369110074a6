"""A promised text as it will be read, and the carriers that take it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

import click
import httpx

from gateway.channels import SmsChannel
from gateway.faults import SettingsError
from gateway.handsets import Handsets
from gateway.library import Library, NoMenus
from gateway.rules import with_rehearsal
from gateway.settings import Settings
from ledger.claims import Claimed
from ledger.outbox import Kind
from ledger.vault import Keys, unseal_slots
from sms.calls import Rendered
from sms.carrier import Tools
from sms.prices import Cost, Price
from sms.registry import Unbuildable, build
from sms.routes import Channel, Routes
from sms.smpp.carrier import Smpp

__all__ = ["renderer", "routes"]


def renderer(library: Library, keys: Keys) -> Callable[[Claimed], Rendered]:
    """Makes final words of a promised text, in the menus it was promised by.

    The words of the sender line are the carrier's for the first language; other
    languages have theirs in the notice `stop`. So has a campaign text over a line
    without any: it never goes without saying how to stop.
    """

    def render(row: Claimed) -> Rendered:
        try:
            menus = library.version(row.menus)
        except NoMenus as missing:
            raise LookupError(str(missing)) from None
        message = menus.texts[row.template]
        slots = {
            **unseal_slots(keys, row.slots),
            "language": row.language,
            "titles": menus.titles[row.language],
        }
        text = message.text[row.language].render(slots)
        if not message.stop_line:
            return Rendered(text)
        stop = menus.notices["stop"][row.language].render(slots)
        if row.language != menus.languages[0]:
            return Rendered(f"{text} {stop}")
        otherwise = stop if row.kind is Kind.CAMPAIGN else ""
        return Rendered(text, stop_line=True, otherwise=otherwise)

    return render


def routes(settings: Settings, handsets: Handsets) -> Routes:
    """The carriers of the settings; raises SettingsError naming what they lack."""
    tools = Tools(
        http=httpx.Client(
            timeout=settings.http_timeout_seconds,
            # Every thread of a worker keeps its connection.
            limits=httpx.Limits(max_keepalive_connections=settings.text_threads),
        ),
        write=click.echo,
        feed=handsets.feed,
        region=settings.region,
    )
    faults: list[str] = []
    channels = []
    for name, channel in settings.sms.items():
        try:
            # What a carrier is told with each text holds the channel's own key.
            key = channel.key.get_secret_value()
            url = f"{settings.public_url}/sms/{name}/{key}/receipts"
            own = replace(tools, receipts_url=url)
            channels.append(_channel(name, channel, own))
        except Unbuildable as refused:
            faults += [f"sms.{name}: {line}" for line in str(refused).splitlines()]
    if faults:
        raise SettingsError("\n".join(faults))
    return Routes(with_rehearsal(settings, channels))


def _channel(name: str, channel: SmsChannel, tools: Tools) -> Channel:
    return Channel(
        name=name,
        carrier=build(channel.adapter, _options(channel), tools),
        sender=channel.sender,
        stop_line=channel.stop_line,
        weight=channel.weight,
        test=channel.test,
        prefixes=tuple(channel.prefixes),
        kinds=frozenset(channel.kinds),
        price=_price(channel),
        segments_per_second=channel.segments_per_second,
        slow_seconds=channel.slow_seconds,
        unclear_resend_seconds=channel.unclear_resend_seconds,
        smpp=channel.adapter == Smpp.name,
    )


def _price(channel: SmsChannel) -> Price | None:
    if not channel.price_per_part:
        return None
    return Price(Cost.read(channel.price_per_part), channel.prefix_factors)


def _options(channel: SmsChannel) -> Mapping[str, str]:
    named = {
        "username": channel.username,
        "base_url": channel.base_url,
        "sender": channel.sender,
    }
    if channel.api_key is not None:
        named["api_key"] = channel.api_key.get_secret_value()
    # A table of options is JSON, as the environment has it.
    extra = {
        name: value if isinstance(value, str) else json.dumps(value, default=str)
        for name, value in channel.options.items()
    }
    return {name: value for name, value in {**extra, **named}.items() if value}
