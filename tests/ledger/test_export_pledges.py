from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from ledger import chart, matching, people, pledges
from ledger.balances import balances, campaign_totals
from ledger.engine import reading, writing
from ledger.export import PLEDGES, BadSelection, Selection, export_csv
from ledger.export.pages import PAGE_ROWS
from tests.ledger.books import CAMPAIGN, KEYS, NOON, Books, unguarded

TEHRAN = Selection("Asia/Tehran")
TEXT_STATES = (
    *("queued", "sent", "unclear", "delivered"),
    *("failed", "expired", "withdrawn"),
)
CONTRACT = (
    "code,recorded_at,recorded_at_jalali,campaign,purpose,unit,amount,amount_toman,"
    "paid,outstanding,paid_at,state,channel,district,centre,donor,text_state,reference"
)


def test_the_columns_are_those_that_were_promised() -> None:
    names = [column.name for column in PLEDGES.columns]
    assert ",".join(names).startswith(CONTRACT)


def test_every_column_has_its_own_persian_title() -> None:
    titles = {column.title_fa for column in PLEDGES.columns}
    assert len(titles) == len(PLEDGES.columns)
    assert not any(letter in "".join(titles) for letter in "يك")


def test_a_new_pledge_is_open_and_nothing_is_paid(ledger_engine: Engine) -> None:
    _, code = Books(ledger_engine).pledge(amount=750_000)
    assert rows(ledger_engine) == [
        {
            "code": code,
            "recorded_at": "2026-11-22T08:30:01Z",
            "recorded_at_jalali": "1405/09/01 12:00",
            "campaign": CAMPAIGN,
            "purpose": "nowruz",
            "unit": "rial",
            "amount": "750000",
            "amount_toman": "75000",
            "paid": "0",
            "outstanding": "750000",
            "paid_at": "",
            "state": "open",
            "channel": "at",
            "district": "",
            "centre": "",
            "donor": "***4567",
            "text_state": "none",
            "reference": "",
            "refunded": "0",
            "donor_kind": "",
            "cohort": "",
            "partner": "",
        }
    ]


