"""The built-in dialogs, in a real browser against a real provider."""

import re
import time

import pytest

from tests.terminal.browser import NARROW, WIDE
from tests.web.client.bench import ADA, until

FRAME = "dialog iframe"


def confirm(frame):
    frame.locator("#form").wait_for()
    time.sleep(0.45)  # nobody decides faster
    frame.locator("#pay").click()


@pytest.mark.req("N-003", "N-060", "N-061", "N-073", "N-076")
def test_a_code_is_asked_for_and_the_payment_is_made(shop, provider):
    sent = len(provider.codes())
    bill = shop.pay("Text", "11.91")
    field = shop.field()
    assert field.get_attribute("autocomplete") == "one-time-code"
    assert field.get_attribute("inputmode") == "numeric"
    text = shop.dialog.inner_text()
    for told in ("11.91", "EUR", "to Text", "Best of Ladytron", "attempts left", "5:00 left"):
        assert told in text or told == "5:00 left"
    assert shop.page.evaluate("ends.length") == 0
    shop.check()
    shop.answer(provider.code(sent))
    end = shop.end()
    assert end["what"] == end["status"] == "paid"
    status, told = provider.verify("Text", end["proofOfPurchase"])
    assert (status, told["valid"], told["amount"]) == (200, True, "11.91")
    assert told["bill"]["productID"] == bill
    assert shop.page.evaluate("Object.keys(sessionStorage).length") == 0
    assert shop.dialog.count() == 0


@pytest.mark.req("N-068", "N-078")
def test_a_wrong_code_then_the_right_one(shop, provider):
    sent = len(provider.codes())
    shop.pay("Text")
    right = provider.code(sent)
    shop.answer(f"{(int(right) + 1) % 1_000_000:06d}")
    shop.page.locator(".wrong:not(:empty)").wait_for()
    field = shop.field()
    assert field.get_attribute("aria-invalid") == "true"
    assert field.input_value() == ""
    assert "2 attempts left" in shop.dialog.inner_text()
    assert field.evaluate("field => field.getRootNode().activeElement === field")
    shop.check()
    shop.answer(provider.code(sent + 1) if len(provider.codes()) > sent + 1 else right)
    assert shop.end()["what"] == "paid"


@pytest.mark.req("N-068")
def test_wrong_until_no_attempt_is_left(shop, provider):
    sent = len(provider.codes())
    shop.pay("Text")
    for left in ("3 attempts left", "2 attempts left", "Last attempt"):
        shop.page.locator(".meta", has_text=left).wait_for()
        shop.answer(f"{(int(provider.code(sent)) + 1) % 1_000_000:06d}")
    shop.press("Back to the shop")
    end = shop.end()
    assert (end["code"], end["retryPossible"]) == ("payment_authentication_failed", False)
    assert end["reason"] == "wrong_answer"


@pytest.mark.req("N-074", "N-082", "N-084")
def test_a_picture_has_an_alternative_in_words(shop):
    shop.pay("Image")
    shop.field()
    image = shop.page.locator("dialog img")
    assert image.evaluate("image => image.naturalWidth") > 0
    words = image.get_attribute("alt")
    for told in ("tulip", "25.96 EUR", "Image"):
        assert told in words
    shop.press("I cannot see the picture")
    assert words in shop.dialog.inner_text()
    shop.check()
    shop.answer(digits(words))
    assert shop.end()["what"] == "paid"


def digits(words):
    """Do what the alternative says: digits spelled out."""
    names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    spelled = words.rpartition("digits:")[2]
    return "".join(str(names.index(each)) for each in re.findall(r"[a-z]+", spelled))


@pytest.mark.req("N-007", "N-075", "N-079")
def test_a_page_of_the_provider_opens_in_a_frame(shop):
    shop.pay("Url")
    frame = shop.page.frame_locator(FRAME)
    confirm(frame)
    assert shop.end()["what"] == "paid"


