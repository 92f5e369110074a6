"""What the exports come to, figure by figure: the other side of the board's tests."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from ledger.board import ELSEWHERE
from ledger.export import TABLES, Selection, export_csv
from ledger.places.tree import Tree
from tests.ledger.facts import KEYS

__all__ = ["exported", "summed"]

ZONE = "Asia/Tehran"
GIVEN_OUT = ("batch.deliver", "in_kind.deliver")


def exported(engine: Engine, name: str) -> list[dict[str, str]]:
    pieces = export_csv(engine, TABLES[name], Selection(ZONE), keys=KEYS)
    told = b"".join(pieces).decode().removeprefix("\ufeff")
    return list(csv.DictReader(io.StringIO(told)))


def summed(
    engine: Engine, tree: Tree, level: str, at: datetime
) -> dict[str, Counter[str]]:
    """The figures of every place of a level as the exports come to, at a moment."""
    today = at.astimezone(ZoneInfo(ZONE)).date().isoformat()
    now = f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
    found: dict[str, Counter[str]] = {}

    def add(figure: str, place: str, number: int = 1) -> None:
        above = tree.above(place, level)
        name = above.code if above is not None else ELSEWHERE
        found.setdefault(name, Counter())[figure] += number

    def of_number(number: str) -> str:
        return f"23-t{number}" if number else ELSEWHERE

    for row in exported(engine, "signups"):
        # Of who is forgotten there is no number, not even masked.
        if row["state"] == "active" and row["volunteer"]:
            add("volunteers", row["place_code"])
    for row in exported(engine, "needs"):
        if row["state"] == "open":
            left = int(row["vacancies"]) - int(row["coming"])
            add("people_needed", row["place"], left)
    for row in exported(engine, "favours"):
        if row["state"] == "open":
            of = {"offer": "minutes_offered", "need": "minutes_needed"}[row["side"]]
            add(of, row["place"], int(row["minutes"]))
    for row in exported(engine, "hours"):
        if row["state"] == "confirmed":
            place = row["district"] or row["centre"]
            add("minutes_given", place, int(row["minutes"]))
    for row in exported(engine, "deliveries"):
        if row["state"] in ("open", "taken"):
            add("deliveries_open", row["place"])
        if row["state"] == "open" and row["due_at"] <= now:
            add("deliveries_late", row["place"])
        if row["state"] == "delivered":
            add("deliveries_done", row["district"] or row["centre"])
    for row in exported(engine, "journal"):
        if row["unit"] == "parcel" and row["kind"] in GIVEN_OUT:
            add("parcels", of_number(row["district"]), int(row["amount"]))
        if row["unit"] == "parcel" and row["kind"] == "batch.come_back":
            add("parcels", of_number(row["district"]), -int(row["amount"]))
    for row in exported(engine, "benefactors"):
        if row["state"] == "active":
            add("benefactors", of_number(row["district"]))
            add("people_covered", of_number(row["district"]), int(row["covers"]))
    for row in exported(engine, "decisions"):
        if row["state"] == "done":
            add("decisions_done", of_number(row["district"]))
        if row["state"] == "open":
            if row["kind"] == "proposal":
                add("proposals", of_number(row["district"]))
                continue
            add("decisions_open", of_number(row["district"]))
            if row["kind"] == "study":
                add("studies", of_number(row["district"]))
            if row["due_on"] < today:
                add("decisions_late", of_number(row["district"]))
    for row in exported(engine, "meetings"):
        if row["state"] == "held":
            add("meetings_held", of_number(row["district"]))
    for row in exported(engine, "premises"):
        if row["state"] == "open":
            of = {"offer": "premises_offered", "need": "premises_needed"}[row["side"]]
            add(of, of_number(row["district"]))
    return found
