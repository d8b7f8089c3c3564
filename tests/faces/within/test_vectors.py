"""The wire, byte for byte: the worked example of WIRE section 6 and the captured purchases.

`example.json` holds the example's messages. `captured.json` holds what an original consumer, an
original producer and its payment provider said on their sockets (`agent`: what differs when a
wrapper drives the consumer). Ids that are random are replaced where they are first said, nothing
else is: what remains must be the same bytes.
"""

import asyncio
import base64
import contextlib
import gzip
import json
import re
import statistics
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.within.bench import (
    CLIENT,
    HERE,
    SERVER,
    SERVICE_KEY,
    WATER,
    Aside,
    Line,
    Market,
    Peer,
    answer,
    card,
    device,
    psp,
)
from tollbridge.faces.within import codec
from tollbridge.faces.within.catalogue import Service
from tollbridge.faces.within.discovery import datagram, read_datagram
from tollbridge.faces.within.errors import PeerNonsense, PeerRefused, PeerSilent, PeerUnreachable
from tollbridge.faces.within.messages import (
    BeginRequest,
    BeginResponse,
    EndRequest,
    EndResponse,
    PaymentRequest,
    PaymentResponse,
    Price,
    PriceList,
    PricePerUnit,
    Refusal,
    ServiceList,
    Total,
    TotalRequest,
)
from tollbridge.faces.within.refusals import Reason
from tollbridge.ground.secret import Secret

FOLDER = Path(__file__).parents[2] / "vectors" / "within"
EXAMPLE = json.loads((FOLDER / "example.json").read_text())
CAPTURED = json.loads((FOLDER / "captured.json").read_text())
SAID = {one["name"]: one for one in EXAMPLE["exchanges"]}
REFERENCE = "1e9b7a40-55d2-4c3f-66b8-0d4f2e6c8a17"
CLIENT_TOKEN = "TEST_SU_aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
ORDER_CODE = "7c7c7c7c-0101-0202-0303-040404040404"

WASH = Service(
    service_id=1,
    name="RoboWash",
    description="Car washed by robot",
    service_type="wash",
    prices={
        1: Price(1, "Car wash", PricePerUnit(500, "GBP"), 1, "Single wash"),
        2: Price(2, "SUV Wash", PricePerUnit(650, "GBP"), 1, "Single wash"),
    },
)

DISCOVER = ("W-020", "W-025", "W-027", "W-028", "W-029", "W-030", "W-032", "W-033", "W-034")
SELECT = (
    "W-046", "W-047", "W-049", "W-050", "W-051", "W-053", "W-054", "W-055", "W-056", "W-057",
    "W-059", "W-060", "W-061", "W-062", "W-063", "W-064", "W-065", "W-066", "W-067", "W-068",
    "W-069", "W-070", "W-071", "W-073", "W-074", "W-075", "W-076",
)  # fmt: skip
PAY = (
    "W-122", "W-123", "W-124", "W-125", "W-179", "W-180", "W-181", "W-182", "W-183", "W-184",
)  # fmt: skip
RELEASE = (
    "W-195", "W-196", "W-197", "W-198", "W-200", "W-201", "W-202", "W-203", "W-204", "W-207",
    "W-208", "W-209", "W-211", "W-212", "W-213", "W-214", "W-215", "W-216",
)  # fmt: skip


class Known:
    """What is random in a conversation: their text for it, and ours."""

    def __init__(self):
        self._pairs = {}

    def learn(self, theirs, ours):
        self._pairs[theirs] = ours

    def put(self, text):
        for theirs, ours in self._pairs.items():
            text = text.replace(theirs, ours)
        return text

    def learn_token(self, theirs, ours):
        """Learn a token field by field; one that is null becomes the text of ours."""
        theirs, ours = (json.loads(one)["serviceDeliveryToken"] for one in (theirs, ours))
        for name in ("key", "issued", "expiry", "signature"):
            written = json.dumps(theirs[name])
            said = f'"{name}":{written}' if theirs[name] is None else written
            mine = json.dumps(ours[name])
            self.learn(said, f'"{name}":{mine}' if theirs[name] is None else mine)