@pytest.mark.req("N-075")
def test_a_code_on_the_providers_page_never_crosses_the_shop(shop, provider):
    sent = len(provider.codes())
    shop.pay("Url", customer=ADA)
    frame = shop.page.frame_locator(FRAME)
    frame.locator("#answer").fill(provider.code(sent))
    confirm(frame)
    assert shop.end()["what"] == "paid"


@pytest.mark.req("N-027", "N-075")
def test_a_customer_nobody_knows_pays_with_a_card_on_the_providers_page(shop, provider):
    shop.pay("Text", "7.77", customer=None)
    frame = shop.page.frame_locator(FRAME)
    frame.locator("#number").fill("4242 4242 4242 4242")
    frame.locator("#expiry").fill("12/33")
    frame.locator("#code").fill("123")
    shop.page.wait_for_timeout(450)
    shop.check()
    frame.locator("#pay").click()
    assert shop.end()["what"] == "paid"
    assert shop.page.evaluate("document.cookie") == ""


@pytest.mark.req("N-075")
def test_the_frame_is_sandboxed_and_its_host_is_told(shop, provider):
    shop.pay("Url")
    frame = shop.page.locator(FRAME)
    frame.wait_for()
    assert "allow-top-navigation" not in frame.get_attribute("sandbox")
    assert frame.get_attribute("referrerpolicy") == "no-referrer"
    host = provider.base.partition("//")[2]
    assert frame.get_attribute("title") == f"Confirmation page of {host}"
    assert host in shop.dialog.inner_text()
    shop.page.locator(".frame[data-ready]").wait_for()
    shop.check()
    shop.press("Cancel payment")
    shop.page.locator(".bad").click()
    assert shop.end()["reason"] == "cancelled"


@pytest.mark.req("N-068", "N-079")
def test_refused_on_the_providers_page(shop):
    shop.pay("Url")
    frame = shop.page.frame_locator(FRAME)
    frame.locator("#form").wait_for()
    shop.page.wait_for_timeout(450)
    frame.locator("#refuse").click()
    leave = shop.page.get_by_role("button", name="Back to the shop")
    until(shop.page, lambda: leave.count() or shop.page.evaluate("ends.length"))
    if leave.count():
        leave.click()
    assert shop.end()["what"] == "failed"


def test_a_page_that_may_not_be_framed_opens_in_a_window(open_shop, provider):
    shop = open_shop()
    # The provider's page stays silent, as one does whose frame is refused.
    shop.context.route(re.compile(r"/web/pages/confirm\.js"), lambda route: route.fulfill(
        body="", content_type="text/javascript"))  # fmt: skip
    shop.pay("Url")
    shop.page.locator(FRAME).wait_for()
    shop.page.get_by_role("button", name="Open in a new window").wait_for(timeout=8000)
    assert "window of its own" in shop.dialog.inner_text()
    shop.context.unroute(re.compile(r"/web/pages/confirm\.js"))
    shop.check()
    with shop.page.expect_popup() as opened:
        shop.press("Open in a new window")
    confirm(opened.value)
    assert shop.end()["what"] == "paid"


@pytest.mark.req("N-075", "N-079")
def test_a_window_is_closed_and_opened_again(shop):
    shop.pay("Url", presentation=["popup", "redirect"])
    with shop.page.expect_popup() as opened:
        shop.press("Open in a new window")
    opened.value.locator("#form").wait_for()
    opened.value.close()
    again = shop.page.get_by_role("button", name="Open it again")
    again.wait_for()
    assert shop.page.evaluate("ends.length") == 0
    with shop.page.expect_popup() as opened:
        again.click()
    confirm(opened.value)
    assert shop.end()["what"] == "paid"


