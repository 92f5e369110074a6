"""The journal for hledger: https://hledger.org/hledger.html#journal

An account keeps its code; a character that could end a name there is written as %XX,
so that the code can be read back. The file ends by stating what it adds up to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import quote, unquote

from sqlalchemy import Engine

from ledger.export.entries import Closing, Entry, Posting, Units, entries, units
from ledger.export.selection import Selection
from ledger.export.table import Headers, Table
from ledger.vault import Keys

__all__ = ["account_code", "account_name", "export_hledger"]

# What an account is, by the first letter of its code: asset, liability, equity,
# revenue or expense. See ledger.chart.
_TYPES = {"A": "A", "I": "A", "L": "L", "V": "L", "N": "R", "X": "X"}
_OTHER_TYPE = "E"


def export_hledger(
    engine: Engine,
    table: Table,
    selection: Selection,
    *,
    keys: Keys,
    headers: Headers = Headers.EN,
    progress: Callable[[int], None] | None = None,
) -> Iterator[bytes]:
    """Yield the file piece by piece, one page of the journal in memory at a time.

    `headers` change nothing here. Raises LedgerError where the database fails; what
    was yielded until then is no file.
    """
    known = units(engine)
    closing = Closing()
    yield _head(known).encode()
    for records in table.pages(engine, selection, keys):
        lines: list[str] = []
        for entry in entries(records, selection.time_zone):
            for account, unit in closing.add(entry):
                lines += _opened(account, known.commodity(unit))
            lines += _written(entry, known)
        yield "".join(f"{line}\n" for line in lines).encode()
        if progress:
            progress(len(records))
    yield _closed(closing, known).encode()


def account_name(code: str) -> str:
    """Write an account's code as hledger's name for it."""
    return quote(code, safe=":-_.")


def account_code(name: str) -> str:
    """Read the code back from a name that `account_name` wrote."""
    return unquote(name)


def _head(known: Units) -> str:
    directives = (
        f"commodity 1000.{'0' * scale} {known.commodity(unit)}\n"
        for unit, scale in known.scales.items()
    )
    return "; The journal of yarigar: what is promised only is a comment.\n" + "".join(
        directives
    )


def _opened(account: str, commodity: str) -> list[str]:
    kind = _TYPES.get(account[:1], _OTHER_TYPE)
    return ["", f"account {account_name(account)}  ; type:{kind}, in:{commodity}"]


def _written(entry: Entry, known: Units) -> list[str]:
    said = f"({entry.code}) {entry.kind}" if entry.code else entry.kind
    if not entry.happened:
        head = f"; {entry.day} {said}  event:{entry.event}"
    else:
        head = f"{entry.day} * {said}  ; event:{entry.event}"
    lines = ["", head]
    for one in entry.postings:
        if one.has_happened:
            lines += [
                f"    {account_name(one.debit)}  {known.amount(one.unit, one.amount)}",
                f"    {account_name(one.credit)}"
                f"  {known.amount(one.unit, -one.amount)}",
            ]
        else:
            lines.append(_promised(one, known))
    return lines


def _promised(one: Posting, known: Units) -> str:
    names = f"{account_name(one.debit)} {account_name(one.credit)}"
    return f"    ; {one.phase} {known.amount(one.unit, one.amount)} {names}"


def _closed(closing: Closing, known: Units) -> str:
    if closing.last_day is None:
        return ""
    lines = ["", f"{closing.last_day} * what this file adds up to"]
    for (account, unit), total in sorted(closing.sums.items()):
        nothing, sum_ = known.amount(unit, 0), known.amount(unit, total)
        lines.append(f"    {account_name(account)}  {nothing} = {sum_}")
    return "\n".join(lines) + "\n"
