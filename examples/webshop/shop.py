"""A record shop that is paid by its own page, and believes its page nothing.

The page asks this server for a bill, pays it through the provider's client, and brings the proof.
The bill is signed here, so the page cannot change it. This server asks the provider about the
proof, or hears a signed notice by itself when the page is gone; only then an order is paid.

    tollbridge serve --config examples/webshop/provider.toml --development
    python examples/webshop/shop.py
"""

import argparse
import contextlib
import json
import os
import threading
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tollbridge.merchant import Merchant, MerchantError, NotHeard, NotProven

HERE = Path(__file__).parent
PAGES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/orders": ("orders.html", "text/html; charset=utf-8"),
    "/shop.css": ("shop.css", "text/css; charset=utf-8"),
    "/shop.js": ("shop.js", "text/javascript; charset=utf-8"),
    "/orders.js": ("orders.js", "text/javascript; charset=utf-8"),
}
BODY_BYTES_MAX = 64 * 1024

LADYTRON = {
    "productID": "DCD2346233",
    "description": "Best of Ladytron 00-10 by Ladytron (Audio CD - 2011)",
    "currency": "EUR",
    "itemPrice": "14.99",
    "itemCount": 1,
}
DELUXE = LADYTRON | {
    "productID": "DCD2346234",
    "description": "Best of Ladytron 00-10 by Ladytron (deluxe edition, 2 Audio CDs - 2011)",
    "itemPrice": "19.99",
}
BREAKFAST = {
    "productID": "DCD1358954167",
    "description": "Breakfast at Tiffanys DVD",
    "currency": "EUR",
    "itemPrice": "5.97",
    "itemCount": 1,
}
POSTAGE = {
    "description": "Postage and Packaging",
    "currency": "EUR",
    "itemPrice": "5.00",
    "itemCount": 1,
}
# What can be ordered: the specification's bill, and the CD given back for its deluxe edition.
# A refund is a bill of its own with a negative price.
OFFERS = {
    "basket": ("Two discs by post", "25.96", [LADYTRON, BREAKFAST, POSTAGE]),
    "return": ("The CD comes back", "-14.99", [LADYTRON | {"itemPrice": "-14.99"}]),
    "deluxe": ("The deluxe edition", "19.99", [DELUXE]),
}


@dataclass
class Order:
    """What a customer wants. `state` is "open" until the provider says that it is settled."""

    id: str
    title: str
    amount: str
    items: list
    state: str = "open"
    told_by: list = field(default_factory=list)
    payment: str = ""

    @property
    def bill(self):
        return {
            "productID": self.id,
            "description": f"Bill {self.id}",
            "currency": "EUR",
            "itemPrice": self.amount,
        }


class Shop:
    """The orders, and the only two ways to settle one."""

    def __init__(self, merchant, settings):
        self.merchant = merchant
        self.settings = settings
        self._orders = {}
        self._lock = threading.Lock()

    def order(self, what):
        title, amount, items = OFFERS[what]
        with self._lock:
            made = Order(str(123456 + len(self._orders)), title, amount, items)
            self._orders[made.id] = made
        signed = self.merchant.sign_bill(made.bill, made.items)
        return {"order": made.id, "bill": made.bill, "items": made.items, "signedBill": signed}

    def orders(self):
        return [asdict(each) for each in reversed(list(self._orders.values()))]

    def prove(self, order_id, proof):
        """The page says it paid. Ask the provider."""
        order = self._orders[order_id]
        self._settle(self.merchant.verify(proof), "proof", order)
        return asdict(order)

    def hear(self, headers, body):
        """The provider says so by itself, perhaps twice."""
        heard = self.merchant.notice(headers, body)
        order = self._orders.get(heard.purchase.bill_id)
        if order and heard.type in ("payment.succeeded", "payment.refunded"):
            self._settle(heard.purchase, "notice", order)

    def _settle(self, bought, told_by, order):
        """Settle an order, if this very bill was paid to the cent: a page can send any bill."""
        if order.amount.startswith("-"):
            right = bought.kind == "refund" and bought.status == "refunded"
            right = right and str(bought.amount) == f"{order.amount} EUR"
            right = right and bought.bill_id == order.id
        else:
            right = bought.pays(order.amount, "EUR", order.id)
        if not right:
            raise NotProven("not what was ordered")
        with self._lock:
            order.state = "refunded" if bought.kind == "refund" else "paid"
            order.payment = bought.payment
            if told_by not in order.told_by:
                order.told_by.append(told_by)


class Handler(BaseHTTPRequestHandler):
    """Two pages and four calls."""

    shop: Shop
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path in PAGES:
            name, kind = PAGES[path]
            self._answer(200, (HERE / name).read_bytes(), kind)
        elif path == "/settings.json":
            self._json(200, self.shop.settings)
        elif path == "/orders.json":
            self._json(200, self.shop.orders())
        else:
            self._json(404, {"error": "there is nothing here"})

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length > BODY_BYTES_MAX:
            self.close_connection = True
            return self._json(413, {"error": "too long"})
        body = self.rfile.read(length)
        try:
            return self._json(200, self._do(body) or {})
        except (NotProven, NotHeard) as error:
            return self._json(400, {"error": str(error)})
        except MerchantError as error:
            return self._json(503, {"error": str(error)})
        except (KeyError, TypeError, ValueError):
            return self._json(400, {"error": "this is not understood"})

    def _do(self, body):
        if self.path == "/notices":
            return self.shop.hear(self.headers, body)
        told = json.loads(body)
        if self.path == "/order":
            return self.shop.order(told["what"])
        if self.path == "/proof":
            return self.shop.prove(told["order"], told["proof"])
        raise KeyError(self.path)

    def _json(self, status, value):
        self._answer(status, json.dumps(value).encode(), "application/json")

    def _answer(self, status, body, kind):
        provider = self.shop.settings["base"]
        policy = (
            f"default-src 'none'; script-src 'self' {provider}; connect-src 'self' {provider}; "
            f"frame-src {provider}; img-src 'self' data: {provider}; style-src 'self'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
            "require-trusted-types-for 'script'; trusted-types 'none'"
        )
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    env = os.environ.get
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--provider", default="http://127.0.0.1:8080", help="for this server")
    parser.add_argument("--page", default="", help="the provider, for browsers, if that differs")
    parser.add_argument("--seller", default="ShopName12345")
    parser.add_argument("--customer", default="mymail@provider.com")
    given = parser.parse_args()
    settings = {
        "base": given.page or given.provider,
        "sellerKey": env("SHOP_PUBLISHABLE_KEY", "pk_test_webshop"),
        "sellerID": given.seller,
        "customerID": given.customer or None,
    }
    with Merchant(
        given.provider,
        env("SHOP_SECRET_KEY", "sk_test_webshop_known_to_everybody"),
        env("SHOP_NOTICES_KEY", "whsec_d2Vic2hvcC13ZWJzaG9wLXdlYnNob3Atd2Vic2hvcA=="),
        seller=given.seller,
    ) as merchant:
        Handler.shop = Shop(merchant, settings)
        server = ThreadingHTTPServer(("127.0.0.1", given.port), Handler)
        print(f"The shop is open at http://localhost:{server.server_port}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()


if __name__ == "__main__":
    main()
