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
from gateway.settings import Settings
from ledger.claims import Claimed
from sms.calls import Rendered
from sms.carrier import Tools
from sms.registry import Unbuildable, build
from sms.routes import Channel, Routes

__all__ = ["renderer", "routes"]


def renderer(library: Library) -> Callable[[Claimed], Rendered]:
    """Makes final words of a promised text, in the menus it was promised by.

    The words of the sender line are the carrier's for the first language; other
    languages have theirs in the notice `stop`.
    """

    def render(row: Claimed) -> Rendered:
        try:
            menus = library.version(row.menus)
        except NoMenus as missing:
            raise LookupError(str(missing)) from None
        message = menus.texts[row.template]
        slots = {
            **row.slots,
            "language": row.language,
            "titles": menus.titles[row.language],
        }
        text = message.text[row.language].render(slots)
        if message.stop_line and row.language != menus.languages[0]:
            stop = menus.notices["stop"][row.language].render(slots)
            return Rendered(f"{text} {stop}")
        return Rendered(text, stop_line=message.stop_line)

    return render


def routes(settings: Settings, handsets: Handsets) -> Routes:
    """The carriers of the settings; raises SettingsError naming what they lack."""
    tools = Tools(
        http=httpx.Client(timeout=settings.http_timeout_seconds),
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
    return Routes(channels)


def _channel(name: str, channel: SmsChannel, tools: Tools) -> Channel:
    return Channel(
        name=name,
        carrier=build(channel.adapter, _options(channel), tools),
        sender=channel.sender,
        stop_line=channel.stop_line,
        weight=channel.weight,
        test=channel.test,
    )


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
