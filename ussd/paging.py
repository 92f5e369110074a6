"""A screen that one handset cannot show at once, laid out on pages.

Only between words is a text parted: a slot's value is one word, however many it has,
and so is what hangs together by a ZWNJ. Items and key lines stay whole. Every page but
the last ends with the key that turns it, then the other keys as far as they fit; they
work on every page. A word or a line that is longer than a whole page is cut as a last
resort, because a carrier would cut it anywhere; the prover refuses such a screen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

__all__ = ["ITEMS_A_PAGE_MAX", "Fits", "Sheet", "Word", "sheets", "words_of"]

# Keys 1 to 8 pick an item: 9 is more and 0 is back, on every list.
ITEMS_A_PAGE_MAX = 8

_SPACE = re.compile(r"([ \t\r\n]+)")

# Whether these lines fit one page together.
Fits = Callable[[Sequence[str]], bool]


@dataclass(frozen=True, slots=True)
class Word:
    """What is never parted, and what stands before it where a page goes on."""

    text: str
    before: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page: its text, and which items its numbers stand for.

    A page of text above a list has the numbers of the list's first page.
    """

    text: str
    start: int = 0
    taken: int = 0
    more: bool = False


def words_of(pieces: Iterable[tuple[str, bool]]) -> list[Word]:
    """The words of a text that is given in pieces, each a slot's value or not."""
    words: list[Word] = []
    text = before = ""
    for piece, is_slot in pieces:
        for place, part in enumerate([piece] if is_slot else _SPACE.split(piece)):
            if place % 2 == 0:
                text += part
                continue
            if text:
                words.append(Word(text, before))
                text, before = "", ""
            before += part
    return [*words, Word(text, before)] if text else words


def sheets(
    text: str,
    words: Callable[[], Sequence[Word]],
    titles: Sequence[str],
    keys: Sequence[str],
    more: str,
    fits: Fits,
) -> Iterator[Sheet]:
    """The pages of a text, the titles of a list under it, and its key lines.

    `words` takes the text apart, where it does not fit as it is.
    """
    if len(titles) <= ITEMS_A_PAGE_MAX:
        whole = [text, *_numbered(titles), *keys]
        if fits(whole):
            yield Sheet("\n".join(whole), 0, len(titles))
            return
    fewer = [key for key in keys if key.partition(" ")[0] != more.partition(" ")[0]]
    if not titles:
        yield from _of_text(words(), keys, fewer, more, fits)
        return
    head = [text]
    if not fits([text, f"1 {max(titles, key=len)}", more, *keys]):
        first = next(_of_list([], titles, keys, fewer, more, fits))
        rest = _whole(words(), more, fits)
        while rest:
            taken = _taken(rest, more, fits)
            text = _with_keys([_joined(rest[:taken]), more], fewer, fits)
            yield Sheet(text, 0, first.taken, more=True)
            del rest[:taken]
        head = []
    yield from _of_list(head, titles, keys, fewer, more, fits)


def _of_text(
    words: Sequence[Word],
    keys: Sequence[str],
    fewer: Sequence[str],
    more: str,
    fits: Fits,
) -> Iterator[Sheet]:
    rest = _whole(words, more, fits)
    while rest:
        if fits([_joined(rest), *keys]):
            yield Sheet("\n".join([_joined(rest), *keys]))
            return
        taken = _taken(rest, more, fits)
        chunk = _joined(rest[:taken])
        yield Sheet(_with_keys([chunk, more], fewer, fits), more=True)
        del rest[:taken]
    yield from _of_keys(keys, more, fits)


def _of_list(
    head: Sequence[str],
    titles: Sequence[str],
    keys: Sequence[str],
    fewer: Sequence[str],
    more: str,
    fits: Fits,
) -> Iterator[Sheet]:
    start = 0
    while start < len(titles):
        taken = _fitting(head, titles[start:], keys, more, fits)
        lines = _numbered(titles[start : start + max(taken, 1)])
        rest = start + taken < len(titles)
        if taken:
            tail = [more, *keys] if rest else keys
            yield Sheet("\n".join([*head, *lines, *tail]), start, taken, rest)
        else:
            # Not even one fits with all the keys: it stands without them.
            lines = [_cut(lines[0], more, fits)]
            yield Sheet(_with_keys([*lines, more], fewer, fits), start, 1, more=True)
            if start + 1 == len(titles):
                yield from _of_keys(keys, more, fits)
        start += max(taken, 1)


def _of_keys(keys: Sequence[str], more: str, fits: Fits) -> Iterator[Sheet]:
    """Pages of nothing but key lines."""
    rest = [_cut(key, more, fits) for key in keys]
    while not fits(rest) and len(rest) > 1:
        taken = max(1, _longest(range(len(rest)), lambda n: fits([*rest[:n], more])))
        yield Sheet("\n".join([*rest[:taken], more]), more=True)
        del rest[:taken]
    yield Sheet("\n".join(rest))


def _fitting(
    head: Sequence[str],
    titles: Sequence[str],
    keys: Sequence[str],
    more: str,
    fits: Fits,
) -> int:
    """How many of `titles` one page shows with its keys; 0 if not even one."""
    most = min(len(titles), ITEMS_A_PAGE_MAX)
    if most == len(titles) and fits([*head, *_numbered(titles), *keys]):
        return most
    counts = range(min(most, len(titles) - 1) + 1)
    return _longest(
        counts, lambda n: fits([*head, *_numbered(titles[:n]), more, *keys])
    )


def _longest(counts: range, holds: Callable[[int], bool]) -> int:
    """The last of `counts` up to which it holds, 0 being taken for granted."""
    best = 0
    for count in counts[1:]:
        if not holds(count):
            break
        best = count
    return best


def _numbered(titles: Sequence[str]) -> list[str]:
    return [f"{key} {title}" for key, title in enumerate(titles, start=1)]


def _taken(words: Sequence[Word], more: str, fits: Fits) -> int:
    """How many words one page shows, above the key that turns it."""
    counts = range(len(words) + 1)
    return max(1, _longest(counts, lambda n: fits([_joined(words[:n]), more])))


def _joined(words: Sequence[Word]) -> str:
    first, *others = words
    return first.text + "".join(word.before + word.text for word in others)


def _with_keys(lines: list[str], keys: Sequence[str], fits: Fits) -> str:
    for key in keys:
        if not fits([*lines, key]):
            break
        lines = [*lines, key]
    return "\n".join(lines)


def _whole(words: Sequence[Word], more: str, fits: Fits) -> list[Word]:
    """The words, those longer than a page in parts that are not."""
    whole = []
    for word in words:
        before, text = word.before, word.text
        while text:
            part = _cut(text, more, fits)
            # A value of several words is better parted between them.
            if part != text and " " in part:
                part = part[: part.rindex(" ")]
            whole.append(Word(part, before))
            text, before = text[len(part) :].lstrip(), " "
    return whole


def _cut(line: str, more: str, fits: Fits) -> str:
    """As much of a line as fits a page, above the key that turns it."""
    if fits([line, more]):
        return line
    counts = range(len(line) + 1)
    return line[: max(1, _longest(counts, lambda n: fits([line[:n], more])))]
