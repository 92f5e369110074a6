"""The whole database in one file, and back.

taking      a backup, while others write
restoring   into an empty database, or not at all
archive     the file: what it says of itself, and what is refused
sqlite      the pages of a database file
postgresql  the rows of every table
"""

from ledger.backups.archive import BadArchive
from ledger.backups.restoring import NotEmpty, Restored, restore
from ledger.backups.taking import Taken, take

__all__ = ["BadArchive", "NotEmpty", "Restored", "Taken", "restore", "take"]
