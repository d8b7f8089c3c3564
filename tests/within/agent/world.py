"""Devices that buy from one another in memory, with the values of the captured purchase.

As a program (`python -m tests.within.agent.world FLAGS`) it is an agent with such devices.
"""

import asyncio
import sys
from pathlib import Path

from tollbridge.faces.within.catalogue import Catalogue
from tollbridge.faces.within.errors import BadArgument, NotReady, PeerNonsense, PeerRefused
from tollbridge.faces.within.events import (
    DeliveryBegun,
    DeliveryEnded,
    PaymentEnded,
    PaymentStarted,
    PricesAsked,
    ServicesDiscovered,
    TotalAsked,
)
from tollbridge.faces.within.messages import (
    BeginResponse,
    Broadcast,
    DeliveryToken,
    EndResponse,
    PaymentResponse,
    Total,
)
from tollbridge.ground.secret import Secret
from tollbridge.within.agent.main import main

PEER = "127.0.0.1:36200"
REFERENCE = "5fb20730-8cb9-45e5-5422-5155b7ab338a"
IDS = {
    "thrift-producer": "0cdfab68-4bd0-4013-7314-4b05d5cd9c15",
    "thrift-consumer": "d48e870a-8efc-4847-6945-ee969e551a31",
}
ORIGINAL = {
    "key": REFERENCE,
    "issued": "2026-11-21T02:53:13.123456789+02:00",
    "expiry": "2026-11-28T02:53:13.123457001+02:00",
    "refundOnExpiry": False,
    "signature": None,
}
TOKEN = DeliveryToken(
    Secret(REFERENCE), ORIGINAL["issued"], ORIGINAL["expiry"], as_received=ORIGINAL
)


class World:
    """Everything the devices share; `calls` is what was asked of them."""

    def __init__(self):
        self.producers = []
        self.calls = []
        self.closed = []

    async def setup(self, name, description, interface_addr="", *, folder=Path()):
        self.calls.append(("setup", name, description, interface_addr))
        return FakeDevice(self, name, description)


class FakeDevice:
    def __init__(self, world, name, description):
        if not name:
            raise BadArgument("EMPTYNAME", "WPW", "empty name")
        self.world = world
        self.uid = IDS.get(name, f"id-of-{name}")
        self.name, self.description = name, description
        self.ipv4_address = "127.0.0.1"
        self.catalogue = Catalogue()
        self.handler = lambda event: None
        self.psp = None
        self.client_id = None

    def noted(self, *call):
        self.world.calls.append(call)

    def add_service(self, service):
        self.noted("add_service", service)
        self.catalogue.add(service)

    def remove_service(self, service_id):
        self.noted("remove_service", service_id)
        self.catalogue.remove(service_id)

    def init_consumer(self, scheme, hostname, port, url_prefix, client_id, card, psp):
        self.noted("init_consumer", scheme, hostname, port, url_prefix, client_id, card, psp)
        self.client_id = client_id

    async def init_producer(self, psp):
        self.noted("init_producer", psp)
        self.psp = psp
        self.world.producers.append(self)

    async def start_service_broadcast(self, timeout_s=0.0):
        self.noted("start_service_broadcast", timeout_s)
        if self.psp is None:
            raise NotReady("initProducer")

    async def stop_service_broadcast(self):
        self.noted("stop_service_broadcast")

    def broadcasts(self):
        return [
            Broadcast(
                device_description=one.description,
                hostname="127.0.0.1",
                port_number=64521,
                server_id=one.uid,
                scheme="http://",
                device_name=one.name,
                service_types=one.catalogue.types(),
            )
            for one in self.world.producers
        ]

    async def device_discovery(self, timeout_s):
        self.noted("device_discovery", timeout_s)
        await asyncio.sleep(min(timeout_s, 0.3) if timeout_s < 3 else 0)
        return self.broadcasts()

    async def search_for_device(self, timeout_s, name):
        self.noted("search_for_device", timeout_s, name)
        return next((one for one in self.broadcasts() if one.device_name == name), None)

    @property
    def peer(self):
        if self.client_id is None:
            raise NotReady("initConsumer")
        return self.world.producers[-1]

    async def request_services(self):
        self.peer.handler(ServicesDiscovered(PEER))
        return [service.details for service in self.peer.catalogue]

    async def get_service_prices(self, service_id):
        self.peer.handler(PricesAsked(PEER, service_id))
        service = self.peer.catalogue.get(service_id)
        if service is None:
            raise PeerNonsense("PRICESNIL", "WPW", "response with nil prices")
        return list(service.prices.values())

    async def select_service(self, service_id, units, price_id):
        price = self.peer.catalogue.get(service_id).prices.get(price_id)
        if price is None:
            raise PeerRefused(0, f"Price not found for id {price_id}")
        total = Total(
            self.peer.uid,
            self.client_id,
            price_id,
            units,
            units * price.per_unit.amount_minor,
            "GBP",
            REFERENCE,
            self.peer.psp["hte_public_key"],
        )
        self.peer.handler(TotalAsked(PEER, service_id, total))
        return total

    async def make_payment(self, total):
        self.noted("make_payment", total)
        text = "Car charger - 10 units @ GBP 0.25 per unit."
        self.peer.handler(PaymentStarted(250, "GBP", Secret("tok-1"), text, REFERENCE))
        self.peer.handler(PaymentEnded(REFERENCE, True))
        return PaymentResponse(self.peer.uid, self.client_id, 250, TOKEN)

    async def begin_service_delivery(self, service_id, token, units):
        self.noted("begin_service_delivery", service_id, token, units)
        self.peer.handler(DeliveryBegun(service_id, 1, token, units))
        return BeginResponse(token=token, units=units)

    async def end_service_delivery(self, service_id, token, units_received):
        self.noted("end_service_delivery", service_id, token, units_received)
        self.peer.handler(DeliveryEnded(service_id, token, units_received))
        return EndResponse(token=token, units_just_supplied=units_received)

    def set_event_handler(self, handler):
        self.handler = handler

    async def close(self):
        self.world.closed.append(self.name)


if __name__ == "__main__":
    sys.exit(main(make=World().setup))
