"""Conversations by text, opened by the keywords of the shipped menus."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from phone.digits import fold
from phone.encoding import sms_cost
from sms.keywords import answer, find, read
from tests.test_docs import PAGE, PIECES, mounted
from tests.ussd.caller import Caller
from tests.ussd.small import small
from ussd import reading
from ussd.keywords import opened
from ussd.menus import Menus

PLEDGE = {"value": "100000006", "state": "open", "amount": 750_000}


class Texter(Caller):
    """Writes texts: the first begins with a keyword, the others are answers."""

    def __init__(
        self,
        menus: Menus,
        text: str,
        language: str = "fa",
        pledges: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__(menus, "*780*5588#", language=language, pledges=pledges)
        found = find(text, menus.words)
        assert found is not None, text
        begun = opened(menus, found.name, found.rest, language)
        assert begun is not None, text
        self._take(self.step(begun.session, begun.typed, shown=begun.shown))

    def answers(self, *texts: str) -> str:
        for text in texts:
            asks = self.menus.screens[self.at].ask is not None
            self._take(self.step(self.session, [answer(text, asks=asks)], shown=True))
        return self.text


@pytest.mark.parametrize(
    ("text", "rial"),
    [
        ("1+1 50000", "500000"),
        ("۱+۱ ۵۰ هزار", "500000"),
        ("1+1 یک میلیون تومان", "10000000"),
        ("۱+۱\u200c۵۰هزار", "500000"),
        ("یک به علاوه یک پنجاه هزار تومان", "500000"),
        ("give 500000 rial", "500000"),
    ],
)
@pytest.mark.parametrize("yes", ["1", "۱", "بله"])
def test_a_gift_by_text_takes_one_answer(
    menus: Menus, text: str, rial: str, yes: str
) -> None:
    texter = Texter(menus, text)
    assert texter.at == "give.confirm"
    assert texter.done == []
    assert "هر جا لازم‌تر است" in texter.text
    texter.answers(yes)
    assert texter.ends
    (pledge,) = texter.done
    assert (pledge.name, pledge.answers["amount"]) == ("pledge", rial)
    assert pledge.answers["purpose"] == "needed"
    assert pledge.campaign == "one-plus-one"


def test_the_keyword_alone_asks_for_the_amount(menus: Menus) -> None:
    texter = Texter(menus, "۱+۱")
    assert texter.at == "give.text"
    assert texter.text.startswith("مبلغ را به تومان بنویسید.")
    texter.answers("۵۰ هزار")
    assert texter.at == "give.confirm"


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1+1 abc", "give.text.bad"),
        ("1+1 -50000", "give.text.bad"),
        ("1+1 50", "give.text.small"),
        ("1+1 999999999", "give.text.range"),
    ],
)
def test_an_amount_that_does_not_do_is_asked_for_again(
    menus: Menus, text: str, at: str
) -> None:
    texter = Texter(menus, text)
    assert texter.at == at
    texter.answers(*(["خیر"] if at == "give.text.small" else []))
    if at != "give.text.small":
        texter.answers("75000")
        assert texter.at == "give.confirm"


def test_thousands_that_were_meant_are_asked_about(menus: Menus) -> None:
    texter = Texter(menus, "1+1 50")
    texter.answers("بله")
    assert texter.at == "give.confirm"
    assert "۵۰٬۰۰۰" in texter.text


@pytest.mark.parametrize("no", ["0", "خیر", "نه"])
def test_who_says_no_gives_nothing_and_is_not_told_to_dial(
    menus: Menus, no: str
) -> None:
    texter = Texter(menus, "1+1 50000")
    assert texter.answers(no) == "سپاس از شما. هر وقت خواستید دوباره پیامک بدهید."
    assert texter.ends
    assert texter.done == []


def test_who_changes_a_gift_chooses_as_in_a_call(menus: Menus) -> None:
    texter = Texter(menus, "1+1 50000")
    texter.answers("2")
    assert texter.at == "give.amount"
    texter.answers("1")
    assert texter.at == "give.purpose"


@pytest.mark.parametrize("text", ["1+1 6037991234567893", "1+1 6037 9912 3456 7893"])
def test_a_card_number_ends_the_conversation(menus: Menus, text: str) -> None:
    texter = Texter(menus, text)
    assert texter.ends
    assert texter.text.startswith("شماره کارت یا رمز نفرستید")


@pytest.mark.parametrize("text", ["پیگیری 100000006", "پيگيري: ۱۰۰ ۰۰۰ ۰۰۶"])
def test_a_code_tells_how_its_pledge_stands(menus: Menus, text: str) -> None:
    texter = Texter(menus, text, pledges=[PLEDGE])
    assert texter.at == "st.one"
    assert texter.text.startswith("100000006: ۷۵٬۰۰۰ تومان، باز")


def test_a_code_of_somebody_else_tells_nothing(menus: Menus) -> None:
    texter = Texter(menus, "status 100000006", "en")
    assert texter.text.startswith("This phone has no pledge with the code 100000006.")
    assert "toman" not in texter.text


def test_a_code_that_is_none_is_asked_for_again(menus: Menus) -> None:
    texter = Texter(menus, "پیگیری 100000007", pledges=[PLEDGE])
    assert texter.at == "st.code.bad"
    texter.answers("100000006")
    assert texter.at == "st.one"


def test_without_a_code_the_pledges_are_listed(menus: Menus) -> None:
    assert Texter(menus, "پیگیری").at == "st.none"
    texter = Texter(menus, "status", "en", pledges=[PLEDGE])
    assert texter.text.startswith("Your pledges (toman)\n1 open 75,000")


@pytest.mark.parametrize("text", ["پاک", "پاک کن", "erase", "Forget me!"])
def test_who_wants_to_be_forgotten_is_asked_first(menus: Menus, text: str) -> None:
    texter = Texter(menus, text)
    assert (texter.at, texter.done) == ("erase.ask", [])
    assert "پیامک دیگری نمی‌آید" in texter.text
    texter.answers("بله")
    assert [effect.name for effect in texter.done] == ["erase"]
    assert texter.ends


def test_a_report_is_an_answer_and_no_menu(menus: Menus) -> None:
    texter = Texter(menus, "گزارش")
    assert texter.text == "۱+۱: رسیده ۵۰٬۰۰۰، مانده ۱۰٬۰۰۰ تومان؛ ۹۰۰ بسته"
    assert texter.ends
    assert texter.done == []


def test_a_volunteer_is_asked_for_consent_first(menus: Menus) -> None:
    texter = Texter(menus, "داوطلب")
    assert texter.at == "vol.consent"
    texter.answers("بله", "4", "1", "3")
    assert texter.at == "vol.confirm"
    texter.answers("1")
    assert [effect.name for effect in texter.done] == ["sign_up"]


@pytest.mark.parametrize(
    ("text", "language", "says"),
    [
        ("english", "fa", "Your language is now English."),
        ("ENGLISH", "en", "Your language is now English."),
        ("فارسی", "en", "زبان شما فارسی شد."),
    ],
)
def test_a_language_is_spoken_at_once_where_it_is_named(
    menus: Menus, text: str, language: str, says: str
) -> None:
    texter = Texter(menus, text, language)
    assert texter.text == says
    assert texter.ends
    assert [effect.name for effect in texter.done] == ["language"]


def test_another_language_is_asked_for(menus: Menus) -> None:
    texter = Texter(menus, "زبان")
    assert (texter.at, texter.done) == ("lang.ask", [])
    assert texter.answers("2") == "Your language is now English."


@pytest.mark.parametrize("text", ["راهنما", "help"])
def test_some_keywords_are_answered_by_one_text(menus: Menus, text: str) -> None:
    found = find(text, menus.words)
    assert found is not None
    assert menus.keywords[found.name].says in menus.texts
    assert opened(menus, found.name, found.rest, "fa") is None


@pytest.mark.parametrize(
    "text", ["کمک می‌خواهم", "گزارش خرابی دارم", "داوطلب نیستم", "help me please"]
)
def test_a_sentence_to_a_person_opens_nothing(menus: Menus, text: str) -> None:
    found = find(text, menus.words)
    assert found is not None
    assert found.rest
    assert opened(menus, found.name, found.rest, "fa") is None


def test_home_is_where_the_menus_start(menus: Menus) -> None:
    texter = Texter(menus, "پیگیری")
    texter.answers("0")
    assert texter.at == "root"
    texter.answers("0")
    assert texter.text.endswith("دوباره پیامک بدهید.")


def test_every_word_opens_its_own_keyword(menus: Menus) -> None:
    for keyword in menus.keywords.values():
        for words in keyword.words.values():
            for word in words:
                assert read(word) is None
                found = find(word, menus.words)
                assert found is not None
                assert (found.name, found.rest) == (keyword.name, "")


@pytest.mark.parametrize("language", ["fa", "en"])
@pytest.mark.parametrize(
    "text",
    [
        "1+1",
        "1+1 50000",
        "1+1 5",
        "1+1 x",
        "status 100000006",
        "گزارش",
        "زبان",
        "داوطلب",
    ],
)
def test_what_a_text_is_answered_with_is_one_part(
    menus: Menus, language: str, text: str
) -> None:
    texter = Texter(menus, text, language, pledges=[PLEDGE])
    assert sms_cost(texter.text)[0] == 1


def test_the_texts_of_the_guide_are_answered_as_it_shows() -> None:
    (told,) = re.findall(r"```sms\n(.*?)```", PAGE, re.DOTALL)
    (example,) = (piece for piece in PIECES if piece.name == "lend")
    menus = reading.read(mounted(example), time_zone="Asia/Tehran")
    turns = re.findall(r"^> (.*)\n((?:[^>].*\n)+)", told, re.MULTILINE)
    texter: Texter | None = None
    for text, reads in turns:
        if find(text, menus.words) is not None:
            texter = Texter(menus, text, "en")
        else:
            assert texter is not None
            texter.answers(text)
        assert texter.text == reads.rstrip("\n")
    assert len(turns) == 3


def test_a_keyword_gives_its_answers_and_its_campaign() -> None:
    menus = small(
        """
        root:
          text: {en: Root}
          choices: [{key: "0", to: bye}]
        much:
          text: {en: How much}
          ask: {answer: amount, kind: amount}
          then: said
          choices: [{key: "0", to: bye}]
        said:
          text: {en: "{amount|toman} {why}"}
          choices: [{key: "0", to: bye}]
        """,
        """
        keywords:
          gift:
            words: {en: [Gift, Ta dah!]}
            to: root
            rest: much
            set: {why: love}
            campaign: spring
        """,
    )
    assert menus.words == {"gift": "gift", fold("Ta dah!"): "gift"}
    begun = opened(menus, "gift", "500", "fr")
    assert begun is not None
    assert (begun.session.at, begun.typed, begun.shown) == ("much", ("500",), False)
    assert begun.session.answers == {"dialled": "sms", "why": "love"}
    assert (begun.session.campaign, begun.session.language) == ("spring", "en")
    begun = opened(menus, "gift", "", "en")
    assert begun is not None
    assert (begun.session.at, begun.typed, begun.shown) == ("root", (), False)
    assert menus.blank["why"] == ""
