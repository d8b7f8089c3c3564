"""The Within face keeps what every face must keep, and loses nothing at any moment of a crash."""

import json

import pytest

from tests.faces.within.shop import CLIENT, SERVER, Shop, client_token, producer
from tollbridge.faces.within.orders import Order
from tollbridge.faces.within.producer import Sweep, Terms
from tollbridge.testing.face_kit import FaceKit
from tollbridge.testing.world import World
from tollbridge.wire.http import Request

REFERENCE = "1e9b7a40-55d2-4c3f-66b8-0d4f2e6c8a17"
TOKEN = client_token(World())


def quote(face, world, units=6):
    """Agree on some units, as a producer that still remembers it does."""
    face._quotes[REFERENCE] = Order(
        reference=REFERENCE, client_id=CLIENT, service_id=3, service_name="Garden Watering",
        price_id=2, units=units, per_unit_minor=325, currency="GBP",
        refund_on_expiry=face.terms.refund_on_expiry, quoted=world.clock.now(),
    )  # fmt: skip


def payment():
    wanted = {"clientID": CLIENT, "clientToken": TOKEN, "paymentReferenceID": REFERENCE}
    return Request("POST", "/payment", body=json.dumps(wanted).encode())


@pytest.mark.req("W-018", "W-022", "WX-018")
class TestWithin(FaceKit):
    def face(self, world):
        if not world.network.book.stored(TOKEN):
            assert client_token(world) == TOKEN
        face = producer(world)
        quote(face, world)
        return face

    def paying(self):
        return payment()

    def learning(self):
        return payment()

    def says(self, response):
        answer = json.loads(response.body)
        if response.status == 200:
            return "approved"
        return "unknown" if answer["errorCode"] == 14 else "failed"


@pytest.mark.req("WX-014", "WX-018")
def test_a_whole_purchase_crashed_at_any_moment_supplies_and_refunds_each_unit_once():
    """Buy ten, take four in two deliveries, crash once; take four more, let two expire."""
    terms = Terms(server_id=SERVER, merchant_client_key="T_C", refund_on_expiry=True)
    moments = 0
    while True:
        shop = Shop(terms=terms)
        crashed = shop.world.run(_live(shop, []), moments)
        shop.restart()
        shop.world.recover()
        granted: list[int] = []
        shop.world.run(_live(shop, granted))
        shop.world.clock.advance(8 * 24 * 3600)
        for _ in range(2):
            shop.restart()
            shop.tell(Sweep())
            shop.world.recover()
        shop.tell(Sweep())
        taken = sum(movement.taken_minor for movement in shop.world.movements)
        [(_, page)] = shop.world.journal.browse("within", "order/")
        order = Order.read(page.value)
        assert taken == order.consumed * 325, f"crash at {moments}"
        assert order.consumed <= 10
        assert sum(granted) <= 4
        assert shop.world.differences() == [], f"crash at {moments}"
        if not crashed:
            assert order.consumed == 8
            break
        moments += 1
    assert moments > 10


async def _live(shop, granted):
    """Go through the purchase from wherever it was left, as a consumer that lost its way does."""
    world, face = shop.world, shop.face
    if REFERENCE not in face._quotes:
        quote(face, world, 10)

    async def post(url, body):
        answers = []
        await shop._send(Request("POST", url, body=json.dumps(body).encode()), answers)
        return answers[0][1]

    wanted = {"clientID": CLIENT, "clientToken": shop.token, "paymentReferenceID": REFERENCE}
    paid = await post("/payment", wanted)
    if "serviceDeliveryToken" not in paid:
        return
    both = {"clientID": CLIENT, "serviceDeliveryToken": paid["serviceDeliveryToken"]}
    for units in (3, 1):
        begun = await post("/service/3/delivery/begin", both | {"unitsToSupply": units})
        granted.append(begun["unitsToSupply"])
        await post("/service/3/delivery/end", both | {"unitsReceived": begun["unitsToSupply"]})


@pytest.mark.req("WX-014")
def test_a_refund_at_expiry_crashed_at_any_moment_is_made_once():
    terms = Terms(server_id=SERVER, merchant_client_key="T_C", refund_on_expiry=True)
    moments, crashed = 0, True
    while crashed:
        shop = Shop(terms=terms)
        token = shop.bought(10)
        shop.begin(token, 8)
        shop.end(token, 8)
        shop.world.clock.advance(8 * 24 * 3600)
        crashed = shop.world.run(_sweep(shop), moments)
        for _ in range(2):
            shop.restart()
            shop.world.recover()
            shop.tell(Sweep())
        assert sum(one.taken_minor for one in shop.world.movements) == 8 * 325, moments
        assert shop.world.differences() == []
        moments += 1
    assert moments > 5


async def _sweep(shop):
    await shop.world.engine.serve(shop.face, Sweep(), {})
