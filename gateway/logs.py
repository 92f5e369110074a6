"""Logs: one line of JSON an event, without a number, a name or a text."""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType

import structlog

__all__ = ["write_logs"]

FRAMES_MAX = 12


def write_logs() -> None:
    """Write logs of this process to its standard error."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(_where),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


def _where(
    exc_info: tuple[type[BaseException], BaseException, TracebackType | None],
) -> str:
    """The kind of an exception and where it came from.

    Its words are left out: they may quote what a caller typed.
    """
    kind, _, trace = exc_info
    frames = traceback.extract_tb(trace)[-FRAMES_MAX:]
    places = [f"{frame.filename.rsplit('/', 2)[-1]}:{frame.lineno}" for frame in frames]
    return f"{kind.__name__} at {' > '.join(places)}"