PUBLIC_KEY = re.compile(rb',"publicKey":"[A-Za-z0-9+/]{43}="(?=\}\n$)')
SERVICE_ID = re.compile(rb',"serviceID":\d+(?=\}[,\]])')


def without_ours(body):
    """Leave out the two keys that are ours."""
    return SERVICE_ID.sub(b"", PUBLIC_KEY.sub(b"", body))


def go(kind, said):
    """Read an answer as strictly as Go does: 200, whole numbers, zones, base64, nothing behind."""
    assert said.status == 200
    assert said.headers["content-type"] == "application/json;charset=UTF-8"

    def no_fraction(text):
        raise AssertionError(f"{text} is no integer")

    found = json.loads(said.body, parse_float=no_fraction)
    token = found.get("serviceDeliveryToken", {})
    for name in ("issued", "expiry"):
        if name in token:
            assert re.fullmatch(
                r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", token[name]
            )
    if token.get("signature") is not None:
        base64.b64decode(token["signature"], validate=True)
    shape = GO[kind]
    assert {name: type(value) for name, value in found.items() if name in shape} == shape
    return found


GO = {
    "discover": {"serverID": str, "services": list},
    "prices": {"serverID": str, "prices": list},
    "requestTotal": {"serverID": str, "clientID": str, "priceID": int, "unitsToSupply": int,
                     "totalPrice": int, "currencyCode": str, "paymentReferenceID": str,
                     "merchantClientKey": str},
    "payment": {"serverID": str, "clientID": str, "totalPaid": int, "serviceDeliveryToken": dict},
    "begin": {"serverID": str, "clientID": str, "serviceDeliveryToken": dict,
              "unitsToSupply": int},
    "end": {"serverID": str, "clientID": str, "serviceDeliveryToken": dict,
            "unitsJustSupplied": int, "unitsRemaining": int},
}  # fmt: skip


# The codec

MESSAGES = [
    (ServiceList, "services", "answer"),
    (PriceList, "prices", "answer"),
    (TotalRequest, "select", "request"),
    (Total, "select", "answer"),
    (PaymentRequest, "payment", "request"),
    (PaymentResponse, "payment", "answer"),
    (BeginRequest, "begin", "request"),
    (BeginResponse, "begin", "answer"),
    (EndRequest, "end", "request"),
    (EndResponse, "end", "answer"),
]


@pytest.mark.req(*DISCOVER[5:], *SELECT, *PAY, *RELEASE)
@pytest.mark.parametrize(("kind", "name", "side"), MESSAGES)
def test_a_message_of_the_example_is_read_and_written_back_to_the_byte(kind, name, side):
    text = SAID[name][side].encode()
    message = codec.read(kind, text)
    assert codec.write(message) == text
    assert codec.write_body(message) == text + b"\n"
    assert message != kind()


@pytest.mark.req("W-027", "W-028", "W-029", "WX-001")
@pytest.mark.parametrize("text", [EXAMPLE["broadcast"], CAPTURED["broadcast"]])
def test_a_broadcast_is_read_and_written_back_to_the_byte(text):
    assert datagram(read_datagram(text.encode())) == text.encode()


# Our producer


@contextlib.contextmanager
def conversation(folder, *services, uid=SERVER):
    """Give a market in another thread, and lines to its producer and its provider."""
    with contextlib.ExitStack() as stack:
        aside = stack.enter_context(Aside())
        market = aside.enter(Market(folder, *services, uid=uid))
        line = stack.enter_context(Line(market.producer.port))
        yield market, line, stack.enter_context(Line(market.provider.port))


def post(line, one, known, *headers):
    text = known.put(one["request"])
    body = text if one["method"] == "POST" else None
    return line.ask(one["method"], one["path"], body, *headers)


