"""A real browser for tests: Chromium through Playwright, watched for every complaint it makes."""

import json
import os
import re
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

SHOTS = Path(__file__).parents[2] / ".screenshots"
PLACES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 780}
NAMELESS = re.compile(
    r"- (?:button|link|textbox|searchbox|combobox|checkbox|radio|switch|spinbutton|img|region)"
    r"(?: \[.*\])?:?$",
    re.MULTILINE,
)
PATIENCE_MS = 15_000


def chromium():
    """Give where Chromium is; the tests are left out, with a word why, when it is nowhere."""
    named = os.environ.get("CHROMIUM", "")
    for place in (named, *PLACES):
        if place and (found := shutil.which(place)):
            return found
    return pytest.skip("there is no Chromium here: run tools/browser.sh, or set CHROMIUM")


@contextmanager
def browser():
    """Start Chromium."""
    place = chromium()
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with playwright.sync_playwright() as tool:
        started = tool.chromium.launch(executable_path=place, headless=True, args=ARGUMENTS)
        yield started
        started.close()


class Counter:
    """A page with a terminal, used as people use it."""

    def __init__(self, window, url, terminal, viewport=None, motion="reduce"):
        self.context = window.new_context(viewport=viewport or WIDE, reduced_motion=motion)
        self.context.set_default_timeout(PATIENCE_MS)
        self.page = self.context.new_page()
        self.complaints = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.url, self.terminal = url, terminal
        self.page.goto(f"{url}/terminal/{terminal}")
        self.ready()

    def _heard(self, message):
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def ready(self):
        self.page.wait_for_selector("body[data-ready]")

    def close(self):
        self.context.close()

    # The till

    def send(self, amount=None, service="WPI_SVC_PAYMENT", *, reference="", earlier=None):
        page = self.page
        page.select_option("[name=service]", service)
        if amount is not None:
            page.fill("[name=amount]", amount)
        if reference:
            page.fill("[name=reference]", reference)
        if earlier is not None:
            page.fill("[name=earlier]", earlier)
        page.click("#send")

    def answer(self, nth=0):
        """Wait for the answer of what was said, newest first, and give it."""
        shown = self.page.locator(".talk-one").nth(nth)
        shown.and_(self.page.locator("[data-tone=good], [data-tone=bad]")).wait_for()
        told = self.page.evaluate(
            "name => sessionStorage.getItem(name)", f"tollbridge {self.terminal}"
        )
        return json.loads(told)[nth]["answer"]

    # The terminal

    def shows(self, kind):
        """Wait for a screen or a notice."""
        place = self.page.locator(f"#screen[data-kind={kind}]")
        place.wait_for()
        self.check()
        return place

    def check(self):
        """Everything that can be used has a name, and nothing is wider than the window."""
        nameless = NAMELESS.findall(self.page.locator("body").aria_snapshot())
        assert nameless == [], self.page.locator("body").aria_snapshot()
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert self.page.evaluate(wide) <= 0

    def present(self, card, way="Tap"):
        self.shows("present_card")
        face = self.page.locator(f".card[data-name={card}]")
        if face.get_attribute("aria-pressed") != "true":
            face.click(position={"x": 60, "y": 14})
        face.locator("xpath=..").get_by_role("button", name=way, exact=True).click()

    def drag(self, card, way):
        """Take a card from the wallet and present it the way hands do."""
        mouse, face = self.page.mouse, self.page.locator(f".card[data-name={card}]").bounding_box()
        mouse.move(face["x"] + 90, face["y"] + 14)
        mouse.down()
        zone = self.page.locator(f".zone-{way}").bounding_box()
        middle = zone["x"] + zone["width"] / 2
        mouse.move(middle, zone["y"] + 20, steps=8)
        mouse.move(middle, zone["y"] + zone["height"] - 20, steps=8)
        mouse.up()

    def pin(self, digits):
        self.shows("enter_pin")
        for digit in digits:
            self.page.locator(".keypad").get_by_role("button", name=digit).click()
        self.page.click("#key-ok")

    def shot(self, name):
        SHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png")


def toml(table):
    """Write a value as TOML; tables become inline ones."""
    if isinstance(table, dict):
        return "{" + ", ".join(f'"{name}" = {toml(v)}' for name, v in table.items()) + "}"
    return json.dumps(table)
