"""The forms that are installed, and how one is built from a channel's settings.

A form is an entry point in the group `yarigar.payments`; ours are there too, so a
stranger's form is a peer of ours.
"""

from __future__ import annotations

from datetime import timedelta
from importlib.metadata import entry_points

from gateway.channels import PaymentChannel
from gateway.payments.form import Form, Setup

__all__ = ["build"]

GROUP = "yarigar.payments"


def build(channel: PaymentChannel, *, region: str) -> Form:
    """Build the form of a channel; raises ValueError with a line for every fault."""
    (point,) = entry_points(group=GROUP, name=channel.adapter)
    form = point.load()(
        Setup(
            secret=channel.secret.get_secret_value().encode(),
            tolerance=timedelta(seconds=channel.signature_tolerance_seconds),
            region=region,
            campaign=channel.campaign,
            purpose=channel.purpose,
            options=channel.options,
        )
    )
    assert isinstance(form, Form), f"the entry point {channel.adapter} makes no form"
    return form
