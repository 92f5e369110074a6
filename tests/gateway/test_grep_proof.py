"""What people say of themselves to their centre stands nowhere else, nor do phones.

Every group and every reason is said, by calls and by texts, in both languages; then all
that leaves the house or is kept in clear is read through for it.
"""

from __future__ import annotations

import json
import logging
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet
import pytest
import sqlalchemy
from structlog.typing import EventDict

from gateway.kalabarg import Reason
from gateway.placing import shipped, take_in
from gateway.public_folder import publish
from gateway.sealing import signer
from gateway.texts import renderer
from ledger import people, schema
from ledger.engine import reading, writing
from ledger.export import (
    FORMATS,
    PEOPLE_IN_FULL,
    TABLES,
    Headers,
    Selection,
    export_file,
    fits,
)
from ledger.groups import Group
from phone.digits import fold_digits
from sms.delivery import deliver
from sms.owner import this_process
from sms.routes import Channel, Routes
from tests.fake_carrier import FakeCarrier
from tests.gateway.correspondence import Phone
from tests.gateway.donor import sealed
from tests.gateway.house import NOON, Gateway
from tests.gateway.test_kalabarg_story import CENTRE_DESK, KALABARG, register
from ussd.menus import Menus

VOLUNTEER, GROUP = "*780*5588*2#", "*780*5588*5#"
CENTRE, CENTRE_CODE, DESK = "11023", "c11023", "+989350001122"
ANSWERS = tuple("12345")
# Words of every day: nobody could tell that they are an answer.
PLAIN = {"other", "دیگر", "نمی‌گویم", "prefer not to say"}

Said = tuple[str, str]


@pytest.fixture(params=["sqlite", "postgresql"])
def gateway_database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def spoken_to(
    gateway: Gateway, logs: list[EventDict], caplog: pytest.LogCaptureFixture
) -> tuple[Gateway, Callable[[], str]]:
    """A service to which everything was said, and what it has logged of it."""
    caplog.set_level(logging.INFO, logger="gateway")
    take_in(gateway.service.engine, shipped(), by="test", at=NOON)
    register(gateway, DESK, CENTRE_CODE)
    for number, answer in enumerate(ANSWERS):
        for language in ("fa", "en"):
            call(gateway, phone(number, language), language, answer)
    for number, language in enumerate(("fa", "en")):
        text(gateway, f"+98935444{number:04}", language)
    look(gateway)

    def logged() -> str:
        lines = [json.dumps(one, ensure_ascii=False, default=str) for one in logs]
        return "\n".join([*lines, caplog.text])

    return gateway, logged


def phone(number: int, language: str) -> str:
    return f"+98912777{number}{'123' if language == 'fa' else '456'}"


def call(gateway: Gateway, number: str, language: str, answer: str) -> None:
    """Sign up, say a group, ask for a delivery and say why: three calls."""
    speak(gateway, number, language)
    calls = {
        VOLUNTEER: ("1", "1", CENTRE, "1", "4", "1"),
        GROUP: ("1", answer, "1"),
        KALABARG: ("1", CENTRE, "1", answer, "1", "1"),
    }
    for code, answers in calls.items():
        screen = gateway.walk(*answers, session=code + number, phone=number, code=code)
        assert screen.ends, screen


def text(gateway: Gateway, number: str, language: str) -> None:
    """The same by texts, where nothing of it is asked; and said unasked."""
    speak(gateway, number, language)
    handset = Phone(gateway, number)
    kalabarg, volunteer, unasked = {
        "fa": ("کالابرگ", "داوطلب", "معلولیت دارم و بیماری، نه آلزایمر و اوتیسم"),
        "en": ("kalabarg", "volunteer", "my illness is a disability, not autism"),
    }[language]
    for said in (kalabarg, "1", "1", CENTRE, "1", "1", volunteer, unasked):
        gateway.clock.wait(minutes=1)
        handset.says(said)


def look(gateway: Gateway) -> None:
    """The centre reads what waits, by a call with the reason and by texts."""
    for item in ("1", "2"):
        who = {"session": f"desk{item}", "phone": DESK, "code": CENTRE_DESK}
        screen = gateway.walk("1", item, "4", **who)
        assert screen.text.startswith(("علت: ", "علتی گفته")), screen
    gateway.walk("1", "1", "2", "1", session="take", phone=DESK, code=CENTRE_DESK)
    handset = Phone(gateway, DESK)
    for said in ("مرکز", "1", "1"):
        gateway.clock.wait(minutes=1)
        handset.says(said)


def speak(gateway: Gateway, number: str, language: str) -> None:
    with writing(gateway.service.engine) as db:
        person = people.remember(db, gateway.service.keys, number, at=NOON)
        people.set_language(db, person_id=person.id, language=language)


# --- what is looked for -----------------------------------------------------------


def words(menus: Menus) -> re.Pattern[str]:
    """Every group and every reason: what it is called, and how it is kept."""
    titles = [
        title
        for name in ("groups", "reasons")
        for _, said in menus.lists[name]
        for title in said.values()
    ]
    told = {word.lower() for word in (*titles, *Group, *Reason)} - PLAIN
    assert len(told) > len(ANSWERS) * 2
    return re.compile("|".join(rf"\b{re.escape(word)}\b" for word in sorted(told)))


def numbers(gateway: Gateway) -> re.Pattern[str]:
    """Every phone that took part, without what may stand before it."""
    service = gateway.service
    ids = [row.id for row in gateway.rows("person")]
    with reading(service.engine) as db:
        known = people.phones_of(db, service.keys, person_ids=ids)
    assert len(known) == 2 * len(ANSWERS) + 3
    return re.compile("|".join(number.removeprefix("+98") for number in known.values()))


