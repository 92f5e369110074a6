"""A centre of the tree that ships, with a phone that is registered for it."""

from __future__ import annotations

from gateway.placing import shipped, take_in
from ledger import staff
from ledger.engine import writing
from ledger.staff import Role
from tests.gateway.house import Gateway

__all__ = ["AT_THE_CENTRE", "CENTRE", "CENTRE_CODE", "open_centre"]

CENTRE = "c11023"
CENTRE_CODE = "*780*5588*6#"
AT_THE_CENTRE = "+989120000001"


def open_centre(gateway: Gateway) -> None:
    """Bring in the tree, and register the centre's phone."""
    service, at = gateway.service, gateway.clock()
    take_in(service.engine, shipped(), by="test", at=at)
    with writing(service.engine) as db:
        staff.add(
            db,
            service.keys,
            phone=AT_THE_CENTRE,
            role=Role.CENTRE,
            place=CENTRE,
            title="دفتر مرکز",
            by="sara",
            test=False,
            at=at,
        )
