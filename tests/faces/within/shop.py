"""A producer in a world: a garden pump, its keys, a client token, and the way to it."""

import asyncio
import json

from tollbridge.core.verbs import Verb
from tollbridge.faces.within.catalogue import Catalogue, Service
from tollbridge.faces.within.messages import Price, PricePerUnit
from tollbridge.faces.within.producer import Terms, WithinFace
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.testing.face_kit import _match
from tollbridge.testing.world import World, card
from tollbridge.wire.http import Request

SERVER = "6f1d2c34-8a5b-4e77-1c10-2b7e5d904a11"
CLIENT = "c0a8e1f2-3b64-4d09-0e5f-71a2b3c4d5e6"
CLIENT_KEY = "T_C_00000000-1111-2222-3333-444444444444"
PRICES = {
    1: Price(1, "Daytime rate", PricePerUnit(410, "GBP"), 1, "100 litres"),
    2: Price(2, "Evening rate", PricePerUnit(325, "GBP"), 1, "100 litres"),
}
WATER = Service(
    service_id=3,
    name="Garden Watering",
    description="Metered garden watering",
    service_type="water",
    prices=PRICES,
)


class PlainKeys:
    """Keys whose signature anybody can follow."""

    public_key = "cHVibGlj"

    def sign(self, data):
        return b"signed:" + data

    def secret(self, label):
        return f"only we know: {label}".encode().ljust(32, b".")


def client_token(world, account="visa"):
    """Give a token the network has for a card, as a payment provider would."""
    name = f"{len(world.movements):026}"
    body = {"operation": f"{name}.1", "payment": name, "verb": str(Verb.STORE),
            "merchant": "psp", "card": {"number": card(account).number.reveal()}}  # fmt: skip
    answer = world.do(Request("POST", "/v1/operations", body=json.dumps(body).encode()))
    return json.loads(answer.body)["details"]["token"]


def producer(world, *services, terms=None, told=None):
    """Make a producer as a process that starts makes it."""
    catalogue = Catalogue()
    for service in services or (WATER,):
        catalogue.add(service)
    tell = told.append if told is not None else lambda _: None
    terms = terms or Terms(server_id=SERVER, merchant_client_key=CLIENT_KEY)
    return WithinFace(terms, catalogue, PlainKeys(), world.clock, world.ids, tell)


class Shop:
    """A producer and the way to it: requests in, status and JSON out."""

    def __init__(self, world=None, *services, terms=None):
        self.world = world or World()
        self.told = []
        self.services = services
        self.terms = terms
        self.restart()
        self.token = client_token(self.world)

    def restart(self):
        """Start the producer again: what lived in memory is gone."""
        self.face = producer(self.world, *self.services, terms=self.terms, told=self.told)

    def get(self, url):
        return self.send(Request("GET", url, peer="192.168.40.52:40912"))

    def post(self, url, body):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.send(Request("POST", url, body=data, peer="192.168.40.52:40912"))

    def send(self, request):
        answers = []
        self.world.run(self._send(request, answers))
        return answers[0]

    def together(self, *requests):
        """Send several at the same time."""
        answers = []

        async def all_of_them():
            await asyncio.gather(*(self._send(request, answers) for request in requests))

        self.world.run(all_of_them())
        return answers

    def tell(self, message):
        """Tell the face something its own program knows."""
        got = []

        async def main():
            got.append(await self.world.engine.serve(self.face, message, {}))

        self.world.run(main())
        return got[0]

    async def _send(self, request, answers):
        for endpoint in self.face.endpoints():
            names = _match(endpoint.path, request.url)
            if endpoint.method == request.method and names is not None:
                try:
                    message = endpoint.decode(request, names)
                    done = endpoint.encode(await self.world.engine.serve(self.face, message, {}))
                except RemoteProtocolError as error:
                    done = endpoint.refuse(error)
                answers.append((done.status, json.loads(done.body)))
                return
        raise AssertionError(request.url)

    # The flow

    def total(self, units=6, price=2, client=CLIENT, service=3):
        wanted = {"clientID": client, "selectedNumberOfUnits": units, "selectedPriceID": price}
        return self.post(f"/service/{service}/requestTotal", wanted)

    def pay(self, reference, token=None, client=CLIENT):
        wanted = {"clientID": client, "clientToken": token or self.token,
                  "paymentReferenceID": reference}  # fmt: skip
        return self.post("/payment", wanted)

    def begin(self, token, units, client=CLIENT, service=3):
        wanted = {"clientID": client, "serviceDeliveryToken": token, "unitsToSupply": units}
        return self.post(f"/service/{service}/delivery/begin", wanted)

    def end(self, token, units, client=CLIENT, service=3):
        wanted = {"clientID": client, "serviceDeliveryToken": token, "unitsReceived": units}
        return self.post(f"/service/{service}/delivery/end", wanted)

    def bought(self, units=6, client=CLIENT):
        """Buy units; gives the delivery token."""
        _, total = self.total(units, client=client)
        status, paid = self.pay(total["paymentReferenceID"], client=client)
        assert status == 200, paid
        return paid["serviceDeliveryToken"]
