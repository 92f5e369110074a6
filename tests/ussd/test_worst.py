"""The longest text is found without trying every combination of values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from phone.encoding import Limits, excess
from tests.ussd.small import written
from ussd.menus import Menus
from ussd.prover import Line, prove
from ussd.prover.legible import illegible
from ussd.prover.wording import screen_faults
from ussd.prover.worst import Worst
from ussd.reading import read

TINY = Limits(gsm7_septets=20, ucs2_units=14)
LISTS = ("one", "two", "three")
# Letters of either encoding, of one septet and of two.
WORDS = st.text("aW[€ضژ", min_size=1, max_size=6)


def file(lists: dict[str, list[str]], text: str) -> str:
    """Menus that pick from each list, and say what was picked."""
    screens: dict[str, Any] = {}
    names = list(lists)
    for place, name in enumerate(names):
        follows = names[place + 1] if place + 1 < len(names) else "said"
        screens["root" if not place else name] = {
            "text": {"en": "?"},
            "list": name,
            "pick": f"my_{name}",
            "then": follows,
            "choices": [{"key": "0", "to": "bye"}],
        }
    screens["said"] = {"text": {"en": text}, "choices": [{"key": "0", "to": "bye"}]}
    titles = {
        name: {f"v{n}": {"en": word} for n, word in enumerate(words)}
        for name, words in lists.items()
    }
    body = yaml.safe_dump(screens, allow_unicode=True)
    return written(body, yaml.safe_dump({"lists": titles}, allow_unicode=True))


def every_text(lists: dict[str, list[str]], opening: str) -> Iterator[str]:
    for words in product(*lists.values()):
        yield opening + "".join(f"/{word}" for word in words)


@settings(max_examples=150, deadline=None)
@example({"one": ["W"], "two": ["ض", "WWWWWW"], "three": ["WWWW", "WWWض"]})
@given(
    st.fixed_dictionaries({n: st.lists(WORDS, min_size=1, max_size=4) for n in LISTS})
)
def test_it_is_as_long_as_the_longest_of_all_combinations(
    lists: dict[str, list[str]],
) -> None:
    text = "x" + "".join(f"/{{my_{name}|title('{name}')}}" for name in LISTS)
    menus = read(file(lists, text), time_zone="UTC")
    worst = max(excess(text, TINY) for text in every_text(lists, "x"))
    faults, _ = screen_faults(
        menus, menus.screens["said"], Worst(menus, []), {"tiny": TINY}
    )
    over = [fault.what for fault in faults if " over on " in fault.what]
    if worst:
        assert over == [f"said (en) can be {worst} over on tiny"]
    else:
        assert over == []


# What reads well by itself, and not beside each other.
EDGES = st.lists(st.sampled_from(["5", "x 5", "*1", "2#", "x", "long"]), min_size=3)


@settings(max_examples=60, deadline=None)
@example(["x", "x", "5", "long"], ["x", "x", "5", "long"])
@given(EDGES.map(lambda words: words[:5]), EDGES.map(lambda words: words[:5]))
def test_what_reads_wrong_where_two_values_meet_is_found(
    one: list[str], two: list[str]
) -> None:
    """Though a condition asks only whether each is its first value."""
    text = "z {my_one|title('one')}-{my_two|title('two')}"
    when = "my_one == 'v0' or my_two == 'v0'"
    key = f"- {{key: '1', label: {{en: On}}, when: {when}, to: bye}}"
    source = file({"one": one, "two": two}, text)
    source = source.replace("languages: [en]", "languages: [fa]")
    said = "  said:\n    choices:\n"
    source = source.replace(said, f"{said}    {key}\n")
    menus = read(re.sub(r"\ben: ", "fa: ", source), time_zone="UTC")
    assert len(menus.screens["said"].choices) == 2
    wrong = {
        fault.what
        for first, second in product(one, two)
        for fault in illegible("said", "fa", f"z {first}-{second}", (1, 1))
    }
    worst = Worst(menus, [])
    faults, _ = screen_faults(menus, menus.screens["said"], worst, {"at": Limits()})
    assert {fault.what for fault in faults} == wrong


def test_ten_lists_of_a_hundred_are_proved_at_once() -> None:
    """A hundred to the tenth combinations, if each were tried."""
    words = [f"{'w' * 14}{number}" for number in range(100)]
    lists = {f"l{'x' * n}": words for n in range(10)}
    text = "!" + "".join(f"{{my_{name}|title('{name}')}}" for name in lists)
    menus = read(file(lists, text), time_zone="UTC")
    found = prove(menus, channels={"at": Limits()}, lines=[])
    assert [fault.what for fault in found] == ["said (en) can be 1 over on at"]


def test_a_key_that_clears_many_answers_does_not_tie_their_lengths() -> None:
    """Three lists of thirty, which one key empties, are 27,000 combinations."""
    words = [f"{'w' * 8}{number}" for number in range(30)]
    lists = dict.fromkeys(LISTS, words)
    text = "!" + "".join(f"{{my_{name}|title('{name}')}}" for name in lists)
    source = file(lists, text).replace(
        "  said:\n",
        "  clear:\n"
        "    text: {en: Clear}\n"
        "    choices:\n"
        "    - key: '1'\n"
        "      label: {en: Clear}\n"
        "      to: bye\n"
        f"      set: {{{', '.join(f'my_{name}: v0' for name in lists)}}}\n"
        "    - {key: '0', to: said}\n"
        "  said:\n",
    )
    menus = read(source, time_zone="UTC")
    room = Limits(gsm7_septets=30)
    faults, _ = screen_faults(
        menus, menus.screens["said"], Worst(menus, []), {"at": room}
    )
    assert [fault.what for fault in faults] == ["said (en) can be 1 over on at"]


def thirties(text: str) -> list[str]:
    """What is found in a text of four answers, out of lists of thirty each."""
    lists = {f"l{'x' * n}": [f"v{i}" for i in range(30)] for n in range(4)}
    menus = read(file(lists, text), time_zone="UTC")
    return [f.what for f in prove(menus, channels={"at": Limits()}, lines=[])]


def test_too_many_conditions_on_one_screen_are_refused_not_tried() -> None:
    text = "{'a' if my_l == my_lx else 'b'}{'a' if my_lxx == my_lxxx else 'b'}"
    assert thirties(text) == ["said has more wordings than can be proved"]


def test_values_that_no_condition_tells_apart_are_tried_together() -> None:
    names = [f"my_l{'x' * n}" for n in range(4)]
    text = "".join(f"{{'a' if {name} == 'v1' else 'b'}}" for name in names)
    assert thirties(text) == []
    longest = "".join(
        f"{{{'w' * 40!r} if {name} != 'v{place}' else 'b'}}"
        for place, name in enumerate(names)
    )
    assert thirties(f"{longest}!") == ["said (en) can be 1 over on at"]


def many(count: int) -> Menus:
    """A file of `count` screens: keys, questions, conditions and slots."""
    screens: dict[str, Any] = {}
    for n in range(count):
        name, to = f"s{n}" if n else "root", f"s{n + 1}" if n + 1 < count else "bye"
        made: dict[str, Any] = {"text": {"en": f"Screen {n}"}}
        made["choices"] = [{"key": "0", "label": {"en": "Leave"}, "to": "bye"}]
        if n % 4 == 1:
            made["ask"] = {"answer": f"a{n}", "kind": "digits", "min": 1, "max": 5}
            made["then"] = to
        else:
            key = {"key": "1", "label": {"en": "On"}, "to": to}
            made["choices"].insert(0, key)
        if n % 4 == 2:
            made["text"] = {"en": f"You said {{a{n - 1}}}"}
        if n % 4 == 3:
            when = f"a{n - 2} == '1'"
            made["text"] = [{"when": when, "en": "One"}, {"en": "Another"}]
        screens[name] = made
    body = yaml.dump(screens, Dumper=yaml.CSafeDumper)
    top = "limits: {turns_max: 1000}\n"
    return read(written(body, top), time_zone="UTC")


def test_ten_thousand_screens_are_proved() -> None:
    menus = many(10_000)
    assert len(menus.screens) == 10_002
    assert prove(menus, channels={"at": Limits()}, lines=[Line("1", "")]) == []
