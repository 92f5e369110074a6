"""A settlement file against the books: looked at first, then applied.

What is applied is judged again in the transaction that books it, and every fact has
the key that the same told by a callback has. So a run that was cut off is run again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import BinaryIO
from zoneinfo import ZoneInfo

from gateway import approvals, receipts
from gateway.channels import PaymentChannel
from gateway.payments.form import Kind
from gateway.payments.taking import menus_in_force
from gateway.service import Service
from gateway.settlements.columns import find_columns
from gateway.settlements.files import BadFile, digest, rows
from gateway.settlements.judging import Verdict, judge
from gateway.settlements.lines import Line, Reader
from gateway.settlements.spool import Spool
from ledger import gifts, payments, settling
from ledger.engine import Connection, NothingRecorded, reading, writing
from ledger.matching import How, find_pledge
from ledger.payments import Outcome, Paid
from ledger.requests import Refused, RequestState
from ledger.vault import look_up
from ussd.menus import Menus

__all__ = ["Finding", "Reconciling", "State"]

LOOKED_AT_ONCE = 500
# A transaction of many lines holds their pledges, and on SQLite all other writers.
APPLIED_AT_ONCE = 50
# So often is a line tried that met another transaction.
LINE_TRIES = 5
TILL = "pos"
WHY = "the settlement file has another amount"


class State(StrEnum):
    """What a line is to the books, or a payment of the books to the file."""

    PLEDGE = "new, for a pledge"
    EXCESS = "new, more than its pledge has open"
    SUSPENSE = "new, nobody knows what for"
    GIFT = "new, a gift at the till"
    RETURNED = "new, money that went back"
    KNOWN = "known"
    DIFFERS = "known, and different"
    PARKED = "not read"
    MISSING = "missing in the file"


@dataclass(frozen=True, slots=True)
class Finding:
    """What became or would become of one line; `amount` and what is settled in rial.

    `row` is 0 for what is missing in the file, `settles` the amount and its fee, below
    nothing for what goes back; `asked` says what became of a request to correct it.
    """

    state: State
    row: int
    id: str
    amount: int
    kind: Kind = Kind.PAYMENT
    in_books: int | None = None
    why: str = ""
    settles: tuple[int, int] | None = None
    asked: str = ""


@dataclass(frozen=True, slots=True)
class Reconciling:
    """One source's file against the books, by one person."""

    service: Service
    source: str
    spool: Spool
    by: str
    at: datetime

    @property
    def channel(self) -> PaymentChannel:
        return self.service.settings.payments[self.source]

    @property
    def is_till(self) -> bool:
        """Whether its payments are gifts without a pledge."""
        return self.channel.adapter == TILL

    def read(self, file: BinaryIO) -> None:
        """Read all of a file into the spool. Raises BadFile."""
        channel, settings = self.channel, self.service.settings
        found = rows(file, channel.encoding)
        reader = Reader(
            place=find_columns(found, channel.columns),
            zone=ZoneInfo(settings.time_zone),
            region=settings.region,
            in_toman=channel.unit == "toman",
            kinds={word: Kind(kind) for word, kind in channel.kinds.items()},
            at=self.at,
        )
        self.spool.take(found, reader)

    def look(self) -> Iterator[Finding]:
        """Say of each line what would become of it, as the books stand now."""
        for lines in self.spool.pages(LOOKED_AT_ONCE):
            with reading(self.service.engine) as db:
                for verdict in self._judge(db, lines):
                    yield self._foreseen(db, verdict)

    def apply(self, file: BinaryIO) -> Iterator[Finding]:
        """Book what is new, ask for what differs; some lines in each transaction.

        Raises LedgerError: what was done until then stands, and a second run does the
        rest.
        """
        with writing(self.service.engine) as db:
            settling.note_file(
                db,
                source=self.source,
                digest=digest(file),
                lines=self.spool.lines,
                by=self.by,
                test=self.channel.test,
                at=self.at,
            )
        menus = menus_in_force(self.service.library)
        for lines in self.spool.pages(APPLIED_AT_ONCE):
            yield from self._apply_all(menus, lines)

    def rest(self) -> Iterator[Finding]:
        """The rows that are no lines, and the payments that the file does not name.

        Only between its first payment and its last: what came before or after stands in
        another file.
        """
        for parked in self.spool.parked_rows():
            yield Finding(State.PARKED, parked.row, "", 0, why=parked.why)
        period = self.spool.period()
        if period is None:
            return
        with reading(self.service.engine, snapshot=True) as db:
            for told in settling.told_in(
                db, self.source, since=period[0], until=period[1]
            ):
                if not self.spool.names(told.outside_id):
                    yield Finding(
                        State.MISSING, 0, told.outside_id, 0, in_books=told.amount
                    )

    def _judge(self, db: Connection, lines: Sequence[Line]) -> list[Verdict]:
        keys, test = self.service.keys, self.channel.test
        return judge(db, keys, self.source, lines, test=test)

    def _foreseen(self, db: Connection, verdict: Verdict) -> Finding:
        line = verdict.line
        if verdict.booked is not None:
            return _of_known(verdict)
        if line.kind is not Kind.PAYMENT:
            return _finding(State.RETURNED, verdict)
        if self.is_till:
            return _finding(State.GIFT, verdict)
        phone = line.phone
        found = find_pledge(
            db,
            code=line.code,
            look_up=None if phone is None else look_up(self.service.keys, phone),
            reference=line.reference,
            amount=line.amount,
            test=self.channel.test,
            age=timedelta(),
        )
        if found is None:
            return _finding(State.SUSPENSE, verdict)
        pledge, how = found
        is_more = how is How.CODE and line.amount > pledge.outstanding
        return _finding(State.EXCESS if is_more else State.PLEDGE, verdict)

    def _apply_all(self, menus: Menus | None, lines: list[Line]) -> list[Finding]:
        """Apply lines in one transaction, or each in its own.

        Two transactions that pay several pledges can wait for each other's: the one
        that the database gives up is done again line by line. One line can still meet
        the many of another, over accounts that both make, and is tried again.
        """
        for tries_left in reversed(range(1 if len(lines) > 1 else LINE_TRIES)):
            try:
                with writing(self.service.engine) as db:
                    return [self._apply(db, menus, v) for v in self._judge(db, lines)]
            except NothingRecorded:
                if len(lines) == 1 and not tries_left:
                    raise
        return [done for line in lines for done in self._apply_all(menus, [line])]

    def _apply(self, db: Connection, menus: Menus | None, verdict: Verdict) -> Finding:
        if verdict.differs:
            asked = ""
            if verdict.differs == ("amount",) and verdict.line.kind is Kind.PAYMENT:
                asked = self._ask(db, verdict)
            return replace(_of_known(verdict), asked=asked)
        if verdict.booked is not None:
            self._settle(db, verdict, verdict.booked.event_id)
            return _of_known(verdict)
        paid = self._book(db, verdict)
        if paid.outcome is Outcome.DIFFERS:
            # A callback told of it in this very moment: the next run says more.
            return _finding(State.DIFFERS, verdict, why=", ".join(paid.differs))
        receipts.tell(
            db,
            menus,
            paid,
            campaign=self.channel.campaign if self.is_till else None,
            at_till=self.is_till,
            test=self.channel.test,
            at=self.at,
        )
        assert paid.event_id is not None
        self._settle(db, verdict, paid.event_id)
        return _finding(_became(paid, verdict.line), verdict)

    def _book(self, db: Connection, verdict: Verdict) -> Paid:
        keys, told, channel = self.service.keys, verdict.payment, self.channel
        if verdict.line.kind is not Kind.PAYMENT:
            return payments.told_back(
                db, keys, told, channel=self.source, test=channel.test, at=self.at
            )
        if not self.is_till:
            return payments.pay(
                db, keys, told, channel=self.source, test=channel.test, at=self.at
            )
        return gifts.give_at_till(
            db,
            keys,
            told,
            campaign=channel.campaign,
            purpose=channel.purpose,
            partner=told.outside_id.partition("/")[0][:40],
            channel=self.source,
            test=channel.test,
            at=self.at,
        )

    def _settle(self, db: Connection, verdict: Verdict, event_id: int) -> None:
        if verdict.settles is None:
            return
        amount, fee = verdict.settles
        settling.settle(
            db,
            verdict.payment,
            event_id,
            amount=amount,
            fee=fee,
            times=verdict.times,
            bank=self.channel.bank,
            on=verdict.line.settled_on,
            channel=self.source,
            test=self.channel.test,
            at=self.at,
        )

    def _ask(self, db: Connection, verdict: Verdict) -> str:
        """Ask people to correct an amount; nothing is changed without them."""
        known = verdict.booked
        assert known is not None
        try:
            made = approvals.ask_in(
                db,
                self.service,
                kind="correction",
                body={
                    "payment": known.event_id,
                    "was": known.amount,
                    "amount": verdict.line.amount,
                },
                about_id=known.event_id,
                why=WHY,
                by=self.by,
                at=self.at,
            )
        except Refused as refused:
            return str(refused)
        if made.state is RequestState.WAITING:
            return f"request {made.id} asks to correct it"
        return f"request {made.id} is {made.state}"