@pytest.mark.req(*DISCOVER, *SELECT, *PAY, *RELEASE, "W-023", "W-052", "W-190", "W-206", "W-217")
def test_our_producer_says_what_the_example_says_to_the_byte(tmp_path):
    known = Known()
    with conversation(tmp_path) as (market, line, provider):
        known.learn("192.168.40.17", HERE)
        known.learn("64521", str(market.producer.port))
        broadcast = replace(
            market.producer.broadcast(), device_description="Garden pump with meter"
        )
        assert datagram(broadcast).decode() == known.put(EXAMPLE["broadcast"])

        for name in ("services", "prices"):
            said = post(line, SAID[name], known)
            assert without_ours(said.body).decode() == SAID[name]["answer"] + "\n"

        said = post(line, SAID["select"], known)
        known.learn(REFERENCE, json.loads(said.body)["paymentReferenceID"])
        assert said.body.decode() == known.put(SAID["select"]["answer"]) + "\n"

        said = post(provider, SAID["client token"], known)
        known.learn(CLIENT_TOKEN, json.loads(said.body)["token"])

        said = post(line, SAID["payment"], known)
        known.learn_token(SAID["payment"]["answer"], said.body)
        assert said.body.decode() == known.put(SAID["payment"]["answer"]) + "\n"
        [order] = market.orders.requests
        assert order.first == "POST /v1/orders HTTP/1.1"
        assert order.headers["authorization"] == SERVICE_KEY
        assert order.headers["content-type"] == "application/json"
        assert order.body.decode() == known.put(SAID["order"]["request"])

        for name in ("begin", "end"):
            said = post(line, SAID[name], known)
            assert said.body.decode() == known.put(SAID[name]["answer"]) + "\n"

        # 6.9, the second session, and a third that finds nothing left
        token = json.loads(known.put(SAID["begin"]["request"]))
        for asked, granted, received, left in ((5, 2, 2, 0), (1, 0, 0, 0)):
            begin = json.dumps(token | {"unitsToSupply": asked})
            said = line.ask("POST", SAID["begin"]["path"], begin)
            assert json.loads(said.body)["unitsToSupply"] == granted
            end = {name: token[name] for name in ("clientID", "serviceDeliveryToken")}
            end = json.dumps(end | {"unitsReceived": received})
            said = line.ask("POST", SAID["end"]["path"], end)
            assert json.loads(said.body)["unitsRemaining"] == left


@pytest.mark.req("WX-010")
def test_an_error_of_ours_has_the_examples_bytes_and_a_number_of_ours(tmp_path):
    """6.10; the number is the documented `errorCode` that 2.2 asks of ours."""
    expected = '{"HTTPStatusCode":404,"message":"Service not found for id 9","errorCode":0}'
    assert codec.write(codec.read(Refusal, expected.encode())).decode() == expected
    with conversation(tmp_path) as (_, line, _provider):
        said = line.ask("GET", "/service/9/prices")
    assert said.status == 404
    number = Reason.NO_SERVICE.number
    assert said.body.decode() == expected.replace(":0}", f":{number}}}") + "\n"


@pytest.mark.req("W-052")
def test_the_two_keys_of_ours_stand_behind_all_others(tmp_path):
    with conversation(tmp_path) as (_, line, _provider):
        services = json.loads(line.ask("GET", "/service/discover").body)
        prices = json.loads(line.ask("GET", "/service/3/prices").body)
    assert list(services) == ["serverID", "services", "publicKey"]
    assert len(base64.b64decode(services["publicKey"], validate=True)) == 32
    assert list(prices) == ["serverID", "prices"]
    for price in prices["prices"]:
        assert list(price)[-1] == "serviceID"
        assert price["serviceID"] == WATER.service_id


