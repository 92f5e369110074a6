"""`python -m gateway` is `yarigar`."""

from __future__ import annotations

from gateway.cli import cli

if __name__ == "__main__":
    cli(prog_name="yarigar")
