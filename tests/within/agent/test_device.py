"""An agent with a real device, a real payment provider's host, and money that moves."""

import re

import pytest

from tests.processes import Process
from tests.within.agent.wrapper import EventServer, Map, Struct, Wrapper, buy, service
from tollbridge.within.device import Device
from tollbridge.within.options import Options

CARD = Struct(
    {1: "Bilbo", 2: "Baggins", 3: 11, 4: 2099, 5: "4242424242424242", 6: "Card", 7: "113"}
)


@pytest.mark.req("W-002", "W-225", "WX-046", "WX-047", "WX-057", "WX-060")
def test_one_agent_sells_to_itself_over_real_http(agents, tmp_path):
    """As the Java wrapper's end-to-end test does: a producer, a second setup, a consumer."""
    devices = []

    async def make(name, description, interface_addr, *, folder):
        device = await Device.setup(
            name, description, interface_addr, options=Options(port=0), folder=folder / tmp_path
        )
        devices.append(device)
        return device

    ready = r"listens on (http://\S+)[\s\S]*merchant_service_key\s+\S+\n"
    with Process(tmp_path, "psp", "serve", "--port", "0", name="psp", url=ready) as provider:
        keys = dict(re.findall(r"(merchant_\w+_key)\s+(\S+)", provider.log.read_text()))
        psp = Map(
            psp_name="worldpayonlinepayments",
            api_endpoint=f"{provider.url}/v1",
            hte_public_key=keys["merchant_client_key"],
            hte_private_key=keys["merchant_service_key"],
            **keys,
        )
        with (
            EventServer() as listener,
            Wrapper(agents(make=make, callback_port=listener.port)) as wrapper,
        ):
            wrapper.call("setup", "shop", "sells power", "127.0.0.1")
            wrapper.call("addService", service())
            wrapper.call("initProducer", psp)
            wrapper.call("setup", "car", "buys power", "127.0.0.1")
            port = devices[0].port
            wrapper.call("initConsumer", "http://", "127.0.0.1", port, "", "car", CARD, psp)
            token = buy(wrapper)
            assert isinstance(token[5], bytes)
            names = listener.wait(6)
    assert names[3:] == ["makePaymentEvent", "beginServiceDelivery", "endServiceDelivery"]
