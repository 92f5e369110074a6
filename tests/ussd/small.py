"""Menus of a few screens, for a rule that the shipped ones do not need."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from ussd.menus import Menus
from ussd.reading import read

_BEGINS = """
languages: [en]
start: root
dialled:
  "*1#": root
  "*1*5#": door
campaigns:
  spring:
    title: {en: Spring}
    organiser: {en: Spring Charity}
    permit: "1"
    contact: "2"
    call: "*1#"
    pay: "*2#"
    min: 1000
    max: 1000000
notices:
  wrong: {en: Wrong.}
  err: {en: "Wrong. Again."}
  busy: {en: Busy.}
  unsure: {en: Unsure.}
  bye: {en: Goodbye.}
  card: {en: No cards.}
  unknown: {en: Unknown.}
  stands: {en: "It stands: {code}"}
  go_on: {en: Continue}
  more: {en: More}
  stop: {en: Send 11 to stop.}
  yes: {en: "Yes"}
  no: {en: "No"}
  resume: {en: Unfinished.}
  afresh: {en: Start again}
  leave: {en: Exit}
texts: {}
"""
_SCREENS = """
  bye: {end: true, text: {en: Bye.}}
  door: {text: {en: Door}, choices: [{key: "0", to: bye}]}
"""


def small(
    screens: str, top: str = "", *, changed: Mapping[str, str] | None = None
) -> Menus:
    """Menus with these screens, beside `bye` and `door`, and what else `top` says.

    `*1#` is dialled for the screen `root`. `changed` are texts in the rest of the file
    and what they become.
    """
    return read(written(screens, top, changed=changed), time_zone="Asia/Tehran")


def written(
    screens: str, top: str = "", *, changed: Mapping[str, str] | None = None
) -> str:
    begins = _BEGINS
    for before, after in (changed or {}).items():
        assert before in begins
        begins = begins.replace(before, after)
    body = textwrap.indent(textwrap.dedent(screens), "  ")
    return f"{begins}{textwrap.dedent(top)}\nscreens:{_SCREENS}{body}"
