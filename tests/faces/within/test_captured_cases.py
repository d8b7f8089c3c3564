"""Every odd case that was put to an original producer, put to ours: a device, over a socket.

Where ours answers otherwise than the original did, a case says why: what WIRE 2.3 and 2.4 call
OURS.
"""

import json
from dataclasses import dataclass, replace

import pytest

from tests.within.bench import CLIENT_KEY, Aside, Line, Market
from tollbridge.faces.within.catalogue import Service
from tollbridge.faces.within.messages import Price, PricePerUnit
from tollbridge.faces.within.refusals import Reason

CLIENT = "edge-client"
WASH = Service(
    service_id=1,
    name="RoboWash",
    prices={1: Price(1, "Car wash", PricePerUnit(500, "GBP"), 1, "Single wash")},
)
OTHER = replace(WASH, service_id=2, name="RoboAir")
BARE = replace(WASH, service_id=4, prices={})
JSON_UTF8 = "application/json;charset=UTF-8"
NO_PAGE = (404, "404 page not found\n")
UNREADABLE = (422, "Unable to parse POST body")
GATEWAY = (500, "Unable to process payment with gateway at this time")
NO_UNITS = (400, "Number of units must be at least 1")
WRONG_CLIENT = (400, "Client ID does not match Order Client ID")
NUMBERS = {(reason.value[1], reason.value[2].partition("{")[0]): reason.number for reason in Reason}
ORIGINALS_ERROR = (500, "invalid memory address or nil pointer dereference")

pytestmark = pytest.mark.req("WX-009", "WX-010", "WX-011")


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    with Aside() as aside:
        yield aside.enter(Market(tmp_path_factory.mktemp("market"), WASH, OTHER, BARE))


@pytest.fixture
def shop(market):
    with Line(market.producer.port) as line, Line(market.provider.port) as provider:
        yield Shop(line, provider)


class Shop:
    """One consumer that says whatever it likes."""

    def __init__(self, line, provider):
        self.line, self._provider = line, provider

    def post(self, path, body):
        return self.line.ask("POST", path, body if isinstance(body, str) else json.dumps(body))

    def client_token(self):
        body = {"reusable": False, "clientKey": CLIENT_KEY, "paymentMethod": {
            "name": "Joe Bloggs", "expiryMonth": 12, "expiryYear": 2049,
            "cardNumber": "4444333322221111", "type": "Card", "cvc": "123"}}  # fmt: skip
        said = self._provider.ask("POST", "/v1/tokens", json.dumps(body))
        return json.loads(said.body)["token"]

    def reference(self, units=10):
        wanted = {"clientID": CLIENT, "selectedNumberOfUnits": units, "selectedPriceID": 1}
        return json.loads(self.post("/service/1/requestTotal", wanted).body)["paymentReferenceID"]

    def pay(self, reference, **other):
        wanted = {"clientID": CLIENT, "clientToken": "tok-1", "paymentReferenceID": reference}
        return self.post("/payment", wanted | other)

    def token(self, units=10):
        said = self.pay(self.reference(units), clientToken=self.client_token())
        return json.loads(said.body)["serviceDeliveryToken"]


@dataclass(frozen=True)
class Case:
    """What was asked, what the original said, and where ours says otherwise, what and why."""

    name: str
    asked: object
    original: object
    ours: object = None
    why: str = ""

    def __post_init__(self):
        assert (self.ours is None) == (not self.why), "another answer needs its reason"

    @property
    def expected(self):
        return self.original if self.ours is None else self.ours


def cases(*made):
    return pytest.mark.parametrize("case", [Case(*one) for one in made], ids=lambda one: one.name)


