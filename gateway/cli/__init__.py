"""The `yarigar` command.

service  serve, web, worker, schedule, smpp, migrate, doctor, settings-doc
dial     a phone in the terminal
menus    check, load, graph, test
send     prepare, approve, start, pause, resume, cancel, show, list
texts    dead, show, resend, close, channels
desk     list, show, answer, close
pledges  show, refund, write-off, receive
kalabarg list, take, done, pass-on, close
groups   counts
requests list, show, approve, refuse, withdraw, correct
suspense list, show, match, gift
batches  buy, send, deliver, return, list
report   show, publish, list
places   check, import, show, list
board    all districts at once
assembly board, meeting, held, cancel, decide, change, confirm, send-back, drop, match
ledger   export, compare, verify, balance, reconcile, seal, prove, cosign, publish
witness  key, add, list, revoke, sign
people   show, erase, renumber, rotate
backup   and restore: the whole ledger as a file
tokens   add, revoke, list
timebank list, introduced, withdraw, settle, grant, report
volunteers booths, import, hand-over
staff    add, list, end
needs    add, list, close, cancel
"""

from __future__ import annotations

import importlib
from typing import Any

import click

__all__ = ["cli"]

# Command by command, the module it is in and its short help: a command loads what it
# needs and no other, and `yarigar --help` loads none. `a-b` is the function a_b.
COMMANDS = {
    "serve": ("gateway.cli.service", "Start everything on this machine."),
    "web": ("gateway.cli.service", "Run the web service alone."),
    "worker": ("gateway.cli.service", "Run one worker alone."),
    "schedule": ("gateway.cli.service", "Run the scheduler alone."),
    "smpp": ("gateway.cli.smpp", "Stay bound to one message centre."),
    "migrate": ("gateway.cli.service", "Bring the ledger's tables up to date."),
    "doctor": ("gateway.cli.service", "Say what is well and what is not."),
    "dial": ("gateway.cli.dial", "Dial a code in this terminal."),
    "menus": ("gateway.cli.menus", "Check, publish and rehearse the menus."),
    "send": ("gateway.cli.send", "Send one text to many people."),
    "texts": ("gateway.cli.texts", "See what became of texts, and of their channels."),
    "desk": ("gateway.cli.desk", "Read what people wrote, and answer."),
    "pledges": ("gateway.cli.pledges", "Show, refund, write off, receive pledges."),
    "kalabarg": ("gateway.cli.kalabarg", "See to requests for home delivery."),
    "groups": ("gateway.cli.groups", "Count what people said to their centre."),
    "requests": ("gateway.cli.requests", "Agree to what needs more than one person."),
    "suspense": ("gateway.cli.suspense", "Find out what unnamed money is for."),
    "batches": ("gateway.cli.batches", "Buy goods, and say where they are."),
    "places": ("gateway.cli.places", "Bring the tree of places in, and show it."),
    "board": ("gateway.cli.board", "Show all districts at once."),
    "assembly": ("gateway.cli.assembly", "Keep the registers of the assemblies."),
    "report": ("gateway.cli.report", "Count the transparency report, publish it."),
    "ledger": ("gateway.cli.ledger", "Read, check and export the books."),
    "witness": ("gateway.cli.witness", "Who signs the checkpoints beside us."),
    "people": ("gateway.cli.people", "Look at a person, erase one, change the key."),
    "backup": ("gateway.cli.backup", "Put the whole ledger into a file."),
    "restore": ("gateway.cli.backup", "Put a backup into an empty database."),
    "tokens": ("gateway.cli.tokens", "Keys that open the export address."),
    "volunteers": ("gateway.cli.volunteers", "Booths, lists on paper, hand-over."),
    "timebank": ("gateway.cli.timebank", "See to hours that people give."),
    "staff": ("gateway.cli.staff", "Register the phones of centres."),
    "needs": ("gateway.cli.needs", "Say what people are needed for."),
    "settings-doc": ("gateway.cli.service", "Write the page of settings."),
}

# What an operator can mend: told in a line, never as a traceback. By name, because
# loading the ledger to say that a port is in use takes half a second.
FAULTS = {
    "gateway.faults.Unready",
    "gateway.library.NoMenus",
    "gateway.texting.desk.NoAnswer",
    "ledger.engine.LedgerError",
    "ledger.enquiries.NotOpen",
    "ledger.export.manifests.BadManifest",
    "ledger.export.parquet.ParquetMissing",
    "ledger.export.selection.BadSelection",
    "ledger.export.xlsx.XlsxMissing",
    "ledger.sealing.notes.BadNote",
    "redis.exceptions.RedisError",
    "sms.registry.Unbuildable",
    "ussd.faults.BadMenus",
}


class Refused(click.ClickException):
    """A fault as the terminal shows it."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        for line in self.message.splitlines():
            click.echo(f"yarigar: {line}", err=True)


class Commands(click.Group):
    """The commands of COMMANDS, each loaded when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(
            importlib.import_module(module), cmd_name.replace("-", "_")
        )
        return command

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, help) for name, (_, help) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as fault:
            if not _is_to_mend(fault):
                raise
            raise Refused(str(fault)) from fault


def _is_to_mend(fault: Exception) -> bool:
    kinds = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(fault).__mro__}
    return not kinds.isdisjoint(FAULTS)


@click.group(cls=Commands)
@click.version_option(package_name="yarigar")
def cli() -> None:
    """Donations and sign-ups from any phone."""
