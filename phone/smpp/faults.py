"""What goes wrong between us and a message centre.

SmppError
├── Malformed     octets that are no PDU; nothing of what they held is repeated
├── Unwritable    a value of ours that its field cannot hold
├── BindRefused   the centre does not let us in; `status` says why
├── Refused       the centre has the request and does not take it; `status` says why
├── NotSent       a request that surely never left us: asked again, it is asked once
├── LinkLost      the connection ended before the answer came
└── NoAnswer      the connection stands and the answer did not come in time
"""

from __future__ import annotations

from phone.smpp.status import Status, name_of

__all__ = [
    "BindRefused",
    "LinkLost",
    "Malformed",
    "NoAnswer",
    "NotSent",
    "Refused",
    "SmppError",
    "Unwritable",
]


class SmppError(Exception):
    """Something between us and a message centre went wrong."""


class Malformed(SmppError):
    """Octets that cannot be read; `status` is what the answer to them says.

    `sequence` is 0 where not even that could be read. Where `is_lost` nobody knows
    where the next PDU begins, so the connection is of no more use.
    """

    def __init__(
        self,
        reason: str,
        status: Status = Status.ESME_RINVCMDLEN,
        *,
        sequence: int = 0,
        is_lost: bool = False,
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.sequence = sequence
        self.is_lost = is_lost


class Unwritable(SmppError):
    """A value that the field it is for cannot hold."""


class _WithStatus(SmppError):
    def __init__(self, status: int) -> None:
        super().__init__(name_of(status))
        self.status = status


class BindRefused(_WithStatus):
    """The centre does not let us in."""


class Refused(_WithStatus):
    """The centre does not take a request."""


class NotSent(SmppError):
    """A request that surely never left us: the centre does not have it."""


class LinkLost(SmppError):
    """The connection is gone; whether the centre had the request is unknown."""


class NoAnswer(SmppError):
    """No answer in time; whether the centre had the request is unknown."""
