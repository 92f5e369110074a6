"""Why a command cannot do its work, told in lines an operator can act on.

Unready
├── SettingsError      a setting is missing or wrong
├── KeysUnavailable    keys.toml is missing, open to others or damaged
├── RedisUnavailable   there is no Redis, or it does not answer
└── CannotServe        the port, the data folder or a process stands in the way
"""

from __future__ import annotations


class Unready(Exception):
    """What a command needs is not there; the message says what to do."""


class SettingsError(Unready):
    """The settings are incomplete or wrong: the message has a line for every fault."""


class KeysUnavailable(Unready):
    """The keys cannot be read, or may not be made."""


class RedisUnavailable(Unready):
    """No Redis could be found, or it did not start, or it is too old."""


class CannotServe(Unready):
    """The service cannot start, or could not be kept running."""