@pytest.mark.req("W-033", "WX-001")
def test_a_producer_of_nothing_says_null_where_the_original_does(tmp_path):
    with conversation(tmp_path) as (market, line, _provider):
        market.producer.remove_service(WATER.service_id)
        said = line.ask("GET", "/service/discover")
        assert without_ours(said.body) == b'{"serverID":"%s","services":null}\n' % SERVER.encode()
        assert datagram(market.producer.broadcast()).endswith(b',"serviceTypes":[]}')
        market.producer.add_service(replace(WATER, service_type="", prices={}))
        said = line.ask("GET", "/service/3/prices")
        assert said.body == b'{"serverID":"%s","prices":null}\n' % SERVER.encode()
        assert datagram(market.producer.broadcast()).endswith(b',"serviceTypes":[""]}')


@pytest.mark.req("WX-009")
def test_texts_of_a_service_leave_as_go_escapes_them(tmp_path):
    odd = replace(WATER, name="a & b <c> \u2028 ü €")
    with conversation(tmp_path, odd) as (_, line, _provider):
        said = line.ask("GET", "/service/discover")
    assert r'"ServiceName":"a \u0026 b \u003cc\u003e \u2028 ü €"' in said.body.decode()


def halves(exchange):
    """Pair up requests and answers as they were captured."""
    return list(zip(exchange[::2], exchange[1::2], strict=True))


@pytest.mark.req("W-004", *DISCOVER[5:], *SELECT, *PAY, *RELEASE, "W-189", "W-217", "WX-009")
@pytest.mark.parametrize("through_an_agent", [False, True])
def test_an_original_consumers_own_bytes_buy_from_our_producer(tmp_path, through_an_agent):
    """All six requests as captured, on one connection that is kept, gzip offered and not used."""
    known = Known()
    server = json.loads(halves(CAPTURED["producer"])[0][1].partition("\r\n\r\n")[2])["serverID"]
    exchanges = halves(CAPTURED["producer"])
    if through_an_agent:
        known.learn("d48e870a-8efc-4847-6945-ee969e551a31", "dbf4a1ce-daf4-4ac9-65c0-bd7dbd0ed863")
        pairs = zip(CAPTURED["agent"], exchanges[4:], strict=True)
        exchanges[4:] = [(agents, answered) for agents, (_, answered) in pairs]
    with conversation(tmp_path, WASH, uid=server) as (market, line, provider):
        known.learn("127.0.0.1:64521", f"{HERE}:{market.producer.port}")
        paid = {}
        token = '"e63260de-bd61-4f5b-4fbe-f6d495ec0c9c"'
        for asked, answered in exchanges:
            head, _, body = asked.partition("\r\n\r\n")
            path = head.split()[1]
            if path == "/payment":
                fresh = json.loads(post(provider, SAID["client token"], Known()).body)["token"]
                known.learn(token, json.dumps(fresh))
            if through_an_agent and "delivery" in path:
                body = agents_token(body, paid)
            body = known.put(body)
            head = re.sub(r"Content-Length: \d+", f"Content-Length: {len(body)}", known.put(head))
            said = line.say(f"{head}\r\n\r\n{body}".encode())
            found = go(path.rsplit("/", 1)[-1], said)
            assert "content-encoding" not in said.headers
            assert "date" in said.headers
            expected = answered.partition("\r\n\r\n")[2]
            if path.endswith("requestTotal"):
                reference = json.loads(expected)["paymentReferenceID"]
                known.learn(f'"paymentReferenceID":"{reference}"',
                            f'"paymentReferenceID":"{found["paymentReferenceID"]}"')  # fmt: skip
                key = json.loads(expected)["merchantClientKey"]
                known.learn(key, found["merchantClientKey"])
            if path == "/payment":
                paid = found["serviceDeliveryToken"]
                known.learn_token(expected, said.body)
            if through_an_agent and "delivery" in path:
                expected = agents_token(expected, paid)
            assert without_ours(said.body).decode() == known.put(expected)


