from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sms.owner import is_gone, this_process

linux = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="nothing is known without /proc"
)


def test_a_process_that_runs_is_not_gone() -> None:
    assert not is_gone(this_process())
    assert not is_gone(f"{this_process()}:a1b2c3d4")
    assert len(f"{this_process()}:a1b2c3d4") <= 64


@linux
def test_a_killed_process_is_gone_even_before_it_is_buried() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    machine, _, began = this_process().split(":")
    stat = Path(f"/proc/{child.pid}/stat").read_text()
    owner = f"{machine}:{child.pid}:{stat.rpartition(')')[2].split()[19]}"
    assert not is_gone(owner)

    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert is_gone(owner)
    child.communicate()
    assert is_gone(owner)


@linux
def test_a_reused_process_id_is_somebody_else() -> None:
    machine, pid, began = this_process().split(":")
    assert is_gone(f"{machine}:{pid}:{int(began) - 1}")


@pytest.mark.parametrize("owner", ["", "a", "other:1:1", "x:y:z", ":::", "other:1:0"])
def test_nothing_is_known_of_another_machine(owner: str) -> None:
    assert not is_gone(owner)


def test_what_is_half_known_is_not_gone() -> None:
    machine = this_process().split(":")[0]
    for rest in ("", ":", ":x:1", ":999999999:0", ":999999999:"):
        assert not is_gone(machine + rest)
