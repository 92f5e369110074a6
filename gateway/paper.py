"""Lists of volunteers that were written on paper, read and entered line by line.

An entry is no sign-up: each counts once its own phone says yes. A line that is brought
in again is the same entry, whatever it says now; what it says otherwise is named.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gateway.faults import Unready
from gateway.living import placed_at
from ledger import entries, people, signups, stops
from ledger.engine import Connection, Engine, reading, writing
from ledger.entries import Answers, Entry
from ledger.places.kinds import Kind
from ledger.places.tree import Place, Tree
from ledger.signups import NOWHERE, Said, Where
from ledger.vault import Keys, WrongKeys, look_up
from phone.digits import fold
from phone.numbers import NotAPhone, from_person, mask
from ussd.menus import Menus

__all__ = [
    "BYTES_MAX",
    "LINES_MAX",
    "Batch",
    "Line",
    "bring_in",
    "look_at",
    "read_list",
]

BYTES_MAX = 1_000_000
LINES_MAX = 5_000
FAULTS_MAX = 50
CHANNEL = "paper"
COLUMNS = ("phone", "skill", "time", "place")
_BATCH = re.compile(r"[a-z0-9][a-z0-9-]{0,38}")


@dataclass(frozen=True, slots=True)
class Batch:
    """A list by its name, and what its lines are read with."""

    name: str
    campaign: str
    menus: Menus
    tree: Tree
    test: bool

    @property
    def kept_as(self) -> str:
        """A rehearsal of a list is a list of its own."""
        return f"~{self.name}" if self.test else self.name


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a list: `number` counts from 1, the titles are none."""

    number: int
    phone: str = field(repr=False)
    skill: str
    time: str
    place: Place | None

    def answers(self, about: Batch) -> Answers:
        """What the line says, as an entry keeps it."""
        tree, menus, place = about.tree, about.menus, self.place
        if place is None:
            said = Said("unknown", None, None, None, self.skill, self.time, menus.hash)
            return Answers(said, NOWHERE, Where(None, None, None))
        # Another place than callers type is known by its code alone.
        is_typed = place.kind in (Kind.CENTRE, Kind.BOOTH)
        said = Said(
            place_kind=place.kind if is_typed else "unknown",
            place=(place.dial or place.code) if is_typed else None,
            province=None,
            district=None,
            skill=self.skill,
            time=self.time,
            consent=menus.hash,
        )
        booth = place.code if place.kind == Kind.BOOTH else None
        return Answers(
            said, placed_at(tree, place.code), Where(place.code, None, booth)
        )