def test_a_pledge_is_paid_in_parts(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    pledge, _ = books.pledge(amount=100)
    books.pay(pledge, 40, "RRN-1")
    (row,) = rows(ledger_engine)
    assert (row["paid"], row["outstanding"]) == ("40", "60")
    assert (row["state"], row["paid_at"]) == ("part_paid", "2026-11-22T08:30:02Z")
    assert row["reference"] == "RRN-1"

    books.pay(pledge, 60, "RRN-2")
    (row,) = rows(ledger_engine)
    assert (row["paid"], row["outstanding"]) == ("100", "0")
    assert (row["state"], row["paid_at"]) == ("paid", "2026-11-22T08:30:03Z")
    assert row["reference"] == "RRN-2"


def test_a_state_is_the_one_that_the_donor_is_told(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    _, cancelled = books.pledge(amount=100)
    books.cancel(cancelled)
    late, _ = books.pledge(amount=100)
    books.expire(late, 100)
    partly, _ = books.pledge(amount=100)
    books.pay(partly, 30)
    books.expire(partly, 70)
    paid, _ = books.pledge(amount=100)
    books.pay(paid, 100)
    begun, _ = books.pledge(amount=100)
    books.pay(begun, 1)
    books.pledge(amount=100)
    given_up, _ = books.pledge(amount=100)
    books.write_off(given_up, 100)
    returned, _ = books.pledge(amount=100)
    books.pay(returned, 100)
    books.agree_refund(returned, 100)
    in_part, _ = books.pledge(amount=100)
    books.pay(in_part, 100)
    books.agree_refund(in_part, 40)

    found = rows(ledger_engine)
    with reading(ledger_engine) as db:
        person = people.find(db, KEYS, "+989121234567")
        assert person is not None
        told = pledges.pledges_of(db, person_id=person.id)[::-1]
    assert [row["state"] for row in found] == [pledge.state for pledge in told]
    assert {row["state"] for row in found} == set(pledges.State)
    assert [int(row["outstanding"]) for row in found] == [
        pledge.outstanding for pledge in told
    ]
    paid_of_each = ["0", "0", "30", "100", "1", "0", "0", "100", "100"]
    assert [row["paid"] for row in found] == paid_of_each
    assert [int(row["refunded"]) for row in found] == [
        pledge.refunded for pledge in told
    ]
    assert [row["refunded"] for row in found][-2:] == ["100", "40"]


def test_money_that_came_before_its_pledge_was_known_is_told_of_its_payment(
    ledger_engine: Engine,
) -> None:
    books = Books(ledger_engine)
    paid_at = NOON - timedelta(hours=5)
    _, code = books.pledge(amount=750_000)
    unknown = books.pay(None, 750_000, "RRN-9", paid_at=paid_at)
    (row,) = rows(ledger_engine)
    assert (row["paid"], row["reference"]) == ("0", "")
    with writing(ledger_engine) as db:
        matching.match(
            db,
            payment_id=unknown.event_id,
            code=code,
            by="sara",
            why="the donor showed the receipt",
            at=books.at,
        )
    (row,) = rows(ledger_engine)
    assert (row["paid"], row["reference"]) == ("750000", "RRN-9")
    assert row["paid_at"] == "2026-11-22T03:30:00Z"


def test_only_rial_is_told_in_toman(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    books.pledge(amount=3, unit="parcel", campaign="parcels")
    books.pledge(amount=500_005)
    found = [(row["amount"], row["amount_toman"]) for row in rows(ledger_engine)]
    assert found == [("3", ""), ("500005", "50000.5")]


@pytest.mark.parametrize(
    ("state", "told"),
    [(state, state) for state in TEXT_STATES] + [("sending", "queued")],
)
def test_how_far_the_text_has_come_is_told(
    ledger_engine: Engine, state: str, told: str
) -> None:
    books = Books(ledger_engine)
    pledge, _ = books.pledge()
    books.promise(pledge, state)
    books.promise(pledge, "failed", "sms.reminder")
    assert [row["text_state"] for row in rows(ledger_engine)] == [told]


def test_an_erased_donor_has_no_number(ledger_engine: Engine) -> None:
    Books(ledger_engine).pledge()
    with unguarded(ledger_engine) as db:
        db.execute(text("DELETE FROM vault"))
    assert [row["donor"] for row in rows(ledger_engine)] == [""]


def test_a_rehearsal_is_never_exported(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    books.pledge(test=True)
    assert rows(ledger_engine) == []
    assert PLEDGES.count(ledger_engine, TEHRAN) == 0


def test_days_are_those_of_the_campaign_and_both_included(
    ledger_engine: Engine,
) -> None:
    # Midnight of the 22nd in Tehran is 20:30 of the 21st in UTC.
    times = ("2026-11-21T20:29:59", "2026-11-21T20:30", "2026-11-22T20:29:59.999")
    for time in (*times, "2026-11-22T20:30"):
        exactly_at(ledger_engine, time).pledge()
    day = date(2026, 11, 22)
    only = Selection("Asia/Tehran", since=day, until=day)
    found = [row["recorded_at"] for row in rows(ledger_engine, only)]
    assert found == ["2026-11-21T20:30:00Z", "2026-11-22T20:29:59Z"]
    assert PLEDGES.count(ledger_engine, only) == 2
    assert len(rows(ledger_engine, Selection("Asia/Tehran", since=day))) == 3
    assert len(rows(ledger_engine, Selection("Asia/Tehran", until=day))) == 3


def test_a_campaign_is_exported_alone(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    books.pledge()
    books.pledge(campaign="another")
    found = rows(ledger_engine, Selection("Asia/Tehran", campaign="another"))
    assert [row["campaign"] for row in found] == ["another"]


def test_days_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(BadSelection, match="1405/09/01 comes after 1405/08/30"):
        Selection("Asia/Tehran", since=date(2026, 11, 22), until=date(2026, 11, 21))


def test_pages_meet_and_what_is_pledged_meanwhile_waits_for_the_next_export(
    ledger_engine: Engine,
) -> None:
    made = many(ledger_engine, PAGE_ROWS + 1)
    pieces = export_csv(ledger_engine, PLEDGES, TEHRAN, keys=KEYS)
    first = [next(pieces), next(pieces)]
    # The reader holds no transaction between its pages, so this does not wait.
    Books(ledger_engine).pledge()
    assert [row["code"] for row in parsed(b"".join([*first, *pieces]))] == made
    assert PLEDGES.count(ledger_engine, TEHRAN) == len(made) + 1


def test_exports_and_balances_agree(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    for amount in (100, 200, 300):
        pledge, code = books.pledge(amount=amount)
        if amount == 100:
            books.cancel(code)
        else:
            books.pay(pledge, amount // 2)
    found = rows(ledger_engine)
    with reading(ledger_engine) as db:
        (total,) = campaign_totals(db, campaign=CAMPAIGN)
        books_say = {one.account: one for one in balances(db)}
    promised = books_say[chart.receivable(CAMPAIGN)]
    settled = books_say[chart.settle("psp")]
    assert sum(int(row["paid"]) for row in found) == total.paid == settled.posted == 250
    left = sum(int(row["outstanding"]) for row in found)
    assert left == total.outstanding == promised.pending == 250


def rows(engine: Engine, selection: Selection = TEHRAN) -> list[dict[str, str]]:
    return parsed(b"".join(export_csv(engine, PLEDGES, selection, keys=KEYS)))


def parsed(file: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.decode("utf-8-sig"), newline="")))


def exactly_at(engine: Engine, time: str) -> Books:
    """Books whose next fact is recorded at that time, in UTC."""
    at = datetime.fromisoformat(time).replace(tzinfo=UTC)
    return Books(engine, at=at - timedelta(seconds=1), name=time)


def many(engine: Engine, number: int) -> list[str]:
    """Pledge so often, in one transaction, and give the codes."""
    with writing(engine) as db:
        person = people.remember(db, KEYS, "+989121234567", at=NOON)
        return [
            pledges.record_pledge(
                db,
                KEYS,
                key=f"many:{turn}",
                person_id=person.id,
                campaign=CAMPAIGN,
                purpose="nowruz",
                unit="rial",
                amount=turn + 1,
                channel="at",
                test=False,
                at=NOON,
            ).code
            or ""
            for turn in range(number)
        ]
