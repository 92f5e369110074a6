"""The command that binds to a message centre, for calls or for texts."""

from __future__ import annotations

import os

import click

from gateway import installation
from gateway.faults import SettingsError
from gateway.logs import write_logs
from gateway.processes import die_with_supervisor
from gateway.settings import Settings

ADAPTER = "smpp"


@click.command()
@click.argument("name")
def smpp(name: str) -> None:
    """Stay bound to the message centre of the channel NAME.

    A channel of `[ussd.NAME]` or of `[sms.NAME]` with `adapter = "smpp"`: calls or
    texts. `yarigar serve` starts none of these processes.
    """
    die_with_supervisor()
    write_logs()
    settings = installation.find(os.environ)
    if _carries_texts(settings, name):
        from gateway.smpp_texts import main as carry_texts

        carry_texts(settings, name)
    else:
        from gateway.smpp import main as answer_calls

        answer_calls(settings, name)


def _carries_texts(settings: Settings, name: str) -> bool:
    """Whether it is a channel of texts; one of both kinds has to be named otherwise."""
    texts = name in settings.sms and settings.sms[name].adapter == ADAPTER
    calls = name in settings.ussd and settings.ussd[name].adapter == ADAPTER
    if texts and calls:
        raise SettingsError(
            f"ussd.{name} and sms.{name} are both of smpp: give one another name"
        )
    return texts or (name in settings.sms and name not in settings.ussd)
