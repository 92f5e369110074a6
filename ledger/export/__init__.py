"""The books as files for a spreadsheet, in constant memory.

selection  which rows: inclusive days of campaign time, one campaign or all
pages      walks the rows of a selection, a short transaction for each page
table      what an exported table is: its columns and their titles
pledges    one row for each pledge, with what became of it
signups    one row for each volunteer's sign-up
csv        a table as bytes, page by page
xlsx       a table as a workbook; needs the extra `xlsx`

Rehearsals are never exported, and of a phone number no more than `***4567`.
"""

from __future__ import annotations

from ledger.export.csv import export_csv as export_csv
from ledger.export.pledges import PLEDGES as PLEDGES
from ledger.export.selection import BadSelection as BadSelection
from ledger.export.selection import Selection as Selection
from ledger.export.signups import SIGNUPS as SIGNUPS
from ledger.export.table import Headers as Headers
from ledger.export.table import Table as Table
from ledger.export.xlsx import XlsxMissing as XlsxMissing
from ledger.export.xlsx import export_xlsx as export_xlsx

__all__ = [
    "PLEDGES",
    "SIGNUPS",
    "TABLES",
    "BadSelection",
    "Headers",
    "Selection",
    "Table",
    "XlsxMissing",
    "export_csv",
    "export_xlsx",
]

TABLES = {table.name: table for table in (PLEDGES, SIGNUPS)}
