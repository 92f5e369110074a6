"""The journal for beancount: https://beancount.github.io/docs/beancount_language_syntax.html

An account is a root that beancount knows and the code below it. There a part of a
name begins with a capital or a digit and holds letters, digits and hyphens, so a part
that begins with a small letter or a 0, or with nothing, gets a 0 before it, and any
other character is Z and the hexadecimal of its UTF-8 bytes, Z itself too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

from sqlalchemy import Engine

from ledger.export.entries import Closing, Entry, Posting, Units, entries, units
from ledger.export.selection import Selection
from ledger.export.table import Headers, Table
from ledger.vault import Keys

__all__ = ["account_code", "account_name", "export_beancount"]

_ROOTS = {
    "A": "Assets",
    "I": "Assets",
    "L": "Liabilities",
    "V": "Liabilities",
    "N": "Income",
    "X": "Expenses",
}
_OTHER_ROOT = "Equity"
_OPENED = "1970-01-01"
_PLAIN = re.compile(r"[^A-Ya-z0-9-]")
_ESCAPED = re.compile(r"(?:Z[0-9A-F]{2})+")


def export_beancount(
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
                commodity = known.commodity(unit)
                lines.append(f"{_OPENED} open {account_name(account)} {commodity}")
            lines += _written(entry, known)
        yield "".join(f"{line}\n" for line in lines).encode()
        if progress:
            progress(len(records))
    yield _closed(closing, known).encode()


def account_name(code: str) -> str:
    """Write an account's code as beancount's name for it."""
    root = _ROOTS.get(code[:1], _OTHER_ROOT)
    return ":".join((root, *map(_part, code.split(":"))))


def account_code(name: str) -> str:
    """Read the code back from a name that `account_name` wrote."""
    _, *parts = name.split(":")
    return ":".join(_ESCAPED.sub(_read, part.removeprefix("0")) for part in parts)


def _part(part: str) -> str:
    escaped = _PLAIN.sub(_escape, part)
    is_plain = escaped[:1].isupper() or escaped[:1] in tuple("123456789")
    return escaped if is_plain else f"0{escaped}"


def _escape(found: re.Match[str]) -> str:
    return "".join(f"Z{byte:02X}" for byte in found[0].encode())


def _read(found: re.Match[str]) -> str:
    return bytes.fromhex(found[0].replace("Z", "")).decode()


def _head(known: Units) -> str:
    commodities = "".join(
        f"{_OPENED} commodity {known.commodity(unit)}\n" for unit in known.scales
    )
    return (
        "; The journal of yarigar: what is promised only is a comment.\n"
        'option "title" "yarigar"\n' + commodities
    )


def _written(entry: Entry, known: Units) -> list[str]:
    if not entry.happened:
        head = [f"; {entry.day} {entry.kind} {entry.code} event: {entry.event}"]
    else:
        head = [
            f'{entry.day} * "{entry.code}" "{entry.kind}"',
            f"  event: {entry.event}",
        ]
    lines = ["", *head]
    for one in entry.postings:
        if one.has_happened:
            lines += [
                f"  {account_name(one.debit)}  {known.amount(one.unit, one.amount)}",
                f"  {account_name(one.credit)}  {known.amount(one.unit, -one.amount)}",
            ]
        else:
            # Indented, it would have to belong to a transaction.
            indent = "  " if entry.happened else ""
            lines.append(f"{indent}; {_promised(one, known)}")
    return lines


def _promised(one: Posting, known: Units) -> str:
    names = f"{account_name(one.debit)} {account_name(one.credit)}"
    return f"{one.phase} {known.amount(one.unit, one.amount)} {names}"


def _closed(closing: Closing, known: Units) -> str:
    if closing.last_day is None:
        return ""
    # There a balance is that of a morning, and counts the accounts below in.
    morning = closing.last_day + timedelta(days=1)
    sums: dict[tuple[str, str], int] = dict.fromkeys(closing.sums, 0)
    for (account, unit), total in closing.sums.items():
        parts = account.split(":")
        for length in range(1, len(parts) + 1):
            above = ":".join(parts[:length]), unit
            if above in sums:
                sums[above] += total
    lines = [""]
    for (account, unit), total in sorted(sums.items()):
        lines.append(
            f"{morning} balance {account_name(account)}  {known.amount(unit, total)}"
        )
    return "\n".join(lines) + "\n"
