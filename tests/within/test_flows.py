"""The flows page: its ten steps of a consumer and five of a producer are calls of a device."""

import asyncio
import json
import re
from dataclasses import replace
from functools import partial

import pytest

from tests.within.bench import (
    CLIENT,
    HERE,
    WATER,
    Market,
    Provider,
    Relay,
    card,
    device,
    free_udp_port,
    psp,
)
from tollbridge.faces.within import events
from tollbridge.faces.within.errors import (
    BadArgument,
    NotReady,
    PeerRefused,
    PeerUnreachable,
    WithinError,
)
from tollbridge.faces.within.messages import DeliveryToken, Total
from tollbridge.within.agent import tables
from tollbridge.within.device import Device

# The step of the page, the call of a device, and the method of the wrappers.
CONSUMER = [
    ("1 SETUP", "setup", "setup"),
    ("2 DEVICE DISCOVERY", "device_discovery", "deviceDiscovery"),
    ("4 INIT CONSUMER", "init_consumer", "initConsumer"),
    ("5 REQUEST SERVICES", "request_services", "requestServices"),
    ("6 GET SERVICE PRICES", "get_service_prices", "getServicePrices"),
    ("7 SELECT SERVICE", "select_service", "selectService"),
    ("8 MAKE PAYMENT", "make_payment", "makePayment"),
    ("9 BEGIN SERVICE DELIVERY", "begin_service_delivery", "beginServiceDelivery"),
    ("10 STOP SERVICE DELIVERY", "end_service_delivery", "endServiceDelivery"),
]
PRODUCER = [
    ("1 SETUP", "setup", "setup"),
    ("2A ADD SERVICE", "add_service", "addService"),
    ("2B REMOVE SERVICE", "remove_service", "removeService"),
    ("3 INIT PRODUCER", "init_producer", "initProducer"),
    ("4A START BROADCAST", "start_service_broadcast", "startServiceBroadcast"),
    ("4B STOP BROADCAST", "stop_service_broadcast", "stopServiceBroadcast"),
]


@pytest.mark.req("W-225")
@pytest.mark.parametrize(("step", "call", "method"), CONSUMER + PRODUCER)
def test_a_step_is_one_call_of_a_device_and_one_of_the_wrappers(step, call, method):
    """Step 3, to choose a message, is the application's own."""
    number = step.split()[0]
    assert re.search(rf"\(steps? {number}\b", getattr(Device, call).__doc__)
    assert method in tables.METHODS


@pytest.mark.req("W-025", "W-038", "W-039", "W-224", "W-226", "W-227", "W-228", "W-229", "W-230",
                 "W-231", "W-232", "W-233", "W-234", "W-235", "W-236", "W-237", "W-238", "W-239",
                 "W-240", "W-241")  # fmt: skip
def test_both_flows_step_by_step_end_in_a_purchase(tmp_path):
    port = free_udp_port()
    told = []

    async def main():
        async with Provider(tmp_path / "provider") as provider:
            # The producer
            pump = await device(tmp_path / "pump", "pump-17", discovery_port=port)  # 1
            pump.add_service(WATER)  # 2A
            pump.add_service(replace(WATER, service_id=9))
            pump.remove_service(9)  # 2B
            pump.set_event_handler(told.append)
            await pump.init_producer(psp(provider.port))  # 3
            await pump.start_service_broadcast()  # 4A

            # The consumer
            lawn = await device(tmp_path / "lawn", "lawn-52", discovery_port=port)  # 1
            heard = await lawn.device_discovery(0.5)  # 2
            [chosen] = [one for one in heard if one.device_name == "pump-17"]  # 3
            assert (chosen.server_id, chosen.service_types) == (pump.uid, ("water",))
            await pump.stop_service_broadcast()  # 4B: who knows the device can still buy
            assert await lawn.device_discovery(0.5) == []
            assert told == []
            async with Relay(chosen.port_number) as counter:
                lawn.init_consumer(  # 4
                    chosen.scheme, chosen.hostname, counter.port, chosen.url_prefix,
                    lawn.uid, card(), psp(provider.port),
                )  # fmt: skip
                assert counter.asked == b""
                services = await lawn.request_services()  # 5
                assert [one.name for one in services] == ["Garden Watering"]
                prices = await lawn.get_service_prices(services[0].service_id)  # 6
                assert [one.price_id for one in prices] == [1, 2]
                total = await lawn.select_service(3, 6, 2)  # 7
                assert provider.taken_minor == 0
                paid = await lawn.make_payment(total)  # 8
                assert provider.taken_minor == paid.total_paid_minor == 1950
                begun = await lawn.begin_service_delivery(3, paid.token, 6)  # 9
                assert begun.units == 6
                ended = await lawn.end_service_delivery(3, paid.token, 6)  # 10
                assert ended.units_remaining == 0
                # Each step from 5 to 10 is one exchange with the producer, in their order.
                assert [one.first.split()[1] for one in counter.requests] == [
                    "/service/discover", "/service/3/prices", "/service/3/requestTotal",
                    "/payment", "/service/3/delivery/begin", "/service/3/delivery/end",
                ]  # fmt: skip
                assert json.loads(counter.requests[2].body)["clientID"] == lawn.uid
            await lawn.close()
            await pump.close()
        # The six events of the original, and one of ours.
        assert [type(event) for event in told] == [
            events.ServicesDiscovered, events.PricesAsked, events.TotalAsked,
            events.PaymentStarted, events.PaymentEnded, events.DeliveryBegun,
            events.DeliveryEnded,
        ]  # fmt: skip

    asyncio.run(main())


