"""A screen as a card: its name and text, and a tab for each line that leaves it.

Links that are no lines are rows in the card. Letters are measured by a table, for
whoever looks at the picture has fonts of their own: boxes are cut generously.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from ussd.pictures.graph import Box, Graph, How, Link, Shape, is_right_to_left
from ussd.pictures.skeleton import Skeleton, end_of

__all__ = ["Card", "Tab", "card_of", "pill", "text_at", "wide"]

TEXT_SIZE = 13
SMALL_SIZE = 11
LINE = 18
SMALL_LINE = 16
PAD = 10
TAB_PAD = 8
CARD_WIDTH_MIN = 150.0
TEXT_CHARS = 30
TEXT_LINES_MAX = 4
NOTE_CHARS_MAX = 38
ROWS_MAX = 14

INK = "#1c2430"
QUIET = "#5b6675"
EFFECT = "#a1402c"
# Shape -> (paper, border).
COLOURS = {
    Shape.MENU: ("#eef3fb", "#31588a"),
    Shape.QUESTION: ("#fdf5e1", "#8a6412"),
    Shape.LIST: ("#eaf5ec", "#2f6b3a"),
    Shape.CONFIRM: ("#fdebe7", "#a1402c"),
    Shape.END: ("#eceef1", "#4a5360"),
}


@dataclass(frozen=True, slots=True)
class Said:
    """A line of text, and how it is set."""

    text: str
    size: int = SMALL_SIZE
    colour: str = INK
    style: str = ""


@dataclass(frozen=True, slots=True)
class Tab:
    """Where the lines to one end begin. `dashed` ones hang on a condition."""

    end: str
    said: tuple[Said, ...]
    dashed: bool

    @property
    def width(self) -> float:
        # Room for a bold line, which is a tenth wider.
        return max(wide(s.text, s.size + 1) for s in self.said) + 2 * TAB_PAD


@dataclass(frozen=True, slots=True)
class Card:
    box: Box
    text: tuple[str, ...]
    # (what is pressed or so, where it leads)
    rows: tuple[tuple[str, str], ...]
    tabs: tuple[Tab, ...]

    @property
    def width(self) -> float:
        head = wide(self.box.name, TEXT_SIZE) + wide(self.box.shape, SMALL_SIZE) + 24
        texts = [wide(line, TEXT_SIZE) for line in self.text]
        rows = [wide(a, SMALL_SIZE) + wide(b, SMALL_SIZE) + 22 for a, b in self.rows]
        inner = max([head, *texts, *rows]) + 2 * PAD
        return max(CARD_WIDTH_MIN, inner, sum(tab.width for tab in self.tabs))

    @property
    def height(self) -> float:
        head = PAD + LINE + LINE * len(self.text) + PAD
        rows = SMALL_LINE * len(self.rows) + (PAD / 2 if self.rows else 0)
        return head + rows + self.tab_height

    @property
    def tab_height(self) -> float:
        lines = max((len(tab.said) for tab in self.tabs), default=0)
        return SMALL_LINE * lines + TAB_PAD if lines else 0.0

    def tab_widths(self) -> list[float]:
        """The tabs fill the card; what is left over is shared out."""
        spare = self.width - sum(tab.width for tab in self.tabs)
        return [tab.width + spare / len(self.tabs) for tab in self.tabs]

    def ports(self) -> dict[str, float]:
        """Where the line to each end begins, from the left side of the card."""
        ports, x = {}, 0.0
        for tab, width in zip(self.tabs, self.tab_widths(), strict=True):
            ports[tab.end] = x + width / 2
            x += width
        return ports

    def svg(self, x: float, y: float) -> Iterable[str]:
        paper, border = COLOURS[self.box.shape]
        width, height = self.width, self.height
        corner = 18 if self.box.shape is Shape.END else 6
        thick = 2.5 if self.box.shape is Shape.CONFIRM else 1.2
        yield f"<g><title>{_safe(f'{self.box.name}: {self.box.text}')}</title>"
        yield (
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
            f'rx="{corner}" fill="{paper}" stroke="{border}" stroke-width="{thick}"/>'
        )
        down = y + PAD + TEXT_SIZE
        name = Said(self.box.name, TEXT_SIZE, border, 'font-weight="bold"')
        yield text_at(name, x + PAD, down)
        kind = Said(self.box.shape, SMALL_SIZE, border)
        yield text_at(kind, x + width - PAD, down, anchor="end")
        for line in self.text:
            down += LINE
            if is_right_to_left(self.box.text):
                yield text_at(Said(line, TEXT_SIZE), x + width - PAD, down, rtl=True)
            else:
                yield text_at(Said(line, TEXT_SIZE), x + PAD, down, rtl=False)
        down += PAD / 2
        for pressed, leads in self.rows:
            down += SMALL_LINE
            row = Said(pressed, colour=QUIET)
            yield text_at(row, x + PAD, down)
            yield text_at(
                Said(leads, colour=QUIET), x + width - PAD, down, anchor="end"
            )
        yield from self._tabs(x, y + height - self.tab_height, border)
        yield "</g>"

    def _tabs(self, x: float, y: float, border: str) -> Iterable[str]:
        for tab, width in zip(
            self.tabs, self.tab_widths() if self.tabs else (), strict=True
        ):
            dash = ' stroke-dasharray="4 3"' if tab.dashed else ""
            yield (
                f'<rect x="{x + 3:.1f}" y="{y:.1f}" width="{width - 6:.1f}" '
                f'height="{self.tab_height - 4:.1f}" rx="4" fill="#ffffff" '
                f'stroke="{border}" stroke-width="0.9"{dash}/>'
            )
            down = y + 1
            for said in tab.said:
                down += SMALL_LINE
                yield text_at(said, x + width / 2, down - 3, anchor="middle")
            x += width


def card_of(graph: Graph, box: Box, skeleton: Skeleton) -> Card:
    """The card of one screen, with what its skeleton draws as tabs."""
    drawn: dict[str, list[Link]] = {}
    rows: dict[tuple[str, str], None] = {}
    for link in box.links:
        if skeleton.draws(graph, box, link):
            drawn.setdefault(end_of(graph, box, link), []).append(link)
        else:
            missing = " (missing)" if graph.lacks(link) else ""
            rows[_clipped(link.said), f"{link.leads}{missing}"] = None
    return Card(
        box,
        tuple(_wrapped(box.text)),
        _few(rows),
        tuple(_tab(graph, box, end, links) for end, links in drawn.items()),
    )


def pill(lines: Sequence[str]) -> tuple[float, float]:
    """The size of a pill: a dialled code, or another flow."""
    width = max(wide(line, TEXT_SIZE) for line in lines) + 4 * PAD
    return width, LINE * len(lines) + PAD


def text_at(
    said: Said, x: float, y: float, *, anchor: str = "start", rtl: bool | None = None
) -> str:
    """One line of text. Without `rtl` its letters say how it is read.

    `start` of what is read from the right is its right end, as `rtl` asks for; where
    it is not asked for, `anchor` means what the eye sees: `start` is left.
    """
    direction = ""
    if rtl or (rtl is None and is_right_to_left(said.text)):
        direction = ' direction="rtl"'
        if rtl is None:
            anchor = {"start": "end", "end": "start"}.get(anchor, anchor)
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{said.size}" fill="{said.colour}" '
        f'text-anchor="{anchor}"{direction}{" " + said.style if said.style else ""}>'
        f"{_safe(said.text)}</text>"
    )


def wide(text: str, size: int) -> float:
    """About how many pixels a text takes."""
    return size * sum(map(_em, text))


def _em(char: str) -> float:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0.0
    if unicodedata.east_asian_width(char) in ("W", "F"):
        return 1.05
    if char in " .,:;'|!ilj()[]":
        return 0.36
    return 0.74 if char.isupper() or char in "mw@" else 0.6


def _tab(graph: Graph, box: Box, end: str, links: Sequence[Link]) -> Tab:
    said: dict[Said, None] = {}
    for link in links:
        said[Said(_clipped(link.said))] = None
        if link.do and link.how is How.KEY:
            style = 'font-weight="bold"'
            said[Said(f"do: {link.do}", SMALL_SIZE, EFFECT, style)] = None
        if link.when and link.how is not How.INSTEAD:
            style = 'font-style="italic"'
            said[Said(_clipped(f"if {link.when}"), SMALL_SIZE, QUIET, style)] = None
        if end != link.target:
            said[Said(f"→ {link.target}", SMALL_SIZE, QUIET)] = None
        if link.via:
            said[Said(f"then {link.to}", SMALL_SIZE, QUIET)] = None
    dashed = all(link.when or not link.is_main for link in links)
    return Tab(end, tuple(said), dashed)


def _few(rows: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    every = tuple(rows)
    if len(every) <= ROWS_MAX:
        return every
    return (*every[: ROWS_MAX - 1], (f"and {len(every) - ROWS_MAX + 1} more", ""))


def _wrapped(text: str) -> list[str]:
    lines = [
        part
        for line in text.split("\n")
        for part in textwrap.wrap(line, TEXT_CHARS, break_on_hyphens=False) or [""]
    ]
    if len(lines) > TEXT_LINES_MAX:
        lines = [*lines[: TEXT_LINES_MAX - 1], f"{lines[TEXT_LINES_MAX - 1]} …"]
    return lines


def _clipped(text: str) -> str:
    return text if len(text) <= NOTE_CHARS_MAX else f"{text[: NOTE_CHARS_MAX - 1]}…"


def _safe(text: str) -> str:
    """What XML may hold, and no more: a menu text may hold anything YAML can."""
    return escape("".join(char for char in text if char.isprintable() or _joins(char)))


def _joins(char: str) -> bool:
    return char == "\n" or unicodedata.category(char) == "Cf"