def check(said, expected):
    """Hold an answer against a status with a message, or against the fields of a 200."""
    if isinstance(expected, dict):
        assert said.status == 200, said
        assert said.headers["content-type"] == JSON_UTF8
        found = json.loads(said.body)
        assert {name: found[name] for name in expected} == expected
        assert said.body.endswith(b"}\n")
        return
    status, message = expected
    assert said.status == status, said
    if expected == NO_PAGE:
        assert said.headers["content-type"] == "text/plain; charset=utf-8"
        assert said.headers["x-content-type-options"] == "nosniff"
        assert said.body in (message.encode(), b"")
        return
    assert said.headers["content-type"] == JSON_UTF8
    number = next(n for (code, text), n in NUMBERS.items() if code == status
                  and message.startswith(text))  # fmt: skip
    if expected == GATEWAY:
        assert json.loads(said.body)["errorCode"] in (11, number)
        number = json.loads(said.body)["errorCode"]
    written = f'{{"HTTPStatusCode":{status},"message":"{message}","errorCode":{number}}}\n'
    assert said.body == written.encode()


# Addresses

LIST = {
    "services": [
        {"ServiceID": number, "ServiceDescription": "", "ServiceName": name, "ServiceType": ""}
        for number, name in ((1, "RoboWash"), (2, "RoboAir"), (4, "RoboWash"))
    ]
}


@cases(
    ("unknown path", ("GET", "/nope"), NO_PAGE),
    ("root", ("GET", "/"), NO_PAGE),
    ("trailing slash", ("GET", "/service/discover/"), (301, "moved"), LIST,
     "2.1: served directly, for a redirect breaks clients"),
    ("doubled slash", ("GET", "//service//discover"), (301, "moved"), LIST,
     "2.1: served directly, for a redirect breaks clients"),
    ("wrong method, POST", ("POST", "/service/discover", "{}"), NO_PAGE),
    ("wrong method, GET", ("GET", "/payment"), NO_PAGE),
    ("wrong method, PUT", ("PUT", "/service/1/requestTotal", "{}"), NO_PAGE),
    ("wrong method, DELETE", ("DELETE", "/service/1/delivery/begin"), NO_PAGE),
    ("HEAD", ("HEAD", "/service/discover"), NO_PAGE),
    ("OPTIONS", ("OPTIONS", "/service/discover"), NO_PAGE),
    ("other letter case", ("GET", "/Service/Discover"), NO_PAGE),
    ("no service id", ("GET", "/service//prices"), NO_PAGE),
    ("services", ("GET", "/service/discover"), LIST),
    ("services with a query", ("GET", "/service/discover?x=1"), LIST),
    ("services with a body", ("GET", "/service/discover", "{nope"), LIST),
    ("unknown service", ("GET", "/service/99/prices"), (404, "Service not found for id 99")),
    ("service id not int", ("GET", "/service/abc/prices"),
     (400, "Unable to parse input service id")),
    ("negative id", ("GET", "/service/-1/prices"), (404, "Service not found for id -1")),
    ("no prices", ("GET", "/service/4/prices"), {"prices": None}),
)  # fmt: skip
def test_addresses(shop, case):
    said = shop.line.ask(*case.asked)
    check(said, case.expected)
    if case.asked[0] == "HEAD":
        assert said.headers["content-length"] == "19"


def test_a_post_to_a_doubled_or_trailing_slash_is_answered_and_not_sent_elsewhere(shop):
    wanted = {"clientID": CLIENT, "selectedNumberOfUnits": 2, "selectedPriceID": 1}
    for path in ("/service/1/requestTotal/", "//service///1//requestTotal//"):
        check(shop.post(path, wanted), {"totalPrice": 1000})


# Select

TOTAL = "/service/1/requestTotal"


def wants(**changes):
    return {"clientID": "x", "selectedNumberOfUnits": 1, "selectedPriceID": 1} | changes