def agents_token(text, paid):
    """Put the token through an agent: whole seconds, and an empty text for no signature."""
    message = json.loads(text)
    times = {name: f"{paid[name][:19]}Z" for name in ("issued", "expiry")}
    token = message["serviceDeliveryToken"] | times | {"key": paid["key"], "signature": ""}
    message["serviceDeliveryToken"] = token
    end = "\n" if text.endswith("\n") else ""
    return json.dumps(message, separators=(",", ":")) + end


def test_no_answer_waits_for_the_one_who_asked_to_acknowledge_its_head(tmp_path):
    """Which costs an original consumer 44 ms each time (CAPTURE 5)."""
    with conversation(tmp_path) as (_, line, _provider):

        def timed_s():
            began = time.perf_counter()
            line.ask("GET", "/service/discover")
            return time.perf_counter() - began

        assert statistics.median(timed_s() for _ in range(31)) < 0.03


# Our consumer


@contextlib.asynccontextmanager
async def buying(folder, *answers, provider=(), paying=None, uid=CLIENT):
    """Give a consumer, the stranger it buys from, and the one its card is shown to."""
    async with (
        Peer(*answers) as peer,
        Peer(*provider) as cards,
        await device(folder, "lawn-52", uid) as lawn,
    ):
        known = paying or card()
        lawn.init_consumer("http://", HERE, peer.port, "", uid, known, psp(cards.port))
        yield lawn, peer, cards


async def whole_purchase(lawn, service, price, units, begun, received):
    """Go the ten steps with a producer, and give what each of them said."""
    services = await lawn.request_services()
    prices = await lawn.get_service_prices(service)
    total = await lawn.select_service(service, units, price)
    paid = await lawn.make_payment(total)
    begin = await lawn.begin_service_delivery(service, paid.token, begun)
    end = await lawn.end_service_delivery(service, paid.token, received)
    return services, prices, total, paid, begin, end


STEPS = ("services", "prices", "select", "payment", "begin", "end")


@pytest.mark.req(
    *DISCOVER[5:], "W-030", *SELECT, "W-084", "W-090", "W-091", "W-092", "W-093", "W-095", "W-096",
    "W-097", "W-098", "W-099", "W-100", "W-101", "W-102", "W-103", "W-128", "W-129", "W-130",
    *PAY, *RELEASE,
)  # fmt: skip
def test_our_consumer_says_what_the_example_says_to_the_byte(tmp_path):
    async def main():
        said = [answer(SAID[name]["answer"]) for name in STEPS]
        given = [answer(SAID["client token"]["answer"], end="")]
        async with buying(tmp_path, *said, provider=given) as (lawn, peer, cards):
            found = await whole_purchase(lawn, 3, 2, 6, 4, 4)
        for one, name in zip(peer.asked, STEPS, strict=True):
            assert one.first == f"{SAID[name]['method']} {SAID[name]['path']} HTTP/1.1"
            assert one.body.decode() == SAID[name]["request"]
            assert one.headers["accept-encoding"] == "identity"
            if SAID[name]["method"] == "POST":
                assert one.headers["content-type"] == "application/json"
        [asked] = cards.asked
        assert asked.first == "POST /v1/tokens HTTP/1.1"
        assert asked.body.decode() == SAID["client token"]["request"]
        assert "authorization" not in asked.headers
        assert peer.connections == 1
        services, prices, total, paid, begin, end = found
        assert [one.name for one in services] == ["Garden Watering"]
        assert [one.per_unit.amount_minor for one in prices] == [410, 325]
        assert (total.units, total.total_minor, total.payment_reference) == (6, 1950, REFERENCE)
        assert paid.token.key.reveal() == "q7Yt0m3v-Zc2LbX9aWn5hR8eKd1sUf4J"
        assert (begin.units, end.units_just_supplied, end.units_remaining) == (4, 4, 2)

    asyncio.run(main())


