"""The simulator in a real browser, before a service that was started as a process."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, Request, expect, sync_playwright

from phone.codes import is_code
from phone.encoding import gsm7_septets, ucs2_units
from tests import services

ROOT = Path(__file__).parents[1]
START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 30.0
TEXT_MS_MAX = 5_000

# Root needs --no-sandbox; the rest keeps the browser from asking its maker anything.
CHROMIUM_OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

COUNTED = (
    "",
    "Give 50,000?\r\n1. Yes",
    "{5} ~ 7€ [a|b] ^ \\",
    "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà",
    "\f\x1b",
    "`ç",
    "مبلغ به تومان؟\n1 بیست هزار",
    "کد ‎*780*5588*1#‎ می‌رسد",
    "🙂€",
    "e\u0301",
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where `yarigar serve` runs, from nothing, with what it makes itself."""
    services.chromium()
    folder = tmp_path_factory.mktemp("serve")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    kept = {k: v for k, v in os.environ.items() if not k.startswith("YARIGAR_")}
    with (folder / "log").open("wb") as log:
        service = subprocess.Popen(
            [sys.executable, "-m", "gateway", "serve"],
            cwd=folder,
            env=kept
            | {
                "PYTHONPATH": str(ROOT),
                "YARIGAR_PORT": str(port),
                "YARIGAR_DATA_DIR": str(folder / "var"),
                "YARIGAR_MENUS": str(ROOT / "menus.yaml"),
            },
            stdout=log,
            stderr=log,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            assert _is_ready(address, service), (folder / "log").read_text()
            yield address
        finally:
            service.send_signal(signal.SIGTERM)
            service.wait(STOP_SECONDS_MAX)


def _is_ready(address: str, service: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + START_SECONDS_MAX
    while service.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(f"{address}/readyz").is_success:
                return True
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    return False


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """A Chromium with a profile of its own."""
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=services.chromium(),
            args=CHROMIUM_OPTIONS,
        )
        yield context
        context.close()


@pytest.fixture
def page(url: str, browser: BrowserContext) -> Iterator[Page]:
    """The phone, not dialled yet; whatever goes wrong on it fails the test."""
    faults: list[str] = []
    opened = browser.new_page()
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.goto(f"{url}/phone")
    yield opened
    opened.close()
    assert faults == []


def press(page: Page, keys: str) -> None:
    """Press keys of the keypad, then the green one."""
    for key in keys:
        page.get_by_role("button", name=key, exact=True).click()
    page.get_by_role("button", name="Call or send").click()


def answer(page: Page, words: str) -> None:
    page.locator("#typed").fill(words)
    page.keyboard.press("Enter")


def dial_as(page: Page, carrier: str) -> None:
    page.locator("#channel").select_option(label=carrier)
    press(page, "")


def deed(page: Page, name: str) -> None:
    """Have the carrier do one of the things that carriers do."""
    page.locator(".deeds").get_by_role("button", name=name).click()


def is_end(request: Request) -> bool:
    return request.url.endswith("/events")


def status_of(request: Request) -> list[str]:
    return parse_qs(request.post_data or "")["status"]


def test_a_pledge_is_made_on_the_phone_and_its_text_arrives(page: Page):
    screen, texts = page.locator("#screen"), page.locator("#texts li")
    expect(page.locator("#code")).to_have_value("*780*5588*1#")
    press(page, "")
    expect(screen).to_contain_text("مبلغ به تومان؟")
    expect(page.locator("#counter")).to_have_text("67 / 70 UCS-2")
    press(page, "3")
    expect(screen).to_contain_text("مبلغ را به تومان بنویسید.")
    answer(page, "۷۵ هزار")
    expect(screen).to_contain_text("کمک شما برای؟")
    answer(page, "1")
    expect(screen).to_contain_text("۷۵٬۰۰۰")
    with page.expect_request(is_end) as told:
        answer(page, "1")
    expect(screen).to_contain_text("سپاس؛ ثبت شد")
    assert status_of(told.value) == ["Success"]

    found = re.search(r"\b\d{9}\b", screen.inner_text())
    assert found
    assert is_code(found[0])
    expect(texts).to_have_count(1, timeout=TEXT_MS_MAX)
    expect(texts).to_contain_text(found[0])
    expect(texts.locator(".cost")).to_contain_text("1 part")
    # The phone is back at dialling, and Persian stands where Persian readers begin.
    expect(page.locator("#code")).to_be_visible()
    line = screen.locator(".line").first
    assert line.evaluate("line => getComputedStyle(line).direction") == "rtl"


def test_hanging_up_is_told_to_the_service(page: Page):
    press(page, "")
    expect(page.locator("#typed")).to_be_visible()
    with page.expect_request(is_end) as told:
        page.get_by_role("button", name="End", exact=True).click()
    assert status_of(told.value) == ["Incomplete"]
    expect(page.locator("#screen")).to_be_empty()


def test_a_carrier_is_chosen_and_asks_again_and_hears_of_the_end(page: Page):
    screen, note = page.locator("#screen"), page.locator("#note")
    page.locator("#number").fill("09351112233")
    page.locator("#handset").select_option("small")
    dial_as(page, "truroute")
    expect(screen).to_contain_text("مبلغ به تومان؟")
    wire = page.locator("#exchanges li")
    expect(wire).to_have_count(1)
    expect(wire).to_contain_text("<type>1</type><msg>*780*5588*1#</msg>")
    deed(page, "Start twice")
    expect(note).to_contain_text("the same reply, byte for byte")
    expect(wire).to_have_count(2)
    answer(page, "3")
    expect(screen).to_contain_text("مبلغ را به تومان بنویسید.")
    expect(note).to_be_empty()
    deed(page, "Send again")
    expect(note).to_contain_text("the same reply, byte for byte")
    with page.expect_request("**/ussd/phone_truroute/*") as told:
        deed(page, "Hang up")
    assert "<type>3</type>" in (told.value.post_data or "")
    expect(note).to_contain_text("the service was told")
    expect(screen).to_be_empty()
    expect(page.locator("#code")).to_be_visible()


def test_a_lost_reply_is_asked_for_again_and_the_pledge_is_one(page: Page):
    screen, texts = page.locator("#screen"), page.locator("#texts li")
    page.locator("#number").fill("09361112233")
    page.locator("#language").select_option("en")
    dial_as(page, "airtel-flares")
    expect(screen).to_contain_text("How many toman")
    for typed in ("3", "75000", "2"):
        answer(page, typed)
        expect(page.locator("#typed")).to_be_empty()
    expect(screen).to_contain_text("75,000")
    before = page.locator("#exchanges li").count()
    deed(page, "Lose next reply")
    answer(page, "1")
    expect(page.locator("#note")).to_contain_text("the same reply, byte for byte")
    expect(page.locator("#exchanges li")).to_have_count(before + 2)
    expect(page.locator("#code")).to_be_visible()
    expect(texts).to_have_count(1, timeout=TEXT_MS_MAX)
    # A carrier may ask after the end, too.
    deed(page, "Send again")
    expect(page.locator("#exchanges li")).to_have_count(before + 3)
    expect(page.locator("#note")).to_contain_text("the same reply, byte for byte")
    expect(texts).to_have_count(1)


def test_a_time_out_is_told_as_the_carrier_tells_it(page: Page):
    page.locator("#number").fill("09371112233")
    dial_as(page, "hubtel")
    expect(page.locator("#typed")).to_be_visible()
    with page.expect_request("**/ussd/phone_hubtel/*") as told:
        deed(page, "Time-out")
    assert told.value.post_data_json["Type"] == "Timeout"
    expect(page.locator("#note")).to_contain_text("Timed out")


def test_the_same_key_twice_is_two_answers(page: Page):
    page.locator("#number").fill("09381112233")
    dial_as(page, "infobip")
    screen = page.locator("#screen")
    answer(page, "1")
    expect(screen).to_contain_text("کمک شما برای؟")
    answer(page, "1")
    expect(screen).to_contain_text("1 تایید")


def test_a_text_from_the_phone_is_taken(page: Page):
    page.locator("#words").fill("۱۱")
    page.keyboard.press("Enter")
    expect(page.locator("#text-fault")).to_contain_text("Sent")
    expect(page.locator("#words")).to_be_empty()


def test_a_service_that_is_gone_is_told_in_a_line_and_the_call_goes_on(
    page: Page, browser: BrowserContext
):
    screen = page.locator("#screen")
    press(page, "")
    expect(page.locator("#typed")).to_be_visible()
    browser.set_offline(True)
    press(page, "3")
    expect(screen).to_contain_text("No answer: the service cannot be reached")
    browser.set_offline(False)
    press(page, "")
    expect(screen).to_contain_text("مبلغ را به تومان بنویسید.")


def test_a_number_that_is_no_mobile_is_told_on_the_screen(page: Page):
    page.locator("#number").fill("02188887777")
    press(page, "")
    expect(page.locator("#screen")).to_have_text(
        "My number: this is not a mobile number"
    )


def test_a_screen_that_passes_the_limit_is_marked(page: Page):
    page.route("**/ussd/phone/*", lambda route: route.fulfill(body="CON " + "۱" * 75))
    press(page, "")
    counter = page.locator("#counter")
    expect(counter).to_have_text("75 / 70 UCS-2, 5 over")
    expect(counter).to_have_class("counter over")


def test_the_page_counts_a_text_as_the_service_does(page: Page):
    counted = page.evaluate(
        "async texts => { const { count } = await import('/phone/static/phone.js');"
        " return texts.map(count); }",
        COUNTED,
    )
    for text, found in zip(COUNTED, counted, strict=True):
        septets = gsm7_septets(text)
        assert found == (
            {"encoding": "ucs2", "units": ucs2_units(text)}
            if septets is None
            else {"encoding": "gsm7", "units": septets}
        ), text
