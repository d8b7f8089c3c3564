"""The example shop: a browser at its pages, the provider behind its back."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import free_port, server
from tests.terminal.browser import NAMELESS, NARROW, SHOTS, WIDE
from tests.web.client.bench import PATIENCE_MS, call, until

ROOT = Path(__file__).parents[3]


@pytest.fixture
def shop_url(tmp_path):
    port = free_port()
    settings = (ROOT / "examples/webshop/provider.toml").read_text().replace("8090", str(port))
    (tmp_path / "web.toml").write_text(settings)
    with server(tmp_path, "--config", "web.toml") as provider:
        shop = subprocess.Popen(
            [sys.executable, str(ROOT / "examples/webshop/shop.py"), "--port", str(port),
             "--provider", provider.url],
            stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        try:
            assert str(port) in shop.stdout.readline()
            yield f"http://localhost:{port}", provider
        finally:
            shop.kill()
            shop.communicate()


@pytest.mark.req("N-042", "N-043", "N-085", "N-086", "N-087", "N-089")
def test_a_basket_is_paid_and_a_cd_swapped(window, shop_url):
    url, provider = shop_url
    context = window.new_context(viewport=WIDE)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(url)
    page.wait_for_selector("body[data-ready]")
    look(page, "webshop-1280")
    page.set_viewport_size(NARROW)
    look(page, "webshop-360")
    page.set_viewport_size(WIDE)
    page.get_by_role("button", name="Pay 25.96 EUR").click()
    page.locator("dialog input").wait_for()
    look(page, "webshop-pay-1280")
    code = re.findall(r": (\d{6}) is", provider.log.read_text())[-1]
    page.locator("dialog input").fill(code)
    page.keyboard.press("Enter")
    page.get_by_text("Two discs by post: paid. Thank you!").wait_for()
    page.get_by_role("button", name="Swap it").click()
    page.get_by_text("The deluxe edition: paid. Thank you!").wait_for()
    page.goto(f"{url}/orders")
    page.locator(".order").nth(2).wait_for()
    for told in ("the proof was checked", "the provider sent word"):
        until(page, lambda told=told: page.get_by_text(told).count() == 3)
    states = page.locator(".order").evaluate_all("all => all.map((each) => each.dataset.state)")
    assert states == ["paid", "refunded", "paid"]
    look(page, "webshop-orders-1280")
    page.set_viewport_size(NARROW)
    look(page, "webshop-orders-360")
    assert complaints == []
    context.close()


@pytest.mark.req("N-085", "N-089")
def test_a_proof_of_something_else_pays_no_order(window, shop_url):
    url, _ = shop_url
    order = call("POST", f"{url}/order", {"what": "deluxe"})[1]
    page = window.new_page()
    page.goto(url)
    page.wait_for_selector("body[data-ready]")
    # The page lowers the price. What it gets is a true proof, of another bill.
    proof = page.evaluate(
        """async ({ bill }) => {
          const settings = await (await fetch("/settings.json")).json();
          const { base, sellerKey, sellerID, customerID } = settings;
          const { connect } = await import(`${base}/client/tollbridge.js`);
          const [wallet] = await connect({ base, sellerKey }).services();
          const wish = { bill: { ...bill, itemPrice: "0.01" }, sellerID, customerID };
          return (await wallet.pay(wish)).proofOfPurchase;
        }""",
        order,
    )
    page.close()
    for shown in (proof, proof[:-6] + "AAAAAA", "eyJhbGciOiJub25lIn0.e30."):
        told = {"order": order["order"], "proof": shown}
        status, said = call("POST", f"{url}/proof", told)
        assert (status, "error" in said) == (400, True)
    orders = {each["id"]: each["state"] for each in call("GET", f"{url}/orders.json")[1]}
    assert orders[order["order"]] == "open"


def look(page, name):
    assert NAMELESS.findall(page.locator("body").aria_snapshot()) == []
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) <= 0
    SHOTS.mkdir(exist_ok=True)
    page.wait_for_timeout(300)
    page.screenshot(path=SHOTS / f"{name}.png")
