"""Places as the service has them: in memory, read anew, brought in by a command."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import structlog

from gateway import locating
from gateway.cli.places import SHOWN_MAX
from gateway.facts import Asker, fetch
from gateway.faults import Unready
from gateway.places import LOOK_EVERY_SECONDS, Places
from gateway.placing import at_start, read_file, shipped, take_in, take_in_changed
from gateway.schedule import _Watched
from ledger.engine import NotRead, reading
from ledger.places.reading import written
from ledger.places.tree import Tree
from tests.gateway.house import PHONE, Gateway
from tests.gateway.operator import Operator
from ussd.facts import FACTS
from ussd.machine import Need
from ussd.prover.longest import facts_of


@pytest.fixture(params=["sqlite", "postgresql"])
def gateway_database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Ticking:
    """Seconds that go by when a test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "places.csv"
    path.write_bytes(written(shipped()))
    return path


def without(path: Path, code: str) -> None:
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    left = [line for line in lines if not line.startswith(f"{code},")]
    assert len(left) == len(lines) - 1
    path.write_text("".join(left), encoding="utf-8")


def test_a_tree_is_read_anew_after_an_import_and_not_before(gateway: Gateway) -> None:
    engine, ticking = gateway.service.engine, Ticking()
    places = Places(engine, clock=ticking)
    assert len(places.current()) == 0
    take_in(engine, shipped(), by="olya", at=gateway.clock())
    assert len(places.current()) == 0
    ticking.seconds += LOOK_EVERY_SECONDS
    tree = places.current()
    assert len(tree) == len(shipped())
    ticking.seconds += LOOK_EVERY_SECONDS
    assert places.current() is tree


def test_a_database_that_is_away_leaves_the_tree_that_was_read(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, ticking = gateway.service.engine, Ticking()
    take_in(engine, shipped(), by="olya", at=gateway.clock())
    places = Places(engine, clock=ticking)
    tree = places.current()

    def away(*args: object, **more: object) -> None:
        raise NotRead("the database is away")

    monkeypatch.setattr("gateway.places.reading", away)
    ticking.seconds += LOOK_EVERY_SECONDS
    with structlog.testing.capture_logs() as logs:
        assert places.current() is tree
    assert [one["event"] for one in logs] == ["places_not_read"]


def test_the_first_start_brings_the_shipped_places_in_once(gateway: Gateway) -> None:
    service = gateway.service
    at_start(service.settings, service.engine, gateway.clock())
    at_start(service.settings, service.engine, gateway.clock())
    assert len(gateway.rows("place")) == len(shipped())
    imported = [one for one in gateway.rows("event") if one.kind == "places.imported"]
    assert len(imported) == 1


def test_two_imports_at_once_are_one(gateway: Gateway) -> None:
    engine = gateway.service.engine

    def bring(by: str) -> int:
        found = take_in(engine, shipped(), by=by, at=gateway.clock())
        return len(found.added)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(bring, ["olya", "sara"])) == [0, len(shipped())]
    assert len([e for e in gateway.rows("event") if e.kind == "places.imported"]) == 1


def test_a_bad_file_is_named_and_what_stood_stays(gateway: Gateway, file: Path) -> None:
    engine = gateway.service.engine
    take_in_changed(engine, file, gateway.clock())
    before = gateway.rows("place")
    file.write_bytes(file.read_bytes() + b"x,moon,ir,a,b,,,\n")
    with structlog.testing.capture_logs() as logs:
        take_in_changed(engine, file, gateway.clock())
    [log] = logs
    assert log["event"] == "places_refused"
    assert "'moon' is no kind of place" in log["faults"][0]
    assert gateway.rows("place") == before


def test_a_file_that_changes_is_brought_in_while_the_service_runs(
    gateway: Gateway, file: Path
) -> None:
    service = gateway.service
    take_in_changed(service.engine, file, gateway.clock())
    settings = service.settings.model_copy(update={"places": file})
    object.__setattr__(service, "settings", settings)
    watched = _Watched(service)
    watched.look(gateway.clock())
    assert not [one for one in gateway.rows("place") if one.closed]
    without(file, "b2429")
    watched.look(gateway.clock())
    assert [one.code for one in gateway.rows("place") if one.closed] == ["b2429"]


def test_a_file_that_is_not_there_is_said_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(Unready, match="cannot be read"):
        read_file(tmp_path / "nowhere.csv")
    with pytest.raises(Unready, match="cannot be read"):
        read_file(tmp_path)


# -- as an operator ----------------------------------------------------------------


def test_an_import_shows_what_it_would_change_and_asks(
    operator: Operator, gateway: Gateway, file: Path
) -> None:
    first = operator.run("places", "import", str(file), "--by", "olya")
    # There was nobody to answer.
    assert first.exit_code == 1
    assert f"added: {len(shipped())}" in first.output
    assert f"and {len(shipped()) - SHOWN_MAX} more" in first.output
    assert gateway.rows("place") == []
    done = operator.run("places", "import", str(file), "--yes", "--by", "olya")
    assert done.exit_code == 0
    assert done.output.endswith("0 changed, 0 moved, 0 closed, 0 reopened\n")
    again = operator.run("places", "import", str(file), "--yes", "--by", "olya")
    assert again.output == "nothing to change: these places are in force\n"


