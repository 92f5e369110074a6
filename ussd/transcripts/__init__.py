"""Whole conversations as YAML, played against the menus.

stories       what is dialled, typed and read, and what was done in the end
files         stories read from YAML, with every fault and its line, and written
playing       a story played on a `stage`, and where it went otherwise
side_by_side  what should have been read beside what was, as on two handsets
"""

from __future__ import annotations

from ussd.transcripts.files import as_yaml, read
from ussd.transcripts.playing import Mismatch, completed, play
from ussd.transcripts.stories import (
    BadStory,
    Channel,
    Story,
    Turn,
    filled,
    veiled,
)

__all__ = [
    "BadStory",
    "Channel",
    "Mismatch",
    "Story",
    "Turn",
    "as_yaml",
    "completed",
    "filled",
    "play",
    "read",
    "veiled",
]
