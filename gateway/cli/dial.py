"""A phone in the terminal: it dials the running service as a carrier would."""

from __future__ import annotations

import os
import secrets
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import click
import httpx

from gateway import installation
from gateway.faults import Unready
from gateway.handsets import Text
from gateway.service import Service, build, now
from gateway.settings import Settings, UssdChannel
from ledger import people
from ledger.engine import reading
from phone.dialcode import NotADialCode, normalise
from phone.encoding import Limits, gsm7_septets, ucs2_units
from phone.numbers import NotAPhone, from_person
from ussd.transcripts import Story, Turn, as_yaml, completed, read, veiled

TURN_SECONDS_MAX = 15
TEXT_SECONDS_MAX = 4.0
TEXT_POLL_SECONDS = 0.1


@click.command()
@click.argument("code")
@click.option("--from", "phone", required=True, help="The number that dials.")
@click.option("--channel", "name", help="A USSD channel; the first test one if none.")
@click.option(
    "--record", type=click.Path(path_type=Path), help="Add the call to a transcript."
)
@click.option("--url", help="Where the service is, if not where the settings say.")
def dial(
    code: str, phone: str, name: str | None, record: Path | None, url: str | None
) -> None:
    """Dial CODE and talk to the menus; answers are read from standard input."""
    settings = installation.find(os.environ)
    service = build(settings)
    try:
        dialled = normalise(code)
        caller = from_person(phone, settings.region)
    except NotADialCode:
        raise Unready("that is no dial code: write it as *780*5588*1#") from None
    except NotAPhone:
        raise Unready("--from is no mobile number: write it as 09121234567") from None
    name, channel = _channel(settings, name)
    handset = _Handset(
        f"{url or settings.local_url}/ussd/{name}/{channel.key.get_secret_value()}",
        dialled,
        caller,
        channel,
    )
    before = {text.id for text in service.handsets.inbox(caller)}
    language = _language(service, caller)
    turns = handset.talk()
    if channel.test:
        _show_texts(service, caller, before)
    if record is not None:
        heard = Story("", dialled, language, tuple(turns), None)
        limits = Limits(channel.gsm7_septets, channel.ucs2_units)
        menus = service.library.current(None)
        _add(record, completed(menus, heard, limits=limits, now=now()))


class _Handset:
    """One call. The answers so far are sent joined by `*`, as the carrier does."""

    def __init__(
        self, url: str, dialled: str, phone: str, channel: UssdChannel
    ) -> None:
        self._url = url
        self._channel = channel
        self._form = {
            "sessionId": f"dial-{secrets.token_hex(8)}",
            "serviceCode": dialled,
            "phoneNumber": phone,
            "networkCode": "99999",
        }

    def talk(self) -> list[Turn]:
        """Talk until the service ends it or the input does."""
        turns: list[Turn] = []
        answers: list[str] = []
        typed: str | None = None
        while True:
            text, ends = self._post("*".join(answers))
            turns.append(Turn(typed, veiled(text), ends))
            self._show(text)
            if ends:
                break
            try:
                typed = click.prompt(
                    "", prompt_suffix="> ", default="", show_default=False
                )
            except click.Abort:
                break
            answers.append(typed)
        self._end("*".join(answers), reached=turns[-1].ends)
        return turns

    def _post(self, typed: str) -> tuple[str, bool]:
        try:
            answer = httpx.post(
                self._url, data={**self._form, "text": typed}, timeout=TURN_SECONDS_MAX
            )
        except httpx.TransportError:
            address = self._url.split("/ussd/")[0]
            raise Unready(
                f"no service answers at {address}: start it with `make run`"
            ) from None
        word, _, text = answer.text.partition(" ")
        if word not in ("CON", "END"):
            said = answer.text.strip()
            raise Unready(f"the service answered {answer.status_code}: {said}")
        return text, word == "END"

    def _end(self, typed: str, *, reached: bool) -> None:
        """Tell the service how the call ended, as the carrier does."""
        form = {
            **self._form,
            "status": "Success" if reached else "Incomplete",
            "input": typed,
        }
        # A call that ended while the service did is over all the same.
        with suppress(httpx.TransportError):
            httpx.post(f"{self._url}/events", data=form, timeout=TURN_SECONDS_MAX)

    def _show(self, text: str) -> None:
        septets = gsm7_septets(text)
        if septets is not None:
            used = f"{septets} of {self._channel.gsm7_septets} septets"
        else:
            used = f"{ucs2_units(text)} of {self._channel.ucs2_units} UCS-2 units"
        click.echo(f"{text}\n[{used}]")


def _channel(settings: Settings, name: str | None) -> tuple[str, UssdChannel]:
    speaks = {n: c for n, c in settings.ussd.items() if c.adapter == "africastalking"}
    tests = [n for n, c in speaks.items() if c.test]
    chosen = name or next(iter(tests or speaks), None)
    if chosen not in speaks:
        known = ", ".join(speaks) or "none"
        raise Unready(f"no USSD channel {chosen!r} to dial through; there are: {known}")
    return chosen, speaks[chosen]


def _language(service: Service, phone: str) -> str:
    """The language this phone is greeted in."""
    menus = service.library.current(None)
    with reading(service.engine) as db:
        person = people.find(db, service.keys, phone)
    return (person and person.language) or menus.languages[0]


def _show_texts(service: Service, phone: str, before: set[str]) -> None:
    """Wait a moment for what the call promised."""
    deadline = time.monotonic() + TEXT_SECONDS_MAX
    new: list[Text] = []
    while not new and time.monotonic() < deadline:
        time.sleep(TEXT_POLL_SECONDS)
        new = [t for t in service.handsets.inbox(phone) if t.id not in before]
    for text in new:
        click.echo(f"\nSMS: {text.text}")


def _add(path: Path, story: Story) -> None:
    stories = read(path) if path.exists() else []
    name = f"call {len(stories) + 1}, as it was dialled"
    path.write_text(as_yaml([*stories, replace(story, name=name)]), encoding="utf-8")
    click.echo(f"recorded in {path}")