TOKEN = DeliveryToken()
BEFORE_INIT_CONSUMER = [
    ("request_services",),
    ("get_service_prices", 3),
    ("select_service", 3, 6, 2),
    ("make_payment", Total()),
    ("begin_service_delivery", 3, TOKEN, 1),
    ("end_service_delivery", 3, TOKEN, 1),
]


@pytest.mark.req("W-223", "W-229")
@pytest.mark.parametrize("call", BEFORE_INIT_CONSUMER, ids=lambda call: call[0])
def test_a_call_before_init_consumer_says_which_call_is_missing(tmp_path, call):
    async def main():
        async with await device(tmp_path, "hasty") as hasty:
            with pytest.raises(NotReady, match="call init_consumer first"):
                await getattr(hasty, call[0])(*call[1:])

    asyncio.run(main())


@pytest.mark.req("W-223", "W-239", "W-240")
def test_a_broadcast_before_init_producer_says_which_call_is_missing(tmp_path):
    async def main():
        async with await device(tmp_path, "hasty") as hasty:
            hasty.add_service(WATER)
            for call in (
                hasty.start_service_broadcast,
                partial(hasty.metered, TOKEN.key, 1),
            ):
                with pytest.raises(NotReady, match="call init_producer first"):
                    await call()
            with pytest.raises(NotReady, match="call init_producer first"):
                hasty.broadcast()
            await hasty.stop_service_broadcast()  # silent already

    asyncio.run(main())


@pytest.mark.req("W-226", "W-236")
@pytest.mark.parametrize(
    ("name", "description", "error"),
    [("", "d", "EMPTYNAME"), ("n", "", "EMPTYDESCRIPTION")],
)
def test_a_device_needs_a_name_and_a_description(tmp_path, name, description, error):
    with pytest.raises(BadArgument, match=error):
        asyncio.run(Device.setup(name, description, HERE, folder=tmp_path))


@pytest.mark.req("W-223")
def test_devices_do_not_wait_for_one_another(tmp_path):
    """Who asks too early is told so at once; the order between devices is the applications'."""

    async def main():
        async with await device(tmp_path / "lawn", "lawn") as lawn:
            lawn.init_consumer("http://", HERE, 1, "", CLIENT, card(), psp(1))
            with pytest.raises(PeerUnreachable):
                await lawn.request_services()
        async with Market(tmp_path / "market") as market:
            total = await market.consumer.select_service(3, 6, 2)
            with pytest.raises(PeerRefused, match="Unable to find order"):
                await market.consumer.make_payment(replace(total, payment_reference="no quote"))
            with pytest.raises(PeerRefused, match="Order not found"):
                await market.consumer.begin_service_delivery(3, TOKEN, 1)
            with pytest.raises(PeerRefused, match="Unable to find order"):
                await market.consumer.end_service_delivery(3, TOKEN, 1)

    asyncio.run(main())


@pytest.mark.req("W-229")
@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"hostname": ""}, "EMPTY_HOST"),
        ({"port": 0}, "PORT_RANGE"),
        ({"port": 65536}, "PORT_RANGE"),
        ({"client_id": ""}, "EMPTY_CLIENTID"),
        ({"scheme": "ftp://"}, "scheme"),
        ({"url_prefix": "/../up"}, "prefix"),
        ({"psp": {}}, "PSP_CONFIG_NOT_SET"),
        ({"psp": {"psp_name": "nobody"}}, "PSP_UNKNOWN"),
    ],
)
def test_a_consumer_needs_an_address_an_id_and_a_provider(tmp_path, wrong, error):
    right = {"scheme": "http://", "hostname": HERE, "port": 80, "url_prefix": "",
             "client_id": CLIENT, "card": card(), "psp": psp(1)}  # fmt: skip

    async def main():
        async with await device(tmp_path, "lawn") as lawn:
            lawn.init_consumer(**right)
            kept = lawn.consumer
            with pytest.raises(WithinError, match=error):
                lawn.init_consumer(**right | wrong)
            assert lawn.consumer is kept

    asyncio.run(main())


@pytest.mark.req("W-239")
@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"psp_name": "nobody"}, "PSP_UNKNOWN"),
        ({"hte_public_key": ""}, "EMPTYMERCHANTCLIENTKEY"),
        ({"hte_private_key": "", "merchant_service_key": "T_S_1"}, "EMPTYMERCHANTSERVICEKEY"),
        ({"hte_private_key": ""}, "PSPMERCHANTCREATE"),
    ],
)
def test_a_producer_needs_its_keys(tmp_path, wrong, error):
    async def main():
        async with await device(tmp_path, "pump") as pump:
            with pytest.raises(BadArgument, match=error):
                await pump.init_producer(psp(1) | wrong)
            await pump.init_producer(psp(1))
            with pytest.raises(BadArgument, match="a producer already"):
                await pump.init_producer(psp(1))
            async with await device(tmp_path / "second", "second", port=pump.port) as second:
                with pytest.raises(WithinError, match="LISTEN_FAILED"):
                    await second.init_producer(psp(1))

    asyncio.run(main())