@cases(
    ("unknown service", wants(service=99), (404, "Service not found for id 99")),
    ("unknown price", wants(selectedPriceID=77), (404, "Price not found for id 77")),
    ("bad JSON", "{nope", UNREADABLE),
    ("empty body", "", UNREADABLE),
    ("JSON array", "[]", UNREADABLE),
    ("trailing data", json.dumps(wants()) + " {}", UNREADABLE),
    ("{} (all defaults)", "{}", (404, "Price not found for id 0")),
    ("null", "null", (404, "Price not found for id 0")),
    ("no clientID", {"selectedNumberOfUnits": 1, "selectedPriceID": 1},
     {"clientID": "", "unitsToSupply": 1}, (400, "clientID is empty"), "E3: refuse it"),
    ("clientID null", wants(clientID=None),
     {"clientID": "", "unitsToSupply": 1}, (400, "clientID is empty"), "E3: refuse it"),
    ("units 0", wants(selectedNumberOfUnits=0),
     {"unitsToSupply": 0, "totalPrice": 0}, NO_UNITS, "E3: units are at least 1"),
    ("units -5", wants(selectedNumberOfUnits=-5),
     {"unitsToSupply": -5, "totalPrice": -2500}, NO_UNITS, "E3: units are at least 1"),
    ("units 1.0", '{"clientID":"x","selectedNumberOfUnits":1.0,"selectedPriceID":1}', UNREADABLE),
    ("units 1e0", '{"clientID":"x","selectedNumberOfUnits":1e0,"selectedPriceID":1}', UNREADABLE),
    ('units "1"', wants(selectedNumberOfUnits="1"), UNREADABLE),
    ("units true", wants(selectedNumberOfUnits=True), UNREADABLE),
    ("other letter case + unknown field",
     '{"CLIENTID":"x","SelectedNumberOfUnits":2,"selectedpriceid":1,"zzz":1}',
     {"clientID": "x", "priceID": 1, "unitsToSupply": 2, "totalPrice": 1000,
      "currencyCode": "GBP", "merchantClientKey": CLIENT_KEY}),
    ("a total beyond 31 bits", wants(selectedNumberOfUnits=4294968), {"unitsToSupply": 4294968},
     (400, "Total price is above 2147483647"), "E3: the total fits i32"),
    ("units of 19 digits", wants(selectedNumberOfUnits=4611686018427387904),
     {"totalPrice": 0}, UNREADABLE, "E3: the total fits i32; no number has more than 18 digits"),
)  # fmt: skip
def test_selections(shop, case):
    asked, path = case.asked, TOTAL
    if isinstance(asked, dict) and "service" in asked:
        path = f"/service/{asked['service']}/requestTotal"
    check(shop.post(path, asked), case.expected)


def test_the_content_type_of_a_request_is_not_looked_at(shop):
    data = json.dumps(wants()).encode()
    head = f"POST {TOTAL} HTTP/1.1\r\nHost: h\r\nContent-Length: {len(data)}\r\n"
    check(shop.line.say(f"{head}Content-Type: text/plain\r\n\r\n".encode() + data),
          {"unitsToSupply": 1, "totalPrice": 500})  # fmt: skip
    check(shop.line.say(f"{head}\r\n".encode() + data), {"unitsToSupply": 1})


def test_a_body_in_chunks_is_read(shop):
    data = json.dumps(wants()).encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in (data[:9], data[9:]))
    head = f"POST {TOTAL} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    check(shop.line.say(head + chunks + b"0\r\n\r\n"), {"unitsToSupply": 1})


def test_a_body_beyond_a_mebibyte_is_422(market):
    body = b'{"clientID":"' + b"x" * (1 << 20) + b'","selectedNumberOfUnits":1}'
    with Line(market.producer.port) as line:
        check(line.ask("POST", TOTAL, body), UNREADABLE)
    with Line(market.producer.port) as line:
        check(line.ask("GET", "/service/discover"), LIST)


# Pay


