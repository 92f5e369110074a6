"""The command that binds to a message centre."""

from __future__ import annotations

import os

import click

from gateway import installation
from gateway.logs import write_logs
from gateway.processes import die_with_supervisor


@click.command()
@click.argument("name")
def smpp(name: str) -> None:
    """Stay bound to the message centre of the channel NAME.

    A channel of `[ussd.NAME]` with `adapter = "smpp"`. One process is one bind (two
    with `bind = "transmitter+receiver"`); `yarigar serve` starts none.
    """
    die_with_supervisor()
    write_logs()
    settings = installation.find(os.environ)
    from gateway.smpp import main

    main(settings, name)