@pytest.mark.req("WX-009", "WX-020")
def test_our_consumer_says_what_the_original_said_to_the_original_producer(tmp_path):
    """The answers are the captured bytes, head and all; the bodies must be the captured ones."""
    joe = replace(card("34343434343434", "123", 2020), first_name="Joe", last_name="Bloggs",
                  exp_month=12)  # fmt: skip
    uid = "dbf4a1ce-daf4-4ac9-65c0-bd7dbd0ed863"

    async def main():
        said = [one.encode() for one in CAPTURED["producer"][1::2]]
        given = [CAPTURED["provider"][1].encode()]
        async with buying(tmp_path, *said, provider=given, paying=joe, uid=uid) as (
            lawn, peer, cards,
        ):  # fmt: skip
            found = await whole_purchase(lawn, 1, 1, 10, 10, 10)
        originals = CAPTURED["producer"][::2]
        for ours, original in zip(peer.asked, originals, strict=True):
            head, _, body = original.partition("\r\n\r\n")
            assert ours.first == head.partition("\r\n")[0]
            assert ours.body.decode() == body
        assert cards.asked[0].body.decode() == CAPTURED["provider"][0].partition("\r\n\r\n")[2]
        paid, end = found[3], found[5]
        assert paid.token.signature is None
        assert paid.token.issued == "2026-11-21T01:17:04.237828658Z"
        assert (end.units_just_supplied, end.units_remaining) == (10, 0)

    asyncio.run(main())


@pytest.mark.req(
    "W-135", "W-136", "W-137", "W-138", "W-139", "W-141", "W-144", "W-145", "W-146", "W-147",
    "W-148", "W-149", "W-150", "W-151", "W-152", "W-153", "W-154", "W-155", "W-156", "W-157",
    "W-158", "W-176", "W-178",
)  # fmt: skip
@pytest.mark.parametrize("which", ["example", "captured"])
def test_our_producer_orders_in_their_bytes_and_reads_theirs(tmp_path, which):
    if which == "example":
        sold, units, price = WATER, 6, 2
        asked, given, token = SAID["order"]["request"], SAID["order"]["answer"], CLIENT_TOKEN
        reference, wraps = REFERENCE, answer
    else:
        sold, units, price = WASH, 10, 1
        asked, given = (one.partition("\r\n\r\n")[2] for one in CAPTURED["provider"][2:])
        token, reference = json.loads(asked)["token"], json.loads(asked)["customerOrderCode"]

        def wraps(text):
            return answer(text, kind="text/plain; charset=utf-8", end="")

    def orders(request):
        ours = json.loads(request.body)["customerOrderCode"]
        return wraps(given.replace(reference, ours))

    async def main():
        async with Peer(orders) as provider, await device(tmp_path, "pump", SERVER) as pump:
            pump.add_service(sold)
            await pump.init_producer(psp(provider.port))
            lawn = await device(tmp_path / "lawn", "lawn", CLIENT)
            lawn.init_consumer("http://", HERE, pump.port, "", CLIENT, card(), psp(1))
            total = await lawn.select_service(sold.service_id, units, price)
            lawn.consumer.remember(total.payment_reference, Secret(token))
            paid = await lawn.make_payment(total)
            await lawn.close()
        assert paid.total_paid_minor == total.total_minor
        [order] = provider.asked
        assert order.first == "POST /v1/orders HTTP/1.1"
        assert order.headers["authorization"] == SERVICE_KEY
        assert order.headers["content-type"] == "application/json"
        assert order.body.decode() == asked.replace(reference, total.payment_reference)

    asyncio.run(main())