def found(pattern: re.Pattern[str], said: str) -> list[str]:
    """What of it stands in a text, however figures and the gaps in them are written."""
    plain = fold_digits(said).lower()
    return pattern.findall(plain) + pattern.findall(re.sub(r"[\s\-_]+", "", plain))


# --- where it is looked for ---------------------------------------------------------


def carried(gateway: Gateway) -> Iterator[str]:
    """Every text as the carrier is given it."""
    service, carrier = gateway.service, FakeCarrier()
    deliver(
        service.engine,
        service.keys,
        routes=Routes([Channel("kave", carrier, sender="10001", stop_line="لغو۱۱")]),
        render=renderer(service.library, service.keys),
        owner=this_process(),
        now=gateway.clock,
        rules=service.rules,
    )
    assert len(carrier.sent) > 2 * len(ANSWERS)
    yield from (message.text for message in carrier.sent)


def exported(gateway: Gateway, folder: Path) -> Iterator[Said]:
    """Every table in every format that it fits, workbooks unpacked."""
    service = gateway.service
    for table in (*TABLES.values(), PEOPLE_IN_FULL):
        for form in FORMATS.values():
            if not fits(table, form):
                continue
            path = folder / f"{table.name}.{form.name}"
            export_file(
                service.engine,
                table,
                Selection("Asia/Tehran"),
                form,
                path,
                keys=service.keys,
                at=gateway.clock(),
                headers=Headers.FA,
            )
            name = f"{table.name} in full" if table is PEOPLE_IN_FULL else path.name
            yield name, unpacked(path)
            yield name, path.with_name(f"{path.name}.manifest.json").read_text("utf-8")


def unpacked(path: Path) -> str:
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as book:
            return "\n".join(
                book.read(name).decode("utf-8") for name in book.namelist()
            )
    if path.suffix == ".parquet":
        return str(pyarrow.parquet.read_table(path).to_pylist())
    return path.read_text("utf-8")


def published(gateway: Gateway, folder: Path) -> Iterator[Said]:
    service = gateway.service
    sealed(gateway)
    publish(service.engine, signer(service.settings), folder)
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.name, path.read_text("utf-8")


def rows(gateway: Gateway) -> Iterator[Said]:
    """Every row in clear, but for the menus, which ask for it."""
    with reading(gateway.service.engine) as db:
        for table in schema.metadata.sorted_tables:
            if table.name != "menus_version":
                for row in db.execute(sqlalchemy.select(table)):
                    yield table.name, " | ".join(map(legible, row))


def legible(cell: object) -> str:
    return cell.decode("utf-8", "ignore") if isinstance(cell, bytes) else str(cell)


def remembered(gateway: Gateway) -> str:
    """All of Redis, without the questions themselves: everybody reads those."""
    redis = gateway.service.redis
    kept = []
    for name in redis.scan_iter():
        match redis.type(name):
            case b"string":
                kept += [name, redis.get(name)]
            case b"hash":
                kept += [name, *redis.hgetall(name), *redis.hvals(name)]
            case b"zset":
                kept += [name, *redis.zrange(name, 0, -1)]
            case b"list" | b"set":
                kept.append(name)
    said = b"\n".join(kept).decode("utf-8", "ignore")
    for question in ("علت درخواست؟", "Why at home?", "گروه شما؟", "Your group?"):
        said = re.sub(rf'{re.escape(question)}[^"]*"', '"', said)
    # What the desk read of a reason stands there as long as its call may be repeated.
    return re.sub(r'(علت: |Reason: )[^"]*"', '"', said)


# --- the proof ------------------------------------------------------------------------


def test_nothing_that_was_said_to_a_centre_stands_anywhere_else(
    spoken_to: tuple[Gateway, Callable[[], str]], tmp_path: Path
) -> None:
    gateway, logged = spoken_to
    assert len(gateway.rows("sensitive", what="group")) == 2 * len(ANSWERS)
    assert len(gateway.rows("sensitive", what="delivery")) == 2 * len(Reason)
    secret = words(gateway.service.library.current(None))
    phones = numbers(gateway)
    places: list[Said] = [("redis", remembered(gateway))]
    places += [("text", said) for said in carried(gateway)]
    places += exported(gateway, tmp_path)
    places += published(gateway, tmp_path / "public")
    places += rows(gateway)
    metrics = gateway.client.get("/metrics")
    assert metrics.status_code == 200
    places.append(("metrics", metrics.text))
    places.append(("logs", logged()))
    assert logged().strip()
    # The centre did read, and that stands in the books without what it read.
    assert gateway.rows("event", kind="reason.shown")
    for place, said in places:
        assert found(secret, said) == [], place
        if place != "people in full":
            assert found(phones, said) == [], place
    assert "kb_reason" not in places[0][1]


def test_the_proof_finds_what_it_looks_for(gateway: Gateway) -> None:
    secret = words(gateway.service.library.current(None))
    for said in (
        "an AUTISM case",
        "گروه: معلولیت",
        '{"group": "woman-head"}',
        "old-age",
    ):
        assert found(secret, said), said
    speak(gateway, "+989127770123", "fa")
    phones = re.compile("9127770123")
    for said in ("0912 777 0123", "۰۹۱۲۷۷۷۰۱۲۳", "+98-912-777-0123", "tel:9127770123"):
        assert found(phones, said), said
