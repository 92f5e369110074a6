"""A rehearsal as the settings turn it on, and everything that says it is one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.doctor import examine
from gateway.faults import SettingsError
from gateway.settings import load, told_of_rehearsal
from ledger.vault import look_up
from sms.rehearsal import DELIVERED, NAME
from tests.gateway.house import PHONE, Gateway, close_gateway, open_gateway, settings

ON = {"YARIGAR_REHEARSAL": "true", "YARIGAR_GUESTS": "09121234567, +989351112233"}


@pytest.fixture
def rehearsing(
    sqlite_ledger_url: str, redis_url: str, tmp_path: Path
) -> Iterator[Gateway]:
    given = settings(
        sqlite_ledger_url, redis_url, tmp_path, rehearsal=True, guests=["09121234567"]
    )
    opened = open_gateway(given)
    yield opened
    close_gateway(opened)


def test_only_guests_are_let_through_to_the_real_channels(rehearsing: Gateway):
    rehearsal = rehearsing.service.rules.rehearsal
    assert rehearsal is not None
    assert rehearsal.guests == {look_up(rehearsing.service.keys, PHONE)}
    assert rehearsal.channels == {"kave", "at"}
    assert rehearsal.day_max == 100


def test_the_numbers_that_play_a_part_have_a_channel_of_their_own(rehearsing: Gateway):
    chosen = rehearsing.service.routes.choose(outbox_id=1, test=False, to=DELIVERED)
    assert chosen is not None
    assert chosen.name == NAME
    other = rehearsing.service.routes.choose(outbox_id=1, test=False, to=PHONE)
    assert other is not None
    assert other.name != NAME


def test_outside_a_rehearsal_there_is_neither(gateway: Gateway):
    assert gateway.service.rules.rehearsal is None
    assert gateway.service.routes.named(NAME) is None


def test_whoever_asks_whether_it_is_ready_hears_of_the_rehearsal(rehearsing: Gateway):
    answer = rehearsing.client.get("/readyz")
    assert (answer.status_code, answer.text) == (200, "ready (rehearsal)\n")


def test_doctor_names_a_rehearsal(tmp_path: Path):
    environ = {**ON, "YARIGAR_DATA_DIR": str(tmp_path), "YARIGAR_CONFIG": "/dev/null"}
    told = {finding.what: finding for finding in examine(environ)}
    assert told["rehearsal"].says == told_of_rehearsal(load(environ))
    assert "2 guests alone, at most 100 texts a day" in told["rehearsal"].says


def test_doctor_is_silent_where_there_is_none(tmp_path: Path):
    environ = {"YARIGAR_DATA_DIR": str(tmp_path), "YARIGAR_CONFIG": "/dev/null"}
    assert "rehearsal" not in {finding.what for finding in examine(environ)}


def test_a_guest_without_a_mobile_number_is_a_fault_that_does_not_tell_it():
    with pytest.raises(SettingsError) as refused:
        load({**ON, "YARIGAR_GUESTS": "09121234567 02188776655"})
    assert str(refused.value) == (
        "YARIGAR_GUESTS: number 2 of the list is no mobile number"
    )


def test_guests_are_not_shown_with_the_settings():
    assert "9121234567" not in repr(load(ON))


@pytest.mark.parametrize("hour", ["24:00", "7:00", "22", "", "22:60"])
def test_an_hour_that_is_none_is_a_fault(hour: str):
    with pytest.raises(SettingsError, match="QUIET_FROM: should be a time of day"):
        load({"YARIGAR_QUIET_FROM": hour})