@pytest.mark.req("N-092")
def test_sent_away_and_back_again(shop):
    shop.pay("Url", presentation=["redirect"])
    shop.page.get_by_role("button", name=re.compile("Continue to")).click()
    shop.page.wait_for_url("**/web/confirm*")
    confirm(shop.page)
    shop.page.wait_for_url(shop.url)
    shop.page.wait_for_selector("body[data-ready]")
    [left] = shop.page.evaluate("zoneOf('Url').pending()")
    shop.page.evaluate("id => void settle(zoneOf('Url').resume(id))", left["paymentId"])
    assert shop.end()["what"] == "paid"
    assert shop.page.evaluate("zoneOf('Url').pending()") == []


@pytest.mark.req("N-092")
@pytest.mark.parametrize("seller", ["Text", "Url"])
def test_a_payment_goes_on_after_a_reload(shop, provider, seller):
    sent = len(provider.codes())
    shop.pay(seller, "8.08")
    (shop.field() if seller == "Text" else shop.page.locator(".frame[data-ready]")).wait_for()
    shop.page.reload()
    shop.page.wait_for_selector("body[data-ready]")
    [left] = shop.page.evaluate("zoneOf('Text').pending()")
    assert left["bill"]["itemPrice"] == "8.08"
    shop.page.evaluate("id => void settle(zoneOf('Text').resume(id))", left["paymentId"])
    if seller == "Text":
        shop.answer(provider.code(sent))
    else:
        confirm(shop.page.frame_locator(FRAME))
    end = shop.end()
    assert (end["what"], end["paymentId"]) == ("paid", left["paymentId"])


@pytest.mark.req("N-068", "N-090")
def test_cancelling_is_asked_once_and_done(shop, provider):
    shop.pay("Text", "6.66")
    shop.field()
    shop.page.keyboard.press("Escape")
    keep = shop.page.get_by_role("button", name="Keep paying")
    keep.wait_for()
    shop.check()
    keep.click()
    assert shop.dialog.is_visible()
    shop.press("Cancel payment")
    shop.page.locator(".bad").click()
    end = shop.end()
    assert (end["code"], end["reason"]) == ("payment_charge_failed", "cancelled")
    assert end["retryPossible"] is False
    assert shop.dialog.count() == 0
    assert shop.page.evaluate("document.activeElement.id") == "pay"


def test_escape_twice_closes_nothing(shop):
    shop.pay("Text")
    shop.field()
    for _ in range(4):
        shop.page.keyboard.press("Escape")
        shop.page.wait_for_timeout(60)
    assert shop.dialog.evaluate("dialog => dialog.open")
    shop.page.mouse.click(5, 5)
    assert shop.dialog.evaluate("dialog => dialog.open")
    if shop.page.get_by_role("button", name="Keep paying").count():
        shop.press("Keep paying")
    shop.press("Cancel payment")
    shop.page.locator(".bad").click()
    assert shop.end()["reason"] == "cancelled"


@pytest.mark.req("N-068", "N-076")
@pytest.mark.parametrize("seller", ["Quick", "QuickUrl"])
def test_too_late_and_tried_again(shop, provider, seller):
    shop.pay(seller)
    again = shop.page.get_by_role("button", name="Try again")
    again.wait_for()
    assert "Nothing has been charged" in shop.dialog.inner_text()
    sent = len(provider.codes())
    again.click()
    if seller == "Quick":
        shop.answer(provider.code(sent))
        assert shop.end()["what"] == "paid"
    else:
        again.wait_for()
        shop.press("Back to the shop")
        end = shop.end()
        assert (end["code"], end["retryPossible"]) == ("payment_authentication_failed", True)


@pytest.mark.req("N-083")
def test_more_time_is_another_question(shop, provider):
    sent = len(provider.codes())
    shop.pay("Quick", "3.33")
    provider.code(sent)
    shop.press("More time")
    code = provider.code(sent + 1)
    shop.answer(code)
    assert shop.end()["what"] == "paid"


