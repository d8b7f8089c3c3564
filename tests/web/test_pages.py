"""The provider's own page in a real browser: cards, wallets, codes, and no."""

import http.client
import json
import re
import time

import pytest

from tests.processes import Process
from tests.terminal.browser import NAMELESS, NARROW, SHOTS, browser
from tests.web.serving import CUSTOMER

ORIGIN = "http://localhost:8090"
CODE = re.compile(r"^  code for .*?: (\d{6}) is", re.MULTILINE)
READING_S = 0.45


@pytest.fixture(scope="module")
def window():
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    with Process(tmp_path_factory.mktemp("try"), "web", "try", "--port", "0") as process:
        yield process


@pytest.fixture
def page(window):
    context = window.new_context(viewport=NARROW)
    context.set_default_timeout(10_000)
    made = context.new_page()
    made.complaints = []
    made.on("console", lambda said: made.complaints.append(said.text)
            if said.type in ("error", "warning") else None)  # fmt: skip
    made.on("pageerror", lambda error: made.complaints.append(str(error)))
    yield made
    # That an answer was a refusal is told by the browser too.
    complaints = [each for each in made.complaints if "status of 4" not in each]
    context.close()
    assert complaints == []


def call(provider, method, path, token, body=None, key=""):
    """Make one call, without a loop: the browser's tool has one of its own."""
    line = http.client.HTTPConnection(provider.url.removeprefix("http://"), timeout=15)
    fields = {"authorization": f"Bearer {token}", "origin": ORIGIN, "idempotency-key": key,
              "content-type": "application/json"}  # fmt: skip
    line.request(method, path, None if body is None else json.dumps(body), fields)
    answer = line.getresponse()
    told = json.loads(answer.read())
    line.close()
    assert answer.status < 300, told
    return told


def begun(provider, price="25.96", customer=None, **bill):
    """Begin a payment that is confirmed on the provider's page; give it."""
    fields = {"currency": "EUR", "itemPrice": price, "productID": "B-1", **bill}
    cups = {"description": "Cup <b>", "currency": "EUR", "itemPrice": "5.00", "itemCount": 2}
    body = {"sellerID": "ShopName12345", "customerID": customer, "bill": fields,
            "challenges": ["url"], "itemList": [cups | {"itemsPrice": "9.00"}]}  # fmt: skip
    key = f"page-{time.monotonic_ns()}"
    payment = call(provider, "POST", "/web/payments", "pk_test_webshop", body, key)
    assert payment["challenge"]["type"] == "url"
    return payment


def state(provider, payment):
    return call(provider, "GET", f"/web/payments/{payment['id']}", payment["client_token"])


def open_page(page, payment, back=""):
    page.goto("about:blank")
    page.goto(payment["challenge"]["challenge"] + (f"&return={back}" if back else ""))
    page.wait_for_selector("#form:not([hidden])")
    page.wait_for_timeout(READING_S * 1000)


def fill_card(page, number="4242 4242 4242 4242", expiry="12/40", code="123"):
    page.get_by_label("Card number").fill(number)
    page.get_by_label("Expires (MM/YY)").fill(expiry)
    page.get_by_label("Security code").fill(code)


def fits(page, name):
    """Everything has a name, nothing is wider than a small window."""
    assert NAMELESS.findall(page.locator("main").aria_snapshot()) == []
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) <= 0
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"confirm-{name}.png", full_page=True)


@pytest.mark.req("N-007", "N-033", "N-051", "N-075", "N-079")
def test_somebody_pays_with_a_card(page, provider):
    payment = begun(provider, description="Two <i>cups</i>")
    open_page(page, payment)
    text = page.locator("main").inner_text()
    for told in ("25.96", "to Shop Name", "Two <i>cups</i>"):
        assert told in text
    assert page.evaluate("document.activeElement.id") == "title"
    page.get_by_text("What is on the bill").click()
    assert "2 × Cup <b>" in page.locator("#lines").inner_text()
    fits(page, "card")
    fill_card(page)
    page.keyboard.press("Enter")
    page.get_by_role("status").get_by_text("The payment is made.").wait_for()
    assert page.locator("#form").is_hidden()
    now = state(provider, payment)
    assert now["state"] == "succeeded"
    # Its address opens nothing any more.
    page.reload()
    page.get_by_role("alert").get_by_text("not open").wait_for()


def test_what_is_wrong_with_a_card_is_told_where_it_is(page, provider):
    open_page(page, begun(provider))
    for given, field in (
        ({"number": "4242"}, "Card number"),
        ({"expiry": "13/40"}, "Expires (MM/YY)"),
        ({"expiry": "soon"}, "Expires (MM/YY)"),
        ({"code": "1"}, "Security code"),
    ):
        fill_card(page, **given)
        page.get_by_role("button", name="Pay").click()
        wrong = page.get_by_label(field)
        assert wrong.get_attribute("aria-invalid") == "true"
        assert wrong.get_attribute("aria-describedby") == "alert"
        assert wrong.evaluate("field => field === document.activeElement")
        assert page.locator("#alert").is_visible()
    assert page.locator("[aria-invalid]").count() == 1
    fits(page, "wrong")
    # What only the provider knows to be wrong is told as well, and can be mended.
    fill_card(page, number="4242424242424241")
    page.get_by_role("button", name="Pay").click()
    page.locator("#alert:not([hidden])").wait_for()
    page.locator("#main[aria-busy=false]").wait_for()
    page.wait_for_timeout(READING_S * 1000)
    fill_card(page)
    page.get_by_role("button", name="Pay").click()
    page.get_by_text("The payment is made.").wait_for()


