"""The command that holds a settlement file against the books."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.operator import by, opened
from gateway.faults import Unready
from gateway.service import now
from phone.dates import jalali

if TYPE_CHECKING:
    from gateway.settlements.reconciling import Finding
    from gateway.settlements.writing import Report

__all__ = ["reconcile"]

SHOWN_MAX = 20


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--source", required=True, help="Whose file it is, as in the settings.")
@click.option("--apply", is_flag=True, help="Do it; else only say what would be done.")
@click.option("--skip-bad", is_flag=True, help="Apply it without rows not read.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write what needs a person to this CSV.",
)
@by
def reconcile(
    file: Path,
    source: str,
    apply: bool,
    skip_bad: bool,
    report: Path | None,
    by: str,
) -> None:
    """Hold a settlement FILE against the books; exit 1 if a person is needed.

    FILE is CSV or .xlsx. A dry run first: --apply books what is new, and asks for a
    correction where an amount differs. The same file twice changes nothing.
    """
    from gateway.settlements import files
    from gateway.settlements.reconciling import Reconciling, insist_on_all
    from gateway.settlements.spool import spooled
    from gateway.settlements.writing import Report

    with ExitStack() as open_now:
        service = open_now.enter_context(opened())
        _insist_on(source, list(service.settings.payments))
        spool = open_now.enter_context(spooled())
        read = open_now.enter_context(files.opened(file))
        work = Reconciling(service, source, spool, by, now())
        click.echo(f"reading {file}", err=True)
        work.read(read)
        if apply and not skip_bad:
            insist_on_all(spool)
        if report is not None and report.exists() and report.samefile(file):
            raise click.UsageError("--report names the file that is read")
        told = _Told(open_now.enter_context(Report(report)) if report else None)
        found = work.apply(read) if apply else work.look()
        with click.progressbar(
            found, length=spool.lines, label=source, file=sys.stderr
        ) as bar:
            _finish(told, bar, apply)
        told.hear(work.rest())
        if apply:
            service.wake()
        period, zone = spool.period(), service.settings.time_zone
    days = f", {jalali(period[0], zone)} to {jalali(period[1], zone)}" if period else ""
    click.echo(f"{source}: {spool.lines} lines{days}")
    told.say(spool.repeated)
    if not apply:
        click.echo("Nothing was changed: --apply does it.")
    if told.needs_a_person:
        raise SystemExit(1)


def _finish(told: _Told, found: Iterable[Finding], apply: bool) -> None:
    from ledger.engine import LedgerError

    try:
        told.hear(found)
    except LedgerError as fault:
        if not apply:
            raise
        raise Unready(
            f"{fault}: {told.heard} lines are done, and the same command does the rest"
        ) from fault


class _Told:
    """Counts what was found, and keeps the first of what needs a person."""

    def __init__(self, report: Report | None) -> None:
        self._report = report
        self._lines: Counter[str] = Counter()
        self._rial: Counter[str] = Counter()
        self._settled = [0, 0, 0]
        self._first: list[Finding] = []
        self.needs_a_person = 0

    @property
    def heard(self) -> int:
        return self._lines.total()

    def hear(self, findings: Iterable[Finding]) -> None:
        from gateway.settlements.writing import NEEDS_A_PERSON

        for found in findings:
            self._lines[found.state] += 1
            self._rial[found.state] += found.amount or found.in_books or 0
            if found.settles is not None:
                amount, fee = found.settles
                self._settled[0] += 1
                self._settled[1] += amount - fee
                self._settled[2] += fee
            if found.state not in NEEDS_A_PERSON:
                continue
            self.needs_a_person += 1
            if self._report is not None:
                self._report.add(found)
            if len(self._first) < SHOWN_MAX:
                self._first.append(found)

    def say(self, repeated: int) -> None:
        from gateway.settlements.reconciling import State

        for state in State:
            if self._lines[state]:
                _row(state, self._lines[state], self._rial[state])
        if repeated:
            click.echo(f"  {'said twice in the file':<36}{repeated:>9}")
        lines, net, fee = self._settled
        if lines:
            _row("settled: reached the bank", lines, net)
            if fee:
                _row("settled: kept as a fee", lines, fee)
        for found in self._first:
            click.echo(_problem(found))
        if self.needs_a_person > len(self._first):
            click.echo(
                f"and {self.needs_a_person - len(self._first)} more: --report has all"
            )


def _row(what: str, lines: int, rial: int) -> None:
    click.echo(f"  {what:<36}{lines:>9}{rial:>20} rial")


def _problem(found: Finding) -> str:
    where = f"row {found.row}" if found.row else "no row"
    parts = [f"{where}: {found.state}"]
    if found.id:
        parts.append(f"{found.kind} {found.id}")
    if found.in_books is not None:
        here = f"{found.amount} rial here, " if found.row else ""
        parts.append(f"{here}{found.in_books} in the books")
    parts += filter(None, (found.why, found.asked))
    return ": ".join(parts)


def _insist_on(source: str, known: list[str]) -> None:
    if source not in known:
        told = ", ".join(known) or "none"
        raise Unready(f"no payment service {source[:40]!r} in the settings: {told}")
