"""The wallet as a payment method of the browser itself (Payment Handler API)."""

import json

import pytest

from tests.web.client.bench import SILENT, until

WISH = {"presentation": ["payment-handler", "inline"], "customer": SILENT}


class Window:
    """The browser's own payment window. Playwright does not see it, so it is spoken to by hand."""

    def __init__(self, window, page):
        self.page = page
        self.line = window.new_browser_cdp_session()
        self.heard = {}
        self.line.on("Target.receivedMessageFromTarget", self._hear)
        self.number = 0
        self.id = None
        for _ in range(150):
            listed = self.line.send("Target.getTargets", {"filter": [{}]})["targetInfos"]
            found = [each for each in listed if each["type"] == "page"
                     and "/client/pay/index.html" in each["url"]]  # fmt: skip
            if found:
                self.id = found[0]["targetId"]
                break
            page.wait_for_timeout(100)
        assert self.id, "the browser opened no payment window"
        self.session = self.line.send(
            "Target.attachToTarget", {"targetId": self.id, "flatten": False}
        )["sessionId"]

    def _hear(self, event):
        told = json.loads(event["message"])
        self.heard[told.get("id")] = told

    def run(self, code):
        self.number += 1
        told = {"expression": code, "awaitPromise": True, "returnByValue": True}
        message = {"id": self.number, "method": "Runtime.evaluate", "params": told}
        fields = {"sessionId": self.session, "message": json.dumps(message)}
        self.line.send("Target.sendMessageToTarget", fields)
        for _ in range(100):
            if self.number in self.heard:
                return self.heard[self.number]["result"]["result"].get("value")
            self.page.wait_for_timeout(50)
        raise AssertionError("the payment window does not answer")

    def until(self, code):
        for _ in range(100):
            if self.run(code):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(self.run("document.body.innerText"))

    @property
    def is_open(self):
        listed = self.line.send("Target.getTargets", {"filter": [{}]})["targetInfos"]
        return any(each["targetId"] == self.id for each in listed)


CONFIRM = "document.getElementById('page').contentDocument"


@pytest.mark.req("N-007")
def test_paid_in_the_browsers_own_window(shop, window, provider):
    bill = shop.pay("Url", "12.21", **WISH)
    opened = Window(window, shop.page)
    opened.until(f"!{CONFIRM}.querySelector('#form').hidden")
    assert "12.21" in opened.run(f"{CONFIRM}.body.innerText")
    shop.page.wait_for_timeout(450)
    opened.run(f"{CONFIRM}.querySelector('#pay').click()")
    end = shop.end()
    assert end["what"] == "paid"
    _, told = provider.verify("Url", end["proofOfPurchase"])
    assert told["bill"]["productID"] == bill
    assert len(provider.moved(1221)) == 1
    assert shop.dialog.count() == 0


@pytest.mark.req("N-068", "N-090")
def test_refused_in_the_browsers_own_window(shop, window, provider):
    shop.pay("Url", "12.22", **WISH)
    opened = Window(window, shop.page)
    opened.until(f"!{CONFIRM}.querySelector('#form').hidden")
    shop.page.wait_for_timeout(450)
    opened.run(f"{CONFIRM}.querySelector('#refuse').click()")
    assert shop.end()["what"] == "failed"
    assert provider.moved(1222) == []


@pytest.mark.req("N-068", "N-090")
def test_given_up_by_the_page_while_the_window_is_open(shop, window, provider):
    shop.page.evaluate(
        """() => {
          const giving = new AbortController();
          window.giveUp = () => giving.abort();
          const begin = window.begin;
          window.begin = (wish) => begin({ ...wish, signal: giving.signal });
        }"""
    )
    shop.pay("Url", "12.23", **WISH)
    opened = Window(window, shop.page)
    opened.until(f"!{CONFIRM}.querySelector('#form').hidden")
    shop.page.evaluate("giveUp()")
    end = shop.end()
    assert (end["code"], end["reason"]) == ("payment_charge_failed", "cancelled")
    until(shop.page, lambda: not opened.is_open)
    assert provider.moved(1223) == []


def test_without_a_handler_the_dialog_shows_it(open_shop):
    shop = open_shop(service_workers="block")
    shop.page.evaluate("delete window.PaymentRequest")
    shop.pay("Url", **WISH)
    shop.page.locator(".frame[data-ready]").wait_for()
    shop.press("Cancel payment")
    shop.page.locator(".bad").click()
    assert shop.end()["reason"] == "cancelled"


def test_the_providers_page_makes_the_wallet_known(shop, provider):
    page = shop.context.new_page()
    shop.watch(page)
    page.goto(f"{provider.base}/client/pay/index.html")
    page.get_by_role("button", name="Use it in this browser").click()
    page.wait_for_selector("body[data-registered]")
    ask = """async (method) => {
      const request = new PaymentRequest([{ supportedMethods: method }],
        { total: { label: "x", amount: { currency: "EUR", value: "1.00" } } });
      return await request.canMakePayment();
    }"""
    assert shop.page.evaluate(ask, f"{provider.base}/client/pay")
