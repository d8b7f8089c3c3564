"""Chapter four: a record shop is paid by its page, and asks behind the page's back."""

import http.client
import json
import re
import socket
import time
from pathlib import Path

from stage import FOLDER, command, tell, tell_start

SHOP = Path("examples/webshop")
PAYMENT = "http://webinos.org/api/payment"


class Page:
    """What the client in the shop's page does, over HTTP."""

    def __init__(self, provider, shop):
        self.provider, self.shop = provider.url, shop.url
        self.origin = shop.url

    def ask(self, method, path, body=None, key="pk_test_webshop", **fields):
        told = {"Authorization": f"Bearer {key}", "Origin": self.origin, **fields}
        return call(self.provider, method, path, body, told)

    def order(self, what):
        return call(self.shop, "POST", "/order", {"what": what})[1]

    def begin(self, order, **changes):
        found = self.ask("GET", f"/web/services?api={PAYMENT}")[1]["services"]
        wish = {
            "service": found[0]["id"],
            "sellerID": "ShopName12345",
            "customerID": "mymail@provider.com",
            "bill": order["bill"] | changes,
            "itemList": order["items"],
        }
        key = {"Idempotency-Key": f"demo-{order['order']}"}
        return self.ask("POST", "/web/payments", wish, **key)[1]

    def answer(self, payment, code):
        path = f"/web/payments/{payment['id']}/challenges/{payment['challenge']['id']}/answer"
        return self.ask("POST", path, {"answer": code}, payment["client_token"])[1]

    def follow(self, payment, token):
        while payment["state"] not in ("succeeded", "failed", "cancelled"):
            path = f"/web/payments/{payment['id']}?wait=5&after={payment['events']}"
            payment = self.ask("GET", path, key=token)[1]
        return payment

    def prove(self, order, proof):
        return call(self.shop, "POST", "/proof", {"order": order["order"], "proof": proof})


def call(url, method, path, body=None, fields=None):
    line = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    try:
        data = None if body is None else json.dumps(body)
        line.request(method, path, data, {"Content-Type": "application/json", **(fields or {})})
        answer = line.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        line.close()


def story(provider, shop):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = (SHOP / "provider.toml").read_text().replace("8090", str(port))
    (FOLDER / "web.toml").write_text(settings)

    tell("A payment provider for web pages, with a seller, a customer and the customer's card,")
    tell_start(provider, "listens on")
    tell("and a record shop with two pages and a small server of its own.")
    shop.arguments = ("--port", str(port), "--provider", provider.url)
    tell_start(shop, "is open at")
    page = Page(provider, shop)

    tell("The page pays the shop's bill of 25.96 EUR; the provider asks the customer for a code.")
    order = page.order("basket")
    payment = page.begin(order)
    token = payment["client_token"]
    print(f"    {payment['challenge']['challenge']}")
    code = re.findall(r": (\d{6}) is", provider.log.read_text())[-1]
    done = page.follow(page.answer(payment | {"client_token": token}, code), token)
    show("the page says", done["state"])
    show("the shop says", state(shop, order))
    tell("Only what the provider tells the shop's server makes it paid: by proof, and by notice.")
    status, told = page.prove(order, done["proofOfPurchase"])
    show("proof checked", f"{told['state']} ({status})")
    for _ in range(100):
        if len(told["told_by"]) > 1:
            break
        time.sleep(0.1)
        told = look(shop, order)
    show("heard from", " and ".join(told["told_by"]))
    assert told["state"] == "paid"
    assert sorted(told["told_by"]) == ["notice", "proof"]

    tell("The CD comes back for its deluxe edition: a bill of -14.99, and one of 19.99.")
    for what in ("return", "deluxe"):
        order = page.order(what)
        begun = page.begin(order)
        done = page.follow(begun, begun["client_token"])
        told = page.prove(order, done["proofOfPurchase"])[1]
        show(told["title"], f"{told['amount']} EUR  {told['state']}")
        assert told["state"] in ("paid", "refunded")

    tell("A page that lies: it pays 0.01 EUR for the deluxe edition. The shop looks at the proof.")
    order = page.order("deluxe")
    begun = page.begin(order, itemPrice="0.01")
    done = page.follow(begun, begun["client_token"])
    status, told = page.prove(order, done["proofOfPurchase"])
    show("the shop says", f"{told['error']} ({status})")
    assert status == 400
    assert look(shop, order)["state"] == "open"
    journal = str(FOLDER / "web.sqlite")
    assert command("journal", "verify", "--journal", journal) == 0


def look(shop, order):
    orders = call(shop.url, "GET", "/orders.json")[1]
    return next(each for each in orders if each["id"] == order["order"])


def state(shop, order):
    now = look(shop, order)["state"]
    return {"open": "not paid yet", "paid": "paid: the notice came first"}.get(now, now)


def show(name, value):
    print(f"    {name + ':':<26} {value}")