def insist_on_all(spool: Spool) -> None:
    """Raise BadFile where a row was not read: no half of a file is applied unasked."""
    if spool.parked:
        first = next(spool.parked_rows())
        raise BadFile(
            f"row {first.row}: {first.why}; {spool.parked} rows could not be read and "
            "nothing was applied: mend them, or leave them out with --skip-bad"
        )


def _of_known(verdict: Verdict) -> Finding:
    if verdict.differs:
        return _finding(State.DIFFERS, verdict, why=", ".join(verdict.differs))
    return _finding(State.KNOWN, verdict)


def _finding(state: State, verdict: Verdict, *, why: str = "") -> Finding:
    line = verdict.line
    return Finding(
        state,
        line.row,
        line.id,
        line.amount,
        kind=line.kind,
        in_books=verdict.booked.amount if verdict.booked else None,
        why=why,
        settles=verdict.settles,
    )


def _became(paid: Paid, line: Line) -> State:
    if not paid.first:
        return State.KNOWN
    if line.kind is not Kind.PAYMENT:
        return State.RETURNED
    return {
        Outcome.MATCHED: State.PLEDGE,
        Outcome.EXCESS: State.EXCESS,
        Outcome.GIFT: State.GIFT,
    }.get(paid.outcome, State.SUSPENSE)