def read_list(
    raw: bytes, menus: Menus, tree: Tree, *, place: str | None, region: str
) -> list[Line]:
    """Read a list: CSV in UTF-8 with the columns phone, skill, time and place.

    Cells are parted by commas or semicolons. Skill and time are values of the menus'
    lists or their titles; a place is a code or the number that callers type, `place`
    where a line has none. Raises Unready with a line for each fault, without a number
    in it.
    """
    if len(raw) > BYTES_MAX:
        raise Unready(f"the list has more than {BYTES_MAX} bytes")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unready("the list is not UTF-8: save it as CSV UTF-8") from None
    if "\x00" in text:
        raise Unready("the list holds a NUL: it is no text")
    # Where a decimal is written with a comma, spreadsheets part cells by semicolons.
    mark = "," if "," in text.partition("\n")[0] else ";"
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    try:
        rows = [row for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as fault:
        raise Unready(f"line {reader.line_num}: {fault}") from None
    if not rows or tuple(cell.strip().lower() for cell in rows[0]) != COLUMNS:
        raise Unready(f"the first line is not {','.join(COLUMNS)}")
    if len(rows) - 1 > LINES_MAX:
        raise Unready(f"the list has more than {LINES_MAX} lines: cut it in two")
    lists = _Lists(menus, tree, _place(tree, place) if place else None, region)
    found: list[Line] = []
    faults: list[str] = []
    seen: dict[str, int] = {}
    for number, row in enumerate(rows[1:], start=1):
        try:
            line = lists.line(number, row)
            if line.phone in seen:
                raise ValueError(
                    f"{mask(line.phone)} stands in line {seen[line.phone]} too"
                )
            seen[line.phone] = number
            found.append(line)
        except ValueError as fault:
            faults.append(f"line {number}: {fault}")
    if faults:
        more = len(faults) - FAULTS_MAX
        said = faults[:FAULTS_MAX] + ([f"and {more} more"] if more > 0 else [])
        raise Unready("\n".join(said))
    return found


def look_at(
    engine: Engine,
    keys: Keys,
    lines: Sequence[Line],
    about: Batch,
) -> list[str]:
    """What bringing a list in would do, in words; raises Unready for a bad name."""
    if not _BATCH.fullmatch(about.name):
        raise Unready("a batch is called by a-z, 0-9 and -, 39 characters at most")
    counts: Counter[str] = Counter()
    told: list[str] = []
    with reading(engine) as db:
        for line in lines:
            what, words = _judged(db, keys, line, about)
            counts[what] += 1
            if words:
                told.append(f"line {line.number}: {words}")
    summed = ", ".join(f"{number} {what}" for what, number in sorted(counts.items()))
    return [*told[:FAULTS_MAX], summed or "nothing in it"]


def bring_in(
    engine: Engine,
    keys: Keys,
    lines: Sequence[Line],
    about: Batch,
    *,
    by: str,
    at: datetime,
) -> int:
    """Enter the lines that are new; how many. Each is a transaction of its own."""
    made = 0
    for line in lines:
        with writing(engine) as db:
            what, _ = _judged(db, keys, line, about)
            if what != NEW:
                continue
            person = people.remember(db, keys, line.phone, at=at, alone=True)
            # Somebody may have written them down since, who waited for nobody yet.
            if _judged(db, keys, line, about)[0] != NEW:
                continue
            answers = line.answers(about)
            made += entries.enter(
                db,
                keys,
                key=f"paper:{'test:' if about.test else ''}{about.name}:{line.number}",
                person_id=person.id,
                by_id=None,
                by=by,
                campaign=about.campaign,
                answers=answers,
                source="paper",
                batch=about.kept_as,
                line=line.number,
                place=answers.where.booth or answers.where.place_code,
                channel=CHANNEL,
                test=about.test,
                at=at,
            ).first
    return made


NEW = "to be asked"


def _judged(
    db: Connection,
    keys: Keys,
    line: Line,
    about: Batch,
) -> tuple[str, str]:
    """What becomes of a line, and words where it is not simply entered."""
    campaign, test = about.campaign, about.test
    before = entries.of_line(db, batch=about.kept_as, line=line.number)
    person = people.find(db, keys, line.phone)
    if before is not None:
        differs = sorted(_differing(db, keys, before, line, person, about))
        if not differs:
            return "brought in before", ""
        said = f"{', '.join(differs)} was different before, and stays as it was"
        return "brought in before", said
    if any(
        stops.is_rehearsed(stopped) == test
        for _, stopped in stops.stopped(db, [look_up(keys, line.phone)])
    ):
        return "of phones that want no texts", f"{mask(line.phone)} wants no texts"
    if person is not None:
        of = person.id
        if signups.signup_of(db, person_id=of, campaign=campaign, test=test):
            return "signed up already", f"{mask(line.phone)} is signed up already"
        if entries.waiting_for(db, person_id=of, campaign=campaign, test=test):
            return "asked already", f"{mask(line.phone)} is being asked already"
    return NEW, ""


def _differing(
    db: Connection,
    keys: Keys,
    before: Entry,
    line: Line,
    person: people.Person | None,
    about: Batch,
) -> Iterator[str]:
    if person is None or person.id != before.person_id:
        yield "phone"
    if before.campaign != about.campaign:
        yield "campaign"
    if not before.sealed:
        return
    try:
        was = entries.answers_of(db, keys, before)
    except WrongKeys:
        return
    now = line.answers(about)
    if was.said.skill != now.said.skill:
        yield "skill"
    if was.said.time != now.said.time:
        yield "time"
    if was.where.place_code != now.where.place_code:
        yield "place"


class _Lists:
    """What the cells of a line may say."""

    def __init__(
        self, menus: Menus, tree: Tree, place: Place | None, region: str
    ) -> None:
        self._tree, self._place, self._region = tree, place, region
        self._skills = _values(menus, "skills")
        self._times = _values(menus, "times")

    def line(self, number: int, row: Sequence[str]) -> Line:
        """A line; ValueError says what is wrong with it."""
        if len(row) != len(COLUMNS):
            raise ValueError(f"it has {len(row)} cells, not {len(COLUMNS)}")
        phone, skill, time, place = (cell.strip() for cell in row)
        try:
            number_of = from_person(phone, self._region)
        except NotAPhone as refused:
            raise ValueError(str(refused)) from None
        return Line(
            number,
            number_of,
            _one(self._skills, skill, "skill"),
            _one(self._times, time, "time"),
            _place(self._tree, place) if place else self._place,
        )


def _values(menus: Menus, name: str) -> Mapping[str, str]:
    """The values of a list, by themselves and by their titles in every language."""
    values = {value: value for value, _ in menus.lists.get(name, ())}
    for language in menus.languages:
        for value, title in menus.titles[language].get(name, {}).items():
            values[fold(title)] = value
    return values


def _one(values: Mapping[str, str], written: str, what: str) -> str:
    found = values.get(written) or values.get(fold(written))
    if found is None:
        raise ValueError(f"there is no such {what}")
    return found


def _place(tree: Tree, written: str) -> Place:
    found = tree.place(written) or tree.by_dial(written).place
    if found is None or found.closed:
        raise ValueError("there is no such place")
    return found