@pytest.mark.req(
    "W-085", "W-094", "W-104", "W-105", "W-106", "W-107", "W-108", "W-109", "W-110", "W-111",
    "W-112", "W-113", "W-114", "W-115", "W-116", "W-117", "W-118", "W-119", "W-120", "W-121",
    "W-133", "W-151", "W-152", "W-153", "W-154", "W-155", "W-156", "W-157", "W-158", "W-159",
    "W-160", "W-161", "W-162", "W-163", "W-164", "W-165", "W-166", "W-167", "W-168", "W-169",
    "W-170", "W-171", "W-172", "W-173", "W-174", "W-175", "WX-024",
)  # fmt: skip
def test_our_provider_says_what_the_example_says_to_the_byte(tmp_path):
    known = Known()
    # What no simulated network knows of a card: whether it is a prepaid one.
    known.learn('"prepaid":"false"', '"prepaid":"unknown"')
    with conversation(tmp_path) as (market, _, provider):
        said = post(provider, SAID["client token"], known)
        known.learn(CLIENT_TOKEN, json.loads(said.body)["token"])
        assert said.status == 200
        assert said.body.decode() == known.put(SAID["client token"]["answer"])
        said = post(provider, SAID["order"], known, f"Authorization: {SERVICE_KEY}")
        known.learn(ORDER_CODE, json.loads(said.body)["orderCode"])
        assert said.status == 200
        assert said.body.decode() == known.put(SAID["order"]["answer"])
        assert market.provider.taken_minor == 1950


# How answers may come


def refusal(message, status=0, number=0):
    return f'{{"HTTPStatusCode":{status},"message":"{message}","errorCode":{number}}}'


LIST = SAID["services"]["answer"]


def asks(folder, *answers):
    """Ask a stranger for its services, as often as it has answers."""

    async def main():
        async with buying(folder, *answers) as (lawn, peer, _):
            return [await lawn.request_services() for _ in answers], peer

    return asyncio.run(main())


def chunked(text, size=7):
    data = text.encode()
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    body = b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in pieces) + b"0\r\n\r\n"
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body


WAYS = {
    "text/plain": answer(LIST, kind="text/plain"),
    "no newline": answer(LIST, end=""),
    "chunked": chunked(LIST),
    "HTTP/1.0": answer(LIST).replace(b"HTTP/1.1", b"HTTP/1.0", 1),
    "HTTP/1.0 to its end": b"HTTP/1.0 200 OK\r\n\r\n" + LIST.encode(),
    "HTTP/1.1 to its end": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + LIST.encode(),
    "keys in other cases": answer(re.sub(r'"(\w+)":', lambda key: key[0].swapcase(), LIST)),
    "unknown keys": answer(LIST.replace("{", '{"colour":{"of":["it",1.5]},')),
}


@pytest.mark.req("W-032", "W-038", "WX-009", "WX-011")
@pytest.mark.parametrize("way", WAYS)
def test_an_answer_is_understood_however_it_comes(tmp_path, way):
    ([found, again], _) = asks(tmp_path, WAYS[way], answer(LIST))
    assert found == again
    assert [(one.service_id, one.name) for one in found] == [(3, "Garden Watering")]


def test_an_answer_that_was_compressed_unasked_is_refused_cleanly(tmp_path):
    packed = gzip.compress(LIST.encode())
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"

    async def main():
        async with buying(tmp_path, head.encode() + packed, answer(LIST)) as (lawn, peer, _):
            with pytest.raises(PeerNonsense, match="DECODE_JSON"):
                await lawn.request_services()
            assert peer.asked[0].headers["accept-encoding"] == "identity"
            assert len(await lawn.request_services()) == 1

    asyncio.run(main())


@pytest.mark.req("WX-009")
def test_null_instead_of_a_list_is_none(tmp_path):
    nothing = answer('{"serverID":"s","services":null}'), answer('{"serverID":"s","prices":null}')

    async def main():
        async with buying(tmp_path, *nothing) as (lawn, _, _cards):
            assert await lawn.request_services() == []
            with pytest.raises(PeerNonsense, match="PRICESNIL"):
                await lawn.get_service_prices(1)

    asyncio.run(main())


def test_a_list_without_types_is_one_of_2016(tmp_path):
    old = re.sub(r',"ServiceType":"\w*"', "", LIST)
    ([[found]], _) = asks(tmp_path, answer(old))
    assert (found.name, found.service_type) == ("Garden Watering", "")


