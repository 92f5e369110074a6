"""Keep a child process from outliving the one that started it.

`python -m gateway.processes PARENT PROGRAM [ARGUMENT...]` becomes PROGRAM and ends
when the process with the id PARENT does. The promise has to be made by the child
itself: code between fork and exec of a threaded parent can deadlock.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time

# The environment of a process that `yarigar serve` started holds its id.
SUPERVISED_BY = "YARIGAR_SUPERVISED"

# <linux/prctl.h>
PR_SET_PDEATHSIG = 1

WATCH_SECONDS = 1.0


def die_with_supervisor() -> None:
    """End this process with the one that started it, if `serve` is above both.

    Does nothing in a process that was started by hand. On Linux the promise
    survives exec and is lost by fork: each process below `serve` makes its own.
    """
    supervisor = os.environ.get(SUPERVISED_BY)
    if not supervisor:
        return
    above = multiprocessing.parent_process()
    die_with_parent(None if above is None else above.pid)
    try:
        os.kill(int(supervisor), 0)
    except ProcessLookupError:
        os.kill(os.getpid(), signal.SIGKILL)


def die_with_parent(
    parent: int | None = None, death_signal: signal.Signals = signal.SIGKILL
) -> None:
    """Have the kernel send `death_signal` to this process when its parent ends.

    `parent` is the process id that was meant: one that has already ended counts
    too. Where there is no prctl(2), a thread looks every second.
    """
    meant = os.getppid() if parent is None else parent
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    else:
        threading.Thread(target=_watch, args=(meant, death_signal), daemon=True).start()
    if os.getppid() != meant:
        os.kill(os.getpid(), death_signal)


def _watch(parent: int, death_signal: signal.Signals) -> None:
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    os.kill(os.getpid(), death_signal)


def main() -> None:
    parent, program, *arguments = sys.argv[1:]
    die_with_parent(int(parent))
    os.execv(program, [program, *arguments])  # noqa: S606  # our own command line


if __name__ == "__main__":
    main()
