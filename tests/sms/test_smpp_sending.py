"""What becomes of a text's parts, whatever the connection and the centre do."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from phone.smpp import LinkLost, Message, NoAnswer, NotSent, Refused, Status, Taken
from sms.carrier import Outbound, Outcome, Result
from sms.condition import Conditions
from sms.pace import Pace
from sms.routes import Channel, Routes
from sms.smpp.sending import Sender
from tests.sms.test_smpp import LONG, PHONE, smpp
from tests.texts import NOON

Said = Taken | Exception


class Centre:
    """Says of each part, by its number, what it was told to; then takes it."""

    def __init__(self, said: Mapping[int, list[Said]]) -> None:
        self._said = {number: list(answers) for number, answers in said.items()}
        self.handed: list[int] = []

    async def hand_over(
        self, message: Message, *, wait_seconds: float | None = None
    ) -> Taken:
        number = message.short_message[5] if message.esm_class else 1
        self.handed.append(number)
        await asyncio.sleep(0)
        answers = self._said.get(number)
        said = answers.pop(0) if answers else Taken(f"000{number}A")
        if isinstance(said, Exception):
            raise said
        return said


def handed_over(
    said: Mapping[int, list[Said]], text: str = LONG, parts: tuple[int, ...] = (1, 2, 3)
) -> tuple[Result, list[int]]:
    centre: Any = Centre(said)
    sender = Sender(smpp(), centre, Pace(1000))
    message = Outbound("41", PHONE, text, "10001", len(parts), 7, parts)
    return asyncio.run(sender.hand_over(message)), centre.handed


def outcomes(result: Result) -> dict[int, Outcome]:
    return {piece.part: piece.outcome for piece in result.pieces}


def test_a_text_of_one_part_has_the_centres_id_in_lower_case_without_zeros():
    result, handed = handed_over({}, "سلام", (1,))
    assert (result.outcome, result.carrier_id) == (Outcome.ACCEPTED, "1a")
    assert handed == [1]


def test_each_part_has_an_id_of_its_own():
    result, _ = handed_over({})
    assert result.outcome is Outcome.ACCEPTED
    assert [piece.carrier_id for piece in result.pieces] == ["1a", "2a", "3a"]
    assert not result.is_of_line


@pytest.mark.parametrize("fault", [LinkLost("x"), NoAnswer("x")])
def test_what_may_have_been_taken_is_ambiguous_and_not_handed_over_again(
    fault: Exception,
):
    result, handed = handed_over({2: [fault]})
    assert result.outcome is Outcome.AMBIGUOUS
    assert outcomes(result) == {
        1: Outcome.ACCEPTED,
        2: Outcome.AMBIGUOUS,
        3: Outcome.ACCEPTED,
    }
    assert sorted(handed) == [1, 2, 3]


def test_what_surely_never_left_may_go_later():
    result, _ = handed_over({number: [NotSent("x")] for number in (1, 2, 3)})
    # And counts as no failure, however often it happens.
    assert result.outcome is Outcome.THROTTLED
    assert set(outcomes(result).values()) == {Outcome.THROTTLED}


def test_a_part_that_the_centre_takes_later_is_offered_again_in_place():
    full = Refused(Status.ESME_RMSGQFUL)
    result, handed = handed_over({2: [Refused(Status.ESME_RTHROTTLED), full]})
    assert result.outcome is Outcome.ACCEPTED
    assert sorted(handed) == [1, 2, 2, 2, 3]


def test_a_part_that_is_refused_for_good_refuses_its_text():
    result, handed = handed_over({3: [Refused(Status.ESME_RINVDSTADR)]})
    assert (result.outcome, result.detail) == (Outcome.REFUSED, "ESME_RINVDSTADR")
    assert len(handed) == 3


def test_a_doubt_outweighs_a_refusal():
    result, _ = handed_over({1: [NoAnswer("x")], 2: [Refused(Status.ESME_RINVDSTADR)]})
    assert result.outcome is Outcome.AMBIGUOUS


def test_half_a_surrogate_pair_is_refused_and_never_sent():
    result, handed = handed_over({}, "\ud83d", (1,))
    assert (result.outcome, handed) == (Outcome.REFUSED, [])


@pytest.mark.parametrize(
    ("said", "is_of_line"),
    [
        ({1: [LinkLost("x")]}, True),
        ({1: [NotSent("x")], 2: [LinkLost("x")]}, True),
        ({1: [NoAnswer("x")]}, False),
        ({1: [NoAnswer("x")], 2: [LinkLost("x")]}, False),
        ({1: [Refused(Status.ESME_RSYSERR)]}, False),
        ({}, False),
    ],
)
def test_a_lost_connection_is_told_from_a_centre_that_does_not_answer(
    said: Mapping[int, list[Said]], is_of_line: bool
):
    assert handed_over(said)[0].is_of_line is is_of_line


@pytest.mark.parametrize(("is_of_line", "is_shut"), [(True, False), (False, True)])
def test_a_bind_that_is_lost_with_its_window_shuts_no_channel(
    is_of_line: bool, is_shut: bool
):
    channel = Channel("centre", smpp(), "10001", smpp=True)
    conditions = Conditions(Routes([channel]))
    for number in range(12):
        conditions.hear(
            channel,
            Result(Outcome.AMBIGUOUS, is_of_line=is_of_line),
            parts=1,
            taken=0,
            now=1,
            seconds=1,
            another=False,
            at=NOON + timedelta(seconds=number),
        )
    assert (conditions.shut(NOON + timedelta(seconds=12)) == {"centre"}) is is_shut