TOO_MANY = "Requested units (5) not available for selected order. Units available = 2"
ERRORS = {
    "an object": ("404 Not Found", refusal("Service not found for id 9"),
                  404, "Service not found for id 9"),
    "a bare string": ("500 Internal Server Error", '"invalid memory address or nil pointer"',
                      500, "invalid memory address or nil pointer"),
    "no JSON": ("404 Not Found", "404 page not found", 404, "404 page not found"),
    "nothing": ("503 Service Unavailable", "", 503, ""),
    "another shape": ("400 Bad Request", "[1]", 400, ""),
    "a status but 200": ("201 Created", LIST, 201, ""),
    "a status of its own": ("400 Bad Request", refusal("no", 200, 7), 400, "no"),
    "old producers, too many units": ("400 Bad Request", refusal(TOO_MANY), 400, TOO_MANY),
}  # fmt: skip


@pytest.mark.req("WX-010", "WX-012")
@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("verb", ["get", "post"])
def test_an_error_is_told_with_the_real_status_whatever_its_shape(tmp_path, error, verb):
    line, body, status, message = ERRORS[error]

    async def main():
        async with buying(tmp_path, answer(body, line)) as (lawn, _, _cards):
            token = codec.read(PaymentResponse, SAID["payment"]["answer"].encode()).token
            begin = partial(lawn.begin_service_delivery, 3, token, 5)
            ask = lawn.request_services if verb == "get" else begin
            with pytest.raises(PeerRefused) as refused:
                await ask()
            assert (refused.value.status, refused.value.message) == (status, message)

    asyncio.run(main())


PAYMENT = SAID["payment"]["answer"]
SIGNED = re.search(r',"signature":"[^"]*"', PAYMENT)[0]
TIMES = re.search(r',"issued":"[^"]*","expiry":"[^"]*"', PAYMENT)[0]
PAYMENTS = {
    "as it should be": (PAYMENT, True),
    "no dates": (PAYMENT.replace(TIMES, ""), True),
    "no signature": (PAYMENT.replace(SIGNED, ""), True),
    "a signature that is null": (PAYMENT.replace(SIGNED, ',"signature":null'), True),
    "a zone with minutes": (PAYMENT.replace("02Z", "02.5+05:30"), True),
    "no zone": (PAYMENT.replace("02Z", "02"), False),
    "a signature that is no base64": (PAYMENT.replace(SIGNED, ',"signature":"***"'), False),
    "a fraction": (PAYMENT.replace("1950", "1950.0"), False),
}


@pytest.mark.req("WX-011", "WX-013")
@pytest.mark.parametrize("form", PAYMENTS)
def test_a_token_is_read_as_strictly_as_the_original_reads_it_and_given_back_as_it_came(
    tmp_path, form
):
    text, good = PAYMENTS[form]
    total = codec.read(Total, SAID["select"]["answer"].encode())

    async def main():
        said = answer(text), answer(SAID["begin"]["answer"])
        given = [answer(SAID["client token"]["answer"])]
        async with buying(tmp_path, *said, provider=given) as (lawn, peer, _):
            if not good:
                with pytest.raises(PeerNonsense, match="DECODE_JSON"):
                    await lawn.make_payment(total)
                return
            paid = await lawn.make_payment(total)
            await lawn.begin_service_delivery(3, paid.token, 4)
            sent = json.loads(peer.asked[1].body)["serviceDeliveryToken"]
            assert sent == json.loads(text)["serviceDeliveryToken"]

    asyncio.run(main())


def test_who_breaks_off_or_is_not_there_is_told_apart(tmp_path):
    async def main():
        half = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nConnection: close\r\n\r\n{"
        async with buying(tmp_path, half) as (lawn, peer, _):
            with pytest.raises(PeerSilent):
                await lawn.request_services()
            port = peer.port
        async with await device(tmp_path, "lawn-52") as lawn:
            lawn.init_consumer("http://", HERE, port, "", CLIENT, card(), psp(1))
            with pytest.raises(PeerUnreachable):
                await lawn.request_services()

    asyncio.run(main())
