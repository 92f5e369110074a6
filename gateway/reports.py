"""Publishing the transparency report: asked for by one person, agreed to by others.

What is asked for is the report on one seal, by the digest of its figures: whoever
approves can count it anew, and what is published is what was seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from gateway import approvals
from ledger import publications
from ledger.engine import Connection, reading
from ledger.publications import Published
from ledger.reporting import Scope, Statement, digest, statement
from ledger.requests import Request

if TYPE_CHECKING:
    from gateway.approvals import Doing
    from gateway.service import Service

__all__ = ["ask_to_publish", "count_agreed", "publish_agreed"]


def ask_to_publish(
    service: Service, *, campaign: str, why: str, by: str, at: datetime
) -> tuple[Request, Statement]:
    """Ask that a campaign's report on the last seal be published.

    Raises requests.Refused where there is no seal, or no newer one than that of the
    last report.
    """
    with reading(service.engine, snapshot=True) as db:
        said = publications.proposed(db, campaign)
    assert said.size is not None
    body: dict[str, str | int] = {
        "campaign": campaign,
        "size": said.size,
        "digest": digest(said).hex(),
    }
    request = approvals.ask(
        service, kind="publish", body=body, about_id=None, why=why, by=by, at=at
    )
    return request, said


def count_agreed(service: Service, body: Mapping[str, str | int]) -> Statement:
    """Count the report that is agreed to; under its seal it is the same ever after."""
    with reading(service.engine, snapshot=True) as db:
        return statement(db, Scope(str(body["campaign"]), size=int(body["size"])))


def publish_agreed(db: Connection, doing: Doing) -> int:
    """Publish what everybody agreed to; the event of the publication."""
    body, request = doing.request.body, doing.request
    done: Published = publications.publish(
        db,
        campaign=str(body["campaign"]),
        size=int(body["size"]),
        digest_hex=str(body["digest"]),
        said=doing.seen,
        by=request.approved_by[-1] if request.approved_by else request.made_by,
        at=doing.at,
    )
    return done.event_id
