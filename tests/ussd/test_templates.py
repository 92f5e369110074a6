from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ussd.templates import (
    EXPRESSION_CHARS_MAX,
    BadTemplate,
    Condition,
    Template,
    Unrendered,
)

SLOTS = {
    "amount": "750000",
    "code": "572495724",
    "pay": "*780*0000#",
    "town": "تهران",
    "language": "fa",
    "titles": {"purposes": {"nowruz": "بسته نوروزی"}},
    "purpose": "nowruz",
}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("مبلغ به تومان؟", "مبلغ به تومان؟"),
        ("کد {code}", "کد 572495724"),
        ("{amount|toman} تومان", "۷۵٬۰۰۰ تومان"),
        ("{amount|figure}", "۷۵۰٬۰۰۰"),
        ("{purpose|title('purposes')}", "بسته نوروزی"),
        ("{pay|dialled}", "\u200e*780*0000#\u200e"),
        ("{'en' if language == 'fa' else 'fa'}", "en"),
        ("{town ~ ' ' ~ code}", "تهران 572495724"),
        ("100%\n", "100%\n"),
    ],
)
def test_a_text_is_rendered(source: str, text: str) -> None:
    assert Template(source).render(SLOTS) == text


def test_in_another_language_figures_and_codes_are_left_alone() -> None:
    slots = {**SLOTS, "language": "en"}
    assert Template("{amount|toman} {pay|dialled}").render(slots) == "75,000 *780*0000#"


def test_a_short_form_is_written_in_the_digits_of_its_letters() -> None:
    slots = {**SLOTS, "figures": "en"}
    said = "{amount|toman} {amount|figure} {pay|dialled} {language}"
    assert Template(said).render(slots) == "75,000 750,000 *780*0000# fa"


@pytest.mark.parametrize(
    "source", ["", "no slot", "{code}", "a {code}, b {town}{pay}."]
)
def test_a_text_in_pieces_is_the_text_and_its_slots(source: str) -> None:
    template = Template(source)
    pieces = template.pieces(SLOTS)
    assert "".join(piece for piece, _ in pieces) == template.render(SLOTS)
    values = [SLOTS[name] for name in ("code", "town", "pay") if name in source]
    assert [piece for piece, is_slot in pieces if is_slot] == values


def test_a_text_in_pieces_says_what_it_lacks() -> None:
    with pytest.raises(Unrendered, match="'nothing' is undefined"):
        Template("a {nothing}").pieces(SLOTS)


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        ("", True),
        ("language == 'fa'", True),
        ("language != 'fa'", False),
        ("not (language == 'fa' and code)", False),
        ("town|fold == 'تهران'|fold", True),
        ("code < '6'", True),
        ("'nowruz' in purpose", True),
    ],
)
def test_a_condition_holds_or_not(source: str, holds: bool) -> None:
    assert Condition(source).holds(SLOTS) is holds


REFUSED = [
    "town.upper",
    "town.__class__.__mro__",
    "town['x']",
    "town[0]",
    "town()",
    "range(9)",
    "town|upper",
    "town|attr('x')",
    "town|map('upper')",
    "[1, 2]",
    "{'a': 1}",
    "1 + 1",
    "9 ** 9 ** 9",
    "town * 1000",
    "-code",
    "code is defined",
    "town|title(of='purposes')",
    "town|title",
    "town|fold('x')",
    "code if",
    "-1",
    "'",
    "a b",
    "town|nosuch",
    "(" * 190 + "town" + ")" * 190,
    "",
]


@pytest.mark.parametrize("inside", REFUSED)
def test_a_text_that_is_beyond_the_language_is_refused(inside: str) -> None:
    with pytest.raises(BadTemplate):
        Template("{" + inside + "}")


@pytest.mark.parametrize("source", [one for one in REFUSED if one])
def test_a_condition_that_is_beyond_the_language_is_refused(source: str) -> None:
    with pytest.raises(BadTemplate):
        Condition(source)


@pytest.mark.parametrize(
    "source",
    [
        "{% for x in town %}{x}{% endfor %}",
        "{% if town %}x{% endif %}",
        "{% raw %}x{% endraw %}",
        "{% include 'x' %}",
        "{# a comment #}",
        "{code",
        "{{code}}",
        " {-code}",
        "{code}" + "x" * EXPRESSION_CHARS_MAX,
    ],
)
def test_a_statement_or_an_open_brace_is_refused(source: str) -> None:
    with pytest.raises(BadTemplate):
        Template(source)


@pytest.mark.parametrize("source", ["a} {b", "a}", "{a", "a} and {b"])
def test_a_condition_cannot_close_its_own_brace(source: str) -> None:
    with pytest.raises(BadTemplate):
        Condition(source)


def test_the_names_of_a_text_are_those_it_cannot_do_without() -> None:
    template = Template("{amount|toman} {purpose|title('purposes')}\n{code}")
    assert template.names == {"amount", "purpose", "code"}
    assert Condition("a == 'x' or not b").names == {"a", "b"}
    assert Template("plain").names == frozenset()


@pytest.mark.parametrize(
    "source",
    ["{missing}", "{town|toman}", "{purpose|title('nolist')}", "{1e999|figure}"],
)
def test_a_text_that_cannot_be_worked_out_says_which(source: str) -> None:
    with pytest.raises(Unrendered, match=r"^['\"]\{"):
        Template(source).render(SLOTS)


@pytest.mark.parametrize("source", ["missing", "missing == 'x'", "code > 5"])
def test_a_condition_that_cannot_be_worked_out_says_which(source: str) -> None:
    with pytest.raises(Unrendered, match=source):
        Condition(source).holds(SLOTS)


@given(st.text(alphabet="ab|{}%#()[].,'\" ~=!<>+-*/019\nifornotelse:_\\", max_size=40))
def test_no_source_does_anything_but_read_or_be_refused(source: str) -> None:
    slots = {"a": "1", "b": "x", "language": "fa", "titles": {"x": {}}}
    with suppress(BadTemplate, Unrendered):
        assert isinstance(Template(source).render(slots), str)
    with suppress(BadTemplate, Unrendered):
        assert Condition(source).holds(slots) in (True, False)


@given(st.text(max_size=40))
def test_what_a_caller_typed_is_never_run(typed: str) -> None:
    assert Template("{town}!").render({"town": typed}) == f"{typed}!"
    assert Template("{town}").render({"town": "{code}"}) == "{code}"
