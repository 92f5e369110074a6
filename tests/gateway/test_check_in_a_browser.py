"""The page of proofs in a real browser, which works out by itself what it is told."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect, sync_playwright
from werkzeug.serving import make_server

from gateway.public_folder import publish
from gateway.sealing import signer
from ledger.sealing.sealer import seal
from tests import services
from tests.gateway.house import Gateway
from tests.ledger.books import Books
from tests.ledger.purchases import Shop
from tests.test_browser import CHROMIUM_OPTIONS

# As a browser would be that has SHA-256 and not Ed25519.
WITHOUT_ED25519 = """
const known = crypto.subtle.importKey.bind(crypto.subtle);
crypto.subtle.importKey = (form, key, how, ...more) =>
  how === "Ed25519"
    ? Promise.reject(new DOMException("no", "NotSupportedError"))
    : known(form, key, how, ...more);
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    program = services.chromium()
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=program,
            args=CHROMIUM_OPTIONS,
            viewport={"width": 360, "height": 740},
            accept_downloads=True,
        )
        yield context
        context.close()


@pytest.fixture
def url(gateway: Gateway) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, gateway.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def code(gateway: Gateway) -> str:
    """A gift that was paid and became parcels, among nine others."""
    books = Books(gateway.service.engine)
    pledge, code = books.pledge()
    books.pay(pledge, 750_000)
    for number in range(9):
        books.pledge(f"+98935111223{number}", amount=1_000 + number)
    shop = Shop(books)
    shop.buy(500_000, quantity=240)
    shop.send(238)
    shop.deliver(200, district="12")
    settings = gateway.service.settings
    seal(gateway.service.engine, signer(settings), "Asia/Tehran", gateway.clock())
    return code


@pytest.fixture
def page(url: str, browser: BrowserContext) -> Iterator[Page]:
    """The page in English; whatever goes wrong on it fails the test."""
    faults: list[str] = []
    opened = browser.new_page()
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on(
        "console",
        lambda said: faults.append(said.text) if "Policy" in said.text else None,
    )
    opened.goto(f"{url}/check?lang=en")
    yield opened
    opened.close()
    assert faults == []


def ask(page: Page, code: str, amount: str = "75,000") -> None:
    page.locator("[name=code]").fill(code)
    page.locator("#ask [name=amount]").fill(amount)
    page.keyboard.press("Enter")


def altered(change: Callable[[Any], None]) -> Callable[[Route], None]:
    """What a liar on the way makes of an answer."""

    def alter(route: Route) -> None:
        answer = route.fetch()
        told = answer.json()
        change(told)
        route.fulfill(response=answer, body=json.dumps(told))

    return alter


def other(base64: str) -> str:
    """The same length, and another first byte."""
    return ("B" if base64[0] == "A" else "A") + base64[1:]


def test_the_browser_works_out_that_a_gift_is_in_the_books(
    page: Page, code: str
) -> None:
    ask(page, code)
    expect(page.locator("#verdict")).to_have_text("Your gift is in the sealed books.")
    expect(page.locator("#because")).to_contain_text("checked the signature")
    lines = page.locator("#lines li")
    expect(lines).to_have_count(2)
    expect(lines.first).to_contain_text("75,000 toman")
    expect(lines.first).to_contain_text("Pledge · 2026-11-22 · leaf")
    expect(page.locator("#steps .done")).to_have_count(5)
    expect(page.locator("#became")).to_contain_text("240 parcels")
    # One seal is the day's only one, so its fingerprint is of the proof's own root.
    root = page.locator("#root").inner_text()
    expect(page.locator("#fingerprint")).to_have_text(root)
    assert code not in page.url


def test_the_same_in_persian_from_right_to_left(
    page: Page, url: str, code: str
) -> None:
    page.goto(f"{url}/check")
    ask(page, code.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")), "۷۵٬۰۰۰")
    expect(page.locator("#verdict")).to_have_text("کمک شما در دفتر مهرشده است.")
    line = page.locator("#lines li").first
    expect(line).to_contain_text("۷۵٬۰۰۰ تومان")
    expect(line).to_contain_text("ثبت کمک · ۱۴۰۵/۰۹/۰۱ · برگ")
    assert line.evaluate("line => getComputedStyle(line).direction") == "rtl"
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 360


def _path(told: Any) -> None:
    path = told["proof"]["leaves"][0]["path"]
    path[1] = other(path[1])


def _second_leaf(told: Any) -> None:
    path = told["proof"]["leaves"][1]["path"]
    path[-1] = other(path[-1])


def _data(told: Any) -> None:
    leaf = told["proof"]["leaves"][0]
    leaf["data"] = leaf["data"][:-4] + other(leaf["data"][-4:])


def _nonce(told: Any) -> None:
    leaf = told["proof"]["leaves"][0]
    leaf["nonce"] = other(leaf["nonce"])


def _root(told: Any) -> None:
    lines = told["proof"]["checkpoint"].split("\n")
    lines[2] = other(lines[2])
    told["proof"]["checkpoint"] = "\n".join(lines)


def _time(told: Any) -> None:
    note = told["proof"]["checkpoint"]
    told["proof"]["checkpoint"] = note.replace("2026-11-22T", "2026-11-21T")


def _key(told: Any) -> None:
    told["key"] = other(told["key"])


def _unsigned(told: Any) -> None:
    told["proof"]["checkpoint"] = told["proof"]["checkpoint"].split("—")[0]


def _number(told: Any) -> None:
    told["proof"]["leaves"][0]["number"] += 1


def _short(told: Any) -> None:
    told["proof"]["leaves"][0]["path"].pop()


def _none(told: Any) -> None:
    told["proof"]["leaves"] = []


def _nothing(told: Any) -> None:
    told["proof"] = {"checkpoint": 7}


def _fingerprint(told: Any) -> None:
    told["seal"]["fingerprint"] = "00000000"


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (_path, "The root is the one"),
        (_second_leaf, "The root is the one"),
        (_data, "The root is the one"),
        (_nonce, "Each line opens"),
        (_root, "The root is the one"),
        (_time, "The checkpoint is signed"),
        (_key, "The checkpoint is signed"),
        (_unsigned, "The checkpoint is signed"),
        (_number, "The root is the one"),
        (_short, "The hashes lead"),
        (_fingerprint, "The root is the one"),
        (_none, ""),
        (_nothing, ""),
    ],
)
def test_whatever_is_altered_on_the_way_is_shown_in_red(
    page: Page, code: str, change: Callable[[Any], None], broken: str
) -> None:
    page.route("**/check/proof*", altered(change))
    ask(page, code)
    expect(page.locator("#verdict")).to_have_text("This proof does not hold.")
    expect(page.locator("#answer")).to_have_class("altered")
    expect(page.locator("#written")).to_be_hidden()
    if broken:
        expect(page.locator("#steps .broken")).to_contain_text(broken)
    colour = page.locator("#verdict").evaluate("it => getComputedStyle(it).color")
    assert colour == "rgb(163, 48, 43)"


