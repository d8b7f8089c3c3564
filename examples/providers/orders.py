"""A provider that speaks the Orders v2 API: its customers approve on a page of its own."""

import itertools
import json
from base64 import b64encode
from decimal import Decimal
from urllib.parse import parse_qs, unquote, urlsplit

from examples.providers.hosting import Provider, said
from tollbridge.wire.http import Headers, Request, Response

CLIENT_ID, CLIENT_SECRET = "test-client", "secret-of-test-client"
BASIC = f"Basic {b64encode(f'{CLIENT_ID}:{CLIENT_SECRET}'.encode()).decode()}"
ACCESS = "access-token-of-test-client"
NOTICE_KEY = "key-of-the-notices-0001"
_numbers = itertools.count(1)


class Orders(Provider):
    """`taken` is what customers paid, by currency; `quick` customers approve at once."""

    def __init__(self):
        super().__init__()
        self.orders = {}
        self.made = {}
        self.taken = {}
        self.quick = False
        self.url = "https://provider.example"

    def book(self):
        return {unit: str(taken) for unit, taken in self.taken.items()}

    def moves(self, request):
        return request.method == "POST" and request.url.endswith(
            ("/capture", "/authorize", "/void", "/refund")
        )

    def handle(self, request):
        path = [unquote(part) for part in urlsplit(request.url).path.strip("/").split("/")]
        if path[0] == "approve":
            return self.page(path[1], parse_qs(urlsplit(request.url).query))
        if path[:2] == ["v1", "oauth2"]:
            right = request.headers.get("authorization") == BASIC
            return said(200, {"access_token": ACCESS, "token_type": "Bearer",
                              "expires_in": 32400}) if right else said(
                401, {"error": "invalid_client"})  # fmt: skip
        if request.headers.get("authorization") != f"Bearer {ACCESS}":
            return said(401, {"name": "AUTHENTICATION_FAILURE"})
        if request.method == "GET":
            order = self.orders.get(path[3])
            return said(200, order) if order else said(404, {"name": "RESOURCE_NOT_FOUND"})
        if request.method == "PATCH":
            return self.patch(self.orders[path[3]], json.loads(request.body))
        once = request.headers["paypal-request-id"]
        if once not in self.made:
            self.made[once] = self.do(path, json.loads(request.body), once)
        return self.made[once]

    def do(self, path, asked, once):
        if path == ["v2", "checkout", "orders"]:
            return self.order(asked)
        if self.ending == "declined":
            issue = {"issue": "INSTRUMENT_DECLINED", "description": "no"}
            return said(422, {"name": "UNPROCESSABLE_ENTITY", "details": [issue]})
        if path[1] == "checkout":
            return self.take(self.orders[path[3]], path[4])
        order, found = self.find(path[3])
        if path[4] == "void":
            if self.ending == "pending":
                return Response(202, body=b"")
            found["status"] = "VOIDED"
            return said(200, found)
        new = "captures" if path[4] == "capture" else "refunds"
        made = self.new(new, asked["amount"], invoice_id=asked["invoice_id"])
        order["purchase_units"][0]["payments"].setdefault(new, []).append(made)
        return said(201, made)

    def order(self, asked):
        name = f"ORDER{next(_numbers):05d}"
        page = f"{self.url}/approve/{name}"
        made = {**asked, "id": name, "status": "PAYER_ACTION_REQUIRED",
                "links": [{"rel": "payer-action", "href": page, "method": "GET"}]}  # fmt: skip
        if self.ending == "declined":
            return said(422, {"name": "UNPROCESSABLE_ENTITY",
                              "details": [{"issue": "CURRENCY_NOT_SUPPORTED"}]})  # fmt: skip
        self.orders[name] = made
        if self.quick:
            self.approve(name)
        return said(201, made)

    def patch(self, order, changes):
        if order["status"] != "APPROVED":
            return said(422, {"name": "UNPROCESSABLE_ENTITY",
                              "details": [{"issue": "ORDER_ALREADY_COMPLETED"}]})  # fmt: skip
        for change in changes:
            order["purchase_units"][0][change["path"].rpartition("/")[2]] = change["value"]
        return Response(204)

    def take(self, order, what):
        if order["status"] == "COMPLETED":
            return said(422, {"name": "UNPROCESSABLE_ENTITY",
                              "details": [{"issue": "ORDER_ALREADY_CAPTURED"}]})  # fmt: skip
        if order["status"] != "APPROVED":
            return said(422, {"name": "UNPROCESSABLE_ENTITY",
                              "details": [{"issue": "ORDER_NOT_APPROVED"}]})  # fmt: skip
        kind = "captures" if what == "capture" else "authorizations"
        unit = order["purchase_units"][0]
        names = {name: unit[name] for name in ("custom_id", "invoice_id") if name in unit}
        unit["payments"] = {kind: [self.new(kind, unit["amount"], **names)]}
        order["status"] = "COMPLETED"
        return said(201, order)

    def new(self, kind, amount, **more):
        if self.ending == "pending":
            return {"id": f"X{next(_numbers)}", "status": "PENDING", "amount": amount, **more,
                    "status_details": {"reason": "PENDING_REVIEW"}}  # fmt: skip
        sign = {"captures": 1, "refunds": -1, "authorizations": 0}[kind]
        code = amount["currency_code"]
        self.taken[code] = self.taken.get(code, Decimal(0)) + sign * Decimal(amount["value"])
        status = "CREATED" if kind == "authorizations" else "COMPLETED"
        return {"id": f"X{next(_numbers)}", "status": status, "amount": amount, **more}

    def find(self, name):
        for order in self.orders.values():
            payments = order["purchase_units"][0].get("payments", {})
            for made in payments.values():
                for each in made:
                    if each["id"] == name:
                        return order, each
        raise AssertionError(name)

    # The customer

    def page(self, name, query):
        """The provider's own page: what `answer` says sends the customer back."""
        order = self.orders[name]
        where = order["payment_source"]["paypal"]["experience_context"]
        match query.get("answer"):
            case ["approve"]:
                self.approve(name)
                return Response(302, Headers([("location", where["return_url"])]))
            case ["cancel"]:
                return Response(302, Headers([("location", where["cancel_url"])]))
        amount = order["purchase_units"][0]["amount"]
        text = (f"<h1>Pay {amount['value']} {amount['currency_code']}?</h1>"
                "<a id=approve href='?answer=approve'>Approve</a>"
                "<a id=cancel href='?answer=cancel'>Cancel</a>")  # fmt: skip
        return Response(200, Headers([("content-type", "text/html")]), text.encode())

    def approve(self, name):
        self.orders[name]["status"] = "APPROVED"

    def approved(self, amount, intent="CAPTURE"):
        """Make an order that a customer approved; give its name."""
        self.ending = "approved"
        value = {"currency_code": amount.currency.code, "value": amount.decimal()}
        answer = self.order({"intent": intent, "purchase_units": [
            {"custom_id": "somebody's", "amount": value}]})  # fmt: skip
        name = json.loads(answer.body)["id"]
        self.approve(name)
        return name


def notice(kind, resource, key=NOTICE_KEY):
    """Make a webhook as the provider sends it."""
    body = json.dumps({"id": "WH-1", "event_type": kind, "resource": resource}).encode()
    return Request("POST", f"/bridges/paypal_orders/notice?key={key}", body=body)
