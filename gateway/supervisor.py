"""Keep processes running, and end them in order.

The kernel tells of a signal and of a child's end through one pipe, so nothing is
polled. A process that ends is started again, later each time; one that keeps ending
ends the whole.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog

from gateway.faults import CannotServe, Unready

STOPPING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
RESTARTS_MAX = 5
RESTARTS_WINDOW_SECONDS = 60.0
BACKOFF_SECONDS = 0.5
GRACE_SECONDS = 10.0
POLL_SECONDS = 0.1

Spawn = Callable[[], subprocess.Popen[bytes]]

log = structlog.get_logger()


@dataclass
class Child:
    """One process by its name, and when it ended before."""

    name: str
    spawn: Spawn
    process: subprocess.Popen[bytes]
    ends: deque[float] = field(default_factory=lambda: deque(maxlen=RESTARTS_MAX))
    due: float | None = None


class Supervisor:
    """The processes in the order they were started."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._children: list[Child] = []
        self._is_told = False

    def start(self, name: str, spawn: Spawn) -> None:
        """Start a process that is to be there from now on."""
        self._children.append(Child(name, spawn, spawn()))

    def wait(self, until: Callable[[], bool], seconds_max: float) -> bool:
        """Wait for something; False if told to stop before. Raises CannotServe."""
        deadline = time.monotonic() + seconds_max
        while not until():
            if time.monotonic() > deadline:
                raise CannotServe(f"not ready after {seconds_max:.0f} seconds")
            self._turn(POLL_SECONDS)
            if self._is_told:
                return False
        return not self._is_told

    def watch(self) -> None:
        """Keep everything running until told to stop. Raises CannotServe."""
        while not self._is_told:
            self._turn(self._seconds_to_next_start())

    def stop(self) -> None:
        """End the processes, the last started first, each with time to finish.

        A Ctrl-C while they finish ends the waiting. No other signal does: `make`
        forwards a SIGTERM that the whole group has had already.
        """
        grace_seconds = GRACE_SECONDS
        for child in reversed(self._children):
            child.process.terminate()
            deadline = time.monotonic() + grace_seconds
            while child.process.poll() is None:
                if signal.SIGINT in self._hear(deadline - time.monotonic()):
                    grace_seconds = deadline = 0
                if time.monotonic() > deadline and child.process.poll() is None:
                    log.warning("killed", process=child.name)
                    child.process.kill()
                    child.process.wait()

    def _hear(self, seconds: float | None) -> bytes:
        """Wait so long for signals, and give the number of each that came."""
        if seconds is not None and seconds < 0:
            seconds = 0
        ready = select.select([self._pipe], [], [], seconds)[0]
        return os.read(self._pipe, 512) if ready else b""

    def _turn(self, seconds: float | None) -> None:
        """Wait for a signal for so long, and do what is due."""
        arrived = self._hear(seconds)
        self._is_told = self._is_told or any(n in STOPPING_SIGNALS for n in arrived)
        if self._is_told:
            return
        for child in self._children:
            if child.due is None and child.process.poll() is not None:
                self._note_end(child)
            elif child.due is not None and child.due <= time.monotonic():
                self._start_again(child)

    def _note_end(self, child: Child) -> None:
        now = time.monotonic()
        window_began = now - RESTARTS_WINDOW_SECONDS
        if len(child.ends) == RESTARTS_MAX and child.ends[0] > window_began:
            raise CannotServe(
                f"{child.name} ended {RESTARTS_MAX + 1} times in a minute: stopping "
                "(what it said is above)"
            )
        recent = sum(end > window_began for end in child.ends)
        child.ends.append(now)
        child.due = now + BACKOFF_SECONDS * 2**recent
        log.warning("ended", process=child.name, status=child.process.returncode)

    def _start_again(self, child: Child) -> None:
        try:
            child.process = child.spawn()
        except Unready as fault:
            log.warning("did not start", process=child.name, reason=str(fault))
            self._note_end(child)
        else:
            child.due = None

    def _seconds_to_next_start(self) -> float | None:
        dues = [child.due for child in self._children if child.due is not None]
        return max(0.0, min(dues) - time.monotonic()) if dues else None


@contextmanager
def supervising() -> Iterator[Supervisor]:
    """Take the signals that stop us, and leave nothing running behind."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    wanted = (*STOPPING_SIGNALS, signal.SIGCHLD)
    # A handler of Python's is what makes the kernel's news reach the pipe.
    before = {number: signal.signal(number, _note) for number in wanted}
    pipe_before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    supervisor = Supervisor(reading)
    try:
        yield supervisor
    finally:
        supervisor.stop()
        signal.set_wakeup_fd(pipe_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reading)
        os.close(writing)


def _note(number: int, frame: object) -> None:
    """Nothing: the pipe has it already."""