def test_a_proof_of_somebody_elses_gift_is_not_taken(
    page: Page, gateway: Gateway, code: str
) -> None:
    service = gateway.service
    _, theirs = Books(service.engine, name="other").pledge("+989361112233", 990_000)
    seal(service.engine, signer(service.settings), "Asia/Tehran", gateway.clock())

    def swap(route: Route) -> None:
        answer = route.fetch(post_data=f"code={theirs}&amount=99000")
        told = answer.json()
        told["proof"]["code"] = code
        route.fulfill(response=answer, body=json.dumps(told))

    page.route("**/check/proof*", swap)
    ask(page, code)
    expect(page.locator("#steps .broken")).to_contain_text("opens with your code")


def test_a_proof_of_another_amount_than_was_typed_is_not_taken(
    page: Page, code: str
) -> None:
    page.route(
        "**/check/proof*",
        lambda route: route.continue_(post_data=f"code={code}&amount=75000"),
    )
    ask(page, code, "74000")
    expect(page.locator("#steps .broken")).to_contain_text("code and the amount")


def test_a_browser_without_signatures_says_that_only_the_root_was_checked(
    page: Page, code: str
) -> None:
    page.add_init_script(WITHOUT_ED25519)
    page.reload()
    ask(page, code)
    expect(page.locator("#answer")).to_have_class("unsigned")
    expect(page.locator("#because")).to_contain_text("only the root was checked")
    expect(page.locator("#steps .open")).to_contain_text("was not checked")


def test_a_miss_is_calm_and_a_second_try_starts_afresh(page: Page, code: str) -> None:
    ask(page, code)
    expect(page.locator("#found")).to_be_visible()
    ask(page, code, "75001")
    expect(page.locator("#verdict")).to_have_text(
        "There is nothing with this code and this amount."
    )
    expect(page.locator("#found")).to_be_hidden()
    ask(page, code[:-1], "75000")
    expect(page.locator("#verdict")).to_have_text("This is not a tracking code.")


def test_a_connection_that_is_gone_is_told(
    page: Page, browser: BrowserContext, code: str
) -> None:
    browser.set_offline(True)
    ask(page, code)
    expect(page.locator("#verdict")).to_have_text("There is no connection.")
    browser.set_offline(False)
    ask(page, code)
    expect(page.locator("#answer")).to_have_class("holds")


def test_the_saved_proof_holds_offline(
    page: Page, gateway: Gateway, code: str, tmp_path: Path
) -> None:
    ask(page, code)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the proof").click()
    file = tmp_path / "proof.json"
    download.value.save_as(file)
    service = gateway.service
    folder = tmp_path / "public"
    publish(service.engine, signer(service.settings), folder)
    checked = subprocess.run(
        [sys.executable, "-I", "-S", folder / "verify.py", "--proof", file],
        capture_output=True,
        text=True,
    )
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "pledge of 750000 rial" in checked.stdout


def test_without_scripts_the_form_is_answered_and_saves(
    url: str, code: str, browser: BrowserContext, tmp_path: Path
) -> None:
    page = browser.new_page()
    session = browser.new_cdp_session(page)
    session.send("Emulation.setScriptExecutionDisabled", {"value": True})
    page.goto(f"{url}/check?lang=en")
    ask(page, code)
    expect(page.locator("#verdict")).to_contain_text("We say that your gift")
    expect(page.locator("#lines li").first).to_contain_text("75,000 toman")
    expect(page.locator("#worked-out")).to_be_hidden()
    assert code not in page.url
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the proof").click()
    file = tmp_path / "proof.json"
    download.value.save_as(file)
    assert json.loads(file.read_text())["code"] == code
    page.close()