@cases(
    ("unknown reference", {"paymentReferenceID": "nope"}, ORIGINALS_ERROR,
     (404, "Unable to find order for payment ref nope"), "E4: the 404 that was meant"),
    ("bad JSON", "{nope", UNREADABLE),
    ("{}", "{}", ORIGINALS_ERROR, (404, "Unable to find order for payment ref "),
     "E4: the 404 that was meant"),
    ("null", "null", ORIGINALS_ERROR, (404, "Unable to find order for payment ref "),
     "E4: the 404 that was meant"),
    ("other clientID", {"clientID": "other"}, WRONG_CLIENT),
    ("other letters of the clientID", {"clientID": CLIENT.upper()}, WRONG_CLIENT),
    ("empty token", {"clientToken": ""}, GATEWAY),
    ("PSP declines", {"clientToken": "decline-1"}, GATEWAY),
)  # fmt: skip
def test_payments(shop, case):
    if isinstance(case.asked, str):
        check(shop.post("/payment", case.asked), case.expected)
    else:
        check(shop.pay(shop.reference(), **case.asked), case.expected)


def test_a_payment(shop, market):
    reference, token = shop.reference(), shop.client_token()
    said = shop.pay(reference, clientToken=token)
    check(said, {"serverID": market.producer.uid, "clientID": CLIENT, "totalPaid": 5000})
    given = json.loads(said.body)["serviceDeliveryToken"]
    assert list(given) == ["key", "issued", "expiry", "refundOnExpiry", "signature"]
    assert given["refundOnExpiry"] is False


def test_the_same_reference_a_second_time(shop, market):
    """The original charges again. E4: the stored answer, or 409 with another client token."""
    reference, token = shop.reference(), shop.client_token()
    first = shop.pay(reference, clientToken=token)
    taken = market.provider.taken_minor
    assert shop.pay(reference, clientToken=token).body == first.body
    check(shop.pay(reference, clientToken=shop.client_token()),
          (409, "Order is paid or being paid with another client token"))  # fmt: skip
    assert market.provider.taken_minor == taken


# Release

NOT_FOUND = (400, "Order not found for ServiceDeliveryToken")


@cases(
    ("unknown key", {"token": {"key": "nope"}}, NOT_FOUND),
    ("empty key", {"token": {"key": ""}}, NOT_FOUND),
    ("expired in the request", {"token": {"expiry": "2001-01-01T00:00:00Z"}},
     (400, "ServiceDeliveryToken has expired"), {"unitsToSupply": 1},
     "accounting: the stored expiry counts"),
    ("expiry forged later", {"token": {"expiry": "2999-01-01T00:00:00Z"}}, {"unitsToSupply": 1}),
    ("time without zone", {"token": {"expiry": "2099-01-01T00:00:00"}}, UNREADABLE),
    ("time empty", {"token": {"expiry": ""}}, UNREADABLE),
    ("time with +00:00", {"token": {"issued": "2020-01-01T01:00:00.5+01:00",
                                    "expiry": "2099-01-01T00:00:00+00:00"}}, {"unitsToSupply": 1}),
    ("no times at all", {"token": {"issued": None, "expiry": None}},
     (400, "ServiceDeliveryToken has expired"), {"unitsToSupply": 1},
     "accounting: the stored expiry counts"),
    ("signature base64", {"token": {"signature": "c2ln"}}, {"unitsToSupply": 1}),
    ("signature null", {"token": {"signature": None}}, {"unitsToSupply": 1}),
    ("signature not base64", {"token": {"signature": "***"}}, UNREADABLE),
    ("other clientID", {"clientID": "other"}, {"unitsToSupply": 1}, WRONG_CLIENT,
     "accounting: the client is held against the order's"),
    ("more units than bought", {"unitsToSupply": 99}, {"unitsToSupply": 10}),
    ("units 0", {"unitsToSupply": 0}, {"unitsToSupply": 0}, NO_UNITS, "accounting: 400"),
    ("units -1", {"unitsToSupply": -1}, {"unitsToSupply": -1}, NO_UNITS, "accounting: 400"),
    ("unknown service in URL", {"service": 99},
     (404, "Could not deliver service. Please contact service provider.")),
    ("other service in URL", {"service": 2},
     (404, "Could not deliver service. Please contact service provider.")),
    ("service id not int", {"service": "x"}, (400, "Unable to parse input service id")),
)  # fmt: skip
def test_beginnings(shop, case):
    token = shop.token() | case.asked.get("token", {})
    body = {"clientID": CLIENT, "serviceDeliveryToken": token, "unitsToSupply": 1}
    body |= {name: value for name, value in case.asked.items() if name in body}
    said = shop.post(f"/service/{case.asked.get('service', 1)}/delivery/begin", body)
    expected = case.expected
    if isinstance(expected, dict):  # the token comes back as it was sent, to the letter
        expected = expected | {"serviceDeliveryToken": token}
    check(said, expected)


