"""The whole service as a carrier meets it, with a clock that the test moves."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gateway.app import create_app
from gateway.publishing import publish
from gateway.service import Service, build
from gateway.settings import Settings
from ledger import menus, schema, tokens
from ledger.engine import reading, writing
from ledger.export import TABLES, Selection, export_csv
from ussd.reading import read

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)  # noon in Tehran, 1405/09/01
PHONE = "+989121234567"
OTHER_PHONE = "+989351112233"
CODE = "*780*5588*1#"
ROOT_CODE = "*780*5588#"
KEY = "long-random"

# The screens of the shipped menus that tests look for by how they begin.
AMOUNT, OTHER_AMOUNT, PURPOSE, CONFIRM, DONE = (
    "مبلغ به تومان؟",
    "مبلغ را به تومان بنویسید.",
    "کمک شما برای؟",
    "کمک شما: ",
    "سپاس؛ ثبت شد، هنوز پرداخت نشده.",
)
WELCOME = "پویش ۱+۱، خوش آمدید"
STANDS = "کمک شما ثبت شده است"
BUSY = "سامانه شلوغ است و چیزی ثبت نشد. کمی بعد دوباره بگیرید."
UNSURE = "نتیجه ثبت هنوز روشن نیست. کمی بعد از «4 پیگیری» ببینید."
UNKNOWN = "این کد شناخته نیست. کد پویش را دوباره ببینید و بگیرید."


class Screen(NamedTuple):
    """What a handset shows: CON or END, and the text."""

    word: str
    text: str

    @property
    def ends(self) -> bool:
        return self.word == "END"

    @property
    def code(self) -> str:
        """The nine digits it tells."""
        found: str = re.findall(r"(?<!\d)\d{9}(?!\d)", self.text)[0]
        return found


@dataclass
class Clock:
    at: datetime = NOON

    def __call__(self) -> datetime:
        return self.at

    def wait(self, **time: float) -> None:
        self.at += timedelta(**time)


@dataclass
class Gateway:
    """A service of its own for one test, dialled through its web application."""

    service: Service
    clock: Clock
    app: Flask
    _sessions: count[int] = field(default_factory=lambda: count(1))

    @property
    def client(self) -> FlaskClient:
        """A client of its own for each request: threads may share a gateway."""
        return self.app.test_client()

    # -- as the carrier ------------------------------------------------------------

    def post(
        self, form: Any, *, channel: str = "at", key: str = KEY, **how: Any
    ) -> TestResponse:
        """Post a body or a form to the USSD webhook."""
        return self.client.post(f"/ussd/{channel}/{key}", data=form, **how)

    def dial(
        self,
        text: str,
        *,
        session: str = "s1",
        phone: str = PHONE,
        code: str = CODE,
        channel: str = "at",
    ) -> Screen:
        """One turn in Africa's Talking form; `text` is cumulative."""
        answer = self.post(
            {
                "sessionId": session,
                "serviceCode": code,
                "phoneNumber": phone,
                "networkCode": "43211",
                "text": text,
            },
            channel=channel,
        )
        assert answer.status_code == 200, answer.text
        word, space, rest = answer.text.partition(" ")
        assert word in ("CON", "END"), answer.text
        assert space
        return Screen(word, rest)

    def walk(self, *answers: str, **who: str) -> Screen:
        """A whole call, one answer a request; the screen it comes to."""
        screen = self.dial("", **who)
        for length in range(1, len(answers) + 1):
            screen = self.dial("*".join(answers[:length]), **who)
        return screen

    def pledge(self, **who: str) -> Screen:
        """Give 75,000 toman, in a call of its own unless `session` is given."""
        who.setdefault("session", f"call-{next(self._sessions)}")
        screen = self.walk("3", "75000", "1", "1", **who)
        assert screen.text.startswith(DONE), screen
        return screen

    def end(
        self,
        status: str = "Success",
        *,
        session: str = "s1",
        phone: str = PHONE,
        channel: str = "at",
    ) -> TestResponse:
        """The carrier's word on how a session ended."""
        return self.client.post(
            f"/ussd/{channel}/{KEY}/events",
            data={"sessionId": session, "phoneNumber": phone, "status": status},
        )

    # -- what stands -----------------------------------------------------------------

    def rows(self, table: str, **where: Any) -> list[Any]:
        """The rows of a table, in the order they were written."""
        found = schema.metadata.tables[table]
        wanted = sqlalchemy.select(found)
        for name, value in where.items():
            wanted = wanted.where(found.c[name] == value)
        if "id" in found.c:
            wanted = wanted.order_by(found.c.id)
        with reading(self.service.engine) as db:
            return list(db.execute(wanted))

    @property
    def pledged(self) -> list[int]:
        """The amounts pledged, in rial, the first first."""
        with reading(self.service.engine) as db:
            return list(
                db.execute(
                    sqlalchemy.select(schema.transfer.c.amount)
                    .where(schema.transfer.c.phase == "pending")
                    .order_by(schema.transfer.c.id)
                ).scalars()
            )

    @property
    def promised(self) -> list[str]:
        """The templates of the texts promised, the first first."""
        return [row.template for row in self.rows("outbox")]

    def everything_kept(self) -> bytes:
        """Every byte of the database's rows and of Redis."""
        kept: list[bytes] = []
        with reading(self.service.engine) as db:
            for table in schema.metadata.sorted_tables:
                for row in db.execute(sqlalchemy.select(table)):
                    kept += [
                        v if isinstance(v, bytes) else str(v).encode() for v in row
                    ]
        redis: Any = self.service.redis
        for name in redis.scan_iter():
            kept += [name, redis.dump(name)]
            match redis.type(name):
                case b"string":
                    kept.append(redis.get(name))
                case b"list":
                    kept += redis.lrange(name, 0, -1)
                case b"hash":
                    kept += [b"=".join(pair) for pair in redis.hgetall(name).items()]
        return b"\n".join(kept)

    def exported(self, what: str = "pledges") -> list[str]:
        """The lines of an export, its header apart."""
        data = b"".join(
            export_csv(
                self.service.engine,
                TABLES[what],
                Selection(self.service.settings.time_zone),
                keys=self.service.keys,
            )
        )
        return data.decode("utf-8-sig").split("\r\n")[1:-1]

    def token(self, name: str = "auditor") -> str:
        with writing(self.service.engine) as db:
            return tokens.add(db, name=name, at=self.clock())

    # -- what happens to it ------------------------------------------------------------

    def forget(self) -> None:
        """Redis loses all it holds."""
        self.service.redis.flushall()

    def load_menus(self, path: Path) -> str:
        return publish(
            self.service.settings,
            self.service.engine,
            self.service.sessions,
            path,
            at=self.clock(),
        )


