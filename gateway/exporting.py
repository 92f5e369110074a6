"""Who may take what out of the books, and the line in the audit trail that says so.

Numbers in full, and more rows than one person should carry away alone, need a request
that others agreed to: see `gateway.approvals`. Its number is the permission, for a
week; each use of it is an event, and so is every export of people.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from gateway.faults import Unready
from ledger import events, requests
from ledger.engine import Engine, reading, writing
from ledger.export import PEOPLE_IN_FULL, TABLES, Selection, Table
from ledger.requests import Request, RequestState
from phone.dates import read_day

if TYPE_CHECKING:
    from gateway.service import Service

__all__ = [
    "ALONE_ROWS_MAX",
    "PERMITTED",
    "NotPermitted",
    "Wanted",
    "ask",
    "let_out",
    "permitted",
]

ALONE_ROWS_MAX = 100_000
PERMITTED = timedelta(days=7)
_KINDS = {"export_people": True, "large_export": False}


class NotPermitted(Unready):
    """Others have to agree to this export first, or did not."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A table and its rows; `in_full` with whole numbers, which only people have."""

    what: str
    selection: Selection
    in_full: bool = False
    request_id: int | None = None

    @property
    def table(self) -> Table:
        return PEOPLE_IN_FULL if self.in_full else TABLES[self.what]

    def body(self) -> dict[str, str | int]:
        """Say it as a request and an event do; an open side is an empty text."""
        said = self.selection.said()
        names = ("from", "to", "campaign")
        return {"what": self.what, **{name: said[name] or "" for name in names}}


def permitted(
    engine: Engine, what: str, request_id: int, *, time_zone: str, at: datetime
) -> Wanted:
    """What a request let out, if its people agreed; raises NotPermitted."""
    with reading(engine) as db:
        found = requests.find(db, request_id)
    if found is None or found.kind not in _KINDS:
        raise NotPermitted(f"request {request_id} is none for an export")
    _refuse_unready(found, at)
    if found.body["what"] != what:
        raise NotPermitted(f"request {request_id} is for {found.body['what']}")
    since, until = (str(found.body[name]) for name in ("from", "to"))
    selection = Selection(
        time_zone,
        read_day(since) if since else None,
        read_day(until) if until else None,
        str(found.body["campaign"]) or None,
    )
    return Wanted(what, selection, _KINDS[found.kind], request_id)


def ask(
    service: Service, wanted: Wanted, *, why: str, by: str, at: datetime
) -> Request:
    """Ask others for an export; raises `ledger.requests.Refused`."""
    # Here, because what approves knows every act there is.
    from gateway import approvals

    rows = wanted.table.count(service.engine, wanted.selection)
    return approvals.ask(
        service,
        kind="export_people" if wanted.in_full else "large_export",
        body={**wanted.body(), "rows": rows},
        about_id=None,
        why=why,
        by=by,
        at=at,
    )


def let_out(engine: Engine, wanted: Wanted, *, form: str, by: str, at: datetime) -> int:
    """Write the export into the audit trail, and give the number of its rows.

    Raises NotPermitted for one that is large and nobody agreed to.
    """
    rows = wanted.table.count(engine, wanted.selection)
    if wanted.request_id is None and rows > ALONE_ROWS_MAX:
        raise NotPermitted(
            f"{rows} rows are more than {ALONE_ROWS_MAX}: others have to agree; ask"
            f" with `yarigar ledger export {wanted.what} --reason ...`"
        )
    if wanted.request_id is not None or wanted.table.about_people:
        with writing(engine) as db:
            events.record(
                db,
                key=f"export:{secrets.token_hex(16)}",
                kind="export.people" if wanted.table.about_people else "export.large",
                body={
                    **wanted.body(),
                    "format": form,
                    "in_full": int(wanted.in_full),
                    "rows": rows,
                    "request": wanted.request_id or 0,
                    "by": by,
                },
                campaign=wanted.selection.campaign,
                channel=requests.CHANNEL,
                test=False,
                at=at,
            )
    return rows


def _refuse_unready(found: Request, at: datetime) -> None:
    if found.state is RequestState.WAITING:
        raise NotPermitted(
            f"request {found.id} waits: {found.missing} more have to agree"
        )
    if found.state is not RequestState.DONE:
        raise NotPermitted(f"request {found.id} is {found.state}")
    if at - found.changed_at > PERMITTED:
        raise NotPermitted(f"request {found.id} is older than {PERMITTED.days} days")