@pytest.mark.req("N-051")
def test_names_are_texts_and_never_markup(shop, provider):
    sent = len(provider.codes())
    shop.pay("Shop & <b>Söhne</b>", bill={"productID": "x", "currency": "EUR",
             "description": "<img src=x onerror=alert(1)>"})  # fmt: skip
    shop.field()
    text = shop.dialog.inner_text()
    assert "to Shop & <b>Söhne</b>" in text
    assert "<img src=x onerror=alert(1)>" in text
    assert shop.page.locator("dialog img").count() == 0
    shop.answer(provider.code(sent))
    assert shop.end()["what"] == "paid"


def test_the_dialog_stands_above_the_shops_own_and_gives_the_focus_back(shop, provider):
    sent = len(provider.codes())
    shop.page.evaluate(
        """() => {
          const own = document.createElement("dialog");
          own.id = "own";
          own.append(document.getElementById("pay"));
          document.body.append(own);
          own.showModal();
        }"""
    )
    shop.pay("Text")
    shop.answer(provider.code(sent))
    assert shop.end()["what"] == "paid"
    assert shop.page.evaluate("document.getElementById('own').open")
    assert shop.page.evaluate("document.activeElement.id") == "pay"


def test_with_the_keyboard_only(shop, provider):
    sent = len(provider.codes())
    shop.page.evaluate("wish => { window.wish = wish; }", wish("Text"))
    page, press = shop.page, shop.page.keyboard.press
    page.focus("#pay")
    press("Enter")
    shop.field()
    assert focused(page) == "answer"
    seen = []
    for _ in range(6):
        press("Tab")
        seen.append(focused(page))
        assert page.evaluate("document.activeElement === document.body"
                             " || document.activeElement.shadowRoot !== null")  # fmt: skip
    assert {"Confirm", "Cancel payment"} <= set(seen)
    press("Escape")
    assert focused(page) == "Keep paying"
    press("Enter")
    page.locator("dialog input").focus()
    page.keyboard.type(provider.code(sent))
    press("Enter")
    assert shop.end()["what"] == "paid"


def wish(seller):
    bill = {"productID": "K-1", "currency": "EUR", "itemPrice": "5.55"}
    return {"seller": seller, "bill": bill, "customerID": "ada@example.org", "sellerID": seller}


def focused(page):
    return page.evaluate(
        """() => {
          const inner = document.activeElement.shadowRoot?.activeElement;
          return inner ? inner.id || inner.textContent : "";
        }"""
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [NARROW, WIDE], ids=["360", "1280"])
@pytest.mark.parametrize("seller", ["Text", "Image", "Url"])
def test_what_it_looks_like(open_shop, seller, viewport, scheme):
    shop = open_shop(viewport=viewport, scheme=scheme, reduced_motion="reduce")
    shop.pay(seller)
    shop.dialog.wait_for()
    if seller == "Url":
        shop.page.locator(".frame[data-ready]").wait_for()
    shop.check()
    shop.shot(f"pay-{seller.lower()}-{viewport['width']}-{scheme}")
    box = shop.dialog.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= viewport["width"]
    assert box["y"] + box["height"] <= viewport["height"]
    for button in shop.page.locator("dialog button:visible").all():
        size = button.bounding_box()
        assert min(size["width"], size["height"]) >= 24
    motion = "d => d.getAnimations({subtree: true}).length"
    assert shop.dialog.evaluate(motion) == 0


@pytest.mark.req("N-068")
def test_a_declined_card_is_told_in_the_dialog(shop, provider):
    shop.pay("Text", "4.04", customer=None)
    frame = shop.page.frame_locator(FRAME)
    frame.locator("#number").fill("4000000000000002")
    frame.locator("#expiry").fill("12/33")
    frame.locator("#code").fill("123")
    shop.page.wait_for_timeout(450)
    frame.locator("#pay").click()
    shop.press("Back to the shop")
    end = shop.end()
    assert (end["code"], end["reason"]) == ("payment_charge_failed", "declined")
    assert provider.moved(404) == []