def test_beginning_with_a_bad_body(shop):
    path = "/service/1/delivery/begin"
    check(shop.post(path, "{"), UNREADABLE)
    check(shop.post(path, "{}"), NOT_FOUND)
    check(shop.post(path, "null"), NOT_FOUND)


def test_beginning_what_is_not_paid(shop):
    """The original calls the key invalid, ours has never heard of it: no key is a reference."""
    token = {"key": shop.reference(), "expiry": "2099-01-01T00:00:00Z"}
    body = {"clientID": CLIENT, "serviceDeliveryToken": token, "unitsToSupply": 1}
    check(shop.post("/service/1/delivery/begin", body), NOT_FOUND)
    body = {"clientID": CLIENT, "serviceDeliveryToken": token, "unitsReceived": 1}
    check(shop.post("/service/1/delivery/end", body),
          (404, "Unable to find order for ServiceDeliveryToken"))  # fmt: skip


SUPPLIED = {"unitsJustSupplied": 1, "unitsRemaining": 9}


@cases(
    ("3 of 10", {"unitsReceived": 3}, {"unitsJustSupplied": 3, "unitsRemaining": 7}),
    ("11 of 10", {"unitsReceived": 11}, {"unitsJustSupplied": 11, "unitsRemaining": -1},
     {"unitsJustSupplied": 10, "unitsRemaining": 0}, "accounting: clamped to what was granted"),
    ("-1 of 10", {"unitsReceived": -1}, {"unitsJustSupplied": -1, "unitsRemaining": 11},
     {"unitsJustSupplied": 0, "unitsRemaining": 10}, "accounting: clamped to what was granted"),
    ("unknown key", {"token": {"key": "nope"}},
     (404, "Unable to find order for ServiceDeliveryToken")),
    ("unknown service", {"service": 99}, (404, "Service not found for id 99")),
    ("other service", {"service": 2}, SUPPLIED,
     (404, "Could not deliver service. Please contact service provider."),
     "accounting: the stored service counts"),
    ("other clientID", {"clientID": "other"}, SUPPLIED, WRONG_CLIENT,
     "accounting: the client is held against the order's"),
    ("expired", {"token": {"expiry": "2001-01-01T00:00:00Z"}}, SUPPLIED),
)  # fmt: skip
def test_endings(shop, case):
    token = shop.token()
    body = {"clientID": CLIENT, "serviceDeliveryToken": token, "unitsToSupply": 10}
    check(shop.post("/service/1/delivery/begin", body), {"unitsToSupply": 10})
    token |= case.asked.get("token", {})
    body = {"clientID": CLIENT, "serviceDeliveryToken": token, "unitsReceived": 1}
    body |= {name: value for name, value in case.asked.items() if name in body}
    said = shop.post(f"/service/{case.asked.get('service', 1)}/delivery/end", body)
    check(said, case.expected)


def test_ending_3_of_10_again(shop):
    """The original never stores what it supplied. Accounting: an end repeated changes nothing."""
    token = shop.token()
    body = {"clientID": CLIENT, "serviceDeliveryToken": token}
    shop.post("/service/1/delivery/begin", body | {"unitsToSupply": 10})
    end = body | {"unitsReceived": 3}
    check(shop.post("/service/1/delivery/end", end), {"unitsJustSupplied": 3, "unitsRemaining": 7})
    check(shop.post("/service/1/delivery/end", end), {"unitsJustSupplied": 0, "unitsRemaining": 7})
    again = body | {"unitsToSupply": 10}
    check(shop.post("/service/1/delivery/begin", again), {"unitsToSupply": 7})
