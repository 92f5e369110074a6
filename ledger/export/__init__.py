"""The books as files, in constant memory, each with a manifest of what it holds.

selection  which rows: inclusive days of campaign time, one campaign or all
pages      walks the rows of a selection, a short transaction for each page
table      what an exported table is: its columns and their titles
pledges    one row for each pledge, with what became of it
signups    one row for each volunteer's sign-up
hand_over  the volunteers of a round, in a list for each centre
deliveries one row for each request for delivery
payments   one row for each payment that came
journal    one row for each transfer
hours      one row for each time that help was given
favours    one row for each hour that is offered or needed
needs      one row for each need of a centre
people     one row for each person, masked
messages   one row for each text that was promised
assemblies  one row for each benefactor, decision, meeting and premises
csv        a table as bytes, page by page
jsonl      a table as JSON Lines
xlsx       a table as a workbook; needs the extra `xlsx`
parquet    a table as Parquet; needs the extra `parquet`
entries    the journal by events, for the two below
hledger    the journal as hledger reads it
beancount  the journal as beancount reads it
manifests  what an export says of itself
comparing  what two exports say differently
files      a file with its manifest, in any format

Rehearsals are never exported, and of a phone number no more than `***4567`, but for
the people that a request of several operators lets out.
"""

from __future__ import annotations

from ledger.export.assemblies import BENEFACTORS as BENEFACTORS
from ledger.export.assemblies import DECISIONS as DECISIONS
from ledger.export.assemblies import MEETINGS as MEETINGS
from ledger.export.assemblies import PREMISES as PREMISES
from ledger.export.beancount import export_beancount as export_beancount
from ledger.export.comparing import compare as compare
from ledger.export.csv import export_csv as export_csv
from ledger.export.deliveries import DELIVERIES as DELIVERIES
from ledger.export.favours import FAVOURS as FAVOURS
from ledger.export.files import FORMATS as FORMATS
from ledger.export.files import Format as Format
from ledger.export.files import export_file as export_file
from ledger.export.files import export_stream as export_stream
from ledger.export.files import fits as fits
from ledger.export.hledger import export_hledger as export_hledger
from ledger.export.hours import HOURS as HOURS
from ledger.export.journal import JOURNAL as JOURNAL
from ledger.export.manifests import BadManifest as BadManifest
from ledger.export.manifests import Manifest as Manifest
from ledger.export.manifests import read_manifest as read_manifest
from ledger.export.messages import MESSAGES as MESSAGES
from ledger.export.needs import NEEDS as NEEDS
from ledger.export.parquet import ParquetMissing as ParquetMissing
from ledger.export.payments import PAYMENTS as PAYMENTS
from ledger.export.people import PEOPLE as PEOPLE
from ledger.export.people import PEOPLE_IN_FULL as PEOPLE_IN_FULL
from ledger.export.pledges import PLEDGES as PLEDGES
from ledger.export.selection import BadSelection as BadSelection
from ledger.export.selection import Selection as Selection
from ledger.export.signups import SIGNUPS as SIGNUPS
from ledger.export.table import Headers as Headers
from ledger.export.table import Table as Table
from ledger.export.xlsx import XlsxMissing as XlsxMissing
from ledger.export.xlsx import export_xlsx as export_xlsx

__all__ = [
    "DELIVERIES",
    "BENEFACTORS",
    "DECISIONS",
    "FAVOURS",
    "FORMATS",
    "HOURS",
    "JOURNAL",
    "MEETINGS",
    "MESSAGES",
    "NEEDS",
    "PAYMENTS",
    "PEOPLE",
    "PEOPLE_IN_FULL",
    "PLEDGES",
    "PREMISES",
    "SIGNUPS",
    "TABLES",
    "BadManifest",
    "BadSelection",
    "Format",
    "Headers",
    "Manifest",
    "ParquetMissing",
    "Selection",
    "Table",
    "XlsxMissing",
    "compare",
    "export_beancount",
    "export_csv",
    "export_file",
    "export_hledger",
    "export_stream",
    "export_xlsx",
    "fits",
    "read_manifest",
]

TABLES = {
    table.name: table
    for table in (
        PLEDGES,
        SIGNUPS,
        PAYMENTS,
        JOURNAL,
        PEOPLE,
        MESSAGES,
        DELIVERIES,
        BENEFACTORS,
        DECISIONS,
        MEETINGS,
        PREMISES,
        HOURS,
        FAVOURS,
        NEEDS,
    )
}