def test_what_is_closed_moved_and_changed_is_told_by_name(
    operator: Operator, file: Path
) -> None:
    operator.run("places", "import", str(file), "--yes", "--by", "olya")
    without(file, "b2429")
    text = file.read_text(encoding="utf-8")
    text = text.replace("c11449,centre,23-t1,", "c11449,centre,23-t2,")
    text = text.replace("Sample centre 6, Tehran", "Sample centre six")
    file.write_text(text, encoding="utf-8")
    told = operator.run("places", "import", str(file), "--yes", "--by", "olya").output
    assert "closed: 1\n  b2429 booth Sample booth 3, 22 Bahman, dial 2429\n" in told
    assert "dial 11449: from 23-t1 to 23-t2\n" in told
    assert "Sample centre six, dial 11560: titles\n" in told
    assert told.endswith("done: 0 added, 1 changed, 1 moved, 1 closed, 0 reopened\n")


def test_a_file_is_checked_without_the_ledger(operator: Operator, file: Path) -> None:
    good = operator.run("places", "check", str(file))
    assert good.output == f"{len(shipped())} places, and nothing is wrong with them\n"
    file.write_bytes(file.read_bytes() + b"x,town,y,a,b,,,\n")
    bad = operator.run("places", "check", str(file))
    assert bad.exit_code == 2
    assert bad.output.endswith("x lies in y, which is not there\n")


def test_a_place_is_shown_by_its_code_or_its_dial(
    operator: Operator, file: Path
) -> None:
    operator.run("places", "import", str(file), "--yes", "--by", "olya")
    shown = operator.run("places", "show", "11023").output
    assert shown == operator.run("places", "show", "c11023").output
    assert shown.splitlines()[0] == "c11023 centre Sample centre 1, Tehran, dial 11023"
    assert shown.splitlines()[-1] == "  in ir country Iran"
    meant = operator.run("places", "show", "11024")
    assert meant.exit_code == 2
    assert "did you mean 11023 (Sample centre 1, Tehran)?" in meant.output
    assert operator.run("places", "show", "nowhere").exit_code == 2


def test_places_are_listed_by_kind_and_by_where_they_lie(
    operator: Operator, file: Path
) -> None:
    operator.run("places", "import", str(file), "--yes", "--by", "olya")
    listed = operator.run("places", "list", "--kind", "centre", "--in", "16").output
    assert len(listed.splitlines()) == 5
    few = operator.run("places", "list", "--limit", "3").output
    assert few.splitlines()[-1] == f"and {len(shipped()) - 3} more"
    assert operator.run("places", "list", "--in", "x").exit_code == 2
    refused = operator.run("places", "list", "--kind", "city")
    assert refused.exit_code == 2
    assert "there is no kind 'city': there are country, province" in refused.output


# -- as screens have them ------------------------------------------------------------

TREE = Tree(shipped())


def test_a_wrong_digit_is_asked_about_by_the_centres_name() -> None:
    right = locating.centre(TREE, "en", "11023")
    assert right["centre_found"] == "Sample centre 1, Tehran"
    assert (right["centre_meant"], right["centre_place"]) == ("", "c11023")
    wrong = locating.centre(TREE, "fa", "11024")
    assert (wrong["centre_found"], wrong["centre_place"]) == ("", "")
    assert (wrong["centre_meant"], wrong["centre_meant_code"]) == (
        "مرکز نمونه ۱ تهران",
        "11023",
    )


def test_a_town_is_known_by_code_by_name_and_within_its_province() -> None:
    for typed in ("23-tehran", "تهران", "23/Teheran"):
        found = locating.town(TREE, "en", typed)
        assert found["town_found"] == "Tehran"
        assert (found["town_has_districts"], found["town_districts"]) == ("yes", 22)
    assert locating.town(TREE, "en", "ایلام")["town_has_districts"] == ""
    for nowhere in ("16/تهران", "nowhere/تهران", "", "/", "x" * 5000):
        assert locating.town(TREE, "en", nowhere)["town_found"] == ""


def test_the_towns_of_a_province_can_be_picked() -> None:
    items = locating.towns(TREE, "en", "16")["items"]
    assert [item["value"] for item in items] == ["16-dehloran", "16-ilam", "16-ivan"]
    assert locating.towns(TREE, "en", "99")["items"] == []


def test_every_fact_of_places_is_fetched_and_has_a_longest_value(
    gateway: Gateway,
) -> None:
    service = gateway.service
    asker = Asker(
        phone=PHONE,
        campaign="one-plus-one",
        test=False,
        line="",
        figures=service.endings._figures,
        at=gateway.clock(),
        time_zone="Asia/Tehran",
        places=TREE,
        language="en",
    )
    menus = service.library.current(None)
    longest = facts_of(menus, menus.campaign)
    for group, typed in (("centre", "11023"), ("postcode", "69315"), ("town", "قم")):
        with reading(service.engine) as db:
            told = fetch(db, service.keys, Need(group, typed), asker)
        assert set(told) == set(FACTS[group])
        for name, value in told.items():
            assert max(len(str(one)) for one in longest[name]) >= len(str(value))
            assert value != "" or name.startswith("centre_meant") or "has" in name
