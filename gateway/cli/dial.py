"""A phone in the terminal: it dials the running service as a carrier would."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from gateway import installation
from gateway.calling import Calling, Screen
from gateway.carrier_side import speaks_http, wired
from gateway.displays import Display, read_display
from gateway.faults import Unready
from gateway.greeting import NotSpoken, choose_language, language_of
from gateway.handsets import Text
from gateway.service import Service, build, now
from gateway.settings import Settings, UssdChannel
from phone.dialcode import NotADialCode, normalise
from phone.encoding import Limits, excess, gsm7_septets, ucs2_units
from phone.numbers import NotAPhone, from_person
from ussd.transcripts import Channel, Story, Turn, as_yaml, completed, read, veiled
from ussd.transcripts.side_by_side import rows
from ussd.turn import Call, Ending

TEXT_SECONDS_MAX = 4.0
TEXT_POLL_SECONDS = 0.1

HELP = """\
!retry    the last request again, as a carrier that had no reply asks again
!start    the start of this call again
!lost     the reply to the next answer is lost: the carrier asks for it again
!timeout  the carrier's timer ends the call
!abort    the caller hangs up
!help     this list
All else is an answer."""


@click.command()
@click.argument("code")
@click.option("--from", "phone", required=True, help="The number that dials.")
@click.option("--channel", "name", help="A USSD channel; the first test one if none.")
@click.option("--language", help="Remember this language for the number first.")
@click.option(
    "--handset",
    "size",
    metavar="COLUMNSxROWS",
    help="Break lines as a handset of this size does: 20x10, or small, usual, large.",
)
@click.option(
    "--record", type=click.Path(path_type=Path), help="Add the call to a transcript."
)
@click.option("--url", help="Where the service is, if not where the settings say.")
def dial(
    code: str,
    phone: str,
    name: str | None,
    language: str | None,
    size: str | None,
    record: Path | None,
    url: str | None,
) -> None:
    """Dial CODE and talk to the menus; answers are read from standard input.

    A line that begins with ! is what a carrier does to a call: !help lists it.
    """
    settings = installation.find(os.environ)
    service = build(settings)
    try:
        dialled = normalise(code)
        caller = from_person(phone, settings.region)
        display = read_display(size) if size is not None else None
    except NotADialCode:
        raise Unready("that is no dial code: write it as *780*5588*1#") from None
    except NotAPhone:
        raise Unready("--from is no mobile number: write it as 09121234567") from None
    except ValueError as refused:
        raise Unready(f"--handset: {refused}") from None
    name, channel = _channel(settings, name)
    if language is not None:
        _choose(service, name, caller, language)
    calling = Calling(
        (url or settings.local_url).rstrip("/"),
        service.doors[name].dialect,
        Call(f"dial-{secrets.token_hex(8)}", caller, dialled),
        partial(wired, name=name, channel=channel),
    )
    limits = Limits(channel.gsm7_septets, channel.ucs2_units)
    before = {text.id for text in service.handsets.inbox(caller)}
    greeted = language_of(service, caller)
    talk = _Talk(calling, partial(_show, limits=limits, display=display))
    talk.go_on()
    if channel.test:
        _show_texts(service, caller, before)
    if record is None:
        return
    if talk.strayed:
        raise Unready("not recorded: a transcript cannot tell what was injected")
    story = Story("", dialled, greeted, tuple(talk.turns), None)
    if limits != Limits() or channel.gsm7_only:
        story = replace(story, channel=Channel(limits, channel.gsm7_only))
    menus = service.library.current(None)
    spoken = menus.latin if channel.gsm7_only and menus.latin else menus
    _add(record, completed(spoken, story, limits=limits, now=now()))


class _Talk:
    """A call from the dial to its end, with somebody at the keys."""

    def __init__(self, calling: Calling, show: Callable[[str], None]) -> None:
        self._calling = calling
        self._show = show
        self.turns: list[Turn] = []
        # Whether something injected led the call where no transcript can follow.
        self.strayed = False
        self._loses_next = False

    def go_on(self) -> None:
        """Talk until the service ends it, the carrier does, or the input does."""
        screen: Screen | None = self._calling.dial()
        typed: str | None = None
        while screen is not None:
            if screen.is_same is None or typed is not None:
                self.turns.append(Turn(typed, veiled(screen.text), screen.ends))
            self._tell(screen)
            if screen.ends:
                self._calling.end(Ending.REACHED)
                return
            screen, typed = self._next()

    def _next(self) -> tuple[Screen | None, str | None]:
        """The next screen and what was typed for it; no screen if the call is over."""
        while True:
            try:
                typed = click.prompt(
                    "", prompt_suffix="> ", default="", show_default=False
                )
            except click.Abort:
                typed = "!abort"
            match typed.strip():
                case "!retry":
                    return self._calling.ask_again(), None
                case "!start":
                    return self._calling.start_again(), None
                case "!lost":
                    self._loses_next = True
                    click.echo("[the reply to your next answer will be lost]")
                case "!timeout":
                    self._end(Ending.CUT)
                    return None, None
                case "!abort":
                    self._end(Ending.LEFT)
                    return None, None
                case word if word.startswith("!"):
                    click.echo(HELP)
                case _:
                    loses, self._loses_next = self._loses_next, False
                    return self._calling.answer(typed, loses=loses), typed

    def _tell(self, screen: Screen) -> None:
        self._show(screen.text)
        if screen.is_same is None:
            return
        self.strayed |= screen.strays
        if screen.is_same:
            click.echo("[sent again: the same reply, byte for byte]")
        else:
            click.echo("[sent again: another reply than before]")

    def _end(self, how: Ending) -> None:
        if not self._calling.end(how):
            click.echo("[the call is over; this carrier does not tell the service]")


def _show(text: str, *, limits: Limits, display: Display | None) -> None:
    septets = gsm7_septets(text)
    if septets is not None:
        used = f"{septets} of {limits.gsm7_septets} septets"
    else:
        used = f"{ucs2_units(text)} of {limits.ucs2_units} UCS-2 units"
    if over := excess(text, limits):
        used += f": {over} more than this channel's screen holds"
    if display is not None:
        broken = rows(text, display.columns)
        text = "\n".join(broken)
        if len(broken) > display.rows:
            used += f"; {len(broken)} rows, the handset shows {display.rows} at once"
    click.echo(f"{text}\n[{used}]")


def _channel(settings: Settings, name: str | None) -> tuple[str, UssdChannel]:
    if name in settings.ussd and not speaks_http(settings.ussd[name]):
        raise Unready(
            f"{name} speaks SMPP: bind it to a message centre with `yarigar smpp "
            f"{name}`, and dial there"
        )
    speak = {n: c for n, c in settings.ussd.items() if speaks_http(c)}
    tests = [n for n, c in speak.items() if c.test]
    chosen = name or next(iter(tests or speak), None)
    if chosen not in speak:
        known = ", ".join(speak) or "none"
        raise Unready(f"no USSD channel {chosen!r} to dial through; there are: {known}")
    return chosen, speak[chosen]


def _choose(service: Service, name: str, phone: str, language: str) -> None:
    if not service.settings.ussd[name].test:
        raise Unready(
            f"--language: {name} is no test channel: choose the language by dialling"
        )
    try:
        choose_language(service, phone, language, at=now())
    except NotSpoken as refused:
        raise Unready(f"--language: {refused}") from None


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
