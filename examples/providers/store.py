"""An app store: customers buy in its own client, and apps ask for what they bought."""

import itertools
import json
from urllib.parse import unquote, urlsplit

from examples.providers.hosting import Provider, said
from tollbridge.wire.http import Response

PACKAGE, ACCESS = "com.example.game", "access-token-of-test-store"
_numbers = itertools.count(1)


class Store(Provider):
    """`bought` are the purchases by their tokens, `orders` what the store did with the money."""

    def __init__(self):
        super().__init__()
        self.bought = {}
        self.orders = {}

    def buy(self, product, quantity=1):
        """Let a customer buy in the store's client; give what the app gets."""
        number = next(_numbers)
        token, order = f"tok{number:05d}.AO-J1Oy", f"GPA.3312-4512-1100-{number:05d}"
        self.bought[token] = {
            "productId": product, "orderId": order, "purchaseState": 0, "quantity": quantity,
            "acknowledgementState": 0, "consumptionState": 0, "purchaseType": 0,
        }  # fmt: skip
        self.orders[order] = {"orderId": order, "purchaseToken": token, "state": "PROCESSED"}
        return f"{product}:{token}"

    def give_back(self):
        """Give back what nobody acknowledged, as the store does after three days."""
        for bought in self.bought.values():
            if not bought["acknowledgementState"]:
                bought["purchaseState"] = 1
                self.orders[bought["orderId"]]["state"] = "REFUNDED"

    def told(self, request):
        """A customer buys in the store's client: POST /buy/PRODUCT answers the app's token."""
        if request.method == "POST" and request.url.startswith("/buy/"):
            return said(200, {"token": self.buy(request.url.removeprefix("/buy/"))})
        return super().told(request)

    def book(self):
        return {"purchases made final": self.kept}

    @property
    def kept(self):
        """How many purchases were made final and not given back."""
        return sum(each["acknowledgementState"] and not each["purchaseState"]
                   for each in self.bought.values())  # fmt: skip

    def moves(self, request):
        return request.method == "POST"

    def handle(self, request):
        path = urlsplit(request.url).path
        if path == "/lend":
            return said(200, {"access_token": ACCESS, "expires_in": 3599, "token_type": "Bearer"})
        if request.headers.get("authorization") != f"Bearer {ACCESS}":
            return error(401, "UNAUTHENTICATED")
        parts = [unquote(part) for part in path.split("/")]
        assert parts[parts.index("applications") + 1] == PACKAGE
        name, _, verb = parts[-1].partition(":")
        if self.moves(request) and self.ending == "declined":
            return error(403, "PERMISSION_DENIED")
        if self.moves(request) and self.ending == "pending":
            return Response(503, body=b"try later")
        if parts[-2] == "orders":
            return self.order(request, name)
        bought = self.bought.get(name)
        if bought is None or bought["productId"] != parts[-3]:
            return error(404, "NOT_FOUND")
        if verb == "acknowledge" and not bought["acknowledgementState"]:
            bought["acknowledgementState"] = 1
            bought["developerPayload"] = json.loads(request.body)["developerPayload"]
        return Response(200) if verb else said(200, {"kind": "androidpublisher#x", **bought})

    def order(self, request, name):
        order = self.orders.get(name)
        if order is None:
            return error(404, "NOT_FOUND")
        if request.method == "GET":
            return said(200, order)
        order["state"] = "REFUNDED"
        self.bought[order["purchaseToken"]]["purchaseState"] = 1
        return Response(200)


def error(status, word):
    return said(status, {"error": {"code": status, "message": word.lower(), "status": word}})