def settings(database_url: str, redis_url: str, folder: Path, **more: Any) -> Settings:
    """Settings with one real channel of each kind and one for rehearsals."""
    return Settings(
        **{
            "database_url": database_url,
            "redis_url": redis_url,
            "data_dir": folder,
            "menus": ROOT / "menus.yaml",
            "simulator": True,
            "vault_key": "76" * 32,
            "index_key": "69" * 32,
            "code_key": "63" * 32,
            "seal_key": "73" * 32,
            "web_secret": "77" * 32,
            "ussd": {
                "at": {"adapter": "africastalking", "key": KEY},
                "rehearsal": {"adapter": "africastalking", "key": KEY, "test": True},
                "fenced": {
                    "adapter": "africastalking",
                    "key": KEY,
                    "allow_from": ["192.0.2.0/24"],
                },
            },
            "sms": {
                "kave": {
                    "adapter": "kavenegar",
                    "key": KEY,
                    "api_key": "atsk",
                    "sender": "10001",
                    "stop_line": "لغو۱۱",
                },
                "at": {
                    "adapter": "africastalking",
                    "key": KEY,
                    "api_key": "atsk",
                    "username": "sandbox",
                    "sender": "YARIGAR",
                },
                "console": {
                    "adapter": "console",
                    "key": KEY,
                    "sender": "10001",
                    "test": True,
                },
            },
            **more,
        }
    )


def open_gateway(given: Settings) -> Gateway:
    """Build the service on a migrated ledger, with the shipped menus published."""
    clock = Clock()
    service = build(given, clock=clock)
    version, source = _proven(given.menus)
    with writing(service.engine) as db:
        menus.publish(db, hash=version, source=source, at=clock())
    return Gateway(service, clock, create_app(service))


@cache
def _proven(path: Path) -> tuple[str, str]:
    """The hash and the source of menus. Their proof is the matter of other tests."""
    source = path.read_text(encoding="utf-8")
    return read(source, time_zone="Asia/Tehran").hash, source


def close_gateway(gateway: Gateway) -> None:
    gateway.service.engine.dispose()
    gateway.service.redis.close()
