"""The same menus for a channel, or a handset, that shows GSM-7 only.

A text may have a short form beside a language, `fa-gsm7` beside `fa`: Persian in Latin
letters. Menus are read with both; here they are taken apart.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from phone.encoding import gsm7_septets
from ussd.menus import Campaign, Menus, Screen
from ussd.pieces import GSM7
from ussd.templates import Template

__all__ = ["apart", "titles_of"]

# What stands under a language: a text with slots, or plain words.
Said = TypeVar("Said", str, Template)
Form = Callable[[str], str]


def apart(menus: Menus, shortened: Collection[str]) -> Menus:
    """`menus` without short forms, and with `latin`, which is made of them.

    `shortened` are the languages that some text has a form for. They are spoken in
    `latin`, in that form where there is one; another language is if it is GSM-7 by
    itself. Nothing there is written in Persian digits.
    """
    plain = _formed(menus, menus.languages, lambda _: "") if shortened else menus
    spoken = tuple(
        language
        for language in menus.languages
        if language in shortened or _is_gsm7(plain, language)
    )
    if not spoken:
        return plain
    latin = _formed(menus, spoken, lambda language: f"{language}{GSM7}")
    return replace(plain, latin=replace(latin, figures=dict.fromkeys(spoken, "en")))


def _formed(menus: Menus, languages: tuple[str, ...], form: Form) -> Menus:
    """`menus` in these languages, each text in the form that it has, else plain."""

    def said(words: Mapping[str, Said]) -> dict[str, Said]:
        return {
            language: words.get(form(language), words[language])
            for language in languages
            if language in words
        }

    def screen(one: Screen) -> Screen:
        return replace(
            one,
            variants=tuple(replace(v, text=said(v.text)) for v in one.variants),
            choices=tuple(replace(c, label=said(c.label)) for c in one.choices),
            item=said(one.item),
        )

    def campaign(one: Campaign) -> Campaign:
        return replace(
            one,
            title=said(one.title),
            organiser=said(one.organiser),
            presets=tuple((amount, said(words)) for amount, words in one.presets),
        )

    lists = {
        name: tuple((value, said(words)) for value, words in values)
        for name, values in menus.lists.items()
    }
    return replace(
        menus,
        languages=languages,
        campaigns={name: campaign(one) for name, one in menus.campaigns.items()},
        screens={name: screen(one) for name, one in menus.screens.items()},
        texts={n: replace(t, text=said(t.text)) for n, t in menus.texts.items()},
        notices={name: said(words) for name, words in menus.notices.items()},
        flows={n: replace(f, title=said(f.title)) for n, f in menus.flows.items()},
        lists=lists,
        titles=titles_of(lists, languages),
    )


def titles_of(
    lists: Mapping[str, tuple[tuple[str, Mapping[str, str]], ...]],
    languages: tuple[str, ...],
) -> dict[str, dict[str, dict[str, str]]]:
    """What lists call their values: language -> list -> value -> title."""
    return {
        language: {
            name: {value: words.get(language, value) for value, words in values}
            for name, values in lists.items()
        }
        for language in languages
    }


def _is_gsm7(menus: Menus, language: str) -> bool:
    return all(gsm7_septets(said) is not None for said in _said(menus, language))


def _said(menus: Menus, language: str) -> Iterator[str]:
    """Everything a caller can read in a language."""
    for screen in menus.screens.values():
        for text in (
            *(variant.text for variant in screen.variants),
            *(choice.label for choice in screen.choices),
            screen.item,
        ):
            if language in text:
                yield text[language].source
    for notice in menus.notices.values():
        yield notice[language].source
    for campaign in menus.campaigns.values():
        for words in (campaign.title, campaign.organiser):
            yield words.get(language, "")
        for _, words in campaign.presets:
            yield words.get(language, "")
    for titles in menus.titles[language].values():
        yield from titles.values()
