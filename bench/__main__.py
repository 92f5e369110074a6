"""`python -m bench [NAME [OPTION...]]`; without a name, what is measured in numbers."""

from __future__ import annotations

import subprocess
import sys

MEASURED = (
    *("conversation", "others", "menus", "export", "texts", "ledger", "signups"),
    "matching",
)
NAMES = (*MEASURED, "crash", "storm")


def main() -> None:
    name, *options = sys.argv[1:] or [""]
    if name and name not in NAMES:
        sys.exit(f"bench: no such bench {name!r}: there are {', '.join(NAMES)}")
    for one in [name] if name else MEASURED:
        # Each in a process of its own: one peaks in memory, another counts its own.
        command = [sys.executable, "-m", f"bench.{one}", *options]
        if status := subprocess.run(command).returncode:
            sys.exit(status)


if __name__ == "__main__":
    main()