@pytest.mark.req("N-027")
def test_a_card_is_kept_and_found_again_with_a_code(page, provider):
    open_page(page, begun(provider))
    fill_card(page)
    assert page.locator("#who-row").is_hidden()
    page.get_by_label("Keep this card for next time").check()
    page.get_by_label("Your customer name").fill("eve@example.org")
    page.get_by_role("button", name="Pay").click()
    page.get_by_text("The payment is made.").wait_for()
    payment = begun(provider, "30.00")
    open_page(page, payment)
    page.get_by_label("A card I keep here").check()
    assert page.locator("#card").is_hidden()
    page.get_by_role("button", name="Pay").click()
    assert page.get_by_label("Your customer name").get_attribute("aria-invalid") == "true"
    page.get_by_label("Your customer name").fill("eve@example.org")
    page.get_by_role("button", name="Pay").click()
    page.get_by_label("Code", exact=True).wait_for()
    page.wait_for_timeout(READING_S * 1000)
    assert page.evaluate("document.activeElement.id") == "answer"
    assert page.get_by_label("Code", exact=True).get_attribute("autocomplete") == "one-time-code"
    fits(page, "code")
    right = CODE.findall(provider.log.read_text())[-1]
    page.get_by_label("Code", exact=True).fill(f"{(int(right) + 1) % 10**6:06d}")
    page.get_by_role("button", name="Pay").click()
    page.get_by_role("alert").get_by_text("That was not right").wait_for()
    page.wait_for_timeout(READING_S * 1000)
    page.get_by_label("Code", exact=True).fill(f"{right[:3]} {right[3:]}")
    page.get_by_role("button", name="Pay").click()
    page.get_by_text("The payment is made.").wait_for()
    assert state(provider, payment)["state"] == "succeeded"


@pytest.mark.req("N-082")
def test_a_customer_sees_their_mark_and_chooses_a_card(page, provider):
    payment = begun(provider, "120.00", CUSTOMER)
    open_page(page, payment)
    assert page.get_by_text("Hello Mary").is_visible()
    mark = page.get_by_alt_text("Your personal mark", exact=False)
    assert mark.evaluate("mark => mark.complete && mark.naturalWidth > 0")
    assert page.get_by_label("Visa").is_checked()
    page.get_by_label("Another card").check()
    assert page.get_by_label("Card number").is_visible()
    page.get_by_label("Visa").check()
    assert page.get_by_label("Card number").is_hidden()
    fits(page, "mark")
    right = CODE.findall(provider.log.read_text())[-1]
    page.get_by_label("Code", exact=True).fill(right)
    page.get_by_role("button", name="Pay").click()
    page.get_by_text("The payment is made.").wait_for()
    assert state(provider, payment)["state"] == "succeeded"


@pytest.mark.req("N-066", "N-090")
def test_a_payer_refuses(page, provider):
    payment = begun(provider)
    open_page(page, payment)
    page.get_by_role("button", name="Refuse").click()
    page.get_by_role("heading", name="Refused").wait_for()
    assert state(provider, payment)["state"] == "cancelled"


def test_a_click_that_was_meant_for_something_else_decides_nothing(page, provider):
    payment = begun(provider, "120.00", CUSTOMER)
    page.goto(payment["challenge"]["challenge"])
    page.wait_for_selector("#form:not([hidden])")
    page.evaluate("document.getElementById('pay').click()")
    page.evaluate("document.getElementById('refuse').click()")
    page.wait_for_timeout(200)
    assert state(provider, payment)["state"] == "challenge_required"


def test_it_goes_back_to_the_sellers_pages_only(page, provider):
    page.context.route(f"{ORIGIN}/**", lambda route: route.fulfill(body="the shop"))
    open_page(page, begun(provider), back=f"{ORIGIN}/basket%3Fx%3D1")
    page.get_by_role("button", name="Refuse").click()
    page.wait_for_url(f"{ORIGIN}/basket?x=1")
    for back in ("http://evil.example/", "javascript:alert(1)", f"{ORIGIN}.evil.example/", "//x"):
        open_page(page, begun(provider), back=back)
        page.get_by_role("button", name="Refuse").click()
        page.get_by_role("heading", name="Refused").wait_for()
        assert page.get_by_role("button", name="Back to the shop").is_hidden()
        page.wait_for_timeout(100)
        assert page.url.startswith(provider.url)


def test_an_address_that_is_none_says_so(page, provider):
    for fragment in ("", "#ch=ch_x_y&t=z", "#ch=%00&t="):
        page.goto("about:blank")
        page.goto(f"{provider.url}/web/confirm{fragment}")
        page.locator("#alert:not([hidden])").wait_for()
        assert page.locator("#form").is_hidden()


def test_the_page_to_try_pays(page, provider):
    page.goto(f"{provider.url}/web/try")
    page.wait_for_function("document.getElementById('customer').value !== ''")
    sent = len(CODE.findall(provider.log.read_text()))
    page.get_by_label("Price in EUR").fill("150.00")
    page.get_by_role("button", name="Pay").click()
    field = page.locator("dialog input")
    field.wait_for()
    codes = CODE.findall(provider.log.read_text())
    assert len(codes) == sent + 1
    field.fill(codes[-1])
    page.keyboard.press("Enter")
    page.get_by_role("status").get_by_text("paid: wp_").wait_for()
